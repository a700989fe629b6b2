//! All sensors of a machine, and which of them belong to an adapter.
//!
//! A sensor belongs to an adapter by PCI address. Where the driver gives none, the model decides, if
//! the machine has exactly one such GPU; with twins that is unknown, and perwatt does not guess.

use std::collections::BTreeMap;

use super::super::PowerSource;
use super::candidate::{Candidate, Owner};
use super::families::FAMILIES;
use super::family::{Family, Places, Scanned};
use super::no_sensor::{NoSensor, Unreadable};
use super::nvml::NVIDIA;
use super::pci::{PciAddress, PciId};
use super::power_limit::PowerLimit;
use super::sysfs::{self, Sysfs};
use crate::record::{Adapter, DeviceType, Reading};

/// The family of NVIDIA's library.
const NVML: &str = "nvml";

/// The sensors of a machine.
pub struct Machine {
    /// Every sensor, each device's best first.
    pub candidates: Vec<Candidate>,
    /// Families of sensors that this machine does not have, and why; what is wrong with single devices.
    pub absent: Vec<String>,
    /// What the user should know of whichever sensor is used.
    pub alarms: Vec<String>,
    /// Every GPU that some library or file shows.
    gpus: BTreeMap<PciAddress, PciId>,
}

/// The sensors of one boundary that belong to an adapter, best first, open; and what was passed over.
pub struct Belonging {
    /// At least one.
    pub sources: Vec<Box<dyn PowerSource>>,
    /// Sensors of the same device that cannot be used, and why.
    pub refused: Vec<Unreadable>,
}

impl Machine {
    /// Looks for sensors in every place; none is read.
    pub fn scan(places: &Places) -> Self {
        Self::scan_those(places, |_| true)
    }

    /// Looks for the sensors that an adapter may have. NVIDIA's library is loaded for NVIDIA's GPUs alone, since
    /// that wakes them.
    pub fn scan_for(adapter: &Adapter, places: &Places) -> Self {
        Self::scan_those(places, |family| {
            adapter.vendor_id == NVIDIA || !family.prefixes().contains(&NVML)
        })
    }

    /// Looks for the sensors that a name may mean: those of its family, where it has one.
    pub fn scan_named(name: &str, places: &Places) -> Self {
        let prefix = name.split(':').next().unwrap_or(name);
        let known = family_of(prefix).is_some();
        Self::scan_those(places, |family| {
            !known || family.prefixes().contains(&prefix)
        })
    }

    /// Looks in the places of some families.
    fn scan_those(places: &Places, meant: impl Fn(&dyn Family) -> bool) -> Self {
        let mut candidates = Vec::new();
        let (mut absent, mut alarms) = (Vec::new(), Vec::new());
        for family in FAMILIES.iter().filter(|family| meant(**family)) {
            let scanned: Scanned = family.scan(places);
            candidates.extend(scanned.candidates);
            absent.extend(scanned.absent);
            alarms.extend(scanned.alarms);
        }
        let gpus = gpus(&Sysfs::new(&places.sysfs), &candidates);
        Self {
            candidates,
            absent,
            alarms,
            gpus,
        }
    }

    /// The sensors that belong to an adapter: best first, one boundary, opened.
    ///
    /// # Errors
    /// None does, or none of those can be read; in words.
    pub fn belonging_to(&self, adapter: &Adapter) -> Result<Belonging, NoSensor> {
        self.best_of(adapter).map_err(|reason| {
            let told = reason.to_string();
            let (alarm, more) = match self.alarms.split_first() {
                Some((alarm, more)) if !told.contains(alarm) => (alarm, more),
                _ => return reason,
            };
            NoSensor::Alarmed {
                reason: Box::new(reason),
                alarms: more
                    .iter()
                    .fold(alarm.clone(), |all, one| format!("{all}; {one}")),
            }
        })
    }

    fn best_of(&self, adapter: &Adapter) -> Result<Belonging, NoSensor> {
        let (owned, note) = self.owned_by(adapter)?;
        let (wary, able): (Vec<&Candidate>, Vec<&Candidate>) = owned
            .into_iter()
            .partition(|candidate| candidate.caution.is_some());
        if able.is_empty()
            && let Some(first) = wary.first()
        {
            return Err(NoSensor::Cautioned {
                caution: first.caution.clone().unwrap_or_default(),
                source_name: first.setup.source.clone(),
            });
        }
        open(&able, note.as_slice())
    }

    /// The sensors of this name, or of the device that it names; or the meter that it describes.
    ///
    /// # Errors
    /// There is none, several devices fit, or none can be read; in words.
    pub fn named(&self, name: &str, adapter: Option<&Adapter>) -> Result<Belonging, NoSensor> {
        if let Some(meter) = meter(name) {
            return meter;
        }
        let mut fitting: Vec<&Candidate> =
            self.candidates.iter().filter(|c| fits(c, name)).collect();
        if let Some(exact) = fitting.iter().find(|c| c.setup.source == name) {
            fitting = vec![exact];
        }
        if fitting.is_empty() {
            return Err(self.unknown(name));
        }
        let own = adapter.map(|adapter| {
            self.owned_by(adapter)
                .map(|(owned, _)| owned)
                .unwrap_or_default()
        });
        let is_own = |candidate: &&Candidate| {
            own.iter()
                .flatten()
                .any(|other| other.setup.source == candidate.setup.source)
        };
        let mine: Vec<&Candidate> = fitting.iter().copied().filter(is_own).collect();
        if !mine.is_empty() {
            return open(&mine, &[]);
        }
        let device = |candidate: &Candidate| (candidate.owner, candidate.device.clone());
        let first = device(fitting[0]);
        if matches!(first.0, Owner::Gpu { .. }) && fitting.iter().any(|c| device(c).0 != first.0) {
            let names = fitting.iter().map(|c| c.setup.source.clone()).collect();
            return Err(NoSensor::SeveralDevices {
                name: name.to_owned(),
                sources: names,
            });
        }
        let note = adapter.map(|adapter| {
            format!(
                "chosen by name; that it belongs to {} is as you set it, not verified",
                adapter.label()
            )
        });
        open(&fitting, note.as_slice())
    }

    /// The device that a chosen sensor measures; of a meter, or where none is named, the adapter's own.
    ///
    /// # Errors
    /// No sensor shows the device, and so nothing tells which it is.
    fn owner_of(
        sensor: Option<&str>,
        adapter: &Adapter,
        places: &Places,
    ) -> Result<Owner, NoSensor> {
        if let Some(name) = sensor.filter(|name| !describes_meter(name)) {
            let machine = Self::scan_named(name, places);
            let belonging = machine.named(name, Some(adapter))?;
            let chosen = belonging
                .sources
                .first()
                .map(|source| &source.setup().source);
            let mut candidates = machine.candidates.iter();
            if let Some(one) = candidates.find(|one| Some(&one.setup.source) == chosen) {
                return Ok(one.owner);
            }
        }
        let machine = Self::scan_for(adapter, places);
        let (owned, _) = machine.owned_by(adapter)?;
        Ok(owned.first().map_or(Owner::Named, |one| one.owner))
    }

    /// The power limit of the device that a sensor measures; of the adapter itself, where the sensor is a meter or
    /// none is named.
    ///
    /// # Errors
    /// No driver lets it be set; in words, with what to do.
    pub fn power_limit(
        sensor: Option<&str>,
        adapter: &Adapter,
        places: &Places,
    ) -> Result<PowerLimit, String> {
        let owner = Self::owner_of(sensor, adapter, places).map_err(|reason| reason.to_string())?;
        FAMILIES
            .iter()
            .find_map(|family| family.power_limit(owner, places))
            .ok_or_else(|| {
                format!(
                    "no driver offers a power limit of {} that can be set; NVIDIA's library, amdgpu, i915, xe and \
                     Intel's powercap do, for root",
                    adapter.label()
                )
            })
    }

    /// The name of an adapter's sensor, or why it has none.
    pub fn sensor_of(&self, adapter: &Adapter) -> Reading<String> {
        self.belonging_to(adapter)
            .map(|belonging| {
                let first = belonging.sources.first();
                first
                    .map(|source| source.setup().source.clone())
                    .unwrap_or_default()
            })
            .into()
    }

    /// The best sensor of each device that can be read; and of the others why not.
    pub fn best_of_each(&self) -> (Vec<Box<dyn PowerSource>>, Vec<NoSensor>) {
        let mut found: Vec<Box<dyn PowerSource>> = Vec::new();
        let mut refused = Vec::new();
        let mut devices: Vec<Vec<&Candidate>> = Vec::new();
        for candidate in &self.candidates {
            let device = |other: &Candidate| {
                (other.owner, &other.device) == (candidate.owner, &candidate.device)
            };
            match devices.iter_mut().find(|group| device(group[0])) {
                Some(group) => group.push(candidate),
                None => devices.push(vec![candidate]),
            }
        }
        for group in devices {
            match open(&group, &[]) {
                Ok(belonging) => found.extend(belonging.sources.into_iter().take(1)),
                Err(reason) => refused.push(reason),
            }
        }
        (found, refused)
    }

    /// The sensors that belong to an adapter, and what to say of how that was found out.
    ///
    /// # Errors
    /// None does, and why.
    pub fn owned_by(
        &self,
        adapter: &Adapter,
    ) -> Result<(Vec<&Candidate>, Option<String>), NoSensor> {
        if adapter.is_software() {
            return self.processor(
                "a software adapter's work is the processor's, so its sensor is the processor's",
            );
        }
        let integrated = adapter.device_type == DeviceType::IntegratedGpu;
        match self.address(adapter) {
            Ok((address, note)) => {
                let owned: Vec<&Candidate> = self
                    .candidates
                    .iter()
                    .filter(|c| matches!(c.owner, Owner::Gpu { address: Some(at), .. } if at == address))
                    .collect();
                if !owned.is_empty() {
                    return Ok((owned, note));
                }
                if integrated {
                    return self.shared_die(adapter);
                }
                Err(NoSensor::NotAtAddress {
                    address,
                    found: self.what_there_is(),
                })
            }
            Err(_) if integrated => self.shared_die(adapter),
            Err(reason) => Err(reason),
        }
    }

    /// Sensors of the die that an integrated GPU shares with the processor.
    fn shared_die(&self, adapter: &Adapter) -> Result<(Vec<&Candidate>, Option<String>), NoSensor> {
        let of = |owner| -> Vec<&Candidate> {
            self.candidates
                .iter()
                .filter(|c| c.owner == owner)
                .collect()
        };
        let module = of(Owner::Soc);
        if !module.is_empty() {
            let note = format!(
                "{} is part of the module; the module is measured",
                adapter.name
            );
            return Ok((module, Some(note)));
        }
        self.processor(
            "an integrated GPU's work is in the package of its processor, with the processor's own",
        )
    }

    /// The processor's sensors.
    fn processor(&self, note: &str) -> Result<(Vec<&Candidate>, Option<String>), NoSensor> {
        for owner in [Owner::Cpu, Owner::Soc] {
            let owned: Vec<&Candidate> = self
                .candidates
                .iter()
                .filter(|c| c.owner == owner)
                .collect();
            if !owned.is_empty() {
                return Ok((owned, Some(note.to_owned())));
            }
        }
        Err(NoSensor::NotOfProcessor {
            note: note.to_owned(),
            absent: self.absent_of(&["rapl", "acpi"]),
        })
    }

    /// Where an adapter sits, and what to say of how that was found out.
    fn address(&self, adapter: &Adapter) -> Result<(PciAddress, Option<String>), NoSensor> {
        let id = PciId {
            vendor: adapter.vendor_id,
            device: adapter.device_id,
        };
        let twins: Vec<PciAddress> = self
            .gpus
            .iter()
            .filter(|(_, other)| **other == id)
            .map(|(address, _)| *address)
            .collect();
        let stated = adapter
            .pci_id
            .measured()
            .and_then(|text| text.parse::<PciAddress>().ok());
        // Direct3D gives every twin the address of the first.
        let trusted = adapter.backend != "dx12" || twins.len() < 2;
        match (stated, &twins[..]) {
            (Some(address), _) if trusted => Ok((address, None)),
            (_, [only]) => {
                let address = *only;
                let note = format!(
                    "the driver gives no PCI address; this is the only {id} in the machine, at {only}"
                );
                Ok((address, Some(note)))
            }
            (_, []) => Err(NoSensor::NotInMachine {
                adapter: adapter.label(),
                id,
                found: self.what_there_is(),
            }),
            (_, several) => Err(NoSensor::Twins {
                adapter: adapter.label(),
                id,
                addresses: several.iter().map(ToString::to_string).collect(),
            }),
        }
    }

    /// Sensors of GPUs in words, for messages.
    fn what_there_is(&self) -> String {
        let mut devices: Vec<String> = Vec::new();
        for candidate in &self.candidates {
            if let Owner::Gpu { .. } = candidate.owner {
                let source = &candidate.setup.source;
                let device = source
                    .rsplit_once(':')
                    .map_or(source.as_str(), |(device, _)| device);
                if !devices.iter().any(|known| known == device) {
                    devices.push(device.to_owned());
                }
            }
        }
        if devices.is_empty() {
            format!(
                "no GPU here has a sensor ({})",
                self.absent_of(&["nvml", "amdgpu", "i915"])
            )
        } else {
            format!("sensors found: {}", devices.join(", "))
        }
    }

    /// Why families are absent.
    fn absent_of(&self, families: &[&str]) -> String {
        let of = |line: &&String| {
            let named = line.split(':').next().unwrap_or_default();
            named.split(", ").any(|name| families.contains(&name))
        };
        let lines: Vec<&str> = self.absent.iter().filter(of).map(String::as_str).collect();
        lines.join("; ")
    }

    /// The error for a name that no sensor has.
    fn unknown(&self, name: &str) -> NoSensor {
        let prefix = name.split(':').next().unwrap_or(name);
        let reasons = family_of(prefix)
            .map(|family| self.absent_of(family.prefixes()))
            .unwrap_or_default();
        let known: Vec<&str> = self
            .candidates
            .iter()
            .map(|c| c.setup.source.as_str())
            .collect();
        NoSensor::Unknown {
            name: name.to_owned(),
            found: match (reasons.is_empty(), known.is_empty()) {
                (false, _) => reasons,
                (true, false) => format!("this machine has {}", known.join(", ")),
                (true, true) => "this machine has none".to_owned(),
            },
            meters: meter_names(),
        }
    }
}

/// The family whose sensors' names begin with this prefix.
fn family_of(prefix: &str) -> Option<&'static dyn Family> {
    let has = |family: &&&dyn Family| family.prefixes().contains(&prefix);
    FAMILIES.iter().find(has).copied()
}

/// How meters are named, for messages and help: `shelly:HOST, tasmota:HOST or command:LINE`.
pub fn meter_names() -> String {
    let names: Vec<&str> = FAMILIES
        .iter()
        .flat_map(|family| family.meters().iter().copied())
        .collect();
    match names.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => names.concat(),
    }
}

/// Whether a name describes a meter: a command that is run, a host that is asked.
pub fn describes_meter(name: &str) -> bool {
    let prefix = name.split(':').next().unwrap_or(name).trim();
    family_of(prefix).is_some_and(|family| !family.meters().is_empty())
}

/// The meter that a name describes, opened, where it describes one. The machine is not scanned for it: that
/// would load NVIDIA's library, which may wake the very GPU whose machine is being measured.
pub fn meter(name: &str) -> Option<Result<Belonging, NoSensor>> {
    let (prefix, rest) = name.split_once(':')?;
    let family = family_of(prefix).filter(|family| !family.meters().is_empty())?;
    let candidate = family.meter(prefix, rest);
    Some(candidate.and_then(|candidate| open(&[&candidate], &[])))
}

/// Opens the first boundary's sensors that can be read, in the order given.
fn open(candidates: &[&Candidate], notes: &[String]) -> Result<Belonging, NoSensor> {
    let mut refused: Vec<Unreadable> = Vec::new();
    let mut sources: Vec<Box<dyn PowerSource>> = Vec::new();
    for candidate in candidates {
        let boundary = candidate.setup.boundary;
        if sources
            .first()
            .is_some_and(|first| first.setup().boundary != boundary)
        {
            continue;
        }
        let passed_over = refused.iter().map(|reason| format!("passed over {reason}"));
        let notes: Vec<String> = notes.iter().cloned().chain(passed_over).collect();
        match candidate.open(&notes) {
            Ok(source) => sources.push(source),
            Err(fault) => refused.push(Unreadable {
                source_name: candidate.setup.source.clone(),
                fault,
            }),
        }
    }
    if sources.is_empty() {
        return Err(NoSensor::Unreadable(refused));
    }
    Ok(Belonging { sources, refused })
}

/// Whether a name means a sensor: `nvml`, `nvml:01:00.0`, `nvml:0000:01:00.0:instant`, `rapl`.
fn fits(candidate: &Candidate, name: &str) -> bool {
    let source = &candidate.setup.source;
    let begins = |name: &str| {
        source
            .strip_prefix(name)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    };
    if begins(name) {
        return true;
    }
    let Some((family, rest)) = name.split_once(':') else {
        return false;
    };
    // An address is written in several ways.
    let end = rest
        .find('.')
        .map_or(rest.len(), |dot| (dot + 2).min(rest.len()));
    let (address, quantity) = rest.split_at_checked(end).unwrap_or((rest, ""));
    match address.parse::<PciAddress>() {
        Ok(address) => begins(&format!("{family}:{address}{quantity}")),
        Err(()) => false,
    }
}

/// Every GPU that the system's files or a library show.
fn gpus(sysfs: &Sysfs, candidates: &[Candidate]) -> BTreeMap<PciAddress, PciId> {
    let cards = sysfs
        .entries("class/drm", "card")
        .into_iter()
        .map(|card| card.join("device"));
    let mut found: BTreeMap<PciAddress, PciId> = sysfs
        .displays()
        .into_iter()
        .chain(cards)
        .filter_map(|folder| Some((sysfs::pci_address(&folder)?, sysfs::pci_id(&folder)?)))
        .collect();
    for candidate in candidates {
        if let Owner::Gpu {
            address: Some(address),
            id: Some(id),
        } = candidate.owner
        {
            found.insert(address, id);
        }
    }
    found
}
