//! Options about power sensors, and the places that the environment names.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

#[cfg(feature = "bench")]
use crate::power::sensors::meter_names;
use crate::power::sensors::{Places, gpus_on_bus};
use crate::record::LONGEST_S;

/// The text of `--power`, with the meters that there are.
#[cfg(feature = "bench")]
pub(in crate::cli) fn power_help() -> String {
    format!(
        "Power sensor: `auto` for the best one that belongs to the device, `none`, a name from `perwatt power \
         list`, a meter ({}), or simulated:PROFILE[,KEY=VALUE…]",
        meter_names()
    )
}

/// How long a driver may take to list its devices or to start at all, where `PERWATT_DRIVER_TIMEOUT` gives
/// seconds; what is none is passed over, and commands that survey the drivers refuse it.
pub(in crate::cli) fn driver_limit() -> Option<Duration> {
    let seconds: f64 = std::env::var(DRIVER_TIMEOUT).ok()?.parse().ok()?;
    (seconds > 0.0).then(|| Duration::from_secs_f64(seconds.clamp(0.1, LONGEST_S)))
}

/// How much longer a driver may take to start for each GPU on the bus: without NVIDIA's persistence mode each process
/// starts all cards anew, in two to four seconds each.
const PER_GPU: Duration = Duration::from_secs(5);

/// Gives a slow driver longer, in seconds.
pub(in crate::cli) const DRIVER_TIMEOUT: &str = "PERWATT_DRIVER_TIMEOUT";

/// The places that `PERWATT_SYSFS_ROOT`, `PERWATT_NVML` and `PERWATT_CALIBRATION` name, else the system's and
/// the user's own.
pub(in crate::cli) fn places_from_environment() -> Places {
    let path = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let usual = Places::default();
    let mut places = Places {
        start_limit: usual.start_limit,
        sysfs: path("PERWATT_SYSFS_ROOT").unwrap_or(usual.sysfs),
        nvml: path("PERWATT_NVML"),
        calibrations: path("PERWATT_CALIBRATION")
            .or_else(|| users_calibrations(path("LOCALAPPDATA"))),
    };
    places.start_limit = driver_limit().unwrap_or_else(|| {
        let gpus = u32::try_from(gpus_on_bus(&places).len()).unwrap_or(0);
        usual.start_limit + PER_GPU * gpus
    });
    places
}

/// The file of gains in the user's data folder. Windows had it in the local folder until 1.0; one that still
/// lies there is used.
fn users_calibrations(local: Option<PathBuf>) -> Option<PathBuf> {
    use etcetera::BaseStrategy;
    let usual = etcetera::choose_base_strategy().ok()?.data_dir();
    let file_in = |folder: PathBuf| folder.join("perwatt").join("calibration.json");
    let usual = file_in(usual);
    let earlier = local
        .map(file_in)
        .filter(|file| file.exists() && !usual.exists());
    Some(earlier.unwrap_or(usual))
}

/// Where sensors are looked for.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Where sensors are looked for")]
pub(in crate::cli) struct PlacesArgs {
    /// Root of the system's device files [default: PERWATT_SYSFS_ROOT, else /sys]
    #[arg(long, value_name = "DIR")]
    sysfs_root: Option<PathBuf>,
    /// NVIDIA's library [default: PERWATT_NVML, else the system's]
    #[arg(long, value_name = "FILE")]
    nvml: Option<PathBuf>,
}

impl PlacesArgs {
    /// The places that were given, else those of the environment.
    pub(in crate::cli) fn places(&self) -> Places {
        let environment = places_from_environment();
        Places {
            sysfs: self.sysfs_root.clone().unwrap_or(environment.sysfs),
            nvml: self.nvml.clone().or(environment.nvml),
            ..environment
        }
    }
}
