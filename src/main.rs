//! The `perwatt` program.

use std::process::ExitCode;

#[cfg(all(target_os = "linux", target_env = "gnu", feature = "invest"))]
mod older_glibc;

fn main() -> ExitCode {
    perwatt::cli::main()
}
