//! `perwatt ab --resume`: the pairs that an interrupted comparison has finished.
//!
//! It goes on only as it began. Other options, another build or other limits would put two experiments into one
//! file, and pairs added after a look at the result would make its error rate untrue.

use std::path::Path;

use anyhow::{Context, bail};

use crate::bench::interleave::first_invocations;
use crate::compare::{Pair, Pairing, Side};
use crate::record::{self, Record, load_document, stable_hash};

/// What is finished of a comparison; nothing, of a new one.
#[derive(Debug)]
pub(in crate::cli) struct FinishedPairs {
    /// Seed of the order of turns.
    pub(in crate::cli) seed: u64,
    /// The pairs.
    pub(in crate::cli) pairs: Vec<Pair>,
    /// A hash of all that is asked.
    pub(in crate::cli) asked: String,
    records: Option<[Record; 2]>,
}

/// A hash of what is asked, as it stands in a pairing. Nothing in it may print an address in memory.
pub(in crate::cli) fn asked(what: &impl std::fmt::Debug) -> String {
    format!("{:016x}", stable_hash(format!("{what:?}").bytes()))
}

impl FinishedPairs {
    /// Nothing.
    pub(in crate::cli) fn none(seed: Option<u64>, asked: String) -> Self {
        Self {
            seed: seed.unwrap_or_else(rand::random),
            pairs: Vec::new(),
            asked,
            records: None,
        }
    }

    /// What the pairing in a folder says is finished.
    ///
    /// # Errors
    /// There is none, it was asked something else, or a record is not the one that was paired.
    pub(in crate::cli) fn read(
        file: &Path,
        seed: Option<u64>,
        asked: String,
    ) -> anyhow::Result<Self> {
        if !file.exists() {
            bail!(
                "{}: no pair was finished there; begin without --resume",
                file.display()
            );
        }
        let pairing: Pairing = load_document(file)?;
        if seed.is_some_and(|seed| seed != pairing.order_seed) {
            bail!(
                "--order-seed: the order of turns was drawn when the comparison began; leave it out"
            );
        }
        match &pairing.asked {
            None => bail!(
                "{}: does not say what was asked, so it cannot go on; begin anew with another --out",
                file.display()
            ),
            Some(before) if *before != asked => bail!(
                "{}: began with other options, programs, environments or limits; give the same ones, or begin anew with \
                 another --out",
                file.display()
            ),
            Some(_) => {}
        }
        let consecutive = (0u32..).zip(&pairing.pairs);
        if consecutive
            .into_iter()
            .any(|(at, pair)| (pair.baseline, pair.candidate) != (at, at))
        {
            bail!(
                "{}: its pairs are not numbered as `perwatt ab` does; restore the file",
                file.display()
            );
        }
        let count = u32::try_from(pairing.pairs.len()).context("too many pairs")?;
        let records = pairing.records(file)?;
        let records = records.map(|(_, record)| first_invocations(record, count));
        Ok(Self {
            seed: pairing.order_seed,
            pairs: pairing.pairs,
            asked,
            records: Some(records),
        })
    }

    /// The record of a side's finished turns.
    pub(in crate::cli) fn record(&self, side: Side) -> Option<&Record> {
        let [baseline, candidate] = self.records.as_ref()?;
        Some(match side {
            Side::Baseline => baseline,
            Side::Candidate => candidate,
        })
    }

    /// The cases (`case@kernel`) that the last finished turn of the candidate measured.
    pub(in crate::cli) fn last_cases(&self) -> Vec<String> {
        let last = self.pairs.len().checked_sub(1);
        let measured = |record: &Record| -> Vec<String> {
            let cases = record.cases.iter().filter(|case| {
                let mut invocations = case.invocations.iter();
                invocations.any(|result| Some(result.invocation as usize) == last)
            });
            cases.map(record::CaseResult::id).collect()
        };
        self.record(Side::Candidate)
            .map(measured)
            .unwrap_or_default()
    }
}
