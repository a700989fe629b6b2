//! Text from elsewhere, made to stand there and do nothing: one way for each medium.
//!
//! Names in a record come from drivers, files and other people. A terminal obeys control characters, a CI
//! runner obeys lines of its log that begin with `::` or hold `##[`, and a reader is deceived by characters
//! that turn the direction of writing. What goes to standard output or standard error passes through
//! [`page`], [`json`] or [`line`]; formats with an escaping of their own (Markdown, annotations, CSV) build
//! theirs on [`inert`].

/// The character, unless it steers a terminal, breaks a line, turns the reading direction or cannot be seen.
pub fn inert(c: char) -> char {
    if steers(c) {
        char::REPLACEMENT_CHARACTER
    } else {
        c
    }
}

/// Whether a character does something other than stand there.
fn steers(c: char) -> bool {
    // C0, DEL and C1; breaks of lines and paragraphs; marks, embeddings, overrides and isolates of direction;
    // and tags, by which text hides in text.
    c.is_control()
        || matches!(
            c,
            '\u{2028}' | '\u{2029}' | '\u{61c}' | '\u{200e}' | '\u{200f}'
        )
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{e0000}'..='\u{e007f}')
}

/// A page that does to a terminal, and to a CI runner that reads its log, nothing but stand there: only
/// line breaks and tabs are left of the control characters, and no line is a command.
pub fn page(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (line, end) = match line.strip_suffix('\n') {
            // A line that Windows ended.
            Some(line) => (line.strip_suffix('\r').unwrap_or(line), "\n"),
            None => (line, ""),
        };
        let line: String = line
            .chars()
            .map(|c| if c == '\t' { c } else { inert(c) })
            .collect();
        clean += &without_commands(&line);
        clean += end;
    }
    clean
}

/// As [`page`], for text that stands in one line: breaks are replaced, too.
pub fn line(text: &str) -> String {
    let line: String = text.chars().map(inert).collect();
    without_commands(&line)
}

/// A line that no CI runner takes for a command: GitHub's knows one by `::` in front, whatever blanks stand
/// before it, and an older form of it by `##[` anywhere.
fn without_commands(line: &str) -> String {
    let rest = line.trim_start();
    let blank = &line[..line.len() - rest.len()];
    let line = match rest.strip_prefix("::") {
        Some(rest) => format!("{blank}: :{rest}"),
        None => line.to_owned(),
    };
    line.replace("##[", "# #[")
}

/// JSON with the same values in which every character that steers is written as `\u….`, so that it can be
/// printed as it is. `text` is JSON as a serializer wrote it: such characters, and `##[`, stand only inside
/// its strings.
pub fn json(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        if c != '\n' && steers(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                clean += &format!("\\u{unit:04x}");
            }
        } else {
            clean.push(c);
        }
    }
    clean.replace("##[", "#\\u0023[")
}

/// A cell of a CSV file: what steers is replaced, and what a spreadsheet would run as a formula, or a CI
/// runner as a command, gets an apostrophe in front.
pub fn cell(text: &str) -> String {
    let clean: String = text.chars().map(inert).collect();
    let clean = clean.replace("##[", "# #[");
    let runs = |rest: &str| rest.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    let rest = clean.trim_start();
    if runs(rest) || rest.starts_with("::") || text.starts_with(['\t', '\r', '\n']) {
        format!("'{clean}")
    } else {
        clean
    }
}

/// A word as a POSIX shell reads it, in quotes where it needs some.
pub fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Text that stands in the content or a quoted attribute of an HTML or XML element.
pub fn markup(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' => escaped.push(c),
            c => escaped.push(inert(c)),
        }
    }
    escaped
}

/// JSON that stands inside a `<script type="application/json">` of an HTML page: with the same values, and with no
/// character that could end the element, begin another or steer. `text` is JSON as a serializer wrote it: such
/// characters stand only inside its strings.
pub fn script_data(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in json(text).chars() {
        match c {
            '<' | '>' | '&' => clean += &format!("\\u{:04x}", u32::from(c)),
            c => clean.push(c),
        }
    }
    clean
}

/// Text that Markdown and HTML leave alone.
pub fn markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '@' => escaped.push_str("&#64;"),
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '~' | '#' => {
                escaped.push('\\');
                escaped.push(c);
            }
            '\n' | '\r' | '\t' => escaped.push(' '),
            c => escaped.push(inert(c)),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that does something, between letters, also behind a break of the line.
    fn hostile() -> String {
        let mut text = String::new();
        for c in (0..=0x10_ffff)
            .filter_map(char::from_u32)
            .filter(|c| steers(*c))
        {
            text.push('a');
            text.push(c);
        }
        text + "\n::error::x\n \t::stop-commands::y\r\n##[error]z\r::warning::w\u{1b}]0;t\u{7}"
    }

    fn is_harmless(text: &str) -> bool {
        let line_is = |line: &str| {
            !line.trim_start().starts_with("::")
                && !line.contains("##[")
                && !line.chars().any(|c| c != '\t' && steers(c))
        };
        text.split('\n').all(line_is)
    }

    #[test]
    fn nothing_hostile_is_left_on_a_page_in_a_line_in_json_or_in_a_cell() {
        let hostile = hostile();
        assert!(!is_harmless(&hostile));
        assert!(is_harmless(&page(&hostile)));
        assert!(is_harmless(&line(&hostile)) && !line(&hostile).contains('\n'));
        assert!(is_harmless(&cell(&hostile)) && !cell(&hostile).contains('\n'));
        let value = serde_json::json!({ hostile.as_str(): [hostile.as_str()] });
        let text = json(&serde_json::to_string_pretty(&value).unwrap());
        assert!(is_harmless(&text));
        let back: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(back, value);
    }

    #[test]
    fn no_text_ends_the_element_that_it_stands_in() {
        let ends = "</script><!--<script>]]>&amp;\"'";
        assert!(!markup(ends).contains(['<', '>', '"', '\'']));
        let hostile = hostile() + ends;
        let value = serde_json::json!({ hostile.as_str(): [hostile.as_str()] });
        let text = script_data(&serde_json::to_string(&value).unwrap());
        assert!(is_harmless(&text) && !text.contains(['<', '>', '&']));
        let back: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(back, value);
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        let text = "a: b::c  12.5 µs ±3 %\n\t- 測定 🦀 x#[y]\n";
        assert_eq!(page(text), text);
        assert_eq!(json("{\"a\": \"b::c µ\"}\n"), "{\"a\": \"b::c µ\"}\n");
        assert_eq!(cell("matmul/f32"), "matmul/f32");
    }

    #[test]
    fn a_cell_that_would_run_is_text() {
        for formula in ["=1+1", "+1", "-1", "@x", " =1", "\t=1", "＝1", "::error::x"] {
            assert!(cell(formula).starts_with('\''), "{formula:?}");
        }
    }

    #[test]
    fn a_shell_reads_what_was_given() {
        assert_eq!(shell_word("--case"), "--case");
        assert_eq!(shell_word("matmul/*"), "'matmul/*'");
        assert_eq!(shell_word("it's"), "'it'\\''s'");
        assert_eq!(shell_word("$(rm x)"), "'$(rm x)'");
        assert_eq!(shell_word(""), "''");
    }
}
