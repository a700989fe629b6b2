//! The gate's policy: margins and rules, from a TOML file that is checked key by key.
//!
//! A gate that overlooks a misspelt `margin_percent` judges by other rules than its owner believes,
//! silently; so an unknown key is an error with the nearest known one beside it.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::environment::Aspect;
use super::limits::{Margins, PerMetric};
use super::metric::Metric;
use super::preset::Preset;
use crate::error::{Error, Result, nearest};
use crate::record::{CaseGlob, MOST_SOURCE_BYTES, read_within};

/// What a gate asks of a candidate.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Policy {
    /// The metrics that are judged.
    pub metrics: Vec<Metric>,
    /// Probability that a gate of unchanged code reports any regression, over all its rows.
    pub alpha: f64,
    /// Probability with which the effects that are quoted as detectable would be found.
    pub power: f64,
    /// Sessions of a stored baseline from which its spread is taken as known.
    pub sessions: usize,
    /// Days that the sessions must be of, from which the spread between days is taken as known.
    pub days: usize,
    /// What a case means that the candidate lost.
    pub lost: OnLost,
    /// What it means that not everything could be decided.
    pub undecided: OnUndecided,
    /// Largest share of a row's invocations without steady state with which it may still pass.
    pub unstable_share: f64,
    /// Differences of environment that are the question and so no obstacle.
    pub across: Vec<Aspect>,
    /// For every case.
    pub limits: Margins,
    /// For some cases; of what several matching rules say, the last counts.
    pub cases: Vec<CaseRule>,
}

/// What it means to the gate that not everything could be decided, though nothing regressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnUndecided {
    /// The gate does not pass.
    Hold,
    /// The gate passes and says so.
    Warn,
}

/// What a lost case means to the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnLost {
    /// The gate fails.
    Fail,
    /// The gate does not pass.
    Inconclusive,
    /// Nothing.
    Ignore,
}

/// A rule for the cases that a glob fits.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CaseRule {
    /// Glob over `case` or `case@kernel`.
    pub glob: String,
    /// Whether these cases are judged at all; `None` leaves that to earlier rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gate: Option<bool>,
    /// Their margins.
    pub limits: Margins,
    #[serde(skip)]
    matcher: CaseGlob,
}

impl PartialEq for CaseRule {
    fn eq(&self, other: &Self) -> bool {
        (&self.glob, self.gate, self.limits) == (&other.glob, other.gate, other.limits)
    }
}

impl CaseRule {
    /// Whether the rule is about a case, given as `case@kernel`.
    pub fn fits(&self, id: &str) -> bool {
        self.matcher.fits(id)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            metrics: vec![Metric::Time, Metric::Energy],
            alpha: 0.05,
            power: 0.8,
            sessions: 10,
            days: 5,
            lost: OnLost::Inconclusive,
            undecided: OnUndecided::Hold,
            unstable_share: 0.1,
            across: Vec::new(),
            limits: Margins {
                margin_percent: PerMetric::costs(1.0, 3.0),
                equivalence_percent: PerMetric::costs(2.0, 3.0),
            },
            cases: Vec::new(),
        }
    }
}

impl Preset {
    /// The policy. In both, what cannot be decided is a warning: the author of a change can do nothing about
    /// the runner's noise.
    pub fn policy(self) -> Policy {
        let general = Policy::default();
        let limits = match self {
            Self::SharedRunner => Margins {
                margin_percent: PerMetric::costs(5.0, 5.0),
                equivalence_percent: PerMetric::costs(10.0, 10.0),
            },
            Self::QuietMachine => general.limits,
        };
        Policy {
            undecided: OnUndecided::Warn,
            limits,
            ..general
        }
    }
}

impl Policy {
    /// Reads a policy; what it does not say is as in `base`.
    ///
    /// # Errors
    /// The file cannot be read, is no TOML, has a key that is unknown, or a value out of range.
    pub fn load(path: &Path, base: Option<Preset>) -> Result<Self> {
        let text = read_within(path, MOST_SOURCE_BYTES)?;
        Self::parse(path, &text, base)
    }

    /// Reads a policy from `text`; `path` is for messages.
    ///
    /// # Errors
    /// As [`Policy::load`].
    pub fn parse(path: &Path, text: &str, base: Option<Preset>) -> Result<Self> {
        let table: Table = toml::from_str(text)
            .map_err(|e| Error::file(path, format!("no TOML: {}", e.to_string().trim_end())))?;
        check_keys(path, &table)?;
        let file: PolicyFile = table.try_into().map_err(|e: toml::de::Error| {
            Error::file(
                path,
                format!(
                    "{}; docs/verdicts.md has an example",
                    e.to_string().trim_end()
                ),
            )
        })?;
        let base = match (file.preset, base) {
            (Some(own), Some(other)) if own != other => {
                return Err(Error::file(
                    path,
                    format!(
                        "has the preset {own} and --preset says {other}; leave one of them out"
                    ),
                ));
            }
            (own, other) => own.or(other).map_or_else(Self::default, Preset::policy),
        };
        file.into_policy(path, base)
    }

    /// Whether a case is judged.
    pub fn gates(&self, id: &str) -> bool {
        self.rules(id).find_map(|rule| rule.gate).unwrap_or(true)
    }

    /// Margin of a case as a log ratio of costs.
    pub fn margin(&self, id: &str, metric: Metric) -> f64 {
        self.limit(id, metric, |limits| limits.margin_percent)
    }

    /// Bound of equivalence of a case as a log ratio of costs. One that was stated before a margin was raised
    /// follows it: a change that may be is none that forbids a pass.
    pub fn equivalence(&self, id: &str, metric: Metric) -> f64 {
        let stated = self.rules(id).find_map(|rule| {
            let limits = rule.limits;
            let equivalence = limits.equivalence_percent.get(metric);
            let margin = limits.margin_percent.get(metric);
            (equivalence.is_some() || margin.is_some()).then_some((equivalence, margin))
        });
        let general = self.limit(id, metric, |limits| limits.equivalence_percent);
        match stated {
            Some((None, Some(margin))) => general.max((margin / 100.0).ln_1p()),
            _ => general,
        }
    }

    /// What of the policy leaves changes of which none can ever be decided, in words.
    pub fn gaps(&self) -> Vec<String> {
        let of_rules = self.cases.iter().filter_map(|rule| {
            let gap = rule.limits.gap(&self.metrics, self.limits)?;
            Some(format!("the policy's rule for {:?}: {gap}", rule.glob))
        });
        let general = self.limits.gap(&self.metrics, self.limits);
        let general = general.map(|gap| format!("the policy: {gap}"));
        general.into_iter().chain(of_rules).collect()
    }

    fn limit(&self, id: &str, metric: Metric, of: impl Fn(&Margins) -> PerMetric) -> f64 {
        let own = self.rules(id).find_map(|rule| of(&rule.limits).get(metric));
        let percent = own.or_else(|| of(&self.limits).get(metric)).unwrap_or(0.0);
        (percent / 100.0).ln_1p()
    }

    /// The rules that match a case, the last first.
    fn rules(&self, id: &str) -> impl Iterator<Item = &CaseRule> {
        self.cases.iter().rev().filter(move |rule| rule.fits(id))
    }
}

/// The file as written; what is left out is as in a preset.
#[derive(Deserialize)]
struct PolicyFile {
    preset: Option<Preset>,
    metrics: Option<Vec<Metric>>,
    alpha: Option<f64>,
    power: Option<f64>,
    sessions: Option<usize>,
    days: Option<usize>,
    #[serde(alias = "missing")]
    lost: Option<OnLost>,
    undecided: Option<OnUndecided>,
    unstable_share: Option<f64>,
    across: Option<Vec<Aspect>>,
    #[serde(default)]
    margin_percent: PerMetric,
    #[serde(default)]
    equivalence_percent: PerMetric,
    #[serde(default)]
    case: Vec<RuleFile>,
}

/// A `[[case]]` as written.
#[derive(Deserialize)]
struct RuleFile {
    glob: String,
    gate: Option<bool>,
    #[serde(default)]
    margin_percent: PerMetric,
    #[serde(default)]
    equivalence_percent: PerMetric,
}

impl RuleFile {
    fn into_rule(self, path: &Path) -> Result<CaseRule> {
        let limits = Margins {
            margin_percent: self.margin_percent,
            equivalence_percent: self.equivalence_percent,
        };
        limits.check_range(path)?;
        let matcher = CaseGlob::new(&self.glob).map_err(|e| {
            Error::file(
                path,
                format!(
                    "`glob = {:?}` is no valid glob: {e}; write one like \"matmul/*\"",
                    shortened(&self.glob)
                ),
            )
        })?;
        Ok(CaseRule {
            glob: self.glob,
            gate: self.gate,
            limits,
            matcher,
        })
    }
}

impl PolicyFile {
    fn into_policy(self, path: &Path, base: Policy) -> Result<Policy> {
        let rules = self.case.into_iter();
        let cases = rules.map(|rule| rule.into_rule(path));
        let cases = cases.collect::<Result<Vec<CaseRule>>>()?;
        let own = Margins {
            margin_percent: self.margin_percent,
            equivalence_percent: self.equivalence_percent,
        };
        own.check_range(path)?;
        let mut metrics = Vec::new();
        for metric in self.metrics.unwrap_or(base.metrics) {
            if !metrics.contains(&metric) {
                metrics.push(metric);
            }
        }
        let policy = Policy {
            metrics,
            alpha: self.alpha.unwrap_or(base.alpha),
            power: self.power.unwrap_or(base.power),
            sessions: self.sessions.unwrap_or(base.sessions),
            days: self.days.unwrap_or(base.days),
            lost: self.lost.unwrap_or(base.lost),
            undecided: self.undecided.unwrap_or(base.undecided),
            unstable_share: self.unstable_share.unwrap_or(base.unstable_share),
            across: self.across.unwrap_or(base.across),
            limits: own.over(base.limits),
            cases,
        };
        check(&policy, path)?;
        Ok(policy)
    }
}

/// Refuses numbers that mean nothing.
fn check(policy: &Policy, path: &Path) -> Result<()> {
    let wrong = |key: &str, reason: &str| Err(Error::file(path, format!("`{key}` {reason}")));
    // Far below, no spread that a machine has can ever decide anything.
    if !(1e-6..0.5).contains(&policy.alpha) {
        return wrong(
            "alpha",
            "must be 0.000001 or more and below 0.5; 0.05 is usual",
        );
    }
    if !(0.5..=0.999).contains(&policy.power) {
        return wrong("power", "must lie from 0.5 to 0.999; 0.8 is usual");
    }
    if policy.sessions < 3 {
        return wrong("sessions", "must be 3 or more; 10 is usual");
    }
    if policy.days < 2 {
        return wrong("days", "must be 2 or more; 5 is usual");
    }
    if !(0.0..=1.0).contains(&policy.unstable_share) {
        return wrong("unstable_share", "is a share from 0 to 1; 0.1 is usual");
    }
    if policy.metrics.is_empty() {
        return wrong(
            "metrics",
            "is empty, so nothing would be judged; leave it out for time and energy",
        );
    }
    Ok(())
}

/// As much of a text as a message has room for.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(60) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

const TOP: [&str; 14] = [
    "preset",
    "metrics",
    "alpha",
    "power",
    "sessions",
    "days",
    "lost",
    "missing", // What `lost` was called before there was a word for each kind.
    "undecided",
    "unstable_share",
    "across",
    "margin_percent",
    "equivalence_percent",
    "case",
];
const RULE: [&str; 4] = ["glob", "gate", "margin_percent", "equivalence_percent"];

/// Refuses keys that are not known.
fn check_keys(path: &Path, table: &Table) -> Result<()> {
    known(path, table, &TOP, "")?;
    check_margins(path, table, "")?;
    let rules = table.get("case").and_then(Value::as_array);
    for rule in rules.into_iter().flatten().filter_map(Value::as_table) {
        known(path, rule, &RULE, "case.")?;
        check_margins(path, rule, "case.")?;
    }
    Ok(())
}

/// The tables of margins have a key for each metric.
fn check_margins(path: &Path, table: &Table, within: &str) -> Result<()> {
    for key in ["margin_percent", "equivalence_percent"] {
        if let Some(margins) = table.get(key).and_then(Value::as_table) {
            known(
                path,
                margins,
                &Metric::ALL.map(Metric::name),
                &format!("{within}{key}."),
            )?;
        }
    }
    Ok(())
}

fn known(path: &Path, table: &Table, keys: &[&str], within: &str) -> Result<()> {
    for key in table.keys() {
        if !keys.contains(&key.as_str()) {
            let hint = nearest(key, keys.iter().copied()).map_or_else(String::new, |near| {
                format!("; did you mean `{within}{near}`?")
            });
            return Err(Error::file(
                path,
                format!(
                    "unknown key `{within}{key}`{hint}; known here: {}",
                    keys.join(", ")
                ),
            ));
        }
    }
    Ok(())
}
