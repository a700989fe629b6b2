//! What a browser makes of a scenario: an input is moved by keys, and the figures become those of the program for the
//! same inputs, to the last digit. Where the model in the page cannot be trusted, the sliders are off and say why.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::support::perwatt;
use crate::support::webdriver::Browser;
use serde_json::{Value, json};

const AXE: &str = include_str!("../axe/axe.min.js");

/// The quantiles of each output by its name, bit by bit.
type Figures = BTreeMap<String, Option<[u64; 3]>>;

/// Pages in a folder.
struct InvestmentPages {
    folder: tempfile::TempDir,
}

impl InvestmentPages {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn page(&self, name: &str, arguments: &[&str]) -> PathBuf {
        let page = self.folder.path().join(format!("{name}.html"));
        let output = run(&[arguments, &["-o", page.to_str().unwrap()]].concat());
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        page
    }

    /// A page in which a text was replaced.
    fn altered(&self, page: &Path, from: &str, to: &str) -> PathBuf {
        let text = fs::read_to_string(page).unwrap();
        assert!(text.contains(from), "{from}");
        let altered = self.folder.path().join("altered.html");
        fs::write(&altered, text.replacen(from, to, 1)).unwrap();
        altered
    }
}

fn run(arguments: &[&str]) -> Output {
    perwatt()
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(arguments)
        .output()
        .unwrap()
}

fn committed(which: &str) -> String {
    format!("results/2026-11-24-{which}-quick.json")
}

/// What a command of a page gives as JSON.
fn answer_of(command: &str) -> Value {
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    let output = run(&[&words[..], &["--json"]].concat());
    assert!(
        output.status.success(),
        "{command}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The figures of the program, of those outputs that the page shows.
fn told(command: &str, shown: &Figures) -> Figures {
    let answer = answer_of(command);
    let bits = |key: &String| {
        let quantiles = &answer["answer"]["outputs"][key]["quantiles"];
        let of = |which: &str| Some(quantiles[which].as_f64()?.to_bits());
        Some([of("p5")?, of("p50")?, of("p95")?])
    };
    shown.keys().map(|key| (key.clone(), bits(key))).collect()
}

/// The figures of the page, from the CSV that its button saves.
fn shown(browser: &Browser) -> Figures {
    browser.eval("{ if (!window.saved) { const make = URL.createObjectURL; URL.createObjectURL = (blob) => { window.saved.push(blob); return make(blob); }; HTMLAnchorElement.prototype.click = () => {}; } window.saved = []; }");
    browser.eval("[...document.querySelectorAll('#investment .table button')].find((b) => b.textContent === 'Save as CSV').click()");
    let csv = browser.eval("window.saved[0].text()");
    let figures = csv.as_str().unwrap().lines().skip(1).map(|line| {
        let mut cells = line.split(',');
        let key = cells.next().unwrap().to_owned();
        let mut bits = || Some(cells.next()?.parse::<f64>().ok()?.to_bits());
        let mut all = || Some([bits()?, bits()?, bits()?]);
        (key, all())
    });
    figures.collect()
}

fn command(browser: &Browser) -> String {
    let command = browser.eval("document.querySelector('#investment .command').textContent");
    command.as_str().unwrap().to_owned()
}

/// Moves an input by keys, and waits for the figures.
fn moved(browser: &Browser, key: &str, presses: &[&str]) {
    let slider = format!("document.querySelector('[data-key={key}]')");
    browser.eval(&format!("{slider}.focus()"));
    for press in presses {
        browser.press(press);
    }
    browser.wait_for(&format!(
        "document.querySelector('#investment [role=status]').textContent.startsWith('Computed') && \
         JSON.parse(document.querySelector('#investment [role=status]').dataset.done).{key} === {slider}.value"
    ));
}

#[test]
fn a_moved_input_gives_the_figures_of_the_program() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let pages = InvestmentPages::new();
    let record = committed("llvmpipe-vulkan");
    let cases = [
        (
            pages.page(
                "article",
                &[
                    "invest",
                    "--scenario",
                    "article-155bn",
                    "--seed",
                    "12345678901234567890",
                    "--draws",
                    "3000",
                ],
            ),
            &[
                "ai_share",
                "busy",
                "pue",
                "electricity_price",
                "carbon_intensity",
            ][..],
        ),
        (
            pages.page(
                "desk",
                &["report", &record, "--scenario", "desk", "--country", "SE"],
            ),
            &["busy", "pue", "electricity_price", "carbon_intensity"],
        ),
        (
            pages.page(
                "gigawatt",
                &[
                    "report",
                    &record,
                    &committed("llvmpipe-gl"),
                    "--scenario",
                    "gigawatt",
                ],
            ),
            &["pue", "electricity_price"],
        ),
    ];
    for (page, keys) in &cases {
        browser.open(page, 1000, "light");
        let first = shown(&browser);
        assert!(first.len() >= 15, "{first:?}");
        assert_eq!(first, told(&command(&browser), &first), "{page:?}");
        let mut before = first.clone();
        for (at, key) in keys.iter().enumerate() {
            let presses = [
                &["ArrowRight", "ArrowRight", "ArrowRight"][..],
                &["PageUp"],
                &["End"],
            ][at % 3];
            moved(&browser, key, presses);
            let now = shown(&browser);
            assert_ne!(now, before, "{key}");
            let command = command(&browser);
            assert!(command.contains(&format!("--set {key}=")), "{command}");
            assert_eq!(now, told(&command, &now), "{command}");
            before = now;
        }
        browser.eval("[...document.querySelectorAll('.sliders button')].find((b) => b.textContent === 'All as assumed').click()");
        browser.wait_for("document.querySelector('#investment [role=status]').textContent === 'Computed as assumed.'");
        assert_eq!(shown(&browser), first, "{page:?}");
        assert_eq!(browser.console(), [] as [String; 0], "{page:?}");
        assert_eq!(browser.requests(), [] as [String; 0], "{page:?}");
    }
}

#[test]
fn a_page_says_that_all_is_modelled_and_what_moves_nothing() {
    let pages = InvestmentPages::new();
    let record = committed("llvmpipe-vulkan");
    let with =
        fs::read_to_string(pages.page("with", &["report", &record, "--scenario", "desk"])).unwrap();
    let without = fs::read_to_string(pages.page("without", &["report", &record])).unwrap();
    assert!(with.len() < 2_000_000, "{}", with.len());
    assert!(with.contains("'wasm-unsafe-eval'; worker-src blob:; style-src"));
    for part in [
        "wasm",
        "worker-src",
        "\"investment\":",
        "liveModel",
        "id=\"module\"",
    ] {
        assert!(!without.contains(part), "{part}");
    }
    let data = with.split_once("id=\"data\">").unwrap().1;
    let data: Value = serde_json::from_str(data.split_once("</script>").unwrap().0).unwrap();
    let investment = &data["records"][0]["investment"];
    assert_eq!(investment["marks"][0]["word"], "SOFTWARE DRIVER");
    let modelled = investment["modelled"].as_str().unwrap();
    assert!(
        modelled.contains("none of these figures was measured") && modelled.contains("kernel_f32"),
        "{modelled}"
    );
    assert_eq!(investment["idle"], json!(["Share of the sum for AI"]));
}

#[test]
fn a_scenario_that_a_record_cannot_answer_leaves_the_page_and_says_why() {
    let pages = InvestmentPages::new();
    let mut record: Value = serde_json::from_str(
        &fs::read_to_string(
            Path::new(env!("CARGO_MANIFEST_DIR")).join(committed("llvmpipe-vulkan")),
        )
        .unwrap(),
    )
    .unwrap();
    record["roofline"] = json!([]);
    record["cases"] = json!([]);
    let file = pages.folder.path().join("empty.json");
    fs::write(&file, record.to_string()).unwrap();
    let page = pages.page(
        "empty",
        &["report", file.to_str().unwrap(), "--scenario", "desk"],
    );
    let text = fs::read_to_string(page).unwrap();
    assert!(text.contains("\"investment\":{\"unmeasured\":\""));
    assert!(!text.contains("wasm-unsafe-eval"));
    for (arguments, words) in [
        (
            vec!["report", "x.json", "--scenario", "desk"],
            "-o FILE or --site DIR",
        ),
        (
            vec!["report", "x.json", "--country", "DE", "-o", "y.html"],
            "--scenario",
        ),
        (
            vec!["report", "x.json", "--scenario", "nonsense", "-o", "y.html"],
            "nonsense",
        ),
    ] {
        let output = run(&arguments);
        assert_eq!(output.status.code(), Some(2));
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(errors.contains(words), "{errors}");
    }
}

#[test]
fn sliders_that_cannot_work_are_off_and_say_why() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let pages = InvestmentPages::new();
    let page = pages.page(
        "old",
        &["invest", "--scenario", "gigawatt", "--draws", "2000"],
    );
    let text = fs::read_to_string(&page).unwrap();
    let (_, after) = text.split_once("\"p50\":").unwrap();
    let number: String = after.chars().take_while(|c| !",}".contains(*c)).collect();
    let (_, module) = text.split_once("id=\"module\">").unwrap();
    let wrong_figure = pages.altered(&page, &format!("\"p50\":{number}"), "\"p50\":1234.5");
    let off = "document.querySelector('#investment .off')";
    let asks_in_vain = |page: &Path, words: &str| {
        browser.open(page, 1000, "light");
        let first = shown(&browser);
        browser.eval("document.querySelector('[data-key=pue]').focus()");
        browser.press("ArrowRight");
        browser.wait_for(&format!("{off} !== null"));
        let said = browser.eval(&format!("{off}.textContent"));
        assert!(said.as_str().unwrap().contains(words), "{said}");
        assert_eq!(browser.eval("[...document.querySelectorAll('.sliders input, .sliders button')].every((e) => e.disabled)"), json!(true));
        assert_eq!(shown(&browser), first);
    };
    asks_in_vain(&wrong_figure, "does not give the figures of the program");
    let broken = pages.altered(&page, &module[..40], &"A".repeat(40));
    asks_in_vain(&broken, "does not run it");
    // A page whose policy a server tightened.
    let forbidden = pages.altered(&page, " 'wasm-unsafe-eval'", "");
    asks_in_vain(&forbidden, "does not run it");
    let _ = browser.console();
    browser.command(
        "Page.addScriptToEvaluateOnNewDocument",
        &json!({ "source": "delete globalThis.DecompressionStream" }),
    );
    browser.open(&page, 1000, "light");
    let said = browser.eval(&format!("{off}.textContent"));
    assert!(
        said.as_str()
            .unwrap()
            .contains("this browser has no DecompressionStream"),
        "{said}"
    );
    assert_eq!(browser.console(), [] as [String; 0]);
}

#[test]
fn a_scenario_is_readable_for_all() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let pages = InvestmentPages::new();
    let page = pages.page(
        "article",
        &["invest", "--scenario", "article-155bn", "--draws", "2000"],
    );
    let desk = pages.page(
        "desk",
        &[
            "report",
            &committed("llvmpipe-vulkan"),
            "--scenario",
            "desk",
        ],
    );
    for (page, width, scheme) in [
        (&page, 1000, "light"),
        (&page, 380, "dark"),
        (&desk, 1000, "dark"),
        (&desk, 380, "light"),
    ] {
        browser.open(page, width, scheme);
        moved(&browser, "pue", &["End"]);
        let wide = browser.eval("document.documentElement.scrollWidth");
        assert!(wide.as_u64().unwrap() <= u64::from(width), "{wide}");
        let said =
            browser.eval("document.querySelector('[data-key=pue]').getAttribute('aria-valuetext')");
        assert_eq!(said, "2.5");
        let marks = browser
            .eval("[...document.querySelectorAll('#investment .mark')].map((m) => m.textContent)");
        assert!(
            marks.as_array().unwrap().contains(&json!("MODELLED")),
            "{marks}"
        );
        browser.eval(&format!("{AXE}; 0"));
        let found = browser.eval("axe.run(document, { resultTypes: ['violations'] }).then((r) => r.violations.map((v) => [v.id, v.nodes.slice(0, 3).map((n) => n.html.slice(0, 200))]))");
        assert_eq!(found, json!([]), "{page:?} {width} {scheme}");
        // Paper shows what was moved.
        browser.command("Emulation.setEmulatedMedia", &json!({ "media": "print" }));
        let line = browser.eval("[...document.querySelectorAll('#investment .moved')].filter((e) => e.checkVisibility()).map((e) => e.textContent).join()");
        assert!(line.as_str().unwrap().contains("pue=2.5"), "{line}");
    }
}
