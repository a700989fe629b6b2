//! From records to the data of a page.

use super::cases::{cases, roofs, sheet};
use super::comparison::comparison;
use super::energy::{energy, sensor, traces_of};
use super::extras::PageExtras;
use super::history::history;
use super::kernels::kernels;
use super::marks;
use super::model::{PageData, PageLink, PageRecord};
use super::named::NamedRecord;
use super::provenance::{command, made_by, provenance};
use super::series::share;
use super::stability::{series_of, stability};
use super::verdict::{headlines, sentences, unmeasured};
use super::warnings::warnings;
use crate::record::Origin;
use crate::units::counted;

/// The page of some records. Each set is what one argument of the command line gave.
pub fn page_data(sets: &[Vec<NamedRecord>], extras: PageExtras<'_>) -> PageData {
    let all: Vec<&NamedRecord> = sets.iter().flatten().collect();
    let series: usize = all
        .iter()
        .map(|named| series_of(&named.record) + traces_of(&named.record))
        .sum();
    let most = share(series);
    let labels = labels(&all);
    let records: Vec<PageRecord> = all
        .iter()
        .zip(labels)
        .map(|(named, label)| PageRecord {
            investment: extras.investment.map(|asked| asked.with_record(named)),
            kernels: kernels(&named.record, extras.built_in),
            ..page_record(named, label, most)
        })
        .collect();
    PageData {
        title: title(&records),
        made_by: made_by(),
        comparison: comparison(sets),
        history: history(&all),
        links: Vec::new(),
        fleet: None,
        investment: None,
        records,
    }
}

/// The first page of a site: of each record what sums it up, with a link to its page.
pub(super) fn index_data(sets: &[Vec<NamedRecord>], hrefs: &[String]) -> PageData {
    let mut data = page_data(sets, PageExtras::default());
    data.title = counted(data.records.len(), "record");
    for record in &mut data.records {
        record.stability.clear();
        record.energy.clear();
        record.kernels.clear();
    }
    data.links = hrefs
        .iter()
        .enumerate()
        .map(|(record, href)| PageLink {
            href: href.clone(),
            record,
        })
        .collect();
    data
}

fn title(records: &[PageRecord]) -> String {
    match records {
        [one] => format!("{}, {}", one.device, one.backend),
        many => counted(many.len(), "record"),
    }
}

/// A name for each record that no other has: the device and what tells it from the same device's other records.
fn labels(records: &[&NamedRecord]) -> Vec<String> {
    let short: Vec<String> = records
        .iter()
        .map(|named| {
            let adapter = &named.record.adapter;
            format!("{} · {}", adapter.name, adapter.backend)
        })
        .collect();
    let alike = |at: usize| short.iter().filter(|label| **label == short[at]).count() > 1;
    (0..records.len())
        .map(|at| match alike(at) {
            true => format!(
                "{} · {} ({})",
                short[at],
                records[at].record.started_utc,
                at + 1
            ),
            false => short[at].clone(),
        })
        .collect()
}

fn page_record(named: &NamedRecord, label: String, most: usize) -> PageRecord {
    let record = &named.record;
    let (cases, roofs) = (cases(record), roofs(record));
    PageRecord {
        label,
        file: named.name.clone(),
        imported: record.provenance.origin == Origin::Imported,
        device: record.adapter.name.clone(),
        backend: record.adapter.backend.clone(),
        driver: record.adapter.driver_and_version(),
        started_utc: record.started_utc.clone(),
        marks: marks::of_record(record),
        sentences: sentences(record, &cases, &roofs),
        headlines: headlines(record, &cases, &roofs),
        unmeasured: unmeasured(record, &cases),
        warnings: warnings(record),
        roofs,
        sheet: sheet(record),
        stability: stability(record, most),
        sensor: record.power.map(sensor),
        energy: energy(record, most),
        kernels: Vec::new(),
        provenance: provenance(record),
        command: command(record),
        investment: None,
        cases,
    }
}
