//! Reads an invocation in one pass.
//!
//! What serde derives for a flattened, internally tagged enum first builds a tree of everything below
//! it, each sample a node of its own. A folder of a thousand records is mostly samples, and reads five
//! times faster without that tree.

use serde::de::{Deserialize, Deserializer, Error};

use super::{
    CaseInvocation, EnergyWindow, FailureKind, Outcome, Reading, Sampling, Verification, Warning,
};

/// The fields of every outcome beside each other.
#[derive(serde::Deserialize)]
struct Flat {
    invocation: u32,
    outcome: Kind,
    verified_before: Option<Verification>,
    verified_after: Option<Verification>,
    sampling: Option<Sampling>,
    energy: Option<Box<Reading<EnergyWindow>>>,
    warnings: Option<Vec<Warning>>,
    failure: Option<FailureKind>,
    reason: Option<String>,
    verification: Option<Verification>,
}

/// The outcome's tag.
#[derive(serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Measured,
    Skipped,
    Failed,
}

impl<'de> Deserialize<'de> for CaseInvocation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let flat = Flat::deserialize(deserializer)?;
        let outcome = match flat.outcome {
            Kind::Measured => Outcome::Measured {
                verified_before: needed(flat.verified_before, "verified_before")?,
                verified_after: needed(flat.verified_after, "verified_after")?,
                sampling: needed(flat.sampling, "sampling")?,
                energy: needed(flat.energy, "energy")?,
                warnings: needed(flat.warnings, "warnings")?,
            },
            Kind::Skipped => Outcome::Skipped {
                reason: needed(flat.reason, "reason")?,
            },
            Kind::Failed => Outcome::Failed {
                failure: needed(flat.failure, "failure")?,
                reason: needed(flat.reason, "reason")?,
                verification: flat.verification,
            },
        };
        Ok(Self {
            invocation: flat.invocation,
            outcome,
        })
    }
}

/// A field that this outcome has.
fn needed<T, E: Error>(field: Option<T>, name: &'static str) -> Result<T, E> {
    field.ok_or_else(|| E::missing_field(name))
}
