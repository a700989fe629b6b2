//! `perwatt power calibrate`: a sensor against a better one, so that later runs know its gain.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use crate::bench::{SensorComparison, compare_sensors};
use crate::cli::args::power::places_from_environment;
use crate::cli::exit::Exit;
use crate::cli::support::output::{print, tell};
use crate::cli::support::survey::{again_without_broken_drivers, survey};
use crate::device::{Gpu, Survey, choose, find_adapter};
use crate::power::calibration::Calibrations;
use crate::process::ProgramImage;
use crate::record::{Adapter, Gain, GainUncertainty, now_utc};
use crate::units::{Seconds, fine_percent};

/// Compare a sensor with a reference under load and store its gain for later runs.
///
/// The device runs the peak probe for each window, with idle between. If the two measure different things, such as a
/// card and a plug, only the power above idle is compared. The gain then includes the power supply's loss and whatever
/// else the machine draws under load.
#[derive(Debug, Args)]
pub(in super::super) struct Calibrate {
    /// The sensor, by its name in `perwatt power list`
    #[arg(long, value_name = "SOURCE")]
    sensor: String,

    /// The trusted reference, such as a plug or a lab meter
    #[arg(long, value_name = "SOURCE")]
    reference: String,

    /// The device to put under load
    #[arg(long, value_name = "SEL")]
    device: Option<String>,

    /// Windows to compare
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=100))]
    windows: u32,

    /// Seconds of load per window
    #[arg(long, default_value_t = 60.0, value_name = "SECONDS", value_parser = super::watch::seconds)]
    seconds: f64,

    /// File that keeps the gains [default: PERWATT_CALIBRATION, else the user's data folder]
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
}

impl Calibrate {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        let places = places_from_environment();
        let path = self
            .store
            .clone()
            .or_else(|| places.calibrations.clone())
            .context("no data folder of the user is known; name a file with --store")?;
        // A file that cannot be read is known before minutes are spent.
        let mut known = Calibrations::load(&path)?;
        let program = ProgramImage::of_this_process()?;
        let seen = survey(&program)?;
        if let Some(exit) = again_without_broken_drivers(&program, &seen)? {
            return Ok(exit);
        }
        let gpu = self.open(&seen)?;
        let comparison = compare_sensors(
            &gpu,
            [&self.sensor, &self.reference],
            self.windows,
            Seconds(self.seconds),
            &places,
        )?;
        let gain = comparison.gain(&now_utc());
        print(&page(&comparison, &gain, &path))?;
        known.sensors.insert(comparison.sensor.source.clone(), gain);
        known.save(&path)?;
        Ok(Exit::Done)
    }

    /// Opens the device that is put under load.
    fn open(&self, seen: &Survey) -> anyhow::Result<Gpu> {
        let adapters: Vec<&Adapter> = seen.adapters.iter().collect();
        let adapter = choose(&adapters, self.device.as_deref())?;
        let chosen =
            find_adapter(adapter, seen.access(adapter).twin).context("the device is gone")?;
        tell(&format!(
            "{} windows of {} of load on {}",
            self.windows,
            Seconds(self.seconds),
            adapter.label()
        ));
        Ok(Gpu::open(&chosen)?)
    }
}

/// The ratios of the windows and the gain that follows.
fn page(comparison: &SensorComparison, gain: &Gain, file: &Path) -> String {
    let simulated = comparison.sensor.simulated || comparison.reference.simulated;
    let ratios: Vec<String> = comparison
        .ratios
        .iter()
        .map(|ratio| format!("{ratio:.4}"))
        .collect();
    let (GainUncertainty::Standard(share) | GainUncertainty::Within(share)) = gain.uncertainty;
    format!(
        "{}{} ÷ {}{}: {}\nGain {:.4}, standard uncertainty {}, kept in {}\n",
        if simulated { "SIMULATED: " } else { "" },
        comparison.reference.source,
        comparison.sensor.source,
        if comparison.above_idle {
            ", above idle"
        } else {
            ""
        },
        ratios.join(" "),
        gain.factor,
        fine_percent(share),
        file.display()
    )
}
