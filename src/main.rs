//! The `perwatt` program: parse, run, exit.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use perwatt::cli::{Cli, Exit};

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(exit) => exit.into(),
        Err(error) => {
            // A closed stderr leaves nobody to tell.
            let _ = writeln!(std::io::stderr(), "perwatt: {error:#}");
            Exit::Usage.into()
        }
    }
}
