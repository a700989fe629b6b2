//! One file out of data, style and script, that opens from disk and loads nothing from elsewhere.
//!
//! Nothing of a record is markup: the data is one JSON text in which no character can end its element, and the
//! script puts text where text belongs. The policy in the page's head allows the scripts by their hashes, so what
//! slipped through all the same would not run.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::model::PageData;
use crate::escape;
use crate::record::Reading;

const TEMPLATE: &str = include_str!("../../assets/page/template.html");
const CSS: &str = include_str!("../../assets/page/page.css");
const D3: &str = include_str!("../../assets/page/vendor/d3.min.js");
const PLOT: &str = include_str!("../../assets/page/vendor/plot.umd.min.js");

/// The page's own scripts; in one function, so that nothing of them is global.
const PAGE: &str = concat!(
    include_str!("../../assets/page/dom.js"),
    include_str!("../../assets/page/charts.js"),
    include_str!("../../assets/page/sections.js"),
    include_str!("../../assets/page/fleet.js"),
    include_str!("../../assets/page/main.js"),
);

/// The style of a scenario, on pages that have one.
const INVESTMENT_CSS: &str = include_str!("../../assets/page/investment.css");

/// The part of them that moves the inputs of a scenario, on pages that have one.
const INVESTMENT: &str = include_str!("../../assets/page/investment.js");

/// What runs the model beside the page, so that the page never waits for it.
const WORKER: &str = include_str!("../../assets/page/worker.js");

/// The investment model, built by `scripts/build-invest-wasm`.
const MODULE: &[u8] = include_bytes!("../../assets/page/invest.wasm.gz");

/// What the policy allows beside the scripts where the model is in the page: to compile it, and to run it in a thread.
const POLICY_OF_MODULE: &str = " 'wasm-unsafe-eval'; worker-src blob:";

/// Licences of what is bundled.
const LICENCES: &str = concat!(
    "D3\n\n",
    include_str!("../../assets/page/vendor/LICENSE-d3"),
    "\nObservable Plot\n\n",
    include_str!("../../assets/page/vendor/LICENSE-plot"),
    "\ninterval-tree-1d (in Observable Plot)\n\n",
    include_str!("../../assets/page/vendor/LICENSE-interval-tree-1d"),
    "\nbinary-search-bounds (in Observable Plot)\n\n",
    include_str!("../../assets/page/vendor/LICENSE-binary-search-bounds"),
    "\nisoformat (in Observable Plot)\n\n",
    include_str!("../../assets/page/vendor/LICENSE-isoformat"),
);

/// Longest text of a record that a page holds whole. Names are far shorter; shaders may be this long.
const LONGEST: usize = 100_000;

/// Longest text that stands in a line or a cell.
const LONGEST_LINE: usize = 2_000;

/// The page as one HTML file.
///
/// # Errors
/// The data cannot be written as JSON.
pub fn html(data: &PageData) -> Result<String, serde_json::Error> {
    let mut value = serde_json::to_value(data)?;
    make_inert(&mut value);
    let title = value["title"].as_str().unwrap_or("perwatt").to_owned();
    let generator = value["made_by"].as_str().unwrap_or("perwatt").to_owned();
    let has_model = data.investment.is_some()
        || data
            .records
            .iter()
            .any(|record| matches!(&record.investment, Some(Reading::Measured(_))));
    let has_section = has_model || data.records.iter().any(|r| r.investment.is_some());
    let page = script(has_section);
    let hashes: Vec<String> = [D3, PLOT, &page]
        .into_iter()
        .map(|script| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(script))))
        .collect();
    let policy = if has_model { POLICY_OF_MODULE } else { "" };
    let parts = [
        ("HASHES", hashes.join(" ") + policy),
        ("GENERATOR", escape::markup(&generator)),
        ("TITLE", escape::markup(&title)),
        (
            "CSS",
            if has_section {
                [CSS, INVESTMENT_CSS].concat()
            } else {
                CSS.to_owned()
            },
        ),
        ("LICENCES", escape::markup(LICENCES)),
        ("DATA", escape::script_data(&compact(&value)?)),
        ("D3", D3.to_owned()),
        ("PLOT", PLOT.to_owned()),
        ("MODULE", if has_model { module() } else { String::new() }),
        ("PAGE", page),
    ];
    Ok(filled(&parts))
}

/// The page's own scripts, with that of a scenario or without it.
fn script(has_section: bool) -> String {
    let section = if has_section { INVESTMENT } else { "" };
    format!("\"use strict\";(() => {{\n{section}{PAGE}}})();\n")
}

/// The model and what runs it, as data that a browser does not run by itself.
fn module() -> String {
    format!(
        "<script type=\"text/plain\" id=\"worker\">{WORKER}</script>\n<script type=\"text/plain\" id=\"module\">{}</script>\n",
        STANDARD.encode(MODULE)
    )
}

/// The template with its places filled, each by what stands there and never by what a filling holds.
fn filled(parts: &[(&str, String)]) -> String {
    let mut page = String::new();
    let mut rest = TEMPLATE;
    while let Some((before, after)) = rest.split_once("{{") {
        page += before;
        let (name, after) = after.split_once("}}").unwrap_or((after, ""));
        let part = parts.iter().find(|(known, _)| *known == name);
        page += part.map_or("", |(_, text)| text);
        rest = after;
    }
    page + rest
}

fn compact(value: &impl Serialize) -> Result<String, serde_json::Error> {
    serde_json::to_string(value)
}

/// Makes every text of the data one that only stands there, and none longer than a reader reads.
fn make_inert(value: &mut Value) {
    match value {
        Value::String(text) => *text = inert_text(text),
        Value::Array(values) => values.iter_mut().for_each(make_inert),
        Value::Object(fields) => {
            let all = std::mem::take(fields);
            for (key, mut value) in all {
                match (&*key, &mut value) {
                    // What is to be copied into a shell, or read by the page's model, is whole or nothing.
                    ("command" | "question", Value::String(text)) => *text = cut(text, LONGEST),
                    (_, value) => make_inert(value),
                }
                fields.insert(inert_text(&key), value);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn inert_text(text: &str) -> String {
    // A shader has lines; a name of many thousand characters in one line is no name.
    cut(
        text,
        match text.chars().take(LONGEST + 1).any(|c| c == '\n') {
            true => LONGEST,
            false => LONGEST_LINE,
        },
    )
}

/// So many characters of a text at the most, with nothing that steers.
fn cut(text: &str, most: usize) -> String {
    let clean: String = text
        .chars()
        .take(LONGEST + 1)
        .map(|c| match c {
            '\n' | '\t' => c,
            c => escape::inert(c),
        })
        .collect();
    if clean.chars().count() <= most {
        return clean;
    }
    let kept: String = clean.chars().take(most).collect();
    let left_out = text.chars().count() - most;
    format!("{kept}… ({left_out} more characters are in the record)")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn the_libraries_are_those_that_the_readme_names() {
        let readme = include_str!("../../assets/page/README.md");
        for (file, script) in [("vendor/d3.min.js", D3), ("vendor/plot.umd.min.js", PLOT)] {
            let hash: String = Sha256::digest(script)
                .iter()
                .map(|b| format!("{b:02x}"))
                .collect();
            let row = readme
                .lines()
                .find(|line| line.contains(&format!("`{file}`")));
            assert!(
                row.is_some_and(|row| row.contains(&hash)),
                "{file} has the hash {hash}"
            );
        }
    }

    #[test]
    fn the_model_was_built_from_the_source_that_is_here() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut here = ["assets/page/invest.wasm.gz", "src/record/stable_hash.rs"]
            .map(str::to_owned)
            .to_vec();
        for folder in ["src/invest", "src/units"] {
            for entry in fs::read_dir(root.join(folder)).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                if name.ends_with(".rs") {
                    here.push(format!("{folder}/{name}"));
                }
            }
        }
        here.sort();
        let written = fs::read_to_string(root.join("assets/page/invest.sha256")).unwrap();
        let of = |file: &String| {
            let mut bytes = fs::read(root.join(file)).unwrap();
            if file.ends_with(".rs") {
                // As it is in the repository, whatever line ends this copy has.
                bytes.retain(|byte| *byte != b'\r');
            }
            let hash: String = Sha256::digest(bytes)
                .iter()
                .map(|b| format!("{b:02x}"))
                .collect();
            format!("{hash}  {file}")
        };
        let now: Vec<String> = here.iter().map(of).collect();
        let then: Vec<String> = written
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(str::to_owned)
            .collect();
        let differ = |line: &&String| !(now.contains(line) && then.contains(line));
        let differing: Vec<&String> = now.iter().chain(&then).filter(differ).collect();
        assert!(
            differing.is_empty(),
            "run scripts/build-invest-wasm: the source of the page's model changed in {differing:#?}"
        );
    }

    #[test]
    fn no_script_can_end_its_element() {
        for script in [D3, PLOT, PAGE, INVESTMENT, WORKER] {
            let low = script.to_lowercase();
            assert!(!low.contains("</script") && !low.contains("<!--"));
        }
    }

    #[test]
    fn long_and_hostile_texts_are_cut_and_inert() {
        let long = inert_text(&"x".repeat(1_000_000));
        assert!(
            long.chars().count() < 2_100 && long.contains("998000 more"),
            "{}",
            long.len()
        );
        assert_eq!(inert_text("a\u{202e}b\u{1b}c\nd"), "a\u{fffd}b\u{fffd}c\nd");
        assert_eq!(inert_text(&"y\n".repeat(40_000)).len(), 80_000);
    }
}
