//! What the driver's compiler made of a kernel: registers, spills, occupancy, and what the hottest loop
//! consists of.
//!
//! A kernel can be right, and fast on one GPU, and still be poor code on another; this shows it without
//! running anything. Drivers say it through `VK_KHR_pipeline_executable_properties`, and Mesa's RADV says
//! it for [GPUs that are not in the machine](examine_family) too. Compilers are deterministic, so two
//! inspections can be compared without statistics.

mod driver;
mod family;
mod figures;
mod isa;
mod shader;
mod subject;
mod target;

pub use driver::{Device, Listed, Vulkan};
pub use family::{Line, examine_family};
pub use subject::Subject;
pub use target::{device_type, find_driver, manifest};

use crate::record::{Examined, Reading};

/// A shader as it was found, with the assembly that the findings come from.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What the record holds.
    pub examined: Examined,
    /// The assembly, where the driver gives it.
    pub assembly: Option<String>,
}

/// Compiles every entry point of a subject on a device; `checked` adds wgpu's run-time checks.
pub fn examine(device: &Device<'_>, subject: &Subject, checked: bool) -> Vec<Finding> {
    let failed = |entry: &str, workgroup_threads: [u32; 3], reason: String| Finding {
        examined: Examined {
            name: subject.name.clone(),
            shader: subject.shader.clone(),
            entry: entry.to_owned(),
            parameters: subject.parameters.clone(),
            workgroup_threads,
            figures: Reading::unmeasured(reason),
        },
        assembly: None,
    };
    let asked = subject.entry.as_deref().unwrap_or("main");
    if let Some(reason) = &subject.unsupported {
        return vec![failed(asked, [0; 3], reason.clone())];
    }
    let source = match shader::Source::parse(&subject.wgsl) {
        Ok(source) => source,
        Err(reason) => return vec![failed(asked, [0; 3], reason)],
    };
    let entries = subject
        .entry
        .clone()
        .map_or_else(|| source.entries(), |e| vec![e]);
    let mut findings = Vec::new();
    for entry in entries {
        let translated = source.translate(&entry, &subject.overrides, checked, device.abilities());
        let shader = match translated {
            Ok(shader) => shader,
            Err(reason) => {
                findings.push(failed(&entry, [0; 3], reason));
                continue;
            }
        };
        match device.compile(&shader) {
            Err(reason) => findings.push(failed(&entry, shader.workgroup, reason)),
            // A compute pipeline has one executable, save where a driver compiles several widths.
            Ok(executables) => findings.extend(executables.iter().map(|executable| {
                let mut finding = failed(&entry, shader.workgroup, String::new());
                finding.examined.figures = Reading::Measured(figures::figures(executable));
                finding.assembly = figures::assembly(executable).map(ToOwned::to_owned);
                finding
            })),
        }
    }
    findings
}
