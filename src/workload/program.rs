//! A program: everything that one kernel does for one case, as data.
//!
//! Building a program needs no device, so every kernel of every case can be checked against limits,
//! parsed by naga and translated to other backends on a machine without one. The measuring loop turns
//! a program into buffers and pipelines; nothing else does.

use crate::record::Adapter;

/// What one execution of a case consists of.
#[derive(Clone, Debug)]
pub struct Program {
    /// Every buffer, in the order that passes refer to.
    pub buffers: Vec<Buffer>,
    /// What an execution does.
    pub action: Action,
}

/// What one execution does.
#[derive(Clone, Debug)]
pub enum Action {
    /// Dispatches, one after another, inside one compute pass.
    Dispatches(Vec<Dispatch>),
    /// Dispatches submitted and waited for by the host: a latency, timed by the host's clock.
    RoundTrip(Vec<Dispatch>),
    /// The whole of a buffer from host to device. Its contents are an input; `verify` sees them as
    /// read back from the device.
    Upload {
        /// Index of the buffer.
        buffer: usize,
    },
    /// The whole of a buffer from device to host; `verify` sees the bytes as the host got them.
    Download {
        /// Index of the buffer.
        buffer: usize,
    },
}

/// A storage buffer.
#[derive(Clone, Debug)]
pub struct Buffer {
    /// What it holds, for messages: `A`, `scores`.
    pub name: &'static str,
    /// Size in bytes, a multiple of 4.
    pub bytes: u64,
    /// What is in it before the first execution.
    pub contents: Contents,
}

/// What is in a buffer before the first execution.
#[derive(Clone, Debug)]
pub enum Contents {
    /// Input data, as the kernel's dtype stores it.
    Input(Vec<u8>),
    /// Working memory; its contents do not matter and nobody reads them back.
    Scratch,
    /// An output. It is filled with [`POISON`] before each verified execution and read back after, so
    /// an element that the kernel never writes is seen.
    Output,
}

/// The byte that fills outputs before a verified execution: as f32 or f16 a NaN, which no kernel
/// writes on the inputs that perwatt gives it.
pub const POISON: u8 = 0xff;

/// One dispatch of one shader.
#[derive(Clone, Debug)]
pub struct Dispatch {
    /// For messages and driver tools.
    pub label: String,
    /// The shader's file below `shaders/`.
    pub file: &'static str,
    /// The WGSL source, templates and includes expanded.
    pub wgsl: String,
    /// Buffers by binding number (group 0) and whether the shader only reads them.
    pub bindings: Vec<Binding>,
    /// Workgroups in x, y and z.
    pub workgroups: [u32; 3],
    /// Threads of a workgroup; the same as in the source.
    pub workgroup_threads: [u32; 3],
    /// Bytes of workgroup memory; at least what the source declares.
    pub workgroup_bytes: u32,
    /// Device features that the source needs, by wgpu's names: `SHADER_F16`, `SUBGROUP`.
    pub features: Vec<&'static str>,
}

/// A buffer as a shader sees it.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// Index into [`Program::buffers`].
    pub buffer: usize,
    /// `var<storage, read>` rather than `read_write`.
    pub read_only: bool,
}

impl Program {
    /// The dispatches of one execution; none for a transfer.
    pub fn dispatches(&self) -> &[Dispatch] {
        match &self.action {
            Action::Dispatches(dispatches) | Action::RoundTrip(dispatches) => dispatches,
            Action::Upload { .. } | Action::Download { .. } => &[],
        }
    }

    /// Sum of all buffers, in bytes.
    pub fn total_bytes(&self) -> u64 {
        self.buffers.iter().map(|buffer| buffer.bytes).sum()
    }

    /// Why this program cannot run on an adapter, or `None` where it can.
    pub fn misfit(&self, adapter: &Adapter) -> Option<String> {
        let limits = &adapter.limits;
        for buffer in &self.buffers {
            let most = limits.max_buffer_bytes.min(limits.max_binding_bytes);
            if buffer.bytes > most {
                return Some(format!(
                    "buffer {} needs {} bytes and the adapter binds at most {most}",
                    buffer.name, buffer.bytes
                ));
            }
        }
        self.dispatches()
            .iter()
            .find_map(|dispatch| dispatch.misfit(adapter))
    }
}

impl Dispatch {
    /// Why this dispatch cannot run on an adapter, or `None` where it can.
    fn misfit(&self, adapter: &Adapter) -> Option<String> {
        let limits = &adapter.limits;
        if let Some(missing) = self.features.iter().find(|feature| !adapter.has(feature)) {
            return Some(format!("the adapter lacks {missing}"));
        }
        let threads: u32 = self.workgroup_threads.iter().product();
        if threads > limits.max_workgroup_threads
            || self.workgroup_threads[0] > limits.max_workgroup_x
        {
            return Some(format!(
                "{} uses workgroups of {threads} threads and the adapter allows {}",
                self.label, limits.max_workgroup_threads
            ));
        }
        if self.workgroup_bytes > limits.max_workgroup_bytes {
            return Some(format!(
                "{} uses {} bytes of workgroup memory and the adapter has {}",
                self.label, self.workgroup_bytes, limits.max_workgroup_bytes
            ));
        }
        if let Some(groups) = self
            .workgroups
            .iter()
            .find(|groups| **groups > limits.max_workgroups)
        {
            return Some(format!(
                "{} needs {groups} workgroups along one dimension and the adapter allows {}",
                self.label, limits.max_workgroups
            ));
        }
        let bound = u32::try_from(self.bindings.len()).unwrap_or(u32::MAX);
        if bound > limits.max_storage_buffers {
            return Some(format!(
                "{} binds {bound} storage buffers and the adapter allows {}",
                self.label, limits.max_storage_buffers
            ));
        }
        None
    }
}
