//! Gains that `perwatt power calibrate` found, kept for later runs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::record::{Gain, PowerSetup, write_atomically};

/// Names the file, for those who keep it elsewhere.
pub const VARIABLE: &str = "PERWATT_CALIBRATION";

/// The gains of a machine's sensors, by the name of the sensor.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibrations {
    /// By source.
    pub sensors: BTreeMap<String, Gain>,
}

impl Calibrations {
    /// Reads a file; none is no calibration.
    ///
    /// # Errors
    /// The file is there and cannot be read, or is no such file.
    pub fn load(path: &Path) -> Result<Self> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => return Err(Error::io(path, error)),
        };
        let read: Self = serde_json::from_str(&text).map_err(|e| {
            Error::file(
                path,
                format!("no file of calibrations: {e}; delete it and calibrate anew"),
            )
        })?;
        for (source, gain) in &read.sensors {
            let off = gain.uncertainty.standard();
            if !(gain.factor > 0.0 && gain.factor.is_finite() && off >= 0.0 && off.is_finite()) {
                return Err(Error::file(
                    path,
                    format!("the gain of {source} is no positive number with an uncertainty"),
                ));
            }
        }
        Ok(read)
    }

    /// Writes the file and the folder that it is in.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|source| Error::io(folder, source))?;
        }
        let mut text = serde_json::to_string_pretty(self)
            .map_err(|e| Error::file(path, format!("cannot be written as JSON: {e}")))?;
        text.push('\n');
        write_atomically(path, text.as_bytes())
    }
}

/// Where the calibrations are: what the environment says, else the user's data folder.
pub fn path() -> Option<PathBuf> {
    let folder = |name: &str| {
        std::env::var_os(name)
            .filter(|v| !v.is_empty())
            .map(PathBuf::from)
    };
    if let Some(path) = folder(VARIABLE) {
        return Some(path);
    }
    let data = folder("XDG_DATA_HOME")
        .or_else(|| folder("LOCALAPPDATA"))
        .or_else(|| folder("HOME").map(|home| home.join(".local").join("share")))?;
    Some(data.join("perwatt").join("calibration.json"))
}

/// Enters the gain that is kept for a sensor, where there is one; a file that cannot be used is noted.
pub fn apply(setup: &mut PowerSetup) {
    let Some(path) = path() else { return };
    match Calibrations::load(&path) {
        Ok(known) => {
            if let Some(gain) = known.sensors.get(&setup.source) {
                setup.gain = gain.clone();
            }
        }
        Err(error) => setup.notes.push(format!("calibration not used: {error}")),
    }
}
