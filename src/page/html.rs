//! One file out of data, style and script, that opens from disk and asks nobody for anything.
//!
//! Nothing of a record is markup: the data is one JSON text in which no character can end its element, and the
//! script puts text where text belongs. The policy in the page's head allows the scripts by their hashes, so what
//! slipped through all the same would not run.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::model::PageData;
use crate::escape;

const TEMPLATE: &str = include_str!("../../assets/page/template.html");
const CSS: &str = include_str!("../../assets/page/page.css");
const D3: &str = include_str!("../../assets/page/vendor/d3.min.js");
const PLOT: &str = include_str!("../../assets/page/vendor/plot.umd.min.js");

/// The page's own scripts, in one function so that nothing of them is global.
const PAGE: &str = concat!(
    "\"use strict\";(() => {\n",
    include_str!("../../assets/page/dom.js"),
    include_str!("../../assets/page/charts.js"),
    include_str!("../../assets/page/sections.js"),
    include_str!("../../assets/page/fleet.js"),
    include_str!("../../assets/page/main.js"),
    "})();\n"
);

/// Licences of what is bundled.
const LICENCES: &str = concat!(
    "D3\n\n",
    include_str!("../../assets/page/vendor/LICENSE-d3"),
    "\nObservable Plot\n\n",
    include_str!("../../assets/page/vendor/LICENSE-plot"),
    "\ninterval-tree-1d (in Observable Plot)\n\n",
    include_str!("../../assets/page/vendor/LICENSE-interval-tree-1d"),
    "\nbinary-search-bounds (in Observable Plot)\n\n",
    include_str!("../../assets/page/vendor/LICENSE-binary-search-bounds"),
    "\nisoformat (in Observable Plot)\n\n",
    include_str!("../../assets/page/vendor/LICENSE-isoformat"),
);

/// Longest text of a record that a page holds whole. Names are far shorter; shaders may be this long.
const LONGEST: usize = 100_000;

/// Longest text that stands in a line or a cell.
const LONGEST_LINE: usize = 2_000;

/// The page as one HTML file.
///
/// # Errors
/// The data cannot be written as JSON.
pub fn html(data: &PageData) -> Result<String, serde_json::Error> {
    let mut value = serde_json::to_value(data)?;
    make_inert(&mut value);
    let title = value["title"].as_str().unwrap_or("perwatt").to_owned();
    let generator = value["made_by"].as_str().unwrap_or("perwatt").to_owned();
    let hashes: Vec<String> = [D3, PLOT, PAGE]
        .into_iter()
        .map(|script| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(script))))
        .collect();
    let parts = [
        ("HASHES", hashes.join(" ")),
        ("GENERATOR", escape::markup(&generator)),
        ("TITLE", escape::markup(&title)),
        ("CSS", CSS.to_owned()),
        ("LICENCES", escape::markup(LICENCES)),
        ("DATA", escape::script_data(&compact(&value)?)),
        ("D3", D3.to_owned()),
        ("PLOT", PLOT.to_owned()),
        ("PAGE", PAGE.to_owned()),
    ];
    Ok(filled(&parts))
}

/// The template with its places filled, each by what stands there and never by what a filling holds.
fn filled(parts: &[(&str, String)]) -> String {
    let mut page = String::new();
    let mut rest = TEMPLATE;
    while let Some((before, after)) = rest.split_once("{{") {
        page += before;
        let (name, after) = after.split_once("}}").unwrap_or((after, ""));
        let part = parts.iter().find(|(known, _)| *known == name);
        page += part.map_or("", |(_, text)| text);
        rest = after;
    }
    page + rest
}

fn compact(value: &impl Serialize) -> Result<String, serde_json::Error> {
    serde_json::to_string(value)
}

/// Makes every text of the data one that only stands there, and none longer than a reader reads.
fn make_inert(value: &mut Value) {
    match value {
        Value::String(text) => *text = inert_text(text),
        Value::Array(values) => values.iter_mut().for_each(make_inert),
        Value::Object(fields) => {
            let all = std::mem::take(fields);
            for (key, mut value) in all {
                match (&*key, &mut value) {
                    // What is to be copied into a shell is whole or nothing.
                    ("command", Value::String(text)) => *text = cut(text, LONGEST),
                    (_, value) => make_inert(value),
                }
                fields.insert(inert_text(&key), value);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn inert_text(text: &str) -> String {
    // A shader has lines; a name of many thousand characters in one line is no name.
    cut(
        text,
        match text.chars().take(LONGEST + 1).any(|c| c == '\n') {
            true => LONGEST,
            false => LONGEST_LINE,
        },
    )
}

/// So many characters of a text at the most, with nothing that steers.
fn cut(text: &str, most: usize) -> String {
    let clean: String = text
        .chars()
        .take(LONGEST + 1)
        .map(|c| match c {
            '\n' | '\t' => c,
            c => escape::inert(c),
        })
        .collect();
    if clean.chars().count() <= most {
        return clean;
    }
    let kept: String = clean.chars().take(most).collect();
    let left_out = text.chars().count() - most;
    format!("{kept}… ({left_out} more characters are in the record)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_libraries_are_those_that_the_readme_names() {
        let readme = include_str!("../../assets/page/README.md");
        for (file, script) in [("vendor/d3.min.js", D3), ("vendor/plot.umd.min.js", PLOT)] {
            let hash: String = Sha256::digest(script)
                .iter()
                .map(|b| format!("{b:02x}"))
                .collect();
            let row = readme
                .lines()
                .find(|line| line.contains(&format!("`{file}`")));
            assert!(
                row.is_some_and(|row| row.contains(&hash)),
                "{file} has the hash {hash}"
            );
        }
    }

    #[test]
    fn no_script_can_end_its_element() {
        for script in [D3, PLOT, PAGE] {
            let low = script.to_lowercase();
            assert!(!low.contains("</script") && !low.contains("<!--"));
        }
    }

    #[test]
    fn long_and_hostile_texts_are_cut_and_inert() {
        let long = inert_text(&"x".repeat(1_000_000));
        assert!(
            long.chars().count() < 2_100 && long.contains("998000 more"),
            "{}",
            long.len()
        );
        assert_eq!(inert_text("a\u{202e}b\u{1b}c\nd"), "a\u{fffd}b\u{fffd}c\nd");
        assert_eq!(inert_text(&"y\n".repeat(40_000)).len(), 80_000);
    }
}
