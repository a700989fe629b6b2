//! What a worker may say, and when: the rules of its conversation with the supervisor, without a process.
//!
//! A worker shares its memory with drivers that scribble, so nothing it says is taken on trust. What breaks
//! a rule is a [`Breach`], which costs the case in hand and never the run.

use std::collections::BTreeSet;
use std::fmt;

use super::messages::{Job, Message};
use crate::process::BuildIdentity;
use crate::record::{Adapter, ClockSetup, Outcome, PowerSetup, Reading};

/// Most characters of a line that are shown.
const SHOWN: usize = 200;

/// A conversation with one worker.
#[derive(Debug)]
pub(super) struct Dialogue {
    build: BuildIdentity,
    open: BTreeSet<usize>,
    stage: Stage,
}

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The worker has not said which program it is.
    Unknown,
    /// It has, and opens the device.
    Opening,
    /// It waits for nothing and has no case in hand.
    Between,
    /// It has a case in hand.
    InHand(usize),
    /// It has said goodbye or given up.
    Over,
}

/// What a line means.
#[derive(Debug)]
pub(super) enum Advance {
    /// The worker is the same program.
    Known,
    /// The device is open.
    Opened {
        /// The adapter with the features that were asked of it.
        adapter: Box<Adapter>,
        /// Its clock.
        clock: ClockSetup,
        /// Its power sensor, or why there is none.
        power: Box<Reading<PowerSetup>>,
    },
    /// The device cools before the next case.
    Cooling {
        /// Its temperature in °C.
        celsius: f64,
        /// For how long so far, in seconds.
        waited_s: f64,
    },
    /// A case begins.
    Begun(usize),
    /// The case in hand is over.
    Ended(usize, Box<Outcome>),
    /// All cases are over.
    Finished {
        /// What the harness cost.
        own_cpu_s: Reading<f64>,
    },
    /// No worker could do better.
    Hopeless(String),
}

/// How a worker broke the rules.
#[derive(Debug, PartialEq)]
pub(super) enum Breach {
    /// The line is no message.
    Unreadable {
        /// What it begins with.
        text: String,
        /// Why it is none.
        why: String,
    },
    /// A message that may not come now or that names a case which is not the worker's.
    OutOfTurn {
        /// What it begins with.
        text: String,
        /// Which rule it breaks.
        rule: String,
    },
    /// The worker is another program.
    OtherProgram {
        /// Which.
        theirs: Box<BuildIdentity>,
        /// This one.
        ours: Box<BuildIdentity>,
    },
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { text, why } => {
                write!(f, "the worker sent what is no message ({why}): {text}")
            }
            Self::OutOfTurn { text, rule } => {
                write!(f, "the worker sent what it may not ({rule}): {text}")
            }
            Self::OtherProgram { theirs, ours } => write!(
                f,
                "perwatt's program file was replaced while it ran: this is {ours}, and the worker is \
                 {theirs}; one record cannot mix two programs, so put the first \
                 program file back and resume, or start a new run"
            ),
        }
    }
}

impl Dialogue {
    /// A conversation with a worker that was given a job.
    pub(super) fn about(job: &Job, build: &BuildIdentity) -> Self {
        Self::new(job.cases.iter().map(|(index, _)| *index).collect(), build)
    }

    fn new(open: BTreeSet<usize>, build: &BuildIdentity) -> Self {
        Self {
            build: build.clone(),
            open,
            stage: Stage::Unknown,
        }
    }

    /// The case that the worker has in hand.
    pub(super) fn in_hand(&self) -> Option<usize> {
        match self.stage {
            Stage::InHand(index) => Some(index),
            _ => None,
        }
    }

    /// Takes in a line.
    pub(super) fn hear(&mut self, line: &[u8]) -> Result<Advance, Breach> {
        let message: Message = serde_json::from_slice(line).map_err(|e| Breach::Unreadable {
            text: shown(line),
            why: e.to_string(),
        })?;
        if let Message::Hello { build } = &message
            && *build != self.build
        {
            return Err(Breach::OtherProgram {
                theirs: Box::new(build.clone()),
                ours: Box::new(self.build.clone()),
            });
        }
        self.advance(message).map_err(|rule| Breach::OutOfTurn {
            text: shown(line),
            rule,
        })
    }

    /// Takes in a message, or says which rule it breaks.
    fn advance(&mut self, message: Message) -> Result<Advance, String> {
        let (next, advance) = match message {
            Message::Hello { .. } => {
                self.must_be(Stage::Unknown)?;
                (Stage::Opening, Advance::Known)
            }
            Message::Ready {
                adapter,
                clock,
                power,
            } => {
                self.must_be(Stage::Opening)?;
                let opened = Advance::Opened {
                    adapter,
                    clock,
                    power,
                };
                (Stage::Between, opened)
            }
            Message::Cooling { celsius, waited_s } => {
                self.must_be(Stage::Between)?;
                (Stage::Between, Advance::Cooling { celsius, waited_s })
            }
            Message::Begin { index } => {
                self.must_be(Stage::Between)?;
                if !self.open.contains(&index) {
                    return Err(format!("case {index} is not open"));
                }
                (Stage::InHand(index), Advance::Begun(index))
            }
            Message::End { index, outcome } => {
                self.must_be(Stage::InHand(index))?;
                self.open.remove(&index);
                (Stage::Between, Advance::Ended(index, outcome))
            }
            Message::Bye { own_cpu_s } => {
                self.must_be(Stage::Between)?;
                if let Some(index) = self.open.first() {
                    return Err(format!("case {index} is still open"));
                }
                (Stage::Over, Advance::Finished { own_cpu_s })
            }
            Message::GiveUp { reason } => {
                self.must_be(Stage::Opening)?;
                (Stage::Over, Advance::Hopeless(reason))
            }
        };
        self.stage = next;
        Ok(advance)
    }

    /// Whether the conversation is where a message belongs; else the rule that it breaks.
    fn must_be(&self, stage: Stage) -> Result<(), String> {
        if self.stage == stage {
            return Ok(());
        }
        Err(match self.stage {
            Stage::Unknown => "it has not said which program it is".to_owned(),
            Stage::Opening => "it has not opened the device".to_owned(),
            Stage::Between => "no case is in hand".to_owned(),
            Stage::InHand(index) => format!("case {index} is in hand"),
            Stage::Over => "it has ended the conversation".to_owned(),
        })
    }
}

/// The beginning of a line, with control characters made visible.
fn shown(line: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(line)
        .chars()
        .take(SHOWN)
        .flat_map(char::escape_default)
        .collect();
    if line.len() > SHOWN {
        format!("{text}…")
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64;

    use super::*;

    fn build() -> BuildIdentity {
        BuildIdentity {
            version: "1".to_owned(),
            revision: "abc".to_owned(),
            executable: "00".to_owned(),
        }
    }

    fn hello() -> Vec<u8> {
        serde_json::to_vec(&Message::Hello { build: build() }).unwrap()
    }

    const READY_BODY: &str = r#"{"message":"ready","adapter":{"index":0,"group":0,"name":"x","backend":"gl",
        "device_type":"other","vendor_id":0,"device_id":0,"pci_id":{"unmeasured":"x"},"driver":"x",
        "driver_info":"x","subgroup_sizes":[8,8],"features":[],"coop_matrix":[],"limits":{
        "max_buffer_bytes":1,"max_binding_bytes":1,"max_workgroup_bytes":1,"max_workgroup_threads":1,
        "max_workgroup_x":1,"max_workgroups":1,"max_storage_buffers":1}},"clock":{"method":"wall-clock",
        "tick_ns":{"unmeasured":"x"},"precision_ns":1.0,"overhead_ns":1.0},"power":{"unmeasured":"x"}}"#;

    fn dialogue(open: usize) -> Dialogue {
        Dialogue::new((0..open).collect(), &build())
    }

    /// A conversation whose worker has opened the device.
    fn opened(open: usize) -> Dialogue {
        let mut dialogue = dialogue(open);
        dialogue.hear(&hello()).unwrap();
        dialogue.hear(READY_BODY.as_bytes()).unwrap();
        dialogue
    }

    fn skipped(index: usize) -> String {
        format!(
            r#"{{"message":"end","index":{index},"outcome":{{"outcome":"skipped","reason":"x"}}}}"#
        )
    }

    fn begin(index: usize) -> String {
        format!(r#"{{"message":"begin","index":{index}}}"#)
    }

    const BYE: &str = r#"{"message":"bye","own_cpu_s":0.5}"#;

    #[test]
    fn a_worker_that_keeps_to_the_rules_is_understood() {
        let mut dialogue = opened(2);
        for index in 0..2 {
            assert!(
                matches!(dialogue.hear(begin(index).as_bytes()), Ok(Advance::Begun(i)) if i == index)
            );
            assert_eq!(dialogue.in_hand(), Some(index));
            assert!(
                matches!(dialogue.hear(skipped(index).as_bytes()), Ok(Advance::Ended(i, _)) if i == index)
            );
        }
        assert!(matches!(
            dialogue.hear(BYE.as_bytes()),
            Ok(Advance::Finished { .. })
        ));
    }

    #[test]
    fn every_broken_rule_is_named() {
        let rule = |mut dialogue: Dialogue, lines: &[&str]| {
            let (last, before) = lines.split_last().unwrap();
            for line in before {
                dialogue.hear(line.as_bytes()).unwrap();
            }
            dialogue.hear(last.as_bytes()).unwrap_err().to_string()
        };
        for (dialogue, lines, says) in [
            (dialogue(1), &[&begin(0)[..]][..], "not said which program"),
            (opened(1), &[&begin(999)], "case 999 is not open"),
            (opened(1), &[&skipped(0)], "no case is in hand"),
            (opened(2), &[&begin(0), &skipped(1)], "case 0 is in hand"),
            (opened(2), &[&begin(0), &begin(1)], "case 0 is in hand"),
            (
                opened(1),
                &[&begin(0), &skipped(0), &begin(0)],
                "case 0 is not open",
            ),
            (opened(1), &[BYE], "case 0 is still open"),
            (opened(0), &[BYE, BYE], "ended the conversation"),
            (
                opened(0),
                &[r#"{"message":"bye","own_cpu_s":null}"#],
                "no message",
            ),
            (
                opened(1),
                &["rendering with llvmpipe"],
                "rendering with llvmpipe",
            ),
            (opened(1), &["\u{1b}[2J"], "\\u{1b}[2J"),
            (opened(1), &[READY_BODY], "no case is in hand"),
        ] {
            let said = rule(dialogue, lines);
            assert!(said.contains(says), "{lines:?}: {said}");
        }
        let mut other = build();
        other.executable.push('1');
        let line = serde_json::to_vec(&Message::Hello { build: other }).unwrap();
        let breach = dialogue(1).hear(&line).unwrap_err();
        assert!(matches!(breach, Breach::OtherProgram { .. }), "{breach}");
    }

    /// Random talk: whole messages in any order, cut, spliced and overwritten. Whatever is said, nothing
    /// panics, and a case begins and ends at most once and only in its turn.
    #[test]
    fn no_talk_breaks_the_supervisor() {
        const SEED: u64 = 11;
        const CASES: usize = 4;
        let mut random = Pcg64::seed_from_u64(SEED);
        let mut steps = 0;
        for _ in 0..20_000 {
            let mut dialogue = if random.random_bool(0.8) {
                opened(CASES)
            } else {
                dialogue(CASES)
            };
            let (mut begun, mut ended) = (None, BTreeSet::new());
            for _ in 0..random.random_range(1..12) {
                let line = random_line(&mut random, CASES);
                match dialogue.hear(&line) {
                    Ok(Advance::Begun(index)) => {
                        assert!(begun.is_none() && !ended.contains(&index) && index < CASES);
                        begun = Some(index);
                    }
                    Ok(Advance::Ended(index, _)) => {
                        assert_eq!(begun.take(), Some(index));
                        assert!(ended.insert(index));
                    }
                    Ok(Advance::Finished { own_cpu_s }) => {
                        assert_eq!(ended.len(), CASES);
                        assert!(own_cpu_s.measured().is_none_or(|s| s.is_finite()));
                    }
                    Ok(_) => {}
                    Err(breach) => assert!(breach.to_string().len() < 4096, "{breach}"),
                }
                assert_eq!(dialogue.in_hand(), begun);
                steps += usize::from(begun.is_some());
            }
        }
        assert!(steps > 10_000, "the talk got nowhere: {steps}");
    }

    fn random_line(random: &mut Pcg64, cases: usize) -> Vec<u8> {
        let index = if random.random_bool(0.9) {
            random.random_range(0..cases)
        } else {
            random.random_range(0..usize::MAX)
        };
        let mut line = match random.random_range(0..12) {
            0..5 => begin(index).into_bytes(),
            5..9 => skipped(index).into_bytes(),
            9 => BYE.as_bytes().to_vec(),
            10 => READY_BODY.as_bytes().to_vec(),
            _ => hello(),
        };
        if random.random_bool(0.3) {
            let at = random.random_range(0..line.len());
            match random.random_range(0..4) {
                0 => line.truncate(at),
                1 => line[at] = random.random(),
                2 => line.extend(begin(index).bytes()),
                _ => drop(line.splice(at..at, *b"1e999")),
            }
        }
        line
    }
}
