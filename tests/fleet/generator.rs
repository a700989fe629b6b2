//! Fleets whose truth is known. What makes cards differ here is not what the summary assumes: each card has a level
//! and two leanings (arithmetic, memory) that its cases share to different degrees, each session has a level of its
//! own, noise is normal, of three degrees of freedom, or mixed, and cases differ in noise by a factor of ten.

use std::borrow::Cow;

use perwatt::fleet::summary::{FleetEngine, FleetSummary, SummaryOptions, summarize};
use perwatt::fleet::table::{CaseRows, RecordHead, RecordRows, TableBuilder};
use perwatt::record::{Better, ExportedFigure};
use perwatt::stats::Interval;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// How noise is distributed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Noise {
    Normal,
    /// Student's t with three degrees of freedom, scaled to the same quartiles.
    HeavyTails,
    /// One in twenty is five times as wide.
    Mixture,
    /// To the slow side longer: exponential above, normal below.
    Skewed,
}

/// A fleet to be made.
#[derive(Clone, Debug)]
pub(crate) struct FleetSpec {
    pub(crate) cards: usize,
    pub(crate) cases: usize,
    pub(crate) noise: Noise,
    /// Spread of the cards' own levels.
    pub(crate) silicon: f64,
    /// Records of each card, a week apart.
    pub(crate) records: usize,
    /// GPUs of a machine, and machines of a rack.
    pub(crate) gpus: usize,
    pub(crate) seed: u64,
}

impl Default for FleetSpec {
    fn default() -> Self {
        Self {
            cards: 64,
            cases: 10,
            noise: Noise::Normal,
            silicon: 0.007,
            records: 1,
            gpus: 2,
            seed: 1,
        }
    }
}

/// What is planted into one card and case at one record: ln of the ratio of time, and of joules.
pub(crate) type Planted<'p> = &'p dyn Fn(usize, usize, usize) -> (f64, f64);

pub(crate) fn nothing(_card: usize, _case: usize, _record: usize) -> (f64, f64) {
    (0.0, 0.0)
}

fn normal(rng: &mut Pcg64Mcg) -> f64 {
    let (u, v): (f64, f64) = (rng.random(), rng.random());
    (-2.0 * (1.0 - u).ln()).sqrt() * (2.0 * std::f64::consts::PI * v).cos()
}

impl Noise {
    pub(crate) fn draw(self, rng: &mut Pcg64Mcg) -> f64 {
        match self {
            Self::Normal => normal(rng),
            Self::HeavyTails => {
                let squares: f64 = (0..3).map(|_| normal(rng).powi(2)).sum();
                normal(rng) / (squares / 3.0).sqrt() * 0.882
            }
            Self::Mixture => {
                let wide = rng.random::<f64>() < 0.05;
                normal(rng) * if wide { 5.0 } else { 1.0 }
            }
            Self::Skewed => {
                let z = normal(rng);
                if z < 0.0 {
                    z
                } else {
                    -(1.0 - rng.random::<f64>()).ln()
                }
            }
        }
    }
}

/// The place of a card: racks of four machines.
pub(crate) fn node_of(spec: &FleetSpec, card: usize) -> (String, String) {
    let node = card / spec.gpus;
    (
        format!("rack{:02}-node{:02}", node / 4, node % 4),
        format!("{}", card % spec.gpus),
    )
}

/// The records of a fleet.
pub(crate) fn records(spec: &FleetSpec, planted: Planted) -> Vec<RecordRows> {
    let mut rng = Pcg64Mcg::seed_from_u64(spec.seed);
    let case_noise: Vec<f64> = (0..spec.cases)
        .map(|case| 0.001 * 10_f64.powf((case % 10) as f64 / 10.0))
        .collect();
    let mut all = Vec::new();
    for card in 0..spec.cards {
        let level = spec.silicon * spec.noise.draw(&mut rng);
        let lean = [0.5, 0.5].map(|share| share * spec.silicon * spec.noise.draw(&mut rng));
        for record in 0..spec.records {
            let session = 0.002 * spec.noise.draw(&mut rng);
            let cases = (0..spec.cases)
                .map(|case| {
                    let noise = case_noise[case];
                    let (time, joules) = planted(card, case, record);
                    let natural =
                        level + session + lean[case % 2] + noise * spec.noise.draw(&mut rng);
                    // What a card says of its own uncertainty is an estimate of three invocations.
                    let own = noise * (0.5 + rng.random::<f64>());
                    let value = (1e6 * (case + 1) as f64) * (natural + time).exp();
                    case_rows(case, value, own, natural + joules, &mut rng)
                })
                .collect();
            all.push(RecordRows {
                head: head(spec, card, record),
                cases,
            });
        }
    }
    all
}

fn head(spec: &FleetSpec, card: usize, record: usize) -> RecordHead {
    let (node, gpu) = node_of(spec, card);
    let day = 20_000 + 7 * record as i64;
    let date = format!("2024-{:02}-{:02}", 10 + record / 28, 1 + record % 28);
    RecordHead {
        record: format!("s{}-{card}-{record}", spec.seed),
        content: format!("c{}-{card}-{record}", spec.seed),
        file: format!("{node}--{gpu}"),
        started_ms: Some(day * 86_400_000 + card as i64),
        date: Some(date),
        device: "NVIDIA H100 80GB HBM3".to_owned(),
        vendor_id: 0x10de,
        device_id: 0x2330,
        backend: "vulkan".to_owned(),
        driver: "NVIDIA 550.54".to_owned(),
        node,
        gpu: Some(gpu),
        perwatt: "0.1.0".to_owned(),
        ..RecordHead::default()
    }
}

fn case_rows(case: usize, value: f64, own: f64, joules: f64, rng: &mut Pcg64Mcg) -> CaseRows {
    let half = (1.96 * own).exp();
    let joules = 300.0 * 1e-3 * (case + 1) as f64 * (joules + 0.004 * normal(rng)).exp();
    CaseRows {
        case: format!("matmul/f32/{0}x{0}x{0}", 256 * (case + 1)),
        kernel: "tiled".to_owned(),
        is_best: true,
        status: "measured",
        verified: true,
        figures: vec![ExportedFigure {
            metric: "time",
            unit: Cow::Borrowed("ns"),
            better: Better::Smaller,
            value,
            interval: Some(Interval::new(value / half, value * half)),
            invocations: 3,
        }],
        joules: Some((joules, Some((joules * 0.98, joules * 1.02)))),
        watts: Some(300.0),
        ..CaseRows::default()
    }
}

/// The summary of records.
pub(crate) fn summary_of(records: &[RecordRows], options: &SummaryOptions) -> FleetSummary {
    let mut table = TableBuilder::default();
    for record in records {
        table.add(record, |_| true);
    }
    let engine = FleetEngine::of_rows(vec![table.finish().unwrap()]).unwrap();
    summarize(&engine, options).unwrap()
}

/// The summary of a fleet.
pub(crate) fn summary(spec: &FleetSpec, planted: Planted) -> FleetSummary {
    summary_of(&records(spec, planted), &SummaryOptions::default())
}
