//! The file of `perwatt inspect`: compiler statistics of kernels. No device ran anything for it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::adapter::DeviceType;
use super::document::{Document, DocumentKind};
use super::reading::Reading;

/// Version of the inspection file. Readers refuse another major version.
pub const INSPECTION_VERSION: &str = "1.0.0";

/// Compiler statistics of kernels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "perwatt inspection")]
pub struct Inspection {
    /// `inspection`, to tell it from a record.
    pub kind: String,
    /// Semantic version of this format.
    pub schema_version: String,
    /// perwatt's version, whose kernels and translation these are.
    pub perwatt_version: String,
    /// Whether the shaders were translated with wgpu's run-time checks.
    pub checked_shaders: bool,
    /// One entry per GPU.
    pub targets: Vec<Target>,
}

impl Inspection {
    /// An inspection by this program.
    pub fn new(checked_shaders: bool, targets: Vec<Target>) -> Self {
        Self {
            kind: DocumentKind::Inspection.mark().to_owned(),
            schema_version: INSPECTION_VERSION.to_owned(),
            perwatt_version: env!("CARGO_PKG_VERSION").to_owned(),
            checked_shaders,
            targets,
        }
    }
}

impl Document for Inspection {
    const KIND: DocumentKind = DocumentKind::Inspection;
    const VERSION: &'static str = INSPECTION_VERSION;
    const NAME: &'static str = "an inspection";
    const HINT: &'static str = "`perwatt inspect --json` writes one";

    fn kind(&self) -> Option<&str> {
        Some(&self.kind)
    }

    fn version(&self) -> &str {
        &self.schema_version
    }
}

/// A GPU whose compiler was asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Target {
    /// What was asked for: `navi31`, or the name of a device that is there.
    pub target: String,
    /// Whether the GPU is in the machine. If not, its driver compiled for it all the same.
    pub present: bool,
    /// The device as its driver calls it, or why it cannot be asked.
    pub device: Reading<DeviceInfo>,
    /// One entry per shader, in order.
    pub shaders: Vec<CompiledShader>,
}

/// A device as its driver describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceInfo {
    /// The name that the driver gives.
    pub name: String,
    /// What kind of device it is.
    pub device_type: DeviceType,
    /// Driver's name.
    pub driver: String,
    /// Driver's version and build, as the driver words it.
    pub driver_info: String,
}

/// A shader and its compiler statistics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CompiledShader {
    /// `case@kernel`, or the file that the user gave.
    pub name: String,
    /// The shader's file, below `shaders/` for built-in kernels.
    pub shader: String,
    /// The entry point.
    pub entry: String,
    /// Tuning parameters, overrides included.
    pub parameters: BTreeMap<String, f64>,
    /// Threads of a workgroup.
    pub workgroup_threads: [u32; 3],
    /// What the compiler says, or why there is nothing: the device lacks a feature, or the driver
    /// refuses the shader.
    pub figures: Reading<CompilerStatistics>,
}

/// What a driver says of a compiled shader. Absent: this driver does not say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CompilerStatistics {
    /// Threads of a subgroup (wave, warp).
    pub subgroup_threads: Option<u32>,
    /// Vector registers of a thread.
    pub vector_registers: Option<u32>,
    /// Scalar registers of a subgroup.
    pub scalar_registers: Option<u32>,
    /// Vector registers spilled to memory.
    pub spilled_vector_registers: Option<u32>,
    /// Scalar registers spilled to vector registers or memory.
    pub spilled_scalar_registers: Option<u32>,
    /// Memory of a thread's own, in bytes: spills and indexed private arrays.
    pub scratch_bytes: Option<u32>,
    /// Workgroup memory, in bytes.
    pub workgroup_bytes: Option<u32>,
    /// Subgroups that one SIMD can hold at a time.
    pub subgroups_per_simd: Option<u32>,
    /// Size of the code, in bytes.
    pub code_bytes: Option<u32>,
    /// Instructions.
    pub instructions: Option<u32>,
    /// The compiler's estimate of one subgroup's run, in cycles. Its trips of loops are guesses of the
    /// compiler (ACO: 8 each), so it compares versions of one kernel and not different kernels.
    pub latency_cycles: Option<f64>,
    /// The compiler's estimate of the cycles between the ends of subgroups on one SIMD, guesses of trips
    /// included.
    pub inverse_throughput_cycles: Option<f64>,
    /// Loops by their weight, the hottest first, or why there are none to see.
    pub loops: Reading<Vec<LoopSummary>>,
    /// Every figure in the driver's own words.
    pub statistics: BTreeMap<String, f64>,
}

impl CompilerStatistics {
    /// The loop that the kernel spends its time in.
    pub fn hottest(&self) -> Option<&LoopSummary> {
        self.loops.measured()?.first()
    }

    /// Registers that were spilled, vector and scalar.
    pub fn spills(&self) -> Option<u32> {
        let vector = self.spilled_vector_registers?;
        let scalar = self.spilled_scalar_registers?;
        Some(vector.saturating_add(scalar))
    }
}

/// A loop of a compiled shader.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoopSummary {
    /// Label of the block that every trip enters through.
    pub label: String,
    /// 1 for a loop that is in no other.
    pub depth: u32,
    /// Trips by the loop's counter; absent where it has none with a constant step and bound, and 8 are
    /// assumed.
    pub trips: Option<u32>,
    /// Instructions that it runs, by its trips and those of the loops around it.
    pub weight: f64,
    /// Its instructions, without those of loops inside it.
    pub mix: Mix,
    /// Instructions of the matrix unit for each other operation of the vector ALU; absent where the loop
    /// has no instruction of the matrix unit.
    #[serde(default)]
    pub matrix_per_vector: Option<f64>,
}

/// Instructions by what they do. The kinds from `fma` to `other` sum up to `operations`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mix {
    /// Instructions as they are issued.
    pub instructions: u32,
    /// Operations: an instruction, or each half of a dual-issued pair.
    pub operations: u32,
    /// Floating-point multiply-adds.
    pub fma: u32,
    /// Those of `fma` that are half of a dual-issued pair.
    pub fma_dual: u32,
    /// Those of `fma` that work on two packed numbers.
    pub fma_packed: u32,
    /// Matrix unit: WMMA, MFMA.
    pub matrix: u32,
    /// Dot products of packed small numbers.
    pub dot: u32,
    /// Other vector operations.
    pub vector: u32,
    /// Workgroup memory.
    pub lds: u32,
    /// Global memory.
    pub global: u32,
    /// Memory of the thread's own: spills and indexed private arrays.
    pub scratch: u32,
    /// Loads through the scalar cache.
    pub scalar_memory: u32,
    /// Scalar operations.
    pub scalar: u32,
    /// Branches.
    pub branch: u32,
    /// Waits, barriers, hints to the scheduler.
    pub wait: u32,
    /// Anything else.
    pub other: u32,
}

impl Mix {
    /// A count as a share of all operations; nothing where there is none.
    pub fn share(&self, count: u32) -> f64 {
        match self.operations {
            0 => 0.0,
            all => f64::from(count) / f64::from(all),
        }
    }

    /// Instructions of the matrix unit for each other operation of the vector ALU, or for all of them where
    /// there is no other; nothing where the matrix unit is not used.
    pub fn matrix_per_vector(&self) -> Option<f64> {
        let others = self
            .fma
            .saturating_add(self.dot)
            .saturating_add(self.vector)
            .max(1);
        (self.matrix > 0).then(|| f64::from(self.matrix) / f64::from(others))
    }

    /// Share of the operations that do the arithmetic that a kernel is for.
    pub fn arithmetic(&self) -> f64 {
        self.share(
            self.fma
                .saturating_add(self.matrix)
                .saturating_add(self.dot),
        )
    }
}
