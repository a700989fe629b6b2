//! Clocks, temperatures and limits from files, each absent with its reason.

use std::path::{Path, PathBuf};

use super::sysfs;
use crate::record::Reading;
use crate::units::Watts;

/// The first of several files that can be read, times `scale`.
pub(super) fn first(files: &[PathBuf], scale: f64) -> Reading<f64> {
    let mut reason = "the driver offers no file for it".to_owned();
    for file in files.iter().filter(|file| file.exists()) {
        match sysfs::number::<f64>(file) {
            Ok(number) if number.is_finite() => return Reading::Measured(number * scale),
            Ok(_) => reason = format!("{} holds no finite number", file.display()),
            Err(fault) => reason = fault.to_string(),
        }
    }
    Reading::unmeasured(reason)
}

/// A power in microwatts, where a file states one.
pub(super) fn watts(file: &Path) -> Option<Watts> {
    let power = sysfs::microwatts(file).ok()?;
    power.get().is_finite().then_some(power)
}

/// Files of an hwmon folder, `temp1_input` and its kin, whose label is one of these, in the labels'
/// order; then those without a fitting label.
pub(super) fn labelled(hwmon: &Path, quantity: &str, labels: &[&str]) -> Vec<PathBuf> {
    let inputs: Vec<PathBuf> = sysfs::entries(hwmon, quantity)
        .into_iter()
        .filter(|file| sysfs::name(file).ends_with("_input"))
        .collect();
    let label = |file: &PathBuf| {
        let name = sysfs::name(file).replace("_input", "_label");
        sysfs::text(&file.with_file_name(name))
            .unwrap_or_default()
            .to_lowercase()
    };
    let rank = |file: &PathBuf| labels.iter().position(|wanted| label(file) == *wanted);
    let mut ranked: Vec<(usize, PathBuf)> = inputs
        .into_iter()
        .map(|file| (rank(&file).unwrap_or(labels.len()), file))
        .collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, file)| file).collect()
}

/// The flags among `files` that are up, by what their names say after `prefix`.
pub(super) fn flags(files: &[PathBuf], prefix: &str) -> Reading<Vec<String>> {
    if files.is_empty() {
        return Reading::unmeasured("the driver offers no file for it");
    }
    let up = |file: &&PathBuf| sysfs::number::<u64>(file).is_ok_and(|flag| flag != 0);
    let reason = |file: &PathBuf| {
        sysfs::name(file)
            .trim_start_matches(prefix)
            .replace('_', " ")
    };
    Reading::Measured(files.iter().filter(up).map(reason).collect())
}
