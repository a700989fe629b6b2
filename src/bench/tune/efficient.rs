//! The most energy-efficient candidate of those whose energy was measured.

use crate::workload::Kernel;

/// A candidate with the energy that was measured of it.
#[derive(Clone, Debug)]
pub(super) struct EnergyCandidate {
    pub(super) kernel: Kernel,
    pub(super) time_ns: f64,
    /// Energy of one execution.
    pub(super) energy_j: f64,
    /// Half of its interval without the sensor's gain, which all candidates share.
    pub(super) half_width_j: f64,
    /// Measured how often.
    pub(super) turns: u32,
    /// The sensor.
    pub(super) sensor: String,
}

/// The one that takes the least energy. Where others cannot be told from it by what was measured, the
/// quickest of them: nothing says that it takes more energy, and it takes less time.
pub(super) fn most_efficient(measured: &[EnergyCandidate]) -> Option<&EnergyCandidate> {
    let least = measured
        .iter()
        .min_by(|a, b| a.energy_j.total_cmp(&b.energy_j))?;
    let cannot_be_told = |other: &&EnergyCandidate| {
        other.energy_j - least.energy_j <= other.half_width_j.hypot(least.half_width_j)
    };
    measured
        .iter()
        .filter(cannot_be_told)
        .min_by(|a, b| a.time_ns.total_cmp(&b.time_ns))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn energy_that_cannot_be_told_apart_leaves_the_choice_to_time() {
        let measured = |name, time_ns, energy_j, half_width_j| EnergyCandidate {
            kernel: Kernel::new(name, &[]),
            time_ns,
            energy_j,
            half_width_j,
            turns: 3,
            sensor: String::new(),
        };
        let slow = measured("slow", 2.0, 9.8, 0.2);
        let quick = measured("quick", 1.0, 10.0, 0.2);
        let chosen = |all: &[EnergyCandidate]| most_efficient(all).map(|w| w.kernel.name.clone());
        assert_eq!(chosen(&[slow.clone(), quick.clone()]), Some("quick".into()));
        let efficient = measured("efficient", 3.0, 9.0, 0.2);
        assert_eq!(chosen(&[slow, quick, efficient]), Some("efficient".into()));
        assert_eq!(chosen(&[]), None);
    }
}
