//! Two sets of measurements compared: what changed, by how much, and how sure that is.
//!
//! The unit is the invocation. What one invocation says of a case is its median; its samples never
//! become degrees of freedom. Two designs exist, and which one a comparison has decides what it can
//! know:
//!
//! - **Paired** ([`Pairing`], written by `perwatt ab`): each baseline invocation has a candidate
//!   invocation beside it in time, so the conditions of the session cancel. Ten pairs see 2 %.
//! - **Sessions**: stored records. Each is one session with conditions of its own, which only other
//!   sessions can tell from an effect; ten are needed to know how sessions differ. With fewer, a prior
//!   speaks: calibrated on the device ([`Noise`]) or the documented default ([`DEFAULT_NOISE`]).
//!   Such rows may find a large change but never pass.
//!
//! A row is `REGRESSED` when its ratio is surely beyond the margin, with Holm's correction over all
//! rows of the gate; `IMPROVED` is the mirror image; `PASS` needs proof of equivalence (TOST), so that
//! too little data can never pass; the rest is `INCONCLUSIVE` and says what it would take.
//!
//! Inspections ([`compare_inspections`]) are what compilers state; nothing in them is random.
//!
//! How often this is right, by simulation: see `docs/verdicts.md`.

mod case_pair;
mod comparable;
mod comparison;
mod decide;
mod environment;
mod evidence;
mod geomean;
mod judge;
mod load;
mod metric;
mod noise;
mod pairing;
mod policy;
mod prospect;
mod ratio;
mod reason;
mod row;
mod session;
mod shaders;
mod sides;
mod verdict;

pub use comparison::{Comparison, Design};
pub use environment::{Aspect, Difference, Environment};
pub use geomean::Geomean;
pub use judge::compare;
pub use load::{load_sessions, load_sets};
pub use metric::{AnyMetric, Better, CodeMetric, Metric};
pub use noise::{CaseNoise, DEFAULT_NOISE, Noise, NoiseAssumption, Spread};
pub use pairing::{Pair, Pairing, Side};
pub use policy::{CaseRule, Margins, Missing, Policy};
pub use ratio::{Ranks, Ratio};
pub use reason::{Bar, BeyondMargin, Change, Doubt, Mismatch, Outlook, Reason, Suspicion};
pub use row::VerdictRow;
pub use session::{Absence, InvocationValues, Session, SessionCase, SessionSensor};
pub use shaders::compare_inspections;
pub use sides::Sides;
pub use verdict::{Decision, Needed, Verdict};
