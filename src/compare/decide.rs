//! The verdict of one row from what is known of its ratio.

use super::metric::Metric;
use super::policy::Policy;
use super::ratio::{Ratio, show_p, signed};
use super::verdict::{Needed, Verdict};
use crate::stats::{Demand, Effect};

/// What is known of a row's ratio.
#[derive(Clone, Debug)]
pub(super) struct RowEvidence {
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

impl RowEvidence {
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
