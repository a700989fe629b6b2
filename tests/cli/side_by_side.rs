//! `compare` without verdicts: what stands beside what, by which kernel, and how many times the first it is.

use std::path::{Path, PathBuf};

use crate::records::{record_of, with_energy};
use crate::support::perwatt;
use perwatt::record::{Boundary, FailureKind, Reading, Record, Status, Warning, save};
use serde_json::Value;

const CASE: &str = "matmul/f32/64x64x64";

/// A card that takes `factor` times the time of the first, by a slow and by a quick kernel.
fn card(name: &str, factor: f64) -> Record {
    let at = |ns: f64| [ns * factor, ns * factor * 1.002, ns * factor * 0.998];
    let mut record = record_of(
        name,
        &[
            (CASE, &at(2e6)),
            (CASE, &at(1e6)),
            ("gemv/f32/64x64", &at(5e5)),
        ],
    );
    "slow".clone_into(&mut record.cases[0].kernel);
    "quick".clone_into(&mut record.cases[1].kernel);
    format!("Card {name}").clone_into(&mut record.adapter.name);
    record
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn with(records: &[Record]) -> (Self, Vec<PathBuf>) {
        let folder = tempfile::tempdir().unwrap();
        let files: Vec<PathBuf> = records
            .iter()
            .map(|record| {
                let file = folder.path().join(format!("{}.json", record.session));
                save(record, &file).unwrap();
                file
            })
            .collect();
        (Self(folder), files)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

fn compare(files: &[PathBuf], more: &[&str]) -> String {
    let output = perwatt()
        .arg("compare")
        .args(more)
        .args(files)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{more:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

fn described(files: &[PathBuf], more: &[&str]) -> Value {
    let text = compare(files, &[more, &["--json"]].concat());
    serde_json::from_str::<Value>(&text).unwrap()["side_by_side"].clone()
}

/// The rows of all sections.
fn rows(description: &Value) -> Vec<Value> {
    let sections = description["sections"].as_array().unwrap();
    let of = |section: &Value| section["rows"].as_array().unwrap().clone();
    sections.iter().flat_map(of).collect()
}

#[test]
fn two_cards_stand_beside_each_other_by_their_best_kernels() {
    let (_folder, files) = Folder::with(&[card("a", 1.0), card("b", 3.0)]);
    let description = described(&files, &[]);
    let row = &rows(&description)[0];
    assert_eq!(row["cells"][0]["kernel"], "quick");
    let ratio = &row["cells"][1]["ratio"];
    assert!(
        (ratio["value"].as_f64().unwrap() - 1.0 / 3.0).abs() < 1e-3,
        "{ratio}"
    );
    let (low, high) = (
        ratio["low"].as_f64().unwrap(),
        ratio["high"].as_f64().unwrap(),
    );
    assert!(low < 1.0 / 3.0 && 1.0 / 3.0 < high, "{ratio}");
    assert_eq!(row["cells"][0]["ratio"], Value::Null);

    let page = compare(&files, &[]);
    assert!(page.starts_with("2 results; device"), "{page}");
    assert!(page.contains("B ÷ A") && page.contains("0.33×"), "{page}");
    assert!(
        page.contains("64x64x64@quick") && !page.contains("slow"),
        "{page}"
    );
    for verdict in ["REGRESSED", "INCOMPARABLE", "MISSING", "LOST"] {
        assert!(!page.contains(verdict), "{page}");
    }
    // Judging is another question, and any of its options asks it.
    assert!(compare(&files, &["--verdicts"]).contains("INCOMPARABLE"));
    assert!(compare(&files, &["--across", "device"]).contains("REGRESSED"));
}

#[test]
fn a_kernel_that_failed_or_was_not_verified_is_not_the_best() {
    let (mut a, b) = (card("a", 1.0), card("b", 1.0));
    a.cases[1].status = Status::Failed {
        failure: FailureKind::Verification,
        reason: "C[0] is wrong".to_owned(),
    };
    let (_folder, files) = Folder::with(&[a, b]);
    let row = &rows(&described(&files, &[]))[0];
    assert_eq!(row["cells"][0]["kernel"], "slow");
    assert_eq!(row["cells"][1]["kernel"], "quick");
    // With nothing else to show, it is not shown, and the page says why.
    let page = compare(&files, &["--kernel", "quick"]);
    assert!(
        page.contains("Only B has 1 case") && page.contains("C[0] is wrong"),
        "{page}"
    );
}

#[test]
fn a_wide_interval_is_given_by_its_ends_on_every_page() {
    let wide = |name| record_of(name, &[("gemv/f32/64x64", &[5e5, 7e5, 9e5])]);
    let (folder, files) = Folder::with(&[wide("a"), wide("b")]);
    let table = folder.path().join("table.md");
    let page = compare(&files, &["--markdown", table.to_str().unwrap()]);
    for page in [page, std::fs::read_to_string(table).unwrap()] {
        let row = page.lines().find(|line| line.contains("64x64")).unwrap();
        assert!(row.contains(" to ") && !row.contains('±'), "{page}");
    }
}

#[test]
fn rows_are_chosen_ordered_and_written_as_tables() {
    let (folder, files) = Folder::with(&[card("a", 1.0), card("b", 3.0), card("c", 0.5)]);
    let only = described(&files, &["--only", "gemv/*"]);
    assert_eq!(rows(&only).len(), 1);
    assert_eq!(only["columns"].as_array().unwrap().len(), 3);
    let time = described(&files, &["--metric", "time"]);
    let ratio = &rows(&time)[0]["cells"][2]["ratio"]["value"];
    assert!((ratio.as_f64().unwrap() - 0.5).abs() < 1e-3, "{ratio}");

    let csv = compare(&files, &["--csv"]);
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 1 + 2 * 3, "{csv}");
    assert!(lines[0].starts_with("section,metric,case,column,label,kernel,value,unit"));

    let file = folder.path().join("table.md");
    compare(&files, &["--markdown", file.to_str().unwrap()]);
    let markdown = std::fs::read_to_string(file).unwrap();
    assert!(
        markdown.contains("| case | A | B | C | B ÷ A | C ÷ A |"),
        "{markdown}"
    );

    let output = perwatt()
        .args(["compare", "--verdicts", "--csv"])
        .args(&files)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_folder_is_one_column_for_each_device_in_it() {
    let (folder, _) = Folder::with(&[card("a", 1.0), card("a2", 1.01), card("b", 3.0)]);
    let text = std::fs::read_to_string(folder.path().join("a2.json")).unwrap();
    std::fs::write(
        folder.path().join("a2.json"),
        text.replace("Card a2", "Card a"),
    )
    .unwrap();
    let description = described(&[folder.path().to_owned()], &[]);
    let columns = description["columns"].as_array().unwrap();
    let sessions: Vec<&Value> = columns.iter().map(|column| &column["sessions"]).collect();
    assert_eq!(sessions, [&Value::from(2), &Value::from(1)], "{columns:?}");
}

#[test]
fn work_per_joule_stands_beside_the_rate_and_absent_energy_has_its_reason() {
    let (mut a, mut b) = (card("a", 1.0), card("b", 2.0));
    let page = |a: &Record, b: &Record| {
        let (_folder, files) = Folder::with(&[a.clone(), b.clone()]);
        compare(&files, &[])
    };
    assert!(page(&a, &b).contains("no work per joule"));
    with_energy(&mut a, &[2.0, 2.0, 2.0]);
    with_energy(&mut b, &[8.0, 8.0, 8.0]);
    let both = page(&a, &b);
    assert!(both.contains("Matrix products, per joule"), "{both}");
    assert!(both.contains("0.25×"), "{both}");
}

#[test]
fn different_work_under_one_name_has_no_ratio() {
    let (a, mut b) = (card("a", 1.0), card("b", 2.0));
    for case in &mut b.cases {
        case.counts.flop *= 2;
        case.counts.bytes *= 2;
    }
    let (_folder, files) = Folder::with(&[a, b]);
    let row = &rows(&described(&files, &[]))[0];
    let ratio = &row["cells"][1]["ratio"];
    assert!(
        ratio["unmeasured"].as_str().unwrap().contains("work"),
        "{row}"
    );
}

#[test]
fn a_page_begins_with_the_answer_and_has_the_fastest_kernels() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/results");
    let file = format!("{folder}/2026-11-24-llvmpipe-vulkan-quick.json");
    let show = |more: &[&str]| {
        let output = perwatt()
            .arg("show")
            .arg(&file)
            .args(more)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let page = show(&[]);
    let answer = page.find("f32 arithmetic").unwrap();
    assert!(answer < page.find("\ncase ").unwrap(), "{page}");
    assert!(
        page.contains("SOFTWARE DRIVER") && page.contains("Power: not measured: "),
        "{page}"
    );
    assert!(
        page.contains("one Llama layer q4 prefill") && page.contains("tokens/s"),
        "{page}"
    );
    assert_eq!(page.matches("Next: ").count(), 1, "{page}");
    assert!(!page.contains("naive"), "{page}");
    assert!(show(&["--all-kernels"]).contains("naive"));
    // Columns without a value are left out and the reason is said once.
    assert!(!page.contains("rate/W"), "{page}");
    // A folder is each of its results.
    let all = perwatt().args(["show", folder]).output().unwrap();
    let text = String::from_utf8(all.stdout).unwrap();
    assert_eq!(text.matches("Next: ").count(), 6, "{text}");
}

#[test]
fn show_takes_no_failed_kernel_for_the_fastest_whatever_its_file_says() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/results/2026-11-24-llvmpipe-vulkan-quick.json"
    );
    let mut record = perwatt::record::load(file).unwrap();
    let failed = |case: &&mut perwatt::record::CaseResult| {
        case.case == "matmul/f32/256x256x256" && case.kernel == "tiled"
    };
    record.cases.iter_mut().find(failed).unwrap().status = Status::Failed {
        failure: FailureKind::Verification,
        reason: "C[0] is wrong".to_owned(),
    };
    let (_folder, files) = Folder::with(&[record]);
    let output = perwatt().arg("show").args(&files).output().unwrap();
    let page = String::from_utf8_lossy(&output.stdout);
    let row = page.lines().find(|line| line.contains("  f32/256x256x256"));
    assert!(row.unwrap().contains("naive"), "{page}");
}

#[test]
fn a_ratio_is_of_the_value_that_is_shown() {
    let latency = |name: &str, ns: f64| {
        let mut record = record_of(
            name,
            &[("dispatch-latency/-/1", &[ns, ns * 1.01, ns * 0.99])],
        );
        record.cases[0].counts = perwatt::record::Counts::default();
        format!("Card {name}").clone_into(&mut record.adapter.name);
        record
    };
    let (_folder, files) = Folder::with(&[latency("a", 5e4), latency("b", 1e5)]);
    let description = described(&files, &[]);
    assert_eq!(description["sections"][0]["metric"], "time");
    let row = &rows(&description)[0];
    let value = |cell: &Value| cell["value"].as_f64().unwrap();
    let shown = value(&row["cells"][1]) / value(&row["cells"][0]);
    let ratio = row["cells"][1]["ratio"]["value"].as_f64().unwrap();
    assert!((ratio / shown - 1.0).abs() < 1e-9, "{ratio} of {shown}");
}

#[test]
fn a_choice_that_leaves_nothing_is_an_error() {
    let (_folder, files) = Folder::with(&[card("a", 1.0), card("b", 3.0)]);
    for choice in [["--kernel", "nonsense"], ["--only", "nonsense/*"]] {
        let output = perwatt()
            .arg("compare")
            .args(choice)
            .args(&files)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("leave nothing"));
    }
}

#[test]
fn joules_of_the_wall_and_of_the_card_have_no_ratio() {
    let reason = "one sensor measures the board and the other the wall";
    let (_folder, files) = Folder::with(&[
        metered("one", 1.0, Boundary::Board),
        metered("two", 2.0, Boundary::Wall),
    ]);
    let energy = compare(&files, &["--metric", "energy", "--json"]);
    assert!(energy.contains(reason), "{energy}");
    // Of one boundary there is a ratio.
    let (_folder, files) = Folder::with(&[
        metered("one", 1.0, Boundary::Wall),
        metered("two", 2.0, Boundary::Wall),
    ]);
    let energy = compare(&files, &["--metric", "energy", "--json"]);
    assert!(!energy.contains("one sensor measures"), "{energy}");
}

/// A card whose meter measures this.
fn metered(name: &str, factor: f64, boundary: Boundary) -> Record {
    let mut record = card(name, factor);
    with_energy(&mut record, &[factor, factor * 1.01, factor * 0.99]);
    set_boundary(&mut record, boundary);
    record
}

fn set_boundary(record: &mut Record, boundary: Boundary) {
    let Reading::Measured(setup) = &mut record.power else {
        panic!("no power setup");
    };
    setup.boundary = boundary;
}

#[test]
fn what_records_warn_of_stands_below_the_table() {
    let mut warned = card("one", 1.0);
    warned.cases[1].warnings.push(Warning::ShortExecution {
        execution_ns: 3e3,
        dispatch_gap_ns: 2e3,
    });
    let mut other = card("two", 2.0);
    other.cases[1].parameters.insert("tile".to_owned(), 8);
    let (_folder, files) = Folder::with(&[warned, other]);
    let page = compare(&files, &[])
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    assert!(
        page.contains(&format!("A, {CASE}: an execution takes 3.00 µs")),
        "{page}"
    );
    assert!(
        page.contains(&format!("different parameters in {CASE}")),
        "{page}"
    );
}
