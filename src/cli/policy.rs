//! `perwatt policy`: a policy that this machine can hold, from two sides of the same code.

use std::fmt::Write;
use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use toml::Value;

use super::args::verdict::PolicyArgs;
use super::exit::Exit;
use super::support::output::print;
use crate::compare::{
    Pairing, Policy, Suggestion, load_sessions, suggest_from_pairs, suggest_from_sessions,
};
use crate::record::DocumentKind;
use crate::units::{counted, percent};

/// Write a policy whose margins each case can hold on this machine.
///
/// Give the pairing of an `ab` of identical code (`perwatt ab --pairs 20`), or the results of several
/// `perwatt run`s of it; redirect what is printed to a file. The policy passes identical code in eight gates of ten
/// with the stated pairs.
#[derive(Debug, Args)]
pub(super) struct PolicyCommand {
    /// A pairing of identical code, or results of it, or folders of those
    #[arg(long, required = true, num_args = 1.., value_name = "FILE|DIR")]
    from: Vec<PathBuf>,

    /// Pairs that the gate will measure
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u32).range(3..=1000))]
    pairs: u32,

    #[command(flatten)]
    rules: PolicyArgs,
}

impl PolicyCommand {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        let policy = self.rules.policy()?;
        let suggestions = self.suggestions(&policy)?;
        if suggestions.is_empty() {
            bail!(
                "no case has two figures, so nothing is known of its spread; measure identical code with \
                 `perwatt ab --pairs 20`, or several times with `perwatt run`, and give all results"
            );
        }
        let text = written(&suggestions, self.pairs, &policy);
        print(&text)?;
        Ok(Exit::Done)
    }

    fn suggestions(&self, policy: &Policy) -> anyhow::Result<Vec<Suggestion>> {
        let mut pairings = self.from.iter().map(|path| {
            let inside = path.join("pairing.json");
            let file = if inside.is_file() {
                inside
            } else {
                path.clone()
            };
            (DocumentKind::of_file(&file) == Some(DocumentKind::Pairing)).then_some(file)
        });
        let Some(file) = pairings.find_map(|file| file) else {
            let sessions = load_sessions(&self.from)?;
            return Ok(suggest_from_sessions(&sessions, self.pairs, policy));
        };
        if self.from.len() > 1 {
            bail!("{}: give one pairing alone, or results", file.display());
        }
        let (pairing, baseline, candidate) = Pairing::load(&file)?;
        let pairs = self.pairs;
        Ok(suggest_from_pairs(
            &baseline,
            &candidate,
            &pairing.pairs,
            pairs,
            policy,
        ))
    }
}

/// The policy as TOML.
fn written(suggestions: &[Suggestion], pairs: u32, policy: &Policy) -> String {
    let mut text = format!(
        "# Margins that this machine can hold, by `perwatt policy`. They assume a gate of {pairs} pairs and {},\n# \
         and that identical code passes it with probability {}. Measure anew where the machine \
         changes.\n# Cases that are not named here hold the general margins.\n",
        counted(suggestions.len(), "row"),
        policy.power
    );
    let mut metrics: Vec<_> = suggestions.iter().map(|s| s.metric.name()).collect();
    metrics.sort_unstable_by(|a, b| b.cmp(a));
    metrics.dedup();
    let quoted: Vec<String> = metrics.iter().map(|name| format!("\"{name}\"")).collect();
    let _ = writeln!(text, "metrics = [{}]", quoted.join(", "));
    for group in suggestions.chunk_by(|a, b| a.case == b.case) {
        if group.iter().all(|suggestion| suggestion.general_holds) {
            continue;
        }
        text += &rule(group);
    }
    text
}

/// The rule of one case.
fn rule(group: &[Suggestion]) -> String {
    let glob = Value::String(globset::escape(&group[0].case));
    let mut text = "\n[[case]]".to_owned();
    let (mut margins, mut bounds) = (Vec::new(), Vec::new());
    for suggestion in group {
        let name = suggestion.metric.name();
        let _ = write!(
            text,
            " # pairs of {name} vary by {}",
            percent(suggestion.pair_sd)
        );
        match suggestion.percent {
            _ if suggestion.general_holds => {}
            Some((margin, bound)) => {
                margins.push(format!("{name} = {margin}"));
                bounds.push(format!("{name} = {bound}"));
            }
            None => text += ": too much for any margin",
        }
    }
    let _ = write!(text, "\nglob = {glob}\n");
    if group
        .iter()
        .any(|s| s.percent.is_none() && !s.general_holds)
    {
        text += "gate = false\n";
    }
    if !margins.is_empty() {
        let _ = writeln!(text, "margin_percent = {{ {} }}", margins.join(", "));
        let _ = writeln!(text, "equivalence_percent = {{ {} }}", bounds.join(", "));
    }
    text
}
