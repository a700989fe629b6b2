//! Comments of WGSL, as its specification has them: one rule for all readers of a shader's text.

/// What ends a line in WGSL.
const LINE_BREAKS: [char; 7] = [
    '\n', '\u{b}', '\u{c}', '\r', '\u{85}', '\u{2028}', '\u{2029}',
];

/// What follows the comment that a text begins with, from the end of its line on where it ends with one; `None` where
/// the text begins with none. Block comments nest; one that is never closed goes on to the end.
pub fn after_wgsl_comment(text: &str) -> Option<&str> {
    if text.starts_with("//") {
        return Some(text.find(LINE_BREAKS).map_or("", |end| &text[end..]));
    }
    text.starts_with("/*").then(|| after_block(text))
}

fn after_block(text: &str) -> &str {
    let (mut depth, mut at) = (0_u32, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return &text[at..];
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::after_wgsl_comment;

    #[test]
    fn a_comment_ends_with_its_line_or_its_own_mark() {
        for (text, after) in [
            ("// a\nb", Some("\nb")),
            ("// a\rb", Some("\rb")),
            ("// a\r\nb", Some("\r\nb")),
            ("// ä\u{2028}b", Some("\u{2028}b")),
            ("// /* a\nb", Some("\nb")),
            ("// a", Some("")),
            ("/* a */b", Some("b")),
            ("/* a /* b */ c */ d", Some(" d")),
            ("/*/ a */b", Some("b")),
            ("/* // */b", Some("b")),
            ("/* a /* b */ c", Some("")),
            ("/ a", None),
            ("", None),
        ] {
            assert_eq!(after_wgsl_comment(text), after, "{text:?}");
        }
    }
}
