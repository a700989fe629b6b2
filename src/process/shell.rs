//! Users' command lines, as the system's shell takes them.

use std::process::Command;

/// A command line for the system's shell.
#[cfg(not(windows))]
pub fn shell(line: &str) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(line);
    command
}

/// A command line for the system's shell.
#[cfg(windows)]
pub fn shell(line: &str) -> Command {
    use std::os::windows::process::CommandExt;
    let mut command = Command::new("cmd");
    // As it was written: cmd knows nothing of the quotes that Rust would put around it.
    command.arg("/C").raw_arg(line);
    command
}
