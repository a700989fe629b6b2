//! A shell command that ends, with all that it started, when the process that started it does, in whatever way: a
//! meter that outlives its run goes on waking the machine that is measured next.

use std::io;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};

/// What the shell does before the command. The command stands in a process group of its own, with a guard
/// beside it that reads a pipe from perwatt; when the pipe closes, the guard ends the group. No signal has to
/// be caught and no process has to be alive for it.
#[cfg(not(windows))]
const GUARD: &str = "exec 3<&0 </dev/null
(read -r line <&3; kill -KILL 0) >/dev/null 2>&1 &
exec 3<&-
exec sh -c \"$1\"";

/// A running command; dropping it ends it and its children.
#[derive(Debug)]
pub(super) struct GuardedCommand {
    child: Child,
    /// What the guard reads.
    leash: Option<ChildStdin>,
}

impl GuardedCommand {
    /// Starts a command line of the system's shell.
    ///
    /// # Errors
    /// The system refuses.
    pub(super) fn start(line: &str) -> io::Result<Self> {
        let mut child = guarded(line)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let leash = child.stdin.take();
        Ok(Self { child, leash })
    }

    /// What it prints, once.
    pub(super) fn outputs(&mut self) -> (Option<ChildStdout>, Option<ChildStderr>) {
        (self.child.stdout.take(), self.child.stderr.take())
    }

    /// How it ended, once its output has; what it left in the background ends, too.
    pub(super) fn wait(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait();
        self.leash = None;
        status
    }
}

impl Drop for GuardedCommand {
    fn drop(&mut self) {
        #[cfg(windows)]
        end_tree(self.child.id());
        // The guard ends the group. Where the shell has no such thing, the command itself ends.
        self.leash = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(not(windows))]
fn guarded(line: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", GUARD, "sh", line]);
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command
}

#[cfg(windows)]
fn guarded(line: &str) -> Command {
    crate::process::shell(line)
}

/// Ends a process and its children.
#[cfg(windows)]
fn end_tree(process: u32) {
    let _ = Command::new("taskkill")
        .args(["/F", "/T", "/PID", &process.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::{BufRead, BufReader, Read};

    use super::*;

    /// What a command of three generations prints until all of them are gone.
    #[test]
    fn children_and_grandchildren_end_with_it() {
        let line = "(sh -c 'sleep 300 & sleep 300' & sleep 300) & echo there; sleep 300";
        let mut command = GuardedCommand::start(line).unwrap();
        let (output, _) = command.outputs();
        let mut output = BufReader::new(output.unwrap());
        let mut said = String::new();
        output.read_line(&mut said).unwrap();
        assert_eq!(said, "there\n");
        drop(command);
        // All of them hold the pipe open; it ends when the last is gone.
        output.read_to_string(&mut said).unwrap();
        assert_eq!(said, "there\n");
    }

    #[test]
    fn the_commands_own_end_is_told_and_nothing_stays() {
        let mut command = GuardedCommand::start("sleep 300 & echo one; exit 7").unwrap();
        let (output, _) = command.outputs();
        let mut output = BufReader::new(output.unwrap());
        let mut said = String::new();
        output.read_line(&mut said).unwrap();
        assert_eq!(command.wait().unwrap().code(), Some(7));
        output.read_to_string(&mut said).unwrap();
        assert_eq!(said, "one\n");
    }

    #[test]
    fn a_command_reads_nothing_of_ours() {
        let mut command = GuardedCommand::start("cat; echo end").unwrap();
        let (output, _) = command.outputs();
        let mut said = String::new();
        output.unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(said, "end\n");
        assert!(command.wait().unwrap().success());
    }
}
