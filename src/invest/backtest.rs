//! The model against public clusters and runs. The cases are data, the comparison is made anew each time,
//! and a miss stays in the table.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::assume::{Assumptions, Changes};
use super::choices::PriorSet;
use super::distribution::Distribution;
use super::model::Simulation;
use super::number_format::{ModelWeights, NumberFormat};
use super::outputs::{OUTPUTS, OutputQuantity};
use super::scenario::Scenario;
use super::simulate::{Draws, Quantiles};
use crate::error::{Error, Result};

/// How a case may be used to test the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BacktestUse {
    /// No prior was derived from it or its like.
    HeldOut,
    /// A prior was: agreement shows nothing.
    Used,
    /// It lies outside what the model is about.
    Outside,
    /// It was collected after both sets of priors, and held against the model before anything was changed.
    Later,
    /// It was collected when the model and all other cases stood; `first` is what the model said then.
    New,
}

/// What a case was collected for, in the order of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BacktestCollection {
    /// The older ones, beside which the frozen priors were published.
    Clusters,
    /// The 39 of which the odd rows were fitted.
    OddEven,
    /// One user's machine, which the bands of the scenario `desk` were set with.
    Desk,
    /// Of November 2026, before the serving model was changed.
    Later,
    /// Of 29 November 2026, when all else stood.
    New,
}

impl BacktestCollection {
    /// All, in the order of the page.
    pub const ALL: [Self; 5] = [
        Self::Clusters,
        Self::OddEven,
        Self::Desk,
        Self::Later,
        Self::New,
    ];

    /// Its file, and what that is called in messages; the older cases have a form of their own.
    fn file(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Clusters => None,
            Self::OddEven => Some((
                "backtests-odd-even.toml",
                include_str!("data/backtests-odd-even.toml"),
            )),
            Self::Desk => Some((
                "backtests-desk.toml",
                include_str!("data/backtests-desk.toml"),
            )),
            Self::Later => Some((
                "backtests-later.toml",
                include_str!("data/backtests-later.toml"),
            )),
            Self::New => Some((
                "backtests-new.toml",
                include_str!("data/backtests-new.toml"),
            )),
        }
    }

    /// How a case of it may be used, where the case does not say that it was fitted.
    fn usage(self, fitted: Option<bool>) -> BacktestUse {
        match (self, fitted) {
            (Self::Desk, _) | (_, Some(true)) => BacktestUse::Used,
            (Self::Later, _) => BacktestUse::Later,
            (Self::New, _) => BacktestUse::New,
            (Self::Clusters | Self::OddEven, _) => BacktestUse::HeldOut,
        }
    }
}

/// A case as the data state it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BacktestCase {
    title: String,
    quantity: String,
    accelerator: String,
    model: Option<String>,
    precision: Option<NumberFormat>,
    weights: Option<ModelWeights>,
    scenario: Option<String>,
    set: Vec<String>,
    output: String,
    reported: f64,
    r#use: BacktestUse,
    source: String,
    note: Option<String>,
}

/// Cases of one kind and one source, collected together: `[group.ID]`, and cases that name it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BacktestGroup {
    name: String,
    source: String,
    #[serde(default)]
    set: Vec<String>,
    output: String,
    quantity: String,
    scenario: Option<String>,
    model: Option<String>,
    weights: Option<ModelWeights>,
    case: Vec<GroupedCase>,
}

/// A case of a group.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupedCase {
    title: String,
    accelerator: String,
    reported: f64,
    #[serde(default)]
    set: Vec<String>,
    model: Option<String>,
    precision: Option<NumberFormat>,
    weights: Option<ModelWeights>,
    /// Whether priors were fitted on it, where only some of a collection were.
    fitted: Option<bool>,
    /// What the model said when it was asked first: 5, 50, 95 %.
    first: Option<[f64; 3]>,
    note: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BacktestFile {
    case: Vec<BacktestCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupFile {
    group: Vec<BacktestGroup>,
}

/// Where a case belongs, beside what it states.
struct Membership {
    collection: BacktestCollection,
    group: Option<String>,
    first: Option<[f64; 3]>,
}

impl BacktestGroup {
    /// Its cases as the older ones are stated.
    fn cases(
        self,
        collection: BacktestCollection,
    ) -> impl Iterator<Item = (Membership, BacktestCase)> {
        let Self {
            name,
            source,
            set,
            output,
            quantity,
            scenario,
            model,
            weights,
            case,
        } = self;
        case.into_iter().map(move |case| {
            let membership = Membership {
                collection,
                group: Some(name.clone()),
                first: case.first,
            };
            let stated = BacktestCase {
                title: case.title,
                quantity: quantity.clone(),
                accelerator: case.accelerator,
                model: case.model.or_else(|| model.clone()),
                precision: case.precision,
                weights: case.weights.or(weights),
                scenario: scenario.clone(),
                set: set.iter().chain(&case.set).cloned().collect(),
                output: output.clone(),
                reported: case.reported,
                r#use: collection.usage(case.fitted),
                source: source.clone(),
                note: case.note,
            };
            (membership, stated)
        })
    }
}

/// A case and what the model says of it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Backtest {
    /// What it was collected for.
    pub collection: BacktestCollection,
    /// What kind of case it is; the older ones have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The cluster or the run.
    pub title: String,
    /// What is compared.
    pub quantity: String,
    /// What kind of quantity that is.
    pub kind: OutputQuantity,
    /// Its unit.
    pub unit: &'static str,
    /// What was reported.
    pub reported: f64,
    /// What the model says.
    pub model: Quantiles,
    /// ln(model's median ÷ reported).
    pub log_error: f64,
    /// Whether the report lies within the middle 90 %.
    pub inside: bool,
    /// How it may be used to test the model.
    pub usage: BacktestUse,
    /// Where the report is from.
    pub source: String,
    /// Why it differs, or what to keep in mind.
    pub note: Option<String>,
    /// What the model said before anything was changed in view of it: 5, 50, 95 %. A new case without it got no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<[f64; 3]>,
    /// What was asked beside the machine: cases that share it can be put in order.
    #[serde(skip)]
    question: String,
    /// The machine and its number formats.
    #[serde(skip)]
    machine: String,
}

/// Reports whose ratio is below this are not put in order.
const LEAST_RATIO: f64 = 1.05;

/// Inputs that describe the machine and its program, and not what they are asked to do.
const OF_THE_MACHINE: [&str; 6] = [
    "accelerators",
    "memory",
    "sequence_overhead",
    "split_tokens",
    "prompts_apart",
    "drafted",
];

/// How the cases of one kind came out.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BacktestGroupResult {
    /// What they were collected for.
    pub collection: BacktestCollection,
    /// What kind they are.
    pub name: String,
    /// How many.
    pub cases: usize,
    /// How many reports lie within the middle 90 %.
    pub inside: usize,
    /// Median of |model's median ÷ reported − 1|, of whichever is larger.
    pub median_error: f64,
    /// Pairs of different machines that were asked the same and whose reports differ by 5 % or more.
    pub pairs: usize,
    /// How many of them the model puts in the right order.
    pub in_order: usize,
    /// How many lay inside when they were asked first, of collections that were asked before any change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inside_at_first: Option<usize>,
}

/// How each kind of cases came out, in the order of the page.
pub fn backtest_groups(all: &[Backtest]) -> Vec<BacktestGroupResult> {
    let mut results: Vec<BacktestGroupResult> = Vec::new();
    for one in all {
        let Some(name) = &one.group else { continue };
        let is_known = |result: &BacktestGroupResult| {
            result.collection == one.collection && result.name == *name
        };
        if results.iter().any(is_known) {
            continue;
        }
        let group: Vec<&Backtest> = all
            .iter()
            .filter(|other| {
                other.collection == one.collection && other.group.as_ref() == Some(name)
            })
            .collect();
        results.push(BacktestGroupResult::of(name, &group));
    }
    results
}

impl BacktestGroupResult {
    fn of(name: &str, group: &[&Backtest]) -> Self {
        let mut errors: Vec<f64> = group.iter().map(|one| one.log_error.abs()).collect();
        errors.sort_by(f64::total_cmp);
        let middle = errors.get(errors.len() / 2).copied().unwrap_or(f64::NAN);
        let pairs: Vec<(&Backtest, &Backtest)> = group
            .iter()
            .enumerate()
            .flat_map(|(at, one)| group.iter().take(at).map(move |other| (*one, *other)))
            .filter(|(one, other)| one.is_comparable(other))
            .collect();
        let in_order = pairs.iter().filter(|(one, other)| {
            (one.reported > other.reported) == (one.model.p50 > other.model.p50)
        });
        let collection = group
            .first()
            .map_or(BacktestCollection::Clusters, |one| one.collection);
        Self {
            collection,
            name: name.to_owned(),
            cases: group.len(),
            inside: group.iter().filter(|one| one.inside).count(),
            median_error: libm::exp(middle) - 1.0,
            pairs: pairs.len(),
            in_order: in_order.count(),
            inside_at_first: (collection == BacktestCollection::New)
                .then(|| group.iter().filter(|one| one.inside_at_first()).count()),
        }
    }
}

impl Backtest {
    /// Whether its report lay within what the model said first.
    pub fn inside_at_first(&self) -> bool {
        self.first
            .is_some_and(|[low, _, high]| (low..=high).contains(&self.reported))
    }

    /// Whether both were asked the same of different machines and came out differently.
    fn is_comparable(&self, other: &Self) -> bool {
        let ratio = (self.reported / other.reported).max(other.reported / self.reported);
        self.question == other.question && self.machine != other.machine && ratio >= LEAST_RATIO
    }
}

/// What a case asks, without the machine that it asks it of.
fn question(case: &BacktestCase) -> String {
    let mut asked: Vec<&str> = case
        .set
        .iter()
        .map(String::as_str)
        .filter(|pair| {
            let key = pair.split('=').next().unwrap_or(pair);
            !OF_THE_MACHINE.contains(&key)
        })
        .collect();
    asked.sort_unstable();
    format!("{} {:?} {}", case.output, case.model, asked.join(" "))
}

/// All cases.
///
/// # Errors
/// As `super::model`; none in a released perwatt.
pub fn backtests(draws: Draws, priors: PriorSet) -> Result<Vec<Backtest>> {
    let cases: BacktestFile = toml::from_str(include_str!("data/backtests.toml"))
        .map_err(|e| Error::usage("perwatt's own data", format!("backtests.toml: {e}")))?;
    let mut all: Vec<(Membership, BacktestCase)> = cases
        .case
        .into_iter()
        .map(|case| (Membership::older(), case))
        .collect();
    for collection in BacktestCollection::ALL {
        let Some((name, text)) = collection.file() else {
            continue;
        };
        let file: GroupFile = toml::from_str(text)
            .map_err(|e| Error::usage("perwatt's own data", format!("{name}: {e}")))?;
        all.extend(
            file.group
                .into_iter()
                .flat_map(|group| group.cases(collection)),
        );
    }
    all.into_iter()
        .map(|(membership, case)| compare(membership, case, draws, priors))
        .collect()
}

impl Membership {
    /// Of one of the older cases.
    fn older() -> Self {
        Self {
            collection: BacktestCollection::Clusters,
            group: None,
            first: None,
        }
    }
}

fn compare(
    membership: Membership,
    case: BacktestCase,
    draws: Draws,
    priors: PriorSet,
) -> Result<Backtest> {
    let question = question(&case);
    let machine = format!(
        "{} {:?} {:?}",
        case.accelerator, case.precision, case.weights
    );
    let changes = Changes {
        accelerator: Some(case.accelerator),
        model: case.model,
        precision: case.precision,
        weights: case.weights,
        priors,
        country: None,
        set: case.set,
    };
    let assumptions = Scenario::open(case.scenario.as_deref().unwrap_or("cluster-100k"))?
        .assume(None, &changes)?;
    let simulation = Simulation::new(&assumptions, draws)?;
    let unknown = || {
        let at = format!("the back-test {:?}", case.title);
        Error::usage(at, format!("no output {:?}", case.output))
    };
    let kind = OUTPUTS
        .iter()
        .find(|kind| kind.key == case.output)
        .ok_or_else(unknown)?;
    let note = case
        .note
        .as_deref()
        .map(|note| with_inputs(note, &assumptions))
        .transpose()?;
    let model = Quantiles::of(simulation.result(kind.key).to_vec()).ok_or_else(unknown)?;
    Ok(Backtest {
        collection: membership.collection,
        group: membership.group,
        first: membership.first,
        question,
        machine,
        title: case.title,
        quantity: case.quantity,
        kind: kind.quantity,
        unit: kind.unit,
        reported: case.reported,
        log_error: libm::log(model.p50 / case.reported),
        inside: (model.p5..=model.p95).contains(&case.reported),
        model,
        usage: case.r#use,
        source: case.source,
        note,
    })
}

/// A note with each `{KEY}` replaced by what the model takes that input to be, so that no note says a prior by heart.
fn with_inputs(note: &str, assumptions: &Assumptions) -> Result<String> {
    let mut filled = String::new();
    let mut rest = note;
    while let Some((before, after)) = rest.split_once('{') {
        let (key, after) = after.split_once('}').unwrap_or((after, ""));
        let (low, high) = assumptions
            .distribution(key)
            .map(Distribution::ends)
            .ok_or_else(|| Error::usage("backtests.toml", format!("no input {key:?} is known")))?;
        filled += before;
        filled += &if low < high {
            format!("{low} to {high}")
        } else {
            low.to_string()
        };
        rest = after;
    }
    Ok(filled + rest)
}
