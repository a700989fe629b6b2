//! Many GPUs of one model, on the engines that clusters already run.
//!
//! [`spread`] gets a run to each GPU and its record back; it starts nothing of its own that outlives a command, and
//! keeps all it knows in the fleet's folder, so that any machine which sees the folder can go on.
//!
//! `table` makes the records one table that any engine reads, and `summary` says which cards are slow, hot or
//! wasteful; both need the feature `fleet`.

pub mod spread;
#[cfg(feature = "fleet")]
pub mod summary;
#[cfg(feature = "fleet")]
pub mod table;
