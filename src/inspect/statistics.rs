//! From a driver's statistics, in the driver's own words, to figures with one name each.

use super::isa;
use super::vulkan_device::DriverReport;
use crate::record::{CompilerStatistics, LoopSummary, Reading};

/// What a driver said of a shader.
pub(super) fn statistics(compiled: &DriverReport) -> CompilerStatistics {
    let find = |names: &[&str]| {
        names.iter().find_map(|name| {
            let found = compiled
                .statistics
                .iter()
                .find(|(given, _)| given.eq_ignore_ascii_case(name));
            found.map(|(_, value)| *value).filter(|v| v.is_finite())
        })
    };
    let whole = |names: &[&str]| {
        find(names)
            .filter(|value| *value >= 0.0 && *value <= f64::from(u32::MAX))
            .map(|value| value as u32)
    };
    // RADV's names first, then NVIDIA's and Intel's.
    CompilerStatistics {
        subgroup_threads: Some(compiled.subgroup_size).filter(|size| *size > 0),
        vector_registers: whole(&["VGPRs", "Register Count", "GRF registers"]),
        scalar_registers: whole(&["SGPRs"]),
        spilled_vector_registers: whole(&["Spilled VGPRs", "Spill Count"]),
        spilled_scalar_registers: whole(&["Spilled SGPRs"]),
        scratch_bytes: whole(&["Scratch size", "Local Memory Size", "Scratch Memory Size"]),
        workgroup_bytes: whole(&["LDS size", "Shared Memory Size", "Workgroup Memory Size"]),
        subgroups_per_simd: whole(&["Subgroups per SIMD", "Max Waves Per Core"]),
        code_bytes: whole(&["Code size", "Binary Size"]),
        instructions: whole(&["Instructions", "Instruction Count"]),
        latency_cycles: find(&["Latency", "Cycle Count"]),
        inverse_throughput_cycles: find(&["Inverse Throughput"]),
        loops: loops(compiled),
        statistics: compiled
            .statistics
            .iter()
            // A hash is no figure, and would differ where the code does not.
            .filter(|(name, value)| value.is_finite() && !name.to_lowercase().contains("hash"))
            .cloned()
            .collect(),
    }
}

/// The assembly among a driver's texts.
pub(super) fn assembly(compiled: &DriverReport) -> Option<&str> {
    compiled
        .texts
        .iter()
        .find(|(name, _)| name.to_lowercase().contains("assembly"))
        .map(|(_, text)| text.as_str())
}

/// The loops in the assembly.
fn loops(compiled: &DriverReport) -> Reading<Vec<LoopSummary>> {
    match assembly(compiled) {
        None => Reading::unmeasured("the driver gives no assembly text"),
        Some(text) => isa::loops(text).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiled(statistics: &[(&str, f64)]) -> DriverReport {
        DriverReport {
            statistics: statistics
                .iter()
                .map(|(name, value)| ((*name).to_owned(), *value))
                .collect(),
            ..Default::default()
        }
    }

    #[test]
    fn radvs_statistics_have_one_name_each() {
        let figures = statistics(&compiled(&[
            ("Driver pipeline hash", 1.6e19),
            ("SGPRs", 128.0),
            ("VGPRs", 256.0),
            ("Spilled SGPRs", 3.0),
            ("Spilled VGPRs", 40.0),
            ("Code size", 3412.0),
            ("LDS size", 16896.0),
            ("Scratch size", 2048.0),
            ("Subgroups per SIMD", 4.0),
            ("Inverse Throughput", 10845.0),
        ]));
        assert_eq!(figures.vector_registers, Some(256));
        assert_eq!(figures.spills(), Some(43));
        assert_eq!(figures.scratch_bytes, Some(2048));
        assert_eq!(figures.subgroups_per_simd, Some(4));
        assert_eq!(figures.inverse_throughput_cycles, Some(10845.0));
        assert!(!figures.statistics.contains_key("Driver pipeline hash"));
    }

    #[test]
    fn what_a_driver_does_not_say_is_absent_and_not_zero() {
        let figures = statistics(&compiled(&[("Register Count", 96.0)]));
        assert_eq!(figures.vector_registers, Some(96));
        assert_eq!(figures.spills(), None);
        assert_eq!(figures.subgroup_threads, None);
        assert!(figures.loops.measured().is_none());
    }
}
