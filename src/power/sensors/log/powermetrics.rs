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
    let mut samples = Vec::new();
    let mut powers = Vec::new();
    let mut at = None;
    for line in text.lines() {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix(HEADING) {
            at = Some(
                heading(rest).ok_or_else(|| format!("`{line}` holds no time that can be read"))?,
            );
        } else if let Some(value) = line.strip_prefix(name)
            && let Some(at) = at.take()
        {
            let watts = power(value.trim_start_matches([':', ' ']));
            samples.push(at);
            powers.push(watts.ok_or_else(|| format!("`{line}` holds no power"))?);
        }
    }
    let rows = middles(&samples).into_iter().zip(powers).collect();
    Ok((rows, (*name).to_owned()))
}

/// When a sample ended, and how long it was.
#[derive(Clone, Copy, Debug)]
struct SampleTime {
    /// The second since 1970 in which it ended.
    second: f64,
    /// Its length in seconds.
    length: f64,
}

/// The middles of samples, in seconds since 1970. They follow one another without a break, and each ended somewhere in
/// the second that its heading names: of the times that agree with all that came before and with all that follow, the
/// middle one.
fn middles(samples: &[SampleTime]) -> Vec<f64> {
    let within = |(low, high): (f64, f64), second: f64| {
        // Lengths that leave out a pause drift away from the headings, which hold.
        (
            low.clamp(second, second + 1.0),
            high.clamp(second, second + 1.0),
        )
    };
    let mut bounds: Vec<(f64, f64)> = Vec::new();
    for sample in samples {
        let by_heading = (sample.second, sample.second + 1.0);
        bounds.push(bounds.last().map_or(by_heading, |(low, high)| {
            within((low + sample.length, high + sample.length), sample.second)
        }));
    }
    let mut after: Option<(f64, f64)> = None;
    let mut ends = Vec::new();
    for (at, sample) in samples.iter().enumerate().rev() {
        let by_heading = (sample.second, sample.second + 1.0);
        let (low, high) = after.map_or(by_heading, |range| within(range, sample.second));
        let (low, high) = (low.max(bounds[at].0), high.min(bounds[at].1));
        ends.push(0.5 * (low + high));
        let own = after.map_or(by_heading, |range| within(range, sample.second));
        after = Some((own.0 - sample.length, own.1 - sample.length));
    }
    ends.reverse();
    ends.iter()
        .zip(samples)
        .map(|(end, sample)| end - 0.5 * sample.length)
        .collect()
}

/// From `Fri Sep 11 13:41:46 2026 -0700) (1002.90ms elapsed) ***`.
fn heading(heading: &str) -> Option<SampleTime> {
    let (time, rest) = heading.split_once(") (")?;
    let end = strtime::parse("%a %b %d %H:%M:%S %Y %z", time)
        .ok()?
        .to_timestamp()
        .ok()?;
    let elapsed: f64 = rest.split_once("ms elapsed")?.0.trim().parse().ok()?;
    Some(SampleTime {
        second: end.as_nanosecond() as f64 * 1e-9,
        length: elapsed * 1e-3,
    })
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
                (1_800_000_001.0, Watts(0.38)),
                (1_800_000_002.0, Watts(0.4))
            ]
        );
        // The headings' seconds are cut, not rounded.
        let (rows, _) = parse(TEXT, Boundary::Soc).unwrap();
        assert!((rows[1].1.get() - 1.9).abs() < 1e-9, "{rows:?}");
    }

    #[test]
    fn samples_of_a_tenth_of_a_second_lie_one_after_the_other() {
        for (length, stated) in [(0.1, 100.0), (0.1, 100.21), (1.0, 1003.21), (0.25, 247.0)] {
            let begun = 1_800_000_000.578_9;
            let mut text = String::new();
            let ends: Vec<f64> = (0..200).map(|n| begun + length * f64::from(n)).collect();
            for end in &ends {
                let time = jiff::Timestamp::from_second(*end as i64).unwrap();
                let time = time.strftime("%a %b %d %H:%M:%S %Y +0000");
                text +=
                    &format!("{HEADING}{time}) ({stated:.2}ms elapsed) ***\n\nGPU Power: 380 mW\n");
            }
            let (rows, _) = parse(&text, Boundary::GpuChip).unwrap();
            assert_eq!(rows.len(), ends.len());
            for (row, end) in rows.iter().zip(&ends) {
                let off = row.0 - (end - 0.5 * length);
                assert!(
                    off.abs() < 0.25_f64.max(0.6 * length),
                    "{length} {stated}: {off}"
                );
            }
            let steps = rows.windows(2).map(|pair| pair[1].0 - pair[0].0);
            for step in steps {
                assert!(
                    (0.2 * length..2.0 * length).contains(&step),
                    "{length} {stated}: {step}"
                );
            }
        }
    }
}
