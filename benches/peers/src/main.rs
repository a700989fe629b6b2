//! burn's matmul through its wgpu backend and perwatt's, by turns on the same adapter.
//!
//! `cargo run --release -- PERWATT [ROUNDS [SIZE…]]`, with PERWATT the program to compare (built with
//! `--release`, and tuned first with `perwatt tune --case matmul/f32/…`). burn is warmed up and autotuned
//! before the first round, keeps its tensors on the device, and is timed by the host around a batch of
//! products; perwatt's figure is the median of one invocation with its own clock. Prints a table of
//! medians over the rounds.

use std::process::{Command, ExitCode};
use std::time::Instant;

use burn::tensor::{Device, DeviceKind, Distribution, Tensor};

/// Length of one of burn's batches, in seconds.
const BATCH_S: f64 = 0.5;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(perwatt) = arguments.next() else {
        eprintln!("usage: perwatt-peers PERWATT [ROUNDS [SIZE…]]");
        return ExitCode::from(2);
    };
    let rounds: usize = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(5);
    let mut sizes: Vec<usize> = arguments.filter_map(|n| n.parse().ok()).collect();
    if sizes.is_empty() {
        sizes = vec![256, 512, 1024];
    }
    // burn's name for a software adapter, which is what this comparison was made on; where there is a
    // GPU, CUBECL_WGPU_DEFAULT_DEVICE chooses another.
    let device = if std::env::var_os("CUBECL_WGPU_DEFAULT_DEVICE").is_some() {
        Device::wgpu(DeviceKind::DefaultDevice)
    } else {
        Device::wgpu(DeviceKind::Cpu)
    };
    println!("size   burn GFLOP/s (rounds)   perwatt GFLOP/s (rounds)   ratio of medians");
    for size in sizes {
        let mut burn = Burn::new(size, &device);
        let (mut theirs, mut ours) = (Vec::new(), Vec::new());
        for round in 0..rounds {
            // Who goes first changes from round to round.
            for turn in 0..2 {
                if (round + turn) % 2 == 0 {
                    theirs.push(burn.rate());
                } else {
                    match run_perwatt(&perwatt, size) {
                        Ok(rate) => ours.push(rate),
                        Err(reason) => {
                            eprintln!("{perwatt}: {reason}");
                            return ExitCode::FAILURE;
                        }
                    }
                }
            }
        }
        let (burn, own) = (median(&theirs), median(&ours));
        println!("{size:5}  {burn:7.2} {theirs:.1?}  {own:7.2} {ours:.1?}  {:.2}", own / burn);
    }
    ExitCode::SUCCESS
}

/// burn's product of two square matrices.
struct Burn {
    size: usize,
    a: Tensor<2>,
    b: Tensor<2>,
    batch: usize,
}

impl Burn {
    /// Uploads, warms up and lets burn tune itself.
    fn new(size: usize, device: &Device) -> Self {
        let random = || {
            Tensor::<2>::random([size, size], Distribution::Uniform(-0.5, 0.5), device)
        };
        let mut burn = Self {
            size,
            a: random(),
            b: random(),
            batch: 1,
        };
        // The first products tune and compile; a few more settle it.
        for _ in 0..5 {
            burn.seconds();
        }
        burn.batch = ((BATCH_S / burn.seconds()) as usize).clamp(1, 200);
        burn.seconds();
        burn
    }

    /// Seconds of one product.
    fn seconds(&mut self) -> f64 {
        let started = Instant::now();
        let mut product = None;
        for _ in 0..self.batch {
            product = Some(self.a.clone().matmul(self.b.clone()));
        }
        // Reading one element waits for all of them; a whole read-back would be timed too.
        let first = product.map(|c| c.slice([0..1, 0..1]).into_data());
        assert!(first.is_some());
        started.elapsed().as_secs_f64() / self.batch as f64
    }

    /// GFLOP/s of one batch.
    fn rate(&mut self) -> f64 {
        2e-9 * (self.size as f64).powi(3) / self.seconds()
    }
}

/// GFLOP/s of one invocation of perwatt's best kernel.
fn run_perwatt(program: &str, size: usize) -> Result<f64, String> {
    let out = std::env::temp_dir().join(format!("perwatt-peers-{}.json", std::process::id()));
    let case = format!("matmul/f32/{size}x{size}x{size}");
    let output = Command::new(program)
        .args(["run", "--case", &case, "--kernel", "tiled", "--invocations", "1"])
        .args(["--budget", "10", "--out"])
        .arg(&out)
        .output()
        .map_err(|e| e.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let text = std::fs::read(&out).map_err(|e| e.to_string())?;
    let _ = std::fs::remove_file(&out);
    let record: serde_json::Value = serde_json::from_slice(&text).map_err(|e| e.to_string())?;
    record["cases"][0]["summary"]["flop_per_s"]["value"]
        .as_f64()
        .map(|rate| rate / 1e9)
        .ok_or_else(|| "the record has no rate".to_owned())
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
