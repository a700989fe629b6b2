//! The measuring loop: the one place where device, workload and clock meet.
//!
//! A *supervisor* process plans a session and starts *workers*, one process an invocation. A worker
//! opens the device and takes each case through verify → time → verify. What it finishes is on the disk
//! before the next case begins; the record is assembled from that.

pub mod alternate;
pub mod assemble;
mod cpu;
mod energy;
mod energy_summary;
mod executor;
mod measure;
mod plan;
mod protocol;
mod session;
mod supervisor;
pub mod tune;
mod worker;

pub use assemble::conclude_again;
pub use cpu::CpuLedger;
pub use energy::{Comparison, compare_sensors};
pub use executor::{Checks, Executable};
pub use measure::{Bench, Settings};
pub use plan::{Planned, Request, parse_case, plan, workload};
pub use protocol::{Job, JobCase, Message, PowerJob};
pub use session::{SessionRequest, build_provenance, session};
pub use supervisor::{Ending, Watcher, Workers, run};
pub use worker::work;
