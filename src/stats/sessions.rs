//! Two groups of sessions: a prediction interval for a stored baseline.
//!
//! A session has conditions of its own (temperature, clocks, a neighbour on the machine) that all its
//! invocations share, and so has a day, which all its sessions share. So the unit is the day, unless all
//! sessions of both sides are of one day, which then cancels: there the unit is the session. The spread
//! *between units* is what a difference must exceed. Where there are few, a stated prior stands in: a
//! scaled inverse chi-squared with `degrees` of belief behind it, which the data outvote as they come
//! (Gelman et al., Bayesian Data Analysis, §3.3). It is a floor: what the data spread beyond it counts.

use super::effect::Effect;
use super::session_cost::{NoisePrior, SessionCost, invocation_variance};
use super::session_units::{Group, drift};
use super::undefined::Undefined;

/// Most degrees of freedom where a side has a single unit. Nothing tells then whether that one is an
/// outlier, and by Student's t with so many an outlier is no surprise. Held by simulation for noise of
/// three degrees.
const LONE_DEGREES: f64 = 4.0;

/// Degrees of freedom within days from which sessions and days are told apart.
const FEWEST_WITHIN_DAYS: f64 = 4.0;

impl Effect {
    /// The ratio of two groups of sessions. With one candidate session and no prior this is the
    /// prediction interval s·√(1 + 1/m) on m − 1 degrees of freedom, m being days, and at most four while
    /// a side has one unit; with a prior the variance is (ν₀s₀² + SS) ÷ (ν₀ + df). Units with fewer
    /// sessions or invocations than those that the variance was learned from get what their thinness
    /// adds. The drift that the units show in time, or that they could hide, is added to the error, over the
    /// time between the two sides.
    ///
    /// # Examples
    /// ```
    /// use perwatt::stats::{Effect, SessionCost};
    ///
    /// let session = |cost: f64| SessionCost::of(&[cost]);
    /// let baseline = [session(100.0)?, session(101.0)?, session(99.5)?];
    /// let effect = Effect::sessions(&baseline, &[session(103.0)?], None)?;
    /// assert_eq!(effect.degrees, 2.0);
    /// # Ok::<(), perwatt::stats::Undefined>(())
    /// ```
    ///
    /// # Errors
    /// A side has no session, or nothing is known of the variance: one unit each and no prior.
    pub fn sessions(
        baseline: &[SessionCost],
        candidate: &[SessionCost],
        prior: Option<NoisePrior>,
    ) -> Result<Self, Undefined> {
        if baseline.is_empty() || candidate.is_empty() {
            return Err(Undefined::NoSession);
        }
        let all: Vec<SessionCost> = baseline.iter().chain(candidate).copied().collect();
        let prior = prior.unwrap_or(NoisePrior::NOTHING).widened(&all);
        let by_day = all.iter().any(|session| session.day != all[0].day);
        let sides = [baseline, candidate].map(|sessions| Group::of(sessions, by_day));
        let spread = UnitSpread::of(&all, &sides, prior, by_day);
        if spread.degrees <= 0.0 {
            return Err(Undefined::OneSessionEach);
        }
        let error: f64 = sides.iter().map(|side| spread.of_mean(side)).sum::<f64>()
            + drift(&sides, spread.variance);
        let log_ratio = sides[1].mean - sides[0].mean;
        if !(error.is_finite() && log_ratio.is_finite()) {
            return Err(Undefined::NotFinite);
        }
        let lone = sides.iter().any(|side| side.count() < 2.0);
        Ok(Self {
            log_ratio,
            standard_error: error.sqrt(),
            degrees: if lone {
                spread.degrees.min(LONE_DEGREES)
            } else {
                spread.degrees
            },
            slack: 0.0,
        })
    }
}

/// How units spread, and at which thinness that was learned.
struct UnitSpread {
    /// Variance of a unit's mean.
    variance: f64,
    degrees: f64,
    /// 1 ÷ sessions and 1 ÷ invocations of the units that it was learned from, on average.
    learned_at: [f64; 2],
    /// Variance that a session adds, and an invocation.
    within: [f64; 2],
}

impl UnitSpread {
    fn of(all: &[SessionCost], sides: &[Group; 2], prior: NoisePrior, by_day: bool) -> Self {
        let invocation = invocation_variance(all, prior);
        let session = session_variance(sides, prior);
        let (believed, degrees_of_belief) = if by_day {
            (session + prior.day_sd.powi(2), prior.day_degrees)
        } else {
            (prior.session_sd.powi(2), prior.degrees)
        };
        let sum = |of: fn(&Group) -> f64| sides.iter().map(of).sum::<f64>();
        let degrees = degrees_of_belief + sum(|side| side.degrees);
        let squares = degrees_of_belief * believed + sum(|side| side.squares);
        let learned = |level: usize, of_belief: f64| {
            let of_data: f64 = sides.iter().map(|s| s.degrees * s.thinness[level]).sum();
            (degrees_of_belief * of_belief + of_data) / degrees
        };
        let thin = all.iter().map(|s| 1.0 / s.invocations.max(1) as f64);
        let of_session = thin.sum::<f64>() / all.len().max(1) as f64;
        Self {
            variance: squares / degrees,
            degrees,
            learned_at: [
                learned(0, 1.0),
                learned(1, 1.0 / prior.invocations.max(1.0)),
            ],
            within: [(session - invocation * of_session).max(0.0), invocation],
        }
    }

    /// Variance of the mean of a side's units.
    fn of_mean(&self, side: &Group) -> f64 {
        let thin = |level: usize| {
            self.within[level] * (side.thinness[level] - self.learned_at[level]).max(0.0)
        };
        (self.variance + thin(0) + thin(1)) / side.count()
    }
}

/// Variance between the sessions of a day, the data pooled with the prior.
fn session_variance(sides: &[Group; 2], prior: NoisePrior) -> f64 {
    let mut squares = prior.degrees * prior.session_sd.powi(2);
    let mut degrees = prior.degrees;
    for side in sides {
        let (of_side, free) = side.within();
        squares += of_side;
        degrees += free;
    }
    if degrees > 0.0 {
        squares / degrees
    } else {
        0.0
    }
}

/// What sessions of the same code say about the noise: the prior for comparisons with few sessions.
///
/// # Examples
/// ```
/// use perwatt::stats::{NoisePrior, SessionCost, noise_of};
///
/// let sessions = [SessionCost::of(&[1.00])?, SessionCost::of(&[1.02])?];
/// let noise = noise_of(&sessions)?;
/// assert!((noise.session_sd - 0.014).abs() < 1e-4 && noise.day_degrees == 0.0);
/// # Ok::<(), perwatt::stats::Undefined>(())
/// ```
///
/// # Errors
/// Fewer than two sessions.
pub fn noise_of(sessions: &[SessionCost]) -> Result<NoisePrior, Undefined> {
    if sessions.len() < 2 {
        return Err(Undefined::OneSession);
    }
    let group = Group::of(sessions, false);
    let days = Group::of(sessions, true);
    let plain = group.squares / group.degrees;
    let (squares, free) = days.within();
    let (session, day, degrees) = if free >= FEWEST_WITHIN_DAYS && days.degrees > 0.0 {
        let within = squares / free;
        let of_means = days.squares / days.degrees;
        let day = of_means - within * days.thinness[0];
        (within, day.max(0.0), free)
    } else {
        // Session and day cannot be told apart, and where each session has its day they need not be.
        (plain, 0.0, group.degrees)
    };
    Ok(NoisePrior {
        session_sd: session.sqrt(),
        invocation_sd: invocation_variance(sessions, NoisePrior::NOTHING).sqrt(),
        invocations: 1.0 / group.thinness[1],
        degrees,
        day_sd: day.sqrt(),
        day_degrees: days.degrees,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn single(costs: &[f64]) -> Vec<SessionCost> {
        costs
            .iter()
            .map(|cost| SessionCost::of(&[*cost]).unwrap())
            .collect()
    }

    fn close(value: f64, wanted: f64) {
        assert!(
            (value - wanted).abs() < 1e-9 * wanted.abs().max(1e-3),
            "{value} is not {wanted}"
        );
    }

    #[test]
    fn prediction_interval_agrees_with_scipy() {
        let baseline = single(&[
            100.0, 101.0, 99.5, 100.2, 100.8, 99.1, 100.4, 99.9, 100.6, 100.1,
        ]);
        let effect = Effect::sessions(&baseline, &single(&[103.0]), None).unwrap();
        close(effect.log_ratio, 0.027975171277953237);
        close(effect.standard_error, 0.006075411406832732);
        let interval = effect.interval(0.95);
        close(interval.low, 0.011107125015389657);
        close(interval.high, 0.044843217540516817);
        close(effect.p_above(1.01_f64.ln()), 0.02063646741763741);
    }

    #[test]
    fn two_groups_are_the_pooled_t_test() {
        // scipy: ttest_ind(ln c, ln b), equal variances.
        let effect = Effect::sessions(
            &single(&[100.0, 101.0, 99.5]),
            &single(&[103.0, 102.0]),
            None,
        )
        .unwrap();
        close(effect.log_ratio, 0.023034785092320043);
        close(effect.standard_error, 0.006741226415419578);
        close(effect.degrees, 3.0);
    }

    #[test]
    fn prior_speaks_where_data_are_silent_and_is_outvoted_where_they_are_not() {
        let prior = NoisePrior {
            session_sd: 0.03,
            invocation_sd: 0.0,
            invocations: 1.0,
            degrees: 4.0,
            ..NoisePrior::NOTHING
        };
        let lone = Effect::sessions(&single(&[100.0]), &single(&[100.0]), Some(prior)).unwrap();
        close(lone.standard_error, 0.03 * 2_f64.sqrt());
        close(lone.degrees, 4.0);
        assert!(Effect::sessions(&single(&[100.0]), &single(&[100.0]), None).is_err());
        let wild: Vec<f64> = (0..100)
            .map(|n| if n % 2 == 0 { 80.0 } else { 125.0 })
            .collect();
        let noisy = Effect::sessions(&single(&wild), &single(&[100.0]), Some(prior)).unwrap();
        assert!(noisy.standard_error > 0.2, "{noisy:?}");
    }

    #[test]
    fn a_prior_is_no_ceiling_for_what_the_sessions_show() {
        let prior = NoisePrior {
            session_sd: 0.03,
            invocation_sd: 0.02,
            invocations: 3.0,
            degrees: 4.0,
            ..NoisePrior::NOTHING
        };
        let of = |costs: &[f64]| [SessionCost::of(costs).unwrap()];
        let effect = |a: &[f64], b: &[f64]| Effect::sessions(&of(a), &of(b), Some(prior)).unwrap();
        // Within what the prior knows, nothing changes.
        let calm = effect(&[1.0, 1.01, 0.99], &[1.0, 1.01, 0.99]);
        close(calm.standard_error, 0.03 * 2_f64.sqrt());
        // Invocations that scatter so many times as much as was believed widen all of it in proportion.
        let modes = effect(&[1.0, 2.0, 1.0], &[2.0, 1.0, 2.0]);
        let seen = 2_f64.ln().powi(2) / 3.0;
        close(
            modes.standard_error,
            2_f64.sqrt() * 0.03 * seen.sqrt() / 0.02,
        );
    }

    #[test]
    fn a_thin_candidate_is_known_less_well() {
        let session =
            |shift: f64| SessionCost::of(&[99.0 + shift, 101.0 + shift, 100.0 + shift]).unwrap();
        let baseline: Vec<SessionCost> = (0..12).map(|n| session(0.1 * f64::from(n % 3))).collect();
        let full = Effect::sessions(&baseline, &[session(0.0)], None).unwrap();
        let thin = Effect::sessions(&baseline, &single(&[100.0]), None).unwrap();
        assert!(
            thin.standard_error > 2.0 * full.standard_error,
            "{thin:?} {full:?}"
        );
        let swapped = Effect::sessions(&single(&[100.0]), &baseline, None).unwrap();
        close(swapped.standard_error, thin.standard_error);
        close(swapped.log_ratio, -thin.log_ratio);
    }

    #[test]
    fn costs_without_a_ratio_are_refused() {
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(SessionCost::of(&[1.0, bad]).is_err());
        }
        assert!(SessionCost::of(&[]).is_err());
        assert!(SessionCost::of(&[f64::MIN_POSITIVE, f64::MAX]).is_ok());
    }

    #[test]
    fn noise_is_the_spread_of_session_means() {
        let sessions = [
            SessionCost::of(&[1.0, 1.0]).unwrap(),
            SessionCost::of(&[1.02, 1.02]).unwrap(),
        ];
        let noise = noise_of(&sessions).unwrap();
        close(noise.session_sd, 1.02_f64.ln() / 2_f64.sqrt());
        close(noise.invocations, 2.0);
        close(noise.degrees, 1.0);
        assert!(noise.invocation_sd.abs() < 1e-12);
        assert!(noise_of(&sessions[..1]).is_err());
    }
}
