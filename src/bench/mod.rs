//! bench
pub mod executor;
