//! How long one dispatch may run before the platform takes the GPU away.
//!
//! Windows resets a GPU that does not answer for 2 s, Linux drivers after 5 to 10 s; Apple's killed dispatches of
//! several hundred milliseconds (wgpu 9531), and on a Raspberry Pi 5 one timeout ends all later work
//! (raspberrypi/linux 6660). Nobody loses a desktop for a benchmark, so dispatches stay far below.

use std::time::Duration;

use super::bench::{Bench, Stop};
use super::executor::{Checks, Executable};
use super::pieces::{Taken, longest, take};
use crate::record::Adapter;
use crate::units::Seconds;

/// PCI vendor id by which Broadcom's GPUs name themselves.
const BROADCOM: u32 = 0x14e4;

/// By which a user says how long one dispatch may take on a machine whose watchdog is stricter or slower.
const VARIABLE: &str = "PERWATT_LONGEST_DISPATCH";

/// The longest that one dispatch may be estimated to take; none for software drivers.
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

/// Has each of a program's dispatches done in so many pieces that none is estimated to outlast `most`, found by measuring
/// growing parts of them; how many pieces each has.
///
/// A dispatch may take as long as what the ones before it leave says: the loops of its shader, or its workgroups
/// themselves. So each is measured on what they left.
///
/// # Errors
/// One cannot be done in pieces short enough, or the device failed.
pub(super) fn keep_within(
    bench: &mut Bench<'_>,
    executable: &mut Executable<'_>,
    most: Seconds,
    checks: Checks,
) -> Result<Vec<u32>, Stop> {
    let mut counts = Vec::new();
    let steps = executable.program().dispatches().len();
    for step in 0..steps {
        let count = pieces_of(bench, executable, step, most)?;
        if count > 1 {
            let take_apart = || executable.take_apart(step, count, checks);
            bench.ledger.foreign(take_apart)?;
        }
        counts.push(count);
        // Where nothing is restored, what it leaves is there for the next.
        if step + 1 < steps && !executable.program().restores() {
            bench.time(|pass| executable.encode_step(pass, step, 0))?;
        }
    }
    Ok(counts)
}

/// In how many pieces one of a program's dispatches is done.
fn pieces_of(
    bench: &mut Bench<'_>,
    executable: &Executable<'_>,
    step: usize,
    most: Seconds,
) -> Result<u32, Stop> {
    let dispatch = &executable.program().dispatches()[step];
    let refused = |why: String| {
        Stop::Skip(format!(
            "{}: {why}, and beyond {most} this platform may reset the GPU; choose a smaller shape or another kernel",
            dispatch.label
        ))
    };
    find_what_is_left(bench, executable, step)?;
    let workgroups = workgroups_within_limit(bench, executable, step)?;
    let side = longest(workgroups);
    if workgroups.contains(&0) {
        return Ok(1);
    }
    let taken = take(workgroups[side], most, |rows| {
        find_what_is_left(bench, executable, step)?;
        let mut part = workgroups;
        part[side] = rows;
        let lap = bench.time(|pass| executable.encode_part(pass, step, part))?;
        Ok::<_, Stop>(Duration::from_secs_f64(lap.best_ns().max(0.0) * 1e-9))
    })?;
    match taken {
        Taken::NotAtAll(row) => Err(refused(format!(
            "a single row of its workgroups takes about {row}"
        ))),
        Taken::InPieces(count) if count > 1 && executable.told(dispatch).is_none() => Err(refused(
            "one dispatch takes too long and cannot be done in pieces".to_owned(),
        )),
        Taken::InPieces(count) => Ok(count),
    }
}

/// Refuses a program of which a buffer says more workgroups than the adapter allows: nothing else would, and a driver may
/// work on them for hours.
///
/// # Errors
/// One does, or the device failed.
pub(super) fn hold_indirect_to_limits(
    bench: &mut Bench<'_>,
    executable: &Executable<'_>,
) -> Result<(), Stop> {
    let dispatches = executable.program().dispatches();
    let Some(last) = dispatches.iter().rposition(|d| d.indirect.is_some()) else {
        return Ok(());
    };
    for (step, dispatch) in dispatches.iter().enumerate().take(last + 1) {
        if dispatch.indirect.is_some() {
            find_what_is_left(bench, executable, step)?;
            workgroups_within_limit(bench, executable, step)?;
        }
        if step < last && !executable.program().restores() {
            bench.time(|pass| executable.encode_step(pass, step, 0))?;
        }
    }
    Ok(())
}

/// The workgroups of a dispatch, of which the adapter allows so many.
fn workgroups_within_limit(
    bench: &Bench<'_>,
    executable: &Executable<'_>,
    step: usize,
) -> Result<[u32; 3], Stop> {
    let workgroups = executable.workgroups(step)?;
    let limit = bench.gpu.adapter.limits.max_workgroups;
    match workgroups.iter().find(|count| **count > limit) {
        None => Ok(workgroups),
        Some(beyond) => Err(Stop::Skip(format!(
            "{}: the buffer of `indirect` says {beyond} workgroups along one dimension and the adapter allows {limit}",
            executable.program().dispatches()[step].label
        ))),
    }
}

/// Brings back what a dispatch finds, where parts of it or of others may have changed that.
fn find_what_is_left(
    bench: &mut Bench<'_>,
    executable: &Executable<'_>,
    step: usize,
) -> Result<(), Stop> {
    if !executable.program().restores() {
        return Ok(());
    }
    executable.restore(1)?;
    if step > 0 {
        bench.time(|pass| {
            for earlier in 0..step {
                executable.encode_step(pass, earlier, 0);
            }
        })?;
    }
    Ok(())
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
