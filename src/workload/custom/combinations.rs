//! The combinations of the values that an entry gives to `params`, each a case of its own, and to `tune`, choices of one
//! case.

use std::collections::BTreeMap;

use minijinja::value::Value;

use super::amounts::{Amount, ParameterScope};
use super::entry::{FileEntry, ManifestText};
use super::file::{
    KernelTable, ParameterTable, ParameterValue, ParameterValues, WorkloadFile, WorkloadTable,
};
use super::reads::has_word;
use crate::error::Result;
use crate::workload::case_kernel::{CaseKernel, KernelVariant};

/// Most combinations of all values of one entry. Each is read, bound and checked before anything runs.
const MOST_COMBINATIONS: usize = 16_384;

/// The values of one case.
pub(super) struct Combination {
    /// What its expressions see.
    pub(super) scope: ParameterScope,
    /// What `tune` chooses, with what expressions see then; the first is the default.
    forms: Vec<(BTreeMap<String, u32>, ParameterScope)>,
}

/// Every combination of an entry's parameters.
pub(super) fn combinations(
    entry: &FileEntry<'_>,
    params: &ParameterTable,
    tune: &BTreeMap<String, Vec<Amount>>,
) -> Result<Vec<Combination>> {
    for name in params.keys().chain(tune.keys()) {
        let sound = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !name.starts_with(|c: char| c.is_ascii_digit());
        if name.is_empty() || !sound {
            return Err(entry.wrong(format!(
                "{name:?} cannot be a parameter; use letters, digits and `_`, and no digit first"
            )));
        }
        if params.contains_key(name) && tune.contains_key(name) {
            return Err(entry.wrong(format!(
                "{name:?} stands under `params` and under `tune`; remove one of them"
            )));
        }
    }
    for (name, values) in params {
        let values = list(values);
        let same = |(at, value): &(usize, &ParameterValue)| values[..*at].contains(value);
        if let Some((_, value)) = values.iter().enumerate().find(same) {
            return Err(entry.wrong(format!(
                "`params.{name}` has {} twice; each value is a case of its own",
                evaluated(value)
            )));
        }
    }
    let of_params = params
        .iter()
        .map(|(name, v)| ("params", name, list(v).len()));
    let of_tune = tune.iter().map(|(name, v)| ("tune", name, v.len()));
    refuse_too_many(entry, of_params.chain(of_tune))?;
    let mut scopes = vec![ParameterScope::default()];
    for (name, values) in params {
        scopes = each_with(&scopes, list(values), |scope, value| {
            scope.with(name, evaluated(value))
        });
    }
    scopes
        .into_iter()
        .map(|scope| {
            let forms = forms(entry, tune, &scope)?;
            Ok(Combination { scope, forms })
        })
        .collect()
}

/// Stops parameters without a value, and more combinations than anybody waits for.
fn refuse_too_many<'a>(
    entry: &FileEntry<'_>,
    counts: impl Iterator<Item = (&'static str, &'a String, usize)>,
) -> Result<()> {
    let mut product = 1_usize;
    let mut factors = Vec::new();
    for (key, name, count) in counts {
        if count == 0 {
            return Err(entry.wrong(format!("`{key}.{name}` is an empty list; give it a value")));
        }
        product = product.saturating_mul(count);
        if count > 1 {
            factors.push(format!("{count} of `{key}.{name}`"));
        }
    }
    if product <= MOST_COMBINATIONS {
        return Ok(());
    }
    Err(entry.wrong(format!(
        "the values have {product} combinations ({}) and at most {MOST_COMBINATIONS} are taken; give fewer values, or \
         declare several entries",
        factors.join(" × ")
    )))
}

fn list(values: &ParameterValues) -> &[ParameterValue] {
    match values {
        ParameterValues::One(value) => std::slice::from_ref(value),
        ParameterValues::Each(values) => values,
    }
}

/// What comes of everything with every value.
fn each_with<T, V>(all: &[T], values: &[V], with: impl Fn(&T, &V) -> T) -> Vec<T> {
    let with = &with;
    let of_one = |one| values.iter().map(move |value| with(one, value));
    all.iter().flat_map(of_one).collect()
}

fn evaluated(value: &ParameterValue) -> Value {
    match value {
        ParameterValue::Whole(number) => Value::from(*number),
        ParameterValue::Fraction(number) => Value::from(*number),
        ParameterValue::Word(word) => Value::from(word.clone()),
        ParameterValue::List(values) => values.iter().map(evaluated).collect(),
    }
}

/// Every combination of the values that `tune` searches, with the scope in which the kernel has them.
fn forms(
    entry: &FileEntry<'_>,
    tune: &BTreeMap<String, Vec<Amount>>,
    scope: &ParameterScope,
) -> Result<Vec<(BTreeMap<String, u32>, ParameterScope)>> {
    let mut forms = vec![(BTreeMap::new(), scope.clone())];
    for (name, amounts) in tune {
        let value = |amount: &Amount| {
            let whole = scope.whole(amount)?;
            u32::try_from(whole).map_err(|_| format!("{whole} is too large"))
        };
        let values: std::result::Result<Vec<u32>, String> = amounts.iter().map(value).collect();
        let values = values.map_err(|e| entry.wrong(format!("`tune.{name}`: {e}")))?;
        forms = each_with(&forms, &values, |(parameters, scope), value| {
            let mut parameters: BTreeMap<String, u32> = parameters.clone();
            parameters.insert(name.clone(), *value);
            (parameters, scope.with(name, Value::from(*value)))
        });
    }
    Ok(forms)
}

/// The kernel of a case in its default form, with the others as its variants.
pub(super) fn one_of(
    entry: &FileEntry<'_>,
    combination: &Combination,
    read: impl Fn(&ParameterScope) -> Result<CaseKernel>,
) -> Result<CaseKernel> {
    let mut forms = combination.forms.iter().map(|(parameters, scope)| {
        let mut found = read(scope)?;
        found.kernel.parameters.clone_from(parameters);
        Ok(found)
    });
    let mut first = forms.next().unwrap_or_else(|| read(&combination.scope))?;
    for form in forms {
        let form = form?;
        let same = form.kernel.name == first.kernel.name;
        if !same || form.case != first.case || form.counts != first.counts {
            return Err(entry.wrong(
                "values of `tune` are choices of one kernel for one case, so they cannot stand in names, `case`, `flop`, \
                 `bytes` or `tokens`; what makes another case belongs to `params`",
            ));
        }
        first
            .variants
            .extend(form.custom.map(|custom| KernelVariant {
                kernel: form.kernel,
                custom,
            }));
    }
    if let Some(custom) = first.custom.clone().filter(|_| !first.variants.is_empty()) {
        let kernel = first.kernel.clone();
        first.variants.insert(0, KernelVariant { kernel, custom });
    }
    Ok(first)
}

/// Stops a parameter that stands nowhere: its values would be cases that do not differ, or a misspelt name keeps another
/// from its value.
pub(super) fn refuse_unused(manifest: &ManifestText<'_>, file: &WorkloadFile) -> Result<()> {
    // It was read as such a file already.
    let Ok(written) = manifest.text.parse::<toml::Table>() else {
        return Ok(());
    };
    let tables = |kind: &str| {
        let tables = written.get(kind).and_then(toml::Value::as_array);
        tables.into_iter().flatten()
    };
    for (table, written) in file.kernel.iter().zip(tables("kernel")) {
        let KernelTable {
            name, params, tune, ..
        } = table.get_ref();
        let entry = manifest.entry(table, format!("kernel {name:?}"));
        refuse_unused_in(&entry, params, tune, written)?;
    }
    for (table, written) in file.workload.iter().zip(tables("workload")) {
        let WorkloadTable {
            case, params, tune, ..
        } = table.get_ref();
        let entry = manifest.entry(table, format!("workload {case:?}"));
        refuse_unused_in(&entry, params, tune, written)?;
    }
    Ok(())
}

/// The same for one entry, as it is written.
fn refuse_unused_in(
    entry: &FileEntry<'_>,
    params: &ParameterTable,
    tune: &BTreeMap<String, Vec<Amount>>,
    written: &toml::Value,
) -> Result<()> {
    let elsewhere = |key: &str| key != "params" && key != "tune";
    let mut texts = Vec::new();
    for (_, value) in written
        .as_table()
        .into_iter()
        .flatten()
        .filter(|(key, _)| elsewhere(key))
    {
        collect_texts(value, &mut texts);
    }
    let mut choices = Vec::new();
    if let Some(value) = written.get("tune") {
        collect_texts(value, &mut choices);
    }
    let reads = &entry.file.reads;
    let used = |name: &str, texts: &[&str]| texts.iter().any(|text| has_word(text, name));
    let of_params = params.keys().filter(|name| !used(name, &choices));
    let unused = of_params
        .map(|name| ("params", name))
        .chain(tune.keys().map(|name| ("tune", name)))
        .find(|(_, name)| !used(name, &texts) && !reads.has_template_with(name));
    match unused {
        None => Ok(()),
        Some((key, name)) => Err(entry.wrong(format!(
            "`{key}.{name}` is used nowhere; remove it, or let an expression, `case`, a file's name or the shader \
             (`${{{name}}}`) name it"
        ))),
    }
}

/// Every text of a value, keys left out.
fn collect_texts<'a>(value: &'a toml::Value, texts: &mut Vec<&'a str>) {
    match value {
        toml::Value::String(text) => texts.push(text),
        toml::Value::Array(all) => all.iter().for_each(|value| collect_texts(value, texts)),
        toml::Value::Table(all) => all.values().for_each(|value| collect_texts(value, texts)),
        _ => {}
    }
}
