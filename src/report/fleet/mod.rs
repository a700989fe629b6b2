//! What the records of many GPUs say together, for a terminal and for other programs.

mod page;
mod prometheus;
mod rows;

pub use page::fleet;
pub use prometheus::fleet_prometheus;
pub use rows::fleet_csv;
