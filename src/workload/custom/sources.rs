//! The source of a dispatch: its files joined and expanded, each in the dialect in which it is written.
//!
//! A file without directives and placeholders is taken as it is. One with those of C's preprocessor is expanded by
//! `preprocessor`, one with `${…}`, `#if` and `#for` or with `{{…}}` and `{%…%}` by the template engine of perwatt's own
//! shaders.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::amounts::ParameterScope;
use super::commands::printed;
use super::entry::FileEntry;
use super::file::{DefineValue, DispatchTable, ShaderFiles};
use super::preprocessor::{Definitions, Included, is_for_preprocessor, preprocessed};
use super::reads::{ManifestReads, has_word};
use crate::error::{Result, nearest};
use crate::record::regular_inside;
use crate::workload::kit::template::{TemplateSyntax, expand_text, is_braced, is_template};
use crate::workload::wgsl::hint;

/// The source of a dispatch, expanded.
pub(super) fn source(
    entry: &FileEntry<'_>,
    table: &DispatchTable,
    shader: &ShaderFiles,
    scope: &ParameterScope,
) -> Result<String> {
    let shown = shader.shown();
    if let Some(words) = &table.expand {
        if !table.defines.is_empty() || !table.include.is_empty() {
            return Err(entry.wrong(
                "`expand` is given, and `defines` and `include` are for files that perwatt expands; hand them to the command",
            ));
        }
        return printed(entry, words, scope).map(|text| text.to_string());
    }
    let files = shader.list();
    if files.is_empty() {
        return Err(entry.wrong("`shader` is an empty list; give the name of a WGSL file"));
    }
    let mut texts = Vec::new();
    for file in files {
        let text = entry.file.reads.text(&entry.inside(file)?);
        texts.push(text.map_err(|e| entry.wrong(e))?);
    }
    let includes = IncludeFolders::of(entry, files, &table.include)?;
    let definitions = definitions(entry, table, scope)?;
    let text = without_directives(entry, &shown, texts.join("\n"), definitions, &includes)?;
    expanded(entry, &shown, text, scope, includes)
}

/// A text without the directives of C's preprocessor, where it has some or something is defined for it.
fn without_directives(
    entry: &FileEntry<'_>,
    shown: &str,
    text: String,
    definitions: Definitions,
    includes: &IncludeFolders,
) -> Result<String> {
    let open = |name: &str| includes.open(name);
    // A condition of a template says nothing that one of C does not, but a loop and a placeholder do.
    if definitions.macros.is_empty() && !is_for_preprocessor(&text, &open) {
        return Ok(text);
    }
    let defined: Vec<String> = definitions.macros.keys().cloned().collect();
    let out = preprocessed(shown, &text, definitions, &open);
    let out = out.map_err(|reason| entry.wrong(reason))?;
    let unused = defined
        .iter()
        .find(|name| !has_word(&text, name) && !includes.has_word(name));
    match unused {
        None => Ok(out),
        Some(name) => {
            let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
            let close = nearest(name, words.filter(|word| !word.is_empty()))
                .map_or_else(String::new, |close| format!("; did you mean {close:?}?"));
            Err(entry.wrong(format!(
                "`defines.{name}`: {shown} does not have this word{close}"
            )))
        }
    }
}

/// A text with its placeholders filled in, where it is a template.
fn expanded(
    entry: &FileEntry<'_>,
    shown: &str,
    text: String,
    scope: &ParameterScope,
    includes: IncludeFolders,
) -> Result<String> {
    // What naga reads is WGSL, whatever it looks like.
    let is_wgsl = || entry.file.reads.parsed(&text).is_ok();
    let syntax = if is_template(&text) {
        TemplateSyntax::Lines
    } else if is_braced(&text) && !is_wgsl() {
        TemplateSyntax::Braces
    } else {
        return match hint(&text).filter(|_| !is_wgsl()) {
            Some(hint) => Err(entry.wrong(format!("{shown}: {hint}"))),
            None => Ok(text),
        };
    };
    let include = move |name: &str| includes.open(name).map(|(_, text)| text.to_string());
    expand_text(syntax, shown, &text, scope.0.clone(), include).map_err(|reason| {
        let other = hint(&text).map_or_else(
            || match reason.contains('?') {
                true => "; write a choice as `${a if condition else b}`".to_owned(),
                false => "; give what it needs under `params`".to_owned(),
            },
            |hint| format!("; {hint}"),
        );
        entry.wrong(format!("{reason}{other}"))
    })
}

/// What a dispatch defines for C's preprocessor, and the parameters, which conditions know too.
fn definitions(
    entry: &FileEntry<'_>,
    table: &DispatchTable,
    scope: &ParameterScope,
) -> Result<Definitions> {
    let mut macros = BTreeMap::new();
    for (name, value) in &table.defines {
        let text = match value {
            DefineValue::Truth(false) => continue,
            DefineValue::Truth(true) => "1".to_owned(),
            DefineValue::Whole(number) => number.to_string(),
            DefineValue::Fraction(number) => format!("{number:?}"),
            DefineValue::Text(text) => scope
                .text(text)
                .map_err(|e| entry.wrong(format!("`defines.{name}`: {e}")))?,
        };
        macros.insert(name.clone(), text);
    }
    let parameters = scope.0.keys().filter_map(|name| {
        let text = scope.text(&format!("${{{name}}}")).ok()?;
        Some((name.clone(), text))
    });
    Ok(Definitions {
        macros,
        parameters: parameters.collect(),
    })
}

/// Where included files are looked for.
#[derive(Clone)]
struct IncludeFolders {
    /// The folder of the manifest, which they must lie in.
    root: PathBuf,
    /// Relative to that.
    folders: Vec<PathBuf>,
    reads: Arc<ManifestReads>,
}

impl IncludeFolders {
    /// The manifest's folder, those of the dispatch's shaders, and those that it names.
    fn of(entry: &FileEntry<'_>, files: &[PathBuf], named: &[PathBuf]) -> Result<Self> {
        let root = entry.folder().to_owned();
        for folder in named {
            if !root.join(folder).is_dir() {
                let shown = folder.display();
                return Err(entry.wrong(format!(
                    "`include`: {shown} is no folder; give folders relative to the workload file"
                )));
            }
        }
        let mut folders = vec![PathBuf::new()];
        folders.extend(
            files
                .iter()
                .filter_map(|file| file.parent())
                .map(Path::to_owned),
        );
        folders.extend(named.iter().cloned());
        Ok(Self {
            root,
            folders,
            reads: Arc::clone(&entry.file.reads),
        })
    }

    /// The first file of a name.
    fn open(&self, name: &str) -> std::result::Result<Included, String> {
        let mut missing = None;
        for folder in &self.folders {
            let relative = folder.join(name);
            let path = self.root.join(&relative);
            match regular_inside(&self.root, &path) {
                Ok(_) => {
                    let text = self.reads.text(&path).map_err(|e| e.to_string())?;
                    return Ok((relative.display().to_string(), text));
                }
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => missing = Some(e),
                Err(e) => return Err(format!("{name}: {e}")),
            }
        }
        let reason = missing.map_or_else(String::new, |e| e.to_string());
        Err(format!(
            "{name}: {reason}; files are looked for beside the workload file, beside the shader, and in the folders of \
             `include = [\"FOLDER\"]`"
        ))
    }

    /// Whether any file that was read has a word.
    fn has_word(&self, name: &str) -> bool {
        self.reads.has_word(name)
    }
}
