//! What a summary says, in sentences: the terminal and the page for a browser say the same of the same figure.

use std::fmt;

use super::findings::{
    DriftFinding, FleetSummary, GroupFinding, LeftOut, ModelSummary, PeerRatio, RecordCopy,
    Straggler, StragglerSign, SynchronousCost, ThrottledCard,
};
use crate::units::{change, change_range, counted, percent};

/// Sentences of one kind that are written out of a model.
const MOST_OF_A_KIND: usize = 20;

/// How much more than its peers, with the interval: `+8.1 % (+6.0 to +10.0 %)`.
impl fmt::Display for PeerRatio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let range = change_range(self.low, self.high);
        write!(f, "{} ({range})", change(self.ratio))
    }
}

impl FleetSummary {
    /// By what rules the list of what to look at first was made.
    pub fn rule(&self) -> String {
        format!(
            "Costs: how much more a card needs for the same work than its peers, with a 95 % interval beyond what like \
             cards differ by. Of the slow cards listed, {} may be there by chance, more where like cards scatter \
             widely; what lies within {} of its peers is not listed.",
            percent(self.fdr),
            percent(self.min_effect)
        )
    }
}

impl ModelSummary {
    /// The model with its numbers of cards and records.
    pub fn title(&self) -> String {
        let at_once = match self.at_once {
            true => ", measured at once with other GPUs of its machine",
            false => "",
        };
        format!(
            "{} ({}{at_once}): {}, {}",
            self.device,
            self.backend,
            counted(self.cards, "card"),
            counted(self.records, "record")
        )
    }

    /// What is said of its cards.
    pub fn sentences(&self) -> Vec<String> {
        let mut said = vec![format!("{}.", self.verdict)];
        said.extend(self.two_kinds.iter().map(|kinds| format!("{kinds}.")));
        said.extend(self.groups.iter().map(GroupFinding::sentence));
        add(&mut said, &self.stragglers, "slow", |one| {
            one.sentence("slower")
        });
        add(&mut said, &self.wasteful, "wasteful", |one| {
            one.sentence("more joules")
        });
        add(
            &mut said,
            &self.throttled,
            "throttled",
            ThrottledCard::sentence,
        );
        add(
            &mut said,
            &self.drifting,
            "changing",
            DriftFinding::sentence,
        );
        said
    }
}

/// Adds a sentence for each finding up to a number of them, and says where more are left out.
fn add<T>(said: &mut Vec<String>, all: &[T], kind: &str, sentence: impl Fn(&T) -> String) {
    said.extend(all.iter().take(MOST_OF_A_KIND).map(sentence));
    let more = all.len().saturating_sub(MOST_OF_A_KIND);
    if more > 0 {
        said.push(format!(
            "And {} more; --json has all.",
            counted(more, &format!("{kind} card"))
        ));
    }
}

impl GroupFinding {
    /// That the group is slow as a whole.
    fn sentence(&self) -> String {
        format!(
            "{} is slow as a whole: {} on {}, {}.",
            self.name,
            counted(self.cards, "card"),
            counted(self.nodes, "machine"),
            self.effect
        )
    }
}

impl Straggler {
    /// Where the card stands out; `what` it is compared with its peers.
    fn sentence(&self, what: &str) -> String {
        let clear = match self.overall_is_clear {
            true => format!("{what} over all cases, {}", self.overall),
            false => format!(
                "{what} in {} of {}",
                self.clear_cases,
                counted(self.cases, "case")
            ),
        };
        let worst = self.worst_case.as_ref().map_or(String::new(), |worst| {
            format!(", clearest in {}: {}", worst.case, worst.effect)
        });
        let seen: Vec<String> = self.seen.iter().map(StragglerSign::to_string).collect();
        let seen = match seen.is_empty() {
            true => String::new(),
            false => format!(" ({})", seen.join("; ")),
        };
        format!(
            "{}: {clear}{worst}, q = {:.1e}{seen}.",
            self.card.place(),
            self.q
        )
    }
}

impl fmt::Display for StragglerSign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SlowedDown { reason } => write!(f, "slowed down: {reason}"),
            Self::SlowGroup { name } => write!(f, "all of {name} is slow"),
            Self::OtherDriver { own, usual } => {
                write!(f, "driver {own}, where most have {usual}")
            }
            Self::OtherKernel { own, usual } => {
                write!(f, "its best kernel there is {own}, where most have {usual}")
            }
        }
    }
}

impl ThrottledCard {
    /// Why and how much the card slowed down.
    fn sentence(&self) -> String {
        format!(
            "{} slowed down in {}: {}; over all cases {} of the median time.",
            self.card.place(),
            counted(self.cases, "case"),
            self.reason,
            percent(self.ratio)
        )
    }
}

impl DriftFinding {
    /// How the card changes.
    fn sentence(&self) -> String {
        let step = self.step.as_ref().map_or(String::new(), |step| {
            format!(", as a step on {} of {}", step.date, change(step.ratio))
        });
        format!(
            "{} changes: {} in {:.0} days against its peers{step}, from {}.",
            self.card.place(),
            self.change,
            self.days,
            counted(self.records, "record")
        )
    }
}

impl SynchronousCost {
    /// What the listed cards cost a job on cards of this model; to stand behind the word MODELLED.
    pub fn sentence(&self, device: &str) -> String {
        let longer = |ratio: f64| percent(ratio - 1.0);
        let PeerRatio { ratio, low, high } = self.step_time;
        format!(
            "a job on {} of {device} that waits for the slowest: each step takes {} ({} to {}) longer than without \
             the listed cards.",
            counted(self.job_cards, "card"),
            longer(ratio),
            longer(low),
            longer(high)
        )
    }
}

impl LeftOut {
    /// What did not enter, and why, as a sentence.
    pub fn sentence(&self) -> String {
        let what = match self.why.as_str() {
            "simulated power" => "their joules were left out",
            _ => "did not enter",
        };
        format!(
            "{}: {} in {} {what}: {}.",
            self.device,
            counted(self.figures as usize, "figure"),
            counted(self.files as usize, "file"),
            self.why
        )
    }
}

impl RecordCopy {
    /// That the copy was left out.
    pub fn sentence(&self) -> String {
        format!(
            "{} is a copy of {} and was left out.",
            self.file, self.copy_of
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::summary::CardName;

    const MORE: PeerRatio = PeerRatio {
        ratio: 1.081,
        low: 1.06,
        high: 1.1,
    };

    #[test]
    fn a_ratio_reads_the_same_everywhere() {
        assert_eq!(MORE.to_string(), "+8.1 % (+6.0 to +10.0 %)");
        let less = PeerRatio {
            ratio: 0.95,
            low: 0.9,
            high: 1.0,
        };
        assert_eq!(less.to_string(), "−5.0 % (−10.0 to 0.00 %)");
    }

    #[test]
    fn one_card_is_no_cards() {
        let group = GroupFinding {
            name: "n01".to_owned(),
            nodes: 1,
            cards: 1,
            effect: MORE,
            p: 0.01,
        };
        assert_eq!(
            group.sentence(),
            "n01 is slow as a whole: 1 card on 1 machine, +8.1 % (+6.0 to +10.0 %)."
        );
    }

    #[test]
    fn a_step_takes_longer_and_not_of_what_it_would_be() {
        let cost = SynchronousCost {
            job_cards: 8,
            step_time: MORE,
        };
        assert_eq!(
            cost.sentence("X"),
            "a job on 8 cards of X that waits for the slowest: each step takes 8.1 % (6.0 % to 10 %) longer than \
             without the listed cards."
        );
    }

    #[test]
    fn what_is_not_written_out_is_counted() {
        let card = |at: usize| ThrottledCard {
            card: CardName {
                device: "X".to_owned(),
                node: format!("n{at}"),
                gpu: None,
            },
            reason: "heat".to_owned(),
            cases: 1,
            ratio: 1.1,
        };
        let all: Vec<ThrottledCard> = (0..MOST_OF_A_KIND + 1).map(card).collect();
        let mut said = Vec::new();
        add(&mut said, &all, "throttled", ThrottledCard::sentence);
        assert_eq!(said.len(), MOST_OF_A_KIND + 1);
        assert_eq!(
            said.last().map(String::as_str),
            Some("And 1 throttled card more; --json has all.")
        );
    }
}
