//! Two inspections compared: compilers are deterministic, so a difference is one, and no test decides.
//!
//! The rows are of the same kind as those of records, so that every form of a gate's outcome shows them
//! too. Counts (spills, waves) may not get worse at all; estimates and shares have the margin that the
//! policy gives to time.

use std::collections::BTreeSet;

use super::comparable::show_parameters;
use super::comparison::{Comparison, Design};
use super::environment::{Aspect, Difference};
use super::metric::{AnyMetric, CodeMetric, Metric};
use super::pairing::Side;
use super::policy::Policy;
use super::ratio::Ratio;
use super::reason::{Mismatch, Reason};
use super::row::VerdictRow;
use super::verdict::Verdict;
use crate::record::{Better, CompiledShader, CompilerStatistics, Inspection, Target};

/// Compares what compilers made of the same kernels; the names are those of the files.
pub fn compare_inspections(
    (baseline_name, baseline): (&str, &Inspection),
    (candidate_name, candidate): (&str, &Inspection),
    policy: &Policy,
) -> Comparison {
    let mut absent_on_both = 0;
    let mut rows = Vec::new();
    for id in ids(baseline, candidate) {
        let pair = ShaderPair {
            baseline: find(baseline, &id),
            candidate: find(candidate, &id),
            checked: [baseline.checked_shaders, candidate.checked_shaders],
            id,
            policy,
        };
        match pair.rows() {
            Some(found) => rows.extend(found),
            None => absent_on_both += 1,
        }
    }
    rows.sort_by_key(|row| row.verdict);
    Comparison {
        design: Design::Shaders,
        pairs: None,
        baseline: vec![baseline_name.to_owned()],
        candidate: vec![candidate_name.to_owned()],
        baseline_environment: None,
        candidate_environment: None,
        alpha: policy.alpha,
        family: 0,
        rows,
        geomeans: Vec::new(),
        absent_on_both,
        notes: notes(candidate),
    }
}

/// What names one compiled shader in an inspection.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct ShaderId {
    target: String,
    name: String,
    shader: String,
    entry: String,
}

/// Every shader of either side, in the baseline's order.
fn ids(baseline: &Inspection, candidate: &Inspection) -> Vec<ShaderId> {
    let mut seen = BTreeSet::new();
    [baseline, candidate]
        .into_iter()
        .flat_map(|inspection| &inspection.targets)
        .flat_map(|target| target.shaders.iter().map(|shader| id(target, shader)))
        .filter(|id| seen.insert(id.clone()))
        .collect()
}

fn id(target: &Target, shader: &CompiledShader) -> ShaderId {
    ShaderId {
        target: target.target.clone(),
        name: shader.name.clone(),
        shader: shader.shader.clone(),
        entry: shader.entry.clone(),
    }
}

fn find<'i>(
    inspection: &'i Inspection,
    wanted: &ShaderId,
) -> Option<(&'i Target, &'i CompiledShader)> {
    inspection
        .targets
        .iter()
        .flat_map(|target| target.shaders.iter().map(move |shader| (target, shader)))
        .find(|(target, shader)| id(target, shader) == *wanted)
}

/// Targets that the candidate could not look at.
fn notes(candidate: &Inspection) -> Vec<String> {
    candidate
        .targets
        .iter()
        .filter_map(|target| {
            let reason = target.device.reason()?;
            Some(format!(
                "the candidate has nothing of {}: {reason}",
                target.target
            ))
        })
        .collect()
}

/// One shader on both sides.
struct ShaderPair<'i> {
    id: ShaderId,
    baseline: Option<(&'i Target, &'i CompiledShader)>,
    candidate: Option<(&'i Target, &'i CompiledShader)>,
    /// Whether each side has run-time checks.
    checked: [bool; 2],
    policy: &'i Policy,
}

impl ShaderPair<'_> {
    /// The rows of this shader; `None` where neither side has figures.
    fn rows(&self) -> Option<Vec<VerdictRow>> {
        let figures = |side: Option<(&Target, &CompiledShader)>| {
            side.and_then(|(_, shader)| shader.figures.measured().cloned())
        };
        match (figures(self.baseline), figures(self.candidate)) {
            (None, None) => None,
            (Some(_), None) => Some(vec![self.lost()]),
            (None, Some(_)) => Some(vec![self.gained()]),
            (Some(before), Some(after)) => Some(match self.obstacle() {
                Some(reason) => {
                    let metric = CodeMetric::InverseThroughput;
                    vec![self.row(metric, Verdict::Incomparable, reason)]
                }
                None => CodeMetric::ALL
                    .into_iter()
                    .filter_map(|metric| self.weigh(metric, &before, &after))
                    .collect(),
            }),
        }
    }

    /// The candidate lacks what the baseline has.
    fn lost(&self) -> VerdictRow {
        let reason = self
            .candidate
            .and_then(|(_, shader)| shader.figures.reason());
        let (verdict, reason) = match reason {
            Some(why) => (Verdict::Broken, Reason::NotCompiled(why.to_owned())),
            None => (Verdict::Lost, Reason::NoShader(Side::Candidate)),
        };
        let mut row = self.row(CodeMetric::InverseThroughput, verdict, reason);
        row.only_in = Some(Side::Baseline);
        row
    }

    /// The baseline lacks what the candidate has.
    fn gained(&self) -> VerdictRow {
        let mut row = self.row(
            CodeMetric::InverseThroughput,
            Verdict::New,
            Reason::NoShader(Side::Baseline),
        );
        row.only_in = Some(Side::Candidate);
        row
    }

    /// Why the two sides do not answer one question.
    fn obstacle(&self) -> Option<Reason> {
        let ((before, old), (after, new)) = (self.baseline?, self.candidate?);
        let driver = |target: &Target| {
            let sight = target.device.measured();
            sight.map_or_else(String::new, |s| format!("{} {}", s.driver, s.driver_info))
        };
        let checks = |on: bool| {
            if on {
                "with run-time checks"
            } else {
                "without"
            }
            .to_owned()
        };
        let [base_checks, candidate_checks] = self.checked;
        [
            (Aspect::Driver, driver(before), driver(after)),
            (
                Aspect::Checks,
                checks(base_checks),
                checks(candidate_checks),
            ),
            (
                Aspect::Parameters,
                show_parameters(&old.parameters),
                show_parameters(&new.parameters),
            ),
        ]
        .into_iter()
        .find(|(aspect, old, new)| old != new && !self.policy.across.contains(aspect))
        .map(|(aspect, baseline, candidate)| {
            Reason::Incomparable(vec![Mismatch::Sides(Difference {
                aspect,
                baseline,
                candidate,
            })])
        })
    }

    /// One figure on both sides; `None` where the driver states it on neither.
    fn weigh(
        &self,
        metric: CodeMetric,
        before: &CompilerStatistics,
        after: &CompilerStatistics,
    ) -> Option<VerdictRow> {
        let (old, new) = match (value(metric, before), value(metric, after)) {
            (None, None) => return None,
            (Some(old), Some(new)) => (old, new),
            (old, new) => {
                let (verdict, side) = match old {
                    None => (Verdict::New, Side::Baseline),
                    Some(_) => (Verdict::Lost, Side::Candidate),
                };
                let mut row = self.row(metric, verdict, Reason::NotReported(side));
                row.baseline = old;
                row.candidate = new;
                return Some(row);
            }
        };
        let margin = match metric.counts() {
            true => 0.0,
            false => self.policy.margin(&self.id.name, Metric::Time),
        };
        let worse = match metric.better() {
            Better::Smaller => log_ratio(old, new),
            Better::Larger => log_ratio(new, old),
        };
        let verdict = if worse > margin {
            Verdict::Regressed
        } else if worse < -margin {
            Verdict::Improved
        } else {
            Verdict::Pass
        };
        let mut row = self.row(
            metric,
            verdict,
            Reason::Compiled {
                metric,
                baseline: old,
                candidate: new,
            },
        );
        row.margin = margin.exp_m1();
        row.equivalence = row.margin;
        row.baseline = Some(old);
        row.candidate = Some(new);
        row.baseline_text = Some(metric.show(old));
        row.candidate_text = Some(metric.show(new));
        // Out of nothing there is no ratio.
        row.ratio = (old > 0.0).then(|| Ratio::exact(new / old));
        Some(row)
    }

    /// A row without figures.
    fn row(&self, metric: CodeMetric, verdict: Verdict, reason: Reason) -> VerdictRow {
        let ShaderId {
            target,
            name,
            shader,
            entry,
        } = &self.id;
        let mut case = format!("{name} {target}");
        if shader != name {
            case += &format!(" {shader}");
        }
        if entry != "main" {
            case += &format!(":{entry}");
        }
        VerdictRow {
            gated: self.policy.gates(name),
            ..VerdictRow::of(verdict, case, AnyMetric::Code(metric), reason)
        }
    }
}

/// ln(b ÷ a), where zero is less than everything and equal to itself.
fn log_ratio(a: f64, b: f64) -> f64 {
    match (a > 0.0, b > 0.0) {
        (false, false) => 0.0,
        (false, true) => f64::INFINITY,
        (true, false) => f64::NEG_INFINITY,
        (true, true) => (b / a).ln(),
    }
}

/// A figure of compiled code.
fn value(metric: CodeMetric, figures: &CompilerStatistics) -> Option<f64> {
    match metric {
        CodeMetric::SpilledRegisters => figures.spills().map(f64::from),
        CodeMetric::ScratchBytes => figures.scratch_bytes.map(f64::from),
        CodeMetric::SubgroupsPerSimd => figures.subgroups_per_simd.map(f64::from),
        CodeMetric::Arithmetic => Some(figures.hottest()?.mix.arithmetic()),
        CodeMetric::DualIssue => {
            let mix = figures.hottest()?.mix;
            (mix.fma > 0).then(|| f64::from(mix.fma_dual) / f64::from(mix.fma))
        }
        CodeMetric::InverseThroughput => figures.inverse_throughput_cycles,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::compare::Decision;
    use crate::record::{DeviceInfo, DeviceType, LoopSummary, Mix, Reading};

    fn figures() -> CompilerStatistics {
        CompilerStatistics {
            subgroup_threads: Some(64),
            vector_registers: Some(108),
            scalar_registers: Some(128),
            spilled_vector_registers: Some(0),
            spilled_scalar_registers: Some(0),
            scratch_bytes: Some(0),
            workgroup_bytes: Some(16_896),
            subgroups_per_simd: Some(14),
            code_bytes: Some(3_412),
            instructions: Some(705),
            latency_cycles: Some(34_384.0),
            inverse_throughput_cycles: Some(10_845.0),
            loops: Reading::Measured(vec![LoopSummary {
                label: "BB34".to_owned(),
                depth: 2,
                trips: Some(4),
                weight: 78_080.0,
                mix: Mix {
                    instructions: 300,
                    operations: 300,
                    fma: 270,
                    wait: 30,
                    ..Mix::default()
                },
                matrix_per_vector: None,
            }]),
            statistics: BTreeMap::new(),
        }
    }

    fn inspection(change: impl FnOnce(&mut Target, &mut CompilerStatistics)) -> Inspection {
        let mut target = Target {
            target: "navi31".to_owned(),
            present: false,
            device: Reading::Measured(DeviceInfo {
                name: "Null hardware (RADV NAVI31)".to_owned(),
                device_type: DeviceType::DiscreteGpu,
                driver: "radv".to_owned(),
                driver_info: "Mesa 25.0.7".to_owned(),
            }),
            shaders: vec![],
        };
        let mut figures = figures();
        change(&mut target, &mut figures);
        target.shaders.push(CompiledShader {
            name: "matmul/f32/1024x1024x1024@tiled".to_owned(),
            shader: "matmul/tiled.wgsl".to_owned(),
            entry: "main".to_owned(),
            parameters: BTreeMap::new(),
            workgroup_threads: [16, 16, 1],
            figures: Reading::Measured(figures),
        });
        Inspection::new(false, vec![target])
    }

    fn compared(candidate: &Inspection, policy: &Policy) -> Comparison {
        compare_inspections(("a", &inspection(|_, _| {})), ("b", candidate), policy)
    }

    fn verdict(comparison: &Comparison, metric: CodeMetric) -> Verdict {
        let row = comparison
            .rows
            .iter()
            .find(|r| r.metric == AnyMetric::Code(metric));
        row.unwrap().verdict
    }

    #[test]
    fn the_same_code_passes() {
        let policy = Policy::default();
        let comparison = compared(&inspection(|_, _| {}), &policy);
        assert_eq!(comparison.rows.len(), CodeMetric::ALL.len());
        assert_eq!(comparison.decision(&policy), Decision::Passed);
    }

    #[test]
    fn one_spilled_register_or_one_wave_less_is_a_regression() {
        let policy = Policy::default();
        let spilled = compared(
            &inspection(|_, f| f.spilled_vector_registers = Some(1)),
            &policy,
        );
        assert_eq!(
            verdict(&spilled, CodeMetric::SpilledRegisters),
            Verdict::Regressed
        );
        assert_eq!(spilled.decision(&policy), Decision::Failed);
        let fewer = compared(&inspection(|_, f| f.subgroups_per_simd = Some(13)), &policy);
        assert_eq!(
            verdict(&fewer, CodeMetric::SubgroupsPerSimd),
            Verdict::Regressed
        );
        let more = compared(&inspection(|_, f| f.subgroups_per_simd = Some(16)), &policy);
        assert_eq!(
            verdict(&more, CodeMetric::SubgroupsPerSimd),
            Verdict::Improved
        );
        assert_eq!(more.decision(&policy), Decision::Passed);
    }

    #[test]
    fn an_estimate_has_a_margin() {
        let policy = Policy::default();
        let cycles = |cycles| inspection(move |_, f| f.inverse_throughput_cycles = Some(cycles));
        let metric = CodeMetric::InverseThroughput;
        assert_eq!(
            verdict(&compared(&cycles(10_900.0), &policy), metric),
            Verdict::Pass
        );
        assert_eq!(
            verdict(&compared(&cycles(11_000.0), &policy), metric),
            Verdict::Regressed
        );
        assert_eq!(
            verdict(&compared(&cycles(10_000.0), &policy), metric),
            Verdict::Improved
        );
    }

    #[test]
    fn another_compiler_is_another_question_until_it_is_the_question() {
        let newer = inspection(|target, _| {
            if let Reading::Measured(sight) = &mut target.device {
                "Mesa 26.1.0".clone_into(&mut sight.driver_info);
            }
        });
        let mut policy = Policy::default();
        let comparison = compared(&newer, &policy);
        assert_eq!(comparison.count(Verdict::Incomparable), 1);
        assert_eq!(comparison.decision(&policy), Decision::Undecided);
        policy.across.push(Aspect::Driver);
        assert_eq!(
            compared(&newer, &policy).decision(&policy),
            Decision::Passed
        );
    }

    #[test]
    fn a_shader_that_compiles_no_more_is_broken_and_one_that_is_gone_is_lost() {
        let policy = Policy::default();
        let mut broken = inspection(|_, _| {});
        broken.targets[0].shaders[0].figures = Reading::unmeasured("the compiler crashed");
        let comparison = compared(&broken, &policy);
        assert_eq!(comparison.count(Verdict::Broken), 1);
        assert_eq!(comparison.decision(&policy), Decision::Failed);
        let mut gone = inspection(|_, _| {});
        gone.targets[0].shaders.clear();
        assert_eq!(
            compared(&gone, &policy).decision(&policy),
            Decision::Undecided
        );
    }

    #[test]
    fn what_the_driver_states_on_one_side_only_is_not_equal_to_zero() {
        let policy = Policy::default();
        let silent = inspection(|_, f| f.spilled_vector_registers = None);
        let comparison = compared(&silent, &policy);
        assert_eq!(
            verdict(&comparison, CodeMetric::SpilledRegisters),
            Verdict::Lost
        );
    }
}
