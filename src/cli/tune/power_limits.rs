//! `perwatt tune --power-limit`: the same cases at several power limits, interleaved, so that time can be weighed
//! against energy.
//!
//! Each invocation is a `perwatt run --invocations 1`, as in a comparison of two sides. Another process sets the limit
//! and puts it back, also if this one is killed.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use anyhow::{Context, bail};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64;

use crate::bench::energy_without_gain;
use crate::bench::interleave::merge;
use crate::cli::exit::Exit;
use crate::cli::power_limit_keeper::{LimitState, PowerLimitKeeper};
use crate::cli::support::interrupts::Keeping;
use crate::cli::support::output::tell;
use crate::cli::support::output_file::{OutputFile, OutputFileKind};
use crate::cli::support::progress::TurnsBar;
use crate::cli::support::turn::{invocation, remove_abandoned_turns};
use crate::power::Selection;
use crate::process::ProgramImage;
use crate::record::{self, Adapter, CaseResult, Reading, Record};
use crate::report::LimitRow;

/// Invocations at each limit: as many as give an interval.
const ROUNDS: u32 = 3;

/// Limits of `auto`.
const STEPS: u32 = 5;

/// The lowest of `auto` where the driver states none, as a share of the default.
const LEAST_SHARE: f64 = 0.5;

/// Which limits to try.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::cli) enum LimitChoice {
    /// Some between the driver's lowest and its default.
    Auto,
    /// These, in watts.
    Watts(Vec<f64>),
}

/// Parses `auto` or `150,200,250`.
pub(in crate::cli) fn limit_choice(text: &str) -> Result<LimitChoice, String> {
    if text == "auto" {
        return Ok(LimitChoice::Auto);
    }
    let watts = text.split(',').map(|part| {
        let number = part.trim().trim_end_matches(['W', 'w']).trim_end();
        let watts: Option<f64> = number.parse().ok();
        watts
            .filter(|watts| (1.0..=10_000.0).contains(watts))
            .ok_or_else(|| {
                format!(
                    "`{part}` is not a power limit; watts are needed, as in 150,200,250, or auto"
                )
            })
    });
    let mut watts = watts.collect::<Result<Vec<f64>, String>>()?;
    watts.sort_by(f64::total_cmp);
    watts.dedup();
    Ok(LimitChoice::Watts(watts))
}

/// The limits that a choice means on a device, lowest first.
fn steps(choice: &LimitChoice, state: &LimitState) -> anyhow::Result<Vec<f64>> {
    let watts = match choice {
        LimitChoice::Watts(watts) => watts.clone(),
        LimitChoice::Auto => {
            let most = state.default_w.unwrap_or(state.now_w);
            if most <= 0.0 {
                bail!(
                    "--power-limit auto: {} has no limit now and states no default; give the watts",
                    state.device
                );
            }
            let least = state.least_w.unwrap_or(most * LEAST_SHARE);
            let step =
                |n: u32| (least + (most - least) * f64::from(n) / f64::from(STEPS - 1)).round();
            let mut steps: Vec<f64> = (0..STEPS).map(step).collect();
            steps.dedup();
            steps
        }
    };
    let within = |watts: &f64| {
        state.least_w.is_none_or(|least| *watts >= least)
            && state.most_w.is_none_or(|most| *watts <= most)
    };
    if let Some(outside) = watts.iter().find(|watts| !within(watts)) {
        bail!(
            "--power-limit {outside}: {} takes {} to {}",
            state.device,
            state
                .least_w
                .map_or("an unknown minimum".to_owned(), |watts| format!(
                    "{watts} W"
                )),
            state
                .most_w
                .map_or("an unknown maximum".to_owned(), |watts| format!(
                    "{watts} W"
                )),
        );
    }
    Ok(watts)
}

/// What is measured at each limit, and on what.
pub(in crate::cli) struct PowerLimitSweep<'a> {
    pub(in crate::cli) program: &'a ProgramImage,
    pub(in crate::cli) adapter: &'a Adapter,
    pub(in crate::cli) power: &'a Selection,
    /// What `perwatt run` is given.
    pub(in crate::cli) arguments: Vec<OsString>,
    /// Where the result files go.
    pub(in crate::cli) folder: &'a Path,
    /// Whether files there are replaced.
    pub(in crate::cli) force: bool,
    /// Seed of the order of limits.
    pub(in crate::cli) seed: u64,
}

/// What a sweep found.
pub(in crate::cli) struct Swept {
    pub(in crate::cli) rows: Vec<LimitRow>,
    pub(in crate::cli) exit: Exit,
}

/// Records of one limit, an invocation each.
type AtLimit = BTreeMap<usize, Vec<Record>>;

impl PowerLimitSweep<'_> {
    /// Measures everything at each limit in turn, and puts the limit back.
    ///
    /// # Errors
    /// The limit cannot be set, or a record cannot be written.
    pub(in crate::cli) fn run(&self, choice: &LimitChoice) -> anyhow::Result<Swept> {
        let mut keeper = PowerLimitKeeper::start(self.program, self.adapter, self.power)?;
        let before = keeper.before.clone();
        let steps = steps(choice, &before)?;
        let files: Vec<PathBuf> = steps.iter().map(|watts| self.file(*watts)).collect();
        std::fs::create_dir_all(self.folder)
            .with_context(|| format!("cannot create {}", self.folder.display()))?;
        for path in &files {
            self.output(path).check()?;
        }
        remove_abandoned_turns(self.folder)?;
        let listed: Vec<String> = steps.iter().map(f64::to_string).collect();
        tell(&format!(
            "Power limit of {}: currently {} W; measuring at {} W, then restoring it.",
            before.device,
            before.now_w,
            match listed.split_last() {
                Some((last, others)) if !others.is_empty() =>
                    format!("{} and {last}", others.join(", ")),
                _ => listed.concat(),
            }
        ));
        let keeping = Keeping::begin();
        let mut records = AtLimit::new();
        let ended = self.rounds(&mut keeper, &steps, &mut records, keeping.interrupted());
        let back = keeper.give_back();
        // What was finished is kept, whatever ended the rounds.
        let mut rows = Vec::new();
        let mut all_well = true;
        for (step, records) in &records {
            let merged = merge(records).with_context(|| format!("at {} W", steps[*step]))?;
            record::save(&merged, &files[*step])?;
            all_well &= !merged.cases.iter().any(CaseResult::has_failed);
            rows.extend(rows_of(&merged, steps[*step], &files[*step]));
        }
        if !rows.is_empty() {
            tell(&format!("Records: {}", self.folder.display()));
        }
        if let Ok(now) = &back {
            tell(&format!("The power limit is {now} W again."));
        }
        let exit = match (ended, back) {
            (Err(ended), Err(back)) => bail!("{ended:#}; and {back:#}"),
            (Err(only), Ok(_)) | (Ok(_), Err(only)) => return Err(only),
            (Ok(Exit::Done), Ok(_)) if !all_well => Exit::Regression,
            (Ok(exit), Ok(_)) => exit,
        };
        Ok(Swept { rows, exit })
    }

    /// The rounds, each through all limits in another order.
    fn rounds(
        &self,
        keeper: &mut PowerLimitKeeper,
        steps: &[f64],
        records: &mut AtLimit,
        interrupted: &AtomicBool,
    ) -> anyhow::Result<Exit> {
        let mut random = Pcg64::seed_from_u64(self.seed);
        let bar = TurnsBar::new("round", ROUNDS, steps.len(), 0);
        for round in 0..ROUNDS {
            let mut order: Vec<usize> = (0..steps.len()).collect();
            order.shuffle(&mut random);
            for step in order {
                let name = format!("{} W", steps[step]);
                bar.begin(round, &name);
                keeper.set(steps[step])?;
                let mut command = self.program.command();
                command.arg("run").args(&self.arguments);
                let Some(record) = invocation(
                    command,
                    &format!("the run at {name}"),
                    self.folder,
                    interrupted,
                )?
                else {
                    return Ok(Exit::Interrupted);
                };
                records.entry(step).or_default().push(record);
                bar.end();
            }
        }
        Ok(Exit::Done)
    }

    /// The result file of a limit.
    fn file(&self, watts: f64) -> PathBuf {
        self.folder.join(format!("{watts}W.json"))
    }

    fn output<'p>(&self, path: &'p Path) -> OutputFile<'p> {
        OutputFile {
            path,
            kind: OutputFileKind::Measured(None),
            force: self.force,
        }
    }
}

/// The kernels of a limit's record that were measured.
fn rows_of(record: &Record, limit_w: f64, file: &Path) -> Vec<LimitRow> {
    let simulated = record.has_simulated_sensor();
    let measured = record
        .cases
        .iter()
        .filter_map(|case| Some((case, case.figures().ok()?)));
    measured
        .map(|(case, summary)| LimitRow {
            id: case.id(),
            limit_w,
            // Of the executions whose joules are counted: short samples may end before a limit takes hold.
            time_ns: match &summary.window_time_ns {
                Some(Reading::Measured(in_window)) => in_window.clone(),
                _ => summary.time_ns.clone(),
            },
            verified: !record.is_unverified(case),
            power_w: summary.power_w.clone(),
            energy_j: summary.energy_j.clone(),
            energy_half_width_j: energy_without_gain(&case.invocations)
                .and_then(|energy| energy.interval.map(|interval| interval.half_width())),
            simulated,
            file: file.to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(least_w: Option<f64>, most_w: Option<f64>) -> LimitState {
        LimitState {
            device: "card".to_owned(),
            now_w: 300.0,
            least_w,
            most_w,
            default_w: Some(450.0),
        }
    }

    #[test]
    fn limits_are_watts_within_what_the_driver_takes() {
        let watts = |text| limit_choice(text).unwrap();
        assert_eq!(
            watts("250W, 150,200 w,150"),
            LimitChoice::Watts(vec![150.0, 200.0, 250.0])
        );
        for wrong in ["", "0", "-5", "1e9", "nan", "150;200", "150,,200"] {
            assert!(limit_choice(wrong).is_err(), "{wrong}");
        }
        let known = state(Some(150.0), Some(500.0));
        assert_eq!(
            steps(&LimitChoice::Auto, &known).unwrap(),
            [150.0, 225.0, 300.0, 375.0, 450.0]
        );
        let lowest = steps(&LimitChoice::Auto, &state(None, None)).unwrap()[0];
        assert!((lowest - 225.0).abs() < 1e-9, "{lowest}");
        let unlimited = LimitState {
            now_w: 0.0,
            default_w: None,
            ..state(None, None)
        };
        assert!(steps(&LimitChoice::Auto, &unlimited).is_err());
        for outside in [149.0, 501.0] {
            let error = steps(&LimitChoice::Watts(vec![outside]), &known).unwrap_err();
            assert!(error.to_string().contains("150 W to 500 W"), "{error}");
        }
    }
}
