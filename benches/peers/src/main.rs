//! burn's matmul through its wgpu backend and perwatt's, by turns on the same adapter.
//!
//! `cargo run --release -- PERWATT [ROUNDS [SIZE…]]`, with PERWATT the program to compare, tuned first by
//! `perwatt tune --case matmul/f32/…`. Prints a table of medians over the rounds.
//!
//! burn gets a process of its own for each size, in which it warms up and tunes itself before the first
//! round; that process rests while perwatt has its turn, and what it uses of the processor meanwhile is
//! printed, so that nobody has to believe it. burn keeps its tensors on the device and is timed by the host
//! around a batch of products; perwatt's figure is the median of one invocation with its own clock.

mod burn;
mod turns;

use std::process::{Command, ExitCode};

use turns::Burn;

/// What `--burn SIZE` means; not for people.
const CHILD: &str = "--burn";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [CHILD, size] => size
            .parse()
            .map_err(|_| format!("{size:?} is no size"))
            .map(burn::serve),
        [perwatt, ref more @ ..] if !perwatt.starts_with('-') => compare_all(perwatt, more),
        _ => Err("usage: perwatt-peers PERWATT [ROUNDS [SIZE…]]".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

/// Compares every size and prints the table.
fn compare_all(perwatt: &str, more: &[&str]) -> Result<(), String> {
    let mut numbers = Vec::new();
    for text in more {
        let number: usize = text.parse().map_err(|_| format!("{text:?} is no number"))?;
        numbers.push(number);
    }
    let (rounds, sizes) = match numbers[..] {
        [] => (5, &[256, 512, 1024][..]),
        [rounds] => (rounds.max(1), &[256, 512, 1024][..]),
        [rounds, ..] => (rounds.max(1), &numbers[1..]),
    };
    println!("size  burn: GFLOP/s (rounds)  perwatt: GFLOP/s (rounds)  ratio of medians");
    for size in sizes {
        compare(perwatt, rounds, *size)?;
    }
    Ok(())
}

/// Compares one size; who goes first changes from round to round.
fn compare(perwatt: &str, rounds: usize, size: usize) -> Result<(), String> {
    let mut burn = Burn::start(size)?;
    eprintln!("{size}: burn was ready after {:.0} s", burn.ready_s);
    let (mut theirs, mut ours, mut idle) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        for turn in 0..2 {
            if (round + turn) % 2 == 0 {
                theirs.push(burn.rate()?);
            } else {
                let rest = burn.rest();
                ours.push(run_perwatt(perwatt, size)?);
                idle.extend(rest.share());
            }
        }
    }
    let (burn, own) = (median(&theirs), median(&ours));
    println!(
        "{size:5}  {burn:6.2} {theirs:.1?}  {own:6.2} {ours:.1?}  {:.2}",
        own / burn
    );
    if !idle.is_empty() {
        let most = idle.iter().copied().fold(0.0, f64::max);
        eprintln!(
            "{size}: meanwhile burn's process used {:.1} % of one core at the most",
            100.0 * most
        );
    }
    Ok(())
}

/// GFLOP/s of one invocation of perwatt's best kernel.
fn run_perwatt(program: &str, size: usize) -> Result<f64, String> {
    let wrong = |reason: String| format!("{program}: {reason}");
    let out = std::env::temp_dir().join(format!("perwatt-peers-{}.json", std::process::id()));
    let case = format!("matmul/f32/{size}x{size}x{size}");
    let output = Command::new(program)
        .args([
            "run",
            "--case",
            &case,
            "--kernel",
            "tiled",
            "--invocations",
            "1",
        ])
        .args(["--budget", "10", "--power", "none", "--out"])
        .arg(&out)
        .output()
        .map_err(|e| wrong(e.to_string()))?;
    if !output.status.success() {
        return Err(wrong(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    let text = std::fs::read(&out).map_err(|e| wrong(e.to_string()))?;
    let _ = std::fs::remove_file(&out);
    let record: serde_json::Value =
        serde_json::from_slice(&text).map_err(|e| wrong(e.to_string()))?;
    let case = &record["cases"][0];
    case["summary"]["flop_per_s"]["value"]
        .as_f64()
        .map(|rate| rate / 1e9)
        .ok_or_else(|| wrong(format!("no rate for {}", case["status"])))
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
