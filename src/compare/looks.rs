//! Looking at pairs more than once, without claiming more than one look would.
//!
//! `perwatt ab --until-decided` judges after ever more pairs and measures on only what is still open. Each
//! look is a further chance to be wrong, so each has a smaller level (a group-sequential design after Pocock,
//! Biometrika 64, 1977). The numbers of pairs are fixed before the first.

/// Pairs before the first look: from six on, far pairs are weighed down.
const FIRST: u32 = 6;

/// Each look has so many times the pairs of the one before.
const GROWTH: f64 = 1.4;

/// By what the p-values of equivalence are multiplied for each look, and at least for two or more. Normal
/// scores of successive looks have much in common: with the growth above, the exact factor at 5 % is 1.8 for
/// three looks, 4.2 for eight and 5.9 for eleven. Simulation holds it for Student's t.
const SHARE_OF_EQUIVALENCE: f64 = 0.6;
const LEAST_OF_EQUIVALENCE: f64 = 1.8;

/// How often a comparison looks at its pairs, the last time included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Looks(usize);

impl Looks {
    /// A fixed number of pairs.
    pub const ONCE: Self = Self(1);

    /// As often as planned.
    pub fn planned(numbers: &[u32]) -> Self {
        Self(numbers.len().max(1))
    }

    /// The numbers of pairs after which to look, of at most `most`.
    pub fn schedule(most: u32) -> Vec<u32> {
        let mut numbers = vec![FIRST.min(most)];
        while let Some(last) = numbers.last().copied().filter(|last| *last < most) {
            numbers.push(((f64::from(last) * GROWTH).ceil() as u32).min(most));
        }
        numbers
    }

    /// The p-value of a change over all looks (Bonferroni): valid whatever the noise, and at the small levels
    /// of a family hardly worse than the exact factor.
    pub(super) fn change(self, p: f64) -> f64 {
        (p * self.0 as f64).min(1.0)
    }

    /// The p-value of equivalence over all looks.
    pub(super) fn equivalence(self, p: f64) -> f64 {
        (p * self.factor_of_equivalence()).min(1.0)
    }

    /// The level of one look of a test of change.
    pub(super) fn level_of_change(self, alpha: f64) -> f64 {
        alpha / self.0 as f64
    }

    /// The level of one look of a test of equivalence.
    pub(super) fn level_of_equivalence(self, alpha: f64) -> f64 {
        alpha / self.factor_of_equivalence()
    }

    /// Whether there are several.
    pub(super) fn several(self) -> bool {
        self.0 > 1
    }

    fn factor_of_equivalence(self) -> f64 {
        if self.several() {
            (SHARE_OF_EQUIVALENCE * self.0 as f64).max(LEAST_OF_EQUIVALENCE)
        } else {
            1.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_few_and_the_last_is_the_most() {
        assert_eq!(Looks::schedule(60), [6, 9, 13, 19, 27, 38, 54, 60]);
        assert_eq!(Looks::schedule(3), [3]);
        assert!(Looks::schedule(1000).len() <= 16);
    }

    #[test]
    fn one_look_changes_nothing_and_more_cost_something() {
        assert!((Looks::ONCE.change(0.02) - 0.02).abs() < 1e-12);
        assert!((Looks::ONCE.equivalence(0.02) - 0.02).abs() < 1e-12);
        // Exact factors by numerical integration of the normal scores, at 5 %.
        for (most, exact) in [
            (10, 1.77),
            (20, 2.65),
            (40, 3.60),
            (60, 4.17),
            (120, 5.17),
            (200, 5.85),
        ] {
            let looks = Looks::planned(&Looks::schedule(most));
            assert!(looks.equivalence(0.001) >= exact * 0.001, "{most}");
        }
    }
}
