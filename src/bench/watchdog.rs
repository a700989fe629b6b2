//! How long one dispatch, and what is submitted at once, may run before the platform takes the GPU away.
//!
//! Windows resets a GPU that does not answer for 2 s, Linux drivers after 5 to 10 s; Apple's killed dispatches of
//! several hundred milliseconds (wgpu 9531), and on a Raspberry Pi 5 one timeout ends all later work
//! (raspberrypi/linux 6660). Some count a dispatch, and some a whole job or command buffer. Nobody loses a desktop for a
//! benchmark, so both stay far below.

use std::time::{Duration, Instant};

use super::bench::{Bench, SHORTEST_WARM_UP, Stop};
use super::executor::{Checks, Executable};
use super::pieces::{Taken, first_part, longest, take, take_on_busy};
use crate::clock::Lap;
use crate::record::Adapter;
use crate::units::Seconds;
use crate::workload::Dispatch;

/// PCI vendor id by which Broadcom's GPUs name themselves.
const BROADCOM: u32 = 0x14e4;

/// By which a user says how long one dispatch may take on a machine whose watchdog is stricter or slower.
const VARIABLE: &str = "PERWATT_LONGEST_DISPATCH";

/// The longest that one dispatch, or one submission, may be estimated to take; none for software drivers.
pub(super) fn longest_dispatch(adapter: &Adapter) -> Option<Seconds> {
    let given = std::env::var(VARIABLE).ok();
    longest_dispatch_of(adapter, given.as_deref())
}

/// The same with what the user says, in seconds; what is no time says nothing.
fn longest_dispatch_of(adapter: &Adapter, given: Option<&str>) -> Option<Seconds> {
    let given = given.and_then(|text| text.parse().ok());
    if let Some(seconds) = given.filter(|seconds: &f64| seconds.is_finite() && *seconds > 0.0) {
        return Some(Seconds(seconds));
    }
    if adapter.is_software() {
        return None;
    }
    let delicate = adapter.backend == "metal" || adapter.vendor_id == BROADCOM;
    Some(Seconds(if delicate { 0.25 } else { 0.5 }))
}

/// Has a program keep within `most`: each of its dispatches is done in so many pieces that none is estimated to take
/// longer, and each execution in so many submissions; how many pieces each dispatch has. Growing parts are measured for
/// it.
///
/// # Errors
/// A dispatch cannot be done in pieces short enough, or the device failed.
pub(super) fn keep_within<'g>(
    bench: &mut Bench<'g>,
    executable: &mut Executable<'g>,
    most: Seconds,
    checks: Checks,
) -> Result<Vec<u32>, Stop> {
    let mut counts = Vec::new();
    let mut walk = ProgramWalk::new(bench, executable, most);
    while walk.is_under_way() {
        let (count, each) = walk.pieces()?;
        if count > 1 {
            walk.take_apart(count, checks)?;
        }
        counts.push(count);
        walk.leave(each)?;
    }
    let ProgramWalk { each, .. } = walk;
    executable.divide(&each, most);
    Ok(counts)
}

/// Refuses a program of which a buffer says more workgroups than the adapter allows: nothing else would, and a driver may
/// work on them for hours.
///
/// # Errors
/// One does, or the device failed.
pub(super) fn hold_indirect_to_limits<'g>(
    bench: &mut Bench<'g>,
    executable: &mut Executable<'g>,
) -> Result<(), Stop> {
    let mut dispatches = executable.program().dispatches().iter();
    let Some(last) = dispatches.rposition(|d| d.indirect.is_some()) else {
        return Ok(());
    };
    // No dispatch is too long where no watchdog is.
    let mut walk = ProgramWalk::new(bench, executable, Seconds(f64::INFINITY));
    loop {
        if walk.dispatch().indirect.is_some() {
            walk.find()?;
            walk.workgroups()?;
        }
        if walk.step() == last {
            return Ok(());
        }
        walk.leave(Seconds(0.0))?;
    }
}

/// A walk through a program's dispatches. A dispatch may take as long as what the ones before it leave says: the loops of
/// its shader, or its workgroups themselves. So each is looked at on what they left.
struct ProgramWalk<'b, 'g> {
    bench: &'b mut Bench<'g>,
    executable: &'b mut Executable<'g>,
    /// The longest that one submission may be estimated to take.
    most: Seconds,
    /// How long the device takes for one dispatch of each step gone by.
    each: Vec<Seconds>,
    /// Whether the device was kept busy until its clocks had risen.
    is_busy: bool,
}

impl<'b, 'g> ProgramWalk<'b, 'g> {
    fn new(bench: &'b mut Bench<'g>, executable: &'b mut Executable<'g>, most: Seconds) -> Self {
        Self {
            bench,
            executable,
            most,
            each: Vec::new(),
            is_busy: false,
        }
    }

    fn step(&self) -> usize {
        self.each.len()
    }

    fn is_under_way(&self) -> bool {
        self.step() < self.executable.program().dispatches().len()
    }

    fn dispatch(&self) -> &Dispatch {
        &self.executable.program().dispatches()[self.step()]
    }

    /// Brings back what the dispatch finds, where parts of it or of others may have changed that.
    fn find(&mut self) -> Result<(), Stop> {
        if !self.executable.program().restores() {
            return Ok(());
        }
        self.executable.restore(1)?;
        self.run(0)
    }

    /// Goes on to the next, having learnt how long one dispatch of this step takes.
    fn leave(&mut self, each: Seconds) -> Result<(), Stop> {
        let step = self.step();
        self.each.push(each);
        // Where nothing is restored, what it leaves is there for the next.
        if self.is_under_way() && !self.executable.program().restores() {
            self.run(step)?;
        }
        Ok(())
    }

    /// Runs the steps gone by, from one of them on.
    fn run(&mut self, first: usize) -> Result<(), Stop> {
        let executable = &*self.executable;
        let parts = executable.submissions_of(first, &self.each, self.most);
        if parts.is_empty() {
            return Ok(());
        }
        self.bench.time_parts(parts.len(), |part, pass| {
            for range in &parts[part] {
                executable.encode_range(pass, range, 0);
            }
        })?;
        Ok(())
    }

    /// In how many pieces the dispatch is done, and how long one of them takes.
    fn pieces(&mut self) -> Result<(u32, Seconds), Stop> {
        let (label, most) = (self.dispatch().label.clone(), self.most);
        let refused = |why: String| {
            Stop::Skip(format!(
                "{label}: {why}, and beyond {most} this platform may reset the GPU; choose a smaller shape or another \
                 kernel"
            ))
        };
        self.find()?;
        let workgroups = self.workgroups()?;
        if workgroups.contains(&0) {
            return Ok((1, Seconds(0.0)));
        }
        match self.measure(workgroups)? {
            Taken::NotAtAll(row) => Err(refused(format!(
                "a single row of its workgroups takes about {row}"
            ))),
            Taken::InPieces { count, .. }
                if count > 1 && self.executable.told(self.dispatch()).is_none() =>
            {
                Err(refused(
                    "one dispatch takes too long and cannot be done in pieces".to_owned(),
                ))
            }
            Taken::InPieces { count, each } => Ok((count, each)),
        }
    }

    /// How a dispatch of so many workgroups can be taken.
    fn measure(&mut self, workgroups: [u32; 3]) -> Result<Taken, Stop> {
        take_on_busy(
            self,
            |walk| walk.take(workgroups),
            |walk| walk.keep_busy(workgroups),
        )
    }

    /// The same by the clocks that the device has just now.
    fn take(&mut self, workgroups: [u32; 3]) -> Result<Taken, Stop> {
        let most = self.most;
        take(workgroups[longest(workgroups)], most, |rows| {
            longest_of(|| self.time_rows(workgroups, rows))
        })
    }

    /// Times so many rows of a dispatch's workgroups.
    fn time_rows(&mut self, workgroups: [u32; 3], rows: u32) -> Result<Lap, Stop> {
        self.find()?;
        let mut part = workgroups;
        part[longest(workgroups)] = rows;
        let (step, executable) = (self.step(), &*self.executable);
        self.bench
            .time(|pass| executable.encode_part(pass, step, part))
    }

    /// Keeps a GPU busy with the smallest part of a dispatch until its clocks have risen, once; whether it did.
    fn keep_busy(&mut self, workgroups: [u32; 3]) -> Result<bool, Stop> {
        if self.is_busy || self.bench.gpu.adapter.is_software() {
            return Ok(false);
        }
        self.is_busy = true;
        let rows = first_part(workgroups[longest(workgroups)]);
        let started = Instant::now();
        while started.elapsed() < SHORTEST_WARM_UP {
            self.time_rows(workgroups, rows)?;
        }
        Ok(true)
    }

    /// Has the dispatch done in so many pieces from now on.
    fn take_apart(&mut self, count: u32, checks: Checks) -> Result<(), Stop> {
        let step = self.step();
        let executable = &mut *self.executable;
        let ledger = &mut self.bench.ledger;
        Ok(ledger.foreign(|| executable.take_apart(step, count, checks))?)
    }

    /// The workgroups of the dispatch, of which the adapter allows so many.
    fn workgroups(&self) -> Result<[u32; 3], Stop> {
        let workgroups = self.executable.workgroups(self.step())?;
        let limit = self.bench.gpu.adapter.limits.max_workgroups;
        match workgroups.iter().find(|count| **count > limit) {
            None => Ok(workgroups),
            Some(beyond) => Err(Stop::Skip(format!(
                "{}: the buffer of `indirect` says {beyond} workgroups along one dimension and the adapter allows {limit}",
                self.dispatch().label
            ))),
        }
    }
}

/// The longest that some work can have taken by what is known of a lap. Timestamps may have been written early, and what is
/// taken for shorter than it is grows until the platform takes the GPU away. A host that was busy elsewhere looks the
/// same, so it looks again.
fn longest_of<E>(mut run: impl FnMut() -> Result<Lap, E>) -> Result<Duration, E> {
    let first = run()?;
    let mut longest_ns = first.best_ns();
    if first.is_early() {
        longest_ns = longest_ns.min(run()?.best_ns());
    }
    Ok(Duration::from_secs_f64(longest_ns.max(0.0) * 1e-9))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::DeviceType;

    fn adapter(backend: &str, vendor_id: u32, device_type: DeviceType) -> Adapter {
        let text = format!(
            r#"{{"index":0,"group":0,"name":"","backend":"{backend}","device_type":"other","vendor_id":{vendor_id},
            "device_id":0,"pci_id":{{"unmeasured":""}},"driver":"","driver_info":"","features":[],"coop_matrix":[],
            "subgroup_sizes":{{"unmeasured":""}},"limits":{{"max_buffer_bytes":0,"max_binding_bytes":0,
            "max_workgroup_bytes":0,"max_workgroup_threads":0,"max_workgroup_x":0,"max_workgroups":0,
            "max_storage_buffers":0}}}}"#
        );
        let adapter: Adapter = serde_json::from_str(&text).unwrap();
        Adapter {
            device_type,
            ..adapter
        }
    }

    #[test]
    fn delicate_platforms_get_less_and_a_user_may_say() {
        use DeviceType::{DiscreteGpu, IntegratedGpu, Software};
        let card = adapter("dx12", 0x10de, DiscreteGpu);
        let pi = adapter("vulkan", BROADCOM, IntegratedGpu);
        let mac = adapter("metal", 0, IntegratedGpu);
        let software = adapter("vulkan", 0x10005, Software);
        let most = |adapter, given| longest_dispatch_of(adapter, given).map(Seconds::get);
        assert_eq!(most(&card, None), Some(0.5));
        assert_eq!(most(&pi, None), Some(0.25));
        assert_eq!(most(&mac, Some("never")), Some(0.25));
        assert_eq!(most(&software, None), None);
        assert_eq!(most(&software, Some("0.01")), Some(0.01));
        assert_eq!(most(&card, Some("-1")), Some(0.5));
    }
}
