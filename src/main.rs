//! The `perwatt` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    perwatt::cli::main()
}
