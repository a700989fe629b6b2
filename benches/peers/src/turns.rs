//! burn's process as seen by the one that gives out the turns.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use crate::CHILD;

/// burn's process for one size.
pub struct Burn {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// How long it took to tune itself.
    pub ready_s: f64,
}

impl Burn {
    /// Starts it and waits until it is tuned.
    pub fn start(size: usize) -> Result<Self, String> {
        let started = Instant::now();
        let program = std::env::current_exe().map_err(|e| e.to_string())?;
        let mut child = Command::new(program)
            .args([CHILD, &size.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| e.to_string())?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (input, output) = pipes.ok_or("burn's process has no pipes")?;
        let mut burn = Self {
            child,
            input,
            output: BufReader::new(output),
            ready_s: 0.0,
        };
        burn.line()?;
        burn.ready_s = started.elapsed().as_secs_f64();
        Ok(burn)
    }

    /// GFLOP/s of a batch.
    pub fn rate(&mut self) -> Result<f64, String> {
        writeln!(self.input, "go").map_err(|e| format!("burn's process: {e}"))?;
        let line = self.line()?;
        line.parse()
            .map_err(|_| format!("burn's process said {line:?}"))
    }

    /// Begins a rest, over which what the process uses is watched.
    pub fn rest(&self) -> Rest {
        let id = self.child.id();
        Rest {
            id,
            since: Instant::now(),
            used: processor_s(id),
        }
    }

    fn line(&mut self) -> Result<String, String> {
        let mut line = String::new();
        match self.output.read_line(&mut line) {
            Ok(read) if read > 0 => Ok(line.trim().to_owned()),
            _ => Err("burn's process ended".to_owned()),
        }
    }
}

impl Drop for Burn {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A stretch in which burn has nothing to do.
pub struct Rest {
    id: u32,
    since: Instant,
    used: Option<f64>,
}

impl Rest {
    /// What it used of one core, where the system says that.
    pub fn share(&self) -> Option<f64> {
        let used = processor_s(self.id)? - self.used?;
        Some(used / self.since.elapsed().as_secs_f64())
    }
}

/// Processor time of a process, from Linux's /proc, whose clock ticks a hundred times a second.
fn processor_s(id: u32) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name before it may hold spaces, but ends with the last parenthesis.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let ticks: Option<f64> = fields.nth(11)?.parse().ok();
    let system: Option<f64> = fields.next()?.parse().ok();
    Some((ticks? + system?) / 100.0)
}
