//! What several subcommands share and none of them is: where text goes, how files are overwritten, which adapters are
//! there, how a stop is asked for.

#[cfg(feature = "bench")]
pub(super) mod identity;
pub(super) mod input;
pub(super) mod interrupts;
#[cfg(feature = "bench")]
pub(super) mod kernel_sources;
pub(super) mod output;
pub(super) mod output_file;
#[cfg(feature = "bench")]
pub(super) mod progress;
#[cfg(feature = "bench")]
pub(super) mod result_path;
#[cfg(feature = "bench")]
pub(super) mod survey;
#[cfg(feature = "bench")]
pub(super) mod tuning;
#[cfg(feature = "bench")]
pub(super) mod turn;
