//! The data that come with perwatt: priors, accelerators, language models, countries, scenarios. They are
//! part of the binary, so an answer needs no network and two people with one version get one answer.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::distribution::Distribution;
use super::figure::{Assumption, Basis, Figure};
use super::fit::ChipLimits;
use super::inputs::unit;
use super::language_model::LanguageModel;
use super::number_format::{ModelWeights, NumberFormat};
use crate::error::{Error, Result, nearest};
use crate::record::Resource;

/// Rated power of a server ÷ its accelerators' board power, where the maker publishes none.
const SERVER_OVER_BOARD: [f64; 3] = [1.5, 1.8, 2.0];

/// The same for a computer with one card.
const COMPUTER_OVER_CARD: [f64; 3] = [1.3, 1.5, 1.9];

/// An accelerator's entry.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Accelerator {
    pub(super) name: String,
    #[serde(default)]
    also: Vec<String>,
    tdp: Option<f64>,
    f32: Option<f64>,
    bf16: Option<f64>,
    fp8: Option<f64>,
    fp4: Option<f64>,
    memory: Option<f64>,
    bandwidth: Option<f64>,
    /// Whether memory is stacked on the package.
    #[serde(default)]
    pub(super) hbm: bool,
    /// Whether 16-bit products have units of their own; where left out, whether a 16-bit peak is given.
    matrix_units: Option<bool>,
    /// GB/s to others, each way, and how many that connects.
    link: Option<f64>,
    domain: Option<f64>,
    /// Whether the peaks of its arithmetic are nobody's data sheet: a record's own roofs are better, and nothing is
    /// bounded by them.
    #[serde(default)]
    pub(super) peaks_are_estimates: bool,
    #[serde(default)]
    peaks_source: String,
    /// When they were last held against public pages.
    checked: Option<String>,
    price: Option<Figure>,
    #[serde(default)]
    price_is_card: bool,
    server: Option<Figure>,
    embodied: Option<Figure>,
}

/// A country's entry.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Country {
    pub(super) name: String,
    /// Other codes and names that people write.
    #[serde(default)]
    also: Vec<String>,
    pub(super) carbon: Option<Figure>,
    pub(super) price: Option<Figure>,
    pub(super) household_price: Option<Figure>,
}

impl Country {
    /// Whether people call it that.
    pub(super) fn is_called(&self, name: &str) -> bool {
        let mut names = self.also.iter().chain([&self.name]);
        names.any(|known| known.eq_ignore_ascii_case(name.trim()))
    }

    /// Whether a figure of its own has this source.
    pub(super) fn says(&self, source: &str) -> bool {
        let own = [&self.carbon, &self.price, &self.household_price];
        own.into_iter()
            .flatten()
            .any(|figure| figure.is_from(source))
    }
}

/// A scenario as its file states it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScenarioFile {
    pub(super) title: String,
    pub(super) note: Option<String>,
    /// Whether the size stands there to be replaced, and the accelerator to be the record's.
    #[serde(default)]
    pub(super) size_is_a_placeholder: bool,
    pub(super) budget: Option<Figure>,
    pub(super) accelerators: Option<Figure>,
    pub(super) facility_power: Option<Figure>,
    pub(super) accelerator: Option<String>,
    pub(super) model: Option<String>,
    pub(super) precision: Option<NumberFormat>,
    pub(super) weights: Option<ModelWeights>,
    pub(super) country: Option<String>,
    /// Whether its electricity is bought as households buy it.
    #[serde(default)]
    pub(super) pays_household_prices: bool,
    #[serde(default)]
    pub(super) inputs: BTreeMap<String, Figure>,
    /// Where the device is not in the catalogue: of a desktop, and over it of other machines.
    #[serde(default)]
    pub(super) fallback: BTreeMap<String, Figure>,
    #[serde(default)]
    pub(super) fallback_laptop: BTreeMap<String, Figure>,
    #[serde(default)]
    pub(super) fallback_integrated: BTreeMap<String, Figure>,
    /// Over `inputs`, for accelerators with HBM, in the newer priors.
    #[serde(default)]
    pub(super) inputs_hbm: BTreeMap<String, Figure>,
    /// Over `inputs`, for Macs with weights of four bits, in the newer priors.
    #[serde(default)]
    pub(super) inputs_mac_q4: BTreeMap<String, Figure>,
    /// Accelerators that only this file knows.
    #[serde(default)]
    pub(super) own_accelerators: BTreeMap<String, Accelerator>,
    /// Language models that only this file knows.
    #[serde(default)]
    pub(super) own_models: BTreeMap<String, LanguageModel>,
}

/// All the data.
#[derive(Debug)]
pub(super) struct Catalog {
    pub(super) priors: BTreeMap<String, Figure>,
    /// Those of the set of November 2026 that differ.
    pub(super) newer_priors: BTreeMap<String, Figure>,
    pub(super) accelerators: BTreeMap<String, Accelerator>,
    pub(super) models: BTreeMap<String, LanguageModel>,
    pub(super) countries: BTreeMap<String, Country>,
    pub(super) scenarios: BTreeMap<String, ScenarioFile>,
}

/// A scenario's name and title, for lists.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct CatalogEntry {
    /// What `--scenario` takes.
    pub id: String,
    /// What it is.
    pub title: String,
}

/// The data, read once.
///
/// # Errors
/// None that a released perwatt can give: a test reads every file.
pub(super) fn catalog() -> Result<&'static Catalog> {
    static CATALOG: OnceLock<std::result::Result<Catalog, String>> = OnceLock::new();
    CATALOG
        .get_or_init(read)
        .as_ref()
        .map_err(|reason| Error::usage("perwatt's own data", reason.clone()))
}

fn read() -> std::result::Result<Catalog, String> {
    fn table<T: DeserializeOwned>(
        name: &str,
        text: &str,
    ) -> std::result::Result<BTreeMap<String, T>, String> {
        toml::from_str(text).map_err(|e| format!("{name}: {e}"))
    }
    Ok(Catalog {
        priors: table("inputs.toml", include_str!("data/inputs.toml"))?,
        newer_priors: table(
            "inputs-2026-11.toml",
            include_str!("data/inputs-2026-11.toml"),
        )?,
        accelerators: table("accelerators.toml", include_str!("data/accelerators.toml"))?,
        models: table("models.toml", include_str!("data/models.toml"))?,
        countries: table("countries.toml", include_str!("data/countries.toml"))?,
        scenarios: table("scenarios.toml", include_str!("data/scenarios.toml"))?,
    })
}

/// The accelerators that can be named.
///
/// # Errors
/// As the data themselves: none in a released perwatt.
pub fn accelerators() -> Result<Vec<CatalogEntry>> {
    Ok(list(&catalog()?.accelerators, |entry| &entry.name))
}

/// What a maker publishes of a device.
#[derive(Clone, Debug, PartialEq)]
pub struct DataSheet {
    /// The device that the driver's name was taken for.
    pub device: String,
    /// Peaks by what is limited, each with its rate in FLOP/s or bytes/s.
    pub peaks: Vec<(Resource, f64)>,
    /// Where they are from.
    pub source: String,
}

/// The data sheet of the device that a driver's name means; none where the catalogue does not know it.
pub fn data_sheet(adapter: &str) -> Option<DataSheet> {
    let accelerators = &catalog().ok()?.accelerators;
    let entry = &accelerators[recognise(accelerators, adapter)?];
    let published = |peak: Option<f64>| peak.filter(|_| !entry.peaks_are_estimates);
    let peaks = [
        (Resource::FlopF32, published(entry.f32), 1e12),
        (Resource::MatrixF16, published(entry.bf16), 1e12),
        (Resource::Memory, entry.bandwidth, 1e9),
    ];
    Some(DataSheet {
        device: entry.name.clone(),
        peaks: peaks
            .into_iter()
            .filter_map(|(resource, peak, unit)| Some((resource, peak? * unit)))
            .collect(),
        source: entry.peaks_source.clone(),
    })
}

/// The language models that can be named.
///
/// # Errors
/// As [`accelerators`].
pub fn models() -> Result<Vec<CatalogEntry>> {
    Ok(list(&catalog()?.models, |entry| &entry.name))
}

/// The countries that can be named.
///
/// # Errors
/// As [`accelerators`].
pub fn countries() -> Result<Vec<CatalogEntry>> {
    Ok(list(&catalog()?.countries, |entry| &entry.name))
}

/// The format in which a listed model is published, and so as a rule served.
pub fn published_format(model: &str) -> NumberFormat {
    let entry = catalog().ok().and_then(|catalog| catalog.models.get(model));
    entry
        .and_then(|model| model.published)
        .unwrap_or(NumberFormat::Bf16)
}

fn list<T>(entries: &BTreeMap<String, T>, title: impl Fn(&T) -> &String) -> Vec<CatalogEntry> {
    entries
        .iter()
        .map(|(id, entry)| CatalogEntry {
            id: id.clone(),
            title: title(entry).clone(),
        })
        .collect()
}

/// Finds an entry by its id, whatever its case.
///
/// # Errors
/// There is none; the message names the nearest and all.
pub(super) fn find<'a, T>(
    what: &str,
    entries: &'a BTreeMap<String, T>,
    id: &str,
) -> Result<(&'a str, &'a T)> {
    entries
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(id))
        .map(|(known, entry)| (known.as_str(), entry))
        .ok_or_else(|| {
            let known = || entries.keys().map(String::as_str);
            let hint =
                nearest(id, known()).map_or(String::new(), |n| format!("did you mean {n}? "));
            let all: Vec<&str> = known().collect();
            Error::usage(
                format!("{what} {id:?}"),
                format!("unknown; {hint}known: {}", all.join(", ")),
            )
        })
}

/// The accelerator that a driver's name for an adapter means: the longest of the catalogue's names that
/// it contains.
pub(super) fn recognise<'a>(
    accelerators: &'a BTreeMap<String, Accelerator>,
    adapter: &str,
) -> Option<&'a str> {
    let adapter = adapter.to_ascii_lowercase();
    if is_a_slice(&adapter) {
        return None;
    }
    accelerators
        .iter()
        .flat_map(|(id, entry)| {
            let own = entry.name.to_ascii_lowercase();
            let also = entry.also.iter().map(|name| name.to_ascii_lowercase());
            also.chain([own]).map(move |name| (name, id.as_str()))
        })
        .filter(|(name, _)| contains_words(&adapter, name))
        .max_by_key(|(name, _)| name.len())
        .map(|(_, id)| id)
}

/// Whether a driver's name is that of a part of a chip: a slice of a GPU (`MIG 1g.10gb`) or a virtual one
/// (`A40-12Q`, `A100X-40C`), which has some of its units and memory.
fn is_a_slice(adapter: &str) -> bool {
    let is_profile = |word: &str| {
        let end = word.rsplit_once('-').map_or("", |(_, end)| end);
        let size = end.trim_end_matches(['q', 'c', 'b', 'a']);
        !size.is_empty()
            && size.len() + 1 == end.len()
            && size.bytes().all(|byte| byte.is_ascii_digit())
    };
    adapter
        .split_whitespace()
        .any(|word| word == "mig" || is_profile(word))
}

/// Whether `text` contains `part` and neither is a piece of a longer word: an `rtx 4090 d` or an
/// `rtx 4090 laptop gpu` is another chip than an `rtx 4090`.
fn contains_words(text: &str, part: &str) -> bool {
    const OTHERS: [&str; 19] = [
        "d", "ti", "super", "laptop", "mobile", "max-q", "xt", "xtx", "gre", "nvl", "144g", "pro",
        "max", "ultra", "pcie", "server", "cnx", "4gb", "6gb",
    ];
    text.match_indices(part).any(|(at, _)| {
        let edge = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric());
        let after = &text[at + part.len()..];
        let next = after.trim_start().split(' ').next().unwrap_or("");
        edge(text[..at].chars().next_back())
            && edge(after.chars().next())
            && !OTHERS.contains(&next)
    })
}

impl Accelerator {
    /// What no measurement of it can exceed.
    pub(super) fn limits(&self) -> ChipLimits {
        /// Vector units do no more 16-bit operations than so many for each in 32 bits.
        const HALF_OVER_SINGLE: f64 = 4.0;
        let tera = |value: Option<f64>| {
            let published = value.filter(|_| !self.peaks_are_estimates);
            published.map(|value| value * 1e12)
        };
        let on_vector_units = self.f32.map(|rate| rate * HALF_OVER_SINGLE);
        ChipLimits {
            matrix_units: Some(self.matrix_units.unwrap_or(self.bf16.is_some())),
            f32_flop_per_s: tera(self.f32),
            f16_flop_per_s: tera(self.bf16.or(on_vector_units)),
            bytes_per_s: self.bandwidth.map(|value| value * 1e9),
            board_w: self.tdp,
            idle_w: None,
            software: false,
            gap_s: None,
        }
    }

    /// What the entry says of the model's inputs.
    pub(super) fn assumptions(
        &self,
    ) -> std::result::Result<Vec<(&'static str, Assumption)>, String> {
        let mut found = Vec::new();
        let peaks = [
            ("peak_f32", self.f32),
            ("peak_bf16", self.bf16),
            ("peak_fp8", self.fp8),
            ("peak_fp4", self.fp4),
            ("memory", self.memory),
            ("bandwidth", self.bandwidth),
            ("link", self.link),
            ("domain", self.domain),
            ("board_power", self.tdp),
        ];
        for (key, value) in peaks {
            if let Some(value) = value {
                let distribution = Distribution::of(None, Some(value), None)?;
                let assumption = Assumption {
                    date: self.checked.clone(),
                    ..prior(distribution, &self.peaks_source)
                };
                found.push((key, assumption));
            }
        }
        let figures = [
            ("price", &self.price),
            ("server_power", &self.server),
            ("embodied", &self.embodied),
        ];
        for (key, figure) in figures {
            if let Some(figure) = figure {
                found.push((key, figure.assume(unit(key), Basis::Prior)?));
            }
        }
        if let (None, Some(tdp)) = (&self.server, self.tdp) {
            let factors = if self.price_is_card {
                COMPUTER_OVER_CARD
            } else {
                SERVER_OVER_BOARD
            };
            let [low, value, high] = factors.map(|factor| factor * tdp);
            let distribution = Distribution::of(Some(low), Some(value), Some(high))?;
            let source = format!(
                "[A] Board power {tdp} W × {}/{}/{}: DGX A100 2.0, DGX H100 1.8, DGX B200 1.8",
                factors[0], factors[1], factors[2]
            );
            found.push(("server_power", prior(distribution, &source)));
        }
        if !self.price_is_card && self.price.is_some() {
            let nothing = Distribution::of(None, Some(0.0), None)?;
            found.push((
                "host_price",
                prior(nothing, "`price` has the server's share in it"),
            ));
        }
        Ok(found)
    }
}

fn prior(distribution: Distribution, source: &str) -> Assumption {
    Assumption {
        distribution,
        basis: Basis::Prior,
        source: source.to_owned(),
        date: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invest::inputs::{INPUTS, position};

    #[test]
    fn every_figure_of_the_data_is_in_bounds_and_has_a_source() {
        let catalog = catalog().unwrap();
        for (key, figure) in catalog.priors.iter().chain(&catalog.newer_priors) {
            let kind = &INPUTS[position(key).expect(key)];
            let assumption = figure.assume(kind.unit, Basis::Prior).expect(key);
            assumption.check(kind, false).expect(key);
            assert_ne!(assumption.source, "no source stated", "{key}");
        }
        for (id, accelerator) in &catalog.accelerators {
            assert!(!accelerator.peaks_source.is_empty(), "{id}");
            assert!(accelerator.checked.is_some(), "{id} has no date");
            for (key, assumption) in accelerator.assumptions().expect(id) {
                let kind = &INPUTS[position(key).expect(key)];
                assumption.check(kind, false).expect(id);
                assert_ne!(assumption.source, "no source stated", "{id} {key}");
            }
        }
        for (id, country) in &catalog.countries {
            for (figure, key) in [
                (&country.carbon, "carbon_intensity"),
                (&country.price, "electricity_price"),
                (&country.household_price, "electricity_price"),
            ] {
                let Some(figure) = figure else { continue };
                let kind = &INPUTS[position(key).expect(key)];
                figure
                    .assume(kind.unit, Basis::Prior)
                    .expect(id)
                    .check(kind, false)
                    .expect(id);
            }
        }
    }

    #[test]
    fn drivers_names_find_their_chip_and_no_other() {
        let accelerators = &catalog().unwrap().accelerators;
        for (adapter, id) in [
            ("NVIDIA H100 80GB HBM3", Some("h100-sxm")),
            ("NVIDIA H100 PCIe", Some("h100-pcie")),
            ("NVIDIA GeForce RTX 4090", Some("rtx-4090")),
            (
                "NVIDIA GeForce RTX 4090 Laptop GPU",
                Some("rtx-4090-laptop"),
            ),
            ("NVIDIA GeForce RTX 4070", Some("rtx-4070")),
            ("NVIDIA GeForce RTX 4070 SUPER", Some("rtx-4070-super")),
            ("NVIDIA GeForce RTX 4070 Ti", Some("rtx-4070-ti")),
            (
                "NVIDIA GeForce RTX 4070 Ti SUPER",
                Some("rtx-4070-ti-super"),
            ),
            ("NVIDIA GeForce RTX 3070 Ti Laptop GPU", None),
            ("NVIDIA GeForce RTX 5070 Ti Laptop GPU", None),
            ("NVIDIA GeForce RTX 4090 D", None),
            ("NVIDIA A100-SXM4-80GB", Some("a100-sxm")),
            ("AMD Radeon RX 7900 XTX (RADV NAVI31)", Some("rx-7900-xtx")),
            ("AMD Radeon RX 7900 XT (RADV NAVI31)", Some("rx-7900-xt")),
            ("AMD Radeon RX 7900 GRE (RADV NAVI31)", Some("rx-7900-gre")),
            ("AMD Radeon PRO W7900 (RADV NAVI31)", Some("w7900")),
            ("AMD Radeon RX 7900M (RADV NAVI31)", None),
            ("NVIDIA A100-PCIE-40GB", Some("a100-pcie-40")),
            ("NVIDIA A100-SXM4-40GB", Some("a100-sxm-40")),
            ("NVIDIA A100 80GB PCIe", Some("a100-pcie")),
            ("NVIDIA H200", Some("h200-sxm")),
            ("NVIDIA H200 NVL", Some("h200-nvl")),
            ("NVIDIA GH200 480GB", Some("gh200")),
            ("NVIDIA GH200 144G HBM3e", Some("gh200-144")),
            ("NVIDIA RTX 6000 Ada Generation", Some("rtx-6000-ada")),
            ("Apple M1 Max", Some("m1-max")),
            ("Intel(R) Arc(tm) B580 Graphics", Some("arc-b580")),
            ("NVIDIA L4", Some("l4")),
            ("NVIDIA L40", Some("l40")),
            ("NVIDIA L40S", Some("l40s")),
            ("llvmpipe (LLVM 15.0.6, 256 bits)", None),
            // Parts of chips, and names that a family shares.
            ("NVIDIA H100 80GB HBM3 MIG 1g.10gb", None),
            ("NVIDIA A100-SXM4-40GB MIG 3g.20gb", None),
            ("NVIDIA A40-48Q", None),
            ("NVIDIA L40S-12C", None),
            ("NVIDIA H800 PCIe", None),
            ("NVIDIA H800", Some("h800-sxm")),
            (
                "NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition",
                Some("rtx-pro-6000-max-q"),
            ),
            (
                "NVIDIA RTX PRO 6000 Blackwell Server Edition",
                Some("rtx-pro-6000-server"),
            ),
            (
                "NVIDIA RTX PRO 6000 Blackwell Workstation Edition",
                Some("rtx-pro-6000"),
            ),
            ("NVIDIA B300 SXM6 AC", Some("b300")),
            ("NVIDIA GeForce RTX 4090/PCIe/SSE2", Some("rtx-4090")),
            ("AMD Radeon RX 9070 (RADV GFX1201)", Some("rx-9070")),
            ("AMD Radeon RX 9070 GRE (RADV GFX1201)", None),
        ] {
            assert_eq!(recognise(accelerators, adapter), id, "{adapter}");
        }
    }
}
