//! The verdict of one row from what is known of its ratio.

use super::days::follows;
use super::looks::Looks;
use super::metric::Metric;
use super::noise::NoiseAssumption;
use super::policy::Policy;
use super::ratio::Ratio;
use super::ratio_data::RatioData;
use super::reason::{Bar, BeyondMargin, Change, Doubt, Outlook, Reason, Suspicion};
use super::verdict::{Needed, Verdict};
use crate::stats::{Demand, Effect, Forecast, OpenQuestion, SessionCost, variance_of_sequel};

/// Most pairs that `perwatt ab` takes.
pub(crate) const MOST_PAIRS: u64 = 1000;

/// Most sessions of a side that anybody is asked for.
const MOST_SESSIONS: u64 = 100;

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
    /// What is lacking before the spread counts as known.
    pub(super) lacking: Lacking,
    /// The prior that the effect rests on.
    pub(super) prior: Option<NoiseAssumption>,
    /// The spread that is believed of pairs while they are too few to show it; what they seem to change must stand out
    /// from it.
    pub(super) believed_sd: Option<f64>,
    /// Pairs that lie far from the rest, where they are too many to be weighed down as outliers.
    pub(super) far: Option<usize>,
    /// Why nothing may be decided at all.
    pub(super) barred: Option<Bar>,
    /// Why it may not pass.
    pub(super) doubtful: Option<Doubt>,
    /// How often the evidence is looked at.
    pub(super) looks: Looks,
}

/// Sessions and days that are lacking before the spread counts as known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lacking {
    pub(super) sessions: usize,
    pub(super) days: usize,
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
    /// Whether a change for the worse may be found: a kernel that nothing verifies may be quicker for being wrong, and is
    /// slower all the same.
    pub(super) fn may_regress(&self) -> bool {
        matches!(self.barred, None | Some(Bar::Unverified))
    }

    /// Moves every bound outwards by what no repetition averages away.
    pub(super) fn widen(&mut self, slack: f64) {
        self.effect.slack = slack;
        self.plain.slack = slack;
    }

    /// The effect by which a change is found.
    pub(super) fn of_change(&self) -> Effect {
        /// As firmly as five pairs would support.
        const DEGREES: f64 = 4.0;
        match self.believed_sd {
            Some(sd) => self.effect.with_believed_spread(self.units, sd, DEGREES),
            None => self.effect,
        }
    }

    /// Decides. Swapping the sides negates the effect and exchanges the first two tests, so it mirrors
    /// the verdict, except where nothing verified an output.
    pub(super) fn judge(
        &self,
        metric: Metric,
        tests: Tests,
        bounds: Bounds,
        policy: &Policy,
        data: &RatioData,
    ) -> Judgement {
        let change = Change {
            metric,
            ratio: Ratio::of(&self.effect, metric),
        };
        let demand = self.demand(bounds, policy);
        let detectable = self.of_change().detectable(bounds.margin, demand);
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
        if let Some(bar) = self.barred {
            return Judgement {
                verdict: Verdict::Inconclusive,
                reason: Reason::Barred { bar, change },
                detectable,
                needed: bar.needed(),
            };
        }
        let needed = self.needed(bounds, policy, data);
        let reason = Reason::Undecided {
            change,
            doubt,
            suspicion: suspicion(tests, policy),
            outlook: Outlook {
                detectable: metric.ratio(detectable),
                prior: self.prior,
                needed,
                gap: bounds.equivalence < bounds.margin,
                paired: self.paired,
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
        if !self.may_regress() {
            return Err(None);
        }
        if tests.regressed.holm < policy.alpha {
            let reason = Reason::Worse(beyond(tests.regressed.holm));
            return Ok((Verdict::Regressed, reason));
        }
        if self.barred.is_some() {
            return Err(None);
        }
        if tests.improved.holm < policy.alpha {
            let reason = Reason::Better(beyond(tests.improved.holm));
            return Ok((Verdict::Improved, reason));
        }
        if tests.equivalent >= policy.alpha {
            return Err(self.far.map(|far| Doubt::TwoStates {
                far,
                pairs: self.units as usize,
            }));
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
        let plain = self.plain.p_equivalent(bounds.equivalence);
        if self.looks.equivalence(plain) >= policy.alpha {
            Some(Doubt::FarPairs)
        } else if self.lacking.sessions > 0 {
            Some(Doubt::FewSessions)
        } else if self.lacking.days > 0 {
            Some(Doubt::FewDays)
        } else {
            self.doubtful
        }
    }

    fn demand(&self, bounds: Bounds, policy: &Policy) -> Demand {
        Demand {
            alpha: self
                .looks
                .level_of_change(policy.alpha / bounds.family.max(1) as f64),
            power: policy.power,
        }
    }

    /// How much more would decide.
    fn needed(&self, bounds: Bounds, policy: &Policy, data: &RatioData) -> Option<Needed> {
        if self.lacking.sessions > 0 {
            return Some(Needed::MoreSessions(self.lacking.sessions as u64));
        }
        if self.lacking.days > 0 {
            return Some(Needed::MoreDays(self.lacking.days as u64));
        }
        let question = OpenQuestion {
            margin: bounds.margin + self.effect.slack,
            equivalence: bounds.equivalence - self.effect.slack,
            alpha_of_change: self.demand(bounds, policy).alpha,
            alpha_of_equivalence: self.looks.level_of_equivalence(policy.alpha),
            power: policy.power,
        };
        match data {
            RatioData::Pairs(ratios) => {
                let pairs = |count: u64| ((count as f64).sqrt().recip(), count as f64 - 1.0);
                let forecast = Forecast::of_pairs(ratios)?;
                let least = forecast.least(ratios.len() as u64, MOST_PAIRS, question, pairs);
                least.map(Needed::Pairs)
            }
            RatioData::Sessions {
                baseline,
                candidate,
                ..
            } => self.needed_sessions(baseline, candidate, question),
        }
    }

    /// How many sessions of the candidate would decide, or else of both sides in turns.
    fn needed_sessions(
        &self,
        baseline: &[SessionCost],
        candidate: &[SessionCost],
        question: OpenQuestion,
    ) -> Option<Needed> {
        let (old, new) = (baseline.len() as f64, candidate.len() as u64);
        let starts = |side: &[SessionCost]| side.iter().map(|s| s.started_s).collect::<Vec<_>>();
        let is_sequel = follows(starts(baseline), starts(candidate));
        let error = |count: f64| match is_sequel {
            true => variance_of_sequel(old, count).sqrt(),
            false => (1.0 / old + 1.0 / count).sqrt(),
        };
        let forecast = Forecast::of_effect(&self.effect, error(new as f64).recip());
        let of_candidate = |count: u64| (error(count as f64), old + count as f64 - 2.0);
        if let Some(count) = forecast.least(new, MOST_SESSIONS, question, of_candidate) {
            return Some(Needed::CandidateSessions(count));
        }
        let a_side = |count: u64| ((2.0 / count as f64).sqrt(), 2.0 * count as f64 - 2.0);
        let least = forecast.least(new.max(old as u64), MOST_SESSIONS, question, a_side);
        least.map(Needed::SessionsASide)
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
