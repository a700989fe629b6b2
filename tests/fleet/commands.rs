//! `perwatt export --format parquet` and `perwatt fleet summary` from outside.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use perwatt::record::{
    DeviceType, Estimate, FailureKind, Outcome, Reading, Record, Status, load, save,
};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use serde_json::Value;

fn perwatt(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_perwatt"))
        .args(args)
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// A true record of a software driver, as if a card had written it, so many times slower.
fn as_card(number: usize, factor: f64) -> Record {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("results/2026-11-24-llvmpipe-vulkan-quick.json");
    let mut record = load(&path).unwrap();
    record.session = format!("session-{number}");
    record.adapter.device_type = DeviceType::DiscreteGpu;
    record.adapter.name = "NVIDIA H100 80GB HBM3".to_owned();
    record.roofline.clear();
    let by = |estimate: &mut Reading<Estimate>, factor: f64| {
        *estimate = estimate.and_then(|estimate| estimate.scale(factor));
    };
    for case in &mut record.cases {
        for result in &mut case.invocations {
            if let Outcome::Measured {
                sampling, energy, ..
            } = &mut result.outcome
            {
                for samples in [&mut sampling.samples_ns, &mut sampling.wall_samples_ns] {
                    samples.iter_mut().for_each(|ns| *ns *= factor);
                }
                sampling.median_ns *= factor;
                sampling.half_width_ns = sampling.half_width_ns.map(|ns| ns * factor);
                **energy = Reading::unmeasured("no sensor");
            }
        }
        if let Reading::Measured(summary) = &mut case.summary {
            let time = summary.time_ns.scale(factor);
            summary.time_ns = time.measured().unwrap().clone();
            for rate in [
                &mut summary.flop_per_s,
                &mut summary.bytes_per_s,
                &mut summary.tokens_per_s,
            ] {
                by(rate, 1.0 / factor);
            }
            summary.roofline_share = Reading::unmeasured("no roof");
            for energy in [
                &mut summary.power_w,
                &mut summary.energy_j,
                &mut summary.flop_per_j,
                &mut summary.bytes_per_j,
                &mut summary.tokens_per_j,
            ] {
                *energy = Reading::unmeasured("no sensor");
            }
            summary.window_time_ns = None;
        }
    }
    record.power = Reading::unmeasured("no sensor");
    record.warnings.clear();
    record
}

/// A fleet's folder of 16 cards, of which one is slow.
fn fleet(folder: &Path) {
    let mut rng = Pcg64Mcg::seed_from_u64(11);
    let records = folder.join("records");
    fs::create_dir_all(&records).unwrap();
    fs::write(
        folder.join("fleet.json"),
        r#"{"kind": "perwatt-fleet", "schema_version": "1.0.0"}"#,
    )
    .unwrap();
    for card in 0..16 {
        let slow = if card == 6 { 1.12 } else { 1.0 };
        let record = as_card(card, slow * (1.0 + 0.01 * rng.random::<f64>()));
        assert_eq!(record.contradictions(), [], "card {card}");
        save(
            &record,
            records.join(format!("n{:02}--{}.json", card / 2, card % 2)),
        )
        .unwrap();
    }
}

#[test]
fn a_slow_card_is_named_from_records_and_from_parquet_alike() {
    let folder = tempfile::tempdir().unwrap();
    fleet(folder.path());
    let from = folder.path().to_str().unwrap();
    let layout = folder.path().join("layout");
    let export = perwatt(&[
        "export",
        from,
        "--format",
        "parquet",
        "--out",
        layout.to_str().unwrap(),
    ]);
    assert!(export.status.success(), "{export:?}");
    let [records, parquet] = [from, layout.to_str().unwrap()].map(|path| {
        let records = Path::new(path).join("records");
        let path = if records.is_dir() {
            records.to_str().unwrap().to_owned()
        } else {
            path.to_owned()
        };
        let output = perwatt(&["fleet", "summary", &path, "--json"]);
        assert!(output.status.success(), "{output:?}");
        serde_json::from_str::<Value>(&stdout(&output)).unwrap()
    });
    assert_eq!(records, parquet);
    let first = &records["summary"]["pull"][0];
    assert_eq!(
        (first["name"].as_str(), first["what"].as_str()),
        (Some("n03 0"), Some("slow-card"))
    );
    let cost = &first["cost"];
    assert!(
        cost["low"].as_f64().unwrap() < 1.12 && cost["high"].as_f64().unwrap() > 1.12,
        "{cost}"
    );
    assert!(
        records["worth"]["items"][0]["dollars_per_year"][1]
            .as_f64()
            .unwrap()
            > 0.0
    );
    assert_eq!(
        records["summary"]["pull"].as_array().unwrap().len(),
        1,
        "{}",
        records["summary"]["pull"]
    );
}

#[test]
fn every_form_of_the_summary_names_it() {
    let folder = tempfile::tempdir().unwrap();
    fleet(folder.path());
    let from = folder.path().to_str().unwrap();
    let page = folder.path().join("fleet.html");
    let text = perwatt(&[
        "fleet",
        "summary",
        from,
        "--page",
        page.to_str().unwrap(),
        "--price-per-hour",
        "2.5",
    ]);
    let text = stdout(&text);
    assert!(
        text.contains("n03 0") && text.contains("MODELLED"),
        "{text}"
    );
    let html = fs::read_to_string(&page).unwrap();
    let sentence = |text: &str| {
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let found = words.find("n03 0: slower over all cases");
        found.map(|at| words[at..].split(", q =").next().unwrap().to_owned())
    };
    assert!(sentence(&text).is_some(), "{text}");
    assert_eq!(
        sentence(&html),
        sentence(&text),
        "the page says something else"
    );
    assert!(!text.contains("of what it would be"), "{text}");
    let csv = stdout(&perwatt(&["fleet", "summary", from, "--csv"]));
    assert_eq!(csv.lines().count(), 2, "{csv}");
    let metrics = stdout(&perwatt(&["fleet", "summary", from, "--prometheus"]));
    let sample = "perwatt_fleet_straggler_time_ratio{model=\"NVIDIA H100 80GB HBM3\",backend=\"vulkan\",at_once=\"false\",node=\"n03\",gpu=\"0\",end=\"value\"} 1.1";
    assert!(metrics.contains(sample), "{metrics}");
    let sql = stdout(&perwatt(&["fleet", "summary", "--show-sql"]));
    assert!(
        sql.contains("FROM figures") && sql.contains("read_parquet"),
        "{sql}"
    );
}

#[test]
fn what_cannot_be_used_is_named_and_costs_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    fleet(folder.path());
    let records = folder.path().join("records");
    fs::write(records.join("broken--0.json"), "{").unwrap();
    fs::copy(records.join("n00--0.json"), records.join("zz--0.json")).unwrap();
    let output = perwatt(&["fleet", "summary", folder.path().to_str().unwrap()]);
    let (told, text) = (
        String::from_utf8_lossy(&output.stderr).into_owned(),
        stdout(&output),
    );
    assert!(told.contains("broken--0.json"), "{told}");
    assert!(
        text.contains("zz--0 is a copy of n00--0") && text.contains("16 cards"),
        "{text}"
    );
}

#[test]
fn a_fleet_of_software_drivers_says_nothing_of_cards() {
    let folder = tempfile::tempdir().unwrap();
    for card in 0..10 {
        let mut record = as_card(card, 1.0 + card as f64 * 0.001);
        record.adapter.device_type = DeviceType::Software;
        save(&record, folder.path().join(format!("n{card}.json"))).unwrap();
    }
    let from = folder.path().to_str().unwrap();
    let output = perwatt(&["fleet", "summary", from]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(
        text.contains("software driver") && !text.contains("Nothing to pull"),
        "{text}"
    );
    let rehearsal = perwatt(&["fleet", "summary", from, "--allow-software"]);
    assert!(rehearsal.status.success() && stdout(&rehearsal).contains("REHEARSAL"));
}

#[test]
fn hostile_names_do_nothing_in_any_form() {
    let folder = tempfile::tempdir().unwrap();
    for card in 0..12 {
        let mut record = as_card(
            card,
            if card == 3 {
                1.3
            } else {
                1.0 + card as f64 * 1e-3
            },
        );
        record.adapter.name = "=cmd|'</script><script>alert(1)</script>\u{1b}[31m\"\\".to_owned();
        save(&record, folder.path().join(format!("n{card}.json"))).unwrap();
    }
    let from = folder.path().to_str().unwrap();
    let page = folder.path().join("p.html");
    let forms = [
        ["--json", "--force"],
        ["--csv", "--force"],
        ["--prometheus", "--force"],
        ["--page", page.to_str().unwrap()],
    ];
    for form in forms {
        let output = perwatt(&[&["fleet", "summary", from], &form[..]].concat());
        let text = stdout(&output);
        assert!(
            output.status.success() && !text.contains('\u{1b}'),
            "{form:?}: {text}"
        );
        // A spreadsheet would run it; a terminal does not.
        let formula = |line: &str| line.starts_with('=') || line.contains(",=cmd");
        assert!(form[0] != "--csv" || !text.lines().any(formula), "{text}");
    }
    let page = fs::read_to_string(&page).unwrap();
    assert!(!page.contains("<script>alert"));
    let layout = folder.path().join("layout");
    assert!(
        perwatt(&[
            "export",
            from,
            "--format",
            "parquet",
            "--out",
            layout.to_str().unwrap()
        ])
        .status
        .success()
    );
    assert!(
        perwatt(&["fleet", "summary", layout.to_str().unwrap()])
            .status
            .success()
    );
}

/// Has a case of a record give wrong outputs.
fn fail(record: &mut Record, at: usize) {
    let case = &mut record.cases[at];
    let failure = FailureKind::Verification;
    let reason = "an element is off".to_owned();
    for result in &mut case.invocations {
        result.outcome = Outcome::Failed {
            failure,
            reason: reason.clone(),
            verification: None,
        };
    }
    case.status = Status::Failed { failure, reason };
    case.summary = Reading::unmeasured("it failed");
}

#[test]
fn what_most_cards_fail_is_said_and_is_no_fault_of_a_card() {
    for (bad, of_cards) in [(2, true), (12, false)] {
        let folder = tempfile::tempdir().unwrap();
        let at = as_card(0, 1.0)
            .cases
            .iter()
            .position(|case| case.status == Status::Measured)
            .unwrap();
        for card in 0..16 {
            let mut record = as_card(card, 1.0 + 0.0001 * card as f64);
            if card < bad {
                fail(&mut record, at);
            }
            save(&record, folder.path().join(format!("n{card:02}--0.json"))).unwrap();
        }
        let text = stdout(&perwatt(&[
            "fleet",
            "summary",
            folder.path().to_str().unwrap(),
        ]));
        assert_eq!(text.contains("wrong output"), of_cards, "{text}");
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let common = "fails in 12 records and passes in 4";
        assert_eq!(words.contains(common), !of_cards, "{text}");
    }
}
