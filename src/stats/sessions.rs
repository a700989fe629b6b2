//! Two groups of sessions: a prediction interval for a stored baseline.
//!
//! A session has conditions of its own (temperature, clocks, a neighbour on the machine) that all its
//! invocations share, so the spread *between sessions* is what a difference must exceed. It takes about
//! ten sessions to know it. Where there are fewer, a stated prior stands in: a scaled inverse
//! chi-squared with `degrees` of belief behind it, which the data outvote as they come (Gelman et al.,
//! Bayesian Data Analysis, §3.3).

use super::effect::Effect;
use super::moments::{Moments, positive};
use super::undefined::Undefined;

/// What the invocations of one session say about one cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SessionCost {
    /// Mean over invocations of the logarithm of the cost.
    pub mean_log: f64,
    /// How many invocations.
    pub invocations: usize,
    /// Sum over invocations of the squared deviation from `mean_log`.
    pub squares: f64,
}

impl SessionCost {
    /// Sums a session's costs up.
    ///
    /// # Errors
    /// There are none, or one is not above zero and finite.
    pub fn of(costs: &[f64]) -> Result<Self, Undefined> {
        if costs.is_empty() {
            return Err(Undefined::NoInvocation);
        }
        let logs: Vec<f64> = costs
            .iter()
            .map(|cost| positive(*cost).map(f64::ln))
            .collect::<Result<_, _>>()?;
        let moments = Moments::of(&logs);
        Ok(Self {
            mean_log: moments.mean,
            invocations: moments.count,
            squares: moments.squares,
        })
    }
}

/// What is believed of the noise before the data are seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NoisePrior {
    /// Standard deviation between sessions of a session's mean log cost.
    pub session_sd: f64,
    /// Standard deviation between the invocations of a session.
    pub invocation_sd: f64,
    /// Invocations of the sessions that `session_sd` is about.
    pub invocations: f64,
    /// Degrees of freedom that the belief is worth.
    pub degrees: f64,
}

/// No belief at all.
const NOTHING: NoisePrior = NoisePrior {
    session_sd: 0.0,
    invocation_sd: 0.0,
    invocations: 1.0,
    degrees: 0.0,
};

/// One side of a comparison.
struct Group {
    mean: f64,
    squares: f64,
    sessions: f64,
    degrees: f64,
    /// Mean over sessions of 1 ÷ invocations.
    thinness: f64,
}

impl Group {
    fn of(sessions: &[SessionCost]) -> Self {
        let means: Vec<f64> = sessions.iter().map(|session| session.mean_log).collect();
        let moments = Moments::of(&means);
        let count = sessions.len() as f64;
        let thinness = sessions
            .iter()
            .map(|session| 1.0 / session.invocations.max(1) as f64)
            .sum::<f64>()
            / count.max(1.0);
        Self {
            mean: moments.mean,
            squares: moments.squares,
            sessions: count,
            degrees: moments.degrees(),
            thinness,
        }
    }
}

impl Effect {
    /// The ratio of two groups of sessions. With one candidate session and no prior this is the
    /// prediction interval s·√(1 + 1/m) on m − 1 degrees of freedom; with a prior the variance is
    /// (ν₀s₀² + SS) ÷ (ν₀ + df) on ν₀ + df. Sessions with fewer invocations than those that the
    /// variance was learned from get what their thinness adds. Where the invocations of these sessions
    /// spread more than the prior's did, the difference is added to the prior's share: a prior is a floor
    /// and never a ceiling.
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
    /// A side has no session, or nothing is known of the variance: one session each and no prior.
    pub fn sessions(
        baseline: &[SessionCost],
        candidate: &[SessionCost],
        prior: Option<NoisePrior>,
    ) -> Result<Self, Undefined> {
        if baseline.is_empty() || candidate.is_empty() {
            return Err(Undefined::NoSession);
        }
        let groups = [Group::of(baseline), Group::of(candidate)];
        let prior = prior.unwrap_or(NOTHING);
        let degrees = prior.degrees + groups[0].degrees + groups[1].degrees;
        if degrees <= 0.0 {
            return Err(Undefined::OneSessionEach);
        }
        let squares =
            prior.degrees * prior.session_sd.powi(2) + groups[0].squares + groups[1].squares;
        let variance = squares / degrees;
        let learned_at = (prior.degrees / prior.invocations.max(1.0)
            + groups.iter().map(|g| g.degrees * g.thinness).sum::<f64>())
            / degrees;
        let all = || baseline.iter().chain(candidate);
        let within = invocation_variance(all(), prior);
        // What the invocations of these very sessions spread beyond what the prior was told of. The
        // prior's share of the variance lacks it, and then the prior would be a ceiling.
        let seen = invocation_variance(all(), NOTHING);
        let excess = (seen - prior.invocation_sd.powi(2)).max(0.0) * prior.degrees / degrees;
        let error: f64 = groups
            .iter()
            .map(|group| {
                let thin = (within * (group.thinness - learned_at)).max(0.0);
                (variance + thin + excess * group.thinness) / group.sessions
            })
            .sum();
        let log_ratio = groups[1].mean - groups[0].mean;
        if !(error.is_finite() && log_ratio.is_finite()) {
            return Err(Undefined::NotFinite);
        }
        Ok(Self {
            log_ratio,
            standard_error: error.sqrt(),
            degrees,
            slack: 0.0,
        })
    }
}

/// Variance between the invocations of a session, all sessions pooled with the prior.
fn invocation_variance<'a>(
    sessions: impl Iterator<Item = &'a SessionCost>,
    prior: NoisePrior,
) -> f64 {
    let mut degrees = prior.degrees;
    let mut squares = prior.degrees * prior.invocation_sd.powi(2);
    for session in sessions {
        degrees += session.invocations.saturating_sub(1) as f64;
        squares += session.squares;
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
/// use perwatt::stats::{SessionCost, noise_of};
///
/// let noise = noise_of(&[SessionCost::of(&[1.00])?, SessionCost::of(&[1.02])?])?;
/// assert!((noise.session_sd - 0.014).abs() < 1e-4);
/// # Ok::<(), perwatt::stats::Undefined>(())
/// ```
///
/// # Errors
/// Fewer than two sessions.
pub fn noise_of(sessions: &[SessionCost]) -> Result<NoisePrior, Undefined> {
    if sessions.len() < 2 {
        return Err(Undefined::OneSession);
    }
    let group = Group::of(sessions);
    Ok(NoisePrior {
        session_sd: (group.squares / group.degrees).sqrt(),
        invocation_sd: invocation_variance(sessions.iter(), NOTHING).sqrt(),
        invocations: 1.0 / group.thinness,
        degrees: group.degrees,
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
        close(interval.low, 0.014231635847040654);
        close(interval.high, 0.04171870670886582);
        close(effect.p_above(1.01_f64.ln()), 0.007891460961850916);
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
        };
        let of = |costs: &[f64]| [SessionCost::of(costs).unwrap()];
        let effect = |a: &[f64], b: &[f64]| Effect::sessions(&of(a), &of(b), Some(prior)).unwrap();
        // Within what the prior knows, nothing changes.
        let calm = effect(&[1.0, 1.01, 0.99], &[1.0, 1.01, 0.99]);
        close(calm.standard_error, 0.03 * 2_f64.sqrt());
        // Three invocations of ln 2 apart: variance (4·(ln 2)²/3 ÷ 4) over three of them, twice.
        let modes = effect(&[1.0, 2.0, 1.0], &[2.0, 1.0, 2.0]);
        let seen = 2_f64.ln().powi(2) / 3.0;
        close(
            modes.standard_error,
            (2.0 * (0.03_f64.powi(2) + (seen - 0.02_f64.powi(2)) / 3.0)).sqrt(),
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
