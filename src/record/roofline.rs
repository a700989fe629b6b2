//! The roofs that a session measured.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::estimate::Estimate;
use super::resource::Resource;

/// A measured roof of the device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Roof {
    /// What is limited.
    pub resource: Resource,
    /// FLOP/s or bytes/s.
    pub rate_per_s: Estimate,
    /// The case and kernel that reached it.
    pub from: String,
}
