//! What a summary says, as data; every page, table and metric is made of this.

use serde::Serialize;

use crate::stats::Interval;

/// A ratio to one's peers, as a multiple: 1.08 is 8 % more.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PeerRatio {
    /// The best single value.
    pub ratio: f64,
    /// Where the true one lies, beyond what like cards differ by.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

impl PeerRatio {
    /// From logarithms.
    pub(super) fn of(distance: f64, interval: Interval) -> Self {
        let ends = interval.exp();
        Self {
            ratio: distance.exp(),
            low: ends.low,
            high: ends.high,
        }
    }
}

/// What is summed up, and by what rules.
#[derive(Clone, Debug, Serialize)]
pub struct FleetSummary {
    /// Version of this form.
    pub summary_version: &'static str,
    /// The share of the listed cards that may be there by chance.
    pub fdr: f64,
    /// Ratios nearer to one than this are not listed: 0.03 is 3 %.
    pub min_effect: f64,
    /// Whether software drivers were let in, for a rehearsal.
    pub software_let_in: bool,
    /// Cards that gave an output that is wrong, or none, where others of their model did not.
    pub failed: Vec<FailedCard>,
    /// The models.
    pub models: Vec<ModelSummary>,
    /// What did not enter, and why.
    pub left_out: Vec<LeftOut>,
    /// Copies of records under another name, which were left out.
    pub copies: Vec<RecordCopy>,
    /// What a reader must know.
    pub notes: Vec<String>,
    /// What to look at first.
    pub pull: Vec<PullItem>,
}

/// Figures that did not enter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// The model.
    pub device: String,
    /// Why.
    pub why: String,
    /// Figures.
    pub figures: u64,
    /// Files that they stand in.
    pub files: u64,
}

/// A copy of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecordCopy {
    /// The file that was left out.
    pub file: String,
    /// The file of the same session with the same figures.
    pub copy_of: String,
}

/// A card that fails what others of its model do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FailedCard {
    /// The card.
    pub card: CardName,
    /// Case and kernel.
    pub case: String,
    /// Kind of failure.
    pub failure: String,
    /// What happened.
    pub reason: String,
    /// Records in which others did the same without failing.
    pub others_passed: u64,
}

/// A card's name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct CardName {
    /// Its model.
    pub device: String,
    /// The machine.
    pub node: String,
    /// The GPU in it, where something tells several apart.
    pub gpu: Option<String>,
}

impl CardName {
    /// Machine and GPU.
    pub fn place(&self) -> String {
        match &self.gpu {
            Some(gpu) => format!("{} {gpu}", self.node),
            None => self.node.clone(),
        }
    }
}

/// The cards of one model.
#[derive(Clone, Debug, Serialize)]
pub struct ModelSummary {
    /// The model.
    pub device: String,
    /// The graphics API.
    pub backend: String,
    /// Whether its cards were measured at once with others of their machine.
    pub at_once: bool,
    /// Cards.
    pub cards: usize,
    /// Records of them.
    pub records: usize,
    /// What can be said of single cards, in words.
    pub verdict: String,
    /// Whether there are enough cards to call one slow.
    pub enough_cards: bool,
    /// Where the cards lie, case by case.
    pub cases: Vec<CaseDistribution>,
    /// Two kinds of cards, in words.
    pub two_kinds: Option<String>,
    /// Machines and racks that are slow as a whole.
    pub groups: Vec<GroupFinding>,
    /// Cards that are slow.
    pub stragglers: Vec<Straggler>,
    /// Cards that need more joules for the same work.
    pub wasteful: Vec<Straggler>,
    /// Cards that slowed down for heat or a fault.
    pub throttled: Vec<ThrottledCard>,
    /// Cards that change with time.
    pub drifting: Vec<DriftFinding>,
    /// Cards with enough dated records to see that.
    pub drift_examined: usize,
    /// What slow cards cost a job that waits for the slowest. MODELLED.
    pub synchronous: Vec<SynchronousCost>,
    /// Each card over all cases, as a multiple of the median: for a picture.
    #[serde(skip)]
    pub ratios: Vec<f64>,
}

/// Where the cards of a model lie in one case.
#[derive(Clone, Debug, Serialize)]
pub struct CaseDistribution {
    /// The case.
    pub case: String,
    /// Cards.
    pub cards: usize,
    /// What the figures are: `time`, or a value of another tool as a cost.
    pub median_ns: f64,
    /// Spread between cards as a share of the median, robust (Qₙ, or the median absolute deviation of many).
    pub spread: f64,
    /// Quantiles: 0, 5, 25, 75, 95 and 100 %.
    pub quantiles_ns: [f64; 6],
    /// Two kinds of cards in this case, in words.
    pub two_kinds: Option<String>,
    /// Cards with joules.
    pub joules_cards: usize,
    /// Median of their joules.
    pub median_j: Option<f64>,
    /// Spread of the joules between cards, as a share of the median.
    pub spread_j: Option<f64>,
}

/// A group that is slow as a whole.
#[derive(Clone, Debug, Serialize)]
pub struct GroupFinding {
    /// The machine, or what the names of its machines begin with.
    pub name: String,
    /// Machines.
    pub nodes: usize,
    /// Cards.
    pub cards: usize,
    /// Against all others.
    pub effect: PeerRatio,
    /// Adjusted p-value (Holm).
    pub p: f64,
}

/// A card that costs more than its peers.
#[derive(Clone, Debug, Serialize)]
pub struct Straggler {
    /// The card.
    pub card: CardName,
    /// Over all cases.
    pub overall: PeerRatio,
    /// Whether that by itself is clear.
    pub overall_is_clear: bool,
    /// Cases in which it clearly stands out.
    pub clear_cases: usize,
    /// Cases that it was judged in.
    pub cases: usize,
    /// The clearest of them.
    pub worst_case: Option<WorstCase>,
    /// How much more all its work costs: over all cases where that is clear, else its clear cases' share.
    pub cost: PeerRatio,
    /// p-value, doubled for asking twice.
    pub p: f64,
    /// Benjamini and Hochberg's adjusted p-value among all cards.
    pub q: f64,
    /// What goes with it.
    pub seen: Vec<StragglerSign>,
    /// The slow group that it is part of.
    pub group: Option<String>,
}

/// What goes with a straggler and may explain it. Files hold it in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub enum StragglerSign {
    /// It slowed down.
    SlowedDown {
        /// Why, in the words of its library.
        reason: String,
    },
    /// The group that it is part of is slow.
    SlowGroup {
        /// The group.
        name: String,
    },
    /// It has another driver than most cards of its model.
    OtherDriver {
        /// Its own.
        own: String,
        /// Most cards'.
        usual: String,
    },
    /// Another kernel stands for its worst case than most cards'.
    OtherKernel {
        /// Its own.
        own: String,
        /// Most cards'.
        usual: String,
    },
}

impl From<StragglerSign> for String {
    fn from(sign: StragglerSign) -> Self {
        sign.to_string()
    }
}

/// The case in which a card stands out most clearly.
#[derive(Clone, Debug, Serialize)]
pub struct WorstCase {
    /// The case.
    pub case: String,
    /// Against its peers.
    pub effect: PeerRatio,
}

/// A card that slowed down.
#[derive(Clone, Debug, Serialize)]
pub struct ThrottledCard {
    /// The card.
    pub card: CardName,
    /// Why, in the words of its library.
    pub reason: String,
    /// Cases in which it did.
    pub cases: usize,
    /// Over all cases, as a multiple of the median.
    pub ratio: f64,
}

/// A card that changes with time.
#[derive(Clone, Debug, Serialize)]
pub struct DriftFinding {
    /// The card.
    pub card: CardName,
    /// Records.
    pub records: usize,
    /// Days from the first to the last.
    pub days: f64,
    /// From the first to the last, against its peers of the same days.
    pub change: PeerRatio,
    /// Adjusted p-value.
    pub q: f64,
    /// Where it is a step: its day and its size.
    pub step: Option<DriftStep>,
}

/// A step in time.
#[derive(Clone, Debug, Serialize)]
pub struct DriftStep {
    /// The day of the first record after it.
    pub date: String,
    /// After ÷ before.
    pub ratio: f64,
}

/// What slow cards cost a job of some cards. MODELLED.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SynchronousCost {
    /// Cards of the job.
    pub job_cards: usize,
    /// Expected time of a step as a multiple of what it would be without the listed cards' excess.
    pub step_time: PeerRatio,
}

/// One line of the list of what to look at first.
#[derive(Clone, Debug, Serialize)]
pub struct PullItem {
    /// What it is.
    pub what: PullKind,
    /// Machine and GPU, or the group.
    pub name: String,
    /// Its model.
    pub device: String,
    /// Cards.
    pub cards: usize,
    /// The clearest case.
    pub worst_case: Option<WorstCase>,
    /// How much more its work costs; none of a card that gives wrong outputs.
    pub cost: Option<PeerRatio>,
    /// What to do first.
    pub advice: String,
    /// What goes with it.
    pub seen: Vec<String>,
}

/// Kinds of what to look at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PullKind {
    /// Its output is wrong.
    WrongOutput,
    /// It fails where others do not.
    Fails,
    /// A machine or rack is slow as a whole.
    SlowGroup,
    /// A card is slow.
    SlowCard,
    /// A card needs more joules.
    WastefulCard,
}

impl PullKind {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::WrongOutput => "wrong output",
            Self::Fails => "fails",
            Self::SlowGroup => "slow group",
            Self::SlowCard => "slow",
            Self::WastefulCard => "wasteful",
        }
    }
}
