//! BabelStream's `--csv`. A file is one process, or several whose output was appended. Each function's mean time is
//! a sample.

use std::collections::HashMap;
use std::path::Path;

use super::import::{ImportOptions, ImportedCase, ImportedFile, Importer};
use super::text::read_text;
use crate::error::{Error, Result};
use crate::units::Seconds;

/// A file is one process.
pub(super) const IMPORTER: Importer = Importer {
    name: "babelstream",
    hint: "`BENCH --csv > FILE` writes one",
    marks: &["function,num_times,n_elements,sizeof,"],
    read,
};

/// Elements that a function moves for each of its arrays' elements.
const MOVES: [(&str, u64); 6] = [
    ("Copy", 2),
    ("Mul", 2),
    ("Add", 3),
    ("Triad", 3),
    ("Dot", 2),
    ("Nstream", 4),
];

fn read(path: &Path, _options: &ImportOptions) -> Result<ImportedFile> {
    let text = read_text(path)?;
    let mut file = ImportedFile::default();
    let mut found: HashMap<String, usize> = HashMap::new();
    let mut header: Option<Vec<&str>> = None;
    for line in text.lines() {
        let cells: Vec<&str> = line.split(',').map(str::trim).collect();
        match (cells.first(), &header) {
            (Some(&"function"), _) => header = Some(cells),
            // The table of the set-up phases has no times of kernels.
            (Some(&"phase"), _) => header = None,
            (Some(name), Some(header)) if cells.len() >= header.len() && !name.is_empty() => {
                let row: HashMap<&str, &str> = header.iter().copied().zip(cells.clone()).collect();
                add(&mut file, &mut found, name, &row);
            }
            _ => {}
        }
    }
    if file.cases.is_empty() && file.left_out.is_empty() {
        return Err(Error::file(
            path,
            format!(
                "has no line that begins with `function,num_times`; {}",
                IMPORTER.hint
            ),
        ));
    }
    Ok(file)
}

/// Adds one row.
fn add(
    file: &mut ImportedFile,
    found: &mut HashMap<String, usize>,
    function: &str,
    row: &HashMap<&str, &str>,
) {
    let number = |column: &str| row.get(column)?.parse::<f64>().ok();
    let size = row.get("n_elements").copied().unwrap_or("?");
    let dtype = match row.get("sizeof").copied() {
        Some("4") => "f32",
        Some("8") => "f64",
        _ => "?",
    };
    let name = format!("{function} {dtype} n={size}");
    // In the mode that runs triad alone, one time covers all repetitions.
    let whole = || Some(number("runtime")? / number("num_times")?);
    let Some(mean_s) = number("avg_runtime").or_else(whole) else {
        return file.leave_out(&name, "has neither `avg_runtime` nor `runtime`");
    };
    let whole_number = |column: &str| row.get(column)?.parse::<u64>().ok();
    let moves = MOVES.iter().find(|(known, _)| *known == function);
    let bytes = moves.and_then(|(_, moves)| {
        let elements = whole_number("n_elements")?;
        elements
            .checked_mul(whole_number("sizeof")?)?
            .checked_mul(*moves)
    });
    let index = *found.entry(name.clone()).or_insert_with(|| {
        file.cases.push(ImportedCase {
            bytes,
            ..ImportedCase::timed(name, vec![Vec::new()])
        });
        file.cases.len() - 1
    });
    if let Some(samples) = file.cases[index].processes.first_mut() {
        samples.push(Seconds(mean_s).ns());
    }
}
