//! Benchmarks of one name that ran with different settings.
//!
//! A name says what is measured and no setting, so that no further row of a file renames those before it. Only where
//! one file holds a benchmark with several settings do names mention those that tell them apart. The record keeps all
//! settings beside the plain name, and by these a comparison finds what belongs together.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::import::{ImportedCase, ImportedFile};
use crate::record::ToolSetup;

/// Device and plain name of a benchmark.
type BenchmarkKey = (Option<String>, String);

/// Names by their settings the benchmarks that a file holds with several.
pub(super) fn name_by_settings(read: &mut [ImportedFile]) {
    let mut known: HashMap<BenchmarkKey, Vec<BTreeMap<String, String>>> = HashMap::new();
    let mut several = BTreeSet::new();
    for file in &*read {
        let mut seen = BTreeSet::new();
        for (key, setup) in file.cases.iter().filter_map(with_setup) {
            known
                .entry(key.clone())
                .or_default()
                .push(setup.settings.clone());
            if !seen.insert(key.clone()) {
                several.insert(key);
            }
        }
    }
    let varying: HashMap<BenchmarkKey, BTreeSet<String>> = known
        .into_iter()
        .filter(|(key, _)| several.contains(key))
        .map(|(key, settings)| (key, varying(&settings)))
        .collect();
    for case in read.iter_mut().flat_map(|file| &mut file.cases) {
        let Some((key, setup)) = with_setup(case) else {
            continue;
        };
        if let Some(keys) = varying.get(&key) {
            case.name = setup.name(keys);
        }
    }
}

/// A benchmark's key and settings, where the tool states them.
fn with_setup(case: &ImportedCase) -> Option<(BenchmarkKey, &ToolSetup)> {
    let setup = case.setup.as_ref()?;
    Some(((case.device.clone(), setup.benchmark.clone()), setup))
}

/// Settings in which some differ, or that some have and others lack.
fn varying(all: &[BTreeMap<String, String>]) -> BTreeSet<String> {
    let keys = all.iter().flat_map(BTreeMap::keys);
    keys.filter(|key| all.iter().any(|one| one.get(*key) != all[0].get(*key)))
        .cloned()
        .collect()
}
