//! The energy of anything that takes a while: windows are opened and closed by name while sensors are polled.
//!
//! What runs is not known here: it may draw any power at any time. So nothing is assumed of it. A sensor that looks
//! only now and then keeps the width that follows from that, and a window in which a sensor gave too few values has no
//! joules.

use std::collections::BTreeMap;

use super::energy::{
    EnergyEffort, EnergyTask, LoadGroup, Observation, SensorTiming, characterise, estimate,
};
use super::{Poll, PowerSource, Quantity, SensorSampler, Series, Timeline};
use crate::record::{
    Boundary, EnergyProvenance, EnergySum, MonitoredWindow, PowerSetup, Reading, SensorEnergy,
};
use crate::stats::Interval;
use crate::units::{Seconds, Watts};

/// Time between two polls.
const INTERVAL: Seconds = Seconds(0.005);

/// Time that a device takes to come down from its load.
const SETTLE: Seconds = Seconds(0.5);

/// Sensors that are polled, and windows.
#[derive(Debug)]
pub struct EnergyMonitor {
    timeline: Timeline,
    sampler: SensorSampler,
    setups: Vec<PowerSetup>,
    series: Vec<Series>,
    open: BTreeMap<String, Seconds>,
    closed: Vec<ClosedWindow>,
    begun: Seconds,
}

/// A window that was begun and ended.
#[derive(Debug)]
struct ClosedWindow {
    name: String,
    from: Seconds,
    to: Seconds,
    /// Whether it was never ended.
    left_open: bool,
}

/// A window that was not used as windows are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WindowMisuse {
    /// It is open already.
    #[error("window {0:?} is open already; end it first, or give the new one another name")]
    OpenAlready(String),
    /// No window of this name is open.
    #[error("no window {0:?} is open; begin it first")]
    NotOpen(String),
    /// It ends before it begins.
    #[error("window {0:?} would end before it begins")]
    Reversed(String),
}

impl EnergyMonitor {
    /// Starts to poll sensors.
    pub fn start(sources: Vec<Box<dyn PowerSource>>, timeline: &Timeline) -> Self {
        let setups: Vec<PowerSetup> = sources.iter().map(|s| s.setup().clone()).collect();
        Self {
            timeline: timeline.clone(),
            begun: timeline.now(),
            sampler: SensorSampler::start(sources, timeline, INTERVAL),
            series: vec![Series::default(); setups.len()],
            setups,
            open: BTreeMap::new(),
            closed: Vec::new(),
        }
    }

    /// Time on the clock of the windows.
    pub fn now(&self) -> Seconds {
        self.timeline.now()
    }

    /// Opens a window.
    ///
    /// # Errors
    /// One of this name is open.
    pub fn begin(&mut self, name: &str) -> Result<(), WindowMisuse> {
        self.begin_at(name, self.now())
    }

    /// Opens a window that began at a time.
    ///
    /// # Errors
    /// One of this name is open.
    pub fn begin_at(&mut self, name: &str, at: Seconds) -> Result<(), WindowMisuse> {
        if self.open.contains_key(name) {
            return Err(WindowMisuse::OpenAlready(name.to_owned()));
        }
        self.open.insert(name.to_owned(), at);
        Ok(())
    }

    /// Closes a window.
    ///
    /// # Errors
    /// None of this name is open.
    pub fn end(&mut self, name: &str) -> Result<(), WindowMisuse> {
        self.end_at(name, self.now())
    }

    /// Closes a window that ended at a time.
    ///
    /// # Errors
    /// None of this name is open, or it began later.
    pub fn end_at(&mut self, name: &str, at: Seconds) -> Result<(), WindowMisuse> {
        self.close(name, at, false)
    }

    /// Closes the windows that are still open, at the time at which what was measured ended, and says of each that
    /// it was never ended.
    ///
    /// # Errors
    /// Of a window that began then or later.
    pub fn end_open_at(&mut self, at: Seconds) -> Vec<Result<String, WindowMisuse>> {
        let open: Vec<String> = self.open.keys().cloned().collect();
        open.into_iter()
            .map(|name| self.close(&name, at, true).map(|()| name))
            .collect()
    }

    fn close(&mut self, name: &str, to: Seconds, left_open: bool) -> Result<(), WindowMisuse> {
        let from = self
            .open
            .remove(name)
            .ok_or_else(|| WindowMisuse::NotOpen(name.to_owned()))?;
        if to.get() <= from.get() {
            return Err(WindowMisuse::Reversed(name.to_owned()));
        }
        self.closed.push(ClosedWindow {
            name: name.to_owned(),
            from,
            to,
            left_open,
        });
        Ok(())
    }

    /// Polls on until readings of what went before have come, then says what each window cost. Idle that lies between
    /// the start and `load_from` is taken for idle before. Windows that are still open end now, and say that they were
    /// left open.
    pub fn finish(mut self, load_from: Seconds) -> (Vec<PowerSetup>, Vec<MonitoredWindow>) {
        let end = self.now();
        drop(self.end_open_at(end));
        // The same rest after the load as before it, once the device has come down.
        let rest = load_from - self.begun;
        let after = (end + SETTLE, end + SETTLE + rest);
        let mut waited = Seconds(0.0);
        while waited.get() < (SETTLE + rest + self.tail()).get() {
            std::thread::sleep(std::time::Duration::from_millis(50));
            waited = self.now() - end;
            self.listen();
        }
        for (series, setup) in self.series.iter().zip(&mut self.setups) {
            characterise(series, load_from).enter(setup);
        }
        let idle = [(self.begun, load_from), after];
        let windows = self
            .closed
            .iter()
            .map(|window| self.window(window, idle))
            .collect();
        (self.setups, windows)
    }

    /// Takes over what the sensors said; to be called now and then, of a long window.
    pub fn listen(&mut self) {
        for (sensor, series) in self.series.iter_mut().enumerate() {
            series.extend(self.sampler.polls(sensor));
        }
    }

    /// Time after a window until the slowest sensor has said all of it.
    fn tail(&mut self) -> Seconds {
        const LEAST: f64 = 0.25;
        const MOST: f64 = 3.0;
        self.listen();
        let slowest = self.series.iter().map(|series| {
            let times: Vec<f64> = series.updates().iter().map(|u| u.at.get()).collect();
            let gaps = times.windows(2).map(|pair| pair[1] - pair[0]);
            2.0 * gaps.fold(0.0, f64::max)
        });
        Seconds(slowest.fold(LEAST, f64::max).min(MOST))
    }

    /// What a window cost.
    fn window(&self, window: &ClosedWindow, idle: [(Seconds, Seconds); 2]) -> MonitoredWindow {
        let (from, to) = (window.from, window.to);
        let energies: Vec<SensorEnergy> = self
            .series
            .iter()
            .zip(&self.setups)
            .map(|(series, setup)| energy(series, setup, (from, to), idle))
            .collect();
        MonitoredWindow {
            name: window.name.clone(),
            duration_s: (to - from).get(),
            left_open: window.left_open,
            sums: sums(&self.setups, &energies),
            energies,
        }
    }
}

/// A sensor in time under a load of which nothing is known.
fn timing(setup: &PowerSetup) -> SensorTiming {
    let timing = SensorTiming::of(setup);
    let known = setup.averaging_s.measured().is_some()
        || matches!(setup.provenance, EnergyProvenance::Counter);
    let uncertainty = match known {
        true => timing.lag_uncertainty,
        // A load that rises looks like a sensor that follows slowly, so it may be as quick as any: three of them
        // reach to no lag.
        false => Seconds(timing.lag_uncertainty.get().max(timing.lag.get() / 3.0)),
    };
    SensorTiming {
        // What runs is no steady load that could be met at other phases.
        phases: 1,
        lag_uncertainty: uncertainty,
        ..timing
    }
}

/// What one sensor says of a window.
fn energy(
    series: &Series,
    setup: &PowerSetup,
    (from, to): (Seconds, Seconds),
    idle: [(Seconds, Seconds); 2],
) -> SensorEnergy {
    let timing = timing(setup);
    let observation = Observation {
        idle_before: idle[0],
        warm_up: Seconds(0.0),
        groups: vec![LoadGroup {
            marks: vec![from, to],
            executions: 1,
            round: 0,
        }],
        idle_after: idle[1],
        stopped: None,
        conditions: Vec::new(),
    };
    let energy = estimate(
        series,
        setup,
        &timing,
        &EnergyEffort::SCREENING,
        &observation,
    )
    .map_err(|why| why.of(EnergyTask::Command));
    SensorEnergy {
        source: setup.source.clone(),
        mean_w: match &energy {
            Ok(window) => Reading::Measured(window.gross_j / window.duration_s),
            Err(why) => Reading::unmeasured(why.to_string()),
        },
        peak_w: peak(
            &series.without_slips(),
            (from + timing.lag, to + timing.lag),
        )
        .map(|watts| watts.get() * setup.gain.factor)
        .ok_or_else(|| "the sensor gave no two values in the window".to_owned())
        .into(),
        energy: energy.into(),
    }
}

/// The highest power that one value says; of a counter, between two values.
fn peak(series: &Series, (from, to): (Seconds, Seconds)) -> Option<Watts> {
    let updates = series.updates();
    let inside = || {
        updates
            .iter()
            .filter(|update| update.at.get() >= from.get() && update.at.get() <= to.get())
    };
    // Also of a value that stays, which is no update.
    let said = series.between(from, to).filter_map(Poll::power);
    let said = said.map(|(_, watts)| watts);
    // Between two values of a quick counter lies too little time to divide by.
    const LEAST: f64 = 0.1;
    let mut counted = Vec::new();
    let mut last = None;
    for update in inside() {
        let Quantity::Energy(joules) = update.value else {
            continue;
        };
        match last {
            Some((at, before)) if (update.at - at) >= Seconds(LEAST) => {
                counted.push(((joules - before) / (update.at - at)).get());
                last = Some((update.at, joules));
            }
            Some(_) => {}
            None => last = Some((update.at, joules)),
        }
    }
    said.chain(counted).reduce(f64::max).map(Watts)
}

/// Sums over sensors of one boundary, where there are several and each has its joules.
fn sums(setups: &[PowerSetup], energies: &[SensorEnergy]) -> Vec<EnergySum> {
    let mut boundaries: Vec<Boundary> = Vec::new();
    for setup in setups {
        if !boundaries.contains(&setup.boundary) {
            boundaries.push(setup.boundary);
        }
    }
    let sum = |boundary: Boundary| {
        let of: Vec<_> = setups
            .iter()
            .zip(energies)
            .filter(|(setup, _)| setup.boundary == boundary)
            .map(|(_, energy)| energy.energy.measured())
            .collect::<Option<_>>()?;
        let of_boundary = setups.iter().filter(|setup| setup.boundary == boundary);
        // Two sensors of one device see its energy twice.
        if of.len() < 2 || share_a_device(of_boundary) {
            return None;
        }
        let total =
            |part: fn(&crate::record::EnergyWindow) -> f64| of.iter().map(|w| part(w)).sum();
        Some(EnergySum {
            boundary,
            sensors: of.len(),
            gross_j: total(|w| w.gross_j),
            gross_interval_j: Interval::new(
                total(|w| w.gross_interval_j.low),
                total(|w| w.gross_interval_j.high),
            ),
        })
    };
    boundaries.into_iter().filter_map(sum).collect()
}

/// Whether two of these sensors are one device's: their names differ in what is read of it and in nothing else
/// (`amdgpu:0000:03:00.0:energy` and `…:average`). Whatever is simulated makes up the same one device, and what is made
/// up goes into no sum.
fn share_a_device<'a>(setups: impl Iterator<Item = &'a PowerSetup>) -> bool {
    let mut devices: Vec<&str> = Vec::new();
    for setup in setups {
        let device = match setup.source.rsplit_once(':') {
            Some((device, quantity)) if quantity.chars().all(char::is_alphabetic) => device,
            _ => setup.source.as_str(),
        };
        if setup.simulated || devices.contains(&device) {
            return true;
        }
        devices.push(device);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::power::Sample;
    use crate::record::EnergyWindow;

    /// Half a minute of a source that is polled each 5 ms, says `watts` of the time, and stamps its values each
    /// `stamped` seconds until it falls silent.
    fn polled(stamped: f64, silent_from: f64, watts: impl Fn(f64) -> f64) -> Series {
        let mut series = Series::default();
        series.extend((0..6000).map(|n| {
            let now = f64::from(n) * 0.005;
            let at = (now.min(silent_from) / stamped + 1e-9).floor() * stamped;
            Poll {
                at: Seconds(now),
                outcome: Ok(Sample {
                    at: Seconds(at),
                    value: Quantity::Power(Watts(watts(at))),
                }),
            }
        }));
        series
    }

    /// What it says of the 20 s from the fifth second on, and the period that it is found to have.
    fn window_of(series: &Series) -> (Reading<EnergyWindow>, Option<f64>) {
        let mut setup = PowerSetup::new(
            "command:x",
            "command",
            EnergyProvenance::IntegratedPower,
            Boundary::Unknown,
        );
        characterise(series, Seconds(5.0)).enter(&mut setup);
        let idle = [(0.0, 5.0), (27.5, 29.0)].map(|(from, to)| (Seconds(from), Seconds(to)));
        let energy = energy(series, &setup, (Seconds(5.0), Seconds(25.0)), idle).energy;
        (energy, setup.update_period_s.measured().copied())
    }

    /// 50 W, and 200 W from the fifth second to the twenty-fifth, with a little that differs from value to value.
    fn busy(at: f64) -> f64 {
        let wobble = (at * 7.3).sin();
        match (5.0..25.0).contains(&at) {
            true => 200.0 + wobble,
            false => 50.0 + 0.2 * wobble,
        }
    }

    #[test]
    fn a_peak_is_no_lower_than_the_mean() {
        let steady = |at: f64| {
            if (5.0..25.0).contains(&at) {
                200.0
            } else {
                50.0
            }
        };
        let series = polled(0.05, 1e9, steady);
        let peak = peak(&series, (Seconds(5.5), Seconds(24.5)));
        assert_eq!(peak, Some(Watts(200.0)));
    }

    #[test]
    fn a_meter_that_froze_under_load_has_no_energy() {
        let (fine, _) = window_of(&polled(0.05, 1e9, busy));
        assert!(fine.measured().is_some(), "{fine:?}");
        let (frozen, _) = window_of(&polled(
            0.05,
            1e9,
            |at| {
                if at < 12.0 { busy(at) } else { 57.3 }
            },
        ));
        let why = frozen.reason().unwrap_or_default();
        assert!(why.contains("froze"), "{frozen:?}");
        // Work that ends early leaves the machine at rest, which is no fault of the meter.
        let (early, _) = window_of(&polled(
            0.05,
            1e9,
            |at| {
                if at < 12.0 { busy(at) } else { 50.0 }
            },
        ));
        assert!(early.measured().is_some(), "{early:?}");
    }

    #[test]
    fn slips_of_a_meter_cost_themselves_only() {
        let slips = |at: f64| (at / 0.05).round() as u64 % 50 == 7;
        let series = polled(0.05, 1e9, |at| {
            busy(at) * if slips(at) { 1000.0 } else { 1.0 }
        });
        let (energy, _) = window_of(&series);
        let window = energy.measured().unwrap_or_else(|| panic!("{energy:?}"));
        let interval = window.gross_interval_j;
        assert!(
            interval.low < 4000.0 && 4000.0 < interval.high,
            "{interval:?}"
        );
        assert!(window.gross_j < 4400.0, "{}", window.gross_j);
        let doubted = window.doubted.as_ref().expect("slips are named");
        assert!(doubted.example.contains("once"), "{doubted:?}");
    }

    /// The same as a mean power.
    fn measured(series: &Series) -> (Result<f64, String>, Option<f64>) {
        let (energy, period) = window_of(series);
        let watts = energy
            .measured()
            .map(|window| window.gross_j / window.duration_s);
        let watts = watts.ok_or_else(|| energy.reason().unwrap_or_default().to_owned());
        (watts, period)
    }

    #[test]
    fn a_command_whose_power_rises_is_not_taken_for_a_slow_meter() {
        for (stamped, late) in [(1.0, 0.0), (1.0, 0.6), (0.5, 0.0), (0.2, 0.3)] {
            for slope in [5.0, 10.0] {
                let truth = |at: f64| match (5.0..25.1).contains(&at) {
                    true => 100.0 + slope * (at - 5.0),
                    false => 50.0,
                };
                let (energy, _) = window_of(&polled(stamped, 1e9, |at| truth(at - late)));
                let interval = energy.measured().unwrap().gross_interval_j;
                let joules = 20.0 * (100.0 + 10.0 * slope);
                assert!(
                    interval.low <= joules && joules <= interval.high,
                    "{stamped} {late} {slope}: {joules} {interval:?}"
                );
            }
        }
    }

    #[test]
    fn a_steady_meter_that_goes_on_is_neither_silent_nor_frozen() {
        let steady: [fn(f64) -> f64; 3] = [
            |_| 151.2,
            |at| if at < 20.5 { 151.2 } else { 151.3 },
            |at| {
                if (4.0..11.0).contains(&at) || at > 22.0 {
                    152.0
                } else {
                    151.0
                }
            },
        ];
        for watts in steady {
            let (mean, period) = measured(&polled(1.0, 1e9, watts));
            assert!(
                mean.as_ref().is_ok_and(|mean| (mean - 151.5).abs() < 0.6),
                "{mean:?}"
            );
            assert!(
                period.is_some_and(|period| (period - 1.0).abs() < 0.1),
                "{period:?}"
            );
        }
    }

    #[test]
    fn a_meter_whose_stamps_stand_still_has_no_figure() {
        for silent_from in [6.0, 12.0] {
            let (mean, _) = measured(&polled(1.0, silent_from, |_| 151.2));
            assert!(mean.is_err(), "{mean:?}");
        }
    }

    #[test]
    fn a_source_that_is_asked_more_often_than_it_measures_is_as_slow_as_it_measures() {
        let (_, period) = measured(&polled(0.02, 1e9, |at| 100.0 + (at + 1e-6).floor() % 7.0));
        assert!(
            period.is_some_and(|period| (period - 1.0).abs() < 0.1),
            "{period:?}"
        );
        let (_, period) = measured(&polled(0.5, 1e9, |at| {
            100.0 + (at / 5.0 + 1e-6).floor() % 7.0
        }));
        assert!(
            period.is_some_and(|period| (period - 5.0).abs() < 0.5),
            "{period:?}"
        );
    }

    #[test]
    fn only_sensors_of_several_real_devices_are_summed() {
        let setup = |(name, simulated): (&str, bool)| {
            let provenance = EnergyProvenance::Counter;
            let mut setup = PowerSetup::new(name, "test", provenance, Boundary::Board);
            setup.simulated = simulated;
            setup
        };
        let cards = ["nvml:0000:01:00.0:energy", "nvml:0000:02:00.0:energy"];
        let shared = |sensors: [(&str, bool); 2]| share_a_device(sensors.map(setup).iter());
        assert!(!shared(cards.map(|card| (card, false))));
        assert!(shared([
            (cards[0], false),
            ("nvml:0000:01:00.0:instant", false)
        ]));
        assert!(shared([
            ("simulated:rapl", true),
            ("simulated:amd-accumulator", true)
        ]));
        assert!(shared([(cards[0], false), ("simulated:rapl", true)]));
    }
}
