//! Two sets of measurements compared: what changed, by how much, and how sure that is.
//!
//! The unit is the invocation. An invocation gives one median per case; its samples never become
//! degrees of freedom. There are two designs, and they decide what a comparison can know:
//!
//! - **Paired** ([`Pairing`], written by `perwatt ab`): each baseline invocation has a candidate
//!   invocation next to it in time, so the conditions of the session cancel. Ten pairs detect 2 %.
//! - **Sessions**: stored records. Each session has its own conditions, which only other sessions tell
//!   from an effect; ten are needed to know how sessions differ. With fewer, a prior stands in:
//!   calibrated on the device ([`Noise`]) or the documented default ([`DEFAULT_NOISE`]). It is a floor:
//!   what the sessions themselves scatter beyond it counts too. By the default alone nothing passes.
//!
//! A row is `REGRESSED` when its ratio is beyond the margin by a test with Holm's correction over all
//! rows of the gate; `IMPROVED` is the mirror image; `PASS` needs proof of equivalence (TOST), so that
//! too little data can never pass; the rest is `INCONCLUSIVE` and says what would decide.
//!
//! The files, in the order of the work: `stored` chooses the design by the kinds of the files, `load` and
//! `session` reduce records, `sides` is what is given,
//! `comparable` what of it may be compared, `evidence` what a case's values say, `judge` tests all rows
//! together, `decide` gives one row its verdict and [`Reason`], and `comparison` is the result.
//!
//! Inspections ([`compare_inspections`]) hold what compilers state; nothing in them is random.
//!
//! `side_by_side` puts results beside each other and judges nothing.
//!
//! How often verdicts are right, by simulation: see `docs/verdicts.md`.

mod by_sessions;
mod case_pair;
mod comparable;
mod comparison;
mod days;
mod decide;
mod environment;
mod evidence;
mod geomean;
mod judge;
mod limits;
mod load;
mod looks;
mod metric;
mod noise;
mod pairing;
mod policy;
mod preset;
mod program;
mod prospect;
mod ratio;
mod ratio_data;
mod reason;
mod row;
mod session;
mod shaders;
mod side_by_side;
mod sides;
mod stored;
mod successor;
mod suggest;
mod verdict;

pub use comparison::{Comparison, Design};
pub use environment::{Aspect, Difference, Environment};
pub use geomean::Geomean;
pub use judge::compare;
pub use limits::Margins;
pub use load::{RecordSets, json_files, load_record_sets, load_sessions, load_sets};
pub use looks::Looks;
pub use metric::{AnyMetric, CodeMetric, Metric};
pub use noise::{CaseNoise, DEFAULT_NOISE, Noise, NoiseAssumption, NoiseSource, Spread};
pub use pairing::{FailedCase, Pair, Pairing, Renamed, Side};
pub use policy::{CaseRule, OnLost, OnUndecided, Policy};
pub use preset::Preset;
pub use program::program_identity;
pub use ratio::{Ranks, Ratio};
pub use reason::{Bar, BeyondMargin, Change, Doubt, Mismatch, Outlook, Reason, Suspicion};
pub use row::{Successor, VerdictRow};
pub use session::{
    Absence, InvocationValues, NOT_VERIFIED_HERE, Session, SessionCase, SessionSensor,
};
pub use shaders::compare_inspections;
pub use side_by_side::{
    AloneCases, DescribedCell, DescribedColumn, DescribedRow, DescribedSection, Description,
    DescriptionChoice, RowOrder, SectionMean, describe,
};
pub use sides::Sides;
pub use stored::{StoredFiles, compare_pairing, no_baseline};
pub use suggest::{Suggestion, suggest_from_pairs, suggest_from_sessions};
pub use verdict::{Decision, Needed, Verdict};
