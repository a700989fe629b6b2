//! The inputs that a reader of a page moves, each with the stretch of values that is worth trying.

use super::distribution::Distribution;
use super::inputs::unit;

/// An input that can be moved.
#[derive(Clone, Copy, Debug)]
pub struct SliderKind {
    /// Its name in files and after `--set`.
    pub key: &'static str,
    /// What it is, in a few words.
    pub label: &'static str,
    /// The lowest value.
    pub low: f64,
    /// The highest value.
    pub high: f64,
    /// From one value to the next.
    pub step: f64,
}

/// The inputs that can be moved.
pub const SLIDERS: [SliderKind; 5] = [
    SliderKind {
        key: "ai_share",
        label: "Share of the sum for AI",
        low: 0.01,
        high: 1.0,
        step: 0.01,
    },
    SliderKind {
        key: "busy",
        label: "Utilisation: share of the year at work",
        low: 0.01,
        high: 1.0,
        step: 0.01,
    },
    SliderKind {
        key: "pue",
        label: "PUE: the facility's energy ÷ its IT's",
        low: 1.0,
        high: 2.5,
        step: 0.01,
    },
    SliderKind {
        key: "electricity_price",
        label: "Price of electricity",
        low: 0.0,
        high: 0.6,
        step: 0.005,
    },
    SliderKind {
        key: "carbon_intensity",
        label: "Greenhouse gases of electricity",
        low: 0.0,
        high: 1200.0,
        step: 5.0,
    },
];

impl SliderKind {
    /// The unit in which it is moved.
    pub fn unit(&self) -> &'static str {
        unit(self.key)
    }

    /// Its ends, so wide that what is assumed lies between them.
    pub fn ends(&self, assumed: Option<Distribution>) -> (f64, f64) {
        let (low, high) = assumed.map_or((self.low, self.high), Distribution::ends);
        // Whole steps from zero, as `low` and `high` are, so that every value is a short number.
        let steps = |value: f64| value / self.step;
        let low = if low < self.low {
            steps(low).floor() * self.step
        } else {
            self.low
        };
        let high = if high > self.high {
            steps(high).ceil() * self.step
        } else {
            self.high
        };
        (low.max(0.0), high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invest::inputs::{INPUTS, position};

    #[test]
    fn every_slider_moves_an_input_within_its_bounds() {
        for slider in SLIDERS {
            let kind = &INPUTS[position(slider.key).unwrap()];
            assert!(
                kind.least <= slider.low && slider.high <= kind.most,
                "{}",
                slider.key
            );
        }
    }

    #[test]
    fn the_ends_hold_what_is_assumed() {
        let price = SLIDERS[3];
        let dear = Distribution::Constant { value: 0.71 };
        let (low, high) = price.ends(Some(dear));
        assert!(low <= 0.0 && (0.71..0.72).contains(&high), "{low} {high}");
        assert_eq!(price.ends(None), (0.0, 0.6));
    }
}
