//! One model: its cards' times and joules studied, and what is said of them.

use std::collections::{BTreeMap, HashMap};

use super::drift::{CardDrift, ModelDrift, drift};
use super::findings::{
    CardName, CaseDistribution, DriftFinding, DriftStep, GroupFinding, ModelSummary, PeerRatio,
    Straggler, StragglerSign, SynchronousCost, ThrottledCard, WorstCase,
};
use super::observations::{FleetObservation, FleetObservations, reason};
use super::options::SummaryOptions;
use super::place::CardPlace;
use super::study::{CardStudy, Member, Study, study};
use super::synchronous::step_time;
use crate::stats::{Peers, TwoGroups, median, quantile_of_sorted};
use crate::units::percent;

/// Sizes of jobs that are shown where the fleet is large enough.
const JOBS: [usize; 3] = [8, 64, 512];

/// Adjusted p-values of a model's cards, and the level that is left within a listed one.
pub(super) struct Tested<'a> {
    pub(super) adjusted: &'a [Option<f64>],
    pub(super) level: f64,
}

/// A model's cards with what was found.
pub(super) struct ModelStudy<'a> {
    all: &'a FleetObservations,
    model: usize,
    options: &'a SummaryOptions,
    /// Numbers of the model's cards.
    cards: Vec<u32>,
    /// For each card, why it slowed down and in how many cases.
    throttled: Vec<Option<(u32, usize)>>,
    /// For each case, quantiles of ln of its cards' times.
    quantiles: Vec<[f64; 6]>,
    time: Study,
    energy: Study,
    drift: ModelDrift,
}

impl<'a> ModelStudy<'a> {
    /// Studies a model.
    pub(super) fn of(
        all: &'a FleetObservations,
        model: usize,
        options: &'a SummaryOptions,
    ) -> Self {
        // A card of which only a copy is left out has no figure, and is none.
        let mut measured = vec![false; all.cards.len()];
        for one in all.cases[model].iter().flat_map(|(_, of_case)| of_case) {
            measured[one.card as usize] = true;
        }
        let cards: Vec<u32> = (0..all.cards.len() as u32)
            .filter(|card| measured[*card as usize])
            .collect();
        let mut places = vec![0_u32; all.cards.len()];
        for (at, card) in cards.iter().enumerate() {
            places[*card as usize] = at as u32;
        }
        let cases = &all.cases[model];
        let members = |of: &dyn Fn(&FleetObservation) -> (f64, f32)| -> Vec<Vec<Member>> {
            cases
                .iter()
                .map(|(_, observations)| members(observations, &places, of))
                .collect()
        };
        let throttled = throttled(all, model, &places, cards.len());
        let described: Vec<CardPlace> = cards
            .iter()
            .zip(&throttled)
            .map(|(card, throttled)| CardPlace {
                node: &all.cards[*card as usize].node,
                throttled: throttled.is_some(),
            })
            .collect();
        let least = options.min_effect.ln_1p();
        // One kind of figure at a time: of ten million, each takes hundreds of megabytes.
        let by_time = members(&|one| (one.cost, one.own));
        let quantiles = by_time.iter().map(|of_case| quantiles(of_case)).collect();
        let time = study(&described, &by_time, options.fdr, least);
        drop(by_time);
        let by_joules = members(&|one| (one.joules, one.joules_own));
        let energy = study(&described, &by_joules, options.fdr, least);
        let centres: Vec<f64> = time.cases.iter().map(|case| case.all.centre).collect();
        let drift = drift(all, model, &centres, options.fdr, least);
        Self {
            all,
            model,
            options,
            cards,
            throttled,
            quantiles,
            time,
            energy,
            drift,
        }
    }

    /// The cards' p-values by time.
    pub(super) fn time_p(&self) -> Vec<Option<f64>> {
        self.time.cards.iter().map(|card| card.p).collect()
    }

    /// The cards' p-values by joules.
    pub(super) fn energy_p(&self) -> Vec<Option<f64>> {
        self.energy.cards.iter().map(|card| card.p).collect()
    }

    /// What is said of the model.
    pub(super) fn summary(&self, time: &Tested, energy: &Tested) -> ModelSummary {
        let model = &self.all.models[self.model];
        let stragglers = self.stragglers(&self.time, time, true);
        let wasteful = self.stragglers(&self.energy, energy, false);
        let enough_cards = self.time.cards.iter().any(|card| card.p.is_some());
        ModelSummary {
            device: model.device.clone(),
            backend: model.backend.clone(),
            at_once: model.at_once,
            cards: self.cards.len(),
            records: self.records(),
            verdict: self.verdict(enough_cards, stragglers.len(), time),
            enough_cards,
            cases: self.distributions(),
            two_kinds: self
                .time
                .split
                .map(|split| two_kinds(&split, "over all cases")),
            groups: self.groups(),
            synchronous: self.synchronous(&stragglers),
            stragglers,
            wasteful,
            throttled: self.throttled_cards(),
            drifting: self
                .drift
                .cards
                .iter()
                .map(|drift| self.drifting(drift))
                .collect(),
            drift_examined: self.drift.examined,
            ratios: self
                .time
                .overall
                .iter()
                .filter(|d| d.is_finite())
                .map(|d| d.exp())
                .collect(),
        }
    }

    fn records(&self) -> usize {
        let mut seen = vec![false; self.all.sessions.len()];
        for one in self.all.cases[self.model].iter().flat_map(|(_, all)| all) {
            seen[one.session as usize] = true;
        }
        seen.into_iter().filter(|seen| *seen).count()
    }

    fn name(&self, place: usize) -> CardName {
        let card = &self.all.cards[self.cards[place] as usize];
        CardName {
            device: self.all.models[self.model].device.clone(),
            node: card.node.clone(),
            gpu: card.gpu.clone(),
        }
    }

    fn verdict(&self, enough: bool, found: usize, tested: &Tested) -> String {
        let cards = self.cards.len();
        if !enough {
            return format!(
                "too few cards ({cards}) to call one slow; {} of one model are needed, and what stands here only says \
                 where they lie",
                Peers::FEWEST
            );
        }
        let untested = self
            .time
            .cards
            .iter()
            .filter(|card| card.p.is_none())
            .count();
        let least = percent(self.options.min_effect);
        let mut verdict = match found {
            0 => format!(
                "no card of {cards} costs {least} more than its peers, as far as these records can tell"
            ),
            1 => format!("1 card of {cards} is slower than its peers"),
            _ => format!("{found} cards of {cards} are slower than their peers"),
        };
        if let Some(floor) = self.floor(tested) {
            verdict += &format!(
                "; one card slower by {} over all cases would be found",
                percent(floor)
            );
        }
        if untested > 0 {
            verdict += &format!("; {untested} cards have too few peers to be judged");
        }
        verdict
    }

    /// By how much one card must be slower over all cases to be listed, as a share.
    fn floor(&self, tested: &Tested) -> Option<f64> {
        let count = tested.adjusted.iter().flatten().count();
        let scales: Vec<f64> = self
            .time
            .cards
            .iter()
            .filter_map(|card| {
                let p =
                    self.options.fdr / count.max(1) as f64 / if card.cases > 1 { 2.0 } else { 1.0 };
                Some(card.overall?.distance_of(p))
            })
            .collect();
        let floor = median(&scales)
            .ok()?
            .max(self.options.min_effect.ln_1p())
            .exp_m1();
        floor.is_finite().then_some(floor)
    }

    fn distributions(&self) -> Vec<CaseDistribution> {
        let cases = self.all.cases[self.model].iter();
        cases
            .enumerate()
            .map(|(at, (case, _))| {
                let (time, energy) = (&self.time.cases[at], &self.energy.cases[at]);
                let joules = energy.all.count;
                CaseDistribution {
                    case: case.clone(),
                    cards: time.all.count,
                    median_ns: time.all.centre.exp(),
                    spread: time.all.spread,
                    quantiles_ns: self.quantiles[at].map(f64::exp),
                    two_kinds: time.split.map(|split| two_kinds(&split, "in this case")),
                    joules_cards: joules,
                    median_j: (joules > 0).then(|| energy.all.centre.exp()),
                    spread_j: (joules > 1).then_some(energy.all.spread),
                }
            })
            .collect()
    }

    fn groups(&self) -> Vec<GroupFinding> {
        let of = |group: &super::groups::SlowGroup| GroupFinding {
            name: group.name.clone(),
            nodes: group.nodes,
            cards: group.cards.len(),
            effect: PeerRatio::of(group.effect, group.interval),
            p: group.p,
        };
        self.time.groups.iter().map(of).collect()
    }

    fn group_of(&self, place: usize) -> Option<&super::groups::SlowGroup> {
        self.time
            .groups
            .iter()
            .find(|group| group.cards.contains(&place))
    }

    fn stragglers(&self, study: &Study, tested: &Tested, by_time: bool) -> Vec<Straggler> {
        let usual_driver = self.usual_driver();
        let mut found: Vec<Straggler> = (0..self.cards.len())
            .filter_map(|place| {
                let q = tested.adjusted[place].filter(|q| *q <= self.options.fdr)?;
                self.straggler(place, &study.cards[place], q, tested.level)
            })
            .map(|(place, mut straggler)| {
                straggler.seen = self.seen(place, &straggler, usual_driver, by_time);
                straggler
            })
            .collect();
        found.sort_by(|a, b| b.cost.ratio.total_cmp(&a.cost.ratio));
        found
    }

    fn straggler(
        &self,
        place: usize,
        card: &CardStudy,
        q: f64,
        level: f64,
    ) -> Option<(usize, Straggler)> {
        let least = self.options.min_effect.ln_1p();
        let overall = card.overall?;
        let asked = if card.cases > 1 { 2.0 } else { 1.0 };
        let clear = asked * overall.p_above() <= level && overall.distance >= least;
        let chosen = card.chosen_cases(level / asked, least);
        if !clear && chosen.is_empty() {
            return None;
        }
        let ratio = |standing: &crate::stats::PeerStanding| {
            PeerRatio::of(standing.distance, standing.interval())
        };
        let cost = if clear {
            ratio(&overall)
        } else {
            let share = |of: &dyn Fn(&crate::stats::PeerStanding) -> f64| {
                (chosen.iter().map(|one| of(&one.standing)).sum::<f64>() / card.cases as f64).exp()
            };
            PeerRatio {
                ratio: share(&|standing| standing.distance),
                low: share(&|standing| standing.interval().low.max(0.0)),
                high: share(&|standing| standing.interval().high),
            }
        };
        let worst = chosen.first().or(card.apart.first());
        let straggler = Straggler {
            card: self.name(place),
            overall: ratio(&overall),
            overall_is_clear: clear,
            clear_cases: chosen.len(),
            cases: card.cases,
            worst_case: worst.map(|one| WorstCase {
                case: self.all.cases[self.model][one.case].0.clone(),
                effect: ratio(&one.standing),
            }),
            cost,
            p: card.p.unwrap_or(1.0),
            q,
            seen: Vec::new(),
            group: self.group_of(place).map(|group| group.name.clone()),
        };
        Some((place, straggler))
    }

    /// What goes with a straggler.
    fn seen(
        &self,
        place: usize,
        straggler: &Straggler,
        usual_driver: Option<&str>,
        by_time: bool,
    ) -> Vec<StragglerSign> {
        let mut seen = Vec::new();
        if let Some((why, _)) = self.throttled[place]
            && let Some(why) = reason(&self.all.texts, why)
        {
            seen.push(StragglerSign::SlowedDown {
                reason: why.to_owned(),
            });
        }
        if let Some(group) = &straggler.group {
            seen.push(StragglerSign::SlowGroup {
                name: group.clone(),
            });
        }
        let driver = &self.all.cards[self.cards[place] as usize].driver;
        if let Some(usual) = usual_driver
            && usual != driver
        {
            seen.push(StragglerSign::OtherDriver {
                own: driver.clone(),
                usual: usual.to_owned(),
            });
        }
        if by_time {
            seen.extend(self.other_kernel(place, straggler));
        }
        seen
    }

    fn usual_driver(&self) -> Option<&str> {
        let mut drivers: BTreeMap<&str, usize> = BTreeMap::new();
        for card in &self.cards {
            *drivers
                .entry(&self.all.cards[*card as usize].driver)
                .or_default() += 1;
        }
        let (driver, count) = drivers.into_iter().max_by_key(|(_, count)| *count)?;
        (2 * count > self.cards.len()).then_some(driver)
    }

    /// Where the kernel that stands for the worst case is another than most cards'.
    fn other_kernel(&self, place: usize, straggler: &Straggler) -> Option<StragglerSign> {
        let worst = straggler.worst_case.as_ref()?;
        let (_, observations) = self.all.cases[self.model]
            .iter()
            .find(|(case, _)| *case == worst.case)?;
        let mut kernels: HashMap<u32, usize> = HashMap::new();
        let mut own = None;
        for one in observations {
            *kernels.entry(one.kernel).or_default() += 1;
            if one.card == self.cards[place] {
                own = Some(one.kernel);
            }
        }
        let (usual, count) = kernels
            .into_iter()
            .max_by_key(|(kernel, count)| (*count, *kernel))?;
        let own = own.filter(|own| *own != usual && 2 * count > observations.len())?;
        let text = |number| self.all.texts.text(number).unwrap_or_default().to_owned();
        Some(StragglerSign::OtherKernel {
            own: text(own),
            usual: text(usual),
        })
    }

    fn throttled_cards(&self) -> Vec<ThrottledCard> {
        let of = |(place, throttled): (usize, &Option<(u32, usize)>)| {
            let (why, cases) = (*throttled)?;
            Some(ThrottledCard {
                card: self.name(place),
                reason: reason(&self.all.texts, why)?.to_owned(),
                cases,
                ratio: self.time.overall[place].exp(),
            })
        };
        let mut all: Vec<ThrottledCard> =
            self.throttled.iter().enumerate().filter_map(of).collect();
        all.sort_by(|a, b| b.ratio.total_cmp(&a.ratio));
        all
    }

    fn drifting(&self, drift: &CardDrift) -> DriftFinding {
        let card = &self.all.cards[drift.card as usize];
        DriftFinding {
            card: CardName {
                device: self.all.models[self.model].device.clone(),
                node: card.node.clone(),
                gpu: card.gpu.clone(),
            },
            records: drift.records,
            days: drift.days,
            change: PeerRatio::of(drift.change, drift.interval),
            q: drift.q,
            step: drift.step.and_then(|(at_ms, step)| {
                let at = jiff::Timestamp::from_millisecond(at_ms).ok()?;
                Some(DriftStep {
                    date: at.strftime("%Y-%m-%d").to_string(),
                    ratio: step.exp(),
                })
            }),
        }
    }

    fn synchronous(&self, stragglers: &[Straggler]) -> Vec<SynchronousCost> {
        let count = self.cards.len();
        let mut jobs: Vec<usize> = JOBS
            .into_iter()
            .chain(self.options.job_cards)
            .chain([count])
            .collect();
        jobs.retain(|job| *job <= count);
        jobs.sort_unstable();
        jobs.dedup();
        let of = |of: &dyn Fn(&PeerRatio) -> f64| -> Vec<f64> {
            let mut ratios = vec![1.0_f64; count];
            for group in &self.time.groups {
                let effect = PeerRatio::of(group.effect, group.interval);
                for card in &group.cards {
                    ratios[*card] = of(&effect).max(1.0);
                }
            }
            let mut known: HashMap<CardName, &Straggler> = HashMap::new();
            for straggler in stragglers {
                known.insert(straggler.card.clone(), straggler);
            }
            for (place, ratio) in ratios.iter_mut().enumerate() {
                if let Some(straggler) = known.get(&self.name(place)) {
                    *ratio = ratio.max(of(&straggler.cost));
                }
            }
            ratios
        };
        if stragglers.is_empty() && self.time.groups.is_empty() {
            return Vec::new();
        }
        let [value, low, high] = [of(&|r| r.ratio), of(&|r| r.low), of(&|r| r.high)];
        jobs.into_iter()
            .filter_map(|job_cards| {
                let step_time = PeerRatio {
                    ratio: step_time(&value, job_cards)?,
                    low: step_time(&low, job_cards)?,
                    high: step_time(&high, job_cards)?,
                };
                Some(SynchronousCost {
                    job_cards,
                    step_time,
                })
            })
            .collect()
    }
}

/// Each card's figure of a case: of several records the median.
fn members(
    observations: &[FleetObservation],
    places: &[u32],
    of: &dyn Fn(&FleetObservation) -> (f64, f32),
) -> Vec<Member> {
    let mut members = Vec::new();
    for of_card in observations.chunk_by(|a, b| a.card == b.card) {
        let known = of_card.iter().map(of).filter(|(cost, _)| cost.is_finite());
        let card = places[of_card[0].card as usize];
        if let [one] = of_card {
            let (cost, own) = of(one);
            if cost.is_finite() {
                let own = own.is_finite().then_some(f64::from(own));
                members.push(Member { card, cost, own });
            }
            continue;
        }
        let (costs, own): (Vec<f64>, Vec<f32>) = known.unzip();
        let Ok(cost) = median(&costs) else { continue };
        let squares: f64 = own.iter().map(|own| f64::from(*own).powi(2)).sum();
        let own = squares.sqrt() / own.len() as f64;
        members.push(Member {
            card,
            cost,
            own: own.is_finite().then_some(own),
        });
    }
    members
}

/// For each card, why it slowed down and in how many cases.
fn throttled(
    all: &FleetObservations,
    model: usize,
    places: &[u32],
    count: usize,
) -> Vec<Option<(u32, usize)>> {
    let mut throttled: Vec<Option<(u32, usize)>> = vec![None; count];
    for (_, observations) in &all.cases[model] {
        // Of a card with several records a case counts once.
        for of_card in observations.chunk_by(|a, b| a.card == b.card) {
            let mut reasons = of_card.iter().map(|one| one.throttled);
            let Some(why) = reasons.find(|why| reason(&all.texts, *why).is_some()) else {
                continue;
            };
            let place = places[of_card[0].card as usize] as usize;
            throttled[place].get_or_insert((why, 0)).1 += 1;
        }
    }
    throttled
}

fn two_kinds(split: &TwoGroups, place: &str) -> String {
    format!(
        "two kinds of cards {place}: {} and {}, the second {} slower; each card is judged among its own kind",
        split.lower_count,
        split.upper_count,
        percent((split.upper - split.lower).exp_m1())
    )
}

/// The least, the most, and where 5, 25, 75 and 95 per cent of a case's cards lie below; NaN where it has none.
fn quantiles(members: &[Member]) -> [f64; 6] {
    let mut costs: Vec<f64> = members.iter().map(|member| member.cost).collect();
    costs.sort_unstable_by(f64::total_cmp);
    [0.0, 0.05, 0.25, 0.75, 0.95, 1.0]
        .map(|share| quantile_of_sorted(&costs, share).unwrap_or(f64::NAN))
}
