//! burn's side, in a process of its own: a product of two square matrices, again for each line that comes
//! in.

use std::io::{BufRead, Write};
use std::time::Instant;

use burn::tensor::{Device, DeviceKind, Distribution, Tensor};

/// Length of one batch, in seconds.
const BATCH_S: f64 = 1.0;

/// Says `ready` when burn has tuned itself, then GFLOP/s of a batch for each line of standard input.
pub fn serve(size: usize) {
    let mut product = Product::new(size);
    say("ready");
    for line in std::io::stdin().lock().lines() {
        if line.is_err() {
            break;
        }
        say(&product.rate().to_string());
    }
}

/// A line for the other process; when that is gone, nobody is left to tell.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
        std::process::exit(1);
    }
}

/// burn's product of two square matrices.
struct Product {
    size: usize,
    device: Device,
    a: Tensor<2>,
    b: Tensor<2>,
    batch: usize,
}

impl Product {
    /// Uploads, warms up and lets burn tune itself.
    fn new(size: usize) -> Self {
        // burn's name for a software adapter, which is what this comparison was made on; where there is a
        // GPU, CUBECL_WGPU_DEFAULT_DEVICE chooses another.
        let device = if std::env::var_os("CUBECL_WGPU_DEFAULT_DEVICE").is_some() {
            Device::wgpu(DeviceKind::DefaultDevice)
        } else {
            Device::wgpu(DeviceKind::Cpu)
        };
        let random =
            || Tensor::<2>::random([size, size], Distribution::Uniform(-0.5, 0.5), &device);
        let mut product = Self {
            size,
            a: random(),
            b: random(),
            device: device.clone(),
            batch: 1,
        };
        // The first products tune and compile; a few more settle it.
        for _ in 0..5 {
            product.seconds();
        }
        product.batch = ((BATCH_S / product.seconds()) as usize).clamp(1, 400);
        product.seconds();
        product
    }

    /// Seconds of one product, from an idle device to an idle device. (Reading an element of the last
    /// product comes back before all of them are done.)
    fn seconds(&mut self) -> f64 {
        self.wait();
        let started = Instant::now();
        let mut product = None;
        for _ in 0..self.batch {
            product = Some(self.a.clone().matmul(self.b.clone()));
        }
        self.wait();
        let seconds = started.elapsed().as_secs_f64();
        let first: Option<f32> = product.map(|c| c.slice([0..1, 0..1]).into_scalar());
        assert!(first.is_some_and(f32::is_finite));
        seconds / self.batch as f64
    }

    fn wait(&self) {
        if let Err(reason) = self.device.sync() {
            eprintln!("burn: {reason:?}");
            std::process::exit(1);
        }
    }

    /// GFLOP/s of one batch.
    fn rate(&mut self) -> f64 {
        2e-9 * (self.size as f64).powi(3) / self.seconds()
    }
}
