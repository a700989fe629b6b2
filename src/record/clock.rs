//! How the time of a record was measured.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::reading::Reading;

/// How time was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClockSetup {
    /// The clock whose samples stand in the record.
    pub method: ClockMethod,
    /// Length of one timestamp tick, in nanoseconds.
    pub tick_ns: Reading<f64>,
    /// The smallest difference between two timestamps that was seen, in nanoseconds: the clock's
    /// precision, which is coarser than a tick on many devices.
    pub precision_ns: f64,
    /// Cost of a batch that does next to nothing by this clock, in nanoseconds. It is not subtracted from samples;
    /// batches are sized to make it vanish. Before version 1.10 zero in files of other tools, whose clock nobody measured.
    pub overhead_ns: Reading<f64>,
    /// Time from one dispatch that does next to nothing to the next that waits for it, in nanoseconds. A kernel
    /// that is not much longer measures this more than itself. Files before 1.2 do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dispatch_gap_ns: Option<f64>,
}

/// A clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClockMethod {
    /// Timestamps that the device writes around a pass.
    TimestampQuery,
    /// The host's monotonic clock around submit and wait.
    WallClock,
}

impl ClockMethod {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::TimestampQuery => "device timestamps",
            Self::WallClock => "the host's clock",
        }
    }
}

impl fmt::Display for ClockMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
