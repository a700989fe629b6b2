//! Policies that come with perwatt: margins that a kind of machine can hold.
//!
//! A gate of 1 % on a machine that varies by 5 % decides nothing and teaches people to override it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A policy by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// A runner shared with strangers, or a software driver: only a change beyond 5 % counts.
    SharedRunner,
    /// A machine of one's own on which nothing else runs: 1 %, as without a preset.
    QuietMachine,
}

impl Preset {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::SharedRunner, Self::QuietMachine];

    /// As `preset` and `--preset` take it.
    pub fn name(self) -> &'static str {
        match self {
            Self::SharedRunner => "shared-runner",
            Self::QuietMachine => "quiet-machine",
        }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
