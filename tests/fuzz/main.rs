//! Fuzzing on the stable toolchain: every parser of perwatt's is fed mutations of sound files, and whatever it
//! is fed, it answers. No panic, no abort, no memory that grows with a number in a file, no end that does not
//! come, and what it accepts keeps its contract.
//!
//! `cargo test` spends half a second on each target. More, as CONTRIBUTING.md says:
//!
//!     cargo test --release --test fuzz -- --inputs 10000000 record
//!
//! The mutator is small and of this project (`mutate.rs`): it knows JSON, TOML and CSV by their tokens, which
//! finds more here than bytes alone, and it needs no nightly compiler. An input that breaks something is
//! written to `target/fuzz/` and named.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test fails by panicking and says why on standard error"
)]

#[path = "../common/forms.rs"]
mod forms;
#[path = "../common/records.rs"]
mod records;

mod memory;
mod mutate;
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

use crate::mutate::Mutator;
use crate::targets::{TARGETS, Target};

#[global_allocator]
static MEMORY: memory::Counting = memory::Counting;

/// Most memory that an answer may take: seeds have some kilobytes, mutations at most a megabyte.
const MOST_BYTES: usize = 256 << 20;

/// An input that takes longer is a hang.
const MOST_TIME: Duration = Duration::from_secs(60);

/// The input in hand and since when, for the watchdog.
static IN_HAND: Mutex<Option<(Instant, &'static str, Vec<u8>)>> = Mutex::new(None);

/// What the command line asks for.
struct Effort {
    targets: Vec<&'static Target>,
    inputs: u64,
    time: Option<Duration>,
    seed: u64,
}

fn effort() -> Result<Effort, String> {
    let mut effort = Effort {
        targets: Vec::new(),
        inputs: u64::MAX,
        time: Some(Duration::from_millis(500)),
        seed: 1,
    };
    let mut named = false;
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = || -> Result<u64, String> {
            let text = words.next().ok_or(format!("{word} needs a number"))?;
            text.parse().map_err(|_| format!("{text}: not a number"))
        };
        match word.as_str() {
            "--inputs" => (effort.inputs, effort.time) = (number()?, None),
            "--seconds" => effort.time = Some(Duration::from_secs(number()?)),
            "--seed" => effort.seed = number()?,
            // What `cargo test` hands to every test program.
            word if word.starts_with('-') => {}
            name => {
                named = true;
                let fits = TARGETS.iter().filter(|target| target.name == name);
                effort.targets.extend(fits);
            }
        }
    }
    // A name that fits none is a filter for another test program.
    if !named {
        effort.targets = TARGETS.iter().collect();
    }
    Ok(effort)
}

fn main() -> ExitCode {
    let effort = match effort() {
        Ok(effort) => effort,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    };
    // A panic is counted and named below, with its input.
    std::panic::set_hook(Box::new(|_| {}));
    std::thread::spawn(watch);
    let mut failed = false;
    for target in effort.targets.iter().copied() {
        failed |= !fuzz(target, &effort);
    }
    ExitCode::from(u8::from(failed))
}

/// Feeds one target; `false` where something broke.
fn fuzz(target: &'static Target, effort: &Effort) -> bool {
    let seeds = (target.seeds)();
    let mut mutator = Mutator::new(&seeds, Pcg64Mcg::seed_from_u64(effort.seed));
    let mut feed = (target.feed)();
    let (start, mut fed, mut accepted, mut most) = (Instant::now(), 0_u64, 0_u64, 0);
    while fed < effort.inputs && effort.time.is_none_or(|time| start.elapsed() < time) {
        // The seeds themselves come first, and must be accepted.
        let input = match usize::try_from(fed).ok().and_then(|fed| seeds.get(fed)) {
            Some(seed) => seed.clone(),
            None => mutator.next_input(),
        };
        *IN_HAND.lock().unwrap() = Some((Instant::now(), target.name, input.clone()));
        let before = memory::restart();
        let answer = catch_unwind(AssertUnwindSafe(|| feed(&input)));
        let taken = memory::peak().saturating_sub(before);
        *IN_HAND.lock().unwrap() = None;
        most = most.max(taken);
        let trouble = match answer {
            Err(panic) => Some(format!("panicked: {}", message(&*panic))),
            Ok(_) if taken > MOST_BYTES => Some(format!("took {} MB", taken >> 20)),
            Ok(false) if fed < seeds.len() as u64 => Some("refused a sound file".to_owned()),
            Ok(is_accepted) => {
                accepted += u64::from(is_accepted);
                if is_accepted {
                    mutator.keep(input.clone());
                }
                None
            }
        };
        if let Some(trouble) = trouble {
            eprintln!(
                "{}: input {fed} {trouble}: {}",
                target.name,
                kept(target.name, &input).display()
            );
            return false;
        }
        fed += 1;
    }
    eprintln!(
        "{:<16} {fed:>9} inputs, {accepted:>9} accepted, {:>4} MB at most, {:.1} s",
        target.name,
        most >> 20,
        start.elapsed().as_secs_f64()
    );
    true
}

fn message(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message")
}

/// Keeps an input that broke something.
fn kept(target: &str, input: &[u8]) -> PathBuf {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/target/fuzz"));
    let file = folder.join(target);
    let _ = std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&file, input));
    file
}

/// Ends the program when an input does not come to an end.
fn watch() {
    loop {
        std::thread::sleep(Duration::from_secs(1));
        let in_hand = IN_HAND.lock().unwrap().clone();
        if let Some((since, target, input)) = in_hand
            && since.elapsed() > MOST_TIME
        {
            eprintln!("{target}: no end: {}", kept(target, &input).display());
            std::process::exit(1);
        }
    }
}
