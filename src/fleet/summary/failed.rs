//! Cards that fail where others of their model do not. No statistics are needed for a wrong result.

use std::collections::HashMap;

use super::cells::{Texts, wholes};
use super::engine::FleetEngine;
use super::findings::{CardName, FailedCard, LeftOut};
use super::sql;
use crate::error::Result;

/// Cards that fail a case with a kernel that at least as many of their model do without failing.
pub(super) fn failed(engine: &FleetEngine) -> Result<Vec<FailedCard>> {
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
        return Ok(Vec::new());
    }
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
    let mut failures: HashMap<[u32; 3], u64> = HashMap::new();
    for [device, _, _, case, kernel, ..] in &rows {
        *failures.entry([*device, *case, *kernel]).or_default() += 1;
    }
    let text = |number: u32| texts.text(number).unwrap_or_default().to_owned();
    Ok(rows
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
        .collect())
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
