//! The options of each `perwatt run` of a fleet: checked by `run`'s own definition when the fleet is planned, and
//! again when a task reads them from the plan, which another may have written.

use std::iter::once;

use anyhow::{Context, bail};
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, FromArgMatches};

use crate::cli::args::fresh::AGAIN;
use crate::cli::run::Run;

/// Options that are the fleet's to give, with what to do instead.
const NOT_FOR_FLEETS: [(&str, &str); 7] = [
    (
        "out",
        "each record goes into the fleet's folder; name that before the `--`",
    ),
    (
        "resume",
        "`perwatt fleet gather DIR --resubmit` goes on with what is missing",
    ),
    ("placement", "perwatt gives it"),
    ("identify", "give it before the `--`"),
    (
        "anonymous",
        "a fleet's records name no user or node unless --identify asks; `perwatt redact` leaves out more",
    ),
    ("force", "a fleet's records are never replaced"),
    ("all_kernels", "the records have them all"),
];

/// Options of a run.
#[derive(Clone, Debug)]
pub(super) struct RunOptions {
    /// As they were given.
    pub(super) words: Vec<String>,
    /// Those that an interrupted run must be given again.
    pub(super) again: Vec<String>,
    /// Whether they choose a device.
    pub(super) choose_device: bool,
}

impl RunOptions {
    /// Options that `run` would take.
    ///
    /// # Errors
    /// It would not, or they are not a fleet's.
    pub(super) fn parse(words: &[String]) -> anyhow::Result<Self> {
        let command = Run::augment_args(Command::new("perwatt run"));
        let flags: Vec<String> = command
            .get_arguments()
            .filter(|argument| !argument.get_action().takes_values())
            .map(|argument| argument.get_id().to_string())
            .collect();
        let line = once("run").chain(words.iter().map(String::as_str));
        let matches = command
            .try_get_matches_from(line)
            .map_err(|error| anyhow::anyhow!("the options after `--`: {error}"))?;
        Run::from_arg_matches(&matches)
            .map_err(|error| anyhow::anyhow!("the options after `--`: {error}"))?;
        for (id, instead) in NOT_FOR_FLEETS {
            if was_given(&matches, id) {
                bail!("--{}: not for a fleet; {instead}", id.replace('_', "-"));
            }
        }
        if matches.get_one::<String>("device").map(String::as_str) == Some("all") {
            bail!("--device all: a fleet measures each GPU by itself; leave it out");
        }
        let mut again = Vec::new();
        for id in AGAIN.into_iter().filter(|id| was_given(&matches, id)) {
            let long = id.replace('_', "-");
            if flags.iter().any(|flag| flag == id) {
                again.push(format!("--{long}"));
                continue;
            }
            for value in matches.get_raw(id).into_iter().flatten() {
                let value = value.to_str().context("an option is not text")?;
                again.push(format!("--{long}={value}"));
            }
        }
        Ok(Self {
            words: words.to_vec(),
            again,
            choose_device: was_given(&matches, "device"),
        })
    }
}

fn was_given(matches: &ArgMatches, id: &str) -> bool {
    matches.try_contains_id(id).unwrap_or_default()
        && matches.value_source(id) == Some(ValueSource::CommandLine)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> anyhow::Result<RunOptions> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        RunOptions::parse(&words)
    }

    #[test]
    fn what_is_the_fleets_own_is_refused() {
        for words in [
            &["--out", "/tmp/x"][..],
            &["--resume", "x.json"],
            &["--placement", "{}"],
            &["--identify"],
            &["--anonymous"],
            &["--force"],
            &["--device", "all"],
            &["--no-such-option"],
            &["--invocations", "0"],
        ] {
            assert!(parse(words).is_err(), "{words:?}");
        }
    }

    #[test]
    fn what_a_resumed_run_needs_again_is_known() {
        let options = parse(&[
            "--case",
            "matmul",
            "--power",
            "none",
            "--workloads=a b.toml",
            "--allow-commands",
        ])
        .unwrap();
        assert_eq!(
            options.again,
            ["--power=none", "--workloads=a b.toml", "--allow-commands"]
        );
        let resumed: Vec<&str> = options.again.iter().map(String::as_str).collect();
        let line = [&["--resume", "x.json"], &resumed[..]].concat();
        let line = once("run").chain(line);
        Run::augment_args(Command::new("perwatt run"))
            .try_get_matches_from(line)
            .unwrap();
        assert!(!options.choose_device);
        assert!(parse(&["--device=0"]).unwrap().choose_device);
    }
}
