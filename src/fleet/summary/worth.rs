//! What the findings come to in a year, as data. The caller, which knows prices, fills it in.

use serde::Serialize;

/// What a summary's list comes to. MODELLED.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FleetWorth {
    /// What is assumed, a sentence a model of cards.
    pub basis: Vec<String>,
    /// For each line of the list, in its order.
    pub items: Vec<Option<FleetItemWorth>>,
    /// For each model with slow cards: if all of its cards work in jobs that wait for their slowest card.
    pub jobs: Vec<FleetJobWorth>,
}

/// What something costs in a year, each as its low end, best value and high end.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FleetItemWorth {
    /// Dollars.
    pub dollars_per_year: Option<[f64; 3]>,
    /// Energy.
    pub gwh_per_year: Option<[f64; 3]>,
    /// Gases.
    pub tonnes_co2e_per_year: Option<[f64; 3]>,
}

/// What slow cards cost through the jobs that wait for them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FleetJobWorth {
    /// The model.
    pub device: String,
    /// Its cards.
    pub cards: usize,
    /// Cards of a job.
    pub job_cards: usize,
    /// For all of the model's cards together.
    pub worth: FleetItemWorth,
}
