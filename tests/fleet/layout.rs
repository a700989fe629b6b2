//! The layout of Parquet files: what is written is what is read, by another reader too; and what an export replaces.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use datafusion::arrow::util::pretty::pretty_format_batches;
use perwatt::fleet::summary::{FleetEngine, SummaryOptions, distribution_sql, summarize};
use perwatt::fleet::table::{COLUMNS, ParquetFolder, RecordRows};

use super::generator::{FleetSpec, nothing, records, summary_of};

fn export(folder: &Path, records: &[RecordRows]) {
    let mut layout = ParquetFolder::open(folder).unwrap();
    for record in records {
        layout.add(record).unwrap();
    }
    layout.finish().unwrap();
}

fn files(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path);
        }
    }
    found
}

fn rows(folder: &Path) -> usize {
    let engine = FleetEngine::of_parquet(folder).unwrap();
    let mut rows = 0;
    engine
        .ask("SELECT record FROM figures", |batch| {
            rows += batch.num_rows();
            Ok(())
        })
        .unwrap();
    rows
}

#[test]
fn a_summary_of_the_files_is_that_of_the_records() {
    let folder = tempfile::tempdir().unwrap();
    let spec = FleetSpec::default();
    let all = records(&spec, &|card, _, _| {
        (if card == 9 { 0.1 } else { 0.0 }, 0.0)
    });
    export(folder.path(), &all);
    let engine = FleetEngine::of_parquet(folder.path()).unwrap();
    let options = SummaryOptions::default();
    let [of_files, of_records] = [
        summarize(&engine, &options).unwrap(),
        summary_of(&all, &options),
    ]
    .map(|summary| serde_json::to_value(summary).unwrap());
    assert_eq!(of_files, of_records);
    let first = files(folder.path()).into_iter().next().unwrap();
    let inside = first
        .strip_prefix(folder.path())
        .unwrap()
        .display()
        .to_string();
    assert!(
        inside.starts_with("date=2024-10-01/model=NVIDIA_H100_80GB_HBM3~")
            && inside.contains("/node=rack00-node00/part-"),
        "{inside}"
    );
}

#[test]
fn the_printed_sql_says_where_the_cards_lie() {
    let all = records(
        &FleetSpec {
            records: 3,
            ..FleetSpec::default()
        },
        &nothing,
    );
    let summary = summary_of(&all, &SummaryOptions::default());
    let folder = tempfile::tempdir().unwrap();
    export(folder.path(), &all);
    let engine = FleetEngine::of_parquet(folder.path()).unwrap();
    let mut table = String::new();
    engine
        .ask(distribution_sql(), |batch| {
            table += &pretty_format_batches(std::slice::from_ref(batch))
                .unwrap()
                .to_string();
            Ok(())
        })
        .unwrap();
    let median_of = |case: &str| -> f64 {
        let line = table
            .lines()
            .find(|line| line.contains(&format!(" {case} ")))
            .unwrap();
        line.split('|').nth(5).unwrap().trim().parse().unwrap()
    };
    for case in &summary.models[0].cases {
        // The summary takes medians of logarithms; of an even number they are the other mean of the middle two.
        let ratio = median_of(&case.case) / case.median_ns;
        assert!(
            (ratio - 1.0).abs() < 1e-3,
            "{}: {ratio}\n{table}",
            case.case
        );
    }
}

#[test]
fn a_record_stands_in_a_layout_once_and_others_files_stay() {
    let folder = tempfile::tempdir().unwrap();
    let all = records(
        &FleetSpec {
            cards: 8,
            cases: 4,
            ..FleetSpec::default()
        },
        &nothing,
    );
    export(folder.path(), &all[..5]);
    let first = files(folder.path());
    assert_eq!(rows(folder.path()), 20);
    export(folder.path(), &all[..5]);
    assert_eq!(files(folder.path()), first);
    export(folder.path(), &all);
    assert_eq!(rows(folder.path()), 32);
    // One file a machine, whatever came when.
    assert_eq!(files(folder.path()).len(), 4);
    // A record that changed takes its own place.
    let mut changed = all[2].clone();
    changed.cases.truncate(1);
    export(folder.path(), &[changed]);
    assert_eq!(rows(folder.path()), 29);
    let note = folder.path().join("date=2024-10-01/note.parquet.txt");
    fs::write(&note, "mine").unwrap();
    let parquet = files(folder.path())
        .into_iter()
        .find(|path| path.ends_with("x") || path.extension().is_some_and(|e| e == "parquet"))
        .unwrap();
    let strange = parquet.with_file_name("another.parquet");
    fs::write(&strange, "no Parquet at all").unwrap();
    export(folder.path(), &all);
    assert!(note.exists() && fs::read_to_string(&strange).unwrap() == "no Parquet at all");
    assert!(FleetEngine::of_parquet(folder.path()).is_ok());
}

#[test]
fn hostile_names_stay_in_the_folder_and_come_back_whole() {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("layout");
    let hostile = [
        "../../escape",
        "/etc/passwd",
        "a=b/c",
        "nul\0byte",
        "line\nbreak",
        "'; DROP TABLE figures; --",
        "\u{202e}",
        "",
    ];
    let mut all = records(
        &FleetSpec {
            cards: hostile.len(),
            cases: 1,
            gpus: 1,
            ..FleetSpec::default()
        },
        &nothing,
    );
    for (record, name) in all.iter_mut().zip(hostile) {
        record.head.node = name.to_owned();
        record.head.device = format!("card {name}");
        record.cases[0].case = format!("matmul/f32/{name}");
    }
    export(&inside, &all);
    assert_eq!(files(folder.path()), files(&inside));
    assert_eq!(files(&inside).len(), hostile.len());
    let engine = FleetEngine::of_parquet(&inside).unwrap();
    let summary = summarize(&engine, &SummaryOptions::default()).unwrap();
    let devices: BTreeSet<String> = summary
        .models
        .into_iter()
        .map(|model| model.device)
        .collect();
    assert_eq!(
        devices,
        hostile.iter().map(|name| format!("card {name}")).collect()
    );
}

#[test]
fn what_is_absent_is_null() {
    let folder = tempfile::tempdir().unwrap();
    let mut all = records(
        &FleetSpec {
            cards: 1,
            cases: 1,
            ..FleetSpec::default()
        },
        &nothing,
    );
    all[0].cases[0].joules = None;
    all[0].cases[0].figures[0].interval = None;
    all[0].head.gpu = None;
    all[0].head.date = None;
    all[0].head.started_ms = None;
    export(folder.path(), &all);
    let engine = FleetEngine::of_parquet(folder.path()).unwrap();
    let mut counts = String::new();
    engine
        .ask(
            "SELECT count(*), count(joules), count(low), count(gpu), count(started_utc), count(temperature_c), count(value) FROM figures",
            |batch| {
                counts += &pretty_format_batches(std::slice::from_ref(batch)).unwrap().to_string();
                Ok(())
            },
        )
        .unwrap();
    let numbers: Vec<&str> = counts
        .lines()
        .nth(3)
        .unwrap()
        .split('|')
        .map(str::trim)
        .filter(|n| !n.is_empty())
        .collect();
    assert_eq!(numbers, ["1", "0", "0", "0", "0", "0", "1"], "{counts}");
}

#[test]
fn the_documentation_has_every_column() {
    let page =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/fleet.md")).unwrap();
    for column in COLUMNS {
        let row = format!(
            "| `{}` | {} | {} |",
            column.name,
            column.kind.name(),
            column.about
        );
        assert!(page.contains(&row), "docs/fleet.md lacks\n{row}");
    }
}
