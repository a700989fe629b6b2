//! The result file: what one `run` measured, and nothing that it did not.
//!
//! Producers (the measuring loop) and consumers (compare, report, invest) meet only here, so this
//! module knows no wgpu, and of statistics only the form of an interval. Three rules shape every type:
//!
//! - a unit stands in the field's name (`median_ns`, `energy_j`);
//! - what could not be measured is a [`Reading::Unmeasured`] with its reason, never a zero or a gap;
//! - raw samples are kept, so that a better analysis can be made later from the same file.

mod adapter;
mod best_kernels;
mod case;
#[cfg(any(feature = "bench", feature = "compare"))]
mod case_glob;
mod case_invocation;
mod case_name;
mod check;
mod clock;
mod custom_dtype;
mod custom_kernel;
mod device_states;
mod digits;
mod disk;
mod document;
mod energy;
mod estimate;
mod exported;
mod file;
mod headline;
mod inspection;
mod journal;
mod limits;
mod marks;
mod measure;
mod measurement;
mod placement;
mod privacy;
mod reading;
mod resource;
mod roofline;
mod session;
mod stable_hash;
mod texture;
mod unsummed;
mod warning;
mod warning_kinds;
mod wgsl_comment;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use adapter::{Adapter, CoopMatrix, DeviceType, Limits, RefusedFeature};
#[cfg(feature = "bench")]
pub(crate) use case::NOTHING_COMPARED;
pub use case::{
    CaseInvocation, CaseResult, Counts, FailureKind, Footprint, InsteadOf, Outcome, Sampling,
    Status, StopReason, Summary, ToolSetup, Verification,
};
#[cfg(any(feature = "bench", feature = "compare"))]
pub use case_glob::CaseGlob;
pub use case_name::CaseName;
pub use check::{Contradiction, ContradictionKind};
pub use clock::{ClockMethod, ClockSetup};
pub use custom_dtype::CustomDtype;
pub use custom_kernel::{
    CustomBuffer, CustomCheck, CustomContents, CustomDispatch, CustomGenerator, CustomIndirect,
    CustomKernel,
};
pub use device_states::{DeviceStates, each_once};
pub use digits::fifteen_digits;
pub use disk::{
    can_be_made, leads_to_a_stream, read_bytes, read_text, read_within, regular_inside, write_file,
};
pub use document::{Document, DocumentKind, load_document, parse_document, save_document};
pub use energy::{
    Boundary, Conditions, DoubtedReadings, EnergyProvenance, EnergyTier, EnergyWindow, ErrorCause,
    ErrorTerm, Gain, GainFrom, GainUncertainty, PlausiblePower, PowerSetup, Resolution,
    SamplerCost, Trace,
};
pub use estimate::Estimate;
pub use exported::ExportedFigure;
pub use file::{load, parse, save, schema};
pub use headline::{Headline, WorkUnit};
pub use inspection::{
    CompiledShader, CompilerStatistics, DeviceInfo, INSPECTION_VERSION, Inspection, LoopSummary,
    Mix, Target,
};
pub use journal::{
    Event, Journal, SessionJournal, journal_in_use, journal_path, parse_journal, read_journal,
    without_journal_suffix,
};
pub use limits::{
    LONGEST_S, MOST_CASES, MOST_FILE_BYTES, MOST_GLOB_BYTES, MOST_IMPORT_BYTES, MOST_IMPORTED,
    MOST_INVOCATIONS, MOST_INVOCATIONS_OF_SESSION, MOST_NAME_BYTES, MOST_SOURCE_BYTES,
};
pub use marks::{SIMULATED, SIMULATED_SENSOR, SOFTWARE_DRIVER, UNVERIFIED};
pub use measure::{Better, Measure};
pub use measurement::{EnergySum, MonitoredWindow, PowerMeasurement, SensorEnergy};
pub use placement::{Placement, Scheduler};
pub use privacy::{Whereabouts, anonymize, tidy, unidentify};
pub use reading::{Reading, Unmeasured};
pub use resource::{Resource, Resources};
pub use roofline::Roof;
pub use session::{
    CaseOrder, EnergyScope, Host, InvocationInfo, Origin, PlanSummary, Provenance, RESTING_C,
    StatedSensor,
};
pub use stable_hash::stable_hash;
pub use texture::{
    CustomSampler, CustomTexture, SamplerAddress, SamplerComparison, SamplerFilter, TexelFormat,
    TextureDimension,
};
pub use warning::Warning;
pub use wgsl_comment::after_wgsl_comment;

/// The version of the result file that this program writes. Readers refuse another major version.
pub const SCHEMA_VERSION: &str = "1.10.0";

/// What one `perwatt run` measured: the content of one result file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "perwatt record")]
pub struct Record {
    /// `perwatt-record`; files of version 1.0 carry no mark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Semantic version of this format.
    pub schema_version: String,
    /// Random identity of the session; the same in the journal and the record.
    pub session: String,
    /// When the session started, RFC 3339 in UTC.
    pub started_utc: String,
    /// Who wrote this file, how it was called, and whether its numbers come from a device.
    pub provenance: Provenance,
    /// The machine.
    pub host: Host,
    /// Where a run of a fleet was placed; absent in a run by itself. Since version 1.5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placement: Option<Placement>,
    /// The adapter that the cases ran on.
    pub adapter: Adapter,
    /// How time was measured.
    pub clock: Reading<ClockSetup>,
    /// How energy was measured, or why it was not.
    pub power: Reading<PowerSetup>,
    /// What was asked for.
    pub plan: PlanSummary,
    /// One entry a worker process.
    pub invocations: Vec<InvocationInfo>,
    /// One entry a case and kernel, in the order in which they ran.
    pub cases: Vec<CaseResult>,
    /// The device's own roofs, from the peak and bandwidth cases of this session.
    pub roofline: Vec<Roof>,
    /// What a reader must know about the whole session.
    pub warnings: Vec<Warning>,
}

impl Record {
    /// The day in UTC on which the session started, `2026-01-31`; none where its start is no time.
    pub fn date(&self) -> Option<String> {
        day_of(&self.started_utc)
    }
}

/// The day in UTC of a time as files state it.
pub fn day_of(rfc_3339: &str) -> Option<String> {
    let at: jiff::Timestamp = rfc_3339.parse().ok()?;
    Some(at.strftime("%Y-%m-%d").to_string())
}

/// The time of day as files state it: RFC 3339 in UTC, to the second.
pub fn now_utc() -> String {
    jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string()
}
