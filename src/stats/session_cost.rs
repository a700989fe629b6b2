//! What one session says of one cost, and what is believed of sessions before any is seen.

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
    /// Number of the day; sessions of one day share it.
    pub day: usize,
    /// When it started, in seconds of any epoch, where that is known.
    pub started_s: Option<f64>,
    /// Whether the prior was learned from this very session, whose spread then counts there.
    pub in_prior: bool,
}

impl SessionCost {
    /// Sums a session's costs up; its day is the first, its start unknown.
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
            day: 0,
            started_s: None,
            in_prior: false,
        })
    }
}

/// What is believed of the noise before the data are seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NoisePrior {
    /// Standard deviation of a session's mean log cost between the sessions of one day.
    pub session_sd: f64,
    /// Standard deviation between the invocations of a session.
    pub invocation_sd: f64,
    /// Invocations of the sessions that `session_sd` is about.
    pub invocations: f64,
    /// Degrees of freedom that the belief about sessions is worth.
    pub degrees: f64,
    /// Standard deviation that the day adds to that of its sessions.
    pub day_sd: f64,
    /// Degrees of freedom that the belief about days is worth.
    pub day_degrees: f64,
}

impl NoisePrior {
    /// No belief at all.
    pub const NOTHING: Self = Self {
        session_sd: 0.0,
        invocation_sd: 0.0,
        invocations: 1.0,
        degrees: 0.0,
        day_sd: 0.0,
        day_degrees: 0.0,
    };

    /// The belief where its sessions are of too few days: of days, what `unknown` says, or what was seen if
    /// that is more.
    #[must_use]
    pub fn with_unknown_days(self, unknown: Self) -> Self {
        Self {
            day_sd: self.day_sd.max(unknown.day_sd),
            day_degrees: unknown.day_degrees,
            ..self
        }
    }

    /// The belief made as wide as what the invocations of these very sessions spread: a device whose
    /// invocations scatter twice as much as was believed is taken to scatter twice as much all over.
    pub(super) fn widened(self, sessions: &[SessionCost]) -> Self {
        let seen = invocation_variance(sessions, Self::NOTHING).sqrt();
        if self.invocation_sd <= 0.0 || seen <= self.invocation_sd {
            return self;
        }
        let factor = seen / self.invocation_sd;
        Self {
            session_sd: factor * self.session_sd,
            invocation_sd: seen,
            day_sd: factor * self.day_sd,
            ..self
        }
    }
}

/// Variance between the invocations of a session, all sessions pooled with the prior.
pub(super) fn invocation_variance(sessions: &[SessionCost], prior: NoisePrior) -> f64 {
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
