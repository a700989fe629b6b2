//! From a program to buffers, pipelines and commands.

use std::cell::Cell;

use super::device_memory::{DeviceMemory, MemoryUse, samplers};
use super::layouts::{first_workgroup_layout, layouts};
use super::pieces::{Piece, ToldShader, pieces, told};
use super::submissions::{StepRange, StepTime, submissions};
use crate::device::{Gpu, GpuError};
use crate::units::Seconds;
use crate::workload::{Action, Contents, Dispatch, Poison, Program};

/// A program on a device.
#[derive(Debug)]
pub struct Executable<'g> {
    gpu: &'g Gpu,
    program: Program,
    /// Executions take the sets in turn; the first is filled from the host.
    sets: Vec<BufferSet>,
    /// What is copied over a buffer of this index before each execution.
    pristine: Vec<(usize, DeviceMemory)>,
    steps: Vec<Step>,
    /// In how many dispatches each step is done.
    pieces: Vec<u32>,
    /// The submissions of one execution, where one is too long for a watchdog.
    divided: Vec<Vec<StepRange>>,
    /// The set that the next execution takes.
    next: Cell<usize>,
    /// The set that the last execution took.
    last: Cell<usize>,
    /// What an upload sends.
    upload: Vec<u8>,
    /// Where a download lands on its way.
    staging: Option<wgpu::Buffer>,
    /// What the last download brought.
    downloaded: Vec<u8>,
}

/// One dispatch, ready to record.
#[derive(Debug)]
struct Step {
    pipeline: wgpu::ComputePipeline,
    /// By group, empty ones included.
    layouts: Vec<wgpu::BindGroupLayout>,
    /// What it is done in; one that begins at the first workgroup where it is done at once.
    pieces: Vec<(Piece, Option<wgpu::BindGroup>)>,
    /// The group of what tells a piece where it begins.
    told_group: u32,
    /// Times in a row.
    repeat: u32,
    /// What the pass sets before it.
    immediates: Vec<u8>,
    /// The buffer and the byte in it from which the workgroups are read when it runs.
    indirect: Option<(usize, u64)>,
}

/// All buffers of a program once.
#[derive(Debug)]
struct BufferSet {
    buffers: Vec<DeviceMemory>,
    /// What each step binds of them, by group.
    bind_groups: Vec<Vec<wgpu::BindGroup>>,
}

/// Whether wgpu adds run-time checks to shaders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checks {
    /// None: for built-in kernels, whose output is verified.
    Off,
    /// Bounds and loop checks, for `--checked` and for custom kernels.
    On,
}

impl<'g> Executable<'g> {
    /// Allocates and fills the buffers, `copies` times or as often as there is room; executions take the copies in
    /// turn.
    ///
    /// # Errors
    /// Memory ran out for the first copy, or the device was lost.
    pub fn allocate(gpu: &'g Gpu, program: Program, copies: u32) -> Result<Self, GpuError> {
        gpu.check()?;
        let first = BufferSet::new(gpu, &program)?;
        for (buffer, allocated) in program.buffers.iter().zip(&first.buffers) {
            if let Some(input) = buffer.contents.input() {
                allocated.write(gpu, &input.generate(buffer.bytes))?;
            }
        }
        let mut sets = vec![first];
        for _ in 1..copies {
            match BufferSet::new(gpu, &program) {
                Ok(set) => sets.push(set),
                Err(GpuError::OutOfMemory(_)) => break,
                Err(other) => return Err(other),
            }
        }
        let staging = match program.action {
            Action::Download { buffer } => {
                Some(gpu.device.create_buffer(&wgpu::BufferDescriptor {
                    label: Some("download"),
                    size: program.buffers[buffer].bytes,
                    usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
                    mapped_at_creation: false,
                }))
            }
            _ => None,
        };
        let upload = match program.action {
            Action::Upload { buffer } => program.buffers[buffer].input(),
            _ => Vec::new(),
        };
        let mut pristine = Vec::new();
        for (at, buffer) in program.buffers.iter().enumerate() {
            if matches!(buffer.contents, Contents::Restored(_)) {
                pristine.push((at, sets[0].buffers[at].copy(gpu)?));
            }
        }
        let executable = Self {
            gpu,
            pieces: vec![1; program.dispatches().len()],
            divided: Vec::new(),
            program,
            sets,
            pristine,
            steps: Vec::new(),
            next: Cell::new(0),
            last: Cell::new(0),
            upload,
            staging,
            downloaded: Vec::new(),
        };
        executable.copy_first_set(|contents| contents.input().is_some())?;
        Ok(executable)
    }

    /// Most executions of one batch: where buffers are restored before each execution, every one needs a copy that
    /// nobody has touched.
    pub fn most_executions(&self) -> u32 {
        if self.pristine.is_empty() {
            u32::MAX
        } else {
            self.copies()
        }
    }

    /// Restores what executions change, in the copies that so many take, and begins with the first copy again.
    ///
    /// # Errors
    /// The device was lost.
    pub fn restore(&self, executions: u32) -> Result<(), GpuError> {
        if self.pristine.is_empty() {
            return Ok(());
        }
        let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
        for set in self.sets.iter().take(executions as usize) {
            for (at, source) in &self.pristine {
                source.copy_to(&mut encoder, &set.buffers[*at]);
            }
        }
        self.gpu.queue.submit([encoder.finish()]);
        self.next.set(0);
        self.gpu.wait()
    }

    /// Brings buffers of the first set into all others.
    fn copy_first_set(&self, which: impl Fn(&Contents) -> bool) -> Result<(), GpuError> {
        let Some((first, others)) = self.sets.split_first() else {
            return Ok(());
        };
        let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
        for (at, _) in
            (self.program.buffers.iter().enumerate()).filter(|(_, buffer)| which(&buffer.contents))
        {
            let source = &first.buffers[at];
            for set in others {
                source.copy_to(&mut encoder, &set.buffers[at]);
            }
        }
        self.gpu.queue.submit([encoder.finish()]);
        self.gpu.wait()
    }

    /// Copies of the buffers that executions take in turn.
    pub fn copies(&self) -> u32 {
        u32::try_from(self.sets.len()).unwrap_or(u32::MAX)
    }

    /// Compiles the shaders.
    ///
    /// # Errors
    /// The driver refuses one, or the device was lost.
    pub fn compile(&mut self, checks: Checks) -> Result<(), GpuError> {
        self.steps.clear();
        for set in &mut self.sets {
            set.bind_groups.clear();
        }
        for (dispatch, pieces) in self.program.dispatches().iter().zip(&self.pieces) {
            let step = self.step(dispatch, *pieces, checks)?;
            for set in &mut self.sets {
                let bound = set.bound(self.gpu, dispatch, &step.layouts);
                set.bind_groups.push(bound);
            }
            self.gpu.check()?;
            self.steps.push(step);
        }
        Ok(())
    }

    /// Has one of the program's dispatches done in so many pieces from now on, and compiles it for that.
    ///
    /// # Errors
    /// As [`Executable::compile_in_pieces`].
    pub(super) fn take_apart(
        &mut self,
        number: usize,
        count: u32,
        checks: Checks,
    ) -> Result<(), GpuError> {
        let dispatch = &self.program.dispatches()[number];
        let step = self.step(dispatch, count, checks)?;
        for set in &mut self.sets {
            set.bind_groups[number] = set.bound(self.gpu, dispatch, &step.layouts);
        }
        self.gpu.check()?;
        self.pieces[number] = count;
        self.steps[number] = step;
        Ok(())
    }

    /// Has every execution do its dispatches in so many pieces each, and compiles the shaders for that.
    ///
    /// # Errors
    /// As [`Executable::compile`]; or a shader cannot be told where its piece begins.
    pub fn compile_in_pieces(&mut self, pieces: Vec<u32>, checks: Checks) -> Result<(), GpuError> {
        self.pieces = pieces;
        self.compile(checks)
    }

    /// Dispatches of one execution.
    pub fn dispatches(&self) -> usize {
        (0..self.steps.len())
            .map(|step| self.dispatches_of(step))
            .sum()
    }

    /// Workgroups of one of the program's dispatches: those that it says, or those that a buffer of the first set says
    /// just now.
    ///
    /// # Errors
    /// The device was lost.
    pub(super) fn workgroups(&self, step: usize) -> Result<[u32; 3], GpuError> {
        let dispatch = &self.program.dispatches()[step];
        let Some((at, offset)) = dispatch.indirect else {
            return Ok(dispatch.workgroups);
        };
        let bytes = self.sets[0].buffers[at].read(self.gpu)?;
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let words = bytes.get(offset..).unwrap_or_default().as_chunks().0;
        let word = |n: usize| words.get(n).map_or(0, |word| u32::from_le_bytes(*word));
        Ok([word(0), word(1), word(2)])
    }

    /// Records so many workgroups of one of the program's dispatches, on the first set.
    pub(super) fn encode_part(
        &self,
        pass: &mut wgpu::ComputePass<'_>,
        step: usize,
        [x, y, z]: [u32; 3],
    ) {
        self.begin(pass, step, 0);
        pass.dispatch_workgroups(x, y, z);
    }

    /// How often the device is given one of the program's steps, in pieces and repetitions.
    pub(super) fn dispatches_of(&self, step: usize) -> usize {
        let step = &self.steps[step];
        step.pieces.len() * step.repeat as usize
    }

    /// Has no execution submit more at once than `most`, each step's dispatches taking so long.
    pub(super) fn divide(&mut self, each: &[Seconds], most: Seconds) {
        self.divided = self.submissions_of(0, each, most);
    }

    /// The steps from `first` on in submissions that keep within `most`; as many as it is said of how long their
    /// dispatches take.
    pub(super) fn submissions_of(
        &self,
        first: usize,
        each: &[Seconds],
        most: Seconds,
    ) -> Vec<Vec<StepRange>> {
        let times: Vec<StepTime> = (each.iter().enumerate())
            .map(|(step, each)| StepTime {
                dispatches: if step < first {
                    0
                } else {
                    self.dispatches_of(step)
                },
                each: *each,
            })
            .collect();
        submissions(&times, most)
    }

    /// Records some of a step's dispatches, on a set.
    pub(super) fn encode_range(
        &self,
        pass: &mut wgpu::ComputePass<'_>,
        range: &StepRange,
        set: usize,
    ) {
        let step = &self.steps[range.step];
        self.begin(pass, range.step, set);
        let all = (0..step.repeat).flat_map(|_| &step.pieces);
        for (piece, first) in all
            .skip(range.dispatches.start)
            .take(range.dispatches.len())
        {
            if let Some(first) = first {
                pass.set_bind_group(step.told_group, first, &[]);
            }
            self.dispatch(pass, range.step, set, piece.workgroups);
        }
    }

    /// Records what a step works with: pipeline, immediate data, and a set of buffers.
    fn begin(&self, pass: &mut wgpu::ComputePass<'_>, step: usize, set: usize) {
        let bind_groups = &self.sets[set].bind_groups[step];
        let step = &self.steps[step];
        pass.set_pipeline(&step.pipeline);
        if !step.immediates.is_empty() {
            pass.set_immediates(0, &step.immediates);
        }
        for (group, bind_group) in (0..).zip(bind_groups) {
            pass.set_bind_group(group, bind_group, &[]);
        }
    }

    /// Records a dispatch of so many workgroups, or of as many as a buffer says. What a buffer says is not held to the
    /// adapter's limits, since wgpu would need a dispatch of its own for that: beyond them it costs the worker at worst,
    /// as an endless loop does.
    fn dispatch(
        &self,
        pass: &mut wgpu::ComputePass<'_>,
        step: usize,
        set: usize,
        [x, y, z]: [u32; 3],
    ) {
        let indirect = self.steps[step].indirect;
        let buffer =
            |(at, offset): (usize, u64)| Some((self.sets[set].buffers.get(at)?.buffer()?, offset));
        match indirect.and_then(buffer) {
            Some((buffer, offset)) => pass.dispatch_workgroups_indirect(buffer, offset),
            None => pass.dispatch_workgroups(x, y, z),
        }
    }

    /// Compiles one dispatch, done in so many pieces.
    fn step(&self, dispatch: &Dispatch, count: u32, checks: Checks) -> Result<Step, GpuError> {
        let device = &self.gpu.device;
        let told = match count {
            0 | 1 => None,
            _ => Some(self.told(dispatch).ok_or_else(|| {
                GpuError::Refused(format!("{}: cannot be done in pieces", dispatch.label))
            })?),
        };
        let wgsl = told.as_ref().map_or(&dispatch.wgsl, |told| &told.wgsl);
        let descriptor = wgpu::ShaderModuleDescriptor {
            label: Some(&dispatch.label),
            source: wgpu::ShaderSource::Wgsl(wgsl.into()),
        };
        let module = match checks {
            // wgpu leaves a part of its checks to the driver, which this device has do none.
            Checks::On if self.gpu.trusts_shaders() => {
                return Err(GpuError::Refused(format!(
                    "{}: the device was opened for built-in kernels only",
                    dispatch.label
                )));
            }
            Checks::On => device.create_shader_module(descriptor),
            // SAFETY: an unchecked shader must not index out of bounds or loop for ever. `Checks::Off`
            // is used for built-in kernels only, with parameters that this program chooses or searches
            // itself (`CaseKernel::is_known`; a tuning file or journal may name others, which are not
            // run). The tests run these with checks on, on shapes that are a multiple of nothing, and the
            // output is verified in every invocation.
            Checks::Off => unsafe {
                device.create_shader_module_trusted(
                    descriptor,
                    wgpu::ShaderRuntimeChecks::unchecked(),
                )
            },
        };
        self.gpu.check()?;
        let layouts = layouts(self.gpu, dispatch);
        let mut groups: Vec<Option<&wgpu::BindGroupLayout>> = layouts.iter().map(Some).collect();
        let first = first_workgroup_layout(self.gpu);
        if told.is_some() {
            // It is told by the group after its own.
            groups.push(Some(&first));
        }
        let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(&dispatch.label),
            bind_group_layouts: &groups,
            immediate_size: u32::try_from(dispatch.immediates.len()).unwrap_or(u32::MAX),
        });
        let constants: Vec<(&str, f64)> = dispatch
            .constants
            .iter()
            .map(|(key, value)| (key.as_str(), *value))
            .collect();
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(&dispatch.label),
            layout: Some(&layout),
            module: &module,
            entry_point: dispatch.entry.as_deref(),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &constants,
                zero_initialize_workgroup_memory: checks == Checks::On,
            },
            cache: None,
        });
        self.gpu.check()?;
        let pieces = match count {
            0 | 1 => pieces(dispatch.workgroups, 1)
                .into_iter()
                .map(|all| (all, None))
                .collect(),
            _ => self.told_where_they_begin(&first, pieces(dispatch.workgroups, count))?,
        };
        Ok(Step {
            pipeline,
            layouts,
            pieces,
            told_group: told.map_or(0, |told| told.group),
            repeat: dispatch.repeat,
            immediates: dispatch.immediates.clone(),
            indirect: dispatch.indirect,
        })
    }

    /// A dispatch's shader as it is told where a piece begins, where that can be done on this device.
    pub(super) fn told(&self, dispatch: &Dispatch) -> Option<ToldShader> {
        told(dispatch, self.gpu.device.limits().max_bind_groups)
    }

    /// Pieces with what tells a shader where each begins.
    fn told_where_they_begin(
        &self,
        layout: &wgpu::BindGroupLayout,
        pieces: Vec<Piece>,
    ) -> Result<Vec<(Piece, Option<wgpu::BindGroup>)>, GpuError> {
        let bound = |piece: Piece| {
            let [x, y, z] = piece.first;
            let words = [x, y, z, 0];
            let first = self.gpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("first workgroup"),
                size: size_of_val(&words) as u64,
                usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            });
            let bytes = words.map(u32::to_le_bytes);
            self.gpu.queue.write_buffer(&first, 0, bytes.as_flattened());
            let group = self
                .gpu
                .device
                .create_bind_group(&wgpu::BindGroupDescriptor {
                    label: Some("first workgroup"),
                    layout,
                    entries: &[wgpu::BindGroupEntry {
                        binding: 0,
                        resource: first.as_entire_binding(),
                    }],
                });
            (piece, Some(group))
        };
        let bound = pieces.into_iter().map(bound).collect();
        self.gpu.check()?;
        Ok(bound)
    }

    /// The program.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Fills every output with poison, so that an element which is never written is seen. An uploaded
    /// buffer is an output too.
    ///
    /// # Errors
    /// The device was lost.
    pub fn poison(&mut self, poison: Poison) -> Result<(), GpuError> {
        self.downloaded = poison.bytes(self.downloaded.len());
        let first = &self.sets[0].buffers;
        for (index, spec) in self.program.buffers.iter().enumerate() {
            let uploaded =
                matches!(self.program.action, Action::Upload { buffer } if buffer == index);
            if uploaded || matches!(spec.contents, Contents::Output) {
                first[index].poison(self.gpu, poison)?;
            }
            if let Contents::Kept(input) = &spec.contents {
                first[index].write(self.gpu, &input.generate(spec.bytes))?;
            }
        }
        self.copy_first_set(|contents| matches!(contents, Contents::Output | Contents::Kept(_)))
    }

    /// Records `executions` of the program's dispatches into a pass, each on the next copy of the buffers. wgpu puts a barrier between
    /// dispatches that write the same buffer, so they do not overlap.
    pub fn encode(&self, pass: &mut wgpu::ComputePass<'_>, executions: u32) {
        for _ in 0..executions {
            let set = self.take_set();
            for step in 0..self.steps.len() {
                let dispatches = 0..self.dispatches_of(step);
                self.encode_range(pass, &StepRange { step, dispatches }, set);
            }
        }
    }

    /// The copy of the buffers whose turn it is.
    fn take_set(&self) -> usize {
        let at = self.next.get();
        self.next.set((at + 1) % self.sets.len());
        self.last.set(at);
        at
    }

    /// In how many submissions so many executions are handed over.
    pub(super) fn submissions(&self, executions: u32) -> usize {
        match self.divided.len() {
            0 | 1 => 1,
            each => each * executions as usize,
        }
    }

    /// Records one of the submissions of so many executions; they are to be recorded in order.
    pub(super) fn encode_submission(
        &self,
        pass: &mut wgpu::ComputePass<'_>,
        number: usize,
        executions: u32,
    ) {
        if self.divided.len() < 2 {
            return self.encode(pass, executions);
        }
        let part = number % self.divided.len();
        let set = if part == 0 {
            self.take_set()
        } else {
            self.last.get()
        };
        for range in &self.divided[part] {
            self.encode_range(pass, range, set);
        }
    }

    /// Does one execution of a host-timed program; the device may still be busy afterwards.
    ///
    /// # Errors
    /// The device was lost.
    pub fn act_on_host(&mut self) -> Result<(), GpuError> {
        let (device, queue) = (&self.gpu.device, &self.gpu.queue);
        let mut encoder = device.create_command_encoder(&Default::default());
        match &self.program.action {
            Action::Dispatches(_) | Action::RoundTrip(_) => {
                let mut pass = encoder.begin_compute_pass(&Default::default());
                self.encode(&mut pass, 1);
            }
            Action::Upload { buffer } => {
                if let Some(buffer) = self.sets[0].buffers[*buffer].buffer() {
                    queue.write_buffer(buffer, 0, &self.upload);
                }
            }
            Action::Download { buffer } => {
                let buffer = self.sets[0].buffers[*buffer].buffer();
                if let Some((staging, buffer)) = self.staging.as_ref().zip(buffer) {
                    encoder.copy_buffer_to_buffer(buffer, 0, staging, 0, staging.size());
                }
            }
        }
        queue.submit([encoder.finish()]);
        if let Some(staging) = &self.staging {
            // A download is over when the host has the bytes, not when the device has sent them.
            self.downloaded.clear();
            self.gpu
                .read_mapped(staging, staging.size(), &mut self.downloaded)?;
        }
        Ok(())
    }

    /// The contents of every output of the last execution, in order. For an upload that is the uploaded buffer, read back;
    /// for a download the bytes as the host got them.
    ///
    /// # Errors
    /// The device was lost.
    pub fn outputs(&self) -> Result<Vec<Vec<u8>>, GpuError> {
        match self.program.action {
            Action::Upload { buffer } => {
                return Ok(vec![self.sets[0].buffers[buffer].read(self.gpu)?]);
            }
            Action::Download { .. } => return Ok(vec![self.downloaded.clone()]),
            Action::Dispatches(_) | Action::RoundTrip(_) => {}
        }
        self.program
            .buffers
            .iter()
            .zip(&self.sets[self.last.get()].buffers)
            .filter(|(spec, _)| spec.is_read_back())
            .map(|(_, buffer)| buffer.read(self.gpu))
            .collect()
    }
}

impl BufferSet {
    /// Allocates the buffers of a program.
    fn new(gpu: &Gpu, program: &Program) -> Result<Self, GpuError> {
        let mut buffers = Vec::with_capacity(program.buffers.len());
        for (index, buffer) in program.buffers.iter().enumerate() {
            buffers.push(DeviceMemory::new(
                gpu,
                buffer,
                MemoryUse::of(program, index),
            ));
            gpu.check()?;
        }
        Ok(Self {
            buffers,
            bind_groups: Vec::new(),
        })
    }

    /// What a dispatch binds of it, by group.
    fn bound(
        &self,
        gpu: &Gpu,
        dispatch: &Dispatch,
        layouts: &[wgpu::BindGroupLayout],
    ) -> Vec<wgpu::BindGroup> {
        let groups = (0u32..).zip(layouts).map(|(group, layout)| {
            let bindings = dispatch.bindings.iter().filter(|b| b.group == group);
            let shown: Vec<(u32, &DeviceMemory, Option<wgpu::TextureView>)> = bindings
                .map(|binding| {
                    let memory = &self.buffers[binding.buffer];
                    (
                        binding.number,
                        memory,
                        memory.view(binding.kind, binding.level),
                    )
                })
                .collect();
            let samplers = samplers(gpu, dispatch, group);
            let mut entries = Vec::new();
            for (number, memory, view) in &shown {
                let resource = match (memory.buffer(), view) {
                    (Some(buffer), _) => buffer.as_entire_binding(),
                    (None, Some(view)) => wgpu::BindingResource::TextureView(view),
                    // A texture where the shader has a buffer: the layout refuses the group.
                    (None, None) => continue,
                };
                entries.push(wgpu::BindGroupEntry {
                    binding: *number,
                    resource,
                });
            }
            for (number, sampler) in &samplers {
                entries.push(wgpu::BindGroupEntry {
                    binding: *number,
                    resource: wgpu::BindingResource::Sampler(sampler),
                });
            }
            gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(&dispatch.label),
                layout,
                entries: &entries,
            })
        });
        groups.collect()
    }
}
