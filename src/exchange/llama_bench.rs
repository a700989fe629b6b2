//! llama-bench's JSON, an array or a row a line. A file is one process; a row is a model with so many tokens of
//! prompt or of output, and its repetitions are samples. What is judged is tokens per second.
//! The other settings are kept beside the name.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::dates::stated;
use super::import::{ImportOptions, ImportedCase, ImportedFile, Importer};
use super::text::read_text;
use crate::error::{Error, Result};
use crate::record::{Better, ToolSetup};

/// A file is one process.
pub(super) const IMPORTER: Importer = Importer {
    name: "llama-bench",
    hint: "`llama-bench -o json` or `-o jsonl` prints one",
    marks: &["\"avg_ts\"", "\"n_prompt\""],
    read,
};

#[derive(Deserialize)]
struct LlamaRow {
    model_type: Option<String>,
    model_filename: Option<String>,
    gpu_info: Option<String>,
    cpu_info: Option<String>,
    backends: Option<String>,
    test_time: Option<String>,
    #[serde(default)]
    n_prompt: u64,
    #[serde(default)]
    n_gen: u64,
    #[serde(default)]
    n_depth: u64,
    avg_ts: Option<f64>,
    #[serde(default)]
    samples_ts: Vec<f64>,
    #[serde(default)]
    samples_ns: Vec<f64>,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

/// Keys of a row that are no settings: figures, what its name says, and the build, which is what two files are
/// compared for.
const NO_SETTINGS: [&str; 5] = [
    "avg_ns",
    "stddev_ns",
    "stddev_ts",
    "build_commit",
    "build_number",
];

/// What to do with llama-bench's CSV, where a file is that.
fn csv(path: &Path) -> Option<Error> {
    let text = read_text(path).ok()?;
    let header = text.lines().next()?;
    (header.contains(',') && header.contains("avg_ts") && !header.contains('{')).then(|| {
        Error::file(
            path,
            "is llama-bench's CSV; print JSON by `-o json`, or take --from csv --columns \
             case=model_type,case=n_prompt,case=n_gen,larger=avg_ts",
        )
    })
}

fn read(path: &Path, _options: &ImportOptions) -> Result<ImportedFile> {
    let mut file = ImportedFile::default();
    let rows: Vec<LlamaRow> = file.rows(
        IMPORTER
            .read_json_rows(path)
            .map_err(|e| csv(path).unwrap_or(e))?,
    );
    let backends = rows.iter().find_map(|row| row.backends.clone());
    for row in &rows {
        file.measured(row.test_time.as_deref().and_then(stated));
        let name = named(row);
        match speeds(row) {
            Some(speeds) => file.cases.push(ImportedCase {
                device: device(row),
                setup: Some(ToolSetup {
                    benchmark: name.clone(),
                    settings: settings(row),
                }),
                ..ImportedCase::measured(name, &speeds, "tok/s", Better::Larger)
            }),
            None => file.leave_out(&name, "has neither `samples_ts` nor `avg_ts`"),
        }
    }
    // The build is what two files are compared for, so it is no part of where they were measured.
    file.version = backends;
    Ok(file)
}

/// What a row is about, as the tool's own table has it: `llama 8B Q4_K - Medium pp512`.
fn named(row: &LlamaRow) -> String {
    let model = row
        .model_type
        .clone()
        .or_else(|| model_file(row))
        .unwrap_or_else(|| "model".to_owned());
    let test = match (row.n_prompt, row.n_gen) {
        (prompt, 0) => format!("pp{prompt}"),
        (0, output) => format!("tg{output}"),
        (prompt, output) => format!("pp{prompt}+tg{output}"),
    };
    let mut name = format!("{model} {test}");
    if row.n_depth > 0 {
        name += &format!(" @ d{}", row.n_depth);
    }
    name
}

/// The file of the model, wherever it lay.
fn model_file(row: &LlamaRow) -> Option<String> {
    let path = row.model_filename.as_deref()?;
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    Some(name.trim_end_matches(".gguf").to_owned())
}

/// Everything else that a row states: each key that another version adds is one more setting.
fn settings(row: &LlamaRow) -> BTreeMap<String, String> {
    let mut settings: BTreeMap<String, String> = row
        .rest
        .iter()
        .filter(|(key, _)| !NO_SETTINGS.contains(&key.as_str()))
        .map(|(key, value)| {
            let text = value.as_str().map(str::to_owned);
            (key.clone(), text.unwrap_or_else(|| value.to_string()))
        })
        .collect();
    let processor = row.cpu_info.clone().filter(|_| device(row) != row.cpu_info);
    let named = [("model_filename", model_file(row)), ("cpu_info", processor)];
    settings.extend(
        named
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value?))),
    );
    settings
}

/// Tokens per second of each repetition.
fn speeds(row: &LlamaRow) -> Option<Vec<f64>> {
    let tokens = (row.n_prompt + row.n_gen) as f64;
    if !row.samples_ts.is_empty() {
        Some(row.samples_ts.clone())
    } else if !row.samples_ns.is_empty() && tokens > 0.0 {
        Some(row.samples_ns.iter().map(|ns| 1e9 * tokens / ns).collect())
    } else {
        row.avg_ts.map(|speed| vec![speed])
    }
}

/// What the model ran on: the GPU, unless none of it did.
fn device(row: &LlamaRow) -> Option<String> {
    let said = |text: &Option<String>| {
        let text = text.as_deref()?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let on_cpu = row.rest.get("n_gpu_layers").and_then(Value::as_i64) == Some(0);
    match on_cpu {
        true => said(&row.cpu_info).or(said(&row.gpu_info)),
        false => said(&row.gpu_info).or(said(&row.cpu_info)),
    }
}
