//! The little that WGSL lacks for kernels with tuning parameters: constants from outside, a choice, an
//! unrolled loop, an include.
//!
//! naga cannot size function-local arrays by `override`, and WGSL has no loop that is sure to be
//! unrolled, so register tiles have to be written out. A shader file stays readable as WGSL; lines that
//! begin with `#` are for this module:
//!
//! | line | does |
//! |---|---|
//! | `#import common/flat.wgsl` | puts a shared file here |
//! | `#if NAME`, `#if NAME == 4`, `#else`, `#endif` | keeps one of two parts |
//! | `#for i in 0..NAME`, `#endfor` | repeats its lines; `${i}` stands for the number, also `${i + 1}`, `${i * 4}` |
//!
//! `NAME` is a constant that the workload gave, which is a WGSL constant of the same name too.

use std::fmt::Write;

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

/// A file that others import, with its text.
macro_rules! common {
    ($file:literal) => {
        (
            $file,
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/", $file)),
        )
    };
}

/// Files that `#import` knows.
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

/// A piece of a template.
enum Node<'t> {
    Line(&'t str),
    If {
        condition: &'t str,
        then: Vec<Node<'t>>,
        otherwise: Vec<Node<'t>>,
    },
    For {
        variable: &'t str,
        from: &'t str,
        to: &'t str,
        body: Vec<Node<'t>>,
    },
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
    /// A line that begins with `#` is malformed.
    pub(crate) fn expand(&self) -> Result<String, String> {
        let at = |reason: String| format!("shaders/{}: {reason}", self.file);
        let text = import(self.text).map_err(at)?;
        let mut lines = text.lines();
        let nodes = parse(&mut lines, &[]).map_err(at)?.0;
        let mut source = String::new();
        if self.uses_f16() {
            source += "enable f16;\n";
        }
        if self.uses_matrices() {
            // naga wants matrices multiplied where a whole workgroup goes the same way, and has no word for
            // what they do need: a whole subgroup that does.
            source += "enable wgpu_cooperative_matrix;\ndiagnostic(off, derivative_uniformity);\n";
        }
        for (name, target) in &self.aliases {
            let _ = writeln!(source, "alias {name} = {target};");
        }
        for (name, value) in &self.constants {
            let _ = writeln!(source, "const {name}: u32 = {value}u;");
        }
        let mut known: Vec<(&str, u32)> = self.constants.clone();
        render(&nodes, &mut known, &mut source).map_err(at)?;
        Ok(source)
    }
}

/// Puts imported files in place.
fn import(text: &str) -> Result<String, String> {
    let mut whole = String::with_capacity(text.len());
    for line in text.lines() {
        match line.trim().strip_prefix("#import ") {
            Some(name) => {
                let (_, imported) = COMMON
                    .iter()
                    .find(|(known, _)| *known == name.trim())
                    .ok_or_else(|| format!("no common file {name:?}"))?;
                whole += imported;
            }
            None => whole += line,
        }
        whole.push('\n');
    }
    Ok(whole)
}

/// Reads nodes until a line of `ends`, which is returned too.
fn parse<'t>(
    lines: &mut std::str::Lines<'t>,
    ends: &[&str],
) -> Result<(Vec<Node<'t>>, &'t str), String> {
    let mut nodes = Vec::new();
    while let Some(line) = lines.next() {
        let Some(directive) = line.trim().strip_prefix('#') else {
            nodes.push(Node::Line(line));
            continue;
        };
        if ends.contains(&directive) {
            return Ok((nodes, directive));
        }
        let (word, rest) = directive.split_once(' ').unwrap_or((directive, ""));
        match word {
            "if" => {
                let (then, end) = parse(lines, &["else", "endif"])?;
                let otherwise = match end {
                    "else" => parse(lines, &["endif"])?.0,
                    _ => Vec::new(),
                };
                nodes.push(Node::If {
                    condition: rest,
                    then,
                    otherwise,
                });
            }
            "for" => {
                let malformed = || format!("{line:?} is no `#for i in FROM..TO`");
                let (variable, range) = rest.split_once(" in ").ok_or_else(malformed)?;
                let (from, to) = range.split_once("..").ok_or_else(malformed)?;
                nodes.push(Node::For {
                    variable: variable.trim(),
                    from,
                    to,
                    body: parse(lines, &["endfor"])?.0,
                });
            }
            _ => return Err(format!("{line:?} is no directive here")),
        }
    }
    match ends {
        [] => Ok((nodes, "")),
        [end, ..] => Err(format!("a `#{end}` is missing at the end")),
    }
}

/// Writes nodes with what is known of names.
fn render<'t>(
    nodes: &[Node<'t>],
    known: &mut Vec<(&'t str, u32)>,
    source: &mut String,
) -> Result<(), String> {
    for node in nodes {
        match node {
            Node::Line(line) => {
                substitute(line, known, source)?;
                source.push('\n');
            }
            Node::If {
                condition,
                then,
                otherwise,
            } => {
                let holds = match condition.split_once("==") {
                    Some((left, right)) => value(left, known)? == value(right, known)?,
                    None => value(condition, known)? != 0,
                };
                render(if holds { then } else { otherwise }, known, source)?;
            }
            Node::For {
                variable,
                from,
                to,
                body,
            } => {
                for number in value(from, known)?..value(to, known)? {
                    known.push((variable, number));
                    let rendered = render(body, known, source);
                    known.pop();
                    rendered?;
                }
            }
        }
    }
    Ok(())
}

/// Writes a line with every `${…}` replaced.
fn substitute(line: &str, known: &[(&str, u32)], source: &mut String) -> Result<(), String> {
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("${") {
        let (expression, after) = after
            .split_once('}')
            .ok_or_else(|| format!("{line:?} has no closing brace"))?;
        source.push_str(before);
        let _ = write!(source, "{}", value(expression, known)?);
        rest = after;
    }
    source.push_str(rest);
    Ok(())
}

/// A number, a name, or two of them with `+`, `*` or `/` between.
fn value(expression: &str, known: &[(&str, u32)]) -> Result<u32, String> {
    for (operator, apply) in [
        ('+', u32::checked_add as fn(u32, u32) -> Option<u32>),
        ('*', u32::checked_mul),
        ('/', u32::checked_div),
    ] {
        if let Some((left, right)) = expression.split_once(operator) {
            return apply(value(left, known)?, value(right, known)?)
                .ok_or_else(|| format!("{expression:?} has no value"));
        }
    }
    let word = expression.trim();
    if let Ok(number) = word.parse() {
        return Ok(number);
    }
    known
        .iter()
        .rev()
        .find(|(name, _)| *name == word)
        .map(|(_, value)| *value)
        .ok_or_else(|| format!("{word:?} is not known"))
}

#[cfg(test)]
mod tests {
    use super::Template;

    fn expand(text: &'static str) -> Result<String, String> {
        Template::new("test.wgsl", text).constant("N", 2).expand()
    }

    #[test]
    fn loops_nest_and_choices_choose() {
        let text = "#for i in 0..N\n#for j in 0..2\nx${i}_${j + 1} ${i * 4};\n#endfor\n#endfor\n#if N == 2\nyes\n#else\nno\n#endif";
        let expanded = expand(text).unwrap();
        assert_eq!(
            expanded,
            "const N: u32 = 2u;\nx0_1 0;\nx0_2 0;\nx1_1 4;\nx1_2 4;\nyes\n"
        );
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
            "#import x",
        ] {
            let message = expand(wrong).unwrap_err();
            assert!(message.contains("shaders/test.wgsl"), "{wrong}: {message}");
        }
    }
}
