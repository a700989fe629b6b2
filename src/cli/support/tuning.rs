//! What `tune` and `run --tune` share: searching, keeping what was found, and using it.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;

use super::output::tell;
use super::progress::TuneBar;
use crate::bench::Workers;
use crate::bench::tune::{self, Applied, Objective, SearchResult, Store};
use crate::cli::args::measure::Tuned;
use crate::cli::args::power::places_from_environment;
use crate::device::AdapterAccess;
use crate::power::{self, Selection, Timeline};
use crate::process::ProgramImage;
use crate::record::Adapter;
use crate::workload::CaseKernel;

/// Total time of `--quick`.
const QUICK_S: f64 = 150.0;

/// Time of one search otherwise.
const SEARCH_S: f64 = 120.0;

/// How much all searches of a command may cost together, and what for.
#[derive(Debug)]
pub(in crate::cli) struct SearchEffort<'a> {
    /// Seconds, where the user gave some.
    pub(in crate::cli) total_s: Option<f64>,
    /// Whether it should be over soon.
    pub(in crate::cli) quick: bool,
    /// The sensor that was asked for.
    pub(in crate::cli) power: &'a Selection,
    /// Seed of the inputs and of the order of candidates.
    pub(in crate::cli) seed: u64,
}

impl SearchEffort<'_> {
    /// The sensor to weigh candidates by, if there is one.
    fn sensor(&self, adapter: &Adapter) -> Selection {
        let there = match self.power {
            Selection::Auto if self.quick => false,
            asked => {
                power::open(asked, adapter, &Timeline::new(), &places_from_environment()).is_ok()
            }
        };
        if there {
            self.power.clone()
        } else {
            Selection::None
        }
    }

    /// Time of so many searches.
    fn time(&self, searches: usize, power: &Selection) -> Duration {
        let usual = if self.quick {
            QUICK_S
        } else {
            SEARCH_S * searches as f64
        };
        let weighing = if matches!(power, Selection::None) {
            1.0
        } else {
            2.0
        };
        let total_s = self.total_s.unwrap_or(usual * weighing);
        Duration::from_secs_f64(total_s.clamp(1.0, 1e6))
    }
}

/// The device that is tuned.
#[derive(Debug)]
pub(in crate::cli) struct TunedDevice<'a> {
    /// Its adapter.
    pub(in crate::cli) adapter: &'a Adapter,
    /// The program whose workers get at it.
    pub(in crate::cli) program: &'a ProgramImage,
    /// How they do.
    pub(in crate::cli) access: &'a AdapterAccess,
}

/// Searches every planned kernel that has parameters; what each search finds is kept at once.
pub(in crate::cli) fn search_all(
    store: &Store,
    device: &TunedDevice<'_>,
    planned: &[CaseKernel],
    effort: &SearchEffort<'_>,
    interrupted: &AtomicBool,
) -> anyhow::Result<Vec<(CaseKernel, SearchResult)>> {
    let subjects = tune::subjects(planned);
    if subjects.is_empty() {
        tell(
            "None of the chosen kernels has parameters to tune. A kernel of a workload file declares them, as in \
             `tune = { wg = [64, 128] }`.",
        );
    }
    let adapter = device.adapter;
    let workers = Workers {
        program: device.program.clone(),
        access: device.access.clone(),
        deadline: Duration::from_secs(60),
        counts_cpu: false,
    };
    let power = effort.sensor(adapter);
    let total = effort.time(subjects.len(), &power);
    let started = Instant::now();
    let mut bar = TuneBar::new(subjects.len());
    let mut searched = Vec::new();
    let searches = subjects.len();
    for (at, subject) in subjects.into_iter().enumerate() {
        let left = total.saturating_sub(started.elapsed());
        let one = tune::Effort {
            // What one search leaves over is the others'.
            time: left / u32::try_from(searches - at).unwrap_or(1),
            power: power.clone(),
            seed: effort.seed,
        };
        let found = tune::search(&subject, adapter, &workers, one, &mut bar, interrupted)?;
        let mut known = store.load(adapter)?;
        for entry in &found.entries {
            known.put(entry.clone());
        }
        if !found.entries.is_empty() {
            store.save(&known)?;
        }
        searched.push((subject, found));
        if interrupted.load(Ordering::Relaxed) {
            break;
        }
    }
    Ok(searched)
}

/// Gives planned kernels their tuned parameters and says what became of them.
pub(in crate::cli) fn apply(
    store: &Store,
    adapter: &Adapter,
    planned: &mut [CaseKernel],
    tuned: Tuned,
) -> anyhow::Result<()> {
    let objective = match tuned {
        Tuned::Off => return Ok(()),
        Tuned::Time => Objective::Time,
        Tuned::Energy => Objective::Energy,
    };
    let Applied {
        tuned,
        transferred,
        stale,
    } = store.load(adapter)?.apply(planned, adapter, objective);
    if tuned > 0 {
        let kernels = if tuned == 1 { "kernel" } else { "kernels" };
        tell(&format!(
            "Tuned parameters for {tuned} {kernels}; --tuned off uses the defaults."
        ));
    }
    if transferred > 0 {
        tell(&format!(
            "Parameters tuned for a similar case for {transferred} more; the record names it."
        ));
    }
    if !stale.is_empty() {
        tell(&format!(
            "Tuned with another perwatt or other shaders and not used (run `perwatt tune` again): {}",
            stale.join(", ")
        ));
    }
    Ok(())
}

/// Where the tuning files lie.
pub(in crate::cli) fn store(folder: Option<&Path>) -> anyhow::Result<Store> {
    use etcetera::BaseStrategy;
    if let Some(folder) = folder {
        return Ok(Store::new(folder));
    }
    if let Some(folder) = std::env::var_os("PERWATT_TUNING").filter(|folder| !folder.is_empty()) {
        return Ok(Store::new(folder));
    }
    let base = etcetera::choose_base_strategy()
        .context("no data folder of the user is known; give one with --tuning DIR")?;
    Ok(Store::new(base.data_dir().join("perwatt").join("tuning")))
}
