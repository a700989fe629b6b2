//! The little that WGSL lacks for kernels with tuning parameters: constants from outside, a choice, an
//! unrolled loop, an include.
//!
//! naga cannot size function-local arrays by `override`, and WGSL has no loop that is sure to be
//! unrolled, so register tiles have to be written out. A shader file stays readable as WGSL; the rest is
//! minijinja's, with directives on lines of their own that begin with `#`:
//!
//! | line | does |
//! |---|---|
//! | `#include "common/flat.wgsl"` | inserts a shared file |
//! | `#if NAME`, `#if NAME == 4`, `#elif …`, `#else`, `#endif` | keeps one of the parts |
//! | `#for i in range(0, NAME)`, `#endfor` | repeats its lines; `${i}` is replaced by the number, and so is an expression, `${i * 4 + 1}`; `//` divides |
//!
//! `NAME` is a constant that the workload gave, and a WGSL constant of the same name too. A name that nobody
//! gave is an error.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::fmt::Write;
use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, Error, UndefinedBehavior};

/// A WGSL file with the constants and types that a kernel fills in.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    file: &'static str,
    text: &'static str,
    constants: Vec<(&'static str, u32)>,
    aliases: Vec<(&'static str, &'static str)>,
}

/// A file below `shaders/` with its text.
macro_rules! shader {
    ($file:literal) => {
        $crate::workload::kit::template::Template::new(
            $file,
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/", $file)),
        )
    };
}
pub(crate) use shader;

/// A file that others include, with its text.
macro_rules! common {
    ($file:literal) => {
        (
            $file,
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/", $file)),
        )
    };
}

/// Files that `#include` knows.
const COMMON: &[(&str, &str)] = &[
    common!("common/flat.wgsl"),
    common!("common/matrix-k.wgsl"),
    common!("common/matrix-order.wgsl"),
    common!("common/matrix-out.wgsl"),
    common!("common/row.wgsl"),
    common!("common/walk.wgsl"),
    common!("common/weights.wgsl"),
    common!("common/wide.wgsl"),
];

/// The syntax of shader files, and the files that they include.
static ENVIRONMENT: LazyLock<Result<Environment<'static>, Error>> = LazyLock::new(|| {
    let mut environment = lines()?;
    for (name, text) in COMMON {
        // An empty line parts an included file from what follows.
        environment.add_template_owned(*name, format!("{text}\n"))?;
    }
    Ok(environment)
});

/// How a user's shader marks what is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TemplateSyntax {
    /// As perwatt's own: `${…}`, and lines that begin with `#`.
    Lines,
    /// As Jinja, Tera and others: `{{…}}` and `{%…%}`.
    Braces,
}

/// An engine that leaves nothing out and escapes nothing.
fn strict() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment
}

/// The syntax of shader files.
fn lines() -> Result<Environment<'static>, Error> {
    let mut environment = strict();
    environment.set_syntax(
        SyntaxConfig::builder()
            .line_statement_prefix("#")
            .variable_delimiters("${", "}")
            // Neither is used, and no WGSL looks like them.
            .block_delimiters("<%", "%>")
            .comment_delimiters("<#", "#>")
            .keep_trailing_newline(true)
            .build()?,
    );
    // minijinja's own takes an unknown name for a missing argument, and would leave the loop out.
    // A user's file may name any numbers, so nothing is made of them before it is asked for.
    environment.add_function("range", |from: u32, to: u32| {
        Value::make_iterable(move || from..to)
    });
    Ok(environment)
}

/// Whether a user's shader uses the syntax of shader files: no WGSL has `${`, or a line that begins with `#`.
pub(crate) fn is_template(text: &str) -> bool {
    text.contains("${") || text.lines().any(|line| line.trim_start().starts_with('#'))
}

/// Whether a user's shader has what `{{…}}` and `{%…%}` begin with. Plain WGSL may, too, where blocks open and close.
pub(crate) fn is_braced(text: &str) -> bool {
    text.contains("{{") || text.contains("{%")
}

/// Most work of expanding a user's shader, in minijinja's unit: an instruction, or 64 bytes.
const MOST_WORK: u64 = 1 << 20;

/// Expands a user's shader. `include` reads a file that it includes.
///
/// # Errors
/// As [`Template::expand`].
pub(crate) fn expand_text(
    syntax: TemplateSyntax,
    file: &str,
    text: &str,
    values: BTreeMap<String, Value>,
    include: impl Fn(&str) -> Result<String, String> + Send + Sync + 'static,
) -> Result<String, String> {
    let mut environment = match syntax {
        TemplateSyntax::Lines => lines().map_err(|e| e.to_string())?,
        TemplateSyntax::Braces => strict(),
    };
    environment.set_fuel(Some(MOST_WORK));
    environment.set_loader(move |name| {
        include(name)
            .map(|text| Some(format!("{text}\n")))
            // "Not found" would be told in the engine's words, without the reason.
            .map_err(|reason| Error::new(minijinja::ErrorKind::InvalidOperation, reason))
    });
    environment
        .render_named_str(file, text, Value::from(values))
        .map_err(|e| {
            let innermost = innermost(&e);
            let name = innermost.name().unwrap_or(file);
            let line = innermost.line().unwrap_or(1);
            let written = (name == file)
                .then(|| text.lines().nth(line.saturating_sub(1)))
                .flatten()
                .unwrap_or("");
            format!("{name}:{line}: {}: {:?}", detail(innermost), written.trim())
        })
}

/// The error behind all others.
fn innermost(error: &Error) -> &Error {
    let mut innermost = error;
    while let Some(cause) = innermost.source().and_then(|e| e.downcast_ref::<Error>()) {
        innermost = cause;
    }
    innermost
}

/// What went wrong, in words.
pub(crate) fn detail(error: &Error) -> String {
    match error.detail() {
        Some(detail) => detail.to_owned(),
        None => error.kind().to_string(),
    }
}

impl Template {
    /// A template; use [`shader!`].
    pub(crate) fn new(file: &'static str, text: &'static str) -> Self {
        Self {
            file,
            text,
            constants: Vec::new(),
            aliases: Vec::new(),
        }
    }

    /// The file's name below `shaders/`.
    pub(crate) fn file(&self) -> &'static str {
        self.file
    }

    /// Adds `const NAME: u32`.
    pub(crate) fn constant(mut self, name: &'static str, value: u32) -> Self {
        self.constants.push((name, value));
        self
    }

    /// Adds `alias NAME = TYPE`.
    pub(crate) fn alias(mut self, name: &'static str, target: &'static str) -> Self {
        self.aliases.push((name, target));
        self
    }

    /// Whether the shader computes with or reads f16.
    pub(crate) fn uses_f16(&self) -> bool {
        self.aliases
            .iter()
            .any(|(_, target)| target.contains("f16"))
    }

    /// Whether the shader uses matrix units.
    fn uses_matrices(&self) -> bool {
        self.aliases
            .iter()
            .any(|(_, target)| target.contains("coop_mat"))
    }

    /// The WGSL source.
    ///
    /// # Errors
    /// A directive is malformed or a name unknown; the message has the shader's file and line.
    pub(crate) fn expand(&self) -> Result<String, String> {
        let mut source = self.header();
        let environment = ENVIRONMENT.as_ref().map_err(|e| self.located(e))?;
        let constants: Value = self
            .constants
            .iter()
            .copied()
            .collect::<BTreeMap<_, _>>()
            .into();
        let body = environment
            .render_named_str(self.file, self.text, constants)
            .map_err(|e| self.located(&e))?;
        source += &body;
        if !source.ends_with('\n') {
            source.push('\n');
        }
        Ok(without_vector_aliases(&source))
    }

    /// What stands before the file's own text: what it needs of the compiler, types and constants.
    fn header(&self) -> String {
        let mut header = String::new();
        if self.uses_f16() {
            header += "enable f16;\n";
        }
        if self.uses_matrices() {
            // naga wants matrices multiplied where a whole workgroup goes the same way, and has no word for
            // what they do need: a whole subgroup that does.
            header += "enable wgpu_cooperative_matrix;\ndiagnostic(off, derivative_uniformity);\n";
        }
        for (name, target) in &self.aliases {
            let _ = writeln!(header, "alias {name} = {target};");
        }
        for (name, value) in &self.constants {
            let _ = writeln!(header, "const {name}: u32 = {value}u;");
        }
        header
    }

    /// What went wrong, with the file and the line where it did: those of an included file, if it is there.
    fn located(&self, error: &Error) -> String {
        let innermost = innermost(error);
        let file = innermost.name().unwrap_or(self.file);
        let line = innermost.line().unwrap_or(1);
        let what = detail(innermost);
        let text = COMMON
            .iter()
            .find(|(name, _)| *name == file)
            .map_or(self.text, |(_, text)| text);
        let written = text.lines().nth(line.saturating_sub(1)).unwrap_or("");
        format!("shaders/{file}:{line}: {what}: {:?}", written.trim())
    }
}

/// The same source with the aliases of vectors written out. naga gives an alias a type of its own, and its HLSL then has
/// two functions of one name for the two types (`ZeroValuefloat4`), which no compiler takes.
fn without_vector_aliases(source: &str) -> String {
    let declared = |line: &str| {
        let (name, target) = line
            .strip_prefix("alias ")?
            .strip_suffix(';')?
            .split_once('=')?;
        let target = target.trim();
        target
            .starts_with("vec")
            .then(|| (name.trim().to_owned(), target.to_owned()))
    };
    let aliases: BTreeMap<String, String> = source.lines().filter_map(declared).collect();
    let mut written = String::with_capacity(source.len());
    for line in source.lines().filter(|line| declared(line).is_none()) {
        let mut rest = line;
        while let Some(start) = rest.find(|c: char| c.is_ascii_alphabetic() || c == '_') {
            let word = &rest[start..];
            let end = word
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .unwrap_or(word.len());
            written.push_str(&rest[..start]);
            // An alias may stand for another one.
            let mut word = &word[..end];
            while let Some(target) = aliases.get(word) {
                word = target;
            }
            written.push_str(word);
            rest = &rest[start + end..];
        }
        written.push_str(rest);
        written.push('\n');
    }
    written
}

#[cfg(test)]
mod tests {
    use super::Template;

    fn expand(text: &'static str) -> Result<String, String> {
        Template::new("test.wgsl", text).constant("N", 2).expand()
    }

    #[test]
    fn loops_nest_and_choices_choose() {
        let text = "#for i in range(0, N)\n#for j in range(0, 2)\nx${i}_${j + 1} ${i * 4};\n#endfor\n#endfor\n#if N == 2\nyes\n#else\nno\n#endif";
        let expanded = expand(text).unwrap();
        assert_eq!(
            expanded,
            "const N: u32 = 2u;\nx0_1 0;\nx0_2 0;\nx1_1 4;\nx1_2 4;\nyes\n"
        );
    }

    #[test]
    fn division_goes_from_left_to_right() {
        let expanded = expand("${16 // 4 // 2} ${N * 3 // 4} ${7 // 2}").unwrap();
        assert!(expanded.ends_with("\n2 1 3\n"), "{expanded}");
    }

    #[test]
    fn a_malformed_template_names_its_file_and_line() {
        for wrong in [
            "#for i in N",
            "#endif",
            "#if M\n#endif",
            "#if N",
            "${i}",
            "${N",
            "${N + M}",
            "#include \"x\"",
            "#for i in range(0, M)\n#endfor",
        ] {
            let text: &'static str = format!("fine\n\n{wrong}").leak();
            let message = expand(text).unwrap_err();
            let found = ["3", "4", "5"].map(|line| format!("shaders/test.wgsl:{line}: "));
            assert!(
                found.iter().any(|place| message.starts_with(place)),
                "{wrong}: {message}"
            );
        }
    }

    #[test]
    fn a_mistake_in_an_included_file_is_found_there() {
        let message = expand("fine\n#include \"common/row.wgsl\"").unwrap_err();
        assert!(message.starts_with("shaders/common/row.wgsl:"), "{message}");
    }

    #[test]
    fn no_shader_of_wgsl_is_misread() {
        let text = "let a = b[c[0]] < d % e; // {{ x }} {% y %} {# z #} $ {\n  let f = array<i32, 2>(1, 2);\n";
        let expanded = expand(text).unwrap();
        assert!(expanded.ends_with(text), "{expanded}");
    }
}
