//! Devices over time: each case in every session, and where its level seems to change.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::cases::cases;
use super::model::{PageCase, PageChange, PageHistory, PagePoint, PageSeries};
use super::named::NamedRecord;
use super::provenance::revision;
use crate::record::Record;
use crate::stats::change_points;
use crate::units::{change, change_range};

/// The devices that were measured at two times or more, by name.
pub(super) fn history(records: &[&NamedRecord]) -> Vec<PageHistory> {
    let mut devices: BTreeMap<String, Vec<(f64, &NamedRecord)>> = BTreeMap::new();
    for named in records {
        let Some(at_s) = seconds(&named.record) else {
            continue;
        };
        let adapter = &named.record.adapter;
        let device = format!("{} · {}", adapter.name, adapter.backend);
        devices.entry(device).or_default().push((at_s, named));
    }
    devices
        .into_iter()
        .filter_map(|(device, mut sessions)| {
            sessions.sort_by(|one, other| one.0.total_cmp(&other.0));
            sessions.dedup_by(|one, other| one.1.record.session == other.1.record.session);
            let cases = series(&sessions);
            (!cases.is_empty()).then_some(PageHistory { device, cases })
        })
        .collect()
}

fn seconds(record: &Record) -> Option<f64> {
    let at: Timestamp = record.started_utc.parse().ok()?;
    Some(at.as_second() as f64)
}

/// The cases that two sessions or more have a rate of.
fn series(sessions: &[(f64, &NamedRecord)]) -> Vec<PageSeries> {
    let mut by_case: BTreeMap<String, (String, Vec<PagePoint>)> = BTreeMap::new();
    for (at_s, named) in sessions {
        for case in cases(&named.record) {
            if let Some(point) = point(*at_s, named, &case) {
                let entry = by_case.entry(case.id).or_insert((case.unit, Vec::new()));
                entry.1.push(point);
            }
        }
    }
    by_case
        .into_iter()
        .filter(|(_, (_, points))| points.len() > 1)
        .map(|(id, (unit, points))| with_changes(id, unit, points))
        .collect()
}

fn point(at_s: f64, named: &NamedRecord, case: &PageCase) -> Option<PagePoint> {
    let record = &named.record;
    Some(PagePoint {
        started_utc: record.started_utc.clone(),
        at_s,
        rate: case.rate.measured()?.clone(),
        built: format!(
            "perwatt {} ({}), {}",
            record.provenance.perwatt_version,
            revision(record),
            record.adapter.driver_and_version()
        ),
        file: named.name.clone(),
        marks: case.marks.clone(),
    })
}

fn with_changes(id: String, unit: String, points: Vec<PagePoint>) -> PageSeries {
    let logs: Vec<f64> = points.iter().map(|point| point.rate.value.ln()).collect();
    let (changes, no_changes) = match change_points(&logs) {
        Ok(found) => (found, None),
        Err(reason) => (Vec::new(), Some(reason.to_string())),
    };
    let changes = changes
        .into_iter()
        .map(|level| PageChange {
            at: level.first,
            text: format!(
                "{} ({})",
                change(level.step.exp()),
                change_range(
                    (level.step - level.half_width).exp(),
                    (level.step + level.half_width).exp()
                )
            ),
        })
        .collect();
    PageSeries {
        id,
        unit,
        points,
        changes,
        no_changes,
    }
}
