//! Kernels and workloads that a user brings in a TOML file, measured and verified like the built-in ones.
//!
//! A `[[kernel]]` is another implementation of a built-in case: it gets that case's buffers, and the built-in
//! f64 reference checks it. A `[[workload]]` is a custom case, checked against a file of expected numbers, a formula,
//! another kernel or invariants. What nothing checks says so, with the reason.
//!
//! `file` has the form of such a file, `load` reads and checks it by way of `entry`, `combinations`, `amounts`,
//! `dispatches`, `sources`, `steps`, `binding` and `buffers`, and `reads` remembers what files and commands gave; `declared` is the case of a
//! `[[workload]]`, and `work` runs what was found with `data`, `generate` and `checks`.

mod amounts;
mod binding;
mod buffers;
mod checks;
mod columns;
mod combinations;
mod commands;
mod contents;
mod data;
mod declared;
mod dispatches;
mod element_type;
mod entry;
mod expectations;
mod file;
mod generate;
mod load;
mod preprocessor;
mod program;
mod reads;
mod sources;
mod step_shaders;
mod steps;
mod textures;
mod work;

pub(crate) use declared::custom_case;
pub use entry::ManifestCommands;
pub use load::{LoadedFile, UnusableKernel, load_custom, load_each};
pub use work::CustomWork;
