//! An open device, and what goes wrong on one.
//!
//! wgpu panics on uncaptured errors by default. Here they are caught and kept, because a refused
//! shader or a lost device is an outcome of a case that the record must hold.

use std::sync::{Arc, Mutex, PoisonError};

use super::creation::{Created, Shaders, create};
use super::{Found, vulkan, width};
use crate::error::{Error, Result};
use crate::record::{Adapter, Reading};

/// What went wrong on a device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GpuError {
    /// The driver or wgpu refused something: a shader, a pipeline, a call.
    #[error("refused: {0}")]
    Refused(String),
    /// wgpu has no way to say a shader in this backend's language.
    #[error("the adapter's backend cannot express it: {0}")]
    Inexpressible(String),
    /// Memory ran out.
    #[error("out of memory: {0}")]
    OutOfMemory(String),
    /// The device is gone.
    #[error("device lost: {0}")]
    Lost(String),
}

/// An open device with its queue.
#[derive(Debug)]
pub struct Gpu {
    /// The adapter that it was opened on.
    pub adapter: Adapter,
    /// wgpu's device.
    pub device: wgpu::Device,
    /// wgpu's queue.
    pub queue: wgpu::Queue,
    fault: Arc<Mutex<Option<GpuError>>>,
    /// What it was opened on, which knows what its texture formats can do.
    handle: wgpu::Adapter,
}

impl Gpu {
    /// Opens an adapter with all limits it has and the features that perwatt can use.
    ///
    /// # Errors
    /// The driver refuses to create a device.
    pub fn open(found: &Found) -> Result<Self> {
        Self::open_for(found, Shaders::Any)
    }

    /// The same for shaders that are known to keep within their buffers: where the backend leaves the choice, nobody
    /// checks them. Every driver that wgpu opens checks, which is reported to take 17 to 40 % of the time on some hardware
    /// (gpuweb issue 1202).
    ///
    /// # Errors
    /// The driver refuses to create a device.
    ///
    /// # Safety
    /// No shader may access a buffer out of its bounds.
    pub unsafe fn open_trusting(found: &Found) -> Result<Self> {
        Self::open_for(found, Shaders::Trusted)
    }

    fn open_for(found: &Found, shaders: Shaders) -> Result<Self> {
        let Created {
            device,
            queue,
            robust_buffer_access,
            features,
            refused,
        } = create(found, shaders)?;
        let fault = Arc::new(Mutex::new(None));
        keep_first_fault(&device, &fault);
        let mut gpu = Self {
            adapter: Adapter {
                features,
                refused,
                robust_buffer_access: Some(robust_buffer_access),
                ..found.adapter.clone()
            },
            device,
            queue,
            fault,
            handle: found.handle.clone(),
        };
        gpu.adapter.subgroup_width = gpu.subgroup_width().map_err(|fault| Error::Device {
            device: found.adapter.label(),
            reason: format!(
                "it does not do the first thing that it is given ({fault}); update its driver"
            ),
        })?;
        if let (Some(width), "metal") = (gpu.adapter.subgroup_width, &*gpu.adapter.backend) {
            // wgpu knows no better than 4 to 64 there, and the hardware has one width.
            gpu.adapter.subgroup_sizes = Reading::Measured((width, width));
        }
        Ok(gpu)
    }

    /// Threads of a subgroup, as a kernel sees them; nothing where there are none or the device does not say.
    ///
    /// # Errors
    /// The device is lost or does not answer. wgpu panics on such a one sooner or later.
    fn subgroup_width(&self) -> Result<Option<u32>, GpuError> {
        if !self.adapter.has("SUBGROUP") {
            return Ok(None);
        }
        let buffer = width::submit(&self.device, &self.queue);
        let bytes = match self.read(&buffer) {
            Ok(bytes) => bytes,
            Err(lost @ GpuError::Lost(_)) => return Err(lost),
            // What else goes wrong here costs this figure and nothing more.
            Err(_) => return Ok(None),
        };
        let width = bytes.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
        Ok(width.filter(|width| *width > 0))
    }

    /// The first error since the last call, which is then forgotten; a lost device stays lost.
    ///
    /// # Errors
    /// Something went wrong on the device.
    pub fn check(&self) -> Result<(), GpuError> {
        let mut fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        match fault.as_ref() {
            None => Ok(()),
            Some(GpuError::Lost(reason)) => Err(GpuError::Lost(reason.clone())),
            Some(_) => Err(fault
                .take()
                .unwrap_or_else(|| GpuError::Refused("unknown".to_owned()))),
        }
    }

    /// Whether the driver is known not to check accesses to buffers, so that every shader must keep within them.
    pub fn trusts_shaders(&self) -> bool {
        let robust = self.adapter.robust_buffer_access.as_ref();
        robust.and_then(Reading::measured) == Some(&false)
    }

    /// Bytes of the device's own memory that other programs leave, where the driver says.
    pub fn free_memory(&self) -> Option<u64> {
        vulkan::free_memory(&self.handle)
    }

    /// What textures of a format can do on this device.
    pub fn format_features(&self, format: wgpu::TextureFormat) -> wgpu::TextureFormatFeatures {
        if self.adapter.has("TEXTURE_ADAPTER_SPECIFIC_FORMAT_FEATURES") {
            self.handle.get_texture_format_features(format)
        } else {
            format.guaranteed_format_features(self.device.features())
        }
    }

    /// Whether it has `texture_cube_array`.
    pub fn has_cube_arrays(&self) -> bool {
        let flags = self.handle.get_downlevel_capabilities().flags;
        flags.contains(wgpu::DownlevelFlags::CUBE_ARRAY_TEXTURES)
    }

    /// Waits until all submitted work is done.
    ///
    /// # Errors
    /// Something went wrong on the device.
    pub fn wait(&self) -> Result<(), GpuError> {
        let polled = self.device.poll(wgpu::PollType::wait_indefinitely());
        self.check()?;
        polled
            .map(|_| ())
            .map_err(|e| GpuError::Lost(e.to_string()))
    }

    /// Copies a buffer to the host, in pieces that staging memory can hold.
    ///
    /// # Errors
    /// Something went wrong on the device.
    pub fn read(&self, buffer: &wgpu::Buffer) -> Result<Vec<u8>, GpuError> {
        const PIECE: u64 = 64 << 20;
        let staging = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("perwatt staging"),
            size: buffer.size().min(PIECE),
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        self.check()?;
        let mut bytes = Vec::with_capacity(usize::try_from(buffer.size()).unwrap_or(0));
        let mut offset = 0;
        while offset < buffer.size() {
            let length = (buffer.size() - offset).min(PIECE);
            let mut encoder = self.device.create_command_encoder(&Default::default());
            encoder.copy_buffer_to_buffer(buffer, offset, &staging, 0, length);
            self.queue.submit([encoder.finish()]);
            self.read_mapped(&staging, length, &mut bytes)?;
            offset += length;
        }
        Ok(bytes)
    }

    /// Maps the first `length` bytes of a staging buffer and appends them to `bytes`.
    ///
    /// # Errors
    /// Something went wrong on the device.
    pub fn read_mapped(
        &self,
        staging: &wgpu::Buffer,
        length: u64,
        bytes: &mut Vec<u8>,
    ) -> Result<(), GpuError> {
        let slice = staging.slice(..length);
        let (sender, receiver) = std::sync::mpsc::channel();
        slice.map_async(wgpu::MapMode::Read, move |result| {
            // The receiver is gone only when this function has given up already.
            let _ = sender.send(result);
        });
        self.wait()?;
        let failed =
            |reason: String| GpuError::Lost(format!("a buffer could not be mapped: {reason}"));
        receiver
            .try_recv()
            .map_err(|e| failed(e.to_string()))?
            .map_err(|e| failed(e.to_string()))?;
        let view = slice
            .get_mapped_range()
            .map_err(|e| failed(e.to_string()))?;
        bytes.extend_from_slice(&view);
        drop(view);
        staging.unmap();
        self.check()
    }
}

/// An error of wgpu's own or of the driver. What naga's writers lack, each says in these words.
fn internal(description: String) -> GpuError {
    match description
        .lines()
        .find(|line| line.contains("not supported in"))
    {
        Some(line) => GpuError::Inexpressible(line.trim().replace("Internal error: ", "")),
        None => GpuError::Refused(description),
    }
}

/// Catches what wgpu would panic on; the first fault explains the ones that follow.
fn keep_first_fault(device: &wgpu::Device, fault: &Arc<Mutex<Option<GpuError>>>) {
    let slot = Arc::clone(fault);
    device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
        let error = match error {
            wgpu::Error::OutOfMemory { source } => GpuError::OutOfMemory(source.to_string()),
            wgpu::Error::Validation { description, .. } => GpuError::Refused(description),
            wgpu::Error::Internal { description, .. } => internal(description),
        };
        let mut fault = slot.lock().unwrap_or_else(PoisonError::into_inner);
        fault.get_or_insert(error);
    }));
    let slot = Arc::clone(fault);
    device.set_device_lost_callback(move |reason, message| {
        // Dropping a device on purpose is reported as a loss too, and is none.
        if reason != wgpu::DeviceLostReason::Destroyed {
            let mut fault = slot.lock().unwrap_or_else(PoisonError::into_inner);
            *fault = Some(GpuError::Lost(message));
        }
    });
}
