//! Finding a kernel's parameters on the device that is there, and keeping them.
//!
//! No data sheet says which tile is fastest, so `search` tries them. Each step of a search is a small session
//! like any other, with candidates in the place of cases: run in worker processes, compiled under an error
//! scope, verified before and after timing, and stopped at a deadline. A candidate that crashes, hangs or
//! computes nonsense costs itself and nothing else. What was found goes to a `store`, and `apply` gives it to
//! what `run` plans.

mod apply;
mod candidates;
mod efficient;
mod search;
mod shader_hash;
mod store;
mod tuning_file;

pub use apply::Applied;
pub use candidates::subjects;
pub use search::{Effort, SearchObserver, SearchResult, search};
pub use store::Store;
pub use tuning_file::{AdapterKey, Entry, Objective, Tuning};
