//! One pair of timestamp queries, read safely.

use super::read_back::read_back;

/// Why a lap has no time by timestamps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimestampFault {
    /// The device or backend has none.
    #[error("the device has no timestamp queries")]
    Absent,
    /// What was timed (a round trip, a transfer) is the host's to time.
    #[error("timed by the host's clock by intent")]
    HostTimed,
    /// A timestamp is zero, which means it was never written.
    #[error("a timestamp came back as zero")]
    Zero,
    /// The end is before the start.
    #[error("the end lies before the start")]
    Reversed,
    /// The pair was there before the batch ran.
    #[error("the timestamps are those of an earlier batch")]
    Stale,
    /// The pair is longer than the host waited.
    #[error("the timestamps span more time than the host saw pass")]
    Impossible,
    /// They count other ticks than the driver says, or are not written when the work is done.
    #[error("the timestamps pass at another pace than the host's clock")]
    OtherPace,
    /// The driver failed to hand them over.
    #[error("the timestamps could not be read")]
    Unreadable,
}

/// Bytes of a timestamp pair.
const PAIR: u64 = 16;

/// A query set with its way to the host.
#[derive(Debug)]
pub(super) struct Timestamps {
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    readback: wgpu::Buffer,
    tick_ns: f64,
    last: (u64, u64),
}

impl Timestamps {
    /// A pair of queries, where the device was opened with timestamps and says how long a tick is.
    pub(super) fn new(device: &wgpu::Device, queue: &wgpu::Queue) -> Option<Self> {
        if !device.features().contains(wgpu::Features::TIMESTAMP_QUERY) {
            return None;
        }
        let tick_ns = f64::from(queue.get_timestamp_period());
        if !(tick_ns.is_finite() && tick_ns > 0.0) {
            return None;
        }
        let buffer = |label, usage| {
            device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(label),
                size: PAIR,
                usage,
                mapped_at_creation: false,
            })
        };
        use wgpu::BufferUsages as Usage;
        Some(Self {
            queries: device.create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("perwatt timestamps"),
                ty: wgpu::QueryType::Timestamp,
                count: 2,
            }),
            resolved: buffer(
                "perwatt resolved",
                Usage::QUERY_RESOLVE | Usage::COPY_SRC | Usage::COPY_DST,
            ),
            readback: buffer("perwatt readback", Usage::MAP_READ | Usage::COPY_DST),
            tick_ns,
            last: (0, 0),
        })
    }

    /// Length of one tick.
    pub(super) fn tick_ns(&self) -> f64 {
        self.tick_ns
    }

    /// A pass writes both timestamps.
    pub(super) fn write_both(&self) -> Option<wgpu::ComputePassTimestampWrites<'_>> {
        self.write_ends(true, true)
    }

    /// A pass that is the first of the work, the last of it, both or neither.
    pub(super) fn write_ends(
        &self,
        first: bool,
        last: bool,
    ) -> Option<wgpu::ComputePassTimestampWrites<'_>> {
        (first || last).then(|| self.write(first.then_some(0), last.then_some(1)))
    }

    /// A pass before the work writes the first, at its end: what was queued before does not count.
    pub(super) fn write_start(&self) -> wgpu::ComputePassTimestampWrites<'_> {
        self.write(None, Some(0))
    }

    /// A pass after the work writes the second.
    pub(super) fn write_end(&self) -> wgpu::ComputePassTimestampWrites<'_> {
        self.write(None, Some(1))
    }

    fn write(&self, begin: Option<u32>, end: Option<u32>) -> wgpu::ComputePassTimestampWrites<'_> {
        wgpu::ComputePassTimestampWrites {
            query_set: &self.queries,
            beginning_of_pass_write_index: begin,
            end_of_pass_write_index: end,
        }
    }

    /// Time between the two timestamps in nanoseconds. `wall_ns` is what the host saw pass.
    ///
    /// Resolve and copy are submissions of their own: in one submission with the pass, some drivers
    /// copy before the queries are there.
    pub(super) fn read(
        &mut self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        wall_ns: f64,
    ) -> Result<f64, TimestampFault> {
        let mut encoder = device.create_command_encoder(&Default::default());
        encoder.resolve_query_set(&self.queries, 0..2, &self.resolved, 0);
        queue.submit([encoder.finish()]);
        let mut encoder = device.create_command_encoder(&Default::default());
        encoder.copy_buffer_to_buffer(&self.resolved, 0, &self.readback, 0, PAIR);
        queue.submit([encoder.finish()]);
        let pair = read_back(device, &self.readback)
            .and_then(|bytes| pair_of(&bytes))
            .ok_or(TimestampFault::Unreadable)?;
        let previous = std::mem::replace(&mut self.last, pair);
        judge(pair, previous, self.tick_ns, wall_ns)
    }
}

/// The two timestamps in the bytes that a device left.
fn pair_of(bytes: &[u8]) -> Option<(u64, u64)> {
    let (start, rest) = bytes.split_first_chunk()?;
    Some((
        u64::from_le_bytes(*start),
        u64::from_le_bytes(*rest.first_chunk()?),
    ))
}

/// Whether a pair could be true, and the time it says.
fn judge(
    pair: (u64, u64),
    previous: (u64, u64),
    tick_ns: f64,
    wall_ns: f64,
) -> Result<f64, TimestampFault> {
    let (start, end) = pair;
    if start == 0 || end == 0 {
        return Err(TimestampFault::Zero);
    }
    if end < start {
        return Err(TimestampFault::Reversed);
    }
    if pair == previous {
        return Err(TimestampFault::Stale);
    }
    let ns = (end - start) as f64 * tick_ns;
    // The host's clock runs around the pass, so it cannot have seen less; 1 % and 10 µs cover two
    // clocks that do not tick alike.
    if ns > wall_ns * 1.01 + 10_000.0 {
        return Err(TimestampFault::Impossible);
    }
    Ok(ns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_pair_that_could_be_true_is_used() {
        let before = (10, 20);
        for (pair, expected) in [
            ((100, 1_100), Ok(2_000.0)),
            ((0, 0), Err(TimestampFault::Zero)),
            ((100, 0), Err(TimestampFault::Zero)),
            ((1_100, 100), Err(TimestampFault::Reversed)),
            (before, Err(TimestampFault::Stale)),
            ((100, 100_000), Err(TimestampFault::Impossible)),
            ((100, 100), Ok(0.0)),
        ] {
            assert_eq!(judge(pair, before, 2.0, 3_000.0), expected, "{pair:?}");
        }
    }
}
