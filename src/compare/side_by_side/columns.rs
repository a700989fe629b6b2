//! Which sessions stand in one column, and what tells the columns apart.

use std::collections::{BTreeMap, HashSet};

use super::description::{DescribedColumn, DescriptionChoice};
use super::figures::{Best, best_kernels};
use crate::compare::environment::{Aspect, Environment};
use crate::compare::session::Session;

/// Sessions of one environment that came from one argument.
pub(super) struct SessionColumn<'a> {
    pub(super) sessions: Vec<&'a Session>,
    /// The best kernel of each case, by the case's name, for each cost.
    pub(super) best: BTreeMap<&'a str, Best<'a>>,
}

impl SessionColumn<'_> {
    /// Where it was measured.
    pub(super) fn environment(&self) -> &Environment {
        &self.sessions[0].environment
    }

    /// Its letter, or its number after the alphabet.
    pub(super) fn letter(at: usize) -> String {
        match u8::try_from(at) {
            Ok(at) if at < 26 => char::from(b'A' + at).to_string(),
            _ => (at + 1).to_string(),
        }
    }

    /// The day of its first session.
    fn date(&self) -> Option<String> {
        let first = self
            .sessions
            .iter()
            .filter_map(|s| s.started_s)
            .reduce(f64::min)?;
        // Seconds since 1970 of a time that a file states; whole ones are exact far beyond any date.
        let at = jiff::Timestamp::from_second(first as i64).ok()?;
        Some(at.strftime("%F").to_string())
    }

    /// What makes its figures something else than a GPU's verified measurement.
    fn caveats(&self) -> Vec<String> {
        let mut caveats = Vec::new();
        let any = |of: fn(&Session) -> bool| self.sessions.iter().any(|session| of(session));
        let sensor =
            |session: &Session| session.sensor.as_ref().is_ok_and(|sensor| sensor.simulated);
        if self
            .sessions
            .iter()
            .any(|session| session.simulated && !sensor(session))
        {
            caveats.push("SIMULATED: nothing was measured on hardware".to_owned());
        }
        if any(|session| session.software) {
            caveats
                .push("SOFTWARE DRIVER: these are the processor's figures, not a GPU's".to_owned());
        }
        if self.sessions.iter().any(|session| sensor(session)) {
            caveats.push("SIMULATED POWER: its energy says nothing about hardware".to_owned());
        }
        if self.environment().origin == "imported" {
            caveats.push("imported: perwatt did not verify the outputs".to_owned());
        }
        caveats
    }
}

/// One column for each environment of each set, in the order in which they are given.
pub(super) fn columns<'a>(
    sets: &'a [Vec<Session>],
    choice: &DescriptionChoice,
) -> Vec<SessionColumn<'a>> {
    let mut columns = Vec::new();
    for set in sets {
        let mut groups: Vec<Vec<&Session>> = Vec::new();
        for session in set {
            let same = |group: &&mut Vec<&Session>| {
                let known = &group[0].environment;
                known.differences(&session.environment, &[]).is_empty()
            };
            match groups.iter_mut().find(same) {
                Some(group) => group.push(session),
                None => groups.push(vec![session]),
            }
        }
        columns.extend(groups.into_iter().map(|sessions| SessionColumn {
            best: best_kernels(&sessions, choice),
            sessions,
        }));
    }
    columns
}

/// What differs between columns, and what does not, in words.
pub(super) fn differences(columns: &[SessionColumn<'_>]) -> (Vec<Aspect>, Vec<String>) {
    let Some(first) = columns.first().map(SessionColumn::environment) else {
        return (Vec::new(), Vec::new());
    };
    let mut differs: Vec<Aspect> = Vec::new();
    for column in &columns[1..] {
        for difference in first.differences(column.environment(), &[]) {
            if !differs.contains(&difference.aspect) {
                differs.push(difference.aspect);
            }
        }
    }
    if columns
        .iter()
        .any(|column| column.environment().power != first.power)
    {
        differs.push(Aspect::Power);
    }
    differs.sort_unstable();
    let same: Vec<String> = [
        (Aspect::Device, first.device.clone()),
        (Aspect::Driver, first.driver.clone()),
        (Aspect::Backend, first.backend.clone()),
        (Aspect::Checks, first.checks.clone()),
        (Aspect::Origin, first.origin.clone()),
        (
            Aspect::Power,
            first
                .power
                .clone()
                .unwrap_or_else(|| "no power sensor".to_owned()),
        ),
    ]
    .into_iter()
    .filter(|(aspect, words)| !differs.contains(aspect) && !words.is_empty())
    // Of another tool's results nothing of these is known.
    .filter(|(aspect, _)| {
        let ours = [Aspect::Backend, Aspect::Checks, Aspect::Power].contains(aspect);
        first.origin != "imported" || !ours
    })
    .map(|(_, words)| words)
    .collect();
    (differs, same)
}

/// The columns as they are shown.
pub(super) fn described(columns: &[SessionColumn<'_>], differs: &[Aspect]) -> Vec<DescribedColumn> {
    let labels: Vec<String> = columns
        .iter()
        .map(|column| label(column, differs))
        .collect();
    columns
        .iter()
        .enumerate()
        .map(|(at, column)| {
            let environment = column.environment();
            let files: Vec<String> = column.sessions.iter().map(|s| s.name.clone()).collect();
            let alike = labels.iter().filter(|label| **label == labels[at]).count() > 1;
            DescribedColumn {
                letter: SessionColumn::letter(at),
                label: if alike {
                    files[0].clone()
                } else {
                    labels[at].clone()
                },
                device: environment.device.clone(),
                driver: environment.driver.clone(),
                backend: environment.backend.clone(),
                date: column.date(),
                sessions: column.sessions.len(),
                files,
                caveats: column.caveats(),
            }
        })
        .collect()
}

/// What tells a column from the others: the first of device, driver, backend and so on that differs, or the date.
fn label(column: &SessionColumn<'_>, differs: &[Aspect]) -> String {
    let environment = column.environment();
    let named = [
        (Aspect::Device, &environment.device),
        (Aspect::Driver, &environment.driver),
        (Aspect::Backend, &environment.backend),
        (Aspect::Checks, &environment.checks),
        (Aspect::Version, &environment.version),
    ];
    let words: Vec<&str> = named
        .iter()
        .filter(|(aspect, _)| differs.contains(aspect))
        .map(|(_, words)| words.as_str())
        .take(1)
        .collect();
    match (words.first(), column.date()) {
        (Some(words), _) => (*words).to_owned(),
        (None, Some(date)) => date,
        (None, None) => column.sessions[0].name.clone(),
    }
}

/// What a reader must know of the sessions.
pub(super) fn notes(columns: &[SessionColumn<'_>]) -> Vec<String> {
    let mut notes = Vec::new();
    let mut seen = HashSet::new();
    let twice = columns
        .iter()
        .flat_map(|column| &column.sessions)
        .filter(|session| !seen.insert(&session.id))
        .count();
    if twice > 0 {
        notes.push("a session stands in the table twice; it says nothing about itself".to_owned());
    }
    if columns.iter().any(|column| column.sessions.len() == 1) && columns.len() > 1 {
        notes.push(
            "one session does not show how much sessions differ, so the ratios' intervals rest on an assumption; \
             measure each device three times or more, and give folders"
                .to_owned(),
        );
    }
    notes
}
