//! Where output goes: standard output for results, and no panic when nobody reads it.

use std::io::{ErrorKind, IsTerminal, Write};

use anyhow::Context;

/// Writes to standard output. A reader that has seen enough (`| head`) is no error.
///
/// # Errors
/// Standard output cannot be written for another reason, a full disk say.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result.context("cannot write to standard output"),
    }
}

/// Writes a value to standard output as JSON.
///
/// # Errors
/// As [`print`].
pub(super) fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    print(&(serde_json::to_string_pretty(value)? + "\n"))
}

/// Tells the user something that is no result.
pub(super) fn tell(message: &str) {
    // A closed stderr leaves nobody to tell.
    let _ = writeln!(std::io::stderr().lock(), "{message}");
}

/// Columns of the terminal, where results go to one; 0 for a terminal that does not know its size.
pub(super) fn width() -> Option<u16> {
    let out = std::io::stdout();
    reported(out.is_terminal(), terminal_size::terminal_size_of(&out))
}

/// What is made of the size that a terminal reports, or does not.
fn reported(
    terminal: bool,
    size: Option<(terminal_size::Width, terminal_size::Height)>,
) -> Option<u16> {
    terminal.then(|| size.map_or(0, |(columns, _)| columns.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use terminal_size::{Height, Width};

    #[test]
    fn an_unsized_terminal_is_no_pipe() {
        let size = Some((Width(72), Height(20)));
        assert_eq!(reported(true, size), Some(72));
        assert_eq!(reported(true, None), Some(0));
        assert_eq!(reported(false, size), None);
    }
}
