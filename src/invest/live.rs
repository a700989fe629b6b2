//! The answer while a reader moves its sliders: the outputs at a glance, again and again for inputs of which few
//! change.
//!
//! A page holds this compiled to WebAssembly, and the page's first figures come from the same code in the program
//! that wrote it. So a figure of a page is one of `perwatt invest` with the same `--set`, to the last digit. What
//! was drawn is kept, which saves time and changes nothing: an input's draws depend on its name and its
//! distribution alone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::assume::Assumptions;
use super::distribution::Distribution;
use super::figure::{Assumption, Basis};
use super::inputs::{INPUTS, position};
use super::model::{ModelOutput, Simulation, distributions, is_noted, notes};
use super::outputs::{OUTPUTS, Section};
use super::quantity::row_in_words;
use super::sentence::{SentenceSubject, in_one_sentence, is_in_a_sentence};
use super::simulate::{Draws, InputColumn, Quantiles, dependencies};
use super::sliders::SLIDERS;
use crate::error::{Error, Result};
use crate::record::Reading;

/// What a page asks about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LiveQuestion {
    /// Everything that is assumed before a slider is moved.
    pub assumptions: Assumptions,
    /// The draws.
    pub draws: Draws,
}

/// What a page shows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LiveAnswer {
    /// The answer in one sentence.
    pub sentence: String,
    /// The outputs at a glance.
    pub sections: Vec<LiveSection>,
    /// What a reader must know.
    pub notes: Vec<String>,
}

/// Outputs under one title.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LiveSection {
    /// The title.
    pub title: String,
    /// The outputs.
    pub rows: Vec<LiveRow>,
}

/// One output.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LiveRow {
    /// Its name in JSON.
    pub key: &'static str,
    /// What it is, under its section's title.
    pub label: &'static str,
    /// Where its middle 90 % lies, in `unit`, or why that cannot be said.
    pub quantiles: Reading<Quantiles>,
    /// The unit of `quantiles`.
    pub unit: &'static str,
    /// 5, 50 and 95 % as people read them; empty where there are none.
    pub words: Vec<String>,
    /// The unit of `words`.
    pub words_unit: String,
    /// What it rests on.
    pub basis: Basis,
}

/// A question whose inputs are drawn.
#[derive(Clone, Debug)]
pub struct LiveModel {
    question: LiveQuestion,
    columns: Vec<InputColumn>,
    /// The outputs that are shown, and those of which the sentence and the notes speak.
    wanted: Vec<usize>,
}

impl LiveModel {
    /// Draws the inputs.
    ///
    /// # Errors
    /// Too few or too many draws, or assumptions of another version of perwatt.
    pub fn new(question: LiveQuestion) -> Result<Self> {
        question.draws.check()?;
        let assumptions = &question.assumptions;
        if assumptions.values.len() != INPUTS.len() {
            return Err(Error::usage(
                "the question",
                "it is of another version of perwatt; make the page again",
            ));
        }
        let columns = distributions(assumptions)
            .into_iter()
            .zip(INPUTS)
            .map(|(distribution, kind)| column(kind.key, distribution, question.draws))
            .collect();
        let precision = assumptions.choices.precision;
        let wanted = OUTPUTS
            .iter()
            .enumerate()
            .filter(|(_, kind)| {
                kind.is_at_a_glance(precision) || is_noted(kind.key) || is_in_a_sentence(kind.key)
            })
            .map(|(at, _)| at)
            .collect();
        Ok(Self {
            question,
            columns,
            wanted,
        })
    }

    /// The answer with some inputs set to what stands after `--set KEY=`.
    ///
    /// # Errors
    /// An input that is no slider, a value that makes no sense, or a product that no number holds.
    pub fn answer(&self, set: &BTreeMap<String, String>) -> Result<LiveAnswer> {
        let (assumptions, columns) = self.with(set)?;
        let draws = self.question.draws;
        let simulation = Simulation::of_columns(&assumptions, draws, columns, &self.wanted);
        let outputs = simulation.outputs()?;
        Ok(LiveAnswer {
            sentence: in_one_sentence(&SentenceSubject::from(&assumptions), &outputs),
            sections: sections(&assumptions, &outputs),
            notes: notes(&assumptions, &outputs),
        })
    }

    /// The inputs on which anything depends that is shown.
    pub fn rests_on(&self) -> Vec<&'static str> {
        let LiveQuestion { assumptions, draws } = &self.question;
        let depends = dependencies(&assumptions.choices, &self.columns, draws.count);
        let matters = |input: &usize| self.wanted.iter().any(|output| depends[*output][*input]);
        (0..INPUTS.len())
            .filter(matters)
            .map(|input| INPUTS[input].key)
            .collect()
    }

    fn with(&self, set: &BTreeMap<String, String>) -> Result<(Assumptions, Vec<InputColumn>)> {
        let (mut assumptions, mut columns) =
            (self.question.assumptions.clone(), self.columns.clone());
        for (key, text) in set {
            let what = || format!("--set {key}={text}");
            let slider = SLIDERS.iter().find(|slider| slider.key == key);
            let at = slider
                .and_then(|slider| position(slider.key))
                .ok_or_else(|| {
                    let keys = SLIDERS.map(|slider| slider.key).join(", ");
                    Error::usage(what(), format!("a page moves {keys} and nothing else"))
                })?;
            let kind = &INPUTS[at];
            let assumption = Assumption::given(text, kind.unit, Some(kind))
                .map_err(|reason| Error::usage(what(), reason))?;
            columns[at] = column(kind.key, Some(assumption.distribution), self.question.draws);
            assumptions.values[at] = Some(assumption);
        }
        Ok((assumptions, columns))
    }
}

/// An input's draws, without what only sensitivities need: a browser's memory is small.
fn column(key: &str, distribution: Option<Distribution>, draws: Draws) -> InputColumn {
    InputColumn {
        levels: Default::default(),
        ..InputColumn::draw(key, distribution, draws, 0)
    }
}

/// The outputs at a glance under their titles.
fn sections(
    assumptions: &Assumptions,
    outputs: &BTreeMap<&'static str, ModelOutput>,
) -> Vec<LiveSection> {
    let run_flop = assumptions.central("run_flop").unwrap_or(f64::NAN);
    let mut sections: Vec<(Section, LiveSection)> = Vec::new();
    let shown = OUTPUTS
        .iter()
        .filter(|kind| kind.is_at_a_glance(assumptions.choices.precision));
    for kind in shown {
        let Some(output) = outputs.get(kind.key) else {
            continue;
        };
        let (words, words_unit) = words(output);
        let row = LiveRow {
            key: kind.key,
            label: kind.row_label,
            quantiles: output.quantiles.clone(),
            unit: kind.unit,
            words,
            words_unit,
            basis: output.basis,
        };
        match sections.last_mut() {
            Some((section, last)) if *section == kind.section => last.rows.push(row),
            _ => sections.push((
                kind.section,
                LiveSection {
                    title: kind.section.title(run_flop),
                    rows: vec![row],
                },
            )),
        }
    }
    sections.into_iter().map(|(_, section)| section).collect()
}

fn words(output: &ModelOutput) -> (Vec<String>, String) {
    match output.quantiles.measured() {
        None => (Vec::new(), String::new()),
        Some(q) => {
            let (words, unit) = row_in_words(output.quantity, output.unit, q);
            (words.into(), unit)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invest::{Changes, Scenario, model};

    const DRAWS: Draws = Draws {
        count: 2_000,
        seed: 7,
    };

    fn question(scenario: &str, set: &[&str]) -> LiveQuestion {
        let changes = Changes {
            set: set.iter().map(|pair| (*pair).to_owned()).collect(),
            ..Changes::default()
        };
        LiveQuestion {
            assumptions: Scenario::open(scenario)
                .unwrap()
                .assume(None, &changes)
                .unwrap(),
            draws: DRAWS,
        }
    }

    fn rows(answer: &LiveAnswer) -> Vec<&LiveRow> {
        answer
            .sections
            .iter()
            .flat_map(|section| &section.rows)
            .collect()
    }

    #[test]
    fn what_is_moved_is_what_set_gives() {
        for entry in Scenario::list().unwrap() {
            // About the device of a record.
            if entry.id == "desk" {
                continue;
            }
            let live = LiveModel::new(question(&entry.id, &[])).unwrap();
            for set in [
                &[][..],
                &["pue=1.31"],
                &["busy=0.4", "electricity_price=0.02..0.3"],
                &["ai_share=12%", "carbon_intensity=0"],
            ] {
                let moved = set.iter().map(|pair| pair.split_once('=').unwrap());
                let moved = moved.map(|(key, value)| (key.to_owned(), value.to_owned()));
                let answer = live.answer(&moved.collect()).unwrap();
                let LiveQuestion { assumptions, draws } = question(&entry.id, set);
                let whole = model(&assumptions, draws).unwrap();
                assert!(rows(&answer).len() >= 15, "{}", entry.id);
                for row in rows(&answer) {
                    let output = &whole.outputs[row.key];
                    assert_eq!(
                        row.quantiles, output.quantiles,
                        "{} {set:?} {}",
                        entry.id, row.key
                    );
                    assert_eq!(row.basis, output.basis, "{} {}", entry.id, row.key);
                }
                assert_eq!(answer.notes, whole.notes, "{} {set:?}", entry.id);
            }
        }
    }

    #[test]
    fn a_page_of_a_desk_says_the_sentence_of_the_terminal() {
        let changes = Changes {
            accelerator: Some("rtx-4090".to_owned()),
            ..Changes::default()
        };
        let assumptions = Scenario::open("desk").unwrap();
        let assumptions = assumptions.assume(None, &changes).unwrap();
        let whole = model(&assumptions, DRAWS).unwrap();
        let live = LiveModel::new(LiveQuestion {
            assumptions,
            draws: DRAWS,
        });
        let sentence = live.unwrap().answer(&BTreeMap::new()).unwrap().sentence;
        assert!(
            sentence.contains("tok/s of Llama 3.1 8B in q4"),
            "{sentence}"
        );
        assert_eq!(
            sentence,
            in_one_sentence(&SentenceSubject::from(&whole), &whole.outputs)
        );
    }

    #[test]
    fn a_question_survives_json() {
        let asked = question("article-155bn", &[]);
        let text = serde_json::to_string(&asked).unwrap();
        assert_eq!(serde_json::from_str::<LiveQuestion>(&text).unwrap(), asked);
    }

    #[test]
    fn what_cannot_be_moved_is_refused_in_words() {
        let live = LiveModel::new(question("article-155bn", &[])).unwrap();
        for (key, value, words) in [
            ("budget", "1e9", "nothing else"),
            ("pue", "0.5", "outside 1 to 10"),
            ("pue", "abc", "no number"),
        ] {
            let set = BTreeMap::from([(key.to_owned(), value.to_owned())]);
            let error = live.answer(&set).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
        let mut short = question("article-155bn", &[]);
        short.assumptions.values.pop();
        let error = LiveModel::new(short).unwrap_err().to_string();
        assert!(error.contains("another version"), "{error}");
    }
}
