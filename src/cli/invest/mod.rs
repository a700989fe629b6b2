//! `perwatt invest`: what a sum of money buys at the efficiency that was measured.

pub(super) mod json;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Args;

use super::exit::Exit;
use super::support::input::load_record;
use super::support::output::{print, tell, width};
use super::support::output_file::{OutputFile, OutputFileKind};
use crate::error::Error;
use crate::invest::{
    Answer, Assumptions, CardModel, Changes, DEFAULT_SCENARIO, Draws, Evidence, ModelWeights,
    NumberFormat, PriorSet, RECORD_SCENARIO, Scenario, WhatIf, accelerators, backtest_groups,
    backtests, countries, model, models, published_format, what_if,
};
use crate::page::{AskedInvestment, html, investment_page};
use crate::report::{self, PageExtent};
use json::InvestJson;

/// What a sum of money buys: accelerators, useful FLOP/s, tokens, watts, emissions.
///
/// Without a record everything rests on published ranges. With one, the achievable rates and the power
/// are those that were measured, with their uncertainty; every figure says which of the two it rests on.
#[derive(Debug, Args)]
pub(super) struct Invest {
    /// A result file; the answer is about its device
    #[arg(value_name = "RECORD")]
    record: Option<PathBuf>,

    #[command(flatten)]
    question: Question,

    /// Compare with another accelerator, or with the device of another result file, for the same sum
    #[arg(long, value_name = "RECORD|ID")]
    against: Option<String>,

    /// Print JSON
    #[arg(long)]
    json: bool,

    /// Write a page for a browser, with sliders that recompute the answer
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["json", "full", "sources", "inputs", "list", "against", "backtest"])]
    out: Option<PathBuf>,

    /// Replace whatever is at --out
    #[arg(long, requires = "out")]
    force: bool,

    /// Show everything: every row, what makes it uncertain, what one per cent is worth
    #[arg(long)]
    full: bool,

    /// Show the source of every input
    #[arg(long)]
    sources: bool,

    /// List the inputs that can be set, with their present values
    #[arg(long, conflicts_with_all = ["sources", "against"])]
    inputs: bool,

    /// List scenarios, accelerators, language models and countries
    #[arg(long, conflicts_with_all = ["record", "sources", "inputs", "against", "backtest"])]
    list: bool,

    /// Compare the model with public clusters and runs
    #[arg(long, conflicts_with_all = ["record", "sources", "inputs", "against"])]
    backtest: bool,
}

/// The scenario and what is changed about it.
#[derive(Debug, Args)]
pub(super) struct Question {
    /// A scenario's name (--list), or a TOML file [default: article-155bn; with a record desk]
    #[arg(long, value_name = "ID|FILE")]
    scenario: Option<String>,

    /// The accelerator that is bought; `record` is the record's own device
    #[arg(long, value_name = "ID")]
    accelerator: Option<String>,

    /// The language model whose tokens are counted
    #[arg(long, value_name = "ID")]
    model: Option<String>,

    /// Number format of training and inference: f32, bf16, fp8 or fp4
    #[arg(long, value_name = "FORMAT", value_parser = parse_precision)]
    precision: Option<NumberFormat>,

    /// Priors: `2026-11`, or `frozen` as before the first comparison with public clusters
    #[arg(long, value_name = "SET", default_value = "2026-11", value_parser = parse_priors)]
    priors: PriorSet,

    /// How weights lie in memory: f32, f16, fp8, fp4, q8 or q4 [default: f16; fp8 or fp4 with that --precision]
    #[arg(long, value_name = "FORMAT", value_parser = parse_weights)]
    weights: Option<ModelWeights>,

    /// Country of the grid: electricity price and carbon intensity
    #[arg(long, value_name = "CODE")]
    country: Option<String>,

    /// Another value for an input: a number, LOW/LIKELY/HIGH or LOW..HIGH (repeatable)
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,

    /// Monte Carlo samples
    #[arg(long, value_name = "N", default_value_t = Draws::default().count)]
    draws: usize,

    /// Seed of the simulation; one seed gives one result, everywhere
    #[arg(long, value_name = "N", default_value_t = Draws::default().seed)]
    seed: u64,
}

/// Draws of a back-test: so many cases need no finer quantiles.
const OF_A_BACKTEST: Draws = Draws {
    count: 8_000,
    seed: 1,
};

/// The models of which a desk's page speaks, each in the formats that people run.
const ON_A_DESK: [(&str, ModelWeights); 6] = [
    ("llama-3.1-8b", ModelWeights::Q4),
    ("llama-3.1-8b", ModelWeights::F16),
    ("llama-3.1-70b", ModelWeights::Q4),
    ("llama-3.1-70b", ModelWeights::F16),
    ("llama-3.1-405b", ModelWeights::Q4),
    ("deepseek-v3", ModelWeights::Q4),
];

/// Draws for each row of that table, which shows two digits.
const DESK_DRAWS: usize = 4_000;

impl Invest {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        if self.list {
            return self.lists();
        }
        if self.backtest {
            return self.backtests();
        }
        let evidence = self.record.as_deref().map(load).transpose()?;
        let changes = self.question.changes();
        let scenario = self.question.scenario(evidence.is_some())?;
        if let Some(file) = &self.out {
            return self.write_page(file, scenario, evidence.as_ref());
        }
        let assumptions = scenario.assume(evidence.as_ref(), &changes)?;
        if self.inputs {
            return self.show_inputs(&assumptions);
        }
        let evidence = evidence.as_ref();
        let other = match &self.against {
            Some(against) => Some(other_side(against, &scenario, evidence, &changes)?),
            None => None,
        };
        let draws = self.question.draws();
        let answer = model(&assumptions, draws)?;
        if self.sources {
            return self.show_sources(&answer);
        }
        let contrast = other
            .map(|other| what_if(&assumptions, &other, draws))
            .transpose()?;
        if let Some(contrast) = contrast.as_ref().filter(|_| !self.json) {
            return show_contrast(&answer, contrast);
        }
        let models = match assumptions.scenario == RECORD_SCENARIO {
            true => on_this_desk(&scenario, evidence, &changes, &answer)?,
            false => Vec::new(),
        };
        let (precision, weights) = (assumptions.choices.precision, assumptions.choices.weights);
        let findings = evidence.map_or(Vec::new(), |e| e.findings(precision, weights));
        if self.json {
            let form = InvestJson::Answer {
                models: &models,
                answer: &answer,
                record: &findings,
                against: contrast.as_ref(),
            };
            form.print()?;
            return Ok(Exit::Done);
        }
        let about = evidence.map(Evidence::about);
        let record = about.as_deref().map(|about| report::GivenRecord {
            about,
            findings: &findings,
        });
        let extent = self.extent();
        print(&report::invest(&answer, record, &models, extent, width()))?;
        Ok(Exit::Done)
    }

    fn extent(&self) -> PageExtent {
        match self.full {
            true => PageExtent::Full,
            false => PageExtent::Short,
        }
    }

    fn backtests(&self) -> anyhow::Result<Exit> {
        let priors = self.question.priors;
        let all = backtests(OF_A_BACKTEST, priors)?;
        let groups = &backtest_groups(&all);
        if self.json {
            let backtests = &all;
            InvestJson::Backtests { backtests, groups }.print()?;
        } else {
            print(&report::invest_backtests(&all, groups, priors, width()))?;
        }
        Ok(Exit::Done)
    }

    fn show_inputs(&self, assumptions: &Assumptions) -> anyhow::Result<Exit> {
        let inputs = &assumptions.all_inputs();
        if self.json {
            InvestJson::Inputs { inputs }.print()?;
        } else {
            print(&report::invest_inputs(inputs, width()))?;
        }
        Ok(Exit::Done)
    }

    fn show_sources(&self, answer: &Answer) -> anyhow::Result<Exit> {
        if self.json {
            let sources = &answer.inputs;
            InvestJson::Sources { sources }.print()?;
        } else {
            print(&report::invest_sources(answer, width()))?;
        }
        Ok(Exit::Done)
    }
}

fn show_contrast(answer: &Answer, contrast: &WhatIf) -> anyhow::Result<Exit> {
    let title = format!("{}\n", answer.title);
    print(&(title + &report::invest_what_if(contrast, width())))?;
    Ok(Exit::Done)
}

/// What the machine does with common models, beside what the same tokens cost on H100s of a data centre.
fn on_this_desk(
    desk: &Scenario,
    evidence: Option<&Evidence>,
    changes: &Changes,
    answer: &Answer,
) -> crate::Result<Vec<CardModel>> {
    let draws = Draws {
        count: DESK_DRAWS.min(answer.draws.count),
        ..answer.draws
    };
    let cloud = Scenario::open("cluster-100k")?;
    let of = |scenario: &Scenario, evidence, changes: &Changes, id: &str, weights| {
        let changes = Changes {
            model: Some(id.to_owned()),
            weights: Some(weights),
            ..changes.clone()
        };
        model(&scenario.assume(evidence, &changes)?, draws)
    };
    let mut rented: BTreeMap<&str, Answer> = BTreeMap::new();
    let mut rows = Vec::new();
    for (id, weights) in &ON_A_DESK {
        if !rented.contains_key(id) {
            let format = published_format(id);
            let served = Changes {
                priors: changes.priors,
                precision: Some(format),
                ..Changes::default()
            };
            rented.insert(id, of(&cloud, None, &served, id, ModelWeights::of(format))?);
        }
        // Each row rests on what the record says of its own weights.
        let own = of(desk, evidence, changes, id, *weights)?;
        // What the page is about has one figure on it.
        let is_asked = (&own.model, own.weights) == (&answer.model, answer.weights);
        let own = if is_asked { answer.clone() } else { own };
        rows.push(CardModel::new(own, &rented[id]));
    }
    Ok(rows)
}

impl Invest {
    fn write_page(
        &self,
        path: &Path,
        scenario: Scenario,
        evidence: Option<&Evidence>,
    ) -> anyhow::Result<Exit> {
        let file = OutputFile {
            path,
            kind: OutputFileKind::Page,
            force: self.force,
        };
        file.check()?;
        let asked = AskedInvestment {
            scenario,
            changes: self.question.changes(),
            draws: self.question.draws(),
        };
        file.write(&html(&investment_page(&asked, evidence)?)?)?;
        tell(&format!("Page: {}", path.display()));
        Ok(Exit::Done)
    }

    fn lists(&self) -> anyhow::Result<Exit> {
        if self.json {
            let lists = InvestJson::Lists {
                accelerators: accelerators()?,
                countries: countries()?,
                models: models()?,
                scenarios: Scenario::list()?,
            };
            lists.print()?;
        } else {
            print(&listing()?)?;
        }
        Ok(Exit::Done)
    }
}

impl Question {
    fn scenario(&self, has_record: bool) -> crate::Result<Scenario> {
        let default = if has_record && self.accelerator.is_none() {
            RECORD_SCENARIO
        } else {
            DEFAULT_SCENARIO
        };
        Scenario::open(self.scenario.as_deref().unwrap_or(default))
    }

    fn changes(&self) -> Changes {
        Changes {
            accelerator: self.accelerator.clone(),
            model: self.model.clone(),
            precision: self.precision,
            weights: self.weights,
            priors: self.priors,
            country: self.country.clone(),
            set: self.set.clone(),
        }
    }

    fn draws(&self) -> Draws {
        Draws {
            count: self.draws,
            seed: self.seed,
        }
    }
}

fn load(path: &Path) -> crate::Result<Evidence> {
    if let Some((option, id)) = known_name(path)? {
        return Err(Error::usage(
            &id,
            format!(
                "no result file, but the name of what {option} takes: `perwatt invest {option} {id}`"
            ),
        ));
    }
    let label = path.file_name().map_or_else(
        || path.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    );
    Ok(Evidence::new(label, load_record(path)?))
}

/// The option that takes this name, where no file has it.
fn known_name(path: &Path) -> crate::Result<Option<(&'static str, String)>> {
    let Some(name) = path.to_str().filter(|_| !path.exists()) else {
        return Ok(None);
    };
    let lists = [
        ("--scenario", Scenario::list()?),
        ("--accelerator", accelerators()?),
        ("--model", models()?),
        ("--country", countries()?),
    ];
    let found = lists.iter().find_map(|(option, list)| {
        let entry = list
            .iter()
            .find(|entry| entry.id.eq_ignore_ascii_case(name))?;
        Some((*option, entry.id.clone()))
    });
    Ok(found)
}

/// The other side of a what-if: a file is a record, anything else an accelerator.
fn other_side(
    against: &str,
    scenario: &Scenario,
    evidence: Option<&Evidence>,
    changes: &Changes,
) -> anyhow::Result<Assumptions> {
    let path = Path::new(against);
    if path.is_file() || against.ends_with(".json") {
        let other = load(path)?;
        let Some(evidence) = evidence else {
            bail!(
                "--against {against}: a record is compared with a record; give the first one too, or name an \
                 accelerator (--list)"
            );
        };
        // Each record speaks for its own device, unless the call says which device is bought.
        let mut changes = changes.clone();
        if other.adapter != evidence.adapter && changes.accelerator.is_none() {
            changes.accelerator = Some("record".to_owned());
        }
        return Ok(scenario.assume(Some(&other), &changes)?);
    }
    let changes = Changes {
        accelerator: Some(against.to_owned()),
        ..changes.clone()
    };
    Ok(scenario.assume(evidence, &changes)?)
}

fn listing() -> crate::Result<String> {
    let others = [
        ("accelerator", accelerators()?),
        ("model", models()?),
        ("country", countries()?),
    ];
    Ok(report::invest_list(&Scenario::list()?, &others, width()))
}

/// The name by which something is known that is also called otherwise.
fn read_as<'t>(text: &'t str, also: [&str; 2], known: &'t str) -> &'t str {
    match also.iter().any(|other| other.eq_ignore_ascii_case(text)) {
        true => known,
        false => text,
    }
}

fn parse_precision(text: &str) -> Result<NumberFormat, String> {
    // f16 runs on the same units at the same rate.
    let name = read_as(text, ["f16", "fp16"], NumberFormat::Bf16.name());
    NumberFormat::ALL
        .into_iter()
        .find(|precision| precision.name().eq_ignore_ascii_case(name))
        .ok_or_else(|| "give f32, bf16, fp8 or fp4; f16 is read as bf16".to_owned())
}

fn parse_weights(text: &str) -> Result<ModelWeights, String> {
    // What counts is how many bytes they take.
    let name = read_as(text, ["bf16", "fp16"], ModelWeights::F16.name());
    ModelWeights::ALL
        .into_iter()
        .find(|weights| weights.name().eq_ignore_ascii_case(name))
        .ok_or_else(|| "give f32, f16, fp8, fp4, q8 or q4".to_owned())
}

fn parse_priors(text: &str) -> Result<PriorSet, String> {
    PriorSet::ALL
        .into_iter()
        .find(|priors| priors.name() == text)
        .ok_or_else(|| "give 2026-11 or frozen".to_owned())
}
