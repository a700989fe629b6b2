//! What a record says of the model's inputs, and in words what it does not say.
//!
//! Of all cases, the largest matrix product speaks for compute and the largest matrix-vector product for
//! memory; of several kernels for one shape the fastest speaks, because that is the one to run. A case
//! that failed or was skipped says nothing.

use super::choices::{NumberFormat, RateBasis};
use super::distribution::Distribution;
use super::figure::{Assumption, Basis};
use crate::record::{
    Boundary, CaseResult, EnergyProvenance, Estimate, Origin, Reading, Record, Resource, Roof,
    Status, Summary,
};
use crate::units::{BytesPerSecond, FlopPerSecond, Watts};

/// By what factor either way a figure may be off whose record gives no interval. [A]
const UNKNOWN_SPREAD: f64 = 1.2;

/// A case's figure from a record, as shown.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct RecordFigure {
    /// What was measured.
    pub what: String,
    /// The case that says so.
    pub case: String,
    /// The estimate, in base units.
    pub value: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// The estimate in words.
    pub text: String,
    /// What it rests on.
    pub basis: Basis,
}

/// A record, as far as the model wants it.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// Where it is from, for messages.
    pub label: String,
    /// The adapter's name.
    pub adapter: String,
    /// Whether the CPU did the work.
    pub software: bool,
    /// What its figures rest on.
    pub basis: Basis,
    record: Record,
}

/// What evidence does to the assumptions.
pub(super) struct EvidenceInputs {
    pub(super) rate: [RateBasis; 3],
    pub(super) bandwidth: RateBasis,
    pub(super) device_power: bool,
    pub(super) assumptions: Vec<(&'static str, Assumption)>,
    pub(super) notes: Vec<String>,
}

impl EvidenceInputs {
    fn none(notes: Vec<String>) -> Self {
        Self {
            rate: [RateBasis::Prior; 3],
            bandwidth: RateBasis::Prior,
            device_power: false,
            assumptions: Vec::new(),
            notes,
        }
    }
}

impl Evidence {
    /// Of a record; `label` is the file's name, for messages.
    pub fn new(label: impl Into<String>, record: Record) -> Self {
        let sensor_is_simulated = record.power.measured().is_some_and(|power| power.simulated);
        let basis = match record.provenance.origin {
            Origin::Simulated => Basis::Simulated,
            Origin::Imported => Basis::Imported,
            Origin::Measured if sensor_is_simulated => Basis::Simulated,
            Origin::Measured => Basis::Measured,
        };
        Self {
            label: label.into(),
            adapter: record.adapter.name.clone(),
            software: record.adapter.is_software(),
            basis,
            record,
        }
    }

    /// The figures that the model could use, for the reader's eyes.
    pub fn findings(&self, precision: NumberFormat) -> Vec<RecordFigure> {
        let mut found = Vec::new();
        for precision in [NumberFormat::F32, NumberFormat::Bf16] {
            if let Some((case, _, rate)) = self.product(precision) {
                found.push(self.finding(
                    format!("matrix product, {}", dtype(precision)),
                    case,
                    rate,
                    |rate| FlopPerSecond(rate).to_string(),
                ));
            }
        }
        if let Some((case, _, rate)) = self.stream() {
            found.push(
                self.finding("memory bandwidth".to_owned(), case, rate, |rate| {
                    BytesPerSecond(rate).to_string()
                }),
            );
        }
        if let Some((case, power)) = self.power(precision) {
            found.push(
                self.finding("device power".to_owned(), case, power, |power| {
                    Watts(power).to_string()
                }),
            );
        }
        let tokens = self
            .measured()
            .filter_map(|(case, summary)| Some((case, summary.tokens_per_s.measured()?)));
        for (case, rate) in largest_by_workload(tokens) {
            found.push(self.finding(
                format!("{}, this kernel alone", case.workload()),
                case,
                rate,
                |rate| format!("{} tokens/s", short(rate)),
            ));
        }
        found
    }

    fn finding(
        &self,
        what: String,
        case: &CaseResult,
        estimate: &Estimate,
        show: impl Fn(f64) -> String,
    ) -> RecordFigure {
        let (low, high, _) = ends(estimate);
        RecordFigure {
            what,
            case: case.id(),
            value: estimate.value,
            low,
            high,
            text: show(estimate.value),
            basis: self.basis,
        }
    }

    /// The device's own roofs, where no data sheet is at hand.
    pub(super) fn own_roofs(&self) -> Vec<(&'static str, Assumption)> {
        // Matrix units where the device has them and the session measured them.
        let f16 = [Resource::MatrixF16, Resource::FlopF16];
        let f16 = f16
            .into_iter()
            .find(|resource| self.roof(*resource).is_some());
        let roofs = [
            (Resource::FlopF32, "peak_f32", 1e-12),
            (f16.unwrap_or(Resource::FlopF16), "peak_bf16", 1e-12),
            (self.reading(), "bandwidth", 1e-9),
        ];
        let mut found: Vec<(&'static str, Assumption)> = roofs
            .into_iter()
            .filter_map(|(resource, key, scale)| {
                let roof = self.roof(resource)?;
                let source = format!("{}: roof by {}", self.label, roof.from);
                Some((
                    key,
                    self.assumption(&roof.rate_per_s, scale, source, self.basis)?,
                ))
            })
            .collect();
        // A device that works in the host's memory has that much of it.
        if self.software
            && let Some(bytes) = self.record.host.memory_bytes.measured()
        {
            let source = format!("{}: the host's memory", self.label);
            let estimate = Estimate {
                value: *bytes as f64,
                interval: Reading::unmeasured("exact"),
            };
            found.push((
                "memory",
                Assumption {
                    distribution: Distribution::Constant {
                        value: estimate.value * 1e-9,
                    },
                    basis: self.basis,
                    source,
                    date: self.date(),
                },
            ));
        }
        found
    }

    /// The roof of what decoding does to memory; records before perwatt had `read` know only of copying.
    fn reading(&self) -> Resource {
        if self.roof(Resource::MemoryRead).is_some() {
            Resource::MemoryRead
        } else {
            Resource::Memory
        }
    }

    fn roof(&self, resource: Resource) -> Option<&Roof> {
        self.record
            .roofline
            .iter()
            .find(|roof| roof.resource == resource)
    }

    fn date(&self) -> Option<String> {
        self.record.started_utc.get(..10).map(str::to_owned)
    }

    /// An estimate as an assumption, `scale` units to one of the record's.
    fn assumption(
        &self,
        estimate: &Estimate,
        scale: f64,
        source: String,
        basis: Basis,
    ) -> Option<Assumption> {
        let (low, high, stated) = ends(estimate);
        let [value, low, high] = [estimate.value, low, high].map(|number| number * scale);
        let sound = 0.0 < low && low <= value && value <= high && high.is_finite();
        sound.then(|| Assumption {
            distribution: if low < high {
                Distribution::Measured { value, low, high }
            } else {
                Distribution::Constant { value }
            },
            basis,
            source: if stated {
                source
            } else {
                format!("{source}; no interval in the record, ×÷{UNKNOWN_SPREAD} assumed [A]")
            },
            date: self.date(),
        })
    }

    /// Cases with figures.
    fn measured(&self) -> impl Iterator<Item = (&CaseResult, &Summary)> {
        self.record.cases.iter().filter_map(|case| {
            let summary = case.summary.measured()?;
            (case.status == Status::Measured).then_some((case, summary))
        })
    }

    /// The matrix product that speaks for this precision.
    fn product(&self, precision: NumberFormat) -> Option<(&CaseResult, &Summary, &Estimate)> {
        best(self.measured().filter_map(|(case, summary)| {
            let right = case.workload() == "matmul" && case.dtype() == dtype(precision);
            let rate = summary.flop_per_s.measured()?;
            right.then_some((case, summary, rate, case.counts.flop))
        }))
    }

    /// The bandwidth-bound kernel that speaks for decoding.
    fn stream(&self) -> Option<(&CaseResult, &Summary, &Estimate)> {
        let of = |workload: &str, dtype: Option<&str>| {
            best(self.measured().filter_map(|(case, summary)| {
                let right =
                    case.workload() == workload && dtype.is_none_or(|dtype| case.dtype() == dtype);
                let rate = summary.bytes_per_s.measured()?;
                right.then_some((case, summary, rate, case.counts.bytes))
            }))
        };
        of("gemv", Some("f16"))
            .or_else(|| of("gemv", None))
            .or_else(|| of("triad", None))
            .or_else(|| of("copy", None))
    }

    /// The power under the load of that matrix product, or of the next best thing.
    fn power(&self, precision: NumberFormat) -> Option<(&CaseResult, &Estimate)> {
        let of = |precision| {
            let (case, summary, _) = self.product(precision)?;
            Some((case, summary.power_w.measured()?))
        };
        of(precision)
            .or_else(|| of(NumberFormat::Bf16))
            .or_else(|| of(NumberFormat::F32))
    }

    /// What the record says where the scenario is about its device.
    pub(super) fn of_this_device(&self, precision: NumberFormat) -> EvidenceInputs {
        let mut found = EvidenceInputs::none(self.general_notes());
        for (precision, key) in [
            (NumberFormat::F32, "kernel_f32"),
            (NumberFormat::Bf16, "kernel_bf16"),
        ] {
            if let Some((case, _, rate)) = self.product(precision) {
                let source = self.source(case);
                if let Some(assumption) = self.assumption(rate, 1e-12, source, self.basis) {
                    found.rate[precision as usize] = RateBasis::Kernel;
                    found.assumptions.push((key, assumption));
                    self.note_spread(case, rate, &mut found.notes);
                }
            }
        }
        if let Some((case, _, rate)) = self.stream() {
            let source = self.source(case);
            if let Some(assumption) = self.assumption(rate, 1e-9, source, self.basis) {
                found.bandwidth = RateBasis::Kernel;
                found.assumptions.push(("kernel_bandwidth", assumption));
            }
        }
        self.add_power(precision, &mut found);
        self.note_absent(precision, &mut found);
        found
    }

    /// What the record of one device says of another: the shares of the roofline, and no watt.
    pub(super) fn for_another(&self, precision: NumberFormat, other: &str) -> EvidenceInputs {
        let mut found = EvidenceInputs::none(self.general_notes());
        found.notes.push(format!(
            "MODELLED: the record is of {}, the scenario of {other}. Only the shares of the measured \
             roofline are transferred to {other}'s data sheet; its watts are priors.",
            self.adapter
        ));
        if self.software {
            found.notes.push(
                "A CPU's roofline share says little about a GPU: caches, occupancy and matrix units \
                 differ. Take the result as a demonstration."
                    .to_owned(),
            );
        }
        let share_of = |summary: &Summary| summary.roofline_share.measured().cloned();
        for (precision, key) in [
            (NumberFormat::F32, "kernel_share_f32"),
            (NumberFormat::Bf16, "kernel_share_bf16"),
        ] {
            if let Some((case, summary, _)) = self.product(precision)
                && let Some(share) = share_of(summary)
                && let Some(assumption) =
                    self.assumption(&share, 1.0, self.source(case), self.modelled())
            {
                found.rate[precision as usize] = RateBasis::Share;
                found.assumptions.push((key, assumption));
                self.note_spread(case, &share, &mut found.notes);
            }
        }
        if let Some((case, summary, _)) = self.stream()
            && let Some(share) = share_of(summary)
            && let Some(assumption) =
                self.assumption(&share, 1.0, self.source(case), self.modelled())
        {
            found.bandwidth = RateBasis::Share;
            found
                .assumptions
                .push(("kernel_bandwidth_share", assumption));
        }
        self.note_absent(precision, &mut found);
        found
    }

    /// A share that is carried to another device is modelled; a simulated one stays simulated.
    fn modelled(&self) -> Basis {
        match self.basis {
            Basis::Simulated => Basis::Simulated,
            _ => Basis::Modelled,
        }
    }

    fn source(&self, case: &CaseResult) -> String {
        format!("{}: {}", self.label, case.id())
    }

    fn add_power(&self, precision: NumberFormat, found: &mut EvidenceInputs) {
        let Some((case, power)) = self.power(precision) else {
            let reason = self
                .record
                .power
                .reason()
                .unwrap_or("no case has an energy window");
            found.notes.push(format!(
                "The record has no energy ({reason}): watts and joules below are PRIOR."
            ));
            return;
        };
        let Some(assumption) = self.assumption(power, 1.0, self.source(case), self.basis) else {
            return;
        };
        found.device_power = true;
        found.assumptions.push(("device_power", assumption));
        let Some(setup) = self.record.power.measured() else {
            return;
        };
        let mut exactly = |key: &'static str, value: f64, source: String| {
            found.assumptions.push((
                key,
                Assumption {
                    distribution: Distribution::Constant { value },
                    basis: self.basis,
                    source,
                    date: self.date(),
                },
            ));
        };
        if power.interval.measured().is_some() {
            exactly(
                "sensor_gain",
                1.0,
                format!(
                    "{}: the interval of its power contains the sensor's gain",
                    self.label
                ),
            );
        }
        if setup.boundary == Boundary::Wall {
            exactly(
                "device_share",
                1.0,
                format!(
                    "{}: {} measures the whole machine",
                    self.label, setup.source
                ),
            );
        }
        let doubt = match (setup.provenance, setup.boundary) {
            (EnergyProvenance::Estimated, _) => {
                Some("firmware that estimates and measures nothing")
            }
            (_, Boundary::GpuChip) => Some("the chip alone: memory and regulators take more"),
            (_, Boundary::CpuPackage | Boundary::Soc) => {
                Some("a package that does other things too")
            }
            (_, Boundary::Unknown) => Some("its boundary is not known"),
            _ => None,
        };
        if let Some(doubt) = doubt {
            found.notes.push(format!(
                "Device power is that of {} ({}): {doubt}.",
                setup.source, setup.boundary
            ));
        }
    }

    fn general_notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        match self.basis {
            Basis::Simulated => notes.push(format!(
                "SIMULATED: {} comes from a simulation; no figure that rests on it says anything about a \
                 device.",
                self.label
            )),
            Basis::Imported => notes.push(format!(
                "IMPORTED: {} was converted from another program's file; perwatt verified none of it.",
                self.label
            )),
            _ => {}
        }
        if self.software {
            notes.push(format!(
                "{} is a software driver: its figures are the CPU's.",
                self.adapter
            ));
        }
        let failed: Vec<String> = self
            .record
            .cases
            .iter()
            .filter(|case| matches!(case.status, Status::Failed { .. }))
            .map(CaseResult::id)
            .collect();
        if let [first, rest @ ..] = failed.as_slice() {
            notes.push(format!(
                "{first}{} failed in the record and is not used.",
                if rest.is_empty() {
                    String::new()
                } else {
                    format!(" (and {} more)", rest.len())
                }
            ));
        }
        notes
    }

    fn note_spread(&self, case: &CaseResult, estimate: &Estimate, notes: &mut Vec<String>) {
        if let Some(reason) = estimate.interval.reason() {
            notes.push(format!(
                "{}: no interval ({reason}). A factor of {UNKNOWN_SPREAD} either way is assumed.",
                case.id()
            ));
        }
    }

    /// What the record does not say, and what stands in for it.
    fn note_absent(&self, precision: NumberFormat, found: &mut EvidenceInputs) {
        if found.rate[precision as usize] == RateBasis::Prior {
            found.notes.push(match precision {
                NumberFormat::Fp8 => "No kernel here runs in fp8: that rate is a PRIOR.".to_owned(),
                _ => format!(
                    "{} has no matrix product in {}: that rate is a PRIOR.",
                    self.label,
                    dtype(precision)
                ),
            });
        }
        if found.bandwidth == RateBasis::Prior {
            found.notes.push(format!(
                "{} has no bandwidth-bound case: decoding rests on a PRIOR.",
                self.label
            ));
        }
    }
}

/// Of the cases with the most work, the one with the highest rate.
fn best<'a>(
    cases: impl Iterator<Item = (&'a CaseResult, &'a Summary, &'a Estimate, u64)>,
) -> Option<(&'a CaseResult, &'a Summary, &'a Estimate)> {
    cases
        .filter(|(_, _, estimate, _)| estimate.value > 0.0)
        .max_by(|a, b| a.3.cmp(&b.3).then(a.2.value.total_cmp(&b.2.value)))
        .map(|(case, summary, estimate, _)| (case, summary, estimate))
}

/// Of each workload, the case with the most tokens' work.
fn largest_by_workload<'a>(
    cases: impl Iterator<Item = (&'a CaseResult, &'a Estimate)>,
) -> Vec<(&'a CaseResult, &'a Estimate)> {
    let mut found: Vec<(&CaseResult, &Estimate)> = Vec::new();
    for (case, rate) in cases {
        let rank = |case: &CaseResult, rate: &Estimate| (case.counts.flop, rate.value);
        match found
            .iter_mut()
            .find(|(known, _)| known.workload() == case.workload())
        {
            Some(known) if rank(case, rate) > rank(known.0, known.1) => *known = (case, rate),
            Some(_) => {}
            None => found.push((case, rate)),
        }
    }
    found
}

/// The dtype by which cases name a precision.
fn dtype(precision: NumberFormat) -> &'static str {
    match precision {
        NumberFormat::F32 => "f32",
        NumberFormat::Bf16 => "f16",
        NumberFormat::Fp8 => "fp8",
    }
}

/// Ends of an estimate's interval, or of the assumed one; and whether the record stated it.
fn ends(estimate: &Estimate) -> (f64, f64, bool) {
    match estimate.interval.measured() {
        Some(interval) => (interval.low, interval.high, true),
        None => (
            estimate.value / UNKNOWN_SPREAD,
            estimate.value * UNKNOWN_SPREAD,
            false,
        ),
    }
}

/// Three significant digits.
fn short(value: f64) -> String {
    crate::units::si(value, "").trim_end().to_owned()
}
