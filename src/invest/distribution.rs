//! What is known of an input, as a distribution, and the draws from it.
//!
//! Everything here is computed with `+ − × ÷ √` and the `libm` crate, which is written in those alone,
//! never with the platform's own logarithm: the same seed gives the same bits on every machine whose
//! `f64` is IEEE 754's.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Standard normal deviate beyond which 2.5 % lie.
const Z_95: f64 = 1.959_963_984_540_054;

/// A distribution of one number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "shape", rename_all = "kebab-case")]
pub enum Distribution {
    /// Known.
    Constant {
        /// The number.
        value: f64,
    },
    /// Anywhere between two numbers.
    Uniform {
        /// Smallest.
        low: f64,
        /// Largest.
        high: f64,
    },
    /// Between two numbers, most likely near a third.
    Triangular {
        /// Smallest.
        low: f64,
        /// Most likely.
        value: f64,
        /// Largest.
        high: f64,
    },
    /// Measured: the logarithm is normal and this is its 95 % interval. Student's tails beyond that
    /// interval are not drawn; the interval itself is Student's.
    Measured {
        /// The estimate.
        value: f64,
        /// Lower end of the interval.
        low: f64,
        /// Upper end of the interval.
        high: f64,
    },
}

impl Distribution {
    /// From a lower end, a most likely value and an upper end, whichever are known.
    ///
    /// # Errors
    /// They are out of order, not finite, or not enough.
    pub fn of(low: Option<f64>, value: Option<f64>, high: Option<f64>) -> Result<Self, String> {
        let given = [low, value, high];
        if given
            .into_iter()
            .flatten()
            .any(|number| !number.is_finite())
        {
            return Err("a number that is not finite".to_owned());
        }
        match given {
            [None, Some(value), None] => Ok(Self::Constant { value }),
            [Some(low), value, Some(high)] => {
                let value = value.unwrap_or(low);
                if !(low <= value && value <= high) {
                    return Err(format!(
                        "low, value and high are out of order ({low}, {value}, {high})"
                    ));
                }
                Ok(match given[1] {
                    _ if low.total_cmp(&high).is_eq() => Self::Constant { value: low },
                    None => Self::Uniform { low, high },
                    Some(value) => Self::Triangular { low, value, high },
                })
            }
            _ => Err("give `value`, `low` with `high`, or all three".to_owned()),
        }
    }

    /// The smallest and the largest number that it names.
    pub fn ends(self) -> (f64, f64) {
        match self {
            Self::Constant { value } => (value, value),
            Self::Uniform { low, high }
            | Self::Triangular { low, high, .. }
            | Self::Measured { low, high, .. } => (low, high),
        }
    }

    /// In a unit that many times smaller.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        match self {
            Self::Constant { value } => Self::Constant {
                value: value * factor,
            },
            Self::Uniform { low, high } => Self::Uniform {
                low: low * factor,
                high: high * factor,
            },
            Self::Triangular { low, value, high } => Self::Triangular {
                low: low * factor,
                value: value * factor,
                high: high * factor,
            },
            Self::Measured { value, low, high } => Self::Measured {
                value: value * factor,
                low: low * factor,
                high: high * factor,
            },
        }
    }

    /// The best single number: the most likely one, or the middle.
    pub fn central(self) -> f64 {
        match self {
            Self::Constant { value }
            | Self::Triangular { value, .. }
            | Self::Measured { value, .. } => value,
            Self::Uniform { low, high } => 0.5 * (low + high),
        }
    }

    /// Whether it is known exactly.
    pub fn is_constant(self) -> bool {
        let (low, high) = self.ends();
        low.total_cmp(&high).is_eq()
    }

    /// The number below which the share `u` of the probability lies, for 0 < u < 1.
    pub fn quantile(self, u: f64) -> f64 {
        match self {
            Self::Constant { value } => value,
            Self::Uniform { low, high } => low + u * (high - low),
            Self::Triangular { low, value, high } => {
                let (width, left) = (high - low, value - low);
                if u * width < left {
                    low + (u * width * left).sqrt()
                } else {
                    high - ((1.0 - u) * width * (high - value)).sqrt()
                }
            }
            Self::Measured { value, low, high } => {
                let deviation = (libm::log(high) - libm::log(low)) / (2.0 * Z_95);
                value * libm::exp(deviation * standard_normal(u))
            }
        }
    }
}

/// The standard normal deviate below which the share `p` lies: algorithm AS 241 (PPND16) of
/// M. J. Wichura, Applied Statistics 37 (1988), relative error about 10⁻¹⁶.
pub(super) fn standard_normal(p: f64) -> f64 {
    const A: [f64; 8] = [
        3.387_132_872_796_366_6,
        133.141_667_891_784_38,
        1_971.590_950_306_551_3,
        13_731.693_765_509_46,
        45_921.953_931_549_87,
        67_265.770_927_008_7,
        33_430.575_583_588_13,
        2_509.080_928_730_122_7,
    ];
    const B: [f64; 8] = [
        1.0,
        42.313_330_701_600_91,
        687.187_007_492_057_9,
        5_394.196_021_424_751,
        21_213.794_301_586_597,
        39_307.895_800_092_71,
        28_729.085_735_721_943,
        5_226.495_278_852_854,
    ];
    const C: [f64; 8] = [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        0.241_780_725_177_450_6,
        0.022_723_844_989_269_184,
        7.745_450_142_783_414e-4,
    ];
    const D: [f64; 8] = [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        0.689_767_334_985_1,
        0.148_103_976_427_480_08,
        0.015_198_666_563_616_457,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ];
    const E: [f64; 8] = [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        0.296_560_571_828_504_87,
        0.026_532_189_526_576_124,
        0.001_242_660_947_388_078_4,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ];
    const F: [f64; 8] = [
        1.0,
        0.599_832_206_555_888,
        0.136_929_880_922_735_8,
        0.014_875_361_290_850_615,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ];
    let ratio = |above: &[f64; 8], below: &[f64; 8], r: f64| {
        let horner = |c: &[f64; 8]| c.iter().rev().fold(0.0, |sum, c| sum * r + c);
        horner(above) / horner(below)
    };
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        return q * ratio(&A, &B, 0.180_625 - q * q);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    let r = (-libm::log(tail)).sqrt();
    let size = if r <= 5.0 {
        ratio(&C, &D, r - 1.6)
    } else {
        ratio(&E, &F, r - 5.0)
    };
    if q < 0.0 { -size } else { size }
}

#[cfg(test)]
mod tests {
    use statrs::distribution::{ContinuousCDF, Normal};

    use super::*;

    #[test]
    fn the_normal_deviate_is_that_of_a_known_implementation() {
        let normal = Normal::new(0.0, 1.0).unwrap();
        for p in [
            1e-12, 1e-6, 0.001, 0.025, 0.07, 0.3, 0.5, 0.6, 0.93, 0.975, 0.999_999,
        ] {
            // statrs inverts its own cdf, good to about nine digits.
            let expected = normal.inverse_cdf(p);
            let got = standard_normal(p);
            assert!(
                (got - expected).abs() < 1e-6 * (1.0 + expected.abs()),
                "{p}: {got} {expected}"
            );
        }
        // Tables give 1.959963984540054 and 4.753424308822899 (10⁻⁶).
        assert!((standard_normal(0.975) - Z_95).abs() < 1e-14);
        assert!((standard_normal(1e-6) + 4.753_424_308_822_899).abs() < 1e-12);
    }

    #[test]
    fn quantiles_turn_the_distribution_functions_back() {
        let triangle = Distribution::of(Some(1.0), Some(2.0), Some(5.0)).unwrap();
        // F(x) = (x − 1)²/4 up to 2, 1 − (5 − x)²/12 beyond.
        for u in [0.01, 0.1, 0.25, 0.26, 0.5, 0.99] {
            let x = triangle.quantile(u);
            let back = if x < 2.0 {
                (x - 1.0).powi(2) / 4.0
            } else {
                1.0 - (5.0 - x).powi(2) / 12.0
            };
            assert!((back - u).abs() < 1e-12, "{u}");
        }
        let uniform = Distribution::of(Some(1.0), None, Some(3.0)).unwrap();
        assert!((uniform.quantile(0.25) - 1.5).abs() < 1e-12);
        let measured = Distribution::Measured {
            value: 4.0,
            low: 2.0,
            high: 8.0,
        };
        assert!((measured.quantile(0.5) - 4.0).abs() < 1e-12);
        assert!((measured.quantile(0.025) - 2.0).abs() < 1e-9);
        assert!((measured.quantile(0.975) - 8.0).abs() < 1e-9);
    }

    #[test]
    fn nonsense_is_no_distribution() {
        assert!(Distribution::of(Some(2.0), Some(1.0), Some(3.0)).is_err());
        assert!(Distribution::of(Some(f64::NAN), None, Some(3.0)).is_err());
        assert!(Distribution::of(None, Some(f64::INFINITY), None).is_err());
        assert!(Distribution::of(Some(1.0), Some(2.0), None).is_err());
        assert!(Distribution::of(None, None, None).is_err());
        assert!(
            Distribution::of(Some(1.0), Some(1.0), Some(1.0))
                .unwrap()
                .is_constant()
        );
    }
}
