//! Kernels and workloads that a user brings in a TOML file, measured and verified like the built-in ones.
//!
//! A `[[kernel]]` is another implementation of a built-in case: it gets that case's buffers, and the built-in
//! f64 reference checks it. A `[[workload]]` is a custom case, checked against a file of expected numbers.
//! There is no third kind: what nothing can check has no throughput.
//!
//! `file` has the form of such a file, `load` reads and checks it, `declared` is the case of a `[[workload]]`, and
//! `work` runs what was found.

mod declared;
mod file;
mod load;
mod work;

pub(crate) use declared::custom_case;
pub use load::load_custom;
pub use work::CustomWork;
