//! What is written where: nothing that cost measuring is lost, and one rule for all commands.

use crate::records::{record_of, with_energy};
use crate::support::perwatt;
use std::path::Path;
use std::process::Output;

use perwatt::record::{Reading, anonymize, load, save};
use serde_json::json;

fn call(folder: &Path, words: &[&str]) -> Output {
    perwatt().args(words).current_dir(folder).output().unwrap()
}

/// Records, another tool's file and a log, from which every command can write something.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for (name, factor) in [("a", 1.0), ("b", 1.001), ("c", 1.002)] {
        let mut record = record_of(
            name,
            &[("matmul/f32/64x64x64", &[1e6 * factor, 1.01e6, 0.99e6])],
        );
        with_energy(&mut record, &[1.0, 1.1, 0.9]);
        save(&record, at(&format!("{name}.json"))).unwrap();
    }
    let hyperfine = json!({"results": [{"command": "x", "times": [1.0, 1.1, 1.2]}]});
    std::fs::write(at("h.json"), hyperfine.to_string()).unwrap();
    folder
}

/// The words of each command that writes a derived file, without the file.
const DERIVED: [&[&str]; 7] = [
    &["import", "--from", "hyperfine", "h.json", "--out"],
    &["export", "a.json", "--format", "csv", "--out"],
    &["export", "a.json", "--format", "bencher", "--out"],
    &[
        "export",
        "a.json",
        "--format",
        "github-action-benchmark",
        "--direction",
        "smaller",
        "--out",
    ],
    &["calibrate-noise", "a.json", "b.json", "--out"],
    &[
        "gate",
        "--baseline",
        "a.json",
        "--candidate",
        "b.json",
        "--junit",
    ],
    &[
        "gate",
        "--baseline",
        "a.json",
        "--candidate",
        "b.json",
        "--sarif",
    ],
];

#[test]
fn what_perwatt_derived_is_written_anew_and_nothing_else_is_replaced() {
    let folder = folder();
    let file = folder.path().join("out");
    for words in DERIVED {
        let words = [words, &["out"]].concat();
        // Into nothing, into an empty file and over what it wrote itself.
        let first = call(folder.path(), &words);
        assert!(
            matches!(first.status.code(), Some(0 | 3)),
            "{words:?}: {first:?}"
        );
        let written = std::fs::read(&file).unwrap();
        assert!(!written.is_empty());
        let again = call(folder.path(), &words);
        assert_eq!(
            again.status.code(),
            first.status.code(),
            "{words:?}: {again:?}"
        );
        for other in [
            "notes of mine\n",
            &std::fs::read_to_string(folder.path().join("a.json")).unwrap(),
        ] {
            std::fs::write(&file, other).unwrap();
            let refused = call(folder.path(), &words);
            assert_eq!(refused.status.code(), Some(2), "{words:?}");
            let said = String::from_utf8(refused.stderr).unwrap();
            assert!(said.contains("out: ") && said.contains("--force"), "{said}");
            assert_eq!(std::fs::read_to_string(&file).unwrap(), other, "{words:?}");
        }
        let forced = call(folder.path(), &[&words[..], &["--force"]].concat());
        assert_eq!(
            forced.status.code(),
            first.status.code(),
            "{words:?}: {forced:?}"
        );
        assert_ne!(std::fs::read_to_string(&file).unwrap(), "notes of mine\n");
        std::fs::write(&file, "").unwrap();
        let into_empty = call(folder.path(), &words);
        assert_eq!(into_empty.status.code(), first.status.code(), "{words:?}");
        std::fs::remove_file(&file).unwrap();
        let anywhere = [&words[..words.len() - 1], &["no/such/out"]].concat();
        let made = call(folder.path(), &anywhere);
        assert_eq!(made.status.code(), first.status.code(), "{words:?}");
        let said = String::from_utf8(made.stderr).unwrap();
        assert!(said.contains("Made the folder"), "{said}");
        std::fs::remove_dir_all(folder.path().join("no")).unwrap();
    }
}

#[test]
fn every_output_goes_through_devices_and_links() {
    let folder = folder();
    for words in DERIVED {
        let output = call(folder.path(), &[words, &["/dev/null"]].concat());
        assert!(
            matches!(output.status.code(), Some(0 | 3)),
            "{words:?}: {output:?}"
        );
        std::os::unix::fs::symlink("behind", folder.path().join("link")).unwrap();
        let output = call(folder.path(), &[words, &["link"]].concat());
        assert!(
            matches!(output.status.code(), Some(0 | 3)),
            "{words:?}: {output:?}"
        );
        assert!(folder.path().join("link").is_symlink());
        assert!(folder.path().join("behind").is_file());
        std::fs::remove_file(folder.path().join("link")).unwrap();
        std::fs::remove_file(folder.path().join("behind")).unwrap();
    }
    assert!(!std::fs::metadata("/dev/null").unwrap().is_file());
}

#[cfg(feature = "bench")]
#[test]
fn a_run_replaces_no_file_and_says_so_before_it_measures() {
    if !crate::support::has_device() {
        return;
    }
    let folder = folder();
    let run = |more: &[&str]| {
        let words = [
            "run",
            "--invocations",
            "1",
            "--budget",
            "1",
            "--power",
            "none",
            "--case",
            "dispatch-latency/-/1",
        ];
        call(folder.path(), &[&words[..], more].concat())
    };
    let before = std::fs::read(folder.path().join("a.json")).unwrap();
    let refused = run(&["--out", "a.json"]);
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(
        said.contains("a.json") && said.contains("--force"),
        "{said}"
    );
    assert!(!folder.path().join("a.json.journal").exists());
    assert_eq!(std::fs::read(folder.path().join("a.json")).unwrap(), before);
    let forced = run(&["--out", "a.json", "--force"]);
    assert_eq!(forced.status.code(), Some(0), "{forced:?}");
    assert_ne!(std::fs::read(folder.path().join("a.json")).unwrap(), before);
    // A folder that is named as one is made.
    let made = run(&["--out", "new/"]);
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    assert_eq!(
        std::fs::read_dir(folder.path().join("new"))
            .unwrap()
            .count(),
        1
    );
}

#[test]
fn redact_leaves_the_figures_and_nothing_that_tells_whose_they_are() {
    let folder = folder();
    let mut record = record_of("a", &[("matmul/f32/64x64x64", &[1e6, 1.01e6, 0.99e6])]);
    record.provenance.argv = vec!["/home/alice/bin/perwatt".into(), "--tag=alice".into()];
    record.host.described = Some("Host alice-laptop, 8 CPUs".to_owned());
    record.host.kernel = Reading::Measured("6.1.0-alice".to_owned());
    record.host.cpu = Reading::Measured("Alice CPU".to_owned());
    record.host.memory_bytes = Reading::Measured(123_456_789_012);
    record.adapter.pci_id = Reading::Measured("0000:a1:1c.e".to_owned());
    record.plan.power = Some("command:/home/alice/meter --token alice".to_owned());
    save(&record, folder.path().join("whose.json")).unwrap();
    let output = call(
        folder.path(),
        &["redact", "whose.json", "--out", "nobody.json"],
    );
    assert!(output.status.success(), "{output:?}");
    let text = std::fs::read_to_string(folder.path().join("nobody.json")).unwrap();
    for secret in ["alice", "Alice", "123456789012", "a1:1c", "--token"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    let redacted = load(folder.path().join("nobody.json")).unwrap();
    assert_eq!(redacted.cases, record.cases);
    assert_eq!(redacted.adapter.name, record.adapter.name);
    // Another host is still another one.
    record.host.described = Some("Host bobs-laptop, 8 CPUs".to_owned());
    let mut both = [record.clone(), record.clone()];
    both[1].host.described = Some("Host alice-laptop, 8 CPUs".to_owned());
    both.iter_mut().for_each(anonymize);
    assert_ne!(both[0].host.described, both[1].host.described);
}

/// The newest version of glibc that a program asks for.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[test]
fn the_program_starts_on_systems_with_an_older_c_library() {
    const MARK: &[u8] = b"GLIBC_2.";
    // A newer library has newer versions of more functions; who builds a program for others does it on an older system.
    let here = std::process::Command::new("getconf")
        .arg("GNU_LIBC_VERSION")
        .output()
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let minor = here
        .ok()
        .and_then(|text| text.trim().strip_prefix("glibc 2.")?.parse::<u32>().ok());
    if minor.is_none_or(|minor| minor > 36) {
        eprintln!("skipped: this system's C library is newer than glibc 2.36");
        return;
    }
    let program = std::fs::read(crate::support::PROGRAM).unwrap();
    let newest = program
        .windows(MARK.len())
        .enumerate()
        .filter(|(_, window)| *window == MARK)
        .filter_map(|(at, _)| {
            let digits = program[at + MARK.len()..].iter().take(3);
            let digits: Vec<u8> = digits.take_while(|c| c.is_ascii_digit()).copied().collect();
            std::str::from_utf8(&digits).unwrap().parse::<u32>().ok()
        })
        .max();
    assert!(newest.unwrap() <= 34, "glibc 2.{newest:?}");
}
