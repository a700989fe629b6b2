//! A session before its first worker: the record that will be filled.

use crate::power::Selection;
use crate::record::{
    Adapter, CaseOrder, DocumentKind, EnergyScope, EnergyTier, Host, Origin, PlanSummary,
    Provenance, Reading, Record, SCHEMA_VERSION, StatedSensor,
};
use crate::workload::CaseKernel;

/// What a session is to do, beside its cases.
#[derive(Clone, Debug)]
pub struct SessionRequest {
    /// The command line.
    pub argv: Vec<String>,
    /// Name of the suite, where one was chosen.
    pub suite: Option<String>,
    /// Worker processes.
    pub invocations: u32,
    /// Most seconds for one case in one invocation.
    pub budget_s: f64,
    /// Seed of the inputs.
    pub seed: u64,
    /// Whether shaders run with wgpu's checks.
    pub checked: bool,
    /// The power sensor.
    pub power: Selection,
    /// How much time energy is given.
    pub energy: EnergyTier,
    /// Which cases energy is measured of.
    pub energy_of: EnergyScope,
    /// In which order each invocation goes through the cases.
    pub order: CaseOrder,
    /// The temperature in °C at or below which a case is to begin.
    pub cool_to_c: Option<f64>,
    /// What the user says of the sensor.
    pub sensor: Option<StatedSensor>,
}

/// The record of a session that has not measured anything yet.
pub fn session(request: &SessionRequest, adapter: &Adapter, planned: &[CaseKernel]) -> Record {
    Record {
        kind: Some(DocumentKind::Record.mark().to_owned()),
        schema_version: SCHEMA_VERSION.to_owned(),
        session: format!("{:016x}", rand::random::<u64>()),
        started_utc: crate::record::now_utc(),
        provenance: provenance(request),
        host: host(),
        placement: None,
        adapter: adapter.clone(),
        clock: Reading::unmeasured("no worker got as far as measuring the clock"),
        power: Reading::unmeasured("no worker got as far as looking for a sensor"),
        plan: PlanSummary {
            suite: request.suite.clone(),
            invocations: request.invocations,
            budget_s: request.budget_s,
            seed: request.seed,
            power: Some(request.power.to_string()),
            energy: Some(request.energy),
            sensor: request.sensor,
            energy_of: Some(request.energy_of),
            order: Some(request.order),
            cool_to_c: request.cool_to_c,
            cases: planned.iter().map(CaseKernel::id).collect(),
        },
        invocations: Vec::new(),
        cases: planned.iter().map(CaseKernel::pending_result).collect(),
        roofline: Vec::new(),
        warnings: Vec::new(),
    }
}

/// Who runs this and how.
fn provenance(request: &SessionRequest) -> Provenance {
    Provenance {
        argv: request.argv.clone(),
        checked_shaders: request.checked,
        origin: if request.power.is_simulated() {
            Origin::Simulated
        } else {
            Origin::Measured
        },
        ..build_provenance()
    }
}

/// What is known of this program, without a command line.
pub fn build_provenance() -> Provenance {
    let build = |value: Option<&str>| match value {
        Some(value) if !value.is_empty() => Reading::Measured(value.to_owned()),
        _ => Reading::unmeasured("perwatt was not built from a git checkout"),
    };
    Provenance {
        origin: Origin::Measured,
        argv: Vec::new(),
        perwatt_version: env!("CARGO_PKG_VERSION").to_owned(),
        git_revision: build(option_env!("PERWATT_GIT_REVISION")),
        git_dirty: build(option_env!("PERWATT_GIT_DIRTY")).map(|dirty| dirty == "true"),
        wgpu_version: build(option_env!("PERWATT_WGPU_VERSION")),
        checked_shaders: false,
    }
}

/// This machine.
fn host() -> Host {
    const SILENT: &str = "the system does not say";
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    system.refresh_cpu_all();
    let cpu = system
        .cpus()
        .first()
        .map(|cpu| cpu.brand().trim().to_owned())
        .filter(|brand| !brand.is_empty());
    let memory = Some(system.total_memory()).filter(|bytes| *bytes > 0);
    Host {
        os: sysinfo::System::long_os_version().unwrap_or_else(|| std::env::consts::OS.to_owned()),
        kernel: sysinfo::System::kernel_version().ok_or(SILENT).into(),
        cpu: cpu.ok_or("the system does not name it").into(),
        cpu_threads: std::thread::available_parallelism()
            .map(|threads| u32::try_from(threads.get()).unwrap_or(u32::MAX))
            .map_err(|e| format!("{SILENT}: {e}"))
            .into(),
        memory_bytes: memory.ok_or(SILENT).into(),
        described: None,
    }
}
