//! A program: everything that one kernel does for one case, as data.
//!
//! Building a program needs no device, so every kernel of every case can be checked against limits,
//! parsed by naga and translated to other backends on a machine without one. The measuring loop turns
//! a program into buffers and pipelines; nothing else does.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::record::{
    Adapter, CoopMatrix, CustomSampler, CustomTexture, Limits, Reading, TextureDimension,
};
use crate::workload::kit::input::{Input, Storage};
use crate::workload::kit::stored_texture::StoredTexture;
use crate::workload::kit::template::Template;
use crate::workload::kit::texel_kind::TexelKind;
use crate::workload::kit::unsupported::Unsupported;

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

/// A buffer, or a texture.
#[derive(Clone, Debug)]
pub struct Buffer {
    /// What it holds, for messages: `A`, `scores`.
    pub name: Cow<'static, str>,
    /// Size in bytes, a multiple of 4.
    pub bytes: u64,
    /// What is in it before the first execution.
    pub contents: Contents,
    /// What it is made of where it is a texture; its bytes are then its texels, nothing between the rows.
    pub texture: Option<CustomTexture>,
}

/// What is in a buffer before the first execution.
#[derive(Clone, Debug)]
pub enum Contents {
    /// Input data.
    Input(Input),
    /// Data that an execution changes: filled again before each execution, outside the timed span, and read back
    /// after the verified ones.
    Restored(Input),
    /// Input data that the program adds to, a cache for instance: filled again before each verified
    /// execution and read back after.
    Kept(Input),
    /// Working memory; its contents do not matter and are not read back.
    Scratch,
    /// An output. It is filled with [`Poison`] before each verified execution and read back after, so
    /// an element that the kernel never writes is seen.
    Output,
}

/// What fills outputs before a verified execution: as f32 or f16 a NaN, which no kernel writes on the inputs that
/// perwatt gives it. A whole number may be the right one, so the two verified executions of a case begin with
/// different ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poison {
    /// All ones.
    First,
    /// NaNs with other bits: `0x7fc0` in every half of a word.
    Second,
}

impl Poison {
    /// Both.
    pub const ALL: [Self; 2] = [Self::First, Self::Second];

    /// The bytes that are repeated.
    pub const fn word(self) -> [u8; 4] {
        match self {
            Self::First => [0xff; 4],
            Self::Second => [0xc0, 0x7f, 0xc0, 0x7f],
        }
    }

    /// So many bytes of it.
    pub fn bytes(self, length: usize) -> Vec<u8> {
        let mut bytes = self.word().repeat(length.div_ceil(4));
        bytes.truncate(length);
        bytes
    }

    /// Whether the bytes of a buffer from a place on, a multiple of their number, are what it was filled with.
    pub(crate) fn is_at(self, place: usize, element: &[u8]) -> bool {
        let word = self.word();
        let wanted = word.iter().cycle().skip(place % 4);
        element.iter().zip(wanted).all(|(byte, want)| byte == want)
    }
}

/// One dispatch of one shader.
#[derive(Clone, Debug)]
pub struct Dispatch {
    /// For messages and driver tools.
    pub label: String,
    /// The shader's file below `shaders/`.
    pub file: Cow<'static, str>,
    /// The WGSL source, templates and includes expanded.
    pub wgsl: String,
    /// What the source binds.
    pub bindings: Vec<Binding>,
    /// The entry point; none where the source has only one.
    pub entry: Option<String>,
    /// Values of overrides, by the keys of wgpu.
    pub constants: BTreeMap<String, f64>,
    /// Workgroups in x, y and z.
    pub workgroups: [u32; 3],
    /// How many times in a row it is dispatched.
    pub repeat: u32,
    /// Threads of a workgroup; the same as in the source.
    pub workgroup_threads: [u32; 3],
    /// Bytes of workgroup memory; at least what the source declares.
    pub workgroup_bytes: u32,
    /// Device features that the source needs, by wgpu's names: `SHADER_F16`, `SUBGROUP`.
    pub features: Vec<&'static str>,
    /// Threads that every subgroup must have at least; 1 where subgroups do not matter.
    pub least_subgroup: u32,
    /// The matrix-unit configuration that the source multiplies with, if it does.
    pub coop_matrix: Option<CoopMatrix>,
    /// Samplers with group and binding.
    pub samplers: Vec<(u32, u32, CustomSampler)>,
    /// Immediate data.
    pub immediates: Vec<u8>,
    /// The buffer and the byte in it from which the workgroups are read when it runs.
    pub indirect: Option<(usize, u64)>,
}

/// A buffer as a shader sees it.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// Index into [`Program::buffers`].
    pub buffer: usize,
    /// `@group`.
    pub group: u32,
    /// `@binding`.
    pub number: u32,
    /// As what.
    pub kind: BindingKind,
    /// Which mip level of a texture alone; none for all of them.
    pub level: Option<u32>,
}

/// As what a shader sees a buffer or texture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BindingKind {
    /// `var<uniform>`.
    Uniform,
    /// `var<storage>`.
    Storage {
        /// `read` rather than `read_write`.
        read_only: bool,
    },
    /// `texture_2d` and its like.
    Texture {
        /// As what its texels are read.
        kind: TexelKind,
        /// Whether a sampler reads between its texels.
        filtered: bool,
        /// The dimensions of the view.
        dimension: TextureDimension,
    },
    /// `texture_storage_2d` and its like.
    StorageTexture(StoredTexture),
}

impl Buffer {
    /// A buffer of `elements` elements; its size is rounded up to whole 32-bit words.
    fn new(name: &'static str, elements: u64, storage: Storage, contents: Contents) -> Self {
        Self {
            name: name.into(),
            bytes: elements.saturating_mul(storage.bytes()).next_multiple_of(4),
            contents,
            texture: None,
        }
    }

    /// Uniform random numbers from −0.5 to 0.5.
    pub(crate) fn random(
        name: &'static str,
        elements: u64,
        storage: Storage,
        seed: u64,
        stream: u64,
    ) -> Self {
        Self::uniform(name, elements, storage, 0.5, (seed, stream))
    }

    /// Uniform random numbers from `−scale` to `scale`, drawn from a stream of a seed.
    pub(crate) fn uniform(
        name: &'static str,
        elements: u64,
        storage: Storage,
        scale: f32,
        (seed, stream): (u64, u64),
    ) -> Self {
        let input = Input::Uniform {
            seed,
            stream,
            storage,
            scale,
        };
        Self::new(name, elements, storage, Contents::Input(input))
    }

    /// Random bytes, of each of which the bits of `mask` are kept.
    pub(crate) fn noise(name: &'static str, bytes: u64, mask: u8, seed: u64, stream: u64) -> Self {
        Self {
            name: name.into(),
            bytes: bytes.next_multiple_of(4),
            contents: Contents::Input(Input::Noise { seed, stream, mask }),
            texture: None,
        }
    }

    /// Input of these bytes.
    pub(crate) fn bytes(name: &'static str, bytes: Vec<u8>) -> Self {
        Self {
            name: name.into(),
            bytes: bytes.len() as u64,
            contents: Contents::Input(Input::Bytes(bytes)),
            texture: None,
        }
    }

    /// The same buffer with an input that the program adds to.
    pub(crate) fn kept(mut self) -> Self {
        if let Contents::Input(input) = self.contents {
            self.contents = Contents::Kept(input);
        }
        self
    }

    /// Working memory.
    pub(crate) fn scratch(name: &'static str, elements: u64, storage: Storage) -> Self {
        Self::new(name, elements, storage, Contents::Scratch)
    }

    /// An output.
    pub(crate) fn output(name: &'static str, elements: u64, storage: Storage) -> Self {
        Self::new(name, elements, storage, Contents::Output)
    }

    /// Whether its contents after a verified execution are of interest.
    pub fn is_read_back(&self) -> bool {
        matches!(
            self.contents,
            Contents::Output | Contents::Kept(_) | Contents::Restored(_)
        )
    }

    /// Why a device with these limits cannot bind it, or `None` where it can.
    pub(crate) fn beyond_limits(&self, limits: &Limits) -> Option<Unsupported> {
        // A texture is bound whole, and read back by way of a buffer.
        let (bytes, most) = match self.texture {
            Some(texture) => (texture.read_back_bytes(), limits.max_buffer_bytes),
            None => (
                self.bytes,
                limits.max_buffer_bytes.min(limits.max_binding_bytes),
            ),
        };
        (bytes > most).then(|| Unsupported::BufferSize {
            buffer: self.name.to_string(),
            bytes,
            most,
        })
    }

    /// What an input buffer holds; nothing for others.
    pub(crate) fn input(&self) -> Vec<u8> {
        let input = self.contents.input();
        input.map_or_else(Vec::new, |input| input.generate(self.bytes))
    }
}

impl Contents {
    /// The data that it begins with, if any.
    pub(crate) fn input(&self) -> Option<&Input> {
        match self {
            Self::Input(input) | Self::Kept(input) | Self::Restored(input) => Some(input),
            Self::Scratch | Self::Output => None,
        }
    }
}

impl Program {
    /// The dispatches of one execution; none for a transfer.
    pub fn dispatches(&self) -> &[Dispatch] {
        match &self.action {
            Action::Dispatches(dispatches) | Action::RoundTrip(dispatches) => dispatches,
            Action::Upload { .. } | Action::Download { .. } => &[],
        }
    }

    /// The buffers that are read back after a verified execution, in order.
    pub fn read_back(&self) -> impl Iterator<Item = &Buffer> {
        self.buffers.iter().filter(|buffer| buffer.is_read_back())
    }

    /// Whether buffers are filled again before each execution.
    pub fn restores(&self) -> bool {
        let mut buffers = self.buffers.iter();
        buffers.any(|buffer| matches!(buffer.contents, Contents::Restored(_)))
    }

    /// Sum of all buffers, in bytes.
    pub fn total_bytes(&self) -> u64 {
        self.buffers.iter().map(|buffer| buffer.bytes).sum()
    }

    /// A program of dispatches, one after another.
    pub(crate) fn of(buffers: Vec<Buffer>, dispatches: Vec<Dispatch>) -> Self {
        Self {
            buffers,
            action: Action::Dispatches(dispatches),
        }
    }

    /// Why this program cannot run on an adapter, or `None` where it can.
    pub fn unsupported_on(&self, adapter: &Adapter) -> Option<Unsupported> {
        let limits = &adapter.limits;
        let mut buffers = self.buffers.iter();
        buffers
            .find_map(|buffer| buffer.beyond_limits(limits))
            .or_else(|| {
                let mut dispatches = self.dispatches().iter();
                dispatches.find_map(|dispatch| dispatch.unsupported_on(adapter))
            })
    }
}

impl Dispatch {
    /// One workgroup of one thread of a template; `buffers` are indices by binding number, the last
    /// `written` of which the shader writes.
    ///
    /// # Errors
    /// The template is malformed.
    pub(crate) fn new(
        template: &Template,
        buffers: &[usize],
        written: usize,
    ) -> Result<Self, Unsupported> {
        let read = buffers.len().saturating_sub(written);
        Ok(Self {
            label: template.file().to_owned(),
            file: template.file().into(),
            wgsl: template.expand().map_err(Unsupported::Template)?,
            bindings: buffers
                .iter()
                .enumerate()
                .map(|(number, buffer)| Binding {
                    buffer: *buffer,
                    group: 0,
                    number: u32::try_from(number).unwrap_or(u32::MAX),
                    kind: BindingKind::Storage {
                        read_only: number < read,
                    },
                    level: None,
                })
                .collect(),
            entry: None,
            constants: BTreeMap::new(),
            workgroups: [1; 3],
            repeat: 1,
            workgroup_threads: [1; 3],
            workgroup_bytes: 0,
            features: if template.uses_f16() {
                vec!["SHADER_F16"]
            } else {
                Vec::new()
            },
            least_subgroup: 1,
            coop_matrix: None,
            samplers: Vec::new(),
            immediates: Vec::new(),
            indirect: None,
        })
    }

    /// Sets the number of workgroups.
    pub(crate) fn groups(mut self, workgroups: [u32; 3]) -> Self {
        self.workgroups = workgroups;
        self
    }

    /// Sets the threads of a workgroup and the workgroup memory that they share.
    pub(crate) fn workgroup(mut self, threads: [u32; 3], bytes: u64) -> Self {
        self.workgroup_threads = threads;
        self.workgroup_bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self
    }

    /// Adds a feature that the shader needs.
    pub(crate) fn needs(mut self, feature: &'static str) -> Self {
        self.features.push(feature);
        self
    }

    /// Sets how many threads every subgroup must have at least.
    pub(crate) fn subgroups_of(mut self, threads: u32) -> Self {
        self.least_subgroup = threads;
        self
    }

    /// Sets the matrix-unit configuration that the shader multiplies with.
    pub(crate) fn multiplies(mut self, configuration: CoopMatrix) -> Self {
        self.coop_matrix = Some(configuration);
        self.needs("EXPERIMENTAL_COOPERATIVE_MATRIX")
    }

    /// Why this dispatch cannot run on an adapter, or `None` where it can.
    pub fn unsupported_on(&self, adapter: &Adapter) -> Option<Unsupported> {
        if let Some(missing) = self.features.iter().find(|feature| !adapter.has(feature)) {
            return Some(Unsupported::Feature(missing));
        }
        self.beyond_matrix_units(adapter)
            .or_else(|| self.beyond_subgroups(adapter))
            .or_else(|| self.beyond_limits(&adapter.limits))
    }

    /// Threads of a workgroup.
    fn threads(&self) -> u32 {
        self.workgroup_threads.iter().product()
    }

    /// Why an adapter's subgroups are too small.
    fn beyond_subgroups(&self, adapter: &Adapter) -> Option<Unsupported> {
        match &adapter.subgroup_sizes {
            _ if self.least_subgroup <= 1 => None,
            Reading::Measured((least, _)) if *least >= self.least_subgroup => None,
            _ => Some(Unsupported::SmallSubgroup {
                shader: self.label.clone(),
                least: self.least_subgroup,
            }),
        }
    }

    /// Which limit of an adapter the dispatch is beyond.
    fn beyond_limits(&self, limits: &Limits) -> Option<Unsupported> {
        let beyond = |need| {
            Some(Unsupported::Limit {
                shader: self.label.clone(),
                need,
            })
        };
        let threads = self.threads();
        if threads > limits.max_workgroup_threads
            || self.workgroup_threads[0] > limits.max_workgroup_x
        {
            return beyond(format!(
                "uses workgroups of {threads} threads and the adapter allows {}",
                limits.max_workgroup_threads
            ));
        }
        if self.workgroup_bytes > limits.max_workgroup_bytes {
            return beyond(format!(
                "uses {} bytes of workgroup memory and the adapter has {}",
                self.workgroup_bytes, limits.max_workgroup_bytes
            ));
        }
        let mut groups = self.workgroups.iter();
        if let Some(groups) = groups.find(|groups| **groups > limits.max_workgroups) {
            return beyond(format!(
                "needs {groups} workgroups along one dimension and the adapter allows {}",
                limits.max_workgroups
            ));
        }
        let storage = self
            .bindings
            .iter()
            .filter(|binding| matches!(binding.kind, BindingKind::Storage { .. }));
        let bound = u32::try_from(storage.count()).unwrap_or(u32::MAX);
        if bound > limits.max_storage_buffers {
            return beyond(format!(
                "binds {bound} storage buffers and the adapter allows {}",
                limits.max_storage_buffers
            ));
        }
        None
    }

    /// Why an adapter's matrix units cannot do this dispatch, or `None` where they can or need not.
    fn beyond_matrix_units(&self, adapter: &Adapter) -> Option<Unsupported> {
        let wanted = self.coop_matrix.as_ref()?;
        if !adapter.multiplies(wanted) {
            return Some(Unsupported::MatrixUnit {
                wanted: wanted.clone(),
                offered: adapter.coop_matrix.clone(),
            });
        }
        // Vulkan allows matrices only where every subgroup is full.
        let subgroup = adapter.subgroup_sizes.measured().map(|(_, most)| *most);
        let threads = self.threads();
        match subgroup {
            Some(most) if threads.is_multiple_of(most) => None,
            _ => Some(Unsupported::PartialSubgroup {
                shader: self.label.clone(),
                threads,
                subgroup,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Buffer, Contents};
    use crate::record::{CustomTexture, Limits, TexelFormat, TextureDimension};

    #[test]
    fn a_texture_needs_the_room_that_reading_it_back_takes() {
        let narrow = CustomTexture {
            format: TexelFormat::R8Unorm,
            size: [1, 4096, 1],
            dimension: TextureDimension::D2,
            levels: 1,
        };
        let buffer = Buffer {
            name: "t".into(),
            bytes: 4096,
            contents: Contents::Output,
            texture: Some(narrow),
        };
        let beyond = |max_buffer_bytes| {
            let limits = Limits {
                max_buffer_bytes,
                ..Limits::default()
            };
            buffer.beyond_limits(&limits).map(|why| why.to_string())
        };
        assert_eq!(beyond(1 << 20), None);
        let why = beyond((1 << 20) - 1).unwrap_or_default();
        assert!(why.contains("1048576"), "{why}");
    }
}
