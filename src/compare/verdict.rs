//! One row of a comparison: what was decided and why.

use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::metric::{Better, Figure, Metric};
use super::pairing::Side;
use super::policy::Policy;
use crate::stats::{Demand, Effect, hodges_lehmann, signed_rank_above};

/// Level of the intervals that rows show.
const LEVEL: f64 = 0.95;

/// What a row says. The order is that of attention.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Verdict {
    /// Surely worse by more than the margin.
    Regressed,
    /// One side has no figure.
    Missing,
    /// The two sides do not measure the same thing.
    Incomparable,
    /// The data decide nothing yet.
    Inconclusive,
    /// Surely better by more than the margin.
    Improved,
    /// Surely equivalent.
    Pass,
}

impl Verdict {
    /// All, in the order of attention.
    pub const ALL: [Self; 6] = [
        Self::Regressed,
        Self::Missing,
        Self::Incomparable,
        Self::Inconclusive,
        Self::Improved,
        Self::Pass,
    ];

    /// As tables and files show it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Regressed => "REGRESSED",
            Self::Missing => "MISSING",
            Self::Incomparable => "INCOMPARABLE",
            Self::Inconclusive => "INCONCLUSIVE",
            Self::Improved => "IMPROVED",
            Self::Pass => "PASS",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a gate does with all its rows together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// Nothing regressed, and every row that was judged is known well enough.
    Passed,
    /// A regression, or a case of the candidate that failed.
    Failed,
    /// Neither can be said.
    Undecided,
}

/// The ratio candidate ÷ baseline of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ratio {
    /// The best single value.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
    /// Probability that such intervals hold the truth. It is that of one row; the verdict is corrected
    /// for all rows.
    pub level: f64,
}

impl Ratio {
    /// A ratio that has no error.
    pub(super) fn exact(value: f64) -> Self {
        Self {
            value,
            low: value,
            high: value,
            level: 1.0,
        }
    }

    /// The ratio of a metric whose cost has this effect.
    pub(super) fn of(effect: &Effect, metric: Metric) -> Self {
        let (low, high) = effect.interval(LEVEL);
        let (low, high) = match metric.better() {
            Better::Smaller => (metric.ratio(low), metric.ratio(high)),
            Better::Larger => (metric.ratio(high), metric.ratio(low)),
        };
        // A spread beyond all bounds has an interval without ends, which JSON cannot say.
        Self {
            value: metric.ratio(effect.log_ratio).clamp(0.0, f64::MAX),
            low: low.clamp(0.0, f64::MAX),
            high: high.clamp(0.0, f64::MAX),
            level: LEVEL,
        }
    }
}

/// What the ranks of a row's pairs say (Hodges–Lehmann, Wilcoxon), which a few wild pairs do not move.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ranks {
    /// Candidate ÷ baseline of the typical pair.
    pub ratio: f64,
    /// p-value of "no worse than the margin", of this row alone.
    pub p_regressed: f64,
    /// p-value of "no better than the margin", of this row alone.
    pub p_improved: f64,
}

impl Ranks {
    /// The ranks of pairs' log ratios of a metric's cost; nothing without a usable pair.
    pub(super) fn of(log_ratios: &[f64], metric: Metric, margin: f64) -> Option<Self> {
        let negated: Vec<f64> = log_ratios.iter().map(|d| -d).collect();
        Some(Self {
            ratio: metric
                .ratio(hodges_lehmann(log_ratios)?)
                .clamp(0.0, f64::MAX),
            p_regressed: signed_rank_above(log_ratios, margin),
            p_improved: signed_rank_above(&negated, margin),
        })
    }

    /// Where ranks find what `effect` of so many pairs does not, or the other way round: in words.
    pub(super) fn dissent(
        &self,
        effect: &Effect,
        pairs: usize,
        margin: f64,
        alpha: f64,
    ) -> Option<String> {
        // With this few pairs no p-value of a rank test gets below alpha, which is no dissent.
        if 0.5_f64.powi(i32::try_from(pairs).unwrap_or(i32::MAX)) >= alpha / 2.0 {
            return None;
        }
        let sides = [
            ("worse", self.p_regressed, effect.p_above(margin)),
            ("better", self.p_improved, effect.p_below(-margin)),
        ];
        let (way, ranked, _) = sides
            .into_iter()
            .find(|(_, ranked, student)| (*ranked < alpha) != (*student < alpha))?;
        let typical = signed(self.ratio);
        Some(if ranked < alpha {
            format!(
                "a few pairs differ much from the rest; the typical pair is {typical}, {way} than the \
                 margin by ranks ({}, this row alone)",
                show_p(ranked)
            )
        } else {
            format!(
                "by ranks the typical pair is {typical} and not surely {way} than the margin ({}, this \
                 row alone)",
                show_p(ranked)
            )
        })
    }
}

/// How much more would decide a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Needed {
    /// Pairs in all.
    Pairs(u64),
    /// Sessions beyond those that are there, before the spread between sessions counts as known.
    MoreSessions(u64),
    /// Sessions on each side.
    SessionsASide(u64),
}

/// One case and metric.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Row {
    /// What was decided.
    pub verdict: Verdict,
    /// `case@kernel`.
    pub case: String,
    /// The metric.
    pub metric: Figure,
    /// Which way it improves.
    pub better: Better,
    /// The candidate's WGSL file, where the user brought the kernel.
    pub shader: Option<PathBuf>,
    /// Why the verdict is what it is.
    pub reason: String,
    /// Whether the figures beside the verdict say all that the reason does.
    #[serde(skip)]
    pub plain: bool,
    /// Whether the policy judges this case.
    pub gated: bool,
    /// Whether the numbers are made up by a simulated device or sensor.
    pub simulated: bool,
    /// Whether the candidate was tried and gave no right output.
    pub failed: bool,
    /// The side that has the case, where only one has.
    pub only_in: Option<Side>,
    /// Baseline's value in seconds, joules, work a second or work a joule.
    pub baseline: Option<f64>,
    /// Candidate's value.
    pub candidate: Option<f64>,
    /// Baseline's value with its unit, for people.
    pub baseline_text: Option<String>,
    /// Candidate's value with its unit, for people.
    pub candidate_text: Option<String>,
    /// Candidate ÷ baseline.
    pub ratio: Option<Ratio>,
    /// A change for the worse up to this share is none.
    pub margin: f64,
    /// A change within this share either way is none worth speaking of.
    pub equivalence: f64,
    /// p-value of "no worse than the margin", Holm-adjusted over the gate's rows.
    pub p_regressed: Option<f64>,
    /// p-value of "no better than the margin", Holm-adjusted.
    pub p_improved: Option<f64>,
    /// p-value of "not equivalent" (TOST), of this row alone.
    pub p_equivalent: Option<f64>,
    /// As `p_regressed`, adjusted after Benjamini and Hochberg: for a list to look into.
    pub q_regressed: Option<f64>,
    /// As `p_improved`, adjusted after Benjamini and Hochberg.
    pub q_improved: Option<f64>,
    /// What the ranks of the pairs say; a second opinion that decides nothing.
    pub ranks: Option<Ranks>,
    /// The smallest change for the worse that would be found, as a share.
    pub detectable: Option<f64>,
    /// What would decide an inconclusive row.
    pub needed: Option<Needed>,
    /// The assumption about the noise that the row rests on, where it is not the data alone.
    pub prior: Option<String>,
    /// What else a reader must know.
    pub notes: Vec<String>,
}

impl Row {
    /// A row that says no more than this; it is gated.
    pub(super) fn of(verdict: Verdict, case: String, metric: Figure, better: Better) -> Self {
        Self {
            verdict,
            case,
            metric,
            better,
            shader: None,
            reason: String::new(),
            plain: false,
            gated: true,
            simulated: false,
            failed: false,
            only_in: None,
            baseline: None,
            candidate: None,
            baseline_text: None,
            candidate_text: None,
            ratio: None,
            margin: 0.0,
            equivalence: 0.0,
            p_regressed: None,
            p_improved: None,
            p_equivalent: None,
            q_regressed: None,
            q_improved: None,
            ranks: None,
            detectable: None,
            needed: None,
            prior: None,
            notes: Vec::new(),
        }
    }

    /// The metric, which says so where its numbers are made up.
    pub fn label(&self) -> String {
        if self.simulated {
            format!("SIMULATED {}", self.metric)
        } else {
            self.metric.to_string()
        }
    }
}

/// What is known of a row's ratio.
#[derive(Clone, Debug)]
pub(super) struct Evidence {
    pub(super) effect: Effect,
    /// The same with every pair in full, which is what must prove that nothing changed: a change that
    /// strikes few invocations is one.
    pub(super) plain: Effect,
    /// Units that the effect's error shrinks with: pairs, or sessions a side.
    pub(super) units: f64,
    pub(super) paired: bool,
    /// Sessions that are lacking before the spread counts as known.
    pub(super) lacking: usize,
    /// The prior that the effect rests on.
    pub(super) prior: Option<String>,
    /// Why nothing may be decided at all.
    pub(super) barred: Option<String>,
    /// Why it may not pass.
    pub(super) doubtful: Option<String>,
}

/// The tests of a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tests {
    pub(super) regressed: OneSided,
    pub(super) improved: OneSided,
    /// Of this row alone.
    pub(super) equivalent: f64,
}

/// The p-value of a one-sided test, adjusted for the family it belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) struct OneSided {
    /// After Holm: what decides.
    pub(super) holm: f64,
    /// After Benjamini and Hochberg: what is worth a look.
    pub(super) listed: f64,
}

impl OneSided {
    /// A test that is no part of a family.
    pub(super) fn alone(p: f64) -> Self {
        Self { holm: p, listed: p }
    }
}

/// The bounds of a row, as log ratios, and its level among the family.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) margin: f64,
    pub(super) equivalence: f64,
    /// Hypotheses that are tested together.
    pub(super) family: usize,
}

/// What a row's evidence amounts to.
pub(super) struct Judgement {
    pub(super) verdict: Verdict,
    pub(super) reason: String,
    pub(super) plain: bool,
    pub(super) detectable: f64,
    pub(super) needed: Option<Needed>,
}

impl Evidence {
    /// Moves every bound outwards by what no repetition averages away.
    pub(super) fn widen(&mut self, slack: f64) {
        self.effect.slack = slack;
        self.plain.slack = slack;
    }

    /// Decides. Swapping the sides negates the effect and exchanges the first two tests, so it mirrors
    /// the verdict.
    pub(super) fn judge(
        &self,
        metric: Metric,
        tests: Tests,
        bounds: Bounds,
        policy: &Policy,
    ) -> Judgement {
        let change = self.change(metric);
        let beyond = share(bounds.margin);
        let adjusted = if bounds.family > 1 {
            format!(" among {} tests (Holm)", bounds.family)
        } else {
            String::new()
        };
        let (verdict, reason) = if let Some(barred) = &self.barred {
            (Verdict::Inconclusive, format!("{barred}; {change}"))
        } else if tests.regressed.holm < policy.alpha {
            let p = show_p(tests.regressed.holm);
            (
                Verdict::Regressed,
                format!("{change}, worse than the margin of {beyond}: {p}{adjusted}"),
            )
        } else if tests.improved.holm < policy.alpha {
            let p = show_p(tests.improved.holm);
            (
                Verdict::Improved,
                format!("{change}, better by more than {beyond}: {p}{adjusted}"),
            )
        } else {
            self.equivalence(&change, tests, bounds, policy)
        };
        let demand = self.demand(bounds, policy);
        let detectable = self.effect.detectable(bounds.margin, demand);
        let mut judgement = Judgement {
            verdict,
            plain: verdict == Verdict::Pass || reason == change,
            reason,
            detectable,
            needed: None,
        };
        if verdict == Verdict::Inconclusive {
            judgement.needed = self.needed(bounds, policy);
            judgement.reason += &self.suspicion(tests, policy);
            judgement.reason += &self.outlook(&judgement, metric, bounds);
        }
        judgement
    }

    /// PASS, or why not.
    fn equivalence(
        &self,
        change: &str,
        tests: Tests,
        bounds: Bounds,
        policy: &Policy,
    ) -> (Verdict, String) {
        let within = share(bounds.equivalence);
        if tests.equivalent >= policy.alpha {
            return (Verdict::Inconclusive, change.to_owned());
        }
        if self.plain.p_equivalent(bounds.equivalence) >= policy.alpha {
            return (
                Verdict::Inconclusive,
                format!("{change}, which would pass, but a few pairs lie far from the rest"),
            );
        }
        if self.lacking > 0 {
            return (
                Verdict::Inconclusive,
                format!("{change}, but too few sessions to call that equal"),
            );
        }
        match &self.doubtful {
            Some(doubt) => (
                Verdict::Inconclusive,
                format!("{change}, which would pass, but {doubt}"),
            ),
            None => (
                Verdict::Pass,
                format!("{change}, within ±{within}: {}", show_p(tests.equivalent)),
            ),
        }
    }

    /// Whether an undecided row is worth a look all the same.
    fn suspicion(&self, tests: Tests, policy: &Policy) -> String {
        let said = |way: &str, q: f64| {
            let q = show_p(q).replacen('p', "q", 1);
            format!("; probably {way} than the margin ({q}, Benjamini–Hochberg), so worth a look")
        };
        if self.barred.is_some() {
            String::new()
        } else if tests.regressed.listed < policy.alpha {
            said("worse", tests.regressed.listed)
        } else if tests.improved.listed < policy.alpha {
            said("better", tests.improved.listed)
        } else {
            String::new()
        }
    }

    fn demand(&self, bounds: Bounds, policy: &Policy) -> Demand {
        Demand {
            alpha: policy.alpha / bounds.family.max(1) as f64,
            power: policy.power,
        }
    }

    /// How much more would put the effect beyond the margin or within equivalence.
    fn needed(&self, bounds: Bounds, policy: &Policy) -> Option<Needed> {
        if self.lacking > 0 {
            return Some(Needed::MoreSessions(self.lacking as u64));
        }
        let size = self.effect.log_ratio.abs();
        let alone = Demand {
            alpha: policy.alpha,
            power: policy.power,
        };
        let beyond = self.effect.needed(
            self.units,
            size - bounds.margin,
            self.demand(bounds, policy),
        );
        let within = self
            .effect
            .needed(self.units, bounds.equivalence - size, alone);
        let count = [beyond, within].into_iter().flatten().min()?;
        // Fewer than there are would have done on average; chance had it otherwise.
        let count = count.max(self.units.ceil() as u64 + 1);
        Some(if self.paired {
            Needed::Pairs(count)
        } else {
            Needed::SessionsASide(count)
        })
    }

    /// The change in words: `+3.1 % time (95 %: +2.4 to +3.8 %)`.
    fn change(&self, metric: Metric) -> String {
        let ratio = Ratio::of(&self.effect, metric);
        format!(
            "{} {metric} (95 %: {} to {})",
            signed(ratio.value),
            signed(ratio.low),
            signed(ratio.high)
        )
    }

    /// What could be seen and what it would take.
    fn outlook(&self, judgement: &Judgement, metric: Metric, bounds: Bounds) -> String {
        let worst = signed(metric.ratio(judgement.detectable));
        let visible = match &self.prior {
            Some(prior) => format!("; by {prior}, {worst} or worse would be found already"),
            None => format!("; {worst} or worse would be found"),
        };
        let wanted = match judgement.needed {
            Some(Needed::Pairs(pairs)) => format!("; about {pairs} pairs would decide"),
            Some(Needed::MoreSessions(more)) => format!(
                "; {more} more session{} would make the spread known",
                if more == 1 { "" } else { "s" }
            ),
            Some(Needed::SessionsASide(sessions)) => {
                format!("; about {sessions} sessions a side would decide")
            }
            None if bounds.equivalence < bounds.margin => {
                "; it lies between equivalence and margin, which more data do not change".to_owned()
            }
            None => "; no affordable number would decide; reduce the noise".to_owned(),
        };
        visible + &wanted
    }
}

/// A bound as a percentage.
fn share(log_bound: f64) -> String {
    let percent = 100.0 * log_bound.exp_m1();
    format!("{} %", (percent * 100.0).round() / 100.0)
}

/// A ratio as a signed percentage.
pub(super) fn signed(ratio: f64) -> String {
    let percent = 100.0 * (ratio - 1.0);
    if percent >= 1e4 || !percent.is_finite() {
        return format!("×{ratio:.3e}");
    }
    let digits = if percent.abs() < 9.95 { 2 } else { 0 };
    // Without this, −0.001 would show as "−0.00".
    let rounded = format!("{:.digits$}", percent.abs());
    let zero = rounded.chars().all(|c| matches!(c, '0' | '.'));
    let sign = match (zero, percent < 0.0) {
        (true, _) => "±",
        (false, true) => "−",
        (false, false) => "+",
    };
    format!("{sign}{rounded} %")
}

/// A p-value with as many digits as matter.
fn show_p(p: f64) -> String {
    if p < 1e-4 {
        "p < 0.0001".to_owned()
    } else if p < 0.01 {
        format!("p = {p:.4}")
    } else {
        format!("p = {p:.3}")
    }
}
