//! vkpeak's text: one rate a line, `fp32-vec4 = 11124.36 GFLOPS`. A file is one process. What the device does not
//! support is printed as zero, which is no measurement and is left out.

use std::path::Path;

use super::import::{ImportOptions, ImportedCase, ImportedFile, Importer};
use super::text::read_text;
use crate::error::Result;
use crate::record::Better;

/// A file is one process.
pub(super) const IMPORTER: Importer = Importer {
    name: "vkpeak",
    hint: "`vkpeak 0 2> FILE` writes one",
    marks: &["fp32-scalar", "GFLOPS"],
    read,
};

fn read(path: &Path, _options: &ImportOptions) -> Result<ImportedFile> {
    let mut file = ImportedFile::default();
    for line in read_text(path)?.lines() {
        let Some((name, value)) = line.split_once('=') else {
            continue;
        };
        let (name, value) = (name.trim(), value.trim());
        match name {
            "device" => file.device = Some(value.to_owned()),
            "driver" => file.version = Some(value.to_owned()),
            _ => {
                let Some((number, unit)) = value.split_once(' ') else {
                    continue;
                };
                match number.parse::<f64>() {
                    Ok(rate) if rate > 0.0 => {
                        let case = ImportedCase::measured(name, &[rate], unit, Better::Larger);
                        file.cases.push(case);
                    }
                    Ok(_) => file.leave_out(name, "is 0, which stands for not supported"),
                    Err(_) => file.leave_out(name, &format!("{number:?} is no number")),
                }
            }
        }
    }
    Ok(file)
}
