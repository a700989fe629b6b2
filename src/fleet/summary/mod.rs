//! What the records of many GPUs say together: where the cards of a model lie, which are slow, hot or wasteful, and
//! what a job loses by it. The table is asked by SQL, which `sql` holds; the statistics are `stats`'.

mod cells;
mod drift;
mod engine;
mod failed;
mod figure_columns;
mod findings;
mod groups;
mod judge;
mod model;
mod observations;
mod options;
mod place;
mod pull;
mod sentences;
mod sql;
mod study;
mod synchronous;
mod worth;

pub use engine::FleetEngine;
pub use findings::{
    CardName, CaseDistribution, DriftFinding, DriftStep, FailedCard, FleetSummary, GroupFinding,
    LeftOut, ModelSummary, PeerRatio, PullItem, PullKind, RecordCopy, Straggler, StragglerSign,
    SynchronousCost, ThrottledCard, WorstCase,
};
pub use judge::summarize;
pub use options::SummaryOptions;
pub use worth::{FleetItemWorth, FleetJobWorth, FleetWorth};

/// The SQL that a summary asks, with what to type first in another engine.
pub fn sql_text(with_software: bool) -> String {
    sql::all(with_software)
}

/// Where the cards of a model lie in a case, as SQL for any engine.
pub fn distribution_sql() -> &'static str {
    sql::DISTRIBUTION
}
