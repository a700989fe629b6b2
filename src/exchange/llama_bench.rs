//! llama-bench's JSON, an array or a row a line. A file is one process; a row is a model with so many tokens of
//! prompt or of output, and its repetitions are samples. What is judged is tokens per second.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::dates::stated;
use super::import::{ImportOptions, ImportedCase, ImportedFile, Importer};
use crate::error::Result;
use crate::record::Better;

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

/// Settings that a name mentions where the rows of a file differ in them, by the tool's own short options.
const SETTINGS: [(&str, &str); 14] = [
    ("n_batch", "b"),
    ("n_ubatch", "ub"),
    ("n_threads", "t"),
    ("type_k", "ctk"),
    ("type_v", "ctv"),
    ("n_gpu_layers", "ngl"),
    ("n_cpu_moe", "ncmoe"),
    ("split_mode", "sm"),
    ("main_gpu", "mg"),
    ("no_kv_offload", "nkvo"),
    ("flash_attn", "fa"),
    ("tensor_split", "ts"),
    ("use_mmap", "mmp"),
    ("devices", "dev"),
];

fn read(path: &Path, _options: &ImportOptions) -> Result<ImportedFile> {
    let mut file = ImportedFile::default();
    let rows: Vec<LlamaRow> = file.rows(IMPORTER.read_json_rows(path)?);
    let varies: Vec<(&str, &str)> = SETTINGS
        .into_iter()
        .filter(|(key, _)| {
            rows.iter()
                .any(|row| row.rest.get(*key) != rows[0].rest.get(*key))
        })
        .collect();
    let backends = rows.iter().find_map(|row| row.backends.clone());
    for row in &rows {
        file.measured(row.test_time.as_deref().and_then(stated));
        let name = named(row, &varies);
        match speeds(row) {
            Some(speeds) => file.cases.push(ImportedCase {
                device: device(row),
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
fn named(row: &LlamaRow, varies: &[(&str, &str)]) -> String {
    let file = row.model_filename.as_deref().map(|path| {
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
        name.trim_end_matches(".gguf").to_owned()
    });
    let model = row
        .model_type
        .clone()
        .or(file)
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
    for (key, short) in varies {
        let value = match row.rest.get(*key) {
            None => continue,
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        name += &format!(" {short}={value}");
    }
    name
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
