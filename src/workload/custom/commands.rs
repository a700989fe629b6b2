//! The command that expands a shader: the user's own preprocessor, run only where the user allowed it.

use std::io::{self, Read};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::amounts::ParameterScope;
use super::entry::{FileEntry, ManifestCommands};
use crate::error::{Error, Result};
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

/// What a command prints, run in the folder of the file; once for each distinct list of words.
pub(super) fn printed(
    entry: &FileEntry<'_>,
    words: &[String],
    scope: &ParameterScope,
) -> Result<Arc<str>> {
    let wrong = |reason: String| entry.wrong(format!("`expand`: {reason}"));
    if entry.file.commands == ManifestCommands::Refused {
        // No kernel is broken by this, so it is an error of the command line.
        return Err(Error::Usage {
            what: entry.file.path.display().to_string(),
            reason: format!(
                "line {}: `expand`: the file wants to run a command; if you trust it, say so with --allow-commands",
                entry.line
            ),
        });
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
    entry.file.reads.printed(&words, || {
        let text = run(entry.folder(), program, arguments);
        text.map_err(|reason| wrong(format!("{program}: {reason}")))
    })
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
    // Who prints more is ended by what it writes to being closed. What it says goes on being taken: it may say a lot
    // and still do its work.
    let printed = read(child.child().stdout.take(), most + 1, Beyond::Closed);
    let said = read(child.child().stderr.take(), MOST_SAID, Beyond::Dropped);
    let mut time = Timeout::new(TIME_LIMIT);
    while !child.has_ended().map_err(|e| e.to_string())? {
        if time.is_over() {
            let limit = time.limit().as_secs();
            return Err(format!("did not end within {limit} s and was ended"));
        }
        std::thread::sleep(POLL_INTERVAL);
    }
    let printed = printed.recv_timeout(LAST_WORDS);
    // What it left running in its group ends here.
    let status = child.end().map_err(|e| e.to_string())?;
    let too_much = |bytes: &Vec<u8>| bytes.len() as u64 > most;
    // It is ended by that.
    if printed
        .as_ref()
        .is_ok_and(|read| read.as_ref().is_ok_and(too_much))
    {
        return Err(format!("printed more than {most} bytes"));
    }
    if !status.success() {
        return Err(ended_badly(status, &said));
    }
    let bytes = printed
        .map_err(|_| {
            format!(
                "ended, and something that it started held its standard output open for {} s more; let it wait for \
                 what it starts",
                LAST_WORDS.as_secs()
            )
        })?
        .map_err(|e| format!("its standard output cannot be read: {e}"))?;
    if bytes.is_empty() {
        return Err("printed nothing; it must print the WGSL on standard output".to_owned());
    }
    String::from_utf8(bytes).map_err(|_| "printed what is no UTF-8".to_owned())
}

/// How a command failed, with what it said.
fn ended_badly(status: ExitStatus, said: &Receiver<io::Result<Vec<u8>>>) -> String {
    // What cannot be read adds nothing to that it failed.
    let said = said.recv_timeout(LAST_WORDS).ok().and_then(Result::ok);
    let said = String::from_utf8_lossy(said.as_deref().unwrap_or_default()).into_owned();
    let said: String = said.trim().chars().take(MOST_SHOWN).collect();
    let colon = if said.is_empty() { "" } else { ": " };
    format!("{status}{colon}{said}")
}

/// What becomes of what is beyond the most that is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Beyond {
    /// Nobody can write it.
    Closed,
    /// It is taken and dropped.
    Dropped,
}

/// Reads up to so many bytes beside what else goes on.
fn read(
    from: Option<impl Read + Send + 'static>,
    most: u64,
    beyond: Beyond,
) -> Receiver<io::Result<Vec<u8>>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = match from {
            None => Ok(()),
            Some(mut from) => from
                .by_ref()
                .take(most)
                .read_to_end(&mut bytes)
                .and_then(|_| match beyond {
                    Beyond::Closed => Ok(0),
                    Beyond::Dropped => io::copy(&mut from, &mut io::sink()),
                })
                .map(drop),
        };
        // Nobody may be left to hear it.
        let _ = sender.send(read.map(|()| bytes));
    });
    receiver
}
