//! A folder of records as a static site: a first page by device, a page each, and a feed.

use std::collections::HashSet;

use super::extras::PageExtras;
use super::html::html;
use super::model::PageData;
use super::named::NamedRecord;
use super::records::{index_data, page_data};
use crate::escape::markup;

/// A file of a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteFile {
    /// Its name in the site's folder.
    pub name: String,
    /// Its content.
    pub text: String,
}

/// All files of the site of some records.
///
/// # Errors
/// A page cannot be written as JSON.
pub fn site(
    sets: &[Vec<NamedRecord>],
    extras: PageExtras<'_>,
) -> Result<Vec<SiteFile>, serde_json::Error> {
    let records: Vec<&NamedRecord> = sets.iter().flatten().collect();
    let hrefs = names(&records);
    let mut files = vec![SiteFile {
        name: "index.html".to_owned(),
        text: html(&index_data(sets, &hrefs))?,
    }];
    let mut entries = Vec::new();
    for (named, href) in records.iter().zip(&hrefs) {
        let data = page_data(&[vec![(*named).clone()]], extras);
        files.push(SiteFile {
            name: href.clone(),
            text: html(&data)?,
        });
        entries.push((*named, entry(named, href, &data)));
    }
    files.push(SiteFile {
        name: "feed.xml".to_owned(),
        text: feed(entries),
    });
    Ok(files)
}

/// A name for each record's page, of letters that every file system and address takes.
fn names(records: &[&NamedRecord]) -> Vec<String> {
    let mut taken = HashSet::from(["index".to_owned(), "feed".to_owned()]);
    records
        .iter()
        .map(|named| {
            let stem = stem(&named.name);
            let name = (1..)
                .map(|number| match number {
                    1 => stem.clone(),
                    number => format!("{stem}-{number}"),
                })
                .find(|name| taken.insert(name.clone()));
            format!("{}.html", name.unwrap_or(stem))
        })
        .collect()
}

/// A file's name without its folders and its ending.
fn stem(name: &str) -> String {
    const LONGEST: usize = 80;
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let plain: String = file
        .replace(".json", "")
        .to_lowercase()
        .chars()
        .map(|c| match c {
            'a'..='z' | '0'..='9' | '-' | '_' => c,
            _ => '-',
        })
        .take(LONGEST)
        .collect();
    let plain = plain.trim_matches('-');
    match plain {
        "" => "record".to_owned(),
        plain => plain.to_owned(),
    }
}

/// The entries of records as an Atom feed, the newest first.
fn feed(mut entries: Vec<(&NamedRecord, String)>) -> String {
    entries.sort_by(|one, other| other.0.record.started_utc.cmp(&one.0.record.started_utc));
    let updated = entries
        .first()
        .map_or("1970-01-01T00:00:00Z", |(named, _)| date(named));
    let mut feed = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n  \
         <title>perwatt records</title>\n  <id>urn:x-perwatt:site</id>\n  <updated>{}</updated>\n  \
         <author><name>perwatt</name></author>\n  <link href=\"index.html\"/>\n",
        markup(updated)
    );
    feed.extend(entries.into_iter().map(|(_, entry)| entry));
    feed + "</feed>\n"
}

/// A record's entry in the feed.
fn entry(named: &NamedRecord, href: &str, data: &PageData) -> String {
    let page = &data.records[0];
    let marks: String = page
        .marks
        .iter()
        .map(|mark| format!("{}: {}. ", mark.word, mark.why))
        .collect();
    format!(
        "  <entry>\n    <title>{}</title>\n    <id>urn:x-perwatt:session:{}</id>\n    <updated>{}</updated>\n    \
             <link href=\"{}\"/>\n    <summary>{}</summary>\n  </entry>\n",
        markup(&data.title),
        markup(&named.record.session),
        markup(date(named)),
        markup(href),
        markup(&(marks + &page.sentences.join(" "))),
    )
}

/// When a record began; a feed has no word for not knowing.
fn date(named: &NamedRecord) -> &str {
    let stated = &named.record.started_utc;
    match stated.parse::<jiff::Timestamp>() {
        Ok(_) => stated,
        Err(_) => "1970-01-01T00:00:00Z",
    }
}

#[cfg(test)]
mod tests {
    use super::stem;

    #[test]
    fn pages_get_names_that_stay_in_their_folder() {
        for (name, page) in [
            ("results/2026-01-01-card.json", "2026-01-01-card"),
            ("../../etc/pass wd", "pass-wd"),
            ("a.json (record 2)", "a--record-2"),
            ("C:\\x\\<script>.json", "script"),
            ("…", "record"),
        ] {
            assert_eq!(stem(name), page);
        }
    }
}
