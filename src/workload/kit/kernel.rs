//! A kernel: the name of an implementation and its tuning parameters.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::unsupported::Unsupported;

/// A kernel with its tuning parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// `naive`, `tiled`, …
    pub name: Cow<'static, str>,
    /// Tuning parameters by name.
    pub parameters: BTreeMap<String, u32>,
}

impl Kernel {
    /// A kernel with its parameters.
    pub(crate) fn new(name: impl Into<Cow<'static, str>>, parameters: &[(&str, u32)]) -> Self {
        Self {
            name: name.into(),
            parameters: parameters
                .iter()
                .map(|(name, value)| ((*name).to_owned(), *value))
                .collect(),
        }
    }

    /// A parameter's value.
    ///
    /// # Errors
    /// The kernel comes without it, from a file of another version say.
    pub(crate) fn parameter(&self, name: &str) -> Result<u32, Unsupported> {
        self.parameters
            .get(name)
            .copied()
            .filter(|value| *value <= 1 << 16)
            .ok_or_else(|| Unsupported::Parameter {
                kernel: self.name.to_string(),
                parameter: name.to_owned(),
            })
    }
}

/// A kernel's parameter that must be between two values.
///
/// # Errors
/// It is missing or is not.
pub(crate) fn between(
    kernel: &Kernel,
    name: &str,
    least: u32,
    most: u32,
) -> Result<u32, Unsupported> {
    let value = kernel.parameter(name)?;
    if (least..=most).contains(&value) {
        Ok(value)
    } else {
        Err(Unsupported::Range {
            parameter: name.to_owned(),
            value,
            least,
            most,
        })
    }
}
