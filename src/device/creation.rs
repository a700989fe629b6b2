//! Creating a device with what the driver really gives.
//!
//! Drivers offer features that they refuse when a device is asked for with them (cooperative matrices on a lavapipe
//! for ARM, Mesa 26.2), and wgpu panics where a driver breaks its word. So where all features together fail, each is
//! asked for by itself, and what was left out is kept with the reason.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::describe::feature_flags;
use super::{Found, vulkan};
use crate::error::{Error, Result};
use crate::record::{Reading, RefusedFeature};

/// Features that perwatt asks for where an adapter has them, those first that most depends on.
const WANTED: [&str; 10] = [
    "TIMESTAMP_QUERY",
    "SHADER_F16",
    "SUBGROUP",
    "SUBGROUP_BARRIER",
    "SHADER_INT64",
    "IMMEDIATES",
    "FLOAT32_FILTERABLE",
    "BGRA8UNORM_STORAGE",
    "TEXTURE_ADAPTER_SPECIFIC_FORMAT_FEATURES",
    "EXPERIMENTAL_COOPERATIVE_MATRIX",
];

/// What the shaders of a device may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shaders {
    /// Anything: the driver checks each access to a buffer.
    Any,
    /// Only keep within their buffers: nobody checks, where the backend leaves that choice.
    Trusted,
}

/// A device with what it came with.
pub(super) struct Created {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    /// Whether the driver checks each access to a buffer.
    pub(super) robust_buffer_access: Reading<bool>,
    /// The features that it has of those that perwatt can use.
    pub(super) features: Vec<String>,
    /// Those that it was to have.
    pub(super) refused: Vec<RefusedFeature>,
}

/// Creates a device with all limits of the adapter and as many of the features that perwatt can use as the driver gives.
///
/// # Errors
/// The driver gives none even without features.
pub(super) fn create(found: &Found, shaders: Shaders) -> Result<Created> {
    let offered: Vec<&str> = WANTED
        .into_iter()
        .filter(|name| found.adapter.has(name))
        .collect();
    let (opened, features, refused) = with_what_is_given(&offered, |features| {
        request(found, features, shaders)
    })
    .map_err(|reason| Error::Device {
        device: found.adapter.label(),
        reason: format!(
            "the driver gives no device ({reason}); update it, or choose another with --device"
        ),
    })?;
    let ((device, queue), is_robust) = opened;
    Ok(Created {
        device,
        queue,
        robust_buffer_access: match &*found.adapter.backend {
            "vulkan" => Reading::Measured(is_robust),
            _ => Reading::unmeasured("only Vulkan says and leaves the choice"),
        },
        features,
        refused,
    })
}

/// Opens something with all that is offered or, where that fails, with all that is given one by one.
fn with_what_is_given<T>(
    offered: &[&str],
    mut open: impl FnMut(&[&str]) -> std::result::Result<T, String>,
) -> std::result::Result<(T, Vec<String>, Vec<RefusedFeature>), String> {
    let named = |features: &[&str]| features.iter().map(|name| (*name).to_owned()).collect();
    if let Ok(opened) = open(offered) {
        return Ok((opened, named(offered), Vec::new()));
    }
    let mut given = Vec::new();
    let mut opened = open(&given)?;
    let mut refused = Vec::new();
    for feature in offered {
        given.push(feature);
        match open(&given) {
            Ok(better) => opened = better,
            Err(reason) => {
                given.pop();
                refused.push(RefusedFeature {
                    feature: (*feature).to_owned(),
                    reason,
                });
            }
        }
    }
    Ok((opened, named(&given), refused))
}

/// Asks the driver once, and says whether its checks are on. A panic on the way is an answer too.
fn request(
    found: &Found,
    features: &[&str],
    shaders: Shaders,
) -> std::result::Result<((wgpu::Device, wgpu::Queue), bool), String> {
    // SAFETY: wgpu asks for this with features that it has not finished and that may misbehave. The
    // only one among `WANTED` is the cooperative matrix, used by built-in kernels alone, which
    // index within their buffers and whose output is verified in every invocation; a custom kernel
    // whose source enables it is refused before it is compiled (`workload/custom/work.rs`).
    let experimental_features = unsafe { wgpu::ExperimentalFeatures::enabled() };
    let descriptor = wgpu::DeviceDescriptor {
        label: Some("perwatt"),
        required_features: feature_flags(features.iter().copied()),
        required_limits: found.handle.limits(),
        experimental_features,
        ..Default::default()
    };
    if shaders == Shaders::Trusted {
        let trusting = or_panic(|| {
            // SAFETY: whoever asked for a device that trusts its shaders vouches for them (`Gpu::open_trusting`).
            let created = unsafe { vulkan::create_trusting(&found.handle, &descriptor) };
            created.unwrap_or_else(|| Err("no such choice".to_owned()))
        });
        // A driver that refuses it may still give one that checks.
        if let Ok(opened) = trusting {
            return Ok((opened, false));
        }
    }
    let checking = or_panic(|| {
        pollster::block_on(found.handle.request_device(&descriptor)).map_err(|e| e.to_string())
    });
    checking.map(|opened| (opened, true))
}

/// What a driver answers, or what wgpu panicked with.
fn or_panic<T>(
    ask: impl FnOnce() -> std::result::Result<T, String>,
) -> std::result::Result<T, String> {
    catch_unwind(AssertUnwindSafe(ask)).unwrap_or_else(|panic| {
        Err(panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned()))
            .unwrap_or_else(|| "wgpu panicked".to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(refuses: &[&str]) -> (Vec<String>, Vec<String>, u32) {
        let mut asked = 0;
        let ((), features, refused) = with_what_is_given(&WANTED, |features| {
            asked += 1;
            match features.iter().find(|name| refuses.contains(name)) {
                None => Ok(()),
                Some(name) => Err(format!("no {name}")),
            }
        })
        .unwrap();
        for one in &refused {
            assert_eq!(one.reason, format!("no {}", one.feature));
        }
        let refused = refused.into_iter().map(|one| one.feature).collect();
        (features, refused, asked)
    }

    #[test]
    fn what_is_refused_is_left_out_and_nothing_else() {
        assert_eq!(given(&[]).2, 1);
        for refuses in [
            &["EXPERIMENTAL_COOPERATIVE_MATRIX"][..],
            &["TIMESTAMP_QUERY"],
            &["SHADER_F16", "SHADER_INT64"],
            &WANTED,
        ] {
            let (features, refused, _) = given(refuses);
            assert_eq!(refused, refuses);
            assert_eq!(features.len() + refused.len(), WANTED.len());
        }
        assert!(with_what_is_given(&WANTED, |_| Err::<(), _>("none".to_owned())).is_err());
    }
}
