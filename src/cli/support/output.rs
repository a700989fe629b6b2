//! The one place where text leaves, and where it is made to do nothing but stand there.
//!
//! Standard output is for results, standard error for everything else. No other file of the program may
//! open either (`clippy.toml` sees to it), so a new command cannot forget the escaping. A reader that has
//! seen enough is no error and no panic.

use std::io::{ErrorKind, IsTerminal, Stderr, Stdout, Write};
#[cfg(feature = "bench")]
use std::path::Path;

use anyhow::Context;

use crate::escape;

/// Writes a page to standard output. A reader that has seen enough (`| head`) is no error.
///
/// # Errors
/// Standard output cannot be written for another reason, a full disk say.
pub(in crate::cli) fn print(page: &str) -> anyhow::Result<()> {
    print_while_read(page).map(drop)
}

/// As [`print`]; `false` once the reader is gone.
///
/// # Errors
/// As [`print`].
pub(in crate::cli) fn print_while_read(page: &str) -> anyhow::Result<bool> {
    put(&escape::page(page))
}

/// As [`print`], beside a file that was written: where that was standard output itself, the page goes to standard error,
/// so that what stands there is the file and nothing else.
///
/// # Errors
/// As [`print`].
#[cfg(feature = "bench")]
pub(in crate::cli) fn print_beside(file: &Path, page: &str) -> anyhow::Result<()> {
    let names = ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];
    match names.iter().any(|name| file == Path::new(name)) {
        true => {
            tell(page);
            Ok(())
        }
        false => print(page),
    }
}

/// Writes a value to standard output as JSON.
///
/// # Errors
/// As [`print`].
pub(in crate::cli) fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    put(&json(value)?).map(drop)
}

/// Writes a value to standard output as JSON in one line; `false` once the reader is gone.
///
/// # Errors
/// As [`print`].
#[cfg(feature = "inspect")]
pub(in crate::cli) fn print_json_line(value: &impl serde::Serialize) -> anyhow::Result<bool> {
    put(&(escape::json(&serde_json::to_string(value)?) + "\n"))
}

/// Writes text to standard output as it is: the program's own, or escaped for its medium already, as
/// annotations are, which a CI runner is to obey.
///
/// # Errors
/// As [`print`].
pub(in crate::cli) fn print_as_is(text: &str) -> anyhow::Result<()> {
    put(text).map(drop)
}

/// A value as the text of a JSON file.
///
/// # Errors
/// It cannot be written as JSON.
pub(in crate::cli) fn json(value: &impl serde::Serialize) -> anyhow::Result<String> {
    Ok(escape::json(&serde_json::to_string_pretty(value)?) + "\n")
}

fn put(text: &str) -> anyhow::Result<bool> {
    let mut out = standard_output().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error).context("cannot write to standard output"),
    }
}

/// Tells the user something that is no result.
pub(in crate::cli) fn tell(message: &str) {
    tell_as_is(&escape::page(message));
}

/// As [`tell`], for text that is escaped for its medium already.
pub(in crate::cli) fn tell_as_is(message: &str) {
    // A closed stderr leaves no place to say it.
    let _ = writeln!(standard_error().lock(), "{message}");
}

/// Shows what clap made of the arguments: help and versions on standard output, mistakes, which repeat what
/// was typed, on standard error.
pub(in crate::cli) fn show_usage(usage: &clap::Error) {
    let plain = usage.render().to_string();
    if !usage.use_stderr() || plain == escape::page(&plain) {
        // In colour where there is a terminal. A closed stream leaves no place to say it.
        let _ = usage.print();
    } else {
        tell(plain.trim_end());
    }
}

/// Whether results go to a terminal.
pub(in crate::cli) fn to_terminal() -> bool {
    standard_output().is_terminal()
}

#[allow(
    clippy::disallowed_methods,
    reason = "everything that is written to it is escaped above"
)]
fn standard_output() -> Stdout {
    std::io::stdout()
}

#[allow(
    clippy::disallowed_methods,
    reason = "everything that is written to it is escaped above"
)]
fn standard_error() -> Stderr {
    std::io::stderr()
}

/// Whether a person may be watching standard error, so that a bar can be drawn there.
#[cfg(feature = "bench")]
#[expect(
    clippy::disallowed_methods,
    reason = "asks what it is and writes nothing"
)]
pub(in crate::cli) fn is_watched() -> bool {
    std::io::stderr().is_terminal()
}

/// Columns that results may take: of the terminal where they go to one, 0 for a terminal that does not know its
/// size; else as `COLUMNS` says, where it says something.
pub(in crate::cli) fn width() -> Option<u16> {
    let out = standard_output();
    let columns = std::env::var("COLUMNS").ok();
    reported(
        out.is_terminal(),
        terminal_size::terminal_size_of(&out),
        columns.as_deref(),
    )
}

/// What is made of the size that a terminal reports, or does not.
fn reported(
    terminal: bool,
    size: Option<(terminal_size::Width, terminal_size::Height)>,
    columns: Option<&str>,
) -> Option<u16> {
    if terminal {
        return Some(size.map_or(0, |(columns, _)| columns.0));
    }
    columns.and_then(|columns| columns.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use terminal_size::{Height, Width};

    #[test]
    fn an_unsized_terminal_is_no_pipe() {
        let size = Some((Width(72), Height(20)));
        assert_eq!(reported(true, size, Some("40")), Some(72));
        assert_eq!(reported(true, None, None), Some(0));
        assert_eq!(reported(false, size, None), None);
        assert_eq!(reported(false, None, Some("120")), Some(120));
        assert_eq!(reported(false, None, Some("wide")), None);
    }
}
