//! Where something was measured, as far as it changes what the figures mean.
//!
//! The keys are categories, not fingerprints: a card in another slot or a machine that booted anew is
//! still the same environment, and a comparison that refuses those trains people to override it.

use std::fmt;

use schemars::JsonSchema;
use semver::Version;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, nearest};
use crate::record::{Origin, PowerSetup, Reading, Record};

/// What may differ between two sides, and what `--across` names.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Aspect {
    /// The adapter; a software driver's is the CPU too.
    Device,
    /// The driver and its version.
    Driver,
    /// The graphics API.
    Backend,
    /// A kernel's tuning parameters.
    Parameters,
    /// perwatt's major version.
    Version,
    /// The power source.
    Power,
    /// Device timestamps against the host's clock.
    Clock,
    /// Whether shaders ran with run-time checks, and whether the driver checked accesses to buffers.
    Checks,
    /// Measured, simulated or imported.
    Origin,
    /// FLOP and bytes that the case counts.
    Work,
    /// Input data, expected numbers and tolerances of a custom workload.
    Data,
    /// The machine and the build of another tool's benchmark.
    Host,
}

impl Aspect {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Device,
        Self::Driver,
        Self::Backend,
        Self::Parameters,
        Self::Version,
        Self::Power,
        Self::Clock,
        Self::Checks,
        Self::Origin,
        Self::Work,
        Self::Data,
        Self::Host,
    ];

    /// As `--across` takes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Driver => "driver",
            Self::Backend => "backend",
            Self::Parameters => "parameters",
            Self::Version => "version",
            Self::Power => "power",
            Self::Clock => "clock",
            Self::Checks => "checks",
            Self::Origin => "origin",
            Self::Work => "work",
            Self::Data => "data",
            Self::Host => "host",
        }
    }

    /// Reads a name; `what` is where it stands, for messages.
    ///
    /// # Errors
    /// There is no such aspect.
    pub fn parse(text: &str, what: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|aspect| aspect.name() == text)
            .ok_or_else(|| {
                let names = Self::ALL.map(Self::name);
                let hint = nearest(text, names)
                    .map_or_else(String::new, |name| format!("; did you mean {name:?}?"));
                Error::usage(
                    what,
                    format!(
                        "unknown {text:?}{hint}; expected one of {}",
                        names.join(", ")
                    ),
                )
            })
    }
}

impl fmt::Display for Aspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Where a session was measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Environment {
    /// The adapter's name, with the processor's for a software driver.
    pub device: String,
    /// What of the name is the device's own: drivers add theirs, `(RADV NAVI31)` say or the version of
    /// llvmpipe's compiler, and the same card behind another driver is no other device.
    pub model: String,
    /// PCI vendor and device id, where the driver gives both; they tell apart what one name covers.
    pub pci: Option<String>,
    /// The driver and its version.
    pub driver: String,
    /// The graphics API.
    pub backend: String,
    /// perwatt's major version.
    pub version: String,
    /// Whether shaders ran with run-time checks.
    pub checks: String,
    /// Whether the driver checked accesses to buffers, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub robust_buffer_access: Option<bool>,
    /// Where the numbers come from.
    pub origin: String,
    /// Machine and build as another tool names them, for an import.
    pub host: Option<String>,
    /// The sort of power source and its boundary, not its slot; nothing where there was none.
    pub power: Option<String>,
    /// Whether the CPU did the work. What is shown says so in `device`.
    #[serde(default)]
    pub software: bool,
}

/// One thing that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// What differs.
    pub aspect: Aspect,
    /// On the baseline's side.
    pub baseline: String,
    /// On the candidate's side.
    pub candidate: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "different {}: {} against {}",
            self.aspect, self.baseline, self.candidate
        )
    }
}

impl Environment {
    /// The environment of a record.
    pub fn of(record: &Record) -> Self {
        let adapter = &record.adapter;
        // What an import calls its device was given by a person or by the tool, not by a driver.
        let model = match adapter.model() {
            model if model.is_empty() || record.provenance.origin == Origin::Imported => {
                adapter.name.clone()
            }
            model => model,
        };
        let on_host = |name: String| match (adapter.is_software(), record.host.cpu.measured()) {
            (true, Some(cpu)) => format!("{name} on {cpu}"),
            _ => name,
        };
        let known = !adapter.is_software() && adapter.vendor_id != 0 && adapter.device_id != 0;
        Self {
            device: on_host(adapter.name.clone()),
            model: on_host(model),
            pci: known.then(|| format!("{:04x}:{:04x}", adapter.vendor_id, adapter.device_id)),
            driver: adapter.driver_and_version(),
            backend: adapter.backend.clone(),
            version: major(&record.provenance.perwatt_version),
            checks: if record.provenance.checked_shaders {
                "checked shaders".to_owned()
            } else {
                "unchecked shaders".to_owned()
            },
            robust_buffer_access: adapter
                .robust_buffer_access
                .as_ref()
                .and_then(Reading::measured)
                .copied(),
            // A simulated sensor is a difference of the sensor, and leaves the times what they are.
            origin: match record.provenance.origin {
                Origin::Simulated if record.is_all_simulated() => "simulated",
                Origin::Measured | Origin::Simulated => "measured",
                Origin::Imported => "imported",
            }
            .to_owned(),
            host: record.host.described.clone(),
            power: record.power.measured().map(PowerSetup::category),
            software: adapter.is_software(),
        }
    }

    /// What differs and is not in `across`. Power is left to the rows that it concerns.
    pub fn differences(&self, candidate: &Self, across: &[Aspect]) -> Vec<Difference> {
        let mut differences: Vec<Difference> = [
            (Aspect::Driver, &self.driver, &candidate.driver),
            (Aspect::Backend, &self.backend, &candidate.backend),
            (Aspect::Version, &self.version, &candidate.version),
            (Aspect::Checks, &self.checks, &candidate.checks),
            (Aspect::Origin, &self.origin, &candidate.origin),
        ]
        .into_iter()
        .filter(|(_, baseline, candidate)| baseline != candidate)
        .map(|(aspect, baseline, candidate)| Difference {
            aspect,
            baseline: baseline.clone(),
            candidate: candidate.clone(),
        })
        .collect();
        differences.splice(..0, self.other_device(candidate));
        if let (Some(old), Some(new)) = (self.robust_buffer_access, candidate.robust_buffer_access)
            && old != new
        {
            let word = |robust| match robust {
                true => "buffers checked by the driver".to_owned(),
                false => "buffers not checked by the driver".to_owned(),
            };
            differences.push(Difference {
                aspect: Aspect::Checks,
                baseline: word(old),
                candidate: word(new),
            });
        }
        if let (Some(old), Some(new)) = (&self.host, &candidate.host)
            && old != new
        {
            differences.push(Difference {
                aspect: Aspect::Host,
                baseline: old.clone(),
                candidate: new.clone(),
            });
        }
        differences.retain(|difference| !allowed(difference.aspect, across));
        differences
    }

    /// The difference of devices, if they are two.
    fn other_device(&self, candidate: &Self) -> Option<Difference> {
        let other_ids = self.pci.is_some() && candidate.pci.is_some() && self.pci != candidate.pci;
        if self.model == candidate.model && !other_ids {
            return None;
        }
        let named = |side: &Self| match &side.pci {
            Some(pci) if self.device == candidate.device => format!("{} [{pci}]", side.device),
            _ => side.device.clone(),
        };
        Some(Difference {
            aspect: Aspect::Device,
            baseline: named(self),
            candidate: named(candidate),
        })
    }
}

/// Whether a difference is the question. Another device has another driver as a matter of course.
pub(super) fn allowed(aspect: Aspect, across: &[Aspect]) -> bool {
    across.contains(&aspect) || aspect == Aspect::Driver && across.contains(&Aspect::Device)
}

/// The major version of a version; the text itself where it is none.
fn major(version: &str) -> String {
    Version::parse(version).map_or_else(|_| version.to_owned(), |v| v.major.to_string())
}
