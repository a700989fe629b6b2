//! How records and verdicts are shown: terminal tables and the words around them.
//!
//! Everything here turns data into text and writes nowhere, so that the same table goes to a terminal,
//! a pipe or a test.

mod devices;
mod list;
mod run;
mod table;

pub use devices::devices;
pub use list::{ListedCase, list};
pub use run::run;
