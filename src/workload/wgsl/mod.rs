//! WGSL as perwatt reads it: one reader and one reflection by naga, for measuring and for inspecting.
//!
//! `directives` takes what other implementations demand and naga refuses, `module` parses, validates and answers what
//! an entry point needs, `layout` encodes values as a variable's type lays them out, and `gaps` says where none lies.

mod directives;
mod gaps;
mod layout;
mod module;

pub(crate) use gaps::ByteGaps;
pub(crate) use layout::{WrittenValue, encode};
pub use module::{BoundResource, BoundVariable, EntryNeeds, WgslModule};
pub(crate) use module::{hint, refused_line};
