//! From sessions to the units that a comparison of sessions rests on: days, or the sessions of one day.

use super::moments::Moments;
use super::session_cost::SessionCost;

/// Fewest degrees of freedom from which a drift is looked for.
const FEWEST_FOR_DRIFT: f64 = 3.0;

/// Sessions that share what they cannot tell from an effect.
struct SessionUnit {
    mean: f64,
    sessions: usize,
    invocations: usize,
    started_s: Option<f64>,
    /// Whether a prior has counted its spread.
    in_prior: bool,
    /// Squares and degrees of freedom of its sessions that no prior has counted.
    squares: f64,
    degrees: f64,
}

impl SessionUnit {
    fn of(sessions: &[SessionCost]) -> Self {
        let means: Vec<f64> = sessions.iter().map(|session| session.mean_log).collect();
        let fresh: Vec<f64> = sessions
            .iter()
            .filter(|session| !session.in_prior)
            .map(|session| session.mean_log)
            .collect();
        let started: Option<Vec<f64>> = sessions.iter().map(|s| s.started_s).collect();
        let fresh = Moments::of(&fresh);
        Self {
            mean: Moments::of(&means).mean,
            sessions: sessions.len(),
            invocations: sessions.iter().map(|s| s.invocations.max(1)).sum(),
            started_s: started.map(|starts| Moments::of(&starts).mean),
            in_prior: sessions.iter().any(|session| session.in_prior),
            squares: fresh.squares,
            degrees: fresh.degrees(),
        }
    }
}

/// One side of a comparison.
pub(super) struct Group {
    units: Vec<SessionUnit>,
    pub(super) mean: f64,
    /// Squares and degrees of freedom of the units that no prior has counted.
    pub(super) squares: f64,
    pub(super) degrees: f64,
    /// Means over the units of 1 ÷ sessions and of 1 ÷ invocations.
    pub(super) thinness: [f64; 2],
}

impl Group {
    /// The units of a side: its days, or else its sessions.
    pub(super) fn of(sessions: &[SessionCost], by_day: bool) -> Self {
        let units: Vec<SessionUnit> = if by_day {
            let mut days: Vec<usize> = sessions.iter().map(|session| session.day).collect();
            days.sort_unstable();
            days.dedup();
            let on = |day| -> Vec<SessionCost> {
                sessions.iter().filter(|s| s.day == day).copied().collect()
            };
            days.into_iter()
                .map(|day| SessionUnit::of(&on(day)))
                .collect()
        } else {
            sessions.chunks(1).map(SessionUnit::of).collect()
        };
        let moments = |units: &mut dyn Iterator<Item = &SessionUnit>| {
            Moments::of(&units.map(|unit| unit.mean).collect::<Vec<_>>())
        };
        let fresh = moments(&mut units.iter().filter(|unit| !unit.in_prior));
        let mean_of = |value: fn(&SessionUnit) -> usize| {
            let sum: f64 = units.iter().map(|unit| 1.0 / value(unit) as f64).sum();
            sum / units.len().max(1) as f64
        };
        Self {
            mean: moments(&mut units.iter()).mean,
            squares: fresh.squares,
            degrees: fresh.degrees(),
            thinness: [
                mean_of(|unit| unit.sessions),
                mean_of(|unit| unit.invocations),
            ],
            units,
        }
    }

    /// How many units.
    pub(super) fn count(&self) -> f64 {
        self.units.len() as f64
    }

    /// Squares and degrees of freedom of the sessions within the units.
    pub(super) fn within(&self) -> (f64, f64) {
        let units = self.units.iter();
        units.fold((0.0, 0.0), |sum, unit| {
            (sum.0 + unit.squares, sum.1 + unit.degrees)
        })
    }
}

/// Variance that a drift in time may add to the difference of the two sides: the slope within the sides, or the slope
/// that chance can hide among units with this variance where that is larger, over the time between the sides. Time is
/// counted in units, so that a pause is no drift; sides whose units alternate have no time between them.
pub(super) fn drift(groups: &[Group; 2], variance: f64) -> f64 {
    let Some(ranks) = ranks(groups) else {
        return 0.0;
    };
    let mean = |ranks: &[f64]| Moments::of(ranks).mean;
    let (mut square, mut product, mut degrees) = (0.0, 0.0, 0.0);
    for (group, ranks) in groups.iter().zip(&ranks) {
        let middle = mean(ranks);
        for (unit, rank) in group.units.iter().zip(ranks) {
            square += (rank - middle).powi(2);
            product += (rank - middle) * (unit.mean - group.mean);
        }
        degrees += group.count() - 1.0;
    }
    if degrees < FEWEST_FOR_DRIFT || square <= 0.0 {
        return 0.0;
    }
    let slope = product / square;
    let apart = mean(&ranks[1]) - mean(&ranks[0]);
    slope.powi(2).max(variance / square) * apart.powi(2)
}

/// Variance of the difference of two sides' means as a share of one unit's, the second side measured after the first:
/// that of the means, and that of a drift which chance can hide among so many units.
pub fn variance_of_sequel(first: f64, second: f64) -> f64 {
    let means = 1.0 / first + 1.0 / second;
    if first + second - 2.0 < FEWEST_FOR_DRIFT {
        return means;
    }
    // Σ (rank − mean rank)² of n ranks in a row.
    let square_of = |count: f64| count * (count * count - 1.0) / 12.0;
    let apart = f64::midpoint(first, second);
    means + apart.powi(2) / (square_of(first) + square_of(second))
}

/// The units' places in time; none where a start is unknown or all are one.
fn ranks(groups: &[Group; 2]) -> Option<[Vec<f64>; 2]> {
    let starts = |group: &Group| -> Option<Vec<f64>> {
        group.units.iter().map(|unit| unit.started_s).collect()
    };
    let (left, right) = (starts(&groups[0])?, starts(&groups[1])?);
    let mut order: Vec<f64> = left.iter().chain(&right).copied().collect();
    order.sort_by(f64::total_cmp);
    order.dedup();
    let place = |start: &f64| order.partition_point(|other| other < start) as f64;
    let places = |starts: &[f64]| starts.iter().map(place).collect();
    (order.len() > 1).then(|| [places(&left), places(&right)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequel_has_the_error_of_its_means_and_of_a_drift_that_chance_hides() {
        // 1/10 + 1/3, and 6.5 ranks apart over Σ (rank − mean)² of 82.5 and 2.
        let by_hand = 13.0 / 30.0 + 6.5 * 6.5 / 84.5;
        assert!((variance_of_sequel(10.0, 3.0) - by_hand).abs() < 1e-12);
        // Too few units show no slope.
        assert!((variance_of_sequel(2.0, 2.0) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_forecast_is_the_error_of_units_that_show_no_slope() {
        let unit = |cost: f64, started_s: u32| {
            let session = SessionCost::of(&[cost]).unwrap();
            SessionCost {
                started_s: Some(started_s.into()),
                ..session
            }
        };
        // Symmetric in time, so the slope is nought.
        let old: Vec<SessionCost> = [1.0, 1.02, 1.0, 1.0, 1.02, 1.0]
            .into_iter()
            .zip(0..)
            .map(|(c, t)| unit(c, t))
            .collect();
        let new: Vec<SessionCost> = [1.0, 1.02, 1.0]
            .into_iter()
            .zip(6..)
            .map(|(c, t)| unit(c, t))
            .collect();
        let groups = [Group::of(&old, false), Group::of(&new, false)];
        let variance = 1e-4;
        let of_means = 1.0 / 6.0 + 1.0 / 3.0;
        let error = drift(&groups, variance) / variance + of_means;
        assert!(
            (error - variance_of_sequel(6.0, 3.0)).abs() < 1e-9,
            "{error}"
        );
    }
}
