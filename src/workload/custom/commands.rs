//! The command that expands a shader: the user's own preprocessor, run only where the user allowed it.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::amounts::ParameterScope;
use super::entry::{FileEntry, ManifestCommands};
use crate::error::Result;
use crate::process::{GroupedChild, StopSignal, Timeout};
use crate::record::MOST_SOURCE_BYTES;

/// Longest that a command may take.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// How often is looked whether it ended.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// How long its output may stay open after it ended.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Most that is kept of what it says on standard error.
const MOST_SAID: u64 = 64 << 10;

/// Most characters of it that are shown.
const MOST_SHOWN: usize = 1_000;

/// What a command prints, run in the folder of the file.
pub(super) fn printed(
    entry: &FileEntry<'_>,
    words: &[String],
    scope: &ParameterScope,
) -> Result<String> {
    let wrong = |reason: String| entry.wrong(format!("`expand`: {reason}"));
    if entry.file.commands == ManifestCommands::Refused {
        return Err(wrong(
            "the file wants to run a command; if you trust it, say so with --allow-commands"
                .to_owned(),
        ));
    }
    let words: Vec<String> = words
        .iter()
        .map(|word| scope.text(word).map_err(&wrong))
        .collect::<Result<_>>()?;
    let Some((program, arguments)) = words.split_first() else {
        return Err(wrong(
            "give the command and its arguments, as in [\"cpp\", \"-P\", \"-DN=${n}\", \"s.wgsl\"]"
                .to_owned(),
        ));
    };
    let text = run(entry.folder(), program, arguments);
    text.map_err(|reason| wrong(format!("{program}: {reason}")))
}

/// Runs a program and takes what it prints.
fn run(folder: &Path, program: &str, arguments: &[String]) -> std::result::Result<String, String> {
    // What is named by a path is beside the file; what is a bare word is looked for as a shell does.
    let path = Path::new(program);
    let beside = folder.join(path);
    let absolute = std::path::absolute(&beside).map_err(|e| e.to_string())?;
    let found = if path.components().count() > 1 {
        &absolute
    } else {
        path
    };
    let mut command = Command::new(found);
    command
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = GroupedChild::spawn(command, StopSignal::Force).map_err(|e| e.to_string())?;
    let most = MOST_SOURCE_BYTES;
    let printed = read(child.child().stdout.take(), most + 1);
    let said = read(child.child().stderr.take(), MOST_SAID);
    let mut time = Timeout::new(TIME_LIMIT);
    let status = loop {
        if let Some(status) = child.try_wait().map_err(|e| e.to_string())? {
            break status;
        }
        if time.is_over() {
            let limit = time.limit().as_secs();
            return Err(format!("did not end within {limit} s and was ended"));
        }
        std::thread::sleep(POLL_INTERVAL);
    };
    let text = |from: &Receiver<Vec<u8>>| from.recv_timeout(LAST_WORDS).unwrap_or_default();
    let bytes = text(&printed);
    if bytes.len() as u64 > most {
        return Err(format!("printed more than {most} bytes"));
    }
    if !status.success() {
        let said: String = String::from_utf8_lossy(&text(&said))
            .trim()
            .chars()
            .take(MOST_SHOWN)
            .collect();
        return Err(format!(
            "{status}{}{said}",
            if said.is_empty() { "" } else { ": " }
        ));
    }
    if bytes.is_empty() {
        return Err("printed nothing; it must print the WGSL on standard output".to_owned());
    }
    String::from_utf8(bytes).map_err(|_| "printed what is no UTF-8".to_owned())
}

/// Reads up to so many bytes beside what else goes on, and closes what it reads from: who writes more is ended by that.
fn read(from: Option<impl Read + Send + 'static>, most: u64) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(from) = from {
            // What cannot be read ends like what is over; nobody may be left to hear it.
            let _ = from.take(most).read_to_end(&mut bytes);
        }
        let _ = sender.send(bytes);
    });
    receiver
}
