//! How records and verdicts are shown: terminal tables and the words around them.
//!
//! Everything here turns data into text and writes nowhere, so that the same table goes to a terminal,
//! a pipe or a test.

mod compare;
mod devices;
#[cfg(feature = "fleet")]
mod fleet;
mod gate;
mod imported;
mod inspect;
mod invest;
mod list;
mod mlperf;
mod noise;
mod power;
mod power_limits;
mod run;
mod schema_reference;
mod side_by_side;
mod table;
mod tuned;

pub use compare::{comparison, comparisons};
pub use devices::{ListedAdapter, devices};
#[cfg(feature = "fleet")]
pub use fleet::{fleet, fleet_csv, fleet_prometheus};
pub use gate::{github, github_refusal, junit, markdown, markdown_refusal, sarif};
pub use inspect::{inspection, inspection_markdown};
pub use invest::{
    GivenRecord, PageExtent, at_scale, invest, invest_backtests, invest_inputs, invest_list,
    invest_sources, invest_what_if,
};
pub use list::{ListedCase, list};
pub use mlperf::mlperf;
pub use noise::noise;
pub use power::{ListedSensor, ListedSensors, SensorOfAdapter, power, power_measurement};
pub use power_limits::{LimitRow, power_limits};
pub use run::{ShownKernels, device_lines, run};
pub use schema_reference::schema_reference;
pub use side_by_side::{side_by_side, side_by_side_csv, side_by_side_markdown};
pub use tuned::{TunedKernel, tuned};
