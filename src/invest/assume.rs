//! Everything that is assumed for a scenario, in layers, the later over the earlier: priors, the scenario's
//! fallbacks, the accelerator, the scenario's own inputs, the country, the record, and what `--set` says.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::catalog::{Accelerator, ScenarioFile, catalog, find, recognise};
use super::choices::{Choices, DecodePowerBasis, PowerBasis, PriorSet, RateBasis};
use super::distribution::Distribution;
use super::evidence::{Evidence, MachineKind};
use super::figure::{Assumption, Basis, Figure};
use super::inputs::{INPUTS, Size, known, position, unit};
use super::language_model::LanguageModel;
use super::number_format::{ModelWeights, NumberFormat};
use super::scenario::Scenario;
use super::title;
use crate::error::{Error, Result, nearest};

/// Stands for the record's own device where an accelerator is named.
const OWN_DEVICE: &str = "record";

/// The accelerator of the article's example.
const DEFAULT_ACCELERATOR: &str = "h100-sxm";

/// The share of the least capacity around a measured device below which a list's figure gives way to it: a device
/// alone. [A]
const MOST_OF_CAPACITY: f64 = 0.8;

/// The language model where none is named: large enough to need more than one accelerator, and in use.
const DEFAULT_MODEL: &str = "llama-3.1-70b";

/// What a call changes about a scenario.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Another accelerator; `record` is the record's own device.
    pub accelerator: Option<String>,
    /// Another language model.
    pub model: Option<String>,
    /// Another number format.
    pub precision: Option<NumberFormat>,
    /// The set of priors.
    pub priors: PriorSet,
    /// Another format of weights.
    pub weights: Option<ModelWeights>,
    /// A country, for the price and the gases of electricity.
    pub country: Option<String>,
    /// `KEY=VALUE` pairs.
    pub set: Vec<String>,
}

/// Everything that the model takes, with its sources: the model is a pure function of this.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assumptions {
    /// The scenario's name.
    pub scenario: String,
    /// The scenario's title.
    pub title: String,
    /// What is decided rather than drawn.
    pub choices: Choices,
    /// The accelerator's name.
    pub accelerator: String,
    /// What is known of each input, in the order of [`INPUTS`]; `None` where nothing is.
    pub values: Vec<Option<Assumption>>,
    /// The set of priors.
    pub priors: PriorSet,
    /// The country whose electricity it is, where one was named.
    #[serde(default)]
    pub country: Option<String>,
    /// Whether the accelerator is a CPU behind a software driver.
    #[serde(default)]
    pub software: bool,
    /// What a reader must know.
    pub notes: Vec<String>,
}

impl Scenario {
    /// Everything that is assumed, given what a record says and what the call changes.
    ///
    /// # Errors
    /// An unknown name, a value out of bounds, or a device that nothing is known of.
    pub fn assume(&self, evidence: Option<&Evidence>, changes: &Changes) -> Result<Assumptions> {
        let mut building = Building::new(self, evidence, changes)?;
        building.priors()?;
        building.fallbacks()?;
        building.accelerator()?;
        building.size(&self.file)?;
        building.layer(&self.file.inputs, Basis::Given)?;
        building.classes()?;
        building.country()?;
        building.precision()?;
        building.record();
        refuse_contradictions(&changes.set)?;
        for pair in &changes.set {
            building.set(pair)?;
        }
        building.finish()
    }
}

/// Inputs that take each other's place, so that a call sets one of them, with what they say.
const EITHER: [(&[&str], &str); 5] = [
    (
        &["budget", "accelerators", "facility_power"],
        "both say how much there is",
    ),
    (
        &["mfu_f32", "kernel_f32", "kernel_share_f32"],
        "both say the rate in f32",
    ),
    (
        &["mfu_bf16", "kernel_bf16", "kernel_share_bf16"],
        "both say the rate in bf16",
    ),
    (
        &[
            "bandwidth_share",
            "kernel_bandwidth",
            "kernel_bandwidth_share",
        ],
        "both say the bandwidth of decoding",
    ),
    (
        &["mfu_prefill", "kernel_prefill"],
        "both say the rate of prompts",
    ),
];

/// The input that a `KEY=VALUE` names.
fn key_of(pair: &str) -> &str {
    pair.split_once('=').map_or(pair, |(key, _)| key).trim()
}

/// Stops where two `--set` say two things of one.
fn refuse_contradictions(set: &[String]) -> Result<()> {
    for (at, pair) in set.iter().enumerate() {
        for earlier in &set[..at] {
            let keys = [key_of(earlier), key_of(pair)];
            let either = EITHER
                .iter()
                .find(|(group, _)| keys.iter().all(|key| group.contains(key)));
            let said = match either {
                Some((_, said)) => said,
                None if keys[0] == keys[1] => "both say the same input",
                None => continue,
            };
            return Err(Error::usage(
                format!("--set {earlier} --set {pair}"),
                format!("{said}; give one of them"),
            ));
        }
    }
    Ok(())
}

/// An accelerator that was chosen.
enum Chosen<'a> {
    /// From the catalogue or the scenario's file.
    CatalogEntry(&'a str, &'a Accelerator),
    /// The record's device, which no list has.
    Own,
}

/// Assumptions under construction.
struct Building<'a> {
    scenario: &'a Scenario,
    evidence: Option<&'a Evidence>,
    changes: &'a Changes,
    chosen: Chosen<'a>,
    /// Whether the record measured the chosen accelerator itself.
    same_device: bool,
    model: &'a LanguageModel,
    size: Size,
    precision: NumberFormat,
    rate: [RateBasis; 4],
    bandwidth: RateBasis,
    device_power: PowerBasis,
    decode_power: DecodePowerBasis,
    idle_power: bool,
    prefill_layer: bool,
    /// Whether `--set` replaced the scenario's size.
    size_is_own: bool,
    /// The name of the country that was asked for.
    country: Option<String>,
    values: Vec<Option<Assumption>>,
    notes: Vec<String>,
}

impl<'a> Building<'a> {
    fn new(
        scenario: &'a Scenario,
        evidence: Option<&'a Evidence>,
        changes: &'a Changes,
    ) -> Result<Self> {
        let catalog = catalog()?;
        let file = &scenario.file;
        let recognised = evidence
            .filter(|evidence| !evidence.software)
            .and_then(|evidence| recognise(&catalog.accelerators, &evidence.adapter));
        let wanted = changes
            .accelerator
            .as_deref()
            .or(file.accelerator.as_deref())
            .unwrap_or(DEFAULT_ACCELERATOR);
        // A sum of one's own buys what was measured, where that can be bought.
        let buys_recorded = file.size_is_a_placeholder && changes.accelerator.is_none();
        let wanted = recognised.filter(|_| buys_recorded).unwrap_or(wanted);
        let own = wanted.eq_ignore_ascii_case(OWN_DEVICE);
        let chosen = match (own, evidence, recognised) {
            (true, None, _) => {
                return Err(Error::usage(
                    format!("scenario {}", scenario.id),
                    "it is about the device of a record: `perwatt invest FILE` with a result file, or another \
                     scenario or --accelerator",
                ));
            }
            (true, Some(_), None) => Chosen::Own,
            (true, Some(_), Some(id)) => {
                let (id, entry) = find("accelerator", &catalog.accelerators, id)?;
                Chosen::CatalogEntry(id, entry)
            }
            (false, _, _) => {
                let own = &file.own_accelerators;
                let (id, entry) = match own.get_key_value(wanted) {
                    Some((id, entry)) => (id.as_str(), entry),
                    None => find("accelerator", &catalog.accelerators, wanted)?,
                };
                Chosen::CatalogEntry(id, entry)
            }
        };
        let same_device = match chosen {
            Chosen::Own => true,
            Chosen::CatalogEntry(id, _) => recognised == Some(id),
        };
        let model_id = changes
            .model
            .as_deref()
            .or(file.model.as_deref())
            .unwrap_or(DEFAULT_MODEL);
        let model = match file.own_models.get(model_id) {
            Some(model) => model,
            None => find("model", &catalog.models, model_id)?.1,
        };
        let numbers = [
            model.parameters,
            model.active,
            model.layers,
            model.width,
            model.kv_bytes,
            model.sequence,
        ];
        let stated = numbers.into_iter().chain(model.hidden);
        let is_table = (0.0..0.5 * model.active).contains(&model.embedding);
        if stated.into_iter().any(|n| !(n > 0.0 && n < 1e18))
            || model.active > model.parameters
            || !is_table
        {
            return Err(Error::usage(
                format!("model {model_id}"),
                "its numbers must be above zero, `active` no more than `parameters`, and `embedding` less than half of \
                 `active`",
            ));
        }
        Ok(Self {
            scenario,
            evidence,
            changes,
            chosen,
            same_device,
            model,
            size: Size::Budget,
            precision: NumberFormat::Bf16,
            rate: [RateBasis::Prior; 4],
            bandwidth: RateBasis::Prior,
            device_power: PowerBasis::Prior,
            decode_power: DecodePowerBasis::Prior,
            idle_power: false,
            prefill_layer: false,
            size_is_own: false,
            country: None,
            values: vec![None; INPUTS.len()],
            notes: Vec::new(),
        })
    }

    fn put(&mut self, key: &str, assumption: Assumption) {
        if let Some(at) = position(key) {
            self.values[at] = Some(assumption);
        }
    }

    fn has(&self, key: &str) -> bool {
        position(key).is_some_and(|at| self.values[at].is_some())
    }

    fn layer(&mut self, figures: &BTreeMap<String, Figure>, basis: Basis) -> Result<()> {
        for (key, figure) in figures {
            let at = self.scenario.at(key);
            let kind = known(key).map_err(|reason| Error::usage(&at, reason))?;
            let assumption = figure
                .assume(kind.unit, basis)
                .map_err(|reason| Error::usage(&at, reason))?;
            self.put(key, assumption);
        }
        Ok(())
    }

    fn priors(&mut self) -> Result<()> {
        let catalog = catalog()?;
        self.layer(&catalog.priors, Basis::Prior)?;
        match self.changes.priors {
            PriorSet::Frozen => Ok(()),
            PriorSet::November2026 => self.layer(&catalog.newer_priors, Basis::Prior),
        }
    }

    /// What the scenario says of a class of accelerators, which the frozen priors do not know.
    fn classes(&mut self) -> Result<()> {
        if self.changes.priors == PriorSet::Frozen {
            return Ok(());
        }
        let has_hbm = matches!(self.chosen, Chosen::CatalogEntry(_, entry) if entry.hbm);
        let is_a_mac = self.accelerator_name().starts_with("Apple ");
        let file = &self.scenario.file;
        if has_hbm {
            self.layer(&file.inputs_hbm, Basis::Given)?;
        }
        // The precision decides the weights where nobody names them, and four bits are always named.
        if is_a_mac && self.named_weights() == Some(ModelWeights::Q4) {
            self.layer(&file.inputs_mac_q4, Basis::Given)?;
        }
        Ok(())
    }

    /// What the scenario takes a device to be that no list has.
    fn fallbacks(&mut self) -> Result<()> {
        let file = &self.scenario.file;
        let Chosen::Own = self.chosen else {
            // A listed chip is no desktop: where its price or its server's power is not known, nobody knows them here.
            let of_the_machine = ["price", "server_power"];
            let mut rest = file.fallback.clone();
            rest.retain(|key, _| !of_the_machine.contains(&key.as_str()));
            return self.layer(&rest, Basis::Prior);
        };
        let machine = self
            .evidence
            .map_or(MachineKind::Desktop, Evidence::machine);
        let mut known = match machine {
            // Nobody knows what is around it.
            MachineKind::Unknown => BTreeMap::new(),
            _ => file.fallback.clone(),
        };
        known.extend(match machine {
            MachineKind::Laptop => file.fallback_laptop.clone(),
            MachineKind::Integrated | MachineKind::Mac => file.fallback_integrated.clone(),
            MachineKind::Desktop | MachineKind::Workstation | MachineKind::Unknown => {
                BTreeMap::new()
            }
        });
        if matches!(machine, MachineKind::Mac | MachineKind::Workstation) {
            known.remove("price");
        }
        self.layer(&known, Basis::Prior)
    }

    fn accelerator(&mut self) -> Result<()> {
        let own = self.evidence.filter(|_| self.same_device);
        match self.chosen {
            Chosen::CatalogEntry(id, entry) => {
                // What no maker publishes of a device, its own record may say.
                for (key, assumption) in own.map_or(Vec::new(), Evidence::own_roofs) {
                    self.put(key, assumption);
                }
                let found = entry
                    .assumptions()
                    .map_err(|reason| Error::usage(format!("accelerator {id}"), reason))?;
                for (key, assumption) in found {
                    let gives_way = entry.peaks_are_estimates && key.starts_with("peak_");
                    if !(gives_way && self.has(key)) {
                        self.put(key, assumption);
                    }
                }
                // A list knows the largest memory that such a machine is sold with; the record, this machine's.
                if let Some(memory) = own.and_then(Evidence::own_memory) {
                    self.put("memory", memory);
                }
            }
            Chosen::Own => {
                // Its price, if the scenario has one, is a whole machine's.
                let whole = Distribution::Constant { value: 0.0 };
                self.put(
                    "host_price",
                    Assumption {
                        distribution: whole,
                        basis: Basis::Prior,
                        source: "`price` is a whole machine's".to_owned(),
                        date: None,
                    },
                );
                let roofs = self.evidence.map_or(Vec::new(), Evidence::own_roofs);
                for (key, assumption) in roofs {
                    self.put(key, assumption);
                }
            }
        }
        Ok(())
    }

    /// Exactly one of the three ways to say how much.
    fn size(&mut self, file: &ScenarioFile) -> Result<()> {
        let ways = [
            (Size::Budget, &file.budget),
            (Size::Accelerators, &file.accelerators),
            (Size::FacilityPower, &file.facility_power),
        ];
        let given: Vec<_> = ways
            .iter()
            .filter_map(|(size, figure)| figure.as_ref().map(|figure| (*size, figure)))
            .collect();
        let [(size, figure)] = given.as_slice() else {
            return Err(Error::usage(
                format!("scenario {}", self.scenario.id),
                format!(
                    "{} of `budget`, `accelerators` and `facility_power` are given; give one",
                    given.len()
                ),
            ));
        };
        let assumption = figure
            .assume(size.unit(), Basis::Given)
            .map_err(|reason| Error::usage(self.scenario.at(size.key()), reason))?;
        self.size = *size;
        self.put("size", assumption);
        Ok(())
    }

    fn country(&mut self) -> Result<()> {
        let wanted = self
            .changes
            .country
            .as_deref()
            .or(self.scenario.file.country.as_deref());
        let Some(wanted) = wanted else { return Ok(()) };
        let countries = &catalog()?.countries;
        let by_name = countries
            .iter()
            .find(|(_, country)| country.is_called(wanted))
            .map(|(id, country)| (id.as_str(), country));
        let (id, country) = match by_name {
            Some(found) => found,
            None => find("country", countries, wanted).map_err(|error| {
                let names = countries.values().map(|country| country.name.as_str());
                match nearest(wanted, names) {
                    Some(name) => Error::usage(
                        format!("country {wanted:?}"),
                        format!("unknown; did you mean {name}? `perwatt invest --list` has all"),
                    ),
                    None => error,
                }
            })?,
        };
        self.country = Some(country.name.clone());
        // A home does not pay what industry pays.
        let (price, what) = if self.scenario.file.pays_household_prices {
            (&country.household_price, "household price")
        } else {
            (&country.price, "price")
        };
        let parts = [
            (&country.carbon, "carbon_intensity", "gases"),
            (price, "electricity_price", what),
        ];
        for (figure, key, what) in parts {
            match figure {
                Some(figure) => {
                    let assumption = figure
                        .assume(unit(key), Basis::Prior)
                        .map_err(|reason| Error::usage(format!("country {id}"), reason))?;
                    self.put(key, assumption);
                }
                None => self.notes.push(format!(
                    "No source was found for the {what} of electricity in {}: the figure of before \
                     stands; --set {key}=… gives your own.",
                    country.name
                )),
            }
        }
        Ok(())
    }

    fn precision(&mut self) -> Result<()> {
        let wanted = self.changes.precision.or(self.scenario.file.precision);
        let peak = |precision: NumberFormat| format!("peak_{}", precision.name());
        // A --set may still bring what the data lack.
        let will_have = |this: &Self, precision: NumberFormat| {
            let key = peak(precision);
            this.has(&key) || this.is_set(&key)
        };
        let name = self.accelerator_name();
        match wanted {
            Some(precision) if will_have(self, precision) => self.precision = precision,
            Some(precision) => {
                return Err(Error::usage(
                    format!("--precision {}", precision.name()),
                    format!(
                        "no {} peak is known of {name}; choose another, or --set {}=TFLOP/s",
                        precision.name(),
                        peak(precision)
                    ),
                ));
            }
            None if self.halves_are_slow() => {
                self.precision = NumberFormat::F32;
                self.notes.push(format!(
                    "{name} is quicker in f32 than in 16 bits: everything below is in f32; --precision bf16 asks about the \
                     other."
                ));
            }
            None if will_have(self, NumberFormat::Bf16) => self.precision = NumberFormat::Bf16,
            None if will_have(self, NumberFormat::F32) => {
                self.precision = NumberFormat::F32;
                self.notes.push(format!(
                    "No 16-bit peak is known of {name}: everything below is in f32."
                ));
            }
            None => {
                let lacking = match self.chosen {
                    Chosen::Own => {
                        "the record has no peak; run a suite that measures `peak-fma`, or"
                    }
                    Chosen::CatalogEntry(..) => {
                        "its maker publishes no peak that was found; give it with"
                    }
                };
                return Err(Error::usage(
                    name,
                    format!("nothing says how fast it is: {lacking} --set peak_f32=TFLOP/s"),
                ));
            }
        }
        Ok(())
    }

    /// Whether 16-bit arithmetic is there and slower than that of 32 bits, as on cards of 2016.
    fn halves_are_slow(&self) -> bool {
        let peak = |key: &str| {
            let at = position(key)?;
            Some(self.values[at].as_ref()?.distribution.central())
        };
        match (peak("peak_bf16"), peak("peak_f32")) {
            (Some(half), Some(single)) => {
                let may_be = self.evidence.is_none_or(|evidence| {
                    !evidence.software && !evidence.has_product_on_matrix_units()
                });
                half < 0.9 * single && may_be && !self.is_set("peak_bf16")
            }
            _ => false,
        }
    }

    /// What the record says over what was assumed.
    fn record(&mut self) {
        let Some(evidence) = self.evidence else {
            return;
        };
        let weights = self.weights();
        let findings = if self.same_device {
            evidence.of_this_device(self.precision, weights)
        } else {
            evidence.for_another(self.precision, weights, &self.accelerator_name())
        };
        self.rate = findings.rate;
        self.bandwidth = findings.bandwidth;
        self.device_power = findings.device_power;
        self.decode_power = findings.decode_power;
        self.idle_power = findings.idle_power;
        self.prefill_layer = findings.prefill_layer;
        if self.same_device
            && let Some(least) = evidence.least_capacity(&findings)
        {
            self.at_least("server_power", least);
        }
        for (key, assumption) in findings.assumptions {
            self.put(key, assumption);
        }
        self.notes.extend(findings.notes);
    }

    /// Puts an assumption where nothing stands, or where what stands may be less than is possible.
    fn at_least(&mut self, key: &str, least: Assumption) {
        let now = position(key).and_then(|at| self.values[at].clone());
        let Some(now) = now else {
            return self.put(key, least);
        };
        let (bottom, _) = least.distribution.ends();
        let (low, high) = now.distribution.ends();
        // A list knows a server better than a factor does, unless the device alone takes what it is said to.
        let is_enough = match self.chosen {
            Chosen::Own => low >= bottom,
            Chosen::CatalogEntry(..) => low >= MOST_OF_CAPACITY * bottom,
        };
        if is_enough {
            return;
        }
        let (_, top) = least.distribution.ends();
        let values = [
            low.max(bottom),
            now.distribution.central().max(least.distribution.central()),
            high.max(top),
        ];
        let [low, value, high] = values;
        self.put(
            key,
            Assumption {
                distribution: Distribution::Triangular { low, value, high },
                source: format!("{}; at least {}", now.source, least.source),
                ..now
            },
        );
    }

    fn set(&mut self, pair: &str) -> Result<()> {
        let what = || format!("--set {pair}");
        let Some((key, value)) = pair.split_once('=') else {
            return Err(Error::usage(what(), "give KEY=VALUE, as in --set pue=1.2"));
        };
        let key = key.trim();
        let size = [Size::Budget, Size::Accelerators, Size::FacilityPower]
            .into_iter()
            .find(|size| size.key() == key);
        let target = if size.is_some() { "size" } else { key };
        let unit = match size {
            Some(size) => size.unit(),
            None => {
                known(key)
                    .map_err(|reason| Error::usage(what(), reason))?
                    .unit
            }
        };
        let kind = INPUTS.iter().find(|kind| kind.key == target);
        let assumption =
            Assumption::given(value, unit, kind).map_err(|reason| Error::usage(what(), reason))?;
        if let Some(size) = size {
            let (number, most) = assumption.distribution.ends();
            let is_one_number = number.total_cmp(&most).is_eq() && number > 1.0;
            if size == Size::Accelerators && is_one_number && number.fract() > 0.0 {
                let reason = format!("{number} is no whole number of accelerators");
                return Err(Error::usage(what(), reason));
            }
            self.size = size;
            self.size_is_own = true;
        }
        self.relax(key);
        self.put(target, assumption);
        Ok(())
    }

    /// A figure that the call sets is to be used, whatever the record measured.
    fn relax(&mut self, key: &str) {
        let rates = [
            ("mfu_f32", "kernel_f32", "kernel_share_f32"),
            ("mfu_bf16", "kernel_bf16", "kernel_share_bf16"),
        ];
        for (rate, (prior, kernel, share)) in self.rate.iter_mut().zip(rates) {
            if key == prior {
                *rate = RateBasis::Prior;
            } else if key == kernel {
                *rate = RateBasis::Kernel;
            } else if key == share {
                *rate = RateBasis::Share;
            }
        }
        match key {
            "bandwidth_share" => self.bandwidth = RateBasis::Prior,
            "kernel_bandwidth" => self.bandwidth = RateBasis::Kernel,
            "kernel_bandwidth_share" => self.bandwidth = RateBasis::Share,
            "device_power" if self.device_power == PowerBasis::Prior => {
                self.device_power = PowerBasis::Device;
            }
            // Where both are set, both count: the device's watts, and the share that is left for the rest.
            "device_share"
                if self.device_power == PowerBasis::Device && !self.is_set("device_power") =>
            {
                self.device_power = PowerBasis::Prior;
            }
            "decode_power" => self.decode_power = DecodePowerBasis::Step,
            "idle_power" => self.idle_power = true,
            "idle_share" if !self.is_set("idle_power") => self.idle_power = false,
            "kernel_prefill" => self.prefill_layer = true,
            "mfu_prefill" => self.prefill_layer = false,
            _ => {}
        }
    }

    /// Whether the call sets this input.
    fn is_set(&self, key: &str) -> bool {
        self.changes.set.iter().any(|pair| key_of(pair) == key)
    }

    /// The scenario's title and note, unless what they are about was replaced.
    fn title(&self, accelerator: &str) -> (String, Option<String>) {
        let file = &self.scenario.file;
        let asked = self.changes.accelerator.as_deref();
        let own = file.accelerator.as_deref().unwrap_or(DEFAULT_ACCELERATOR);
        // A number of one kind of accelerator is a title about that kind.
        let other_kind = self.size == Size::Accelerators
            && own != OWN_DEVICE
            && asked.is_some_and(|asked| !asked.eq_ignore_ascii_case(own));
        let size = position("size").and_then(|at| self.values[at].as_ref());
        match size {
            Some(size) if self.size_is_own || other_kind => {
                let what = title::of_size(self.size, size.distribution, accelerator);
                let as_in = if file.size_is_a_placeholder {
                    String::new()
                } else {
                    format!(" (else as in {})", self.scenario.id)
                };
                (what + &as_in, None)
            }
            _ => (file.title.clone(), file.note.clone()),
        }
    }

    /// In what weights lie: as asked, as the scenario says, or as the arithmetic suggests.
    fn weights(&self) -> ModelWeights {
        self.named_weights()
            .unwrap_or_else(|| match self.halves_are_slow() {
                // Slow arithmetic is no reason to store more.
                true => ModelWeights::F16,
                false => ModelWeights::of(self.precision),
            })
    }

    /// The weights that the call names, or the scenario. Who names a precision asks about that one.
    fn named_weights(&self) -> Option<ModelWeights> {
        let own = self.scenario.file.weights;
        let own = own.filter(|_| self.changes.precision.is_none());
        self.changes.weights.or(own)
    }

    fn accelerator_name(&self) -> String {
        match self.chosen {
            Chosen::CatalogEntry(_, entry) => entry.name.clone(),
            Chosen::Own => self
                .evidence
                .map_or_else(String::new, |evidence| evidence.adapter.clone()),
        }
    }

    fn finish(self) -> Result<Assumptions> {
        for (kind, value) in INPUTS.iter().zip(&self.values) {
            if let Some(value) = value {
                value
                    .check(kind, false)
                    .map_err(|reason| Error::usage(self.scenario.at(kind.key), reason))?;
            }
        }
        let accelerator = self.accelerator_name();
        let weights = self.weights();
        for key in ["price", "server_power"] {
            if !self.has(key) && !self.may_lack(key) {
                return Err(Error::usage(
                    format!("accelerator {accelerator}"),
                    format!("its {key} is not known; give it with --set {key}=…"),
                ));
            }
        }
        let (title, note) = self.title(&accelerator);
        let lacking = self.unpriced(&accelerator);
        let doubts = self.implausible();
        Ok(Assumptions {
            scenario: self.scenario.id.clone(),
            title,
            choices: Choices {
                size: self.size,
                precision: self.precision,
                model: self.model.clone(),
                rate: self.rate,
                bandwidth: self.bandwidth,
                device_power: self.device_power,
                decode_power: self.decode_power,
                idle_power: self.idle_power,
                prefill_layer: self.prefill_layer,
                weights,
            },
            accelerator,
            values: self.values,
            priors: self.changes.priors,
            country: self.country,
            software: matches!(self.chosen, Chosen::Own)
                && self.evidence.is_some_and(|evidence| evidence.software),
            notes: note
                .into_iter()
                .chain(lacking)
                .chain(doubts)
                .chain(self.notes)
                .collect(),
        })
    }

    /// What a call sets and nobody has seen.
    fn implausible(&self) -> Vec<String> {
        /// Whether a value is odd, given the board's power.
        type IsOdd = fn(f64, f64) -> bool;
        let central = |key: &str| {
            let at = position(key).filter(|_| self.is_set(key))?;
            Some(self.values[at].as_ref()?.distribution.central())
        };
        let board = position("board_power").and_then(|at| self.values[at].as_ref());
        let board = board.map_or(5.0, |board| board.distribution.central());
        let doubts: [(&str, IsOdd, &str); 7] = [
            (
                "price",
                |value, _| value < 100.0,
                "no accelerator costs so little; 30k is 30,000",
            ),
            (
                "server_power",
                |value, board| value < board,
                "that is less than the device alone takes",
            ),
            (
                "it_life",
                |value, _| value > 20.0,
                "no accelerator is kept for so many years; 60 months are 5",
            ),
            (
                "user_rate",
                |value, _| value > 2000.0,
                "no program gives one user so many tokens a second, and the answer is that of the quickest group",
            ),
            (
                "mfu_f32",
                |value, _| value > 0.9,
                "no run is known to reach that",
            ),
            (
                "mfu_bf16",
                |value, _| value > 0.7,
                "no run is known to reach that",
            ),
            (
                "mfu_fp8",
                |value, _| value > 0.7,
                "no run is known to reach that",
            ),
        ];
        doubts
            .into_iter()
            .filter_map(|(key, is_odd, why)| {
                let value = central(key).filter(|value| is_odd(*value, board))?;
                Some(format!("--set {key}={value}: {why}."))
            })
            .collect()
    }

    /// Whether the answer can do without: a desk's own device that nobody lists writes tokens at any price.
    fn may_lack(&self, key: &str) -> bool {
        let is_a_desk = !self.scenario.file.fallback.is_empty();
        let is_unlisted = matches!(self.chosen, Chosen::Own);
        let counts_money = key == "price" && self.size == Size::Budget;
        is_a_desk && is_unlisted && !counts_money
    }

    /// What is left out because nobody says it.
    fn unpriced(&self, accelerator: &str) -> Option<String> {
        let lacking: Vec<&str> = [
            ("price", "--set price="),
            ("server_power", "--set server_power="),
        ]
        .into_iter()
        .filter(|(key, _)| !self.has(key))
        .map(|(_, set)| set)
        .collect();
        if lacking.is_empty() {
            return None;
        }
        Some(format!(
            "No list has {accelerator}, and its name does not say what it costs: what depends on that is left out. {} \
             gives it.",
            lacking.join(" and ")
        ))
    }
}
