//! The directives of C's preprocessor, as many projects write them in WGSL: `#define`, `#ifdef`, `#if defined(…)`,
//! `#include`, and the `#import` and `#{NAME}` of their relatives.
//!
//! perwatt's own shaders need less and say it otherwise (see the templates of the kit). These lines are here so that a
//! public shader runs as it is, without its program and without a command. Lines that are left out stay as empty ones,
//! so that places in messages are those of the file.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use minijinja::value::Value;

use super::amounts::{as_number, compile};

/// Deepest nesting of included files, and of names that stand for others.
const MOST_DEPTH: usize = 32;

/// Most bytes that come of a shader, and of a line.
const MOST_BYTES: usize = 4 << 20;

/// The directives that only such a file has; `#include`, `#if`, `#else` and `#endif` are of templates too.
const TELLING: [&str; 9] = [
    "define",
    "undef",
    "ifdef",
    "ifndef",
    "elifdef",
    "elifndef",
    "import",
    "define_import_path",
    "pragma",
];

/// A name and the text of a file that another one includes.
pub(super) type Included = (String, Arc<str>);

/// Finds an included file.
pub(super) type Opener<'a> = &'a dyn Fn(&str) -> Result<Included, String>;

/// What a file is expanded with.
pub(super) struct Definitions {
    /// What stands for a name wherever it is a word.
    pub(super) macros: BTreeMap<String, String>,
    /// What conditions and `#{NAME}` know beside them.
    pub(super) parameters: BTreeMap<String, String>,
}

/// Whether a file, or one that it includes, has directives that only C's preprocessor has.
pub(super) fn is_for_preprocessor(text: &str, open: Opener<'_>) -> bool {
    let tells = |(word, rest): (&str, &str)| match word {
        "if" | "elif" => {
            let signs = ["defined", "&&", "||"];
            rest.starts_with('!') || signs.iter().any(|sign| rest.contains(sign))
        }
        "else" => !without_comment(rest).is_empty(),
        word => TELLING.contains(&word),
    };
    let mut looked_at = BTreeSet::new();
    let mut texts: Vec<Arc<str>> = vec![Arc::from(text)];
    while let Some(text) = texts.pop() {
        if text.contains("#{") || text.lines().filter_map(directive).any(tells) {
            return true;
        }
        let directives = text.lines().filter_map(directive);
        let names =
            directives.filter_map(|(word, rest)| quoted(rest).filter(|_| word == "include"));
        let files = names.filter_map(|name| open(name).ok());
        let new = files.filter(|(shown, _)| looked_at.insert(shown.clone()));
        let new: Vec<Arc<str>> = new.map(|(_, text)| text).collect();
        texts.extend(new);
    }
    false
}

/// What is left of a file. `open` finds those that it includes.
///
/// # Errors
/// A directive is malformed or unknown, or a file cannot be included; the message has the file and the line.
pub(super) fn preprocessed(
    file: &str,
    text: &str,
    definitions: Definitions,
    open: Opener<'_>,
) -> Result<String, String> {
    let mut expansion = Expansion {
        definitions,
        open,
        imported: BTreeSet::new(),
        out: String::with_capacity(text.len()),
    };
    expansion.file(file, text, 0)?;
    Ok(expansion.out)
}

/// A file that is being expanded.
struct Expansion<'a> {
    definitions: Definitions,
    open: Opener<'a>,
    /// What was imported, which is done once.
    imported: BTreeSet<String>,
    out: String,
}

/// One `#if` that is not closed yet.
struct Choice {
    /// Where it stands.
    line: usize,
    /// Whether the lines around it are kept.
    outer: bool,
    /// Whether one of its parts was kept already.
    taken: bool,
    /// Whether the present part is kept.
    kept: bool,
    /// Whether `#else` was there.
    last: bool,
}

impl Expansion<'_> {
    fn file(&mut self, file: &str, text: &str, depth: usize) -> Result<(), String> {
        if depth > MOST_DEPTH {
            return Err(format!(
                "{file}: files include each other more than {MOST_DEPTH} deep"
            ));
        }
        let mut choices: Vec<Choice> = Vec::new();
        let mut lines = text.lines().enumerate();
        while let Some((before, line)) = lines.next() {
            let number = before + 1;
            let at = |reason: String| format!("{file}:{number}: {reason}: {:?}", line.trim());
            let Some((word, rest)) = directive(line) else {
                if choices.last().is_none_or(|choice| choice.kept) {
                    let replaced = self.replaced(line).map_err(at)?;
                    self.out.push_str(&replaced);
                }
                self.out.push('\n');
                continue;
            };
            self.out.push('\n');
            let mut rest = without_comment(rest).to_owned();
            while rest.ends_with('\\') {
                rest.pop();
                rest.push_str(without_comment(lines.next().map_or("", |(_, next)| next)));
                self.out.push('\n');
            }
            let kept = choices.last().is_none_or(|choice| choice.kept);
            if !self
                .chosen(word, &rest, kept, number, &mut choices)
                .map_err(at)?
                && kept
            {
                self.obey(word, &rest, depth)
                    .map_err(|reason| match reason.contains(':') {
                        // It names the place in an included file already.
                        true if word == "include" || word == "import" => reason,
                        _ => at(reason),
                    })?;
            }
            if self.out.len() > MOST_BYTES {
                return Err(at(format!(
                    "more than {} MiB come of the file",
                    MOST_BYTES >> 20
                )));
            }
        }
        match choices.last() {
            None => Ok(()),
            Some(Choice { line, .. }) => {
                Err(format!("{file}:{line}: no `#endif` closes this condition"))
            }
        }
    }

    /// Whether a directive is one of a condition, and then what it changes.
    fn chosen(
        &self,
        word: &str,
        rest: &str,
        kept: bool,
        line: usize,
        choices: &mut Vec<Choice>,
    ) -> Result<bool, String> {
        // naga_oil writes `#else ifdef NAME`.
        let (word, rest) = match (word, rest.split_once(char::is_whitespace)) {
            ("else", Some((after, rest))) if after.starts_with("if") => {
                (format!("el{after}"), rest.trim())
            }
            ("else", None) if rest.starts_with("if") => (format!("el{rest}"), ""),
            _ => (word.to_owned(), rest),
        };
        if matches!(word.as_str(), "if" | "ifdef" | "ifndef") {
            let holds = kept && self.holds(&word, rest)?;
            choices.push(Choice {
                line,
                outer: kept,
                taken: holds,
                kept: holds,
                last: false,
            });
            return Ok(true);
        }
        if !matches!(
            word.as_str(),
            "elif" | "elifdef" | "elifndef" | "elseif" | "else" | "endif"
        ) {
            return Ok(false);
        }
        let Some(choice) = choices.last_mut() else {
            return Err(format!("`#{word}` without `#if`"));
        };
        if word == "endif" {
            choices.pop();
            return Ok(true);
        }
        if choice.last {
            return Err(format!("`#{word}` after `#else`"));
        }
        choice.last = word == "else";
        let open = choice.outer && !choice.taken;
        choice.kept = open && (choice.last || self.holds(word.trim_start_matches("el"), rest)?);
        choice.taken |= choice.kept;
        Ok(true)
    }

    /// Whether the condition of `#if`, `#ifdef` or `#ifndef` holds.
    fn holds(&self, word: &str, rest: &str) -> Result<bool, String> {
        match word {
            "ifdef" => self.is_defined(rest),
            "ifndef" => self.is_defined(rest).map(|defined| !defined),
            _ => self.condition(rest),
        }
    }

    fn is_defined(&self, name: &str) -> Result<bool, String> {
        if !is_name(name) {
            return Err("one name is needed here".to_owned());
        }
        Ok(self.value(name).is_some())
    }

    /// What a name stands for in a condition.
    fn value(&self, name: &str) -> Option<&String> {
        let Definitions { macros, parameters } = &self.definitions;
        macros.get(name).or_else(|| parameters.get(name))
    }

    /// The truth of an expression of C.
    fn condition(&self, text: &str) -> Result<bool, String> {
        let mut tokens = tokens(text)
            .into_iter()
            .filter(|t| !t.trim().is_empty())
            .peekable();
        let mut written = String::new();
        while let Some(token) = tokens.next() {
            let word = match token {
                "defined" => {
                    let bracket = tokens.next_if_eq(&"(").is_some();
                    let defined = self.is_defined(tokens.next().unwrap_or_default())?;
                    if bracket && tokens.next() != Some(")") {
                        return Err("`defined(` without `)`".to_owned());
                    }
                    u8::from(defined).to_string()
                }
                "true" | "false" => u8::from(token == "true").to_string(),
                token if is_name(token) => match self.value(token) {
                    Some(_) => self.number(token)?,
                    None => {
                        return Err(format!(
                            "{token} is not defined; give it under `defines`, as in `defines = {{ {token} = 1 }}`"
                        ));
                    }
                },
                token => match token {
                    "&&" => "and".to_owned(),
                    "||" => "or".to_owned(),
                    "!" => "not".to_owned(),
                    number => without_suffix(number).to_owned(),
                },
            };
            written.push_str(&word);
            written.push(' ');
        }
        let value = compile(written.trim(), [])?.eval(Value::UNDEFINED);
        let value = value.map_err(|e| crate::workload::kit::template::detail(&e))?;
        let number = as_number(&value).ok_or("the condition is no number")?;
        Ok(number != 0.0)
    }

    /// The number that a name stands for.
    fn number(&self, name: &str) -> Result<String, String> {
        let replaced = match self.definitions.macros.contains_key(name) {
            true => self.replaced(name)?,
            false => self.value(name).cloned().unwrap_or_default(),
        };
        let number = without_suffix(replaced.trim());
        match number {
            // A flag that is only there.
            "true" | "" => Ok("1".to_owned()),
            "false" => Ok("0".to_owned()),
            _ if tokens(number).iter().any(|token| is_name(token)) => {
                Err(format!("{name} is {number:?}, which is no number"))
            }
            _ => Ok(format!("({number})")),
        }
    }

    /// Does what a directive says that is none of a condition.
    fn obey(&mut self, word: &str, rest: &str, depth: usize) -> Result<(), String> {
        match word {
            "define" => {
                let (name, value) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                if let Some((name, _)) = name.split_once('(') {
                    return Err(format!(
                        "a macro with arguments is not expanded here; write {name} as a function, or expand the file by \
                         `expand = [\"command\", …]`"
                    ));
                }
                if !is_name(name) {
                    return Err("`#define` takes a name and what stands for it".to_owned());
                }
                let macros = &mut self.definitions.macros;
                macros.insert(name.to_owned(), value.trim().to_owned());
                Ok(())
            }
            "undef" => {
                self.definitions.macros.remove(rest);
                Ok(())
            }
            "include" => {
                let name = quoted(rest).ok_or("`#include` takes the name of a file in quotes")?;
                let (shown, text) = (self.open)(name)?;
                self.file(&shown, &text, depth + 1)
            }
            "import" => self.import(rest, depth),
            "error" => Err("the file refuses what is defined".to_owned()),
            // They say something to a program alone.
            "pragma" | "define_import_path" | "enable" | "line" | "warning" => Ok(()),
            "for" | "endfor" => {
                Err("a file has the directives of a template or of C, not both".to_owned())
            }
            _ => Err(
                "no directive is called so; expand the file by `expand = [\"command\", …]`"
                    .to_owned(),
            ),
        }
    }

    /// Inserts a file once.
    fn import(&mut self, rest: &str, depth: usize) -> Result<(), String> {
        let name = quoted(rest).unwrap_or(rest.trim_end_matches(';').trim());
        let file = match name.contains('.') {
            true => name.to_owned(),
            false => format!("{name}.wgsl"),
        };
        if name.is_empty() || name.contains("::") || name.contains(char::is_whitespace) {
            return Err(
                "names of modules are not resolved; put the imported file before this one, as in `shader = \
                 [\"module.wgsl\", \"main.wgsl\"]`, and remove this line and the module's name from a copy"
                    .to_owned(),
            );
        }
        let (shown, text) = (self.open)(&file)?;
        if !self.imported.insert(shown.clone()) {
            return Ok(());
        }
        self.file(&shown, &text, depth + 1)
    }

    /// A line with what its names stand for.
    fn replaced(&self, line: &str) -> Result<String, String> {
        let mut out = String::with_capacity(line.len());
        self.replace_into(line, &mut Vec::new(), &mut out)?;
        Ok(out)
    }

    fn replace_into<'t>(
        &'t self,
        text: &'t str,
        active: &mut Vec<&'t str>,
        out: &mut String,
    ) -> Result<(), String> {
        let (code, comment) = match text.find("//") {
            Some(start) => text.split_at(start),
            None => (text, ""),
        };
        for token in tokens(code) {
            if out.len() > MOST_BYTES {
                return Err(format!("more than {} MiB come of a line", MOST_BYTES >> 20));
            }
            // A name alone between braces is a placeholder too, where it is defined; no WGSL has a block of a name.
            let braced = |open| token.strip_prefix(open)?.strip_suffix('}');
            let bare = braced("{").filter(|name| self.definitions.macros.contains_key(*name));
            if let Some(name) = braced("#{").or(bare) {
                let value = self.value(name.trim()).ok_or_else(|| {
                    format!("{name} is not defined; give it under `defines`, as in `defines = {{ {name} = 1 }}`")
                })?;
                out.push_str(value);
                continue;
            }
            match self.definitions.macros.get_key_value(token) {
                Some((name, value)) if !active.contains(&name.as_str()) => {
                    if active.len() > MOST_DEPTH {
                        return Err(format!(
                            "names stand for each other more than {MOST_DEPTH} deep"
                        ));
                    }
                    active.push(name);
                    self.replace_into(value, active, out)?;
                    active.pop();
                }
                _ => out.push_str(token),
            }
        }
        out.push_str(comment);
        Ok(())
    }
}

/// The word of a directive and what follows it.
fn directive(line: &str) -> Option<(&str, &str)> {
    let after = line.trim_start().strip_prefix('#')?.trim_start();
    let end = after.find(|c: char| !(c.is_alphanumeric() || c == '_'));
    let (word, rest) = after.split_at(end.unwrap_or(after.len()));
    (!word.is_empty()).then(|| (word, rest.trim()))
}

/// What stands in quotes or angle brackets.
fn quoted(text: &str) -> Option<&str> {
    let text = without_comment(text).trim_end_matches(';').trim_end();
    let inside = |open, close| text.strip_prefix(open)?.strip_suffix(close);
    inside('"', '"').or_else(|| inside('<', '>'))
}

fn without_comment(text: &str) -> &str {
    let comment = text.find("//").into_iter().chain(text.find("/*")).min();
    text.get(..comment.unwrap_or(text.len()))
        .unwrap_or(text)
        .trim()
}

/// A number without what WGSL says of its type.
fn without_suffix(number: &str) -> &str {
    let is_number = number.starts_with(|c: char| c.is_ascii_digit());
    match is_number && !number.starts_with("0x") {
        true => number.trim_end_matches(['u', 'i', 'f', 'h', 'L', 'U']),
        false => number,
    }
}

fn is_name(text: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !text.is_empty() && text.chars().all(part) && !text.starts_with(|c: char| c.is_ascii_digit())
}

/// Names, numbers, the operators of conditions, and what lies between them.
fn tokens(text: &str) -> Vec<&str> {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let pairs = ["&&", "||", "==", "!=", "<=", ">="];
        let length = if first.is_ascii_digit() {
            let of_number = |c: char| part(c) || c == '.';
            rest.find(|c| !of_number(c)).unwrap_or(rest.len())
        } else if part(first) {
            rest.find(|c| !part(c)).unwrap_or(rest.len())
        } else if rest.starts_with("#{") {
            rest.find('}').map_or(2, |end| end + 1)
        } else if let Some(end) = rest
            .find('}')
            .filter(|end| first == '{' && is_name(&rest[1..*end]))
        {
            end + 1
        } else if pairs.iter().any(|pair| rest.starts_with(pair)) {
            2
        } else {
            first.len_utf8()
        };
        let (token, after) = rest.split_at(length);
        found.push(token);
        rest = after;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{Definitions, is_for_preprocessor, preprocessed};

    fn open(name: &str) -> Result<super::Included, String> {
        match name {
            "two.wgsl" => Ok((name.to_owned(), "#define TWO 2u\n".into())),
            "itself" => Ok((name.to_owned(), "#include \"itself\"".into())),
            _ => Err(format!("{name}: no such file")),
        }
    }

    /// The lines that are left of a text, with A defined as 3 and the parameter n.
    fn left(text: &str) -> Result<Vec<String>, String> {
        let map = |name: &str, value: &str| [(name.to_owned(), value.to_owned())].into();
        let definitions = Definitions {
            macros: map("A", "3"),
            parameters: map("n", "256"),
        };
        let out = preprocessed("s.wgsl", text, definitions, &open)?;
        let lines = out.lines().map(str::trim).filter(|line| !line.is_empty());
        Ok(lines.map(str::to_owned).collect())
    }

    #[test]
    fn conditions_keep_what_c_keeps() {
        for (condition, kept) in [
            ("#ifdef A", true),
            ("#ifdef B", false),
            ("#ifndef B", true),
            ("#ifdef n", true),
            ("#if defined(A) || defined(B)", true),
            ("#if defined(A) && !defined(A)", false),
            ("#if defined A && A == 3u", true),
            ("#if A > 3", false),
            ("#if n >= 256 && (A == 2 || A == 3)", true),
            ("#if !defined(B) // as C", true),
            ("# if 0", false),
        ] {
            let text = format!("{condition}\nyes\n#else\nno\n#endif");
            let expected = if kept { "yes" } else { "no" };
            assert_eq!(left(&text), Ok(vec![expected.to_owned()]), "{condition}");
        }
        let chain = |first: &str| {
            format!(
                "#if {first}\n1\n#elif A == 3\n2\n#else ifdef A\n3\n#else\n4\n#endif\n#ifdef B\n#if UNKNOWN\n#endif\n#endif"
            )
        };
        assert_eq!(left(&chain("0")), Ok(vec!["2".to_owned()]));
        assert_eq!(left(&chain("1")), Ok(vec!["1".to_owned()]));
    }

    #[test]
    fn names_stand_for_what_is_defined_and_lines_keep_their_places() {
        let text = "#include \"two.wgsl\"\n#define B (A + \\\n TWO)\nlet x = B; // B\nlet AB = A.A + 0xAu + #{n} + {A};\n#undef A\nA n";
        let expected = [
            "let x = (3 + 2u); // B",
            "let AB = 3.3 + 0xAu + 256 + 3;",
            "A n",
        ];
        assert_eq!(left(text), Ok(expected.map(str::to_owned).into()));
        let definitions = Definitions {
            macros: [].into(),
            parameters: [].into(),
        };
        let kept = preprocessed("s", "#define X\n\nthird", definitions, &open);
        assert_eq!(kept.as_deref(), Ok("\n\nthird\n"));
    }

    #[test]
    fn what_is_malformed_names_its_place() {
        for (text, says) in [
            ("\n#ifdef A", "s.wgsl:2: no `#endif`"),
            ("#endif", "s.wgsl:1: `#endif` without"),
            ("#if A\n#else\n#else\n#endif", "s.wgsl:3: `#else` after"),
            ("#if C == 1\n#endif", "defines = { C = 1 }"),
            ("#if A +\n#endif", "s.wgsl:1: "),
            ("#ifdef\n#endif", "s.wgsl:1: one name"),
            ("#define F(x) x", "write F as a function"),
            ("#include \"no\"", "no: no such file"),
            ("#include \"itself\"", "more than 32 deep"),
            ("#import bevy::a::{b}", "names of modules"),
            ("#for i in range(0, 2)", "not both"),
            ("#frobnicate", "no directive"),
            ("#{B}", "B is not defined"),
            ("#error no", "s.wgsl:1: the file refuses"),
        ] {
            let message = left(text).unwrap_err();
            assert!(message.contains(says), "{text}: {message}");
        }
        // Doubled 30 times.
        let doubling: String = (0..30)
            .map(|n| format!("#define D{} D{n} D{n}\n", n + 1))
            .collect();
        assert!(left(&format!("{doubling}D30")).unwrap_err().contains("MiB"));
    }

    #[test]
    fn a_template_of_perwatt_and_plain_wgsl_are_not_taken_for_it() {
        for text in [
            "#if N == 2\n#endif",
            "#for i in range(0, 2)\n${i}\n#endfor",
            "let a = 1;",
        ] {
            assert!(!is_for_preprocessor(text, &open), "{text}");
        }
        for text in [
            "#ifdef A",
            "#if defined(A)",
            "#include \"two.wgsl\"",
            "array<#{N}>",
            "  # define A 1",
        ] {
            assert!(is_for_preprocessor(text, &open), "{text}");
        }
    }
}
