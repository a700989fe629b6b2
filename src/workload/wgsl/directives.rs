//! The directives at the head of a WGSL source: `enable` with names that naga refuses although wgpu does what they
//! stand for. They are blanked, so that places in messages stay right.

use crate::record::after_wgsl_comment;

/// What naga refuses, and either always allows or does not need: subgroups (wgpu issue 5555), and experiments of Chrome.
fn needless(extension: &str) -> bool {
    matches!(extension, "subgroups" | "subgroups_f16") || extension.starts_with("chromium_")
}

/// The source as naga takes it, with every place where it was.
pub(super) fn accepted(wgsl: &str) -> String {
    // A mark of the encoding is no text, and no editor counts it as a column. What wgpu called push constants is called
    // immediate data since its version 28.
    let mut out = wgsl
        .strip_prefix('\u{feff}')
        .unwrap_or(wgsl)
        .replace("var<push_constant>", "var<immediate    >");
    let mut at = 0;
    loop {
        at = after_blanks(&out, at);
        let rest = &out[at..];
        let word = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .map_or(rest, |end| &rest[..end]);
        if !matches!(word, "enable" | "requires" | "diagnostic") {
            return out;
        }
        let Some(length) = rest.find(';') else {
            return out;
        };
        let (start, end) = (at + word.len(), at + length);
        if word == "enable" {
            let kept = kept_extensions(&out[start..end]);
            if kept.iter().any(|kept| !kept) {
                let replaced = rewritten(&out[start..end], &kept);
                match replaced {
                    Some(list) => out.replace_range(start..end, &list),
                    None => {
                        let blank = blanked(&out[at..=end]);
                        out.replace_range(at..=end, &blank);
                        at += blank.len();
                        continue;
                    }
                }
            }
        }
        at = out[at..]
            .find(';')
            .map_or(out.len(), |length| at + length + 1);
    }
}

/// Of each extension of a list, whether it stays.
fn kept_extensions(list: &str) -> Vec<bool> {
    list.split(',')
        .map(|name| !needless(without_comments(name).trim()))
        .collect()
}

/// The list without what does not stay; `None` where nothing is left.
fn rewritten(list: &str, kept: &[bool]) -> Option<String> {
    let mut out = String::with_capacity(list.len());
    let mut any = false;
    for (part, keep) in list.split(',').zip(kept) {
        // A list may end with a comma.
        let empty = without_comments(part).trim().is_empty();
        if !out.is_empty() {
            out.push(if any && *keep && !empty { ',' } else { ' ' });
        }
        if *keep {
            out.push_str(part);
            any |= !empty;
        } else {
            out.push_str(&blanked(part));
        }
    }
    any.then_some(out)
}

/// Blanks for every byte but those that end lines.
fn blanked(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'\n' => '\n',
            b'\r' => '\r',
            _ => ' ',
        })
        .collect()
}

/// A text without its comments.
fn without_comments(text: &str) -> String {
    let mut clean = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        match after_wgsl_comment(rest) {
            Some(after) => {
                clean.push(' ');
                rest = after;
            }
            None => {
                clean.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    clean
}

/// The place behind blanks and comments.
fn after_blanks(text: &str, at: usize) -> usize {
    let mut rest = text[at..].trim_start();
    while let Some(after) = after_wgsl_comment(rest) {
        rest = after.trim_start();
    }
    text.len() - rest.len()
}

#[cfg(test)]
mod tests {
    use super::accepted;

    #[test]
    fn every_form_of_enabling_subgroups_is_taken_and_places_stay() {
        let body = "@compute @workgroup_size(32) fn main() { var x = subgroupAdd(1u); }";
        for head in [
            "enable subgroups;",
            "enable subgroups ;",
            "enable f16, subgroups;",
            "enable subgroups,f16;",
            "enable\n subgroups\n,\n f16 ;",
            "// enable\n/* a /* b */ c */ enable f16; enable subgroups; ",
            "enable subgroups, ;",
            "\u{feff}enable f16,subgroups,;\nrequires packed_4x8_integer_dot_product;",
            "enable f16, chromium_experimental_subgroups, subgroups;",
            "diagnostic(off, derivative_uniformity); enable subgroups;",
            "// a lone carriage return\renable subgroups;",
        ] {
            let source = format!("{head}\n{body}");
            let taken = accepted(&source);
            assert!(
                naga::front::wgsl::parse_str(&taken).is_ok(),
                "{head}: {taken}"
            );
            assert_eq!(taken.lines().count(), source.lines().count(), "{head}");
        }
    }

    #[test]
    fn a_source_without_directives_stays_as_it_is() {
        let source = "const enable = 1; /* enable subgroups; */";
        assert_eq!(accepted(source), source);
    }
}
