//! Completions, manual pages and the reference of the format, as a shell, `man` and readers get them.

use std::process::Command;

use crate::support::{PROGRAM, perwatt};

/// What the Tab key shows at the end of a line, asked as fish asks.
fn offered(words: &[&str]) -> Vec<String> {
    let output = perwatt()
        .env("PERWATT_COMPLETE", "fish")
        .args(["--", "perwatt"])
        .args(words)
        .output()
        .unwrap();
    assert!(output.status.success(), "{words:?}: {output:?}");
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| line.split('\t').next().unwrap().to_owned())
        .collect()
}

#[test]
fn a_shell_is_offered_what_fits() {
    for (words, expected) in [
        (&["gat"][..], "gate"),
        (&["compare", "--acr"], "--across"),
        (&["compare", "--across", "device,dri"], "device,driver"),
        (&["invest", "--scenario", "gig"], "gigawatt"),
        (&["invest", "--country", "F"], "FR"),
        (&["power", ""], "measure"),
        (
            &["power", "watch", "simulated:ada-i"],
            "simulated:ada-instant",
        ),
        (&["gate", "--from", "hyper"], "hyperfine"),
    ] {
        let offers = offered(words);
        assert!(
            offers.contains(&expected.to_owned()),
            "{words:?}: {offers:?}"
        );
    }
    assert!(
        !offered(&[""]).contains(&"worker".to_owned()),
        "hidden commands stay hidden"
    );
}

#[cfg(feature = "bench")]
#[test]
fn a_shell_is_offered_this_machine() {
    for (words, expected) in [
        (&["run", "--case", "matm"][..], "matmul"),
        (&["run", "--case", "softmax/f32"], "softmax/f32/1024x2048"),
        (&["run", "--suite", "q"], "quick"),
        (&["run", "--kernel", "til"], "tiled"),
        (&["run", "--device", "soft"], "software"),
    ] {
        let offers = offered(words);
        assert!(
            offers.contains(&expected.to_owned()),
            "{words:?}: {offers:?}"
        );
    }
    if crate::support::has_device() {
        assert!(offered(&["run", "--device", ""]).contains(&"0".to_owned()));
    }
}

#[cfg(unix)]
#[test]
fn bash_completes_with_the_script() {
    let folder = std::path::Path::new(PROGRAM).parent().unwrap();
    let script = r#"
        source <(perwatt completions bash) || exit 1
        COMP_WORDS=(perwatt invest --scenario gig); COMP_CWORD=3; COMP_TYPE=9
        _clap_complete_perwatt perwatt gig --scenario
        echo "${COMPREPLY[@]}"
    "#;
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let output = Command::new("bash")
        .args(["-c", script])
        .env("PATH", path)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(text.trim(), "gigawatt", "{output:?}");
}

#[test]
fn each_command_has_a_page_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let output = perwatt()
        .arg("man")
        .arg("--out")
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let names: Vec<String> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    for expected in ["perwatt.1", "perwatt-compare.1", "perwatt-power-measure.1"] {
        assert!(names.contains(&expected.to_owned()), "{names:?}");
    }
    // What a page refers to is there.
    for name in &names {
        let page = std::fs::read_to_string(folder.path().join(name)).unwrap();
        for section in ["NAME", "SYNOPSIS", "EXIT STATUS", "ENVIRONMENT", "FILES"] {
            assert!(
                page.contains(&format!(".SH {section}"))
                    || page.contains(&format!(".SH \"{section}\"")),
                "{name} has no {section}"
            );
        }
        for reference in page
            .replace('\\', "")
            .split_whitespace()
            .filter(|word| word.ends_with("(1)"))
        {
            let page = reference
                .trim_end_matches("(1)")
                .trim_start_matches("fB")
                .trim_end_matches("fR");
            assert!(
                names.contains(&format!("{page}.1")),
                "{name} refers to {reference}"
            );
        }
    }
}

#[test]
fn one_page_is_printed_by_the_words_of_its_command() {
    for words in [
        &["power", "list"][..],
        &["power-list"],
        &["perwatt-power-list"],
    ] {
        let output = perwatt().arg("man").args(words).output().unwrap();
        let page = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && page.contains("EXAMPLES"),
            "{words:?}: {page}"
        );
    }
    let unknown = perwatt().args(["man", "nothing"]).output().unwrap();
    assert_eq!(unknown.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("power-list"));
}

#[test]
fn the_page_of_the_format_is_that_of_the_types() {
    let output = perwatt().args(["schema", "--markdown"]).output().unwrap();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/result-file.md");
    assert!(
        std::fs::read(file).unwrap() == output.stdout,
        "the format has changed: `cargo run -- schema --markdown > docs/result-file.md`"
    );
}

#[test]
fn a_list_is_narrowed_as_a_run_is() {
    let listed = |arguments: &[&str]| -> Vec<String> {
        let output = perwatt()
            .args(["list", "--json"])
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let cases: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let name = |case: &serde_json::Value| case["case"].as_str().unwrap().to_owned();
        cases.as_array().unwrap().iter().map(name).collect()
    };
    let all = listed(&[]).len();
    let quick = listed(&["--suite", "quick"]);
    let products = listed(&["--suite", "quick", "--case", "matmul"]);
    assert!(products.len() < quick.len() && quick.len() < all);
    assert!(products.iter().all(|case| case.starts_with("matmul/")));
    assert_eq!(
        listed(&["--suite", "quick", "--case", "copy@wide"]),
        listed(&["--suite", "quick", "--case", "copy"])
    );
    let nothing = perwatt()
        .args(["list", "--case", "nothing"])
        .output()
        .unwrap();
    assert_eq!(nothing.status.code(), Some(2), "{nothing:?}");
}
