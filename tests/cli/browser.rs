//! What a browser makes of a page: everything is drawn, nothing is asked of a network, keys and pointer work, in light
//! and dark, on a phone and on paper, and axe-core has no objection.

use std::fs;
use std::path::{Path, PathBuf};

use crate::records::{record_of, with_energy};
use crate::support::perwatt;
use crate::support::webdriver::Browser;
use perwatt::record::{Estimate, Reading, save};
use perwatt::stats::Interval;
use serde_json::{Value, json};

const AXE: &str = include_str!("../axe/axe.min.js");

/// Pages of everything that a page can hold.
struct Pages {
    folder: tempfile::TempDir,
}

impl Pages {
    fn make() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
        let committed: Vec<PathBuf> = ["llvmpipe-vulkan", "swiftshader-vulkan", "llvmpipe-gl"]
            .iter()
            .map(|which| results.join(format!("2026-11-24-{which}-quick.json")))
            .collect();
        let pages = Self { folder };
        pages.report(&committed[..1], "one");
        pages.report(&committed, "many");
        pages.report(&[pages.hostile(&committed[0])], "hostile");
        let energy: Vec<PathBuf> = (0..9).map(|day| pages.with_energy(day)).collect();
        pages.report(&energy, "energy");
        pages
    }

    fn page(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.html"))
    }

    fn report(&self, records: &[PathBuf], name: &str) {
        let output = perwatt()
            .arg("report")
            .args(records)
            .arg("-o")
            .arg(self.page(name))
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
    }

    /// A record whose every name is markup, with thousands of cases, some of them without parts.
    fn hostile(&self, sound: &Path) -> PathBuf {
        const MARKUP: &str =
            "</script><img src=x onerror=\"window.hacked = 1\"><b>\u{202e}{{DATA}}";
        let mut record: Value = serde_json::from_str(&fs::read_to_string(sound).unwrap()).unwrap();
        record["adapter"]["name"] = json!(format!("{MARKUP}{}", "long".repeat(900)));
        record["provenance"]["argv"] = json!([MARKUP]);
        let cases = record["cases"].as_array().unwrap().clone();
        let many: Vec<Value> = (0..2000)
            .map(|at| {
                let mut case = cases[at % cases.len()].clone();
                case["case"] = json!(format!("{MARKUP}/f32/{at}"));
                if at % 3 == 1 {
                    case["status"] = json!({ "kind": "skipped", "reason": MARKUP });
                }
                if at % 3 > 0 {
                    case["invocations"] = json!([]);
                    case["summary"] = json!({ "unmeasured": MARKUP });
                }
                case
            })
            .collect();
        record["cases"] = json!(many);
        record["roofline"] = json!([]);
        let file = self.folder.path().join("hostile.json");
        fs::write(&file, record.to_string()).unwrap();
        file
    }

    /// A record with an energy window, of one of several days.
    fn with_energy(&self, day: u32) -> PathBuf {
        let mut record = record_of(
            &format!("day-{day}"),
            &[("matmul/f32/64x64x64", &[1e6, 1.01e6, 0.99e6])],
        );
        with_energy(&mut record, &[5.0, 5.1, 4.9]);
        record.started_utc = format!("2026-01-{:02}T00:00:00Z", day + 1);
        let mut value = serde_json::to_value(&record).unwrap();
        let estimate = |value: f64| {
            let estimate = Estimate {
                value,
                interval: Reading::Measured(Interval::around(value, value * 0.05)),
            };
            serde_json::to_value(estimate).unwrap()
        };
        let none = json!({ "unmeasured": "not in this test" });
        value["cases"][0]["summary"] = json!({
            "invocations": 3, "time_ns": estimate(1e6), "flop_per_s": estimate(2e12), "bytes_per_s": estimate(3e9),
            "tokens_per_s": none, "roofline_share": none, "power_w": estimate(100.0), "energy_j": estimate(1e-4),
            "flop_per_j": estimate(2e10), "bytes_per_j": estimate(3e7), "tokens_per_j": none,
            "worst_error_over_bound": 0.1
        });
        let record = serde_json::from_value(value).unwrap();
        let file = self.folder.path().join(format!("day-{day}.json"));
        save(&record, &file).unwrap();
        file
    }
}

const KINDS: [&str; 4] = ["one", "many", "hostile", "energy"];

#[test]
fn a_browser_draws_every_page_and_asks_nobody() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let pages = Pages::make();
    for kind in KINDS {
        browser.open(&pages.page(kind), 1000, "light");
        assert_eq!(browser.console(), [] as [String; 0], "{kind}");
        assert_eq!(browser.requests(), [] as [String; 0], "{kind}");
        assert_eq!(browser.eval("window.hacked ?? null"), Value::Null, "{kind}");
        assert_eq!(
            browser.eval("document.querySelectorAll('main img, main script, main b').length"),
            json!(0)
        );
        let sections =
            browser.eval("[...document.querySelectorAll('h2')].map((h) => h.textContent)");
        for name in [
            "Verdict",
            "Roofline",
            "Results",
            "Efficiency",
            "Stability",
            "Energy",
            "Kernels",
            "Provenance",
        ] {
            assert!(
                sections.as_array().unwrap().contains(&json!(name)),
                "{kind}: {sections}"
            );
        }
        let broken = browser.eval("[...document.querySelectorAll('svg *')].some((e) => [...e.attributes].some((a) => /NaN|undefined/.test(a.value)))");
        assert_eq!(broken, json!(false), "{kind}");
    }
    let charts = browser.eval(
        "[...document.querySelectorAll('figcaption h3')].map((h) => h.textContent).join('; ')",
    );
    for chart in [
        "Roofline of",
        "Work per joule against rate",
        "Samples of",
        "Core clock during",
        "Temperature during",
        "Power during",
        "What makes the energy",
        "matmul/f32/64x64x64@tiled on Card 9000",
    ] {
        assert!(
            charts.as_str().unwrap().contains(chart),
            "{chart}: {charts}"
        );
    }
}

#[test]
fn tables_sort_and_filter_and_charts_answer_keys_and_pointer() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let pages = Pages::make();
    browser.open(&pages.page("many"), 1000, "light");
    let first = "document.querySelector('#results tbody tr').textContent";
    let by_rate =
        "[...document.querySelectorAll('#results .sort')].find((b) => b.textContent === 'Rate')";
    let before = browser.eval(first);
    browser.eval(&format!("{by_rate}.focus()"));
    browser.eval(&format!("{by_rate}.click()"));
    let after = browser.eval(first);
    assert!(after.as_str().unwrap().contains("149 GFLOP/s"), "{after}");
    let sorted = browser.eval(&format!(
        "{by_rate}.closest('th').getAttribute('aria-sort')"
    ));
    assert_eq!(sorted, "descending");
    browser.eval(&format!("{by_rate}.click()"));
    assert_ne!(before, browser.eval(first));
    browser.eval("{ const f = document.querySelector('#results input'); f.value = 'softmax'; f.dispatchEvent(new Event('input')); }");
    let rows = browser.eval("[...document.querySelectorAll('#results tbody tr')].every((r) => r.textContent.includes('softmax')) && document.querySelectorAll('#results tbody tr').length > 0");
    assert_eq!(rows, json!(true));

    let plot = "document.querySelector('#roofline .plot')";
    browser.eval(&format!("{plot}.scrollIntoView({{ block: 'center' }})"));
    browser.eval(&format!("{plot}.focus()"));
    browser.press("ArrowRight");
    let spoken = browser.eval("document.querySelector('#roofline .spoken').textContent");
    assert!(spoken.as_str().unwrap().contains("Point 1 of"), "{spoken}");
    let at = browser.eval(
        "{ const box = document.querySelector('#roofline .ring').getBoundingClientRect(); \
         [box.x + box.width / 2, box.y + box.height / 2] }",
    );
    let hidden = "document.querySelector('#roofline .tip').hidden";
    browser.press("Escape");
    assert_eq!(browser.eval(hidden), json!(true));
    browser.point_at(at[0].as_f64().unwrap(), at[1].as_f64().unwrap());
    browser.wait_for(&format!("!{hidden}"));

    let device = "document.querySelector('.device').textContent";
    assert!(browser.eval(device).as_str().unwrap().contains("llvmpipe"));
    browser.eval("{ const s = document.querySelector('header select'); s.value = 1; s.dispatchEvent(new Event('change')); }");
    assert!(
        browser
            .eval(device)
            .as_str()
            .unwrap()
            .contains("SwiftShader")
    );
    assert_eq!(browser.console(), [] as [String; 0]);
}

#[test]
fn charts_are_saved_whole_and_numbers_as_csv() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let pages = Pages::make();
    browser.open(&pages.page("one"), 1000, "dark");
    // What a click would put on the disk.
    browser.eval("{ window.saved = []; const make = URL.createObjectURL; URL.createObjectURL = (blob) => { window.saved.push(blob); return make(blob); }; HTMLAnchorElement.prototype.click = () => {}; }");
    let button = |section: &str, name: &str| {
        browser.eval(&format!("[...document.querySelectorAll('#{section} button')].find((b) => b.textContent === '{name}').click()"));
    };
    button("roofline", "Save as SVG");
    let svg = browser.eval("window.saved[0].text()");
    let svg = svg.as_str().unwrap();
    assert!(
        svg.starts_with("<svg") && svg.contains("SOFTWARE DRIVER") && !svg.contains("=\"var(--"),
        "{svg:.300}"
    );
    button("roofline", "Save as PNG");
    browser.wait_for("window.saved.some((blob) => blob.type === 'image/png' && blob.size > 5000)");
    button("results", "Save as CSV");
    let csv = browser.eval("window.saved.find((blob) => blob.type === 'text/csv').text()");
    let csv = csv.as_str().unwrap();
    assert_eq!(csv.lines().count(), 47, "{csv}");
    assert!(csv.contains("peak-fma/f32/65536x8192,scalar-8,"), "{csv}");
    assert_eq!(browser.console(), [] as [String; 0]);
}

#[test]
fn dark_small_and_on_paper_everything_is_there() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let pages = Pages::make();
    let colour = "getComputedStyle(document.body).backgroundColor";
    browser.open(&pages.page("one"), 1000, "light");
    let light = browser.eval(colour);
    browser.open(&pages.page("one"), 1000, "dark");
    assert_ne!(browser.eval(colour), light);
    for kind in KINDS {
        browser.open(&pages.page(kind), 380, "light");
        let width = browser.eval("document.documentElement.scrollWidth");
        assert!(width.as_u64().unwrap() <= 380, "{kind}: {width}");
    }
    let media = json!({ "media": "print", "features": [{ "name": "prefers-color-scheme", "value": "dark" }] });
    for kind in ["one", "energy"] {
        browser.open(&pages.page(kind), 1000, "dark");
        let marks = browser.eval("document.querySelectorAll('.mark:not(figure details *)').length");
        browser.command("Emulation.setEmulatedMedia", &media);
        assert_eq!(browser.eval(colour), "rgb(255, 255, 255)", "{kind}");
        let seen = browser.eval(
            "[...document.querySelectorAll('.mark:not(figure details *)')].filter((m) => m.checkVisibility()).length",
        );
        assert_eq!(seen, marks, "{kind}");
        let pdf = browser.command("Page.printToPDF", &json!({}));
        assert!(pdf["data"].as_str().unwrap().len() > 50_000, "{kind}");
    }
}

#[test]
fn axe_has_no_objection() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let pages = Pages::make();
    for (kind, width, scheme) in [
        ("one", 1000, "light"),
        ("many", 1000, "dark"),
        ("energy", 380, "light"),
        ("energy", 1000, "dark"),
    ] {
        browser.open(&pages.page(kind), width, scheme);
        browser.eval(&format!("{AXE}; 0"));
        let found = browser.eval("axe.run(document, { resultTypes: ['violations'] }).then((r) => r.violations.map((v) => [v.id, v.nodes.slice(0, 3).map((n) => n.html.slice(0, 200))]))");
        assert_eq!(found, json!([]), "{kind} {scheme}");
    }
}
