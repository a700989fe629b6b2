//! Whether a measured rate may stand for the device, or says something about caches, gaps between
//! dispatches, or the wrong units. What does not fit is shown and not used, and the reader is told what to run.

use std::cmp::Ordering;
use std::fmt;

use crate::record::{CaseResult, Estimate, Outcome, Resource, Summary};
use crate::units::{BytesPerSecond, FlopPerSecond, Watts};

/// A dispatch and the gap before the next one, where nothing measured it. [A]
const GAP_S: f64 = 5e-6;

/// Gaps that an execution must outlast: below, a rate is that of launching.
const GAPS: f64 = 20.0;

/// Elements of a product that give the largest devices' 304 compute units a tile of 64 × 64 each.
const ELEMENTS: u64 = 304 * 64 * 64;

/// Memory that a stream must go through: four times a last cache of 64 MB, or the largest caches of cards
/// once and a half. [A]
const STREAM_BYTES: u64 = 256_000_000;

/// A share of a roof or of a data sheet's peak above this is a fault of a clock, a cache or a name.
pub(super) const MOST_SHARE: f64 = 1.05;

/// Boards overshoot their limit for a moment, and sensors err by some per cent.
pub(super) const MOST_OF_RATING: f64 = 1.15;

/// Why a measured figure does not stand for the device.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Unfit {
    /// An f16 product on vector units, for a chip that has matrix units.
    VectorUnits,
    /// One execution is over before the gaps between dispatches stop to matter.
    Short {
        /// Time of one execution.
        seconds: f64,
        /// Time that it should take at least.
        wanted: f64,
        /// Whether it is a stream through memory.
        memory: bool,
    },
    /// Too few elements to keep a large device busy.
    Small {
        /// Elements of the output.
        elements: u64,
    },
    /// It may lie in a cache.
    Cached {
        /// Bytes that the executions go through.
        bytes: u64,
    },
    /// Faster than the session's own roof.
    AboveRoof {
        /// Share of the roof.
        share: f64,
    },
    /// Faster than the data sheet.
    AbovePeak {
        /// What was measured.
        rate: f64,
        /// What the data sheet says.
        peak: f64,
        /// Whether it is of memory.
        memory: bool,
    },
    /// More power than the board is rated for.
    AboveLimit {
        /// What was measured.
        watts: f64,
        /// What the board is rated for.
        limit: f64,
    },
    /// Less power than a device that works can draw.
    BelowLeast {
        /// What was measured.
        watts: f64,
        /// What it is less than.
        least: f64,
        /// What that is.
        of: LeastPower,
    },
    /// Some check of its output failed or is missing.
    Unverified,
    /// A check failed, by so many times its bound.
    Wrong {
        /// The worst error ÷ the bound.
        times: f64,
    },
}

/// Below what a device under load cannot draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LeastPower {
    /// Nothing.
    Nothing,
    /// What the same sensor said before the loads.
    Idle,
    /// A small part of the board's rating.
    Rating,
}

impl Unfit {
    /// What would give the figure.
    pub(super) fn advice(&self) -> &'static str {
        match self {
            Self::VectorUnits => {
                "perwatt run --case 'matmul/f16/4096x4096x4096@coop*' on a driver with cooperative matrices"
            }
            Self::Short { memory: true, .. } => "perwatt run --case 'triad/f32/134217728'",
            Self::Short { .. } | Self::Small { .. } => {
                "perwatt run --case 'matmul/*/4096x4096x4096', whose record says how long this device's gaps are"
            }
            Self::Cached { .. } => "perwatt run --case 'gemv/f16/16384x16384'",
            Self::AboveRoof { .. } | Self::AbovePeak { .. } => {
                "perwatt run --suite standard, and look at the clock that perwatt devices names"
            }
            Self::AboveLimit { .. } | Self::BelowLeast { .. } => {
                "perwatt power watch, and compare with another meter"
            }
            Self::Unverified | Self::Wrong { .. } => "perwatt run with the same case",
        }
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::VectorUnits => f.write_str("measured without matrix units"),
            Self::Short {
                seconds, wanted, ..
            } => write!(
                f,
                "one execution takes {:.1} µs, too short beside the gaps between dispatches ({:.0} µs are asked for)",
                seconds * 1e6,
                wanted * 1e6
            ),
            Self::Small { elements } => {
                write!(f, "{elements} elements do not keep a large device busy")
            }
            Self::Cached { bytes } => write!(
                f,
                "its {:.1} MB may lie in a cache ({} MB are asked for)",
                *bytes as f64 * 1e-6,
                STREAM_BYTES / 1_000_000
            ),
            Self::AboveRoof { share } => {
                write!(f, "{share:.2} times the roof that the session measured")
            }
            Self::AbovePeak { rate, peak, memory } => {
                let (rate, peak) = if *memory {
                    let shown = |value: f64| BytesPerSecond(value).to_string();
                    (shown(*rate), shown(*peak))
                } else {
                    let shown = |value: f64| FlopPerSecond(value).to_string();
                    (shown(*rate), shown(*peak))
                };
                write!(f, "{rate} is more than the data sheet's {peak}")
            }
            Self::AboveLimit { watts, limit } => write!(
                f,
                "{} is more than the {} that the board is rated for",
                Watts(*watts),
                Watts(*limit)
            ),
            Self::BelowLeast { watts, least, of } => {
                let (watts, least) = (Watts(*watts), Watts(*least));
                match of {
                    LeastPower::Nothing => write!(f, "{watts} is no power of a device that works"),
                    LeastPower::Idle => write!(
                        f,
                        "{watts} under load is less than the {least} that the same sensor said before the loads"
                    ),
                    LeastPower::Rating => write!(
                        f,
                        "{watts} under load is less than {least}, a tenth of what the board is rated for"
                    ),
                }
            }
            Self::Unverified => f.write_str("not every invocation was verified"),
            Self::Wrong { times } => write!(
                f,
                "a check of its output failed: the worst error is {times:.3} times what is allowed"
            ),
        }
    }
}

/// What is known of the chip for which a record is to speak.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ChipLimits {
    /// Whether 16-bit products run on units of their own; `None` where nobody says.
    pub(super) matrix_units: Option<bool>,
    /// Data sheet's f32 rate in FLOP/s.
    pub(super) f32_flop_per_s: Option<f64>,
    /// Data sheet's 16-bit rate.
    pub(super) f16_flop_per_s: Option<f64>,
    /// Data sheet's bandwidth in bytes/s.
    pub(super) bytes_per_s: Option<f64>,
    /// The board's rated power.
    pub(super) board_w: Option<f64>,
    /// What the sensor said before the loads.
    pub(super) idle_w: Option<f64>,
    /// Whether the CPU does the work, which a small product keeps busy too.
    pub(super) software: bool,
    /// Seconds from one dispatch to the next, where the session measured them.
    pub(super) gap_s: Option<f64>,
}

/// Whether a matrix product speaks for the device.
pub(super) fn product(
    case: &CaseResult,
    summary: &Summary,
    rate: &Estimate,
    chip: &ChipLimits,
) -> Result<(), Unfit> {
    let is_f16 = case.dtype() == "f16";
    if is_f16 && !on_matrix_units(case) && chip.matrix_units == Some(true) {
        return Err(Unfit::VectorUnits);
    }
    let peak = if is_f16 {
        chip.f16_flop_per_s
    } else {
        chip.f32_flop_per_s
    };
    below_peak(rate.value, peak, false)?;
    long_enough(summary, chip, false)?;
    let elements = output_elements(case);
    if !chip.software && elements.is_some_and(|elements| elements < ELEMENTS) {
        return Err(Unfit::Small {
            elements: elements.unwrap_or(0),
        });
    }
    below_roof(summary)?;
    verified(case, summary)
}

/// Whether a bandwidth-bound case speaks for the device's memory.
pub(super) fn stream(
    case: &CaseResult,
    summary: &Summary,
    rate: &Estimate,
    chip: &ChipLimits,
) -> Result<(), Unfit> {
    let bytes = footprint(case);
    if bytes < STREAM_BYTES {
        return Err(Unfit::Cached { bytes });
    }
    long_enough(summary, chip, true)?;
    below_roof(summary)?;
    below_peak(rate.value, chip.bytes_per_s, true)?;
    verified(case, summary)
}

/// Whether a layer that reads a prompt speaks for the device: its size is the model's.
pub(super) fn layer(
    case: &CaseResult,
    summary: &Summary,
    rate: &Estimate,
    chip: &ChipLimits,
) -> Result<(), Unfit> {
    if !on_matrix_units(case) && chip.matrix_units == Some(true) {
        return Err(Unfit::VectorUnits);
    }
    long_enough(summary, chip, false)?;
    below_peak(rate.value, chip.f16_flop_per_s, false)?;
    below_roof(summary)?;
    verified(case, summary)
}

fn on_matrix_units(case: &CaseResult) -> bool {
    matches!(
        case.resources().arithmetic,
        Resource::MatrixF16 | Resource::MatrixF32
    )
}

/// Whether a board under load can draw that.
pub(super) fn power(watts: f64, chip: &ChipLimits) -> Result<(), Unfit> {
    /// A matrix product keeps a device busier than this. [A]
    const LEAST_OF_RATING: f64 = 0.1;
    let least = [
        (Some(0.0), LeastPower::Nothing),
        (chip.idle_w, LeastPower::Idle),
        (
            chip.board_w.map(|limit| LEAST_OF_RATING * limit),
            LeastPower::Rating,
        ),
    ];
    for (least, of) in least {
        match least {
            // What is no number is above nothing either.
            Some(least) if watts.partial_cmp(&least) != Some(Ordering::Greater) => {
                return Err(Unfit::BelowLeast { watts, least, of });
            }
            _ => {}
        }
    }
    match chip.board_w {
        Some(limit) if watts > MOST_OF_RATING * limit => Err(Unfit::AboveLimit { watts, limit }),
        _ => Ok(()),
    }
}

/// Whether an execution outlasts the gaps: those that the session measured, which are a fifth of the assumed ones on
/// fast devices.
fn long_enough(summary: &Summary, chip: &ChipLimits, memory: bool) -> Result<(), Unfit> {
    let seconds = summary.time_ns.value * 1e-9;
    let wanted = GAPS * chip.gap_s.unwrap_or(GAP_S);
    if seconds < wanted {
        return Err(Unfit::Short {
            seconds,
            wanted,
            memory,
        });
    }
    Ok(())
}

fn below_roof(summary: &Summary) -> Result<(), Unfit> {
    match summary.roofline_share.measured() {
        Some(share) if share.value > MOST_SHARE => Err(Unfit::AboveRoof { share: share.value }),
        _ => Ok(()),
    }
}

fn below_peak(rate: f64, peak: Option<f64>, memory: bool) -> Result<(), Unfit> {
    match peak {
        Some(peak) if rate > MOST_SHARE * peak => Err(Unfit::AbovePeak { rate, peak, memory }),
        _ => Ok(()),
    }
}

/// Each invocation that gave figures was checked before and after; a converted file has none to show.
fn verified(case: &CaseResult, summary: &Summary) -> Result<(), Unfit> {
    let passed = case.invocations.iter().all(|one| match &one.outcome {
        Outcome::Measured {
            verified_before,
            verified_after,
            ..
        } => verified_before.passed && verified_after.passed,
        Outcome::Skipped { .. } => true,
        // A worker that was lost says nothing of the others' figures.
        Outcome::Failed { verification, .. } => verification.as_ref().is_none_or(|v| v.passed),
    });
    let worst = worst_error(case, summary);
    match worst {
        Some(worst) if worst <= 1.0 && passed && !case.is_unchecked() => Ok(()),
        Some(times) if times > 1.0 && times.is_finite() => Err(Unfit::Wrong { times }),
        _ => Err(Unfit::Unverified),
    }
}

/// The worst error of all checks, failed ones too, ÷ what is allowed; none where nothing was compared.
fn worst_error(case: &CaseResult, summary: &Summary) -> Option<f64> {
    let checks = case.invocations.iter().flat_map(|one| match &one.outcome {
        Outcome::Measured {
            verified_before,
            verified_after,
            ..
        } => vec![verified_before, verified_after],
        Outcome::Skipped { .. } => Vec::new(),
        Outcome::Failed { verification, .. } => verification.iter().collect(),
    });
    checks
        .map(|check| &check.worst_error_over_bound)
        .chain([&summary.worst_error_over_bound])
        .filter_map(|error| error.measured().copied())
        .max_by(f64::total_cmp)
}

/// The memory that the executions went through: as recorded, or the case's own bytes once.
fn footprint(case: &CaseResult) -> u64 {
    let recorded = case
        .invocations
        .iter()
        .filter_map(|one| match &one.outcome {
            Outcome::Measured { sampling, .. } => {
                sampling.footprint.map(|footprint| footprint.bytes)
            }
            _ => None,
        });
    recorded.min().unwrap_or(case.counts.bytes)
}

/// Rows × columns of a product's output, where its shape says.
fn output_elements(case: &CaseResult) -> Option<u64> {
    let shape = case.case.split('/').nth(2)?;
    let mut sides = shape.split('x').map_while(|side| side.parse::<u64>().ok());
    sides.next()?.checked_mul(sides.next()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_under_load_draws_more_than_while_it_waits() {
        let chip = ChipLimits {
            board_w: Some(700.0),
            idle_w: Some(120.0),
            ..ChipLimits::default()
        };
        let least = |watts| match power(watts, &chip) {
            Err(Unfit::BelowLeast { of, .. }) => Some(of),
            _ => None,
        };
        assert_eq!(least(-280.0), Some(LeastPower::Nothing));
        assert_eq!(least(f64::NAN), Some(LeastPower::Nothing));
        assert_eq!(least(110.0), Some(LeastPower::Idle));
        let without_idle = ChipLimits {
            idle_w: None,
            ..chip
        };
        assert!(matches!(
            power(60.0, &without_idle),
            Err(Unfit::BelowLeast {
                of: LeastPower::Rating,
                ..
            })
        ));
        assert!(power(650.0, &chip).is_ok());
        assert!(power(900.0, &chip).is_err());
    }
}
