//! What was published of the power readings of each generation of NVIDIA's chips.

use nvml_wrapper::enums::device::DeviceArchitecture;

use crate::record::{PowerSetup, Reading};

/// The readings of a card, in the order of trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NvmlReading {
    /// The energy counter.
    Energy,
    /// Field 186: the power of the newest sample.
    Instant,
    /// `nvmlDeviceGetPowerUsage`: instant before Ampere and on GA100, else an average.
    Usage,
    /// Field 185: the power averaged over a second.
    Average,
    /// Field 186 of the whole module.
    ModuleInstant,
    /// Field 185 of the whole module.
    ModuleAverage,
}

impl NvmlReading {
    pub(super) const ALL: [Self; 6] = [
        Self::Energy,
        Self::Instant,
        Self::Usage,
        Self::Average,
        Self::ModuleInstant,
        Self::ModuleAverage,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Energy => "energy",
            Self::Instant => "instant",
            Self::Usage => "usage",
            Self::Average => "average",
            Self::ModuleInstant => "module-instant",
            Self::ModuleAverage => "module-average",
        }
    }
}

/// How long the power sensor of a generation of chips looks, and how often; from the measurements of
/// Yang, Adamek and Armour (Oxford), "Part-time Power Measurements", 2024.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GpuGeneration {
    /// GH100.
    Hopper,
    /// Ada and GA10x.
    AdaOrGa10x,
    /// GA100.
    Ga100,
    Turing,
    /// Volta and Pascal.
    VoltaOrPascal,
    /// Older or newer than was measured.
    Other,
}

impl GpuGeneration {
    pub(super) fn of(architecture: Option<&DeviceArchitecture>, name: &str) -> Self {
        let ga100 = ["A100", "A100X", "A30", "A30X", "A800", "170HX", "PG506"]
            .iter()
            .any(|chip| {
                name.split([' ', '-', '_'])
                    .any(|word| word.eq_ignore_ascii_case(chip))
            });
        match architecture {
            Some(DeviceArchitecture::Hopper) => Self::Hopper,
            Some(DeviceArchitecture::Ampere) if ga100 => Self::Ga100,
            Some(DeviceArchitecture::Ada | DeviceArchitecture::Ampere) => Self::AdaOrGa10x,
            Some(DeviceArchitecture::Turing) => Self::Turing,
            Some(DeviceArchitecture::Volta | DeviceArchitecture::Pascal) => Self::VoltaOrPascal,
            _ => Self::Other,
        }
    }

    /// Averaging time and period in seconds of a reading of power.
    fn averaging(self, kind: NvmlReading) -> Option<(f64, f64)> {
        let averaged = match kind {
            NvmlReading::Average | NvmlReading::ModuleAverage => true,
            NvmlReading::Usage => matches!(self, Self::Hopper | Self::AdaOrGa10x),
            _ => false,
        };
        match self {
            Self::Other => None,
            _ if averaged => Some((1.0, 0.1)),
            Self::Hopper | Self::Ga100 => Some((0.025, 0.1)),
            Self::AdaOrGa10x | Self::Turing => Some((0.1, 0.1)),
            Self::VoltaOrPascal => Some((0.01, 0.02)),
        }
    }
}

/// States what was published of this reading on this generation.
pub(super) fn profile(setup: &mut PowerSetup, generation: GpuGeneration, kind: NvmlReading) {
    let Some((averaging, period)) = generation.averaging(kind) else {
        let unknown = "not published for this generation of chips";
        setup.averaging_s = Reading::unmeasured(unknown);
        setup.coverage = Reading::unmeasured(unknown);
        return;
    };
    // Hopper's instant readings see a quarter of the time; its average may be made of them.
    let looks_unknown = generation == GpuGeneration::Hopper && averaging > period;
    setup.averaging_s = Reading::Measured(averaging);
    setup.coverage = if looks_unknown {
        Reading::unmeasured("not known whether this average is built from short samples")
    } else {
        Reading::Measured((averaging / period).min(1.0))
    };
    // Readings averaged over 100 ms follow a step within 0.31 s, those averaged over a second within one.
    setup.response_s = Reading::Measured(f64::max(averaging, 0.31));
    setup.notes.push(format!(
        "published of this generation: a new value every {} ms, over {} ms",
        period * 1e3,
        averaging * 1e3
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_measured_of_a_generation_is_applied_to_it() {
        let of = |architecture, name| GpuGeneration::of(Some(&architecture), name);
        let a100 = of(DeviceArchitecture::Ampere, "NVIDIA A100-SXM4-80GB");
        assert_eq!(a100.averaging(NvmlReading::Usage), Some((0.025, 0.1)));
        let rtx = of(DeviceArchitecture::Ampere, "NVIDIA GeForce RTX 3090");
        assert_eq!(rtx.averaging(NvmlReading::Usage), Some((1.0, 0.1)));
        assert_eq!(rtx.averaging(NvmlReading::Instant), Some((0.1, 0.1)));
        assert_eq!(
            of(DeviceArchitecture::Blackwell, "B200").averaging(NvmlReading::Instant),
            None
        );
        for name in [
            "NVIDIA CMP 170HX",
            "NVIDIA A100X",
            "NVIDIA A30X",
            "NVIDIA PG506-232",
            "NVIDIA A800 40GB Active",
        ] {
            assert_eq!(
                of(DeviceArchitecture::Ampere, name),
                GpuGeneration::Ga100,
                "{name}"
            );
        }
        let a3000 = of(DeviceArchitecture::Ampere, "NVIDIA RTX A3000");
        assert_eq!(a3000, GpuGeneration::AdaOrGa10x);
    }
}
