//! What a page says, as data. Everything that a reader sees stands here in words and with its unit; bare numbers
//! are for the positions of points.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::compare::Description;
use crate::invest::{LiveAnswer, RecordFigure};
use crate::record::Reading;

/// A whole page.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PageData {
    /// What the browser's tab says.
    pub title: String,
    /// What made the page.
    pub made_by: String,
    /// The records, in the order in which they were given.
    pub records: Vec<PageRecord>,
    /// Several records side by side.
    pub comparison: Option<Description>,
    /// Devices that were measured more than once.
    pub history: Vec<PageHistory>,
    /// Pages of single records, on the first page of a site.
    pub links: Vec<PageLink>,
    /// What the records of many GPUs say together.
    pub fleet: Option<PageFleet>,
    /// What a scenario comes to, on a page that is about nothing else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub investment: Option<PageInvestment>,
}

/// What a scenario of the investment model comes to. Nothing of it was measured, and what it rests on is said.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PageInvestment {
    /// The scenario's title.
    pub title: String,
    /// Accelerator, number format, language model, priors and draws.
    pub about: String,
    /// That all is modelled, and from what.
    pub modelled: String,
    /// What else must not be overlooked.
    pub marks: Vec<PageMark>,
    /// What the record says that the model could use.
    pub record: Vec<RecordFigure>,
    /// The figures before anything is moved.
    pub answer: LiveAnswer,
    /// Inputs that can be moved.
    pub sliders: Vec<PageSlider>,
    /// Inputs that could be moved and change nothing here, in words.
    pub idle: Vec<String>,
    /// What went in.
    pub inputs: Vec<PageAssumption>,
    /// The command that gives the same figures; what is moved is added to it.
    pub command: String,
    /// What the model in the page is asked, as JSON: a browser's numbers hold no whole seed.
    pub question: String,
}

/// An input that can be moved.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PageSlider {
    /// Its name after `--set`.
    pub key: &'static str,
    /// What it is.
    pub label: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// The lowest value.
    pub low: f64,
    /// The highest value.
    pub high: f64,
    /// From one value to the next.
    pub step: f64,
    /// The middle of what is assumed.
    pub middle: Option<f64>,
    /// What is assumed, in words.
    pub assumed: String,
}

/// An input of the model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PageAssumption {
    /// Its name.
    pub key: &'static str,
    /// What it is.
    pub about: &'static str,
    /// What it is taken to be.
    pub value: String,
    /// Its unit.
    pub unit: &'static str,
    /// What that rests on.
    pub basis: &'static str,
    /// Where it is from.
    pub source: String,
}

/// What the records of many GPUs say together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PageFleet {
    /// What a reader must know first.
    pub notes: Vec<String>,
    /// What to look at first.
    pub pull: Vec<PageSuspect>,
    /// What the list rests on.
    pub rules: Vec<String>,
    /// The models.
    pub models: Vec<PageFleetModel>,
    /// What did not enter, and what slow cards cost, in words.
    pub after: Vec<String>,
}

/// A line of the list of what to look at first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PageSuspect {
    /// What it is.
    pub what: String,
    /// The card or the group.
    pub name: String,
    /// Its model.
    pub device: String,
    /// The clearest case, with its ratio in words.
    pub worst: String,
    /// How much more its work costs, in words.
    pub cost: String,
    /// The same as a number.
    pub cost_ratio: Option<f64>,
    /// Dollars a year, in words.
    pub dollars: String,
    /// What to do.
    pub advice: String,
    /// What goes with it.
    pub seen: String,
}

/// One model of a fleet.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PageFleetModel {
    /// The model with its number of cards.
    pub title: String,
    /// What is said of its cards.
    pub sentences: Vec<String>,
    /// Each card over all cases, as a multiple of the median; of very many cards some.
    pub ratios: Vec<f64>,
    /// The listed cards: name and multiple.
    pub listed: Vec<(String, f64)>,
    /// Where the cards lie, case by case.
    pub cases: Vec<PageFleetCase>,
}

/// One case of a model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PageFleetCase {
    /// The case.
    pub case: String,
    /// Cards.
    pub cards: usize,
    /// Median of their times, in words.
    pub median: String,
    /// Spread between cards, a share.
    pub spread: f64,
    /// The same in words.
    pub spread_words: String,
    /// 5 and 95 % of the cards against the median, in words.
    pub range: String,
    /// Two kinds of cards, in words.
    pub two_kinds: Option<String>,
}

/// A page of a site.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PageLink {
    /// Where it stands, relative to this page.
    pub href: String,
    /// Which record it shows, by its place in [`PageData::records`].
    pub record: usize,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PageRecord {
    /// A short name, different from those of the other records.
    pub label: String,
    /// The file that it was read from.
    pub file: String,
    /// Whether another tool measured it.
    pub imported: bool,
    /// The adapter.
    pub device: String,
    /// The graphics API.
    pub backend: String,
    /// The driver and its version.
    pub driver: String,
    /// When the session began.
    pub started_utc: String,
    /// What must not be overlooked.
    pub marks: Vec<PageMark>,
    /// What was found, in three sentences.
    pub sentences: Vec<String>,
    /// What was found, in three figures.
    pub headlines: Vec<PageHeadline>,
    /// What has no figure, and why.
    pub unmeasured: Vec<PageUnmeasured>,
    /// What else a reader must know.
    pub warnings: Vec<PageWarning>,
    /// The device's own roofs.
    pub roofs: Vec<PageRoof>,
    /// What the maker publishes, where the device is known.
    pub sheet: Option<PageSheet>,
    /// The cases with their kernels.
    pub cases: Vec<PageCase>,
    /// Samples over time.
    pub stability: Vec<PageStability>,
    /// Where power was read, in words; or why it was not.
    pub sensor: Reading<Vec<(String, String)>>,
    /// Energy windows.
    pub energy: Vec<PageEnergy>,
    /// Parameters and sources.
    pub kernels: Vec<PageKernel>,
    /// What is needed to do it again.
    pub provenance: Vec<(String, String)>,
    /// The command line, quoted for a shell.
    pub command: String,
    /// What a scenario comes to with this record, where one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub investment: Option<Reading<PageInvestment>>,
}

/// Something about figures that must not be overlooked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PageMark {
    /// In capital letters.
    pub word: &'static str,
    /// What it means here.
    pub why: String,
    /// Whether it is about energy alone.
    pub of_energy: bool,
}

/// A value as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PageFigure {
    /// Without a prefix.
    pub value: f64,
    /// Lower end of the 95 % interval.
    pub low: Option<f64>,
    /// Upper end of the 95 % interval.
    pub high: Option<f64>,
    /// With its unit.
    pub text: String,
    /// How well it is known: `±5 %`, `1.2 to 3.4 s`, or why there is no interval.
    pub spread: String,
    /// Half of the interval as a share of the value.
    #[serde(skip)]
    pub share: Option<f64>,
}

/// A figure that sums a record up.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PageHeadline {
    /// What it is of.
    pub title: &'static str,
    /// The figure, or why there is none.
    pub figure: Reading<PageFigure>,
    /// Which case and kernel it is from.
    pub from: String,
    /// Marks of this figure.
    pub marks: Vec<&'static str>,
}

/// Cases without a figure, for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PageUnmeasured {
    /// What.
    pub what: String,
    /// How many cases; 0 for what is no case.
    pub cases: Vec<String>,
    /// Why.
    pub why: String,
    /// Whether it was tried and found wrong.
    pub failed: bool,
}

/// Warnings of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PageWarning {
    /// In the words of the first.
    pub text: String,
    /// The cases that have one of this kind, the first first; none where it is of the whole session.
    pub cases: Vec<String>,
}

/// A measured roof.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PageRoof {
    /// What is limited.
    pub resource: &'static str,
    /// Whether it is memory.
    pub memory: bool,
    /// The rate.
    pub rate: PageFigure,
    /// The case that reached it.
    pub from: String,
}

/// What the maker of a device publishes; nothing of it was measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PageSheet {
    /// The device that the driver's name was taken for.
    pub device: String,
    /// The peaks.
    pub peaks: Vec<PagePeak>,
    /// Where they are from.
    pub source: String,
}

/// A published peak.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PagePeak {
    /// What is limited.
    pub resource: &'static str,
    /// Whether it is memory.
    pub memory: bool,
    /// FLOP/s or bytes/s.
    pub value: f64,
    /// The same with its unit.
    pub text: String,
}

/// A case with a kernel.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PageCase {
    /// `case@kernel`.
    pub id: String,
    /// The case alone.
    pub case: String,
    /// Its workload.
    pub workload: String,
    /// Its type of data.
    pub dtype: String,
    /// The kernel.
    pub kernel: String,
    /// Whether this kernel is the quickest verified one of its case in this record.
    pub best: bool,
    /// `measured`, `skipped`, `failed` or `no figure`.
    pub status: &'static str,
    /// Why there is no figure.
    pub reason: Option<String>,
    /// Unit of `rate`, without a prefix.
    pub unit: String,
    /// Time of one execution.
    pub time: Reading<PageFigure>,
    /// The rate that suits the case.
    pub rate: Reading<PageFigure>,
    /// Tokens per second.
    pub tokens: Option<PageFigure>,
    /// Operations per byte; none where one of them is not counted.
    pub intensity: Option<f64>,
    /// Operations per second, the height in the roofline.
    pub op_rate: Reading<PageFigure>,
    /// Share of the session's own roofline.
    pub roof_share: Reading<PageFigure>,
    /// Mean power.
    pub power: Reading<PageFigure>,
    /// Work per joule.
    pub per_joule: Reading<PageFigure>,
    /// Energy of one execution.
    pub energy: Reading<PageFigure>,
    /// The units that it computes with.
    pub arithmetic: &'static str,
    /// The roof that it measures.
    pub measures: Option<&'static str>,
    /// Worst error over its bound; 1 would fail.
    pub error: Option<String>,
    /// Marks of this case.
    pub marks: Vec<&'static str>,
}

/// Samples of a case.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PageStability {
    /// `case@kernel`.
    pub id: String,
    /// One per invocation.
    pub invocations: Vec<PageSamples>,
}

/// Samples of one invocation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PageSamples {
    /// Its number.
    pub invocation: u32,
    /// Time that passed until the end of each sample's batch, in seconds: measured time alone, or that of the clock
    /// by which `device` was read, where it was.
    pub at_s: Vec<f64>,
    /// Time of one execution, in seconds.
    pub time_s: Vec<f64>,
    /// How many samples there are; where fewer are drawn, the lowest and highest of each stretch are.
    pub samples: usize,
    /// Samples before steady state.
    pub discarded: u32,
    /// How many of the drawn samples, at the front, are of those.
    pub early: usize,
    /// Least, quartiles, median and most of all steady samples, in seconds.
    pub quantiles_s: [f64; 5],
    /// How the device stood meanwhile, where a sensor's library said it.
    pub device: Option<PageDeviceStates>,
    /// The rest in words.
    pub words: Vec<(String, String)>,
}

/// How the device stood while samples were taken, on their time axis.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PageDeviceStates {
    /// When each look was taken, in seconds.
    pub at_s: Vec<f64>,
    /// What was read at each look.
    pub series: Vec<PageDeviceSeries>,
    /// Why the device ran below its clock at each look; empty where it did not, or where that is unknown.
    pub throttled_by: Vec<String>,
}

/// One quantity of a device over time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PageDeviceSeries {
    /// What it is.
    pub name: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// Its value at each look; none where it could not be read.
    pub values: Vec<Option<f64>>,
}

/// An energy window.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PageEnergy {
    /// `case@kernel`.
    pub id: String,
    /// Number of the invocation.
    pub invocation: u32,
    /// Marks of its figures.
    pub marks: Vec<&'static str>,
    /// Energy over the window.
    pub gross: PageFigure,
    /// What makes it uncertain, the largest first.
    pub budget: Vec<PageErrorTerm>,
    /// When power was read, in seconds from the first reading.
    pub at_s: Vec<f64>,
    /// What it was, in watts.
    pub power_w: Vec<f64>,
    /// Pieces of steady load that are integrated, on the same axis.
    pub groups_s: Vec<(f64, f64)>,
    /// Idle power before and after.
    pub idle_w: [Option<f64>; 2],
    /// How many readings there are.
    pub readings: usize,
    /// Whether `power_w` is the quotient of a counter's steps.
    pub from_counter: bool,
    /// The rest in words.
    pub words: Vec<(String, String)>,
}

/// A part of an energy's uncertainty.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PageErrorTerm {
    /// What causes it.
    pub cause: &'static str,
    /// What that is.
    pub about: &'static str,
    /// Standard uncertainty in joules.
    pub joules: f64,
    /// The same with its unit, and as a share of the energy.
    pub text: String,
}

/// A kernel.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PageKernel {
    /// `case@kernel`.
    pub id: String,
    /// Its tuning parameters.
    pub parameters: BTreeMap<String, u32>,
    /// Where they come from.
    pub parameters_from: String,
    /// Its sources with their names; empty where the record does not keep them.
    pub sources: Vec<PageSource>,
    /// Why the sources are not here.
    pub no_source: Option<String>,
}

/// A shader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PageSource {
    /// Its file.
    pub name: String,
    /// Its WGSL.
    pub wgsl: String,
}

/// One device over time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PageHistory {
    /// The device and the graphics API.
    pub device: String,
    /// Cases that were measured at least twice.
    pub cases: Vec<PageSeries>,
}

/// One case over time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PageSeries {
    /// `case@kernel`.
    pub id: String,
    /// Unit of the values, without a prefix.
    pub unit: String,
    /// In the order of time.
    pub points: Vec<PagePoint>,
    /// Where the level seems to change: the first point of each new level.
    pub changes: Vec<PageChange>,
    /// Why no change is looked for.
    pub no_changes: Option<String>,
}

/// A case in one session.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PagePoint {
    /// When the session began, RFC 3339 in UTC.
    pub started_utc: String,
    /// The same in seconds since 1970.
    pub at_s: f64,
    /// The rate.
    pub rate: PageFigure,
    /// perwatt's version and revision, and the driver.
    pub built: String,
    /// The record.
    pub file: String,
    /// Marks of this value.
    pub marks: Vec<&'static str>,
}

/// A change of level.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PageChange {
    /// The first point of the new level.
    pub at: usize,
    /// The change of the rate in words.
    pub text: String,
}
