//! Cards that fail where others of their model do not. No statistics are needed for a wrong result.

use std::collections::HashMap;

use super::cells::{Texts, wholes};
use super::engine::FleetEngine;
use super::findings::{CardName, FailedCard, LeftOut};
use super::sql;
use crate::error::Result;
use crate::units::counted;

/// What failed in a fleet.
#[derive(Debug, Default)]
pub(super) struct FleetFailures {
    /// Cards that fail a case with a kernel that at least as many of their model do without failing.
    pub(super) cards: Vec<FailedCard>,
    /// What fails more often than not, in words: that says nothing of a card, and must not be silent.
    pub(super) common: Vec<String>,
}

/// What failed.
pub(super) fn failed(engine: &FleetEngine) -> Result<FleetFailures> {
    let mut texts = Texts::default();
    let mut rows: Vec<[u32; 7]> = Vec::new();
    engine.ask(sql::FAILED, |batch| {
        let mut columns = Vec::new();
        for name in [
            "device", "host", "gpu", "case", "kernel", "failure", "reason",
        ] {
            columns.push(texts.column(batch, name)?);
        }
        rows.extend((0..batch.num_rows()).map(|row| std::array::from_fn(|at| columns[at][row])));
        Ok(())
    })?;
    if rows.is_empty() {
        return Ok(FleetFailures::default());
    }
    let answered = answered(engine, &mut texts)?;
    let mut failures: HashMap<[u32; 3], u64> = HashMap::new();
    for [device, _, _, case, kernel, ..] in &rows {
        *failures.entry([*device, *case, *kernel]).or_default() += 1;
    }
    let text = |number: u32| texts.text(number).unwrap_or_default().to_owned();
    let cards = rows
        .iter()
        .filter_map(|[device, node, gpu, case, kernel, failure, reason]| {
            let key = [*device, *case, *kernel];
            let passed = answered.get(&key).copied().unwrap_or(0);
            (passed >= failures[&key]).then(|| FailedCard {
                card: CardName {
                    device: text(*device),
                    node: text(*node),
                    gpu: texts.text(*gpu).map(str::to_owned),
                },
                case: format!("{}@{}", text(*case), text(*kernel)),
                failure: text(*failure),
                reason: text(*reason),
                others_passed: passed,
            })
        })
        .collect();
    let common = common(&failures, &answered, &texts);
    Ok(FleetFailures { cards, common })
}

/// How often each kernel of a case gave a result on each device.
fn answered(engine: &FleetEngine, texts: &mut Texts) -> Result<HashMap<[u32; 3], u64>> {
    let mut answered: HashMap<[u32; 3], u64> = HashMap::new();
    engine.ask(sql::ANSWERED, |batch| {
        let [device, case, kernel] = [
            texts.column(batch, "device")?,
            texts.column(batch, "case")?,
            texts.column(batch, "kernel")?,
        ];
        let files = wholes(batch, "files")?;
        for row in 0..batch.num_rows() {
            let count = files.value(row) as u64;
            *answered
                .entry([device[row], case[row], kernel[row]])
                .or_default() += count;
        }
        Ok(())
    })?;
    Ok(answered)
}

/// What fails on most cards of a kind, in words: no fault of one card.
fn common(
    failures: &HashMap<[u32; 3], u64>,
    answered: &HashMap<[u32; 3], u64>,
    texts: &Texts,
) -> Vec<String> {
    let text = |number: u32| texts.text(number).unwrap_or_default().to_owned();
    let passed = |key: &[u32; 3]| answered.get(key).copied().unwrap_or(0);
    let mut common: Vec<String> = failures
        .iter()
        .filter(|(key, failures)| passed(key) < **failures)
        .map(|(key, failures)| {
            let [device, case, kernel] = key.map(&text);
            format!(
                "{device}: {case}@{kernel} fails in {} and passes in {}; that points to the driver or the kernel, \
                 or there are too few cards to tell",
                counted(*failures as usize, "record"),
                passed(key)
            )
        })
        .collect();
    common.sort_unstable();
    common
}

/// What did not enter, and why.
pub(super) fn left_out(engine: &FleetEngine, with_software: bool) -> Result<Vec<LeftOut>> {
    let mut texts = Texts::default();
    let mut all = Vec::new();
    engine.ask(sql::LEFT_OUT, |batch| {
        let (device, why) = (texts.column(batch, "device")?, texts.column(batch, "why")?);
        let (figures, files) = (wholes(batch, "figures")?, wholes(batch, "files")?);
        for row in 0..batch.num_rows() {
            let text = |number: u32| texts.text(number).unwrap_or_default().to_owned();
            all.push(LeftOut {
                device: text(device[row]),
                why: text(why[row]),
                figures: figures.value(row) as u64,
                files: files.value(row) as u64,
            });
        }
        Ok(())
    })?;
    all.retain(|one| !(with_software && one.why == "software driver"));
    Ok(all)
}
