//! What a record keeps of the machine and the person: no more than a reader needs, and nothing that lets
//! one log in somewhere. docs/files.md says it for readers.
//!
//! [`tidy`] goes over every record before it is kept; [`anonymize`] is asked for. Both go over the record as
//! JSON, every text of it, so that a field that is added tomorrow is not forgotten.

use std::path::PathBuf;

use serde_json::Value;

use super::{Reading, Record, stable_hash};

/// Where the person who measures keeps things; a path below is kept as seen from there.
#[derive(Clone, Debug, Default)]
pub struct Whereabouts {
    /// The working folder, absolute.
    pub working: Option<String>,
    /// The home folder, absolute.
    pub home: Option<String>,
}

impl Whereabouts {
    /// Those of the user who runs this process.
    pub fn of_this_process() -> Self {
        let text = |path: PathBuf| path.to_str().map(str::to_owned);
        let home = ["HOME", "USERPROFILE"]
            .into_iter()
            .find_map(std::env::var_os);
        Self {
            working: std::env::current_dir().ok().and_then(text),
            home: home.map(PathBuf::from).and_then(text),
        }
    }
}

/// What stands for a text that was left out.
const LEFT_OUT: &str = "left out";

/// Leaves out what a record need not say: the line of a `command:` meter but for its program and a digest,
/// by which the same line is known again, and the folders above the working folder and the home.
pub fn tidy(record: &mut Record, whereabouts: &Whereabouts) {
    let mut replaced: Vec<(String, String)> = Vec::new();
    for line in command_lines(record) {
        let short = shortened_command(&line);
        replaced.push((format!("command:{line}"), format!("command:{short}")));
        replaced.push((format!("`{line}`"), format!("`{short}`")));
        // As it was typed, with blanks around it or behind `--power`.
        record.provenance.argv = std::mem::take(&mut record.provenance.argv)
            .into_iter()
            .map(|word| word.replace(&line, &short))
            .collect();
    }
    beside_their_manifests(record);
    let folders = [(&whereabouts.working, ""), (&whereabouts.home, "~/")];
    for (folder, short) in folders {
        let folder = folder.as_deref().unwrap_or_default().trim_end_matches('/');
        // The root is above everything and tells nothing.
        if folder.len() > 1 {
            replaced.push((format!("{folder}/"), short.to_owned()));
        }
    }
    rewrite(record, &|text| {
        let mut text = text.to_owned();
        for (from, to) in &replaced {
            text = text.replace(from, to);
        }
        text
    });
}

/// Writes the data of a custom kernel as seen from its workload file, where that was named by an absolute path.
fn beside_their_manifests(record: &mut Record) {
    for custom in record
        .cases
        .iter_mut()
        .filter_map(|case| case.custom.as_mut())
    {
        let Some((folder, _)) = custom.file.rsplit_once('/') else {
            continue;
        };
        let folder = format!("{folder}/");
        for path in custom.paths_mut() {
            if let Some(inside) = path.strip_prefix(&folder) {
                *path = inside.to_owned();
            }
        }
    }
}

/// Leaves out what tells whose machine it was: arguments, the processor (but of a software driver, whose
/// device it is), memory, the kernel, places on the bus, hosts and paths, shaders of the user's.
pub fn anonymize(record: &mut Record) {
    let left_out = || format!("{LEFT_OUT} by --anonymous");
    record.provenance.argv.truncate(1);
    if let Some(program) = record.provenance.argv.first_mut() {
        program.clear();
        program.push_str("perwatt");
    }
    record.placement = None;
    record.host.kernel = Reading::unmeasured(left_out());
    record.host.memory_bytes = Reading::unmeasured(left_out());
    if !record.adapter.is_software() {
        record.host.cpu = Reading::unmeasured(left_out());
        record.host.cpu_threads = Reading::unmeasured(left_out());
    }
    // A benchmark of another tool names its host; a digest still tells one host from another.
    if let Some(described) = &mut record.host.described {
        *described = format!("{LEFT_OUT} #{:016x}", stable_hash(described.bytes()));
    }
    record.adapter.pci_id = Reading::unmeasured(left_out());
    if let Some(power) = &mut record.plan.power {
        *power = family(power);
    }
    let source = record.power.measured().map(|power| power.source.clone());
    if let Reading::Measured(power) = &mut record.power {
        power.source = family(&power.source);
    }
    for custom in record
        .cases
        .iter_mut()
        .filter_map(|case| case.custom.as_mut())
    {
        for file in custom.files_mut() {
            *file = LEFT_OUT.to_owned();
        }
        for dispatch in custom.dispatches_mut() {
            dispatch.shader = LEFT_OUT.to_owned();
            // Still told apart from another, by comparisons of programs.
            dispatch.wgsl = format!("left_out_{:016x}", stable_hash(dispatch.wgsl.bytes()));
        }
        for path in custom.paths_mut() {
            *path = LEFT_OUT.to_owned();
        }
    }
    rewrite(record, &|text| {
        let text = match &source {
            Some(source) => text.replace(source.as_str(), &family(source)),
            None => text.to_owned(),
        };
        without_places(&text)
    });
}

/// Leaves out what names a node or a person of a cluster, unless that was asked for: absolute paths. Places on the
/// bus, figures and programs stay.
pub fn unidentify(record: &mut Record) {
    if let Some(placement) = &mut record.placement {
        placement.node = None;
        placement.user = None;
        placement.gpu_uuid = None;
        placement.pci = None;
    }
    rewrite(record, &|text| without(text, is_path));
}

/// What stands before the first colon of a sensor's name: its family.
fn family(source: &str) -> String {
    source.split(':').next().unwrap_or_default().to_owned()
}

/// The lines of the `command:` meters that a record names.
fn command_lines(record: &Record) -> Vec<String> {
    let planned = record.plan.power.as_deref();
    let used = record.power.measured().map(|power| power.source.as_str());
    let mut lines: Vec<String> = [planned, used]
        .into_iter()
        .flatten()
        .filter_map(|source| source.strip_prefix("command:"))
        .map(|line| line.trim().to_owned())
        // What `tidy` made of a line stays as it is.
        .filter(|line| !line.is_empty() && !line.contains(DIGEST))
        .collect();
    lines.dedup();
    lines
}

/// What stands before the digest of a line.
const DIGEST: &str = "… #";

/// The program of a command line, without its folder, and a digest of the line.
fn shortened_command(line: &str) -> String {
    let program = line.split_whitespace().next().unwrap_or_default();
    let program = program.rsplit(['/', '\\']).next().unwrap_or_default();
    // An assignment in front of a command may be the very secret.
    let program = if program.contains('=') { "" } else { program };
    format!("{program}{DIGEST}{:016x}", stable_hash(line.bytes()))
}

/// A text without addresses on the PCI bus and without absolute paths.
fn without_places(text: &str) -> String {
    without(text, |word| is_path(word) || has_pci_address(word))
}

/// Whether a word begins as an absolute path does.
fn is_path(word: &str) -> bool {
    word.starts_with('/') && word.len() > 2
        || word
            .get(1..3)
            .is_some_and(|rest| rest == ":\\" || rest == ":/")
}

/// A text without the words that tell.
fn without(text: &str, tells: impl Fn(&str) -> bool) -> String {
    text.split_inclusive([' ', '`', '"', ',', ';', '(', ')', '=', '\n'])
        .map(|word| {
            let end = word.len()
                - word.chars().next_back().map_or(0, |c| match c {
                    ' ' | '`' | '"' | ',' | ';' | '(' | ')' | '=' | '\n' => c.len_utf8(),
                    _ => 0,
                });
            if tells(word) {
                format!("({LEFT_OUT}){}", &word[end..])
            } else {
                word.to_owned()
            }
        })
        .collect()
}

/// Whether a word holds `0000:01:00.0`.
fn has_pci_address(word: &str) -> bool {
    let bytes = word.as_bytes();
    bytes.windows(12).any(|at| {
        at.iter().enumerate().all(|(place, byte)| match place {
            4 | 7 => *byte == b':',
            10 => *byte == b'.',
            _ => byte.is_ascii_hexdigit(),
        })
    })
}

/// Puts every text of a record through `change`, but not the source of shaders, nor the names of cases, kernels
/// and sessions, by which records are matched.
fn rewrite(record: &mut Record, change: &dyn Fn(&str) -> String) {
    let Ok(mut value) = serde_json::to_value(&*record) else {
        return;
    };
    walk(&mut value, change);
    if let Ok(changed) = serde_json::from_value(value) {
        *record = changed;
    }
}

/// Keys whose texts stay.
const KEPT: [&str; 8] = [
    "wgsl",
    "case",
    "kernel",
    "session",
    "schema_version",
    "kind",
    "started_utc",
    "from",
];

fn walk(value: &mut Value, change: &dyn Fn(&str) -> String) {
    match value {
        Value::String(text) => *text = change(text),
        Value::Array(values) => values.iter_mut().for_each(|value| walk(value, change)),
        Value::Object(fields) => {
            for (key, value) in fields.iter_mut() {
                if !(KEPT.contains(&key.as_str()) && value.is_string()) {
                    walk(value, change);
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_known_by_its_program_and_digest_and_told_no_further() {
        let short = shortened_command("/opt/bin/meter --token s3cret");
        assert!(
            short.starts_with("meter… #") && !short.contains("s3cret"),
            "{short}"
        );
        assert_ne!(short, shortened_command("/opt/bin/meter --token other"));
        assert!(!shortened_command("TOKEN=s3cret meter").contains("s3cret"));
    }

    #[test]
    fn places_of_a_machine_are_left_out_of_any_text() {
        for text in [
            "see /home/someone/x.json, please",
            "nvml:0000:01:00.0:energy",
            "C:\\Users\\someone\\x",
            "`/bin/sh -c x`",
            "--out=/home/someone",
        ] {
            let clean = without_places(text);
            for word in ["someone", "01:00.0", "/bin"] {
                assert!(!clean.contains(word), "{clean}");
            }
        }
        for text in ["12.5 GB/s at 3 µs", "matmul/f32/64x64x64@tiled", "a: b"] {
            assert_eq!(without_places(text), text);
        }
    }
}
