//! What stored sessions say about the ratio of a case, and what is assumed of the noise where they are few.

use super::case_pair::CasePair;
use super::comparable::Comparable;
use super::decide::{Lacking, RowEvidence};
use super::looks::Looks;
use super::metric::Cost;
use super::noise::{Calibrated, NoiseAssumption, NoiseSource, UNKNOWN_DAYS, default_noise};
use super::pairing::Side;
use super::policy::Policy;
use super::prospect::WeighedRow;
use super::ratio_data::RatioData;
use super::reason::Bar;
use crate::stats::{Effect, NoisePrior, SessionCost};

/// Fewest invocations, both sides together, that decide anything: one against one is a single pair.
const FEWEST_INVOCATIONS: usize = 3;

impl Comparable<'_> {
    /// Evidence from sessions that know nothing of each other.
    pub(super) fn by_sessions(
        &self,
        case: &CasePair<'_>,
        cost: Cost,
        policy: &Policy,
    ) -> Result<WeighedRow, String> {
        let mut sides = [
            self.costs(case, Side::Baseline, cost)?,
            self.costs(case, Side::Candidate, cost)?,
        ];
        let there = Known::of(&sides);
        let calibrated = self.noise.and_then(|noise| noise.of(&case.id, cost));
        let (prior, source, lacking) = there.prior(calibrated, cost, policy);
        if source != Some(NoiseSource::Calibrated) {
            // What no calibration speaks for speaks for itself.
            sides.iter_mut().flatten().for_each(|s| s.in_prior = false);
        }
        let [baseline, candidate] = sides;
        let effect = Effect::sessions(&baseline, &candidate, prior)
            .map_err(|undefined| undefined.to_string())?;
        let all = baseline.iter().chain(&candidate);
        let invocations: usize = all.map(|session| session.invocations).sum();
        let (old, new) = (baseline.len() as f64, candidate.len() as f64);
        Ok(WeighedRow {
            evidence: RowEvidence {
                effect,
                plain: effect,
                units: 2.0 / (1.0 / old + 1.0 / new),
                paired: false,
                lacking,
                prior: prior.zip(source).map(|(prior, source)| NoiseAssumption {
                    source,
                    session_sd: prior.session_sd,
                    day_sd: prior.day_sd,
                    degrees: prior.degrees.max(prior.day_degrees),
                }),
                believed_sd: None,
                far: None,
                barred: (invocations < FEWEST_INVOCATIONS).then_some(Bar::SinglePair),
                doubtful: None,
                looks: Looks::ONCE,
            },
            data: RatioData::Sessions {
                baseline,
                candidate,
                prior,
            },
            notes: Vec::new(),
        })
    }

    /// The costs of a case, session by session.
    fn costs(
        &self,
        case: &CasePair<'_>,
        side: Side,
        cost: Cost,
    ) -> Result<Vec<SessionCost>, String> {
        let mut costs = Vec::new();
        for (session, case) in case.by_session(side) {
            let values = case.invocations.iter();
            let values: Vec<f64> = values.filter_map(|values| values.cost(cost)).collect();
            if values.is_empty() {
                continue;
            }
            let of_values = SessionCost::of(&values).map_err(|undefined| undefined.to_string())?;
            costs.push(SessionCost {
                day: self.days.get(&session.id).copied().unwrap_or_default(),
                started_s: session.started_s,
                in_prior: self.noise.is_some_and(|noise| noise.knows(&session.id)),
                ..of_values
            });
        }
        Ok(costs)
    }
}

/// How much the sessions of a comparison know of their own noise, in degrees of freedom.
struct Known {
    /// Of the spread between sessions, those of a calibration included.
    sessions: usize,
    /// The same without sessions that a calibration has counted.
    new_sessions: usize,
    /// Of the spread between days; without meaning where all is of one day.
    days: usize,
    new_days: usize,
    one_day: bool,
}

impl Known {
    fn of(sides: &[Vec<SessionCost>; 2]) -> Self {
        let degrees = |count: usize| count.saturating_sub(1);
        let days = |sessions: &mut dyn Iterator<Item = &SessionCost>| {
            let mut days: Vec<usize> = sessions.map(|session| session.day).collect();
            days.sort_unstable();
            days.dedup();
            days.len()
        };
        let over =
            |of: &dyn Fn(&Vec<SessionCost>) -> usize| -> usize { sides.iter().map(of).sum() };
        let new = |side: &Vec<SessionCost>| -> Vec<SessionCost> {
            side.iter().filter(|s| !s.in_prior).copied().collect()
        };
        Self {
            sessions: over(&|side| degrees(side.len())),
            new_sessions: over(&|side| degrees(new(side).len())),
            days: over(&|side| degrees(days(&mut side.iter()))),
            new_days: over(&|side| degrees(days(&mut new(side).iter()))),
            one_day: days(&mut sides.iter().flatten()) == 1,
        }
    }

    /// The prior of a comparison, how it is named, and what is lacking before the spread counts as known.
    /// From enough sessions of enough days on, the data speak alone.
    fn prior(
        &self,
        calibrated: Option<Calibrated>,
        cost: Cost,
        policy: &Policy,
    ) -> (Option<NoisePrior>, Option<NoiseSource>, Lacking) {
        let (of_sessions, of_days) = (policy.sessions - 1, policy.days - 1);
        let known_days = |days: usize| self.one_day || days >= of_days;
        if self.sessions >= of_sessions && known_days(self.days) {
            return (None, None, Lacking::default());
        }
        if let Some(calibrated) = calibrated {
            let days = self.new_days + calibrated.days.saturating_sub(1);
            let lacking = Lacking {
                sessions: of_sessions
                    .saturating_sub(self.new_sessions + calibrated.sessions.saturating_sub(1)),
                days: if self.one_day {
                    0
                } else {
                    of_days.saturating_sub(days)
                },
            };
            let prior = if known_days(days) {
                calibrated.prior
            } else {
                calibrated.prior.with_unknown_days(UNKNOWN_DAYS)
            };
            return (Some(prior), Some(NoiseSource::Calibrated), lacking);
        }
        let lacking = Lacking {
            sessions: of_sessions.saturating_sub(self.sessions),
            days: if self.one_day {
                0
            } else {
                of_days.saturating_sub(self.days)
            },
        };
        if self.sessions >= of_sessions {
            return (Some(UNKNOWN_DAYS), Some(NoiseSource::Days), lacking);
        }
        (
            Some(default_noise(cost)),
            Some(NoiseSource::Default),
            lacking,
        )
    }
}
