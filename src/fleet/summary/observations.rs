//! The judged figures of a fleet, by model and case.
//!
//! A card is what one GPU of one machine is; its records are repetitions of it and no further cards. Cards are compared
//! only among those of one model, one graphics API, and alone or at once with others. A copy of a record under
//! another name is left out and named.

use std::collections::{HashMap, HashSet};

use datafusion::arrow::array::RecordBatch;

use super::cells::{NO_TEXT, Texts};
use super::engine::FleetEngine;
use super::figure_columns::{CardKey, FigureColumns};
use super::sql;
use crate::error::Result;

/// A GPU of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FleetCard {
    pub(super) model: usize,
    pub(super) node: String,
    pub(super) gpu: Option<String>,
    pub(super) driver: String,
}

/// Cards that are compared with each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PeerModel {
    pub(super) device: String,
    pub(super) backend: String,
    pub(super) at_once: bool,
}

/// A record.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SessionEntry {
    pub(super) file: String,
    pub(super) started_ms: Option<i64>,
}

/// What a record says of a case.
#[derive(Clone, Copy, Debug)]
pub(super) struct FleetObservation {
    pub(super) card: u32,
    pub(super) session: u32,
    /// ln of the time of one execution, or of what stands for it.
    pub(super) cost: f64,
    /// Its standard error; NaN where nothing is known.
    pub(super) own: f32,
    /// ln of the joules of one execution; NaN where none was measured.
    pub(super) joules: f64,
    /// Its standard error; NaN where nothing is known.
    pub(super) joules_own: f32,
    /// Why the card slowed down, by number; [`NO_TEXT`] where it did not.
    pub(super) throttled: u32,
    /// The kernel, by number.
    pub(super) kernel: u32,
}

/// The judged figures.
#[derive(Default)]
pub(super) struct FleetObservations {
    pub(super) models: Vec<PeerModel>,
    pub(super) cards: Vec<FleetCard>,
    pub(super) sessions: Vec<SessionEntry>,
    /// For each model, its cases with what was observed.
    pub(super) cases: Vec<Vec<(String, Vec<FleetObservation>)>>,
    pub(super) texts: Texts,
    /// Copies that were left out, with the file that stayed.
    pub(super) copies: Vec<(String, String)>,
    /// Files that share a session's identity and not its figures.
    pub(super) namesakes: usize,
}

/// Reads the judged figures.
pub(super) fn observe(engine: &FleetEngine, with_software: bool) -> Result<FleetObservations> {
    let mut gathering = Gathering::default();
    engine.ask(sql::entering(with_software), |batch| gathering.add(batch))?;
    Ok(gathering.finish())
}

/// FleetObservations under construction.
#[derive(Default)]
struct Gathering {
    all: FleetObservations,
    model_numbers: HashMap<[u32; 5], usize>,
    card_numbers: HashMap<CardKey, u32>,
    session_numbers: HashMap<[u32; 4], u32>,
    session_keys: Vec<[u32; 4]>,
    case_numbers: HashMap<(usize, u32), usize>,
}

impl Gathering {
    fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let columns = FigureColumns::of(batch, &mut self.all.texts)?;
        let larger = self.all.texts.number("larger");
        for row in 0..batch.num_rows() {
            let (Some(cost), own) = columns.cost.at(row) else {
                continue;
            };
            let card = self.card(columns.card(row), columns.driver[row]);
            let (key, time) = columns.session(row, card);
            let session = self.session(key, time);
            let (joules, joules_own) = columns.joules.at(row);
            self.push(
                card,
                columns.case[row],
                FleetObservation {
                    card,
                    session,
                    cost: if columns.better[row] == larger {
                        -cost
                    } else {
                        cost
                    },
                    own,
                    joules: joules.unwrap_or(f64::NAN),
                    joules_own,
                    throttled: columns.throttled[row],
                    kernel: columns.kernel[row],
                },
            );
        }
        Ok(())
    }

    fn card(&mut self, key: CardKey, driver: u32) -> u32 {
        if let Some(card) = self.card_numbers.get(&key) {
            return *card;
        }
        let all = &mut self.all;
        let text = |number| all.texts.text(number).unwrap_or_default().to_owned();
        let of_model = [key[0], key[1], key[2], key[3], key[4]];
        let model = *self.model_numbers.entry(of_model).or_insert_with(|| {
            all.models.push(PeerModel {
                device: text(key[0]),
                backend: text(key[3]),
                at_once: key[4] == 1,
            });
            all.cases.push(Vec::new());
            all.models.len() - 1
        });
        let card = all.cards.len() as u32;
        let entry = FleetCard {
            model,
            node: text(key[5]),
            gpu: all.texts.text(key[6]).map(str::to_owned),
            driver: text(driver),
        };
        all.cards.push(entry);
        self.card_numbers.insert(key, card);
        card
    }

    fn session(&mut self, key: [u32; 4], started_ms: Option<i64>) -> u32 {
        if let Some(session) = self.session_numbers.get(&key) {
            return *session;
        }
        let session = self.all.sessions.len() as u32;
        let file = self.all.texts.text(key[2]).unwrap_or_default().to_owned();
        self.all.sessions.push(SessionEntry { file, started_ms });
        self.session_keys.push(key);
        self.session_numbers.insert(key, session);
        session
    }

    fn push(&mut self, card: u32, case: u32, observation: FleetObservation) {
        let model = self.all.cards[card as usize].model;
        let cases = &mut self.all.cases[model];
        let texts = &self.all.texts;
        let place = *self.case_numbers.entry((model, case)).or_insert_with(|| {
            cases.push((texts.text(case).unwrap_or_default().to_owned(), Vec::new()));
            cases.len() - 1
        });
        cases[place].1.push(observation);
    }

    /// Leaves out copies, and brings all into an order that does not depend on who read first.
    fn finish(mut self) -> FleetObservations {
        let mut order: Vec<usize> = (0..self.all.sessions.len()).collect();
        order.sort_by(|a, b| self.all.sessions[*a].file.cmp(&self.all.sessions[*b].file));
        let mut first: HashMap<[u32; 2], usize> = HashMap::new();
        let mut of_record: HashMap<u32, HashSet<u32>> = HashMap::new();
        let mut copies: HashSet<u32> = HashSet::new();
        for at in order {
            let [record, content, ..] = self.session_keys[at];
            of_record.entry(record).or_default().insert(content);
            match first.get(&[record, content]) {
                Some(kept) => {
                    copies.insert(at as u32);
                    let sessions = &self.all.sessions;
                    self.all
                        .copies
                        .push((sessions[at].file.clone(), sessions[*kept].file.clone()));
                }
                None => _ = first.insert([record, content], at),
            }
        }
        self.all.namesakes = of_record
            .values()
            .filter(|contents| contents.len() > 1)
            .count();
        for cases in &mut self.all.cases {
            cases.sort_by(|a, b| a.0.cmp(&b.0));
            for (_, observations) in cases.iter_mut() {
                if !copies.is_empty() {
                    observations.retain(|one| !copies.contains(&one.session));
                }
                observations.sort_unstable_by_key(|one| (one.card, one.session));
            }
            // Of a case that only copies had, nothing is known.
            cases.retain(|(_, observations)| !observations.is_empty());
        }
        self.all
    }
}

/// Why a card slowed down, where it did.
pub(super) fn reason(texts: &Texts, number: u32) -> Option<&str> {
    (number != NO_TEXT).then(|| texts.text(number)).flatten()
}
