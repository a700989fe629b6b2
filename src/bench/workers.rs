//! How workers are started and how long they may take.

use std::time::Duration;

use crate::device::AdapterAccess;
use crate::error::{Error, Result};
use crate::process::{Helper, ProgramImage};

use super::messages::Job;

/// How workers are started and how long they may take.
#[derive(Clone, Debug)]
pub struct Workers {
    /// The program, which answers to `worker`.
    pub program: ProgramImage,
    /// How they get at the adapter.
    pub access: AdapterAccess,
    /// How long one case may take before its worker is given up.
    pub deadline: Duration,
    /// Whether only the processor's time that a worker gets counts, and a quarter of the rest: for software drivers, whose
    /// work is the processor's, on machines that have other work too.
    pub counts_cpu: bool,
}

impl Workers {
    /// Starts a worker and gives it its job.
    pub(super) fn start(&self, job: &Job) -> Result<Helper> {
        let line = serde_json::to_vec(job)
            .map_err(|e| Error::Worker(format!("the job cannot be written: {e}")))?;
        let mut command = self.program.command();
        command.arg("worker");
        self.access.apply(&mut command);
        let mut helper = Helper::start(command)
            .map_err(|e| Error::Worker(format!("no worker can be started: {e}")))?;
        helper.send(line);
        Ok(helper)
    }
}
