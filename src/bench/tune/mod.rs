//! Finding a kernel's parameters on the device that is there, and keeping them.
//!
//! Nobody can say from a data sheet which tile is quickest, so `search` tries them. Each step of a
//! search is a small session like any other, with candidates in the place of cases: run in worker
//! processes, compiled under an error scope, verified before and after timing, and given up at a
//! deadline. A candidate that crashes, hangs or computes nonsense costs itself and nothing else. What
//! was found goes to a `store`, from which `run` takes it.

mod search;
mod store;

pub use search::{Effort, SearchObserver, SearchResult, search, subjects};
pub use store::{AdapterKey, Applied, Entry, Objective, Store, Tuning};
