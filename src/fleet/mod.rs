//! Many GPUs of one model, on the engines that clusters already run.
//!
//! [`spread`] gets a run to each GPU and its record back; it starts nothing of its own that outlives a command, and
//! keeps all it knows in the fleet's folder, so that any machine which sees the folder can go on.

pub mod spread;
