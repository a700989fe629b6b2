//! Options that only a new session may have: none of them fits beside `--resume`.
//!
//! The conflict follows from clap's own definition of the options, so an option that is added to them
//! cannot be accepted and ignored.

use clap::{ArgMatches, Args, Command, Error, FromArgMatches, Id};

/// The options of `T`, each of which conflicts with `--resume`.
#[derive(Debug)]
pub(in crate::cli) struct Fresh<T>(pub(in crate::cli) T);

impl<T: Args> FromArgMatches for Fresh<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        T::from_arg_matches(matches).map(Self)
    }

    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, Error> {
        T::from_arg_matches_mut(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches(matches)
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
        .fold(command, |command, argument| {
            command.mut_arg(argument.get_id(), |argument| {
                argument.conflicts_with("resume")
            })
        })
}
