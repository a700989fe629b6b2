//! What a scenario of the investment model comes to, as a part of a page: the figures, what they rest on, and what the
//! page's own copy of the model is asked when a reader moves an input.

use std::collections::BTreeMap;

use super::marks;
use super::model::{PageAssumption, PageData, PageInvestment, PageSlider};
use super::named::NamedRecord;
use super::provenance::made_by;
use crate::error::{Error, Result};
use crate::escape::shell_word;
use crate::invest::{
    Assumptions, Changes, Distribution, Draws, Evidence, LiveModel, LiveQuestion, ModelInput,
    ModelWeights, NumberFormat, PriorSet, RecordFigure, SLIDERS, Scenario, SliderKind, as_of,
    range,
};
use crate::record::Reading;

/// What is asked of the investment model.
#[derive(Clone, Debug)]
pub struct AskedInvestment {
    /// The scenario.
    pub scenario: Scenario,
    /// What is changed about it.
    pub changes: Changes,
    /// The draws.
    pub draws: Draws,
}

impl AskedInvestment {
    /// The answer with what a record says, or why there is none.
    pub(super) fn with_record(&self, named: &NamedRecord) -> Reading<PageInvestment> {
        let evidence = Evidence::new(named.name.clone(), named.record.clone());
        Reading::from(self.answer(Some(&evidence)))
    }

    fn answer(&self, evidence: Option<&Evidence>) -> Result<PageInvestment> {
        let assumptions = self.scenario.assume(evidence, &self.changes)?;
        let inputs = assumptions.all_inputs();
        let question = LiveQuestion {
            assumptions: without_sources(&assumptions),
            draws: self.draws,
        };
        let live = LiveModel::new(question.clone())?;
        let rests_on = live.rests_on();
        let matters = |key: &str| rests_on.contains(&key);
        let (moving, idle): (Vec<SliderKind>, Vec<SliderKind>) =
            SLIDERS.iter().partition(|slider| matters(slider.key));
        let choices = &assumptions.choices;
        let record = evidence.map_or(Vec::new(), |e| {
            e.findings(choices.precision, choices.weights)
        });
        Ok(PageInvestment {
            title: assumptions.title.clone(),
            about: about(&assumptions, self.draws),
            modelled: modelled(&inputs, &record, evidence),
            marks: evidence.map_or(Vec::new(), marks::of_evidence),
            record,
            answer: live.answer(&BTreeMap::new())?,
            sliders: moving.iter().map(|kind| slider(kind, &inputs)).collect(),
            idle: idle.iter().map(|kind| kind.label.to_owned()).collect(),
            inputs: inputs
                .iter()
                // The size goes by another name than its place.
                .filter(|input| matters(input.key) || input.key == choices.size.key())
                .map(assumption)
                .collect(),
            command: self.command(evidence),
            question: serde_json::to_string(&question)
                .map_err(|e| Error::usage("the scenario", e.to_string()))?,
        })
    }

    /// The command that gives the same figures.
    fn command(&self, evidence: Option<&Evidence>) -> String {
        let Changes {
            accelerator,
            model,
            precision,
            priors,
            weights,
            country,
            set,
        } = &self.changes;
        let mut words = vec!["perwatt".to_owned(), "invest".to_owned()];
        words.extend(evidence.map(|evidence| evidence.label.clone()));
        let mut say = |option: &str, value: Option<&str>| {
            words.extend(
                value
                    .map(|value| [option.to_owned(), value.to_owned()])
                    .into_iter()
                    .flatten(),
            );
        };
        say("--scenario", Some(self.scenario.name()));
        say("--accelerator", accelerator.as_deref());
        say("--model", model.as_deref());
        say("--precision", precision.map(NumberFormat::name));
        say("--weights", weights.map(ModelWeights::name));
        say(
            "--priors",
            Some(priors.name()).filter(|_| *priors != PriorSet::default()),
        );
        say("--country", country.as_deref());
        for pair in set {
            say("--set", Some(pair));
        }
        let Draws { count, seed } = self.draws;
        if count != Draws::default().count {
            say("--draws", Some(&count.to_string()));
        }
        if seed != Draws::default().seed {
            say("--seed", Some(&seed.to_string()));
        }
        let words: Vec<String> = words.iter().map(|word| shell_word(word)).collect();
        words.join(" ")
    }
}

/// A page about a scenario and nothing else.
///
/// # Errors
/// As the model's.
pub fn investment_page(asked: &AskedInvestment, evidence: Option<&Evidence>) -> Result<PageData> {
    let investment = asked.answer(evidence)?;
    Ok(PageData {
        title: investment.title.clone(),
        made_by: made_by(),
        records: Vec::new(),
        comparison: None,
        history: Vec::new(),
        links: Vec::new(),
        fleet: None,
        investment: Some(investment),
    })
}

/// What the page's model needs: sources stand in the table of inputs once.
fn without_sources(assumptions: &Assumptions) -> Assumptions {
    let mut assumptions = assumptions.clone();
    for value in assumptions.values.iter_mut().flatten() {
        value.source.clear();
        value.date = None;
    }
    assumptions
}

fn about(assumptions: &Assumptions, draws: Draws) -> String {
    let choices = &assumptions.choices;
    format!(
        "{} · {} · tokens of {} in {} · priors {} · {} draws, seed {} · {}",
        assumptions.accelerator,
        choices.precision.name(),
        choices.model.name,
        choices.weights.name(),
        assumptions.priors.name(),
        draws.count,
        draws.seed,
        as_of(&assumptions.all_inputs(), assumptions.country.as_deref())
    )
}

/// That nothing here was measured, and what the model had of a record.
fn modelled(inputs: &[ModelInput], record: &[RecordFigure], evidence: Option<&Evidence>) -> String {
    let from_record: Vec<&str> = inputs
        .iter()
        .filter(|input| input.assumption.basis.is_from_record())
        .map(|input| input.key)
        .collect();
    let rest = "published ranges and stated assumptions";
    let from = match (from_record.as_slice(), evidence) {
        ([], None) => format!("from {rest}; no record was given"),
        ([], Some(_)) if record.is_empty() => {
            format!("from {rest}; the record holds nothing that the model could use")
        }
        ([], Some(_)) => {
            format!("from {rest}; nothing of the record is used, and the notes say why")
        }
        (keys, _) => format!("from {} of the record, and from {rest}", keys.join(", ")),
    };
    format!("none of these figures was measured; a model computes them {from}.")
}

fn slider(kind: &SliderKind, inputs: &[ModelInput]) -> PageSlider {
    let input = inputs.iter().find(|input| input.key == kind.key);
    let assumed = input.map(|input| input.assumption.distribution);
    let (low, high) = kind.ends(assumed);
    PageSlider {
        key: kind.key,
        label: kind.label,
        unit: kind.unit(),
        low,
        high,
        step: kind.step,
        middle: assumed.map(Distribution::central),
        assumed: assumed.map_or_else(
            || "nothing is known".to_owned(),
            |assumed| in_words(assumed, kind.unit()),
        ),
    }
}

/// What is assumed, as people say it.
fn in_words(assumed: Distribution, unit: &str) -> String {
    match unit {
        "share" => format!("{} %", range(assumed.times(100.0))),
        "ratio" => range(assumed),
        unit => format!("{} {unit}", range(assumed)),
    }
}

fn assumption(input: &ModelInput) -> PageAssumption {
    let given = &input.assumption;
    PageAssumption {
        key: input.key,
        about: input.about,
        value: range(given.distribution),
        unit: input.unit,
        basis: given.basis.name(),
        source: match &given.date {
            Some(date) => format!("{} ({date})", given.source),
            None => given.source.clone(),
        },
    }
}
