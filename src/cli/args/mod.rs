//! Groups of options that several commands share. Parsing is clap's; nothing here touches the world but
//! by the methods that say so.

pub(super) mod at_scale;
#[cfg(feature = "bench")]
pub(super) mod fleet;
#[cfg(feature = "bench")]
pub(super) mod forwarded;
#[cfg(feature = "bench")]
pub(super) mod fresh;
#[cfg(feature = "bench")]
pub(super) mod measure;
pub(super) mod power;
pub(super) mod source;
#[cfg(feature = "bench")]
pub(super) mod target;
#[cfg(feature = "bench")]
pub(super) mod values;
pub(super) mod verdict;

/// Heading of the options that say what is measured, and on what.
#[cfg(feature = "bench")]
pub(super) const WHAT: &str = "What is measured";
/// Heading of those that say how.
#[cfg(feature = "bench")]
pub(super) const HOW: &str = "How it is measured";
/// Heading of those that say how verdicts are reached.
pub(super) const JUDGED: &str = "How it is judged";
