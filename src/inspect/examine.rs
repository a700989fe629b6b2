//! Compiling every entry point of a subject and collecting the compiler's statistics.

use super::spirv::WgslSource;
use super::statistics;
use super::subject::ShaderSubject;
use super::vulkan_device::VulkanDevice;
use crate::record::{CompiledShader, Reading};

/// A shader as it was found, with the assembly that the findings come from.
#[derive(Clone, Debug)]
pub struct InspectedShader {
    /// What the record holds.
    pub examined: CompiledShader,
    /// The assembly, where the driver gives it.
    pub assembly: Option<String>,
}

/// Compiles every entry point of a subject on a device; `checked` adds wgpu's run-time checks.
pub fn examine(
    device: &VulkanDevice<'_>,
    subject: &ShaderSubject,
    checked: bool,
) -> Vec<InspectedShader> {
    let failed = |entry: &str, workgroup_threads: [u32; 3], reason: String| InspectedShader {
        examined: CompiledShader {
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
    let source = match WgslSource::parse(&subject.wgsl) {
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
                finding.examined.figures = Reading::Measured(statistics::statistics(executable));
                finding.assembly = statistics::assembly(executable).map(ToOwned::to_owned);
                finding
            })),
        }
    }
    findings
}
