//! Everything that is needed to measure it again.

use crate::escape::shell_word;
use crate::record::{Reading, Record};
use crate::units::{Seconds, number};

/// Who measured what, where and how.
pub(super) fn provenance(record: &Record) -> Vec<(String, String)> {
    let from = &record.provenance;
    let (host, adapter, plan) = (&record.host, &record.adapter, &record.plan);
    let mut rows = Vec::new();
    let mut say = |what: &str, word: String| rows.push((what.to_owned(), word));
    say("Session", record.session.clone());
    say("Started", record.started_utc.clone());
    say("perwatt", from.perwatt_version.clone());
    say("Revision", revision(record));
    say("wgpu", shown(&from.wgpu_version, Clone::clone));
    say(
        "Run-time checks in shaders",
        match from.checked_shaders {
            true => "on (--checked)".to_owned(),
            false => "off".to_owned(),
        },
    );
    if let Some(robust) = &adapter.robust_buffer_access {
        let word = |robust: &bool| if *robust { "on" } else { "off" }.to_owned();
        say("Checks of buffers by the driver", shown(robust, word));
    }
    say("Result file", format!("version {}", record.schema_version));
    say("Device", adapter.name.clone());
    say("Graphics API", adapter.backend.clone());
    say("Driver", adapter.driver_and_version());
    say("PCI address", shown(&adapter.pci_id, Clone::clone));
    say(
        "PCI id",
        format!("{:04x}:{:04x}", adapter.vendor_id, adapter.device_id),
    );
    say("Features used", adapter.features.join(", "));
    say("Operating system", host.os.clone());
    say("Kernel", shown(&host.kernel, Clone::clone));
    say("Processor", shown(&host.cpu, Clone::clone));
    say(
        "Processor threads",
        shown(&host.cpu_threads, u32::to_string),
    );
    say(
        "Clock",
        shown(&record.clock, |clock| {
            format!(
                "{}, precise to {}",
                clock.method,
                Seconds::from_ns(clock.precision_ns)
            )
        }),
    );
    say("Suite", plan.suite_name().to_owned());
    say("Invocations planned", plan.invocations.to_string());
    say(
        "Time per case and invocation",
        format!("{} s", number(plan.budget_s)),
    );
    say("Seed", plan.seed.to_string());
    rows
}

/// The revision that perwatt was built from.
pub(super) fn revision(record: &Record) -> String {
    let dirty = match record.provenance.git_dirty.measured() {
        Some(true) => " with uncommitted changes",
        _ => "",
    };
    format!(
        "{}{dirty}",
        shown(&record.provenance.git_revision, Clone::clone)
    )
}

fn shown<T>(reading: &Reading<T>, show: impl FnOnce(&T) -> String) -> String {
    match reading {
        Reading::Measured(value) => show(value),
        Reading::Unmeasured(reason) => format!("unknown: {}", reason.unmeasured),
    }
}

/// What makes a page.
pub(super) fn made_by() -> String {
    format!("perwatt {}", env!("CARGO_PKG_VERSION"))
}

/// The command line as a POSIX shell reads it.
pub(super) fn command(record: &Record) -> String {
    let words: Vec<String> = record
        .provenance
        .argv
        .iter()
        .map(|word| shell_word(word))
        .collect();
    words.join(" ")
}
