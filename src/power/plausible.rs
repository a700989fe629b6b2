//! Readings that no device can have, told from those that it may.
//!
//! Drivers answer all ones when they do not know, firmware counts eight times too fast, and a power of zero
//! is what is said of a device that is off. Such a reading must cost itself and nothing else. Every sensor is
//! read through this one door, so that a new family cannot forget it.

use super::{Fault, PowerSource, Quantity, Sample};
use crate::record::{Conditions, PlausiblePower, PowerSetup, Reading};
use crate::units::{Joules, Seconds, Watts};

/// Less than any device draws while it is on; drivers that say powers say them in milliwatts.
pub(crate) const LEAST: Watts = Watts(1e-3);

/// How far above its driver's limit a device may go for the time that a reading averages over.
const HEADROOM: f64 = 2.0;

/// The same of a limit that the driver states for moments.
const PEAK_HEADROOM: f64 = 1.2;

/// A small limit says little: fans and memory may not be in it.
const LEAST_BOUND: Watts = Watts(50.0);

/// Energy that may arrive at once because a counter moves in steps, as time at full power.
const STEP: Seconds = Seconds(0.25);

/// What a driver says of the most that its device may draw.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct DriverLimits {
    /// For lasting load.
    pub(crate) lasting: Option<Watts>,
    /// For moments.
    pub(crate) peak: Option<Watts>,
}

/// What a family of sensors says of its devices.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ClassBounds {
    /// Less than any draws; zero for a part that may be off.
    pub(crate) least: Watts,
    /// More than any draws.
    pub(crate) most: Watts,
}

impl ClassBounds {
    /// Those of devices that are on, which draw no more than this.
    pub(crate) const fn up_to(most: Watts) -> Self {
        Self { least: LEAST, most }
    }

    /// What one device can have, whose driver states these limits.
    pub(crate) fn with(self, limits: DriverLimits) -> PlausiblePower {
        // Zero and numbers above the class are how drivers say that they do not know.
        let sensible = |limit: Option<Watts>| {
            limit.filter(|limit| limit.get() > 1.0 && limit.get() < self.most.get())
        };
        let (lasting, peak) = (sensible(limits.lasting), sensible(limits.peak));
        let by_lasting = lasting.map(|limit| limit * HEADROOM);
        let by_peak = peak.map(|limit| limit * PEAK_HEADROOM);
        let by_driver = match (by_lasting, by_peak) {
            (Some(lasting), Some(peak)) => Some(Watts(lasting.get().max(peak.get()))),
            (lasting, peak) => lasting.or(peak),
        };
        let most = by_driver.map(|most| most.get().max(LEAST_BOUND.get()).min(self.most.get()));
        PlausiblePower {
            least_w: self.least.get(),
            most_w: most.unwrap_or(self.most.get()),
            limit_w: lasting
                .map(Watts::get)
                .ok_or_else(|| "the driver states no limit".to_owned())
                .into(),
            most_from: match lasting.or(peak) {
                Some(limit) => format!("from the driver's limit of {limit}"),
                None => "the most of its kind".to_owned(),
            },
        }
    }
}

/// A sensor whose readings are doubted where its device cannot have them.
pub(crate) struct Plausible {
    source: Box<dyn PowerSource>,
    setup: PowerSetup,
    range: PlausiblePower,
    counted: Option<Counted>,
}

/// What a counter said last, and how much more its device may have drawn by then than it did: counters move in
/// steps, and a step is not a power.
#[derive(Clone, Copy, Debug)]
struct Counted {
    at: Seconds,
    joules: Joules,
    allowance: Joules,
}

impl Plausible {
    /// The same sensor, read through this door.
    pub(crate) fn new(source: Box<dyn PowerSource>, range: PlausiblePower) -> Self {
        let setup = PowerSetup {
            plausible: Some(range.clone()),
            ..source.setup().clone()
        };
        Self {
            source,
            setup,
            range,
            counted: None,
        }
    }

    /// A power as it was read, if the device can have it.
    fn power(&self, watts: Watts) -> Result<(), Fault> {
        let PlausiblePower {
            least_w, most_w, ..
        } = self.range;
        let name = &self.setup.source;
        let value = watts.get();
        if value.is_finite() && value >= least_w && value <= most_w {
            return Ok(());
        }
        let why = if value < least_w {
            "which no running device draws; it does not know".to_owned()
        } else {
            format!(
                "and no such device draws more than {} ({})",
                Watts(most_w),
                self.range.most_from
            )
        };
        Err(Fault::Doubted(format!("{name} says {watts}, {why}")))
    }

    /// A counter's energy, if the device can have drawn it since the readings before.
    fn energy(&mut self, at: Seconds, joules: Joules) -> Result<(), Fault> {
        let most = Watts(self.range.most_w);
        let full = most * STEP;
        let Some(last) = self.counted else {
            self.counted = Some(Counted {
                at,
                joules,
                allowance: full,
            });
            return Ok(());
        };
        let (passed, drawn) = (at - last.at, joules - last.joules);
        if drawn == Joules(0.0) {
            // What it draws meanwhile comes with the next step.
            return Ok(());
        }
        let earned = (last.allowance + most * passed)
            .get()
            .min((full + most * passed).get());
        let left = earned - drawn.get();
        let sane = left.is_finite() && left >= 0.0;
        self.counted = Some(Counted {
            at,
            joules,
            allowance: if sane {
                Joules(left.min(full.get()))
            } else {
                full
            },
        });
        if sane {
            return Ok(());
        }
        Err(Fault::Lost(format!(
            "{} counts faster than {most} ({}), which its device cannot draw; what it counted is not used",
            self.setup.source, self.range.most_from
        )))
    }
}

impl PowerSource for Plausible {
    fn setup(&self) -> &PowerSetup {
        &self.setup
    }

    fn read(&mut self, now: Seconds) -> Result<Sample, Fault> {
        let sample = self.source.read(now)?;
        match sample.value {
            Quantity::Power(watts) => self.power(watts)?,
            Quantity::Energy(joules) => self.energy(sample.at, joules)?,
        }
        Ok(sample)
    }

    fn conditions(&mut self) -> Conditions {
        self.source.conditions()
    }
}

/// What doubts a power that overflows 16 bits of milliwatts: it never exceeds them, it jumps across their range,
/// and the device may draw far more.
pub(crate) fn overflows_16_bits(watts: &[f64], limit: &Reading<f64>) -> bool {
    const RANGE_W: f64 = 65.536;
    /// Jumps that a load's own steps seldom make.
    const JUMPS: usize = 4;
    let far_more = limit.measured().is_some_and(|limit| *limit > 2.0 * RANGE_W);
    let below = watts.iter().all(|watts| *watts < RANGE_W);
    let reaches = |low: f64, high: f64| {
        watts
            .iter()
            .any(|w| *w >= low * RANGE_W && *w <= high * RANGE_W)
    };
    let jumps = watts
        .windows(2)
        .filter(|pair| (pair[1] - pair[0]).abs() > 0.4 * RANGE_W)
        .count();
    far_more && below && reaches(0.0, 0.15) && reaches(0.85, 1.0) && jumps >= JUMPS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Boundary, EnergyProvenance};

    /// A sensor that says one thing after another, a hundred times a second.
    struct Script {
        setup: PowerSetup,
        values: Vec<Quantity>,
        next: usize,
    }

    impl PowerSource for Script {
        fn setup(&self) -> &PowerSetup {
            &self.setup
        }

        fn read(&mut self, now: Seconds) -> Result<Sample, Fault> {
            let value = self.values[self.next % self.values.len()];
            self.next += 1;
            Ok(Sample { at: now, value })
        }
    }

    fn script(range: PlausiblePower, values: Vec<Quantity>) -> Plausible {
        let setup = PowerSetup::new(
            "x:1",
            "x",
            EnergyProvenance::IntegratedPower,
            Boundary::Board,
        );
        let script = Script {
            setup,
            values,
            next: 0,
        };
        Plausible::new(Box::new(script), range)
    }

    fn of_limit(lasting: f64, peak: Option<f64>) -> PlausiblePower {
        ClassBounds::up_to(Watts(5000.0)).with(DriverLimits {
            lasting: Some(Watts(lasting)),
            peak: peak.map(Watts),
        })
    }

    #[test]
    fn a_power_beyond_the_device_is_doubted_and_names_the_limit() {
        let mut sensor = script(
            of_limit(700.0, None),
            [150.0, 4_294_967.295, 0.0, 1e-12, f64::NAN, 1399.0]
                .map(|w| Quantity::Power(Watts(w)))
                .to_vec(),
        );
        let mut said = Vec::new();
        for step in 0..6 {
            said.push(sensor.read(Seconds(0.01 * f64::from(step))));
        }
        assert!(said[0].is_ok() && said[5].is_ok(), "{said:?}");
        for doubted in &said[1..5] {
            assert!(matches!(doubted, Err(Fault::Doubted(_))), "{doubted:?}");
        }
        let words = said[1].as_ref().unwrap_err().to_string();
        assert!(words.contains("limit of 700 W"), "{words}");
    }

    #[test]
    fn a_counter_that_is_too_fast_is_found_out_however_often_it_is_read() {
        // 8 times 151 W, limits of 150 W and 328 W, read every 10 ms.
        for (watts, sane) in [(1208.0, false), (151.0, true), (300.0, true)] {
            let values = (0..300)
                .map(|i| Quantity::Energy(Joules(watts * 0.01 * f64::from(i))))
                .collect();
            let mut sensor = script(of_limit(150.0, Some(328.0)), values);
            let faults = (0..300)
                .filter(|i| sensor.read(Seconds(0.01 * f64::from(*i))).is_err())
                .count();
            assert_eq!(faults == 0, sane, "{watts} W: {faults}");
        }
    }

    #[test]
    fn a_counter_that_moves_in_big_steps_is_believed() {
        // 300 W, a new value every 2 s, read every 10 ms, below a limit of 450 W.
        let values = (0..1000)
            .map(|i| Quantity::Energy(Joules(600.0 * f64::from(i / 200))))
            .collect();
        let mut sensor = script(of_limit(450.0, None), values);
        for i in 0..1000 {
            let read = sensor.read(Seconds(0.01 * f64::from(i)));
            assert!(read.is_ok(), "{i}: {read:?}");
        }
    }

    #[test]
    fn limits_that_say_nothing_leave_the_class() {
        let class = ClassBounds::up_to(Watts(2000.0));
        for nonsense in [0.0, 4095.0, 1e9] {
            let limits = DriverLimits {
                lasting: Some(Watts(nonsense)),
                peak: None,
            };
            assert_eq!(class.with(limits).most_w.to_bits(), 2000.0_f64.to_bits());
        }
        // A laptop's lasting limit says little of its moments.
        let laptop = class.with(DriverLimits {
            lasting: Some(Watts(15.0)),
            peak: Some(Watts(64.0)),
        });
        assert!(laptop.most_w > 70.0, "{laptop:?}");
    }

    #[test]
    fn sixteen_bits_of_milliwatts_are_seen_to_overflow() {
        let swing = |mean: f64, amplitude: f64| -> Vec<f64> {
            (0..40)
                .map(|i| mean + amplitude * (f64::from(i) * 0.9).sin())
                .collect()
        };
        let wrapped: Vec<f64> = swing(150.0, 40.0).iter().map(|w| w % 65.536).collect();
        let limit = Reading::Measured(700.0);
        assert!(overflows_16_bits(&wrapped, &limit));
        assert!(!overflows_16_bits(&swing(45.0, 18.0), &limit));
        assert!(!overflows_16_bits(&swing(150.0, 40.0), &limit));
        assert!(!overflows_16_bits(&wrapped, &Reading::Measured(75.0)));
    }
}
