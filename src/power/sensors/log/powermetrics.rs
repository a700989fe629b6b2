//! The text that Apple's `powermetrics` writes: a heading with the time for each sample, and lines of power.

use jiff::fmt::strtime;

use super::columns::unit;
use crate::record::Boundary;
use crate::units::Watts;

/// How the heading of a sample begins.
const HEADING: &str = "*** Sampled system activity (";

/// Whether a text is of that tool.
pub(super) fn is_it(text: &str) -> bool {
    text.contains(HEADING)
}

/// The rows, and what the lines that were taken are called. A sample stands for the time before its heading's.
///
/// # Errors
/// It has no line of power, or no time can be read.
pub(super) fn parse(text: &str, boundary: Boundary) -> Result<(Vec<(f64, Watts)>, String), String> {
    // By rising preference; every version has one of them.
    let names: &[&str] = match boundary {
        Boundary::GpuChip | Boundary::Board => &["GPU Power"],
        Boundary::CpuPackage => &["Package Power", "CPU Power"],
        _ => &[
            "Combined Power (CPU + GPU + ANE)",
            "Package Power",
            "Intel energy model derived package power (CPUs+GT+SA)",
        ],
    };
    let name = names
        .iter()
        .find(|name| text.lines().any(|line| line.trim().starts_with(**name)))
        .ok_or_else(|| {
            format!(
                "powermetrics wrote no line of {}; run it with --samplers gpu_power,cpu_power",
                names.join(" or ")
            )
        })?;
    let mut rows = Vec::new();
    let mut at = None;
    for line in text.lines() {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix(HEADING) {
            at = Some(
                middle(rest).ok_or_else(|| format!("`{line}` holds no time that can be read"))?,
            );
        } else if let Some(value) = line.strip_prefix(name)
            && let Some(at) = at.take()
        {
            let watts = power(value.trim_start_matches([':', ' ']));
            rows.push((at, watts.ok_or_else(|| format!("`{line}` holds no power"))?));
        }
    }
    Ok((rows, (*name).to_owned()))
}

/// The middle of a sample, in seconds since 1970, from `Fri Sep 11 13:41:46 2026 -0700) (1002.90ms elapsed) ***`.
fn middle(heading: &str) -> Option<f64> {
    let (time, rest) = heading.split_once(") (")?;
    let end = strtime::parse("%a %b %d %H:%M:%S %Y %z", time)
        .ok()?
        .to_timestamp()
        .ok()?;
    let elapsed: f64 = rest.split_once("ms elapsed")?.0.trim().parse().ok()?;
    Some(end.as_nanosecond() as f64 * 1e-9 - elapsed * 5e-4)
}

/// A power with its unit.
fn power(text: &str) -> Option<Watts> {
    let split = text.find(|c: char| c.is_alphabetic())?;
    let (number, name) = text.split_at(split);
    let watts = unit(&name.trim().to_lowercase())?;
    Some(Watts(number.trim().parse::<f64>().ok()? * watts))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
*** Sampled system activity (Fri Jan 15 08:00:01 2027 +0000) (1000.00ms elapsed) ***\n\n\
**** Processor usage ****\n\nCPU Power: 1240 mW\nGPU Power: 380 mW\nANE Power: 42 mW\n\
Combined Power (CPU + GPU + ANE): 1662 mW\n\n\
*** Sampled system activity (Fri Jan 15 01:00:02 2027 -0700) (1000.00ms elapsed) ***\n\n\
CPU Power: 1.5 W\nGPU Power: 400 mW\nCombined Power (CPU + GPU + ANE): 1900 mW\n";

    #[test]
    fn the_boundary_decides_which_line_is_taken() {
        let (rows, name) = parse(TEXT, Boundary::GpuChip).unwrap();
        assert_eq!(name, "GPU Power");
        assert_eq!(
            rows,
            [
                (1_800_000_000.5, Watts(0.38)),
                (1_800_000_001.5, Watts(0.4))
            ]
        );
        let (rows, _) = parse(TEXT, Boundary::Soc).unwrap();
        assert!((rows[1].1.get() - 1.9).abs() < 1e-9, "{rows:?}");
    }
}
