//! Gains that `perwatt power calibrate` found, kept for later runs.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::record::{Document, DocumentKind, Gain, PowerSetup, load_document, save_document};

/// The version of the file.
const VERSION: &str = "1.0.0";

/// The gains of a machine's sensors, by the name of the sensor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibrations {
    /// `perwatt-calibration`; the first files carry no mark.
    #[serde(default = "mark")]
    pub kind: String,
    /// Semantic version of this format; the first files state none.
    #[serde(default = "first_version")]
    pub schema_version: String,
    /// By source.
    pub sensors: BTreeMap<String, Gain>,
}

impl Calibrations {
    /// Reads a file; none is no calibration.
    ///
    /// # Errors
    /// The file is there and cannot be read, or is no such file.
    pub fn load(path: &Path) -> Result<Self> {
        match path.try_exists() {
            Ok(false) => Ok(Self::default()),
            _ => load_document(path),
        }
    }

    /// Writes the file and the folder that it is in.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        save_document(self, path)
    }
}

impl Default for Calibrations {
    fn default() -> Self {
        Self {
            kind: mark(),
            schema_version: first_version(),
            sensors: BTreeMap::new(),
        }
    }
}

/// The version of files that state none.
fn first_version() -> String {
    VERSION.to_owned()
}

fn mark() -> String {
    DocumentKind::Calibration.mark().to_owned()
}

impl Document for Calibrations {
    const KIND: DocumentKind = DocumentKind::Calibration;
    const VERSION: &'static str = VERSION;
    const NAME: &'static str = "a file of sensor calibrations";
    const HINT: &'static str = "delete it and run `perwatt power calibrate` again";

    fn kind(&self) -> Option<&str> {
        Some(&self.kind)
    }

    fn version(&self) -> &str {
        &self.schema_version
    }

    fn check(&self) -> Result<(), String> {
        for (source, gain) in &self.sensors {
            let off = gain.uncertainty.standard();
            if !(gain.factor > 0.0 && gain.factor.is_finite() && off >= 0.0 && off.is_finite()) {
                return Err(format!(
                    "the gain of {source} is not a positive number with an uncertainty"
                ));
            }
        }
        Ok(())
    }
}

/// Enters the gain that is kept for a sensor, where there is one; a file that cannot be used is noted.
pub fn apply(setup: &mut PowerSetup, file: Option<&Path>) {
    let Some(file) = file else { return };
    match Calibrations::load(file) {
        Ok(known) => {
            if let Some(gain) = known.sensors.get(&setup.source) {
                setup.gain = gain.clone();
            }
        }
        Err(error) => setup.notes.push(format!("calibration not used: {error}")),
    }
}
