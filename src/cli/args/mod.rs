//! Groups of options that several commands share. Parsing is clap's; nothing here touches the world but
//! by the methods that say so.

pub(super) mod at_scale;
#[cfg(feature = "gpu")]
pub(super) mod forwarded;
#[cfg(feature = "gpu")]
pub(super) mod fresh;
#[cfg(feature = "gpu")]
pub(super) mod measure;
#[cfg(feature = "gpu")]
pub(super) mod target;
#[cfg(feature = "gpu")]
pub(super) mod values;
pub(super) mod verdict;
