//! The form of a workload file: its TOML tables, as written.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;

use super::amounts::Amount;
use crate::error::nearest;
use crate::record::{CustomIndirect, SamplerAddress, SamplerComparison, SamplerFilter};

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WorkloadFile {
    #[serde(default)]
    pub(super) kernel: Vec<Spanned<KernelTable>>,
    #[serde(default)]
    pub(super) workload: Vec<Spanned<WorkloadTable>>,
}

/// Values of parameters, by name.
pub(super) type ParameterTable = BTreeMap<String, ParameterValues>;

/// What a parameter takes.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "expected a number, a text, or a list of them")]
pub(super) enum ParameterValues {
    /// One case for each. It stands first, since a list may be one value too.
    Each(Vec<ParameterValue>),
    /// One value.
    One(ParameterValue),
}

/// One value of a parameter.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged, expecting = "expected a number, a text, or a list of them")]
pub(super) enum ParameterValue {
    /// A whole number.
    Whole(i64),
    /// A number.
    Fraction(f64),
    /// A word, for shaders that choose by it.
    Word(String),
    /// One value that is a list, for templates that index it.
    List(Vec<ParameterValue>),
}

/// `[[kernel]]`: another implementation of a built-in case.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KernelTable {
    pub(super) name: String,
    pub(super) case: String,
    #[serde(default)]
    pub(super) params: ParameterTable,
    #[serde(default)]
    pub(super) tune: BTreeMap<String, Vec<Amount>>,
    #[serde(default)]
    pub(super) cold: bool,
    pub(super) dispatch: Vec<Spanned<DispatchTable>>,
    #[serde(default)]
    pub(super) buffer: Vec<Spanned<BufferTable>>,
    #[serde(default)]
    pub(super) texture: Vec<Spanned<BufferTable>>,
    #[serde(default)]
    pub(super) sampler: Vec<Spanned<SamplerTable>>,
}

/// `[[workload]]`: a custom case.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WorkloadTable {
    pub(super) case: String,
    #[serde(default = "default_kernel")]
    pub(super) kernel: String,
    #[serde(default)]
    pub(super) params: ParameterTable,
    #[serde(default)]
    pub(super) tune: BTreeMap<String, Vec<Amount>>,
    #[serde(default)]
    pub(super) cold: bool,
    pub(super) unverified: Option<String>,
    pub(super) reference: Option<String>,
    #[serde(default = "nothing")]
    pub(super) flop: Amount,
    #[serde(default = "nothing")]
    pub(super) bytes: Amount,
    pub(super) tokens: Option<Amount>,
    pub(super) dispatch: Vec<Spanned<DispatchTable>>,
    #[serde(default)]
    pub(super) buffer: Vec<Spanned<BufferTable>>,
    #[serde(default)]
    pub(super) texture: Vec<Spanned<BufferTable>>,
    #[serde(default)]
    pub(super) sampler: Vec<Spanned<SamplerTable>>,
}

/// `[[….dispatch]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DispatchTable {
    pub(super) shader: Option<ShaderFiles>,
    pub(super) copy: Option<CopyTable>,
    pub(super) clear: Option<String>,
    pub(super) expand: Option<Vec<String>>,
    #[serde(default)]
    pub(super) defines: BTreeMap<String, DefineValue>,
    #[serde(default)]
    pub(super) include: Vec<PathBuf>,
    pub(super) entry: Option<String>,
    pub(super) workgroups: Option<Amounts>,
    pub(super) threads: Option<Amounts>,
    pub(super) bind: Option<BindTable>,
    #[serde(default)]
    pub(super) overrides: BTreeMap<String, Amount>,
    pub(super) repeat: Option<Amount>,
    pub(super) indirect: Option<IndirectTable>,
    pub(super) immediates: Option<toml::Value>,
}

/// A buffer that is copied to another.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CopyTable {
    pub(super) from: String,
    pub(super) to: String,
}

/// What stands for a name in a shader for C's preprocessor.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "expected a number, a text, or true")]
pub(super) enum DefineValue {
    /// Whether it is defined.
    Truth(bool),
    /// A whole number.
    Whole(i64),
    /// A number.
    Fraction(f64),
    /// A text, in which `${…}` is replaced.
    Text(String),
}

/// Where a shader's text stands.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "expected the name of a file, or a list of files that are joined"
)]
pub(super) enum ShaderFiles {
    /// In one file.
    One(PathBuf),
    /// In several, one after another.
    Joined(Vec<PathBuf>),
}

impl ShaderFiles {
    pub(super) fn list(&self) -> &[PathBuf] {
        match self {
            Self::One(file) => std::slice::from_ref(file),
            Self::Joined(files) => files,
        }
    }

    /// What messages and records call it.
    pub(super) fn shown(&self) -> String {
        let names: Vec<String> = self
            .list()
            .iter()
            .map(|file| file.display().to_string())
            .collect();
        names.join(" + ")
    }
}

/// Where the workgroups are read from when a dispatch runs.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "expected the name of a buffer, or `{ buffer = \"name\", first = 0 }`"
)]
pub(super) enum IndirectTable {
    /// From the first three words of a buffer.
    Buffer(String),
    /// From three words of it.
    At(CustomIndirect),
}

/// `[[….sampler]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SamplerTable {
    pub(super) name: String,
    #[serde(default)]
    pub(super) filter: SamplerFilter,
    #[serde(default)]
    pub(super) address: SamplerAddress,
    pub(super) compare: Option<SamplerComparison>,
}

/// One amount, or one for each dimension.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a number or an expression, or a list of up to three"
)]
pub(super) enum Amounts {
    /// Along x.
    One(Amount),
    /// Along x, y and z.
    Each(Vec<Amount>),
}

impl Amounts {
    pub(super) fn list(&self) -> &[Amount] {
        match self {
            Self::One(amount) => std::slice::from_ref(amount),
            Self::Each(amounts) => amounts,
        }
    }
}

/// Two amounts. An array of Rust's would take a list of more and leave the rest.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Vec<Amount>")]
pub(super) struct AmountPair(pub(super) [Amount; 2]);

impl TryFrom<Vec<Amount>> for AmountPair {
    type Error = String;

    fn try_from(amounts: Vec<Amount>) -> Result<Self, String> {
        let given = amounts.len();
        let pair = amounts.try_into().map(Self);
        pair.map_err(|_| format!("two numbers are wanted here, and {given} are given"))
    }
}

/// What is bound.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a list of buffers, or a table `{ variable = \"buffer\", other = { texture = \"name\", level = 1 } }`"
)]
pub(super) enum BindTable {
    /// Buffers in the order of groups and bindings.
    InOrder(Vec<String>),
    /// Buffers of variables that have another name.
    ByName(BTreeMap<String, BoundTo>),
}

/// What a variable is bound to.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "expected the name of a buffer or texture, or `{ texture = \"name\", level = 1 }`"
)]
pub(super) enum BoundTo {
    /// A buffer or texture.
    Name(String),
    /// One mip level of a texture.
    Level(BoundLevel),
}

/// One mip level of a texture.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BoundLevel {
    pub(super) texture: String,
    pub(super) level: Amount,
}

/// `[[….buffer]]`, and `[[….texture]]` with `size` and `format`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BufferTable {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) dtype: Option<String>,
    pub(super) elements: Option<Amount>,
    pub(super) size: Option<Amounts>,
    pub(super) format: Option<String>,
    pub(super) levels: Option<Amount>,
    pub(super) fill: Option<Amount>,
    pub(super) values: Option<Vec<toml::Value>>,
    pub(super) members: Option<toml::Table>,
    pub(super) file: Option<String>,
    pub(super) uniform: Option<AmountPair>,
    pub(super) normal: Option<AmountPair>,
    pub(super) integers: Option<AmountPair>,
    pub(super) ramp: Option<AmountPair>,
    #[serde(default)]
    pub(super) permutation: bool,
    #[serde(default)]
    pub(super) seed: u64,
    #[serde(default)]
    pub(super) scratch: bool,
    #[serde(default)]
    pub(super) output: bool,
    pub(super) restore: Option<bool>,
    pub(super) expected: Option<String>,
    pub(super) formula: Option<String>,
    #[serde(default)]
    pub(super) check: Vec<String>,
    pub(super) absolute: Option<Amount>,
    pub(super) relative: Option<Amount>,
}

/// The kernel's name where a `[[workload]]` gives none. Records are matched by it, so it stays as version 1.0
/// wrote it.
fn default_kernel() -> String {
    "own".to_owned()
}

fn nothing() -> Amount {
    Amount::Whole(0)
}

/// What is wrong with the text at a place where TOML wants something else, by what word processors and habit write there.
pub(super) fn slip(text: &str, message: &str) -> &'static str {
    if text.contains(['“', '”', '„', '‘', '’']) {
        " (these are quotation marks of a word processor; write \")"
    } else if text.contains(['−', '–', '—']) {
        " (this is a dash of a word processor; write -)"
    } else if message == "duplicate key" && text.trim_start().starts_with('[') {
        " (begin with [[workload]]; the tables of its parts follow it)"
    } else {
        ""
    }
}

/// What was probably meant, by a message about an unknown key, which lists the known ones in backquotes, or about the form
/// of a table.
pub(super) fn meant(message: &str) -> String {
    if message.starts_with("invalid type: map, expected a sequence") {
        return " (there may be several, so write two pairs of brackets, as in [[workload]] and [[workload.dispatch]])"
            .to_owned();
    }
    match message {
        "missing field `dispatch`" => {
            return " (add [[workload.dispatch]] or [[kernel.dispatch]] with `shader` and `threads`)".to_owned();
        }
        "missing field `case`" => return " (for example `case = \"saxpy/f32/1024\"`)".to_owned(),
        "missing field `name`" => return " (for example `name = \"x\"`)".to_owned(),
        _ => {}
    }
    let mut quoted = message.split('`').skip(1).step_by(2);
    let known = message.starts_with("unknown field") || message.starts_with("unknown variant");
    let Some(unknown) = quoted.next().filter(|_| known) else {
        return String::new();
    };
    if let Some(close) = nearest(unknown, quoted) {
        return format!(" (did you mean `{close}`?)");
    }
    let owners: Vec<&str> = keys_of_tables()
        .into_iter()
        .filter(|(_, keys)| keys.iter().any(|key| key == unknown))
        .map(|(table, _)| table)
        .collect();
    match owners.as_slice() {
        [] => String::new(),
        owners => format!(
            " (`{unknown}` is a key of {}; a key belongs to the last [[…]] above it)",
            owners.join(" and ")
        ),
    }
}

/// The tables of a file with their keys.
fn keys_of_tables() -> [(&'static str, Vec<String>); 5] {
    [
        ("[[workload]]", keys_of::<WorkloadTable>()),
        ("[[kernel]]", keys_of::<KernelTable>()),
        ("[[….dispatch]]", keys_of::<DispatchTable>()),
        ("[[….buffer]] and [[….texture]]", keys_of::<BufferTable>()),
        ("[[….sampler]]", keys_of::<SamplerTable>()),
    ]
}

/// The keys of a table, which serde lists where another is given.
fn keys_of<T: DeserializeOwned>() -> Vec<String> {
    let Err(error) = toml::from_str::<T>("no-such-key = 0") else {
        return Vec::new();
    };
    let quoted = error.message().split('`').skip(1).step_by(2);
    quoted.skip(1).map(str::to_owned).collect()
}
