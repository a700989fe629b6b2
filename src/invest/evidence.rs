//! What a record says of the model's inputs, and in words what it does not say.
//!
//! Of all cases that fit (`fit.rs`), the largest matrix product speaks for compute, and a decoding layer or
//! the largest matrix-vector product for memory; of several kernels for one shape the fastest speaks, because
//! that is the one to run. What does not fit is shown and not used. A case that failed or was skipped says
//! nothing.

use super::catalog::{catalog, recognise};
use super::choices::{DecodePowerBasis, PowerBasis, RateBasis};
use super::distribution::Distribution;
use super::figure::{Assumption, Basis};
use super::fit::{self, ChipLimits, Unfit};
use super::number_format::{ModelWeights, NumberFormat};
use crate::record::{
    Boundary, CaseResult, DeviceType, EnergyProvenance, Estimate, Origin, Outcome, Reading, Record,
    Resource, Roof, Status, Summary,
};
use crate::units::{BytesPerSecond, FlopPerSecond, Watts};

/// By what factor either way a figure may be off whose record gives no interval. [A]
const UNKNOWN_SPREAD: f64 = 1.2;

/// How the case of a decoding layer ends.
const DECODE: &str = "-decode";

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
    /// Why no figure of the model rests on it, where none may.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_used: Option<String>,
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
    /// What its times rest on.
    pub basis: Basis,
    record: Record,
}

/// A computer by what its device takes: a card in a desktop draws ten times what a graphics unit beside a CPU does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MachineKind {
    /// With a card for games, or with a software driver.
    Desktop,
    /// A desktop with a card of another kind, of which some cost ten times what others do.
    Workstation,
    /// A portable one with a GPU of its own.
    Laptop,
    /// One whose GPU shares memory with the CPU.
    Integrated,
    /// A Mac, of which the same chip is sold at five times the price of another.
    Mac,
    /// A server, or nobody knows what.
    Unknown,
}

impl MachineKind {
    /// Of a device by its name, where a scenario knows no better.
    fn of(adapter: &str, device_type: DeviceType) -> Self {
        let name = adapter.to_ascii_lowercase();
        let words: Vec<&str> = name
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
            .collect();
        let has = |word: &str| words.contains(&word);
        // A `Max-Q Workstation` card is a card that takes less.
        let is_portable =
            has("laptop") || has("mobile") || (name.contains("max-q") && !has("workstation"));
        if is_portable {
            Self::Laptop
        } else if words.iter().any(|word| is_of_a_server(word, &words)) {
            Self::Unknown
        } else if has("apple") {
            Self::Mac
        } else if device_type == DeviceType::IntegratedGpu {
            Self::Integrated
        } else if device_type == DeviceType::Software
            || ["geforce", "arc", "rx"].into_iter().any(has)
        {
            Self::Desktop
        } else {
            Self::Workstation
        }
    }
}

/// Whether a driver's word is that of a card of servers: `Instinct MI350X`, `H20`, `Tesla T4`, `V100-SXM2`, `NVL`.
fn is_of_a_server(word: &str, all: &[&str]) -> bool {
    let numbered = |prefix: &str| {
        let rest = word.strip_prefix(prefix).unwrap_or("");
        rest.starts_with(|c: char| c.is_ascii_digit())
    };
    let is_for_desks = ["rtx", "geforce", "arc", "radeon", "quadro"]
        .iter()
        .any(|brand| all.contains(brand));
    matches!(
        word,
        "instinct" | "tesla" | "nvl" | "server" | "tegra" | "orin"
    ) || (numbered("mi") && word.len() >= 4)
        || numbered("sxm")
        || numbered("nvl")
        || (!is_for_desks
            && all.contains(&"nvidia")
            && ["a", "b", "h", "l", "p", "t", "v", "gb", "gh"]
                .iter()
                .any(|c| numbered(c)))
}

/// What evidence does to the assumptions.
pub(super) struct EvidenceInputs {
    pub(super) rate: [RateBasis; 4],
    pub(super) bandwidth: RateBasis,
    pub(super) device_power: PowerBasis,
    pub(super) decode_power: DecodePowerBasis,
    pub(super) prefill_layer: bool,
    pub(super) idle_power: bool,
    pub(super) assumptions: Vec<(&'static str, Assumption)>,
    pub(super) notes: Vec<String>,
}

/// A case that could speak for something, and whether it may.
struct RateCandidate<'a> {
    case: &'a CaseResult,
    summary: &'a Summary,
    rate: &'a Estimate,
    fit: Result<(), Unfit>,
}

impl EvidenceInputs {
    fn none(notes: Vec<String>) -> Self {
        Self {
            rate: [RateBasis::Prior; 4],
            bandwidth: RateBasis::Prior,
            device_power: PowerBasis::Prior,
            decode_power: DecodePowerBasis::Prior,
            prefill_layer: false,
            idle_power: false,
            assumptions: Vec::new(),
            notes,
        }
    }
}

impl Evidence {
    /// Of a record; `label` is the file's name, for messages.
    pub fn new(label: impl Into<String>, record: Record) -> Self {
        let basis = match record.provenance.origin {
            _ if record.is_all_simulated() => Basis::Simulated,
            Origin::Imported => Basis::Imported,
            // Where only the sensor was simulated, the times were measured.
            Origin::Measured | Origin::Simulated => Basis::Measured,
        };
        Self {
            label: label.into(),
            adapter: record.adapter.name.clone(),
            software: record.adapter.is_software(),
            basis,
            record,
        }
    }

    /// What its figures of power rest on.
    fn power_basis(&self) -> Basis {
        match self.record.is_simulated(true) {
            true => Basis::Simulated,
            false => self.basis,
        }
    }

    /// Whether any of its figures is made up.
    pub fn is_simulated(&self) -> bool {
        self.power_basis() == Basis::Simulated
    }

    /// What was given, in words.
    pub fn about(&self) -> String {
        let cases = &self.record.cases;
        let names: Vec<String> = cases.iter().take(2).map(CaseResult::id).collect();
        let more = if cases.len() > names.len() {
            ", …"
        } else {
            ""
        };
        format!(
            "{} holds {} case{} of {} ({}{more})",
            self.label,
            cases.len(),
            if cases.len() == 1 { "" } else { "s" },
            self.adapter,
            names.join(", ")
        )
    }

    /// The figures that the model could use, for the reader's eyes.
    pub fn findings(&self, precision: NumberFormat, weights: ModelWeights) -> Vec<RecordFigure> {
        let mut found = Vec::new();
        for precision in [NumberFormat::F32, NumberFormat::Bf16] {
            if let Some(best) = self.product(precision) {
                found.push(self.finding(
                    format!("matrix product, {}", dtype(precision)),
                    &best,
                    |rate| FlopPerSecond(rate).to_string(),
                ));
            }
        }
        if let Some(best) = self.stream(weights) {
            found.push(self.finding("memory bandwidth".to_owned(), &best, |rate| {
                BytesPerSecond(rate).to_string()
            }));
        }
        if let Some(power) = self.power(precision) {
            found.push(RecordFigure {
                basis: self.power_basis(),
                ..self.finding(self.what_power_is_of().to_owned(), &power, |power| {
                    Watts(power).to_string()
                })
            });
        }
        if let Some(power) = self.decoding_power(weights) {
            let what = match is_a_layer(power.case) {
                true => "power while tokens are written",
                false => "power while memory is read",
            };
            found.push(RecordFigure {
                basis: self.power_basis(),
                ..self.finding(what.to_owned(), &power, |power| Watts(power).to_string())
            });
        }
        let tokens = self
            .measured()
            .filter_map(|(case, summary)| Some((case, summary.tokens_per_s.measured()?)));
        for (case, rate) in largest_by_workload(tokens) {
            let alone = format!("{}, this kernel alone", case.workload());
            let show = |rate: f64| format!("{} tokens/s", short(rate));
            found.push(self.figure(alone, case, rate, show));
        }
        found
    }

    /// Whose power the sensor sees.
    fn what_power_is_of(&self) -> &'static str {
        match self.record.power.measured().map(|setup| setup.boundary) {
            Some(Boundary::Wall) => "whole machine under load",
            _ => "device power",
        }
    }

    fn finding(
        &self,
        what: String,
        candidate: &RateCandidate<'_>,
        show: impl Fn(f64) -> String,
    ) -> RecordFigure {
        let mut figure = self.figure(what, candidate.case, candidate.rate, show);
        figure.not_used = candidate.fit.as_ref().err().map(ToString::to_string);
        figure
    }

    fn figure(
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
            not_used: None,
        }
    }

    /// What is known of the record's own chip: its data sheet, or else the session's own roofs.
    fn chip(&self) -> ChipLimits {
        let listed = catalog()
            .ok()
            .filter(|_| !self.software)
            .and_then(|catalog| {
                let id = recognise(&catalog.accelerators, &self.adapter)?;
                catalog.accelerators.get(id)
            });
        let gap_s = self.gap_s();
        if let Some(entry) = listed {
            return ChipLimits {
                gap_s,
                ..entry.limits()
            };
        }
        // A session's own roofs are no data sheet; the share of the roofline has judged each case by that of the units
        // that it uses.
        ChipLimits {
            matrix_units: if self.software {
                Some(false)
            } else {
                (!self.record.adapter.coop_matrix.is_empty()).then_some(true)
            },
            software: self.software,
            gap_s,
            ..ChipLimits::default()
        }
    }

    /// The time between dispatches that the session measured.
    fn gap_s(&self) -> Option<f64> {
        let gap_ns = self.record.clock.measured()?.dispatch_gap_ns?;
        (gap_ns > 0.0 && gap_ns.is_finite()).then_some(gap_ns * 1e-9)
    }

    /// What kind of computer the device is part of, where a scenario knows no better.
    pub(super) fn machine(&self) -> MachineKind {
        MachineKind::of(&self.adapter, self.record.adapter.device_type)
    }

    /// What the computer around an unlisted device is built for at least, in watts: the device's measured power is a
    /// part of it.
    pub(super) fn least_capacity(&self, found: &EvidenceInputs) -> Option<Assumption> {
        /// A machine's rated power ÷ its device's under load, from shares of 0.8, 0.7 and 0.6. [A]
        const RATED_OVER_DEVICE: [f64; 3] = [1.0 / 0.8, 1.0 / 0.7, 1.0 / 0.6];
        /// The same of a meter at the wall, which sees all of it. [A]
        const RATED_OVER_MACHINE: [f64; 3] = [1.0, 1.1, 1.25];
        let central = |wanted: &str| {
            let (_, assumption) = found.assumptions.iter().find(|(key, _)| *key == wanted)?;
            Some(assumption.distribution.central())
        };
        let watts = ["device_power", "decode_power", "idle_power"]
            .into_iter()
            .filter_map(central)
            .fold(0.0, f64::max);
        let factors = match self.is_at_wall() {
            true => RATED_OVER_MACHINE,
            false => RATED_OVER_DEVICE,
        };
        let [low, value, high] = factors.map(|factor| factor * watts);
        (watts > 0.0).then(|| Assumption {
            distribution: Distribution::Triangular { low, value, high },
            basis: Basis::Prior,
            source: format!(
                "[A] {}: {} measured, × {:.2}/{:.2}/{:.2} for the machine around it",
                self.label,
                Watts(watts),
                factors[0],
                factors[1],
                factors[2]
            ),
            date: self.date(),
        })
    }

    /// The roof of 16-bit products: matrix units where the session measured them.
    fn half_roof(&self) -> Resource {
        if self.roof(Resource::MatrixF16).is_some() {
            Resource::MatrixF16
        } else {
            Resource::FlopF16
        }
    }

    /// The device's own roofs, where no data sheet is at hand.
    pub(super) fn own_roofs(&self) -> Vec<(&'static str, Assumption)> {
        let roofs = [
            (Resource::FlopF32, "peak_f32", 1e-12),
            (self.half_roof(), "peak_bf16", 1e-12),
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
        found.extend(self.own_memory().map(|memory| ("memory", memory)));
        found
    }

    /// A device that works in the host's memory has that much of it.
    pub(super) fn own_memory(&self) -> Option<Assumption> {
        let shares = self.record.adapter.device_type == DeviceType::IntegratedGpu;
        let bytes = *self.record.host.memory_bytes.measured()?;
        (self.software || shares).then(|| Assumption {
            distribution: Distribution::Constant {
                value: bytes as f64 * 1e-9,
            },
            basis: self.basis,
            source: format!("{}: the host's memory", self.label),
            date: self.date(),
        })
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
        self.bounded(estimate, f64::INFINITY, scale, source, basis)
    }

    /// The same of which no draw may be above `most`, in the record's units: no wide interval makes a device faster
    /// than its roof.
    fn bounded(
        &self,
        estimate: &Estimate,
        most: f64,
        scale: f64,
        source: String,
        basis: Basis,
    ) -> Option<Assumption> {
        let (low, high, stated) = ends(estimate);
        let [value, low, high, most] =
            [estimate.value, low, high, most.max(estimate.value)].map(|number| number * scale);
        let sound = 0.0 < low && low <= value && value <= high && high.is_finite();
        let mut source = source;
        if !stated {
            source += &format!("; no interval in the record, ×÷{UNKNOWN_SPREAD} assumed [A]");
        }
        if high > most {
            source += "; its interval is cut at what the roof and the data sheet allow";
        }
        sound.then(|| Assumption {
            distribution: if low >= high {
                Distribution::Constant { value }
            } else if high > most {
                Distribution::Triangular {
                    low,
                    value,
                    high: most,
                }
            } else {
                Distribution::Measured { value, low, high }
            },
            basis,
            source,
            date: self.date(),
        })
    }

    /// A rate as an assumption that stays below the session's roof and the data sheet's peak.
    fn rate(
        &self,
        candidate: &RateCandidate<'_>,
        peak: Option<f64>,
        scale: f64,
    ) -> Option<Assumption> {
        let roof = candidate.summary.roofline_share.measured();
        let roof = roof.map(|share| candidate.rate.value / share.value);
        let most = [roof, peak]
            .into_iter()
            .flatten()
            .filter(|most| *most > 0.0)
            .fold(f64::INFINITY, f64::min);
        let source = self.source(candidate.case);
        self.bounded(
            candidate.rate,
            fit::MOST_SHARE * most,
            scale,
            source,
            self.basis,
        )
    }

    /// Cases with figures.
    fn measured(&self) -> impl Iterator<Item = (&CaseResult, &Summary)> {
        self.record.cases.iter().filter_map(|case| {
            let summary = case.summary.measured()?;
            (case.status == Status::Measured).then_some((case, summary))
        })
    }

    /// The case that speaks for something: of the right ones, by the rate that counts and by whether it fits.
    fn speaking(
        &self,
        is_right: impl Fn(&CaseResult) -> bool,
        rate: fn(&Summary) -> &Reading<Estimate>,
        fit: fn(&CaseResult, &Summary, &Estimate, &ChipLimits) -> Result<(), Unfit>,
        work: fn(&CaseResult) -> u64,
    ) -> Option<RateCandidate<'_>> {
        let chip = self.chip();
        best(
            self.measured()
                .filter(|(case, _)| is_right(case))
                .filter_map(|(case, summary)| {
                    let rate = rate(summary).measured()?;
                    let candidate = RateCandidate {
                        case,
                        summary,
                        rate,
                        fit: fit(case, summary, rate, &chip),
                    };
                    Some((candidate, work(case)))
                }),
        )
    }

    /// The matrix product that speaks for this precision; one that may not where none may.
    fn product(&self, precision: NumberFormat) -> Option<RateCandidate<'_>> {
        self.speaking(
            |case| case.workload() == "matmul" && case.dtype() == dtype(precision),
            |summary| &summary.flop_per_s,
            fit::product,
            |case| case.counts.flop,
        )
    }

    /// Whether the f16 product that speaks for the device ran on matrix units.
    pub(super) fn has_product_on_matrix_units(&self) -> bool {
        let product = self.product(NumberFormat::Bf16);
        product.is_some_and(|best| best.case.resources().arithmetic == Resource::MatrixF16)
    }

    /// A layer of a language model in these weights: the prompt's or the decoding one.
    fn layer(&self, weights: ModelWeights, ending: &str) -> Option<RateCandidate<'_>> {
        let is_right = |case: &CaseResult| {
            is_a_layer(case) && case.dtype() == weights.name() && case.case.ends_with(ending)
        };
        if ending == DECODE {
            self.speaking(
                is_right,
                |summary| &summary.bytes_per_s,
                fit::stream,
                |case| case.counts.flop,
            )
        } else {
            self.speaking(
                is_right,
                |summary| &summary.flop_per_s,
                fit::layer,
                |case| case.counts.flop,
            )
        }
    }

    /// The bandwidth-bound kernel that speaks for decoding: a whole layer before one product.
    fn stream(&self, weights: ModelWeights) -> Option<RateCandidate<'_>> {
        let mut unfit = None;
        for candidate in self.streams(weights) {
            if candidate.fit.is_ok() {
                return Some(candidate);
            }
            unfit = unfit.or(Some(candidate));
        }
        unfit
    }

    /// Those that could speak for decoding, the nearest to it first.
    fn streams(&self, weights: ModelWeights) -> impl Iterator<Item = RateCandidate<'_>> {
        let of = |workload: &str, dtype: Option<&str>| {
            self.speaking(
                |case| {
                    case.workload() == workload && dtype.is_none_or(|dtype| case.dtype() == dtype)
                },
                |summary| &summary.bytes_per_s,
                fit::stream,
                |case| case.counts.bytes,
            )
        };
        let wanted = weights.name();
        let candidates = [
            self.layer(weights, DECODE),
            of("gemv", Some(wanted)),
            of("gemv", Some("f16")),
            of("gemv", Some("f32")),
            of("triad", None),
            of("copy", None),
        ];
        candidates.into_iter().flatten()
    }

    /// The case whose power speaks for decoding: the layer's own, else that of the nearest kernel that has one.
    fn decoding_power(&self, weights: ModelWeights) -> Option<RateCandidate<'_>> {
        let limits = self.power_limits();
        self.streams(weights).find_map(|candidate| {
            let rate = candidate.summary.power_w.measured()?;
            let speaks = candidate.fit.is_ok() && fit::power(rate.value, &limits).is_ok();
            speaks.then_some(RateCandidate { rate, ..candidate })
        })
    }

    /// The power under the load of that matrix product. A load that does not speak for the device does
    /// not speak for its power either.
    fn power(&self, precision: NumberFormat) -> Option<RateCandidate<'_>> {
        let wanted = match precision {
            // No kernel runs in fp8 or fp4: that of bf16 keeps the same units busy.
            NumberFormat::Fp8 | NumberFormat::Fp4 => NumberFormat::Bf16,
            other => other,
        };
        let candidate = self.product(wanted)?;
        let rate = candidate.summary.power_w.measured()?;
        Some(RateCandidate {
            fit: candidate
                .fit
                .and_then(|()| fit::power(rate.value, &self.power_limits())),
            rate,
            ..candidate
        })
    }

    /// Whether the sensor sees the whole machine.
    fn is_at_wall(&self) -> bool {
        let setup = self.record.power.measured();
        setup.is_some_and(|setup| setup.boundary == Boundary::Wall)
    }

    /// What a board can draw at most, in watts; infinity where nobody says.
    fn most_power(&self) -> f64 {
        let rated = self.power_limits().board_w;
        rated.map_or(f64::INFINITY, |rated| fit::MOST_OF_RATING * rated)
    }

    /// What bounds a reading of the sensor: a machine may draw more than its board.
    fn power_limits(&self) -> ChipLimits {
        let chip = match self.is_at_wall() {
            true => ChipLimits::default(),
            false => self.chip(),
        };
        ChipLimits {
            idle_w: self.idle().map(|[_, middle, _]| middle),
            ..chip
        }
    }

    /// What the record says where the scenario is about its device.
    pub(super) fn of_this_device(
        &self,
        precision: NumberFormat,
        weights: ModelWeights,
    ) -> EvidenceInputs {
        let mut found = EvidenceInputs::none(self.general_notes());
        let chip = self.chip();
        for (precision, key) in [
            (NumberFormat::F32, "kernel_f32"),
            (NumberFormat::Bf16, "kernel_bf16"),
        ] {
            let peak = match precision {
                NumberFormat::F32 => chip.f32_flop_per_s,
                _ => chip.f16_flop_per_s,
            };
            if let Some(best) = usable(self.product(precision), &mut found.notes)
                && let Some(assumption) = self.rate(&best, peak, 1e-12)
            {
                found.rate[precision as usize] = RateBasis::Kernel;
                found.assumptions.push((key, assumption));
                self.note_spread(best.case, best.rate, &mut found.notes);
            }
        }
        if let Some(best) = usable(self.stream(weights), &mut found.notes)
            && let Some(assumption) = self.rate(&best, chip.bytes_per_s, 1e-9)
        {
            found.bandwidth = RateBasis::Kernel;
            found.assumptions.push(("kernel_bandwidth", assumption));
            if is_a_layer(best.case) {
                found
                    .assumptions
                    .push(("bandwidth_transfer", self.layer_to_model(best.case)));
            }
        }
        if let Some(best) = usable(self.layer(weights, "-prefill"), &mut found.notes)
            && let Some(assumption) = self.rate(&best, chip.f16_flop_per_s, 1e-12)
        {
            found.prefill_layer = true;
            found.assumptions.push(("kernel_prefill", assumption));
        }
        self.add_power(precision, &mut found);
        self.add_decode_power(weights, &mut found);
        self.add_idle(&mut found);
        self.note_absent(precision, weights, &mut found);
        found
    }

    /// A decoding layer's bandwidth is nearly the whole model's: what is left are the embedding, the head and
    /// the choice of a token.
    fn layer_to_model(&self, case: &CaseResult) -> Assumption {
        Assumption {
            distribution: Distribution::Triangular {
                low: 0.85,
                value: 0.95,
                high: 1.0,
            },
            basis: Basis::Prior,
            source: format!(
                "[A] {}: the measured layer stands for all; embedding, head and sampling take the rest",
                self.source(case)
            ),
            date: self.date(),
        }
    }

    /// What the record of one device says of another: the shares of the roofline, and no watt; and of a
    /// software driver's nothing at all.
    pub(super) fn for_another(
        &self,
        precision: NumberFormat,
        weights: ModelWeights,
        other: &str,
    ) -> EvidenceInputs {
        let mut found = EvidenceInputs::none(self.general_notes());
        if self.software {
            found.notes.push(format!(
                "The record is of {}, a software driver: a CPU's shares say nothing about {other}. Nothing of it is \
                 used; what stands below is PRIOR. Give a record of a GPU.",
                self.adapter
            ));
            return found;
        }
        found.notes.push(format!(
            "MODELLED: the record is of {}, the scenario of {other}. Only shares of the measured roofline, of the same \
             kind of unit, are transferred to {other}'s data sheet; its watts are priors. --accelerator \
             record asks about the measured device.",
            self.adapter
        ));
        let share_of = |summary: &Summary| summary.roofline_share.measured().cloned();
        for (precision, key) in [
            (NumberFormat::F32, "kernel_share_f32"),
            (NumberFormat::Bf16, "kernel_share_bf16"),
        ] {
            let Some(best) = self.product(precision) else {
                continue;
            };
            // A share of vector units says nothing of another chip's matrix units.
            if precision == NumberFormat::Bf16
                && best.case.resources().arithmetic != Resource::MatrixF16
            {
                found.notes.push(format!(
                    "{}: {}; shown, not used, and the PRIOR stands. What would give it: {}.",
                    best.case.id(),
                    Unfit::VectorUnits,
                    Unfit::VectorUnits.advice()
                ));
                continue;
            }
            if let Some(best) = usable(Some(best), &mut found.notes)
                && let Some(share) = share_of(best.summary)
                && let Some(assumption) = self.bounded(
                    &share,
                    fit::MOST_SHARE,
                    1.0,
                    self.source(best.case),
                    self.modelled(),
                )
            {
                found.rate[precision as usize] = RateBasis::Share;
                found.assumptions.push((key, assumption));
                self.note_spread(best.case, &share, &mut found.notes);
            }
        }
        if let Some(best) = usable(self.stream(weights), &mut found.notes)
            && let Some(share) = share_of(best.summary)
            && let Some(assumption) = self.bounded(
                &share,
                fit::MOST_SHARE,
                1.0,
                self.source(best.case),
                self.modelled(),
            )
        {
            found.bandwidth = RateBasis::Share;
            found
                .assumptions
                .push(("kernel_bandwidth_share", assumption));
        }
        self.note_absent(precision, weights, &mut found);
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
        let Some(power) = self.power(precision) else {
            let reason = self
                .record
                .power
                .reason()
                .unwrap_or("no case that speaks for the device has an energy window");
            found.notes.push(format!(
                "The record has no energy ({reason}): watts and joules below are PRIOR."
            ));
            return;
        };
        let Some(power) = usable(Some(power), &mut found.notes) else {
            return;
        };
        let source = self.source(power.case);
        let power = power.rate;
        let most = self.most_power();
        let Some(assumption) = self.bounded(power, most, 1.0, source, self.power_basis()) else {
            return;
        };
        found.device_power = PowerBasis::Device;
        found.assumptions.push(("device_power", assumption));
        let Some(setup) = self.record.power.measured() else {
            return;
        };
        let mut exactly = |key: &'static str, value: f64, source: String| {
            found.assumptions.push((
                key,
                Assumption {
                    distribution: Distribution::Constant { value },
                    basis: self.power_basis(),
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
            found.device_power = PowerBasis::Machine;
            found.notes.push(format!(
                "{} measures at the wall: its watts are the whole machine's, and the device's share of them \
                 is a PRIOR.",
                setup.source
            ));
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

    /// The device's power while it decodes, from the layer that does.
    fn add_decode_power(&self, weights: ModelWeights, found: &mut EvidenceInputs) {
        // Without the machine's power under load nothing says how much of a wall meter's reading is the device's.
        if self.is_at_wall() && found.device_power != PowerBasis::Machine {
            return;
        }
        let Some(best) = self.decoding_power(weights) else {
            return;
        };
        let is_a_step = is_a_layer(best.case);
        let case = self.source(best.case);
        let source = match is_a_step {
            true => format!("{case}: the decoding layer's own watts"),
            false => format!(
                "{case}: the watts of reading; a step's waits draw by wait_draw ÷ read_draw"
            ),
        };
        let most = self.most_power();
        let Some(assumption) = self.bounded(best.rate, most, 1.0, source, self.power_basis())
        else {
            return;
        };
        found.decode_power = match is_a_step {
            true => DecodePowerBasis::Step,
            false => {
                found.notes.push(format!(
                    "The record has no watts of a decoding layer in {}: those of {} stand for the reading of a step, \
                     and PRIOR shares for the rest. `perwatt run --suite llm` measures the layer.",
                    weights.name(),
                    best.case.id()
                ));
                DecodePowerBasis::Reading
            }
        };
        found.assumptions.push(("decode_power", assumption));
    }

    /// What the machine or the device draws while it waits: the middle of what was measured before loads.
    fn add_idle(&self, found: &mut EvidenceInputs) {
        if self.is_at_wall() && found.device_power != PowerBasis::Machine {
            return;
        }
        let Some([low, value, high]) = self.idle() else {
            return;
        };
        found.idle_power = true;
        found.assumptions.push((
            "idle_power",
            Assumption {
                distribution: if low < high {
                    Distribution::Triangular { low, value, high }
                } else {
                    Distribution::Constant { value }
                },
                basis: self.power_basis(),
                source: format!("{}: power before the loads", self.label),
                date: self.date(),
            },
        ));
    }

    /// What the sensor said before the loads: least, middle, most.
    fn idle(&self) -> Option<[f64; 3]> {
        let windows = self.record.cases.iter().flat_map(|case| &case.invocations);
        let mut idle: Vec<f64> = windows
            .filter_map(|one| match &one.outcome {
                Outcome::Measured { energy, .. } => {
                    energy.measured()?.idle_before_w.measured().copied()
                }
                _ => None,
            })
            .filter(|watts| *watts > 0.0 && watts.is_finite())
            .collect();
        idle.sort_unstable_by(f64::total_cmp);
        Some([*idle.first()?, idle[idle.len() / 2], *idle.last()?])
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
            _ if self.is_simulated() => notes.push(format!(
                "SIMULATED: the power sensor of {} is made up; no figure that rests on its watts says anything about a \
                 device.",
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
    fn note_absent(
        &self,
        precision: NumberFormat,
        weights: ModelWeights,
        found: &mut EvidenceInputs,
    ) {
        if found.rate[precision as usize] == RateBasis::Prior && self.product(precision).is_none() {
            found.notes.push(match precision {
                NumberFormat::Fp8 | NumberFormat::Fp4 => format!(
                    "No kernel here runs in {}: that rate is a PRIOR.",
                    precision.name()
                ),
                _ => format!(
                    "{} has no matrix product in {}: that rate is a PRIOR.",
                    self.label,
                    dtype(precision)
                ),
            });
        }
        if found.bandwidth == RateBasis::Prior && self.stream(weights).is_none() {
            found.notes.push(format!(
                "{} has no bandwidth-bound case: decoding rests on a PRIOR.",
                self.label
            ));
        }
    }
}

/// A candidate that fits; of one that does not, the notes say why and what to run.
fn usable<'a>(
    candidate: Option<RateCandidate<'a>>,
    notes: &mut Vec<String>,
) -> Option<RateCandidate<'a>> {
    let candidate = candidate?;
    match &candidate.fit {
        Ok(()) => Some(candidate),
        Err(unfit) => {
            let note = format!(
                "{}: {unfit}; shown, not used, and the PRIOR stands. What would give it: {}.",
                candidate.case.id(),
                unfit.advice()
            );
            if !notes.contains(&note) {
                notes.push(note);
            }
            None
        }
    }
}

/// Of the cases that fit, and of all where none does: of those with the most work the fastest.
fn best<'a>(cases: impl Iterator<Item = (RateCandidate<'a>, u64)>) -> Option<RateCandidate<'a>> {
    cases
        .filter(|(candidate, _)| candidate.rate.value > 0.0)
        .max_by(|(a, a_work), (b, b_work)| {
            let fits = a.fit.is_ok().cmp(&b.fit.is_ok());
            let larger = a_work.cmp(b_work);
            fits.then(larger)
                .then(a.rate.value.total_cmp(&b.rate.value))
        })
        .map(|(candidate, _)| candidate)
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

/// Whether a case is a layer of a language model, and not one of its products alone.
fn is_a_layer(case: &CaseResult) -> bool {
    case.workload() == "llama-layer"
}

/// The dtype by which cases name a precision.
fn dtype(precision: NumberFormat) -> &'static str {
    match precision {
        NumberFormat::F32 => "f32",
        NumberFormat::Bf16 => "f16",
        NumberFormat::Fp8 => "fp8",
        NumberFormat::Fp4 => "fp4",
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
