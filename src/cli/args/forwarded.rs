//! Options that are passed on to another `perwatt`, exactly as they were given.
//!
//! What is passed on follows from clap's own definition of the options, so an option that is added there
//! cannot be forgotten here.

use std::ffi::OsString;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, Error, FromArgMatches};

/// The options of `T`, parsed and also kept as text.
#[derive(Debug)]
pub(in crate::cli) struct Forwarded<T> {
    given: Vec<(String, Vec<OsString>)>,
    /// Names of the options that the user gave.
    named: Vec<String>,
    parsed: T,
}

impl<T> Forwarded<T> {
    /// The options as this perwatt reads them.
    pub(in crate::cli) fn parsed(&self) -> &T {
        &self.parsed
    }

    /// Refuses whatever of the options was given, those with these names left out.
    ///
    /// # Errors
    /// The first option, and `why` it has no use.
    pub(in crate::cli) fn refuse(&self, without: &[&str], why: &str) -> crate::Result<()> {
        let mut named = self.named.iter();
        match named.find(|name| !without.contains(&name.as_str())) {
            Some(name) => Err(crate::Error::usage(format!("--{name}"), why)),
            None => Ok(()),
        }
    }

    /// The options as arguments of a command, those with these names left out.
    pub(in crate::cli) fn arguments(&self, without: &[&str]) -> Vec<OsString> {
        self.given
            .iter()
            .filter(|(name, _)| !without.contains(&name.as_str()))
            .flat_map(|(_, arguments)| arguments.clone())
            .collect()
    }
}

impl<T: Args> FromArgMatches for Forwarded<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        Self::from_arg_matches_mut(&mut matches.clone())
    }

    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, Error> {
        // Before `T` takes the values out.
        let given = given::<T>(matches);
        let by_user = |(name, _): &&(String, Vec<OsString>)| is_by_user::<T>(matches, name);
        let named = given.iter().filter(by_user);
        let named = named.map(|(name, _)| name.clone()).collect();
        let parsed = T::from_arg_matches_mut(matches)?;
        Ok(Self {
            given,
            named,
            parsed,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl<T: Args> Args for Forwarded<T> {
    fn group_id() -> Option<clap::Id> {
        T::group_id()
    }

    fn augment_args(command: Command) -> Command {
        T::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        T::augment_args_for_update(command)
    }
}

/// Whether an option of `T` was given and has not only its default.
fn is_by_user<T: Args>(matches: &ArgMatches, name: &str) -> bool {
    let definition = T::augment_args(Command::new("perwatt"));
    let mut arguments = definition.get_arguments();
    arguments
        .find(|argument| argument.get_long() == Some(name))
        .is_some_and(|argument| {
            let source = matches.value_source(argument.get_id().as_str());
            source.is_some_and(|source| source != ValueSource::DefaultValue)
        })
}

/// For each option of `T` that has a value, given or by default, its name and the arguments that say so.
fn given<T: Args>(matches: &ArgMatches) -> Vec<(String, Vec<OsString>)> {
    let definition = T::augment_args(Command::new("perwatt"));
    let mut given = Vec::new();
    for argument in definition.get_arguments() {
        let Some(name) = argument.get_long() else {
            continue;
        };
        let id = argument.get_id().as_str();
        let flag = OsString::from(format!("--{name}"));
        let mut arguments = Vec::new();
        if argument.get_action().takes_values() {
            for value in matches.get_raw(id).into_iter().flatten() {
                // One word, so that a value which begins with a dash stays a value.
                let mut word = flag.clone();
                word.push("=");
                word.push(value);
                arguments.push(word);
            }
        } else if matches.get_flag(id) {
            arguments.push(flag);
        }
        if !arguments.is_empty() {
            given.push((name.to_owned(), arguments));
        }
    }
    given
}

#[cfg(test)]
mod tests {
    use clap::builder::ValueParser;
    use clap::{ArgAction, Parser};

    use super::*;
    use crate::cli::args::measure::{DeadlineArgs, MeasureArgs};

    #[derive(Debug, Args)]
    struct Both {
        #[command(flatten)]
        measure: MeasureArgs,
        #[command(flatten)]
        deadline: DeadlineArgs,
    }

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        both: Forwarded<Both>,
    }

    /// Something that the option takes.
    fn sample(argument: &clap::Arg) -> String {
        let parser: &ValueParser = argument.get_value_parser();
        if let Some(mut values) = parser.possible_values()
            && let Some(last) = values.by_ref().last()
        {
            return last.get_name().to_owned();
        }
        match argument.get_long() {
            Some("power") => "none".to_owned(),
            _ => "7".to_owned(),
        }
    }

    #[test]
    fn every_option_arrives_as_it_was_given() {
        let definition = Both::augment_args(Command::new("x"));
        let mut seen = 0;
        for argument in definition.get_arguments() {
            let Some(name) = argument.get_long() else {
                continue;
            };
            let word = if argument.get_action().takes_values() {
                format!("--{name}={}", sample(argument))
            } else {
                format!("--{name}")
            };
            let repeat = matches!(argument.get_action(), ArgAction::Append);
            let words = if repeat { vec![&word; 2] } else { vec![&word] };
            let line = ["x"].into_iter().chain(words.iter().map(|w| w.as_str()));
            let program = Program::try_parse_from(line).unwrap();
            let arguments = program.both.arguments(&[]);
            let count = arguments.iter().filter(|a| *a == word.as_str()).count();
            assert_eq!(count, words.len(), "{word}: {arguments:?}");
            assert!(
                program
                    .both
                    .arguments(&[name])
                    .iter()
                    .all(|a| *a != word.as_str())
            );
            seen += 1;
        }
        assert!(seen > 10);
    }
}
