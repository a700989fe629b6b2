//! A custom kernel, brought by the user alone or with a workload, as the record keeps it: complete, so
//! that a reader sees what ran and an interrupted run resumes without the file that declared it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CustomDtype, CustomSampler, CustomTexture};

/// What a workload file says about one kernel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CustomKernel {
    /// The file that declared it.
    pub file: String,
    /// Buffers in addition to those of the built-in case; all buffers of a custom workload.
    pub buffers: Vec<CustomBuffer>,
    /// What one execution dispatches, in order.
    pub dispatches: Vec<CustomDispatch>,
    /// Whether the case is built in, so that its f64 reference checks the output; otherwise the declared
    /// file of expected numbers does.
    pub built_in_case: bool,
    /// Whether executions take copies of the buffers in turn, so that caches do not stand in for memory.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cold: bool,
    /// Why nothing checks the output, as the user put it; absent where something does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unverified: Option<String>,
    /// The kernel whose outputs on the same inputs are the expected ones, where a check says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Box<CustomKernel>>,
    /// Samplers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samplers: Vec<CustomSampler>,
}

/// One dispatch of a custom kernel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CustomDispatch {
    /// The shader's file.
    pub shader: String,
    /// Its WGSL.
    pub wgsl: String,
    /// Workgroups in x, y and z.
    pub workgroups: [u32; 3],
    /// Names of buffers in the order of groups and bindings; empty where they are bound by the names of variables.
    pub bind: Vec<String>,
    /// The entry point; absent where the source has only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// Values of overrides.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub overrides: BTreeMap<String, f64>,
    /// Buffers of variables that have another name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub bind_by_name: BTreeMap<String, String>,
    /// Variables that show one mip level of their texture, and which. Since version 1.8.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub levels: BTreeMap<String, u32>,
    /// How many times in a row it is dispatched; absent for once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<u32>,
    /// The buffer that holds the workgroups instead of `workgroups`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub indirect: Option<CustomIndirect>,
    /// Immediate data (push constants), as little-endian words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub immediates: Vec<u32>,
}

/// Where a dispatch's workgroups are read from when it runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomIndirect {
    /// The buffer.
    pub buffer: String,
    /// Which of its words is the first of three.
    #[serde(default)]
    pub first: u32,
}

/// One buffer of a custom kernel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CustomBuffer {
    /// The name that `bind` uses.
    pub name: String,
    /// Type of its elements.
    pub dtype: CustomDtype,
    /// How many there are.
    pub elements: u64,
    /// What is in it.
    pub contents: CustomContents,
    /// Whether it is filled again before each execution. Absent: where it has contents and a shader writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore: Option<bool>,
    /// What it must hold after an execution, beside the contents of kind `expected`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CustomCheck>,
    /// What it is made of where it is a texture; its elements are then the numbers of its texels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub texture: Option<CustomTexture>,
}

/// What a buffer must hold after an execution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum CustomCheck {
    /// The numbers in a file: |output − expected| ≤ absolute + relative·|expected|.
    File {
        /// Path of the file.
        path: String,
        /// Absolute tolerance.
        absolute: f64,
        /// Relative tolerance.
        relative: f64,
        /// SHA-256 of the file's bytes in hexadecimal.
        sha256: Option<String>,
    },
    /// A formula for element `i`, within the same tolerance.
    Formula {
        /// The formula.
        formula: String,
        /// Values of the parameters in it.
        values: BTreeMap<String, f64>,
        /// Absolute tolerance.
        absolute: f64,
        /// Relative tolerance.
        relative: f64,
    },
    /// What the reference kernel leaves in the buffer of the same name, within the same tolerance.
    Reference {
        /// Absolute tolerance.
        absolute: f64,
        /// Relative tolerance.
        relative: f64,
    },
    /// Every number is finite.
    Finite,
    /// No number is less than the one before.
    Sorted,
    /// The same numbers as another buffer's before the execution, in any order.
    Permutation {
        /// The other buffer.
        of: String,
    },
    /// The sum of all numbers is that of another buffer before the execution, within the tolerance.
    Sum {
        /// The other buffer.
        of: String,
        /// Absolute tolerance.
        absolute: f64,
        /// Relative tolerance.
        relative: f64,
    },
}

/// What is in a buffer before the first execution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum CustomContents {
    /// One number everywhere.
    Fill {
        /// The number.
        value: f64,
    },
    /// These numbers.
    Values {
        /// One per element.
        values: Vec<f64>,
    },
    /// The bytes of a file, little-endian.
    File {
        /// Its path.
        path: String,
        /// SHA-256 of its bytes in hexadecimal; files before version 1.2 do not state it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sha256: Option<String>,
    },
    /// Random or regular numbers.
    Generated {
        /// Which.
        generator: CustomGenerator,
        /// Seed of the random ones; the buffer's name counts too.
        seed: u64,
    },
    /// Working memory, or an output that nothing is in before.
    Scratch,
    /// An output, compared with the numbers in a file: |output − expected| ≤ absolute + relative·|expected|.
    Expected {
        /// Path of the file, little-endian numbers of the buffer's type.
        path: String,
        /// Absolute tolerance.
        absolute: f64,
        /// Relative tolerance.
        relative: f64,
        /// SHA-256 of the file's bytes in hexadecimal; files before version 1.2 do not state it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sha256: Option<String>,
    },
}

/// Numbers that are made, not read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum CustomGenerator {
    /// Uniform between two numbers.
    Uniform {
        /// The least.
        low: f64,
        /// The greatest.
        high: f64,
    },
    /// Normally distributed.
    Normal {
        /// Mean.
        mean: f64,
        /// Standard deviation.
        deviation: f64,
    },
    /// Whole numbers of a range, both ends included.
    Integers {
        /// The least.
        low: i64,
        /// The greatest.
        high: i64,
    },
    /// `start + i · step`.
    Ramp {
        /// The first.
        start: f64,
        /// The difference.
        step: f64,
    },
    /// The numbers from 0 up, each once, in random order.
    Permutation,
}

impl CustomKernel {
    /// The paths of all data files, the reference's too.
    pub fn paths_mut(&mut self) -> Vec<&mut String> {
        let mut paths = Vec::new();
        for buffer in &mut self.buffers {
            if let CustomContents::File { path, .. } | CustomContents::Expected { path, .. } =
                &mut buffer.contents
            {
                paths.push(path);
            }
            for check in &mut buffer.checks {
                if let CustomCheck::File { path, .. } = check {
                    paths.push(path);
                }
            }
        }
        if let Some(reference) = &mut self.reference {
            paths.extend(reference.paths_mut());
        }
        paths
    }

    /// The files that declared it and its reference.
    pub fn files_mut(&mut self) -> Vec<&mut String> {
        let mut files = vec![&mut self.file];
        if let Some(reference) = &mut self.reference {
            files.extend(reference.files_mut());
        }
        files
    }

    /// All dispatches, the reference's too.
    pub fn dispatches_mut(&mut self) -> Vec<&mut CustomDispatch> {
        let mut dispatches: Vec<&mut CustomDispatch> = self.dispatches.iter_mut().collect();
        if let Some(reference) = &mut self.reference {
            dispatches.extend(reference.dispatches_mut());
        }
        dispatches
    }
}
