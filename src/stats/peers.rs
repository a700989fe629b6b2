//! One of many that should be alike: how far it lies from its peers, and how often that happens by chance.
//!
//! The peers are their own null distribution. Its centre is their median and its spread robust, so that the few who
//! differ do not hide themselves; how heavy its tail is, is read from the side without suspects, since what
//! is slow by a fault lies on the other. Each member's own uncertainty widens the null for that member.
//!
//! Few peers know their own spread badly: their number enters as degrees of freedom. Rousseeuw and Croux's Qₙ (J. Am.
//! Statist. Assoc. 88, 1993) has 82 % of the efficiency of a standard deviation and bears that half of the values
//! are anything; of very many values the median absolute deviation is as good for the purpose and quicker.

use super::interval::Interval;
use super::samples::{median_of, scaled_mad};
use super::student::{Student, quantile};

/// Up to so many values, Qₙ is computed from all pairs.
const PAIRS_OF: usize = 300;

/// Efficiency of Qₙ and of the median absolute deviation against a standard deviation of normal values.
const EFFICIENCY: (f64, f64) = (0.82, 0.37);

/// The third quartile of the normal distribution: where half of the distances from the centre lie below.
const QUARTILE: f64 = 0.674_489_750_196_082;

/// Degrees of freedom among which the tail is chosen; the last stands for the normal distribution.
const TAILS: [f64; 15] = [
    1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 14.0, 20.0, 30.0, 60.0, 1e5,
];

/// What is believed of the tail before anything is seen: ln ν is normal with this centre and this spread.
const TAIL_PRIOR: (f64, f64) = (2.08, 0.7);

/// Most distances from which a tail is read.
const MOST_FOR_TAIL: usize = 20_000;

/// Where the peers lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Peers {
    /// How many.
    pub count: usize,
    /// Their median.
    pub centre: f64,
    /// Their spread, on the scale of a standard deviation of normal values.
    pub spread: f64,
    /// How well the spread is known, as degrees of freedom.
    pub degrees: f64,
}

/// How heavy the tail of a null distribution is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tail {
    /// Degrees of freedom of the Student's t that has such a tail.
    pub degrees: f64,
}

/// A member against its peers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PeerStanding {
    /// The member less the peers' centre.
    pub distance: f64,
    /// One standard deviation of what lies between like members, this one's own uncertainty included.
    pub scale: f64,
    /// Degrees of freedom of the distribution of `distance ÷ scale`.
    pub degrees: f64,
}

impl Peers {
    /// Fewest members of which one can be called different.
    pub const FEWEST: usize = 8;

    /// Of some values, all finite.
    pub fn of(values: &[f64]) -> Self {
        let count = values.len();
        let (spread, efficiency) = match count {
            ..=PAIRS_OF => (qn(values), EFFICIENCY.0),
            _ => (scaled_mad(values), EFFICIENCY.1),
        };
        Self {
            count,
            centre: median_of(values),
            spread,
            degrees: efficiency * count.saturating_sub(1) as f64,
        }
    }

    /// Where a value stands. `own` is its own standard error and `usual` the median of its peers'.
    pub fn standing(
        &self,
        value: f64,
        own: Option<f64>,
        usual: Option<f64>,
        tail: Tail,
    ) -> PeerStanding {
        let extra = match (own, usual) {
            (Some(own), Some(usual)) => (own.powi(2) - usual.powi(2)).max(0.0),
            _ => 0.0,
        };
        // The centre is known to 1.25 ÷ √n of the spread.
        let centre = 1.57 * self.spread.powi(2) / self.count.max(1) as f64;
        PeerStanding {
            distance: value - self.centre,
            scale: (self.spread.powi(2) + extra + centre).sqrt(),
            degrees: 1.0 / (1.0 / tail.degrees + 1.0 / self.degrees.max(0.1)),
        }
    }
}

/// Drop of the logarithm of a likelihood one standard error away from its largest.
const STANDARD_ERROR: f64 = 0.5;

impl Tail {
    /// The tail of the normal distribution.
    pub const NORMAL: Self = Self { degrees: 1e5 };

    /// From distances below the centre, in units of the spread. Of few or none, what is believed beforehand.
    pub fn of(below: &[f64]) -> Self {
        let step = below.len().div_ceil(MOST_FOR_TAIL).max(1);
        let distances: Vec<f64> = below.iter().step_by(step).map(|z| z.abs()).collect();
        let score = |degrees: f64| -> f64 {
            let prior = (degrees.min(200.0).ln() - TAIL_PRIOR.0) / TAIL_PRIOR.1;
            let stretch = stretch(degrees);
            let constant = log_constant(degrees) + stretch.ln();
            let likelihood: f64 = distances
                .iter()
                .map(|z| {
                    let t = z * stretch;
                    constant - (degrees + 1.0) / 2.0 * (t * t / degrees).ln_1p()
                })
                .sum();
            likelihood - prior * prior / 2.0
        };
        let scores = TAILS.map(|degrees| (score(degrees), degrees));
        let best = scores
            .iter()
            .map(|(score, _)| *score)
            .fold(f64::NEG_INFINITY, f64::max);
        // The heaviest tail within one standard error: taking the likeliest one calls like cards slow wherever it is a
        // little too light. Where nothing was seen, what is believed.
        let slack = if distances.is_empty() {
            0.0
        } else {
            STANDARD_ERROR
        };
        let heaviest = scores.iter().find(|(score, _)| *score >= best - slack);
        Self {
            degrees: heaviest.map_or(1.0, |(_, degrees)| *degrees),
        }
    }
}

impl PeerStanding {
    /// How often a like member would stand so high or higher.
    pub fn p_above(&self) -> f64 {
        if self.scale <= 0.0 {
            return if self.distance > 0.0 { 0.0 } else { 1.0 };
        }
        let t = self.distance / self.scale * stretch(self.degrees);
        Student::new(self.degrees).map_or(1.0, |student| student.above(t))
    }

    /// The distance from which on a like member would stand so high no more often than `p`.
    pub fn distance_of(&self, p: f64) -> f64 {
        quantile(1.0 - p, self.degrees) / stretch(self.degrees) * self.scale
    }

    /// Where the distance lies beyond what like members differ by.
    pub fn interval(&self) -> Interval {
        let t = quantile(0.5 + Interval::LEVEL / 2.0, self.degrees) / stretch(self.degrees);
        Interval::around(self.distance, t * self.scale)
    }
}

/// Factor by which a Student's t is wider than one whose half of the distances lies where the normal's does.
fn stretch(degrees: f64) -> f64 {
    quantile(0.75, degrees) / QUARTILE
}

/// ln of the constant of Student's density.
fn log_constant(degrees: f64) -> f64 {
    use statrs::function::gamma::ln_gamma;
    if degrees > 1e4 {
        return -0.5 * (2.0 * std::f64::consts::PI).ln();
    }
    ln_gamma((degrees + 1.0) / 2.0)
        - ln_gamma(degrees / 2.0)
        - 0.5 * (degrees * std::f64::consts::PI).ln()
}

/// Rousseeuw and Croux's Qₙ with their factors for small samples.
fn qn(values: &[f64]) -> f64 {
    let count = values.len();
    if count < 2 {
        return 0.0;
    }
    let mut distances: Vec<f64> = (0..count)
        .flat_map(|i| (0..i).map(move |j| (values[i] - values[j]).abs()))
        .collect();
    let half = count / 2 + 1;
    let place = half * (half - 1) / 2 - 1;
    let (_, chosen, _) = distances.select_nth_unstable_by(place, f64::total_cmp);
    let n = count as f64;
    let small = match count {
        2 => 0.399,
        3 => 0.994,
        4 => 0.512,
        5 => 0.844,
        6 => 0.611,
        7 => 0.857,
        8 => 0.669,
        9 => 0.872,
        _ if count % 2 == 1 => n / (n + 1.4),
        _ => n / (n + 3.8),
    };
    2.2219 * small * *chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spread_is_the_tenth_distance_of_eight_values() {
        // By hand: 1, 2, 3, 3, 4, 5, 5, 6, 6, 7, … of 28.
        let values = [1.0, 2.0, 4.0, 7.0, 11.0, 16.0, 22.0, 29.0];
        assert!((qn(&values) - 2.2219 * 0.669 * 7.0).abs() < 1e-9);
        assert!(qn(&[3.0; 9]).abs() < 1e-12);
    }

    #[test]
    fn a_normal_tail_is_light_and_a_heavy_one_heavy() {
        let student = |degrees: f64, p: f64| quantile(p, degrees) / stretch(degrees);
        let below = |degrees: f64| -> Vec<f64> {
            (1..2000)
                .map(|i| student(degrees, f64::from(i) / 4000.0))
                .collect()
        };
        assert!(Tail::of(&below(1e5)).degrees >= 20.0);
        let heavy = Tail::of(&below(3.0)).degrees;
        assert!((2.0..=4.0).contains(&heavy), "{heavy}");
        // Nothing seen: what is believed.
        assert!((Tail::of(&[]).degrees - 8.0).abs() < 1e-9);
    }

    #[test]
    fn equal_members_differ_from_none_and_the_one_that_differs_does() {
        let peers = Peers::of(&[0.0; 20]);
        let at = |value| peers.standing(value, None, None, Tail::NORMAL);
        assert!(at(0.0).p_above() > 0.9 && at(0.1).p_above() < 1e-9);
    }

    #[test]
    fn ones_own_uncertainty_is_carried() {
        let values: Vec<f64> = (0..40).map(|i| f64::from(i % 7) * 0.01).collect();
        let peers = Peers::of(&values);
        let sure = peers.standing(0.2, Some(0.01), Some(0.01), Tail::NORMAL);
        let unsure = peers.standing(0.2, Some(0.2), Some(0.01), Tail::NORMAL);
        assert!(sure.p_above() < 1e-3 && unsure.p_above() > 0.1);
        assert!(unsure.interval().contains(0.0) && !sure.interval().contains(0.0));
    }
}
