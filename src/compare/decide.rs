//! The verdict of one row from what is known of its ratio.

use super::metric::Metric;
use super::noise::NoiseAssumption;
use super::policy::Policy;
use super::ratio::Ratio;
use super::reason::{Bar, BeyondMargin, Change, Doubt, Outlook, Reason, Suspicion};
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
    pub(super) prior: Option<NoiseAssumption>,
    /// Why nothing may be decided at all.
    pub(super) barred: Option<Bar>,
    /// Why it may not pass.
    pub(super) doubtful: Option<Doubt>,
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
    pub(super) reason: Reason,
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
        let change = Change {
            metric,
            ratio: Ratio::of(&self.effect, metric),
        };
        let demand = self.demand(bounds, policy);
        let detectable = self.effect.detectable(bounds.margin, demand);
        let doubt = match self.decided(change, tests, bounds, policy) {
            Ok((verdict, reason)) => {
                return Judgement {
                    verdict,
                    reason,
                    detectable,
                    needed: None,
                };
            }
            Err(doubt) => doubt,
        };
        let needed = self.needed(bounds, policy);
        let outlook = Outlook {
            detectable: metric.ratio(detectable),
            prior: self.prior,
            needed,
            gap: bounds.equivalence < bounds.margin,
        };
        let reason = match self.barred {
            Some(bar) => Reason::Barred {
                bar,
                change,
                outlook,
            },
            None => Reason::Undecided {
                change,
                doubt,
                suspicion: suspicion(tests, policy),
                outlook,
            },
        };
        Judgement {
            verdict: Verdict::Inconclusive,
            reason,
            detectable,
            needed,
        }
    }

    /// The verdict, if there is one; else why a small change is no `PASS`, where that is so.
    fn decided(
        &self,
        change: Change,
        tests: Tests,
        bounds: Bounds,
        policy: &Policy,
    ) -> Result<(Verdict, Reason), Option<Doubt>> {
        let beyond = |p: f64| BeyondMargin {
            change,
            margin: bounds.margin.exp_m1(),
            p,
            family: bounds.family,
        };
        if self.barred.is_some() {
            return Err(None);
        }
        if tests.regressed.holm < policy.alpha {
            let reason = Reason::Worse(beyond(tests.regressed.holm));
            return Ok((Verdict::Regressed, reason));
        }
        if tests.improved.holm < policy.alpha {
            let reason = Reason::Better(beyond(tests.improved.holm));
            return Ok((Verdict::Improved, reason));
        }
        if tests.equivalent >= policy.alpha {
            return Err(None);
        }
        match self.doubt(bounds, policy) {
            Some(doubt) => Err(Some(doubt)),
            None => Ok((
                Verdict::Pass,
                Reason::Equivalent {
                    change,
                    bound: bounds.equivalence.exp_m1(),
                    p: tests.equivalent,
                },
            )),
        }
    }

    /// Why a change within the equivalence bound is no `PASS`.
    fn doubt(&self, bounds: Bounds, policy: &Policy) -> Option<Doubt> {
        if self.plain.p_equivalent(bounds.equivalence) >= policy.alpha {
            Some(Doubt::FarPairs)
        } else if self.lacking > 0 {
            Some(Doubt::FewSessions)
        } else {
            self.doubtful
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
}

/// Whether an undecided row is worth a look all the same.
fn suspicion(tests: Tests, policy: &Policy) -> Option<Suspicion> {
    [(true, tests.regressed), (false, tests.improved)]
        .into_iter()
        .find(|(_, test)| test.listed < policy.alpha)
        .map(|(worse, test)| Suspicion {
            worse,
            q: test.listed,
        })
}
