//! Child processes of this very program: what is given to drivers and libraries that may crash, hang or print.
//!
//! A helper is started from the same executable image, talks over a channel of its own, stands in a process
//! group of its own, and ends when its parent does, in whatever way.

mod build;
mod channel;
mod group;
mod helper;
mod memory_kills;
mod shell;
mod timeout;

pub use build::{BuildIdentity, ProgramImage, hash_of};
pub use channel::{ParentEnd, end_now, to_parent};
pub use group::{GroupedChild, StopSignal, continue_groups, end_groups, stop_groups};
pub use helper::{Helper, LastWords, Listened};
pub use shell::shell;
pub use timeout::Timeout;
