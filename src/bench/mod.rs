//! The measuring loop: the one place where device, workload and clock meet.
//!
//! A *supervisor* process plans a session and starts *workers*, one process an invocation. A worker
//! opens the device and takes each case through verify → time → verify. What it finishes is on the disk
//! before the next case begins; the record is assembled from that.

pub mod assemble;
#[expect(
    clippy::module_inception,
    reason = "the bench itself, without what is done on it"
)]
mod bench;
mod cooling;
mod depth_fill;
mod device_limits;
mod device_memory;
mod dialogue;
mod energy_cases;
mod executor;
mod footprint;
mod free_memory;
mod harness_cost;
pub mod interleave;
mod layouts;
mod measure_case;
mod messages;
mod meter;
mod new_record;
mod no_meter;
mod pieces;
mod plan;
mod resumption;
mod sensor_choice;
mod sensor_comparison;
mod submissions;
mod summary;
mod supervisor;
pub mod tune;
mod watchdog;
mod worker;
mod workers;

pub use assemble::conclude_again;
pub use bench::{Bench, Settings};
pub use executor::{Checks, Executable};
pub use harness_cost::CpuLedger;
pub use messages::{Job, Message, PowerJob};
pub use new_record::{SessionRequest, build_provenance, session};
pub use no_meter::{NoMeter, NotBelieved, PassedOver};
pub use plan::{Request, parse_case, plan};
pub use resumption::{GivenAgain, admit};
pub use sensor_comparison::{SensorComparison, compare_sensors};
pub use summary::energy_without_gain;
pub use supervisor::{Ending, ProgressObserver, run};
pub use worker::work;
pub use workers::Workers;
