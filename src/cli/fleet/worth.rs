//! What slow and wasteful cards cost, in dollars and GWh a year. The summary knows no money and the investment model no
//! fleet; they meet here. All of it is MODELLED.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::fleet::summary::{
    FleetItemWorth, FleetJobWorth, FleetSummary, FleetWorth, ModelSummary, PeerRatio, PullKind,
};
use crate::invest::{
    Assumptions, Changed, Changes, Draws, Quantiles, Scale, Scenario, accelerators, data_sheet,
};

/// The scenario whose prices, buildings and hours stand for a card's.
const SCENARIO: &str = "cluster-100k";

/// Draws; quantiles of a list need no more.
const DRAWS: usize = 20_000;

/// What the user says of prices.
#[derive(Clone, Copy, Debug)]
pub(super) struct PriceOptions {
    /// Dollars of a card's hour.
    pub(super) per_hour: Option<f64>,
    /// Dollars of a kWh.
    pub(super) electricity: Option<f64>,
    /// Cards of a job.
    pub(super) job_cards: usize,
}

/// What the list of a summary costs in a year.
///
/// # Errors
/// The model's own inputs are refused, a price out of its bounds say.
pub(super) fn priced(summary: &FleetSummary, options: &PriceOptions) -> Result<FleetWorth> {
    let mut worth = FleetWorth {
        basis: Vec::new(),
        items: Vec::new(),
        jobs: Vec::new(),
    };
    let mut scales: BTreeMap<&str, CardPrice> = BTreeMap::new();
    for model in summary
        .models
        .iter()
        .filter(|model| !summary.software_let_in || model.cards == 0)
    {
        if !scales.contains_key(model.device.as_str()) {
            let price = CardPrice::of(&model.device, options)?;
            worth.basis.push(price.basis.clone());
            scales.insert(&model.device, price);
        }
    }
    worth.items = summary
        .pull
        .iter()
        .map(|item| {
            let changed = match item.what {
                PullKind::WastefulCard => Changed::Energy,
                _ => Changed::Time,
            };
            let price = scales.get(item.device.as_str());
            Some(price?.worth(changed, &item.cost?, item.cards))
        })
        .collect();
    worth.jobs = summary
        .models
        .iter()
        .filter_map(|model| job(model, scales.get(model.device.as_str())?, options))
        .collect();
    Ok(worth)
}

/// What the slow cards of a model cost if all of its cards work in jobs of a size.
fn job(model: &ModelSummary, price: &CardPrice, options: &PriceOptions) -> Option<FleetJobWorth> {
    let job = options.job_cards.min(model.cards);
    let cost = model
        .synchronous
        .iter()
        .find(|cost| cost.job_cards == job)?;
    Some(FleetJobWorth {
        device: model.device.clone(),
        cards: model.cards,
        job_cards: job,
        worth: price.worth(Changed::Time, &cost.step_time, model.cards),
    })
}

/// What one card of a model costs.
struct CardPrice {
    basis: String,
    scale: Scale,
    per_hour: Option<f64>,
}

impl CardPrice {
    fn of(device: &str, options: &PriceOptions) -> Result<Self> {
        let known = data_sheet(device).map(|sheet| sheet.device);
        let entry = accelerators()?
            .into_iter()
            .find(|entry| Some(&entry.title) == known.as_ref());
        let known = entry.map(|entry| entry.id);
        let mut changes = Changes {
            accelerator: known.clone(),
            set: vec!["accelerators=1".to_owned()],
            ..Changes::default()
        };
        if let Some(dollars) = options.electricity {
            changes.set.push(format!("electricity_price={dollars}"));
        }
        let assumptions: Assumptions = Scenario::open(SCENARIO)?.assume(None, &changes)?;
        let draws = Draws {
            count: DRAWS,
            ..Draws::default()
        };
        let stand_in = match known {
            Some(_) => String::new(),
            None => format!(", which stands for {device}, a card that the model does not know"),
        };
        let hour = match options.per_hour {
            Some(dollars) => format!("$ {dollars} an hour as given; energy and gases"),
            None => "price, energy and gases".to_owned(),
        };
        Ok(Self {
            basis: format!(
                "{device}: {hour} of one {} in the scenario {SCENARIO}, with its share of building, network and power \
                 (`perwatt invest --scenario {SCENARIO} --inputs`){stand_in}",
                assumptions.accelerator
            ),
            scale: Scale::new(&assumptions, draws)?,
            per_hour: options.per_hour,
        })
    }

    /// What it costs in a year that `cards` cards need `cost` times as much for the same work.
    fn worth(&self, changed: Changed, cost: &PeerRatio, cards: usize) -> FleetItemWorth {
        const HOURS: f64 = 8766.0;
        let cards = cards as f64;
        let scaled = self.scale.worth(changed, cost.ratio, cost.low, cost.high);
        let given = self
            .per_hour
            .filter(|_| changed == Changed::Time)
            .map(|dollars| {
                [cost.low, cost.ratio, cost.high]
                    .map(|ratio| (ratio - 1.0) * dollars * HOURS * cards)
            });
        let of = |q: Quantiles, unit: f64| [q.p5, q.p50, q.p95].map(|v| v * cards / unit);
        FleetItemWorth {
            dollars_per_year: given.or(scaled.as_ref().map(|worth| of(worth.dollars, 1.0))),
            gwh_per_year: scaled.as_ref().map(|worth| of(worth.energy_j, 3.6e12)),
            tonnes_co2e_per_year: scaled.as_ref().map(|worth| of(worth.carbon_kg, 1000.0)),
        }
    }
}
