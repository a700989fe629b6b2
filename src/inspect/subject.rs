//! What is looked at: the built-in kernels, and WGSL that somebody brings.

use std::collections::BTreeMap;

use super::spirv::WgslSource;
use crate::record::Adapter;
use crate::workload::{Case, Kernel, Unsupported};

/// A shader to look at.
#[derive(Clone, Debug)]
pub struct ShaderSubject {
    /// `case@kernel`, or the file that it comes from.
    pub name: String,
    /// The shader's file.
    pub shader: String,
    /// The WGSL source.
    pub wgsl: String,
    /// The entry point; none means all.
    pub entry: Option<String>,
    /// Tuning parameters that the source was made with.
    pub parameters: BTreeMap<String, f64>,
    /// Values for the source's overrides.
    pub overrides: BTreeMap<String, f64>,
    /// Why the device cannot run it, if so.
    pub unsupported: Option<String>,
}

impl ShaderSubject {
    /// The dispatches of a kernel of the registry.
    ///
    /// # Errors
    /// The kernel cannot do this case.
    pub fn of_kernel(
        case: &Case,
        kernel: &Kernel,
        name: &str,
        adapter: &Adapter,
    ) -> Result<Vec<Self>, Unsupported> {
        let program = case.program(kernel, 0)?;
        // The size of buffers is no matter of code; a device that is not there has no memory.
        let unsupported = program
            .dispatches()
            .iter()
            .find_map(|dispatch| dispatch.unsupported_on(adapter))
            .map(|reason| reason.to_string());
        Ok(program
            .dispatches()
            .iter()
            .map(|dispatch| Self {
                name: name.to_owned(),
                shader: dispatch.file.to_string(),
                wgsl: dispatch.wgsl.clone(),
                entry: None,
                parameters: kernel
                    .parameters
                    .iter()
                    .map(|(name, value)| (name.clone(), f64::from(*value)))
                    .collect(),
                overrides: BTreeMap::new(),
                unsupported: unsupported.clone(),
            })
            .collect())
    }

    /// A WGSL file of the user's.
    ///
    /// # Errors
    /// naga refuses it, or it has no such entry point; the message shows where.
    pub fn of_file(
        file: &str,
        wgsl: String,
        entry: Option<&str>,
        overrides: BTreeMap<String, f64>,
    ) -> Result<Self, String> {
        let source = WgslSource::parse(&wgsl)?;
        match entry {
            Some(entry) => drop(source.entry(entry)?),
            None if source.entries().is_empty() => {
                return Err("has no compute entry point".to_owned());
            }
            None => {}
        }
        Ok(Self {
            name: file.to_owned(),
            shader: file.to_owned(),
            wgsl,
            entry: entry.map(ToOwned::to_owned),
            parameters: overrides.clone(),
            overrides,
            unsupported: None,
        })
    }
}
