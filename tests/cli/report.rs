//! `report`: what is in a page, what is not in it, and how it is written. What a browser makes of it is in
//! `browser.rs`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::support::perwatt;
use serde_json::{Value, json};

/// A record of this repository.
fn committed() -> Value {
    serde_json::from_str(&fs::read_to_string(path_of("llvmpipe-vulkan")).unwrap()).unwrap()
}

fn path_of(which: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("results/2026-11-24-{which}-quick.json"))
}

fn run(arguments: &[&str]) -> Output {
    let output = perwatt().arg("report").args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// The page of some records, and the data in it.
fn page(records: &[Value]) -> (String, Value) {
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<String> = records
        .iter()
        .enumerate()
        .map(|(at, record)| {
            let file = folder.path().join(format!("{at}.json"));
            fs::write(&file, record.to_string()).unwrap();
            file.display().to_string()
        })
        .collect();
    let out = folder.path().join("page.html").display().to_string();
    let mut arguments: Vec<&str> = files.iter().map(String::as_str).collect();
    arguments.extend(["-o", &out]);
    run(&arguments);
    let page = fs::read_to_string(&out).unwrap();
    let data = page
        .split_once("id=\"data\">")
        .unwrap()
        .1
        .split_once("</script>")
        .unwrap()
        .0;
    let data = serde_json::from_str(data).unwrap();
    (page, data)
}

/// Everything of a page but its data and the libraries: no record has a say in it.
fn frame(page: &str) -> String {
    let (head, rest) = page.split_once("id=\"data\">").unwrap();
    let (_, tail) = rest.split_once("</script>").unwrap();
    let (_, title) = head.split_once("<title>").unwrap();
    let (_, after) = title.split_once("</title>").unwrap();
    format!("{after}{tail}")
}

fn marks(data: &Value, record: usize) -> Vec<&str> {
    let marks = data["records"][record]["marks"].as_array().unwrap();
    marks.iter().map(|m| m["word"].as_str().unwrap()).collect()
}

#[test]
fn a_page_says_what_was_measured_and_what_was_not_and_why() {
    let (page, data) = page(&[committed()]);
    assert!(page.len() < 1_200_000, "{}", page.len());
    let record = &data["records"][0];
    assert_eq!(marks(&data, 0), ["SOFTWARE DRIVER"]);
    assert_eq!(record["sentences"].as_array().unwrap().len(), 3);
    let headlines = record["headlines"].as_array().unwrap();
    assert_eq!(headlines[1]["figure"]["text"], "10.7 GB/s");
    assert!(headlines[1]["figure"]["low"].as_f64() < headlines[1]["figure"]["high"].as_f64());
    let reason = headlines[2]["figure"]["unmeasured"].as_str().unwrap();
    assert!(reason.contains("this machine shows none"), "{reason}");
    // Absent is never zero: no case has an energy, and each says why.
    for case in record["cases"].as_array().unwrap() {
        assert!(case["energy"]["unmeasured"].is_string(), "{case}");
    }
    assert_eq!(record["roofs"].as_array().unwrap().len(), 3);
    assert!(data["comparison"].is_null());
}

#[test]
fn a_page_needs_nothing_from_elsewhere_and_its_policy_allows_nothing() {
    let (page, _) = page(&[committed()]);
    assert!(page.contains("default-src 'none'; script-src 'sha256-"));
    assert!(!page.contains("unsafe-eval") && !page.contains("script-src 'unsafe"));
    let markup = page.to_lowercase();
    for loads in [
        "<script src",
        "<link rel=\"stylesheet",
        "<iframe",
        "@import",
        "url(http",
    ] {
        assert!(!markup.contains(loads), "{loads}");
    }
}

#[test]
fn nothing_of_a_record_is_markup() {
    const HOSTILE: &str = "</script></title><script>alert(1)</script><img src=x onerror=alert(1)>\u{202e}\u{1b}]0;x\u{7}{{DATA}}";
    let mut record = committed();
    record["adapter"]["name"] = json!(HOSTILE);
    record["adapter"]["driver"] = json!(HOSTILE);
    record["provenance"]["argv"] = json!(["perwatt", HOSTILE]);
    record["cases"][0]["case"] = json!(format!("a/b/{HOSTILE}"));
    record["cases"][1]["kernel"] = json!(HOSTILE);
    record["cases"][2]["status"] = json!({ "kind": "skipped", "reason": HOSTILE });
    let (hostile, data) = page(&[record]);
    let (plain, _) = page(&[committed()]);
    assert_eq!(
        frame(&hostile),
        frame(&plain),
        "a record changed the page's frame"
    );
    let name = data["records"][0]["device"].as_str().unwrap();
    assert!(name.contains("<img src=x"), "{name}");
    assert!(!name.contains(['\u{202e}', '\u{1b}', '\u{7}']), "{name:?}");
    let title = hostile.split_once("<title>").unwrap().1;
    let title = title.split_once("</title>").unwrap().0;
    assert!(
        !title.contains('<') && title.contains("&lt;/script&gt;"),
        "{title}"
    );
    let quoted = data["records"][0]["command"].as_str().unwrap();
    assert!(quoted.starts_with("perwatt '</script>"), "{quoted}");
}

#[test]
fn huge_names_and_thousands_of_cases_stay_a_page() {
    let mut record = committed();
    record["adapter"]["name"] = json!("n".repeat(4_000));
    record["power"] = json!({ "unmeasured": "why ".repeat(300_000) });
    let cases = record["cases"].as_array().unwrap().clone();
    let many: Vec<Value> = (0..3000)
        .map(|at| {
            let mut case = cases[at % cases.len()].clone();
            case["case"] = json!(format!("w{at}/f32/1"));
            case
        })
        .collect();
    record["cases"] = json!(many);
    let (page, data) = page(&[record]);
    assert_eq!(data["records"][0]["cases"].as_array().unwrap().len(), 3000);
    let reason = data["records"][0]["sensor"]["unmeasured"].as_str().unwrap();
    assert!(
        reason.len() < 3_000 && reason.contains("more characters"),
        "{}",
        reason.len()
    );
    assert!(page.len() < 30_000_000, "{}", page.len());
}

#[test]
fn a_hundred_cases_fit_into_two_megabytes() {
    let mut record = committed();
    let cases = record["cases"].as_array().unwrap().clone();
    let many: Vec<Value> = (0..100)
        .map(|at| {
            let mut case = cases[at % cases.len()].clone();
            case["case"] = json!(format!("w{at}/f32/1"));
            // As many samples as a long run has.
            for invocation in case["invocations"].as_array_mut().unwrap() {
                let samples = invocation["sampling"]["samples_ns"].as_array().unwrap();
                let long: Vec<Value> = samples.iter().cycle().take(2000).cloned().collect();
                invocation["sampling"]["samples_ns"] = json!(long);
                invocation["sampling"]["wall_samples_ns"] = json!(long);
            }
            case
        })
        .collect();
    record["cases"] = json!(many);
    let (page, _) = page(&[record]);
    assert!(page.len() < 2_000_000, "{}", page.len());
}

#[test]
fn simulated_power_marks_energy_and_not_the_times() {
    let mut record = committed();
    record["provenance"]["origin"] = json!("simulated");
    let (_, everything) = page(&[record.clone()]);
    assert!(marks(&everything, 0).contains(&"SIMULATED"));
    let headlines = &everything["records"][0]["headlines"];
    assert_eq!(headlines[0]["marks"], json!(["SIMULATED"]));
    record["power"] = json!({
        "source": "simulated:x", "kind": "simulated", "provenance": "counter", "boundary": "board",
        "simulated": true, "update_period_s": 0.1, "window_s": 0.1, "response_s": 0.1, "coverage": 1.0,
        "resolution": { "joules": 0.001 },
        "gain": { "factor": 1.0, "uncertainty": { "within": 0.05 }, "from": { "kind": "assumed" } },
        "sampler": { "unmeasured": "x" }, "notes": []
    });
    let (_, energy) = page(&[record]);
    assert!(marks(&energy, 0).contains(&"SIMULATED"));
    assert_eq!(energy["records"][0]["headlines"][0]["marks"], json!([]));
}

#[test]
fn a_known_card_has_its_data_sheet_and_a_software_driver_has_none() {
    let mut record = committed();
    record["adapter"]["name"] = json!("NVIDIA GeForce RTX 4090");
    let (_, software) = page(&[record.clone()]);
    assert!(software["records"][0]["sheet"].is_null());
    record["adapter"]["device_type"] = json!("discrete-gpu");
    let (_, card) = page(&[record.clone()]);
    let peaks = &card["records"][0]["sheet"]["peaks"];
    assert_eq!(peaks[0]["text"], "82.6 TFLOP/s", "{peaks}");
    assert_eq!(peaks[2]["resource"], "memory");
    record["adapter"]["name"] = json!("NVIDIA GeForce RTX 4090 D");
    let (_, other) = page(&[record]);
    assert!(other["records"][0]["sheet"].is_null());
}

#[test]
fn a_kernel_that_failed_has_no_figure_whatever_its_file_says() {
    let mut record = committed();
    record["cases"][13]["status"] = json!({ "kind": "failed", "failure": "verification", "reason": "1 of 9 elements is wrong" });
    let id = record["cases"][13]["case"].clone();
    let (_, data) = page(&[record]);
    assert!(marks(&data, 0).contains(&"FAILED"));
    let case = &data["records"][0]["cases"][13];
    assert_eq!(
        (case["case"].clone(), &case["status"]),
        (id, &json!("failed"))
    );
    assert_eq!(case["rate"]["unmeasured"], "1 of 9 elements is wrong");
    assert_eq!(case["best"], false);
    let failed = &data["records"][0]["unmeasured"][0];
    assert_eq!(failed["failed"], true);
}

#[test]
fn several_records_are_compared_and_ordered_by_time() {
    let mut sessions = Vec::new();
    for at in 0..12 {
        let mut record = committed();
        record["session"] = json!(format!("{at:032x}"));
        record["started_utc"] = json!(format!("2026-03-{:02}T00:00:00Z", 12 - at));
        // The newest three are a third slower.
        let slower = if at < 3 {
            0.66
        } else {
            1.0 + 0.001 * f64::from(at % 4)
        };
        let summary = &mut record["cases"][13]["summary"];
        let rate = summary["flop_per_s"]["value"].as_f64().unwrap();
        summary["flop_per_s"]["value"] = json!(rate * slower);
        sessions.push(record);
    }
    let id = format!(
        "{}@{}",
        sessions[0]["cases"][13]["case"].as_str().unwrap(),
        sessions[0]["cases"][13]["kernel"].as_str().unwrap()
    );
    let (_, data) = page(&sessions);
    assert!(data["comparison"]["columns"].as_array().unwrap().len() > 1);
    let series = data["history"][0]["cases"].as_array().unwrap();
    let series = series.iter().find(|s| s["id"] == json!(id)).unwrap();
    let dates: Vec<&str> = series["points"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p["started_utc"].as_str().unwrap())
        .collect();
    assert!(dates.is_sorted() && dates.len() == 12, "{dates:?}");
    assert_eq!(series["changes"][0]["at"], 9, "{series}");
    assert_eq!(series["changes"].as_array().unwrap().len(), 1, "{series}");
    assert!(
        series["changes"][0]["text"]
            .as_str()
            .unwrap()
            .starts_with("−34"),
        "{series}"
    );
}

#[test]
fn a_page_replaces_a_page_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let record = path_of("swiftshader-vulkan").display().to_string();
    let out = folder.path().join("new/page.html").display().to_string();
    run(&[&record, "-o", &out]);
    run(&[&record, "-o", &out]);
    let copy = folder.path().join("result.json");
    fs::copy(&record, &copy).unwrap();
    let copy = copy.display().to_string();
    let refused = perwatt()
        .args(["report", &record, "-o", &copy])
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert_eq!(fs::read(&copy).unwrap(), fs::read(&record).unwrap());
    let missing = perwatt().args(["report", "nowhere.json"]).output().unwrap();
    assert_eq!(missing.status.code(), Some(2));
}

#[test]
fn a_file_that_is_no_record_costs_a_folder_nothing_unless_it_was_named() {
    let folder = tempfile::tempdir().unwrap();
    let results = folder.path().join("results");
    fs::create_dir(&results).unwrap();
    fs::copy(
        "results/2026-11-24-llvmpipe-vulkan-quick.json",
        results.join("run.json"),
    )
    .unwrap();
    let foreign = results.join("bench.json");
    fs::write(&foreign, r#"{"benchmarks": []}"#).unwrap();
    let report = |what: &Path, page: &str| {
        let mut command = perwatt();
        command.arg("report").arg(what);
        command.arg("-o").arg(folder.path().join(page));
        command.output().unwrap()
    };
    let output = report(&results, "folder.html");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("Left out") && said.contains("bench.json"),
        "{said}"
    );
    assert_eq!(report(&foreign, "file.html").status.code(), Some(2));
}

#[test]
fn a_site_has_a_first_page_a_page_each_and_a_feed() {
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path().join("site");
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
    let site_text = site.display().to_string();
    run(&[&results.display().to_string(), "--site", &site_text]);
    run(&[&results.display().to_string(), "--site", &site_text]);
    let index = fs::read_to_string(site.join("index.html")).unwrap();
    let records = fs::read_dir(&results)
        .unwrap()
        .filter(|e| {
            e.as_ref()
                .unwrap()
                .file_name()
                .to_str()
                .unwrap()
                .contains("quick.json")
        })
        .count();
    let mut pages = 0;
    for entry in fs::read_dir(&site).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !["index.html", "feed.xml"].contains(&name.as_str()) {
            assert!(index.contains(&format!("\"href\":\"{name}\"")), "{name}");
            pages += 1;
        }
    }
    assert!(pages >= records && pages >= 3, "{pages}");
    let feed = fs::read_to_string(site.join("feed.xml")).unwrap();
    let mut reader = quick_xml::Reader::from_str(&feed);
    let mut entries = 0;
    loop {
        match reader.read_event().unwrap() {
            quick_xml::events::Event::Start(tag) if tag.name().as_ref() == b"entry" => entries += 1,
            quick_xml::events::Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(entries, pages);
    assert!(feed.contains("SOFTWARE DRIVER"), "{feed}");
}

#[test]
fn in_a_pipe_the_pictures_are_lines_of_eighty_columns() {
    let output = run(&[&path_of("llvmpipe-vulkan").display().to_string()]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("SOFTWARE DRIVER: ") && text.contains("Roofline"),
        "{text}"
    );
    assert!(
        text.contains("24 GFLOP/s") && text.contains("Energy was not measured"),
        "{text}"
    );
    assert!(!text.contains('│'), "{text}");
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

/// A committed record as if this very program had measured it.
#[cfg(feature = "bench")]
fn of_this_program() -> Value {
    let own = serde_json::to_value(perwatt::bench::build_provenance()).unwrap();
    let mut record = committed();
    for what in ["perwatt_version", "git_revision"] {
        record["provenance"][what] = own[what].clone();
    }
    record["provenance"]["git_dirty"] = json!(false);
    record
}

#[cfg(feature = "bench")]
#[test]
fn the_source_of_a_built_in_kernel_is_shown_where_it_is_the_one_that_ran() {
    let own = perwatt::bench::build_provenance();
    let changed = own.git_dirty == perwatt::record::Reading::Measured(true);
    let (text, data) = page(&[of_this_program()]);
    let kernels = data["records"][0]["kernels"].as_array().unwrap();
    let shown: Vec<&Value> = kernels
        .iter()
        .filter(|kernel| !kernel["sources"].as_array().unwrap().is_empty())
        .collect();
    if changed {
        assert!(shown.is_empty());
        assert!(text.contains("a checkout with changes"));
    } else {
        // One kernel a case, and each compiles something.
        let cases: std::collections::BTreeSet<&str> = shown
            .iter()
            .map(|kernel| kernel["id"].as_str().unwrap().split('@').next().unwrap())
            .collect();
        assert_eq!((cases.len(), shown.len()), (shown.len(), shown.len()));
        // The record is older than some parameters of its kernels.
        assert!(shown.len() >= 5, "{}", shown.len());
        for kernel in shown {
            let source = &kernel["sources"][0];
            assert!(
                source["name"].as_str().unwrap().starts_with("shaders/"),
                "{kernel}"
            );
            assert!(
                source["wgsl"].as_str().unwrap().contains("@compute"),
                "{kernel}"
            );
        }
        assert!(text.len() < 2_000_000, "{}", text.len());
    }
    let mut other = of_this_program();
    other["provenance"]["git_revision"] = json!("0000000");
    let (text, _) = page(&[other]);
    assert!(text.contains("made by another perwatt") && !text.contains("@compute"));
}
