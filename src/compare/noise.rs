//! What is known of a device's noise before a comparison: calibrated, or a default that says so.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use super::days::days_of;
use super::environment::{Aspect, Environment};
use super::metric::Cost;
use super::session::{Session, SessionCase};
use crate::error::{Error, Result};
use crate::record::{Document, DocumentKind, load_document, save_document};
use crate::stats::{NoisePrior, SessionCost, noise_of};
use crate::units::fine_percent;

/// What is assumed of a device that was never calibrated: sessions of three invocations that differ by
/// 3 %, invocations that differ by 2 %, believed as firmly as five sessions would support. That is
/// what an unlocked consumer card in a desktop does on a bad day; a quieter device earns better by
/// calibration. With one session a side it lets a change of about 15 % be found in a single case, and
/// of about 45 % among forty.
pub const DEFAULT_NOISE: NoisePrior = NoisePrior {
    session_sd: 0.03,
    invocation_sd: 0.02,
    invocations: 3.0,
    degrees: 4.0,
    day_sd: 0.02,
    day_degrees: 4.0,
};

/// What is assumed of days where the sessions are of too few to tell: that a day's conditions shift a time or
/// energy by 2 %, believed as firmly as five days would support. The levels of `docs/verdicts.md` hold for
/// any shift up to that.
pub(super) const UNKNOWN_DAYS: NoisePrior = NoisePrior {
    day_sd: DEFAULT_NOISE.day_sd,
    day_degrees: DEFAULT_NOISE.day_degrees,
    ..NoisePrior::NOTHING
};

/// Sensors add their own noise to the device's, so energy's default is wider.
const DEFAULT_ENERGY_NOISE: NoisePrior = NoisePrior {
    session_sd: 0.05,
    invocation_sd: 0.03,
    ..DEFAULT_NOISE
};

/// The assumption about the noise that a row rests on, where it is not the data alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NoiseAssumption {
    /// Where it comes from.
    pub source: NoiseSource,
    /// Standard deviation between sessions.
    pub session_sd: f64,
    /// What the day adds to it.
    pub day_sd: f64,
    /// Degrees of freedom that it is worth.
    pub degrees: f64,
}

/// Where an assumption about the noise comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoiseSource {
    /// Sessions of the same code on this device.
    Calibrated,
    /// The documented default, for sessions and days.
    Default,
    /// The documented default for days alone; the sessions speak for themselves.
    Days,
}

impl fmt::Display for NoiseAssumption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let believed = format!("{:.0} degrees of freedom", self.degrees);
        match self.source {
            NoiseSource::Days => {
                let days = fine_percent(self.day_sd);
                write!(f, "that days differ by {days} ({believed})")
            }
            NoiseSource::Calibrated | NoiseSource::Default => {
                let kind = match self.source {
                    NoiseSource::Calibrated => "calibrated",
                    _ => "default",
                };
                let sessions = fine_percent(self.session_sd);
                write!(
                    f,
                    "the {kind} noise ({sessions} between sessions, {believed})"
                )
            }
        }
    }
}

impl Serialize for NoiseAssumption {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What messages about a calibration name.
const COMMAND: &str = "calibrate-noise";

/// The version of the file.
const VERSION: &str = "1.1.0";

/// The noise of one device, calibrated from sessions of the same code (A/A runs).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Noise {
    /// `perwatt-noise`.
    pub kind: String,
    /// Semantic version of this format.
    pub schema_version: String,
    /// Where the sessions ran; the calibration counts for no other place.
    pub environment: Environment,
    /// How many sessions.
    pub sessions: usize,
    /// Which sessions, so that none counts as data again; files before version 1.1 do not say.
    #[serde(default)]
    pub session_ids: BTreeSet<String>,
    /// By `case@kernel`.
    pub cases: BTreeMap<String, CaseNoise>,
}

/// The noise of one case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CaseNoise {
    /// Of the time; none where fewer than two sessions have it.
    pub time: Option<Spread>,
    /// Of the energy; none where fewer than two sessions have it.
    pub energy: Option<Spread>,
}

/// Standard deviations of logarithms: 0.01 is one per cent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Spread {
    /// Between sessions; of one day, where enough days have several.
    pub session_sd: f64,
    /// Between the invocations of a session.
    pub invocation_sd: f64,
    /// Invocations of a session.
    pub invocations: f64,
    /// Degrees of freedom of `session_sd`.
    pub degrees: f64,
    /// What the day adds to `session_sd`; zero where the two could not be told apart.
    #[serde(default)]
    pub day_sd: f64,
    /// How many days the sessions are of; zero in files before version 1.1.
    #[serde(default)]
    pub days: usize,
    /// How many sessions have the case; zero in files before version 1.1.
    #[serde(default)]
    pub sessions: usize,
}

impl Spread {
    /// Largest standard deviation that is believed: a factor of e³, 20 times as long.
    const WIDEST: f64 = 3.0;

    /// Most invocations and degrees of freedom that are believed. Far beyond, the quantiles of Student's
    /// t take minutes; below one degree, they have no meaning for a spread.
    const MOST: f64 = 10_000.0;

    /// Whether a calibration can have found this.
    fn is_sensible(&self) -> bool {
        [self.session_sd, self.invocation_sd, self.day_sd]
            .iter()
            .all(|sd| (0.0..=Self::WIDEST).contains(sd))
            && [self.invocations, self.degrees]
                .iter()
                .all(|count| (1.0..=Self::MOST).contains(count))
    }
}

impl From<Spread> for NoisePrior {
    fn from(spread: Spread) -> Self {
        Self {
            session_sd: spread.session_sd,
            invocation_sd: spread.invocation_sd,
            invocations: spread.invocations,
            degrees: spread.degrees,
            day_sd: spread.day_sd,
            day_degrees: spread.days.saturating_sub(1) as f64,
        }
    }
}

/// A case's calibration: what it says and how much it rests on.
#[derive(Clone, Copy)]
pub(super) struct Calibrated {
    pub(super) prior: NoisePrior,
    pub(super) sessions: usize,
    pub(super) days: usize,
}

impl Noise {
    /// Learns the noise from sessions of the same code on the same device.
    ///
    /// # Errors
    /// Fewer than two different sessions, or sessions of different environments or parameters, whose
    /// spread would not be noise.
    pub fn calibrate(sessions: &[Session]) -> Result<Self> {
        let mut distinct: Vec<&Session> = Vec::new();
        for session in sessions {
            if !distinct.iter().any(|known| known.id == session.id) {
                distinct.push(session);
            }
        }
        let [first, others @ ..] = distinct.as_slice() else {
            return Err(Error::usage(COMMAND, "no session was given"));
        };
        if others.is_empty() {
            return Err(Error::usage(
                COMMAND,
                "one session cannot show how much sessions differ; run the same suite again, ten times \
                 for a calibration that a gate can rest on",
            ));
        }
        one_place(first, others)?;
        let days = days_of(&distinct, &[]);
        let mut cases = BTreeMap::new();
        for case in &first.cases {
            let group: Vec<(&Session, &SessionCase)> = distinct
                .iter()
                .filter_map(|session| {
                    let other = session.cases.iter().find(|other| other.id == case.id)?;
                    other.absent.is_none().then_some((*session, other))
                })
                .collect();
            let mut others = group.iter().map(|(_, other)| other);
            if let Some(other) = others.find(|c| c.parameters != case.parameters) {
                return Err(Error::usage(
                    COMMAND,
                    format!(
                        "{} ran with different parameters in another session, and what they change is \
                         not noise; give sessions of one tuning",
                        other.id
                    ),
                ));
            }
            let noise = CaseNoise {
                time: spread(&group, &days, Cost::Time),
                energy: spread(&group, &days, Cost::Energy),
            };
            cases.insert(case.id.clone(), noise);
        }
        Ok(Self {
            kind: DocumentKind::Noise.mark().to_owned(),
            schema_version: VERSION.to_owned(),
            environment: first.environment.clone(),
            sessions: distinct.len(),
            session_ids: distinct.iter().map(|session| session.id.clone()).collect(),
            cases,
        })
    }

    /// Reads a calibration.
    ///
    /// # Errors
    /// The file cannot be read, is no calibration, or holds a number that makes no sense.
    pub fn load(path: &Path) -> Result<Self> {
        load_document(path)
    }

    /// Writes the calibration.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        save_document(self, path)
    }

    /// Whether the calibration speaks of this environment.
    pub(super) fn fits(&self, environment: &Environment, across: &[Aspect]) -> bool {
        self.environment.differences(environment, across).is_empty()
    }

    /// Whether the file says which sessions it was learned from.
    pub(super) fn names_its_sessions(&self) -> bool {
        !self.session_ids.is_empty()
    }

    /// Whether it was learned from this session.
    pub(super) fn knows(&self, session: &str) -> bool {
        self.session_ids.contains(session)
    }

    /// The calibrated noise of a case.
    pub(super) fn of(&self, id: &str, cost: Cost) -> Option<Calibrated> {
        let case = self.cases.get(id)?;
        let spread = match cost {
            Cost::Time => case.time,
            Cost::Energy => case.energy,
        }?;
        Some(Calibrated {
            prior: NoisePrior::from(spread),
            sessions: spread.sessions,
            days: spread.days,
        })
    }
}

impl Document for Noise {
    const KIND: DocumentKind = DocumentKind::Noise;
    const VERSION: &'static str = VERSION;
    const NAME: &'static str = "a noise calibration";
    const HINT: &'static str = "`perwatt calibrate-noise` writes one";

    fn kind(&self) -> Option<&str> {
        Some(&self.kind)
    }

    fn version(&self) -> &str {
        &self.schema_version
    }

    fn check(&self) -> Result<(), String> {
        let spreads = self
            .cases
            .values()
            .flat_map(|case| [case.time, case.energy]);
        for spread in spreads.flatten() {
            if !spread.is_sensible() {
                return Err(format!(
                    "holds a spread out of range (standard deviations from 0 to {}, invocations and \
                     degrees of freedom from 1 to {}); calibrate again",
                    Spread::WIDEST,
                    Spread::MOST
                ));
            }
        }
        Ok(())
    }
}

/// What is assumed where nothing was calibrated.
pub(super) fn default_noise(cost: Cost) -> NoisePrior {
    match cost {
        Cost::Time => DEFAULT_NOISE,
        Cost::Energy => DEFAULT_ENERGY_NOISE,
    }
}

/// Refuses sessions of several environments.
fn one_place(first: &Session, others: &[&Session]) -> Result<()> {
    for other in others {
        let differences = first.environment.differences(&other.environment, &[]);
        if let Some(difference) = differences.first() {
            return Err(Error::usage(
                COMMAND,
                format!(
                    "{} and {} were measured in different environments ({difference}), and what differs \
                     between them is not noise; give sessions of one environment",
                    first.name, other.name
                ),
            ));
        }
    }
    Ok(())
}

/// The spread of a case over sessions.
fn spread(
    group: &[(&Session, &SessionCase)],
    days: &HashMap<String, usize>,
    cost: Cost,
) -> Option<Spread> {
    let costs: Vec<SessionCost> = group
        .iter()
        .filter_map(|(session, case)| {
            let values = case.invocations.iter();
            let values: Vec<f64> = values.filter_map(|f| f.cost(cost)).collect();
            let of_values = SessionCost::of(&values).ok()?;
            Some(SessionCost {
                day: days.get(&session.id).copied().unwrap_or_default(),
                ..of_values
            })
        })
        .collect();
    noise_of(&costs).ok().map(|prior| Spread {
        session_sd: prior.session_sd,
        invocation_sd: prior.invocation_sd,
        invocations: prior.invocations,
        degrees: prior.degrees,
        day_sd: prior.day_sd,
        days: prior.day_degrees as usize + 1,
        sessions: costs.len(),
    })
}
