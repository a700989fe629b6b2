//! Small buffers brought to the host.

use std::sync::mpsc;

/// The bytes of a buffer that can be mapped, once the device has done what was submitted; `None` where the
/// device fails.
pub(super) fn read_back(device: &wgpu::Device, buffer: &wgpu::Buffer) -> Option<Vec<u8>> {
    let slice = buffer.slice(..);
    let (sender, receiver) = mpsc::channel();
    slice.map_async(wgpu::MapMode::Read, move |result| {
        // The receiver is gone only when this function has given up already.
        let _ = sender.send(result.is_ok());
    });
    device.poll(wgpu::PollType::wait_indefinitely()).ok()?;
    if !receiver.try_recv().ok()? {
        return None;
    }
    let view = slice.get_mapped_range().ok()?;
    let bytes = view.to_vec();
    drop(view);
    buffer.unmap();
    Some(bytes)
}
