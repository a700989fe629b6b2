//! Names of result files and of the journals beside them.

use std::path::{Path, PathBuf};

use crate::record::{Record, journal_path, without_journal_suffix};

/// The journal that a user means by a result file or a journal.
pub(in crate::cli) fn journal_of(file: &Path) -> PathBuf {
    journal_path(&without_journal_suffix(file))
}

/// Whether `--out` means a folder.
pub(in crate::cli) fn is_folder(out: &Path) -> bool {
    out.is_dir() || out.as_os_str().to_string_lossy().ends_with(['/', '\\'])
}

/// `DATE-DEVICE-SUITE` in letters that every file system takes; where other devices of the machine look the same, with
/// the device's PCI address or number.
pub(in crate::cli) fn file_stem(record: &Record, twins: bool) -> String {
    let date = record.date().unwrap_or_else(|| "undated".to_owned());
    let suite = record.plan.suite.as_deref().unwrap_or("cases");
    let device: String = record
        .adapter
        .name
        .split('(')
        .next()
        .unwrap_or("device")
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                ' '
            }
        })
        .collect();
    let device: Vec<&str> = device.split_whitespace().collect();
    let adapter = &record.adapter;
    let which = match adapter.pci_id.measured() {
        _ if !twins => String::new(),
        Some(address) => format!("-{}", address.replace([':', '.'], "-")),
        None => format!("-device-{}", adapter.index),
    };
    format!(
        "{date}-{}{which}-{}-{suite}",
        device.join("-"),
        adapter.backend
    )
}

/// The first name that neither a record nor a journal has.
pub(in crate::cli) fn free_name(folder: &Path, stem: &str) -> PathBuf {
    let named = |n: u32| match n {
        1 => folder.join(format!("{stem}.json")),
        n => folder.join(format!("{stem}-{n}.json")),
    };
    let taken = |path: &PathBuf| path.exists() || journal_path(path).exists();
    (1..u32::MAX)
        .map(named)
        .find(|path| !taken(path))
        .unwrap_or_else(|| named(1))
}
