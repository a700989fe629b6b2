//! Options that only a new session may have: none of them fits beside `--resume`, save those by which a user
//! says again what a file must not decide.
//!
//! The conflict follows from clap's own definition of the options, so an option that is added to them
//! cannot be accepted and ignored.

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, Error, FromArgMatches, Id};

/// Options that a resumed run may be given again: what a journal names is not run, asked or read unless the
/// user names it too.
pub(in crate::cli) const AGAIN: [&str; 3] = ["power", "workloads", "allow_commands"];

/// The options of `T`, each of which conflicts with `--resume`.
#[derive(Debug)]
pub(in crate::cli) struct Fresh<T> {
    /// The options.
    pub(in crate::cli) new: T,
    /// Those of [`AGAIN`] that were given.
    again: Vec<&'static str>,
}

impl<T> Fresh<T> {
    /// Whether an option of [`AGAIN`] was given.
    pub(in crate::cli) fn was_given(&self, option: &str) -> bool {
        self.again.contains(&option)
    }

    fn of(matches: &ArgMatches, new: T) -> Self {
        let given = |option: &&str| {
            matches.try_contains_id(option).unwrap_or_default()
                && matches.value_source(option) == Some(ValueSource::CommandLine)
        };
        Self {
            new,
            again: AGAIN.into_iter().filter(given).collect(),
        }
    }
}

impl<T: Args> FromArgMatches for Fresh<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        Ok(Self::of(matches, T::from_arg_matches(matches)?))
    }

    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, Error> {
        // Before `T` takes the values out.
        let before = matches.clone();
        Ok(Self::of(&before, T::from_arg_matches_mut(matches)?))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.new.update_from_arg_matches(matches)
    }
}

impl<T: Args> Args for Fresh<T> {
    fn group_id() -> Option<Id> {
        T::group_id()
    }

    fn augment_args(command: Command) -> Command {
        without_resume::<T>(T::augment_args(command))
    }

    fn augment_args_for_update(command: Command) -> Command {
        without_resume::<T>(T::augment_args_for_update(command))
    }
}

fn without_resume<T: Args>(command: Command) -> Command {
    let definition = T::augment_args(Command::new("perwatt"));
    definition
        .get_arguments()
        .filter(|argument| !AGAIN.contains(&argument.get_id().as_str()))
        .fold(command, |command, argument| {
            command.mut_arg(argument.get_id(), |argument| {
                argument.conflicts_with("resume")
            })
        })
}
