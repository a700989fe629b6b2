//! All sensors of a machine, and which of them belong to an adapter.
//!
//! A sensor belongs to an adapter by PCI address. Where the driver gives none, the model decides, if
//! the machine has exactly one such GPU; with twins nobody can say, and perwatt does not guess.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::super::PowerSource;
use super::pci::{PciAddress, PciId};
use super::sysfs::{self, Sysfs};
use super::{Candidate, Owner};
use super::{acpi, amdgpu, command, intel, jetson, plug, rapl};
use crate::record::{Adapter, DeviceType, Reading};

/// Where sensors are looked for.
#[derive(Clone, Debug)]
pub struct Places {
    /// Root of the system's device files.
    pub sysfs: PathBuf,
    /// NVIDIA's library, where it is not the system's.
    pub nvml: Option<PathBuf>,
}

impl Places {
    /// The system's own, or what `PERWATT_SYSFS_ROOT` and `PERWATT_NVML` say.
    pub fn from_environment() -> Self {
        let path = |name| {
            std::env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        Self {
            sysfs: path("PERWATT_SYSFS_ROOT").unwrap_or_else(|| PathBuf::from("/sys")),
            nvml: path("PERWATT_NVML"),
        }
    }
}

/// The sensors of a machine.
pub struct Machine {
    /// Every sensor, each device's best first.
    pub candidates: Vec<Candidate>,
    /// Families of sensors that this machine does not have, and why; what is wrong with single devices.
    pub absent: Vec<String>,
    /// Every GPU that some library or file shows.
    gpus: BTreeMap<PciAddress, PciId>,
}

/// The sensors of one boundary that belong to an adapter, best first, open; and what was passed over.
pub struct Belonging {
    /// At least one.
    pub sources: Vec<Box<dyn PowerSource>>,
    /// Sensors of the same device that cannot be used, and why.
    pub refused: Vec<String>,
}

impl Machine {
    /// Looks for sensors in every place; none is read.
    pub fn scan(places: &Places) -> Self {
        let sysfs = Sysfs::new(&places.sysfs);
        let mut absent = Vec::new();
        let mut candidates = nvidia(places, &mut absent);
        let families = [
            (
                "amdgpu",
                "no AMD GPU with its kernel driver",
                amdgpu::candidates(&sysfs),
            ),
            (
                "i915, xe",
                "no Intel GPU that counts energy",
                intel::candidates(&sysfs),
            ),
            ("jetson", "no INA3221 monitor", jetson::candidates(&sysfs)),
            (
                "rapl",
                "no powercap zone of a processor's package",
                rapl::candidates(&sysfs),
            ),
            ("acpi", "no ACPI power meter", acpi::candidates(&sysfs)),
        ];
        for (family, nothing, found) in families {
            if found.is_empty() && cfg!(target_os = "linux") {
                absent.push(format!(
                    "{family}: {nothing} below {}",
                    places.sysfs.display()
                ));
            } else if found.is_empty() {
                absent.push(format!("{family}: read on Linux only"));
            }
            candidates.extend(found);
        }
        #[cfg(target_os = "macos")]
        candidates.extend(super::ioreport::candidates());
        let gpus = gpus(&sysfs, &candidates);
        Self {
            candidates,
            absent,
            gpus,
        }
    }

    /// The sensors that belong to an adapter: best first, one boundary, opened.
    ///
    /// # Errors
    /// None does, or none of those can be read; in words.
    pub fn belonging_to(&self, adapter: &Adapter) -> Result<Belonging, String> {
        let (owned, note) = self.owned_by(adapter)?;
        let (wary, able): (Vec<&Candidate>, Vec<&Candidate>) = owned
            .into_iter()
            .partition(|candidate| candidate.caution.is_some());
        if able.is_empty() {
            let reasons = wary
                .iter()
                .filter_map(|candidate| Some((candidate, candidate.caution.as_ref()?)));
            let reason = reasons.map(|(c, why)| {
                format!("{why}; `--power {}` takes it all the same", c.setup.source)
            });
            return Err(reason.into_iter().next().unwrap_or_default());
        }
        open(&able, note.as_slice())
    }

    /// The sensors of this name, or of the device that it names.
    ///
    /// # Errors
    /// There is none, several devices fit, or none can be read; in words.
    pub fn named(&self, name: &str, adapter: Option<&Adapter>) -> Result<Belonging, String> {
        if let Some(meter) = meter(name) {
            return open(&[&meter?], &[]);
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
            let names: Vec<&str> = fitting.iter().map(|c| c.setup.source.as_str()).collect();
            return Err(format!(
                "`{name}` fits several devices; name one of {}",
                names.join(", ")
            ));
        }
        let note = adapter.map(|adapter| {
            format!(
                "chosen by name; that it belongs to {} is the user's word",
                adapter.label()
            )
        });
        open(&fitting, note.as_slice())
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
    pub fn best_of_each(&self) -> (Vec<Box<dyn PowerSource>>, Vec<String>) {
        let (mut found, mut refused): (Vec<Box<dyn PowerSource>>, _) = (Vec::new(), Vec::new());
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
    pub fn owned_by(&self, adapter: &Adapter) -> Result<(Vec<&Candidate>, Option<String>), String> {
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
                Err(format!(
                    "no sensor sits at {address}; {}",
                    self.what_there_is()
                ))
            }
            Err(_) if integrated => self.shared_die(adapter),
            Err(reason) => Err(reason),
        }
    }

    /// Sensors of the die that an integrated GPU shares with the processor.
    fn shared_die(&self, adapter: &Adapter) -> Result<(Vec<&Candidate>, Option<String>), String> {
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
    fn processor(&self, note: &str) -> Result<(Vec<&Candidate>, Option<String>), String> {
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
        Err(format!(
            "{note}, and this machine shows none ({})",
            self.absent_of(&["rapl", "acpi"])
        ))
    }

    /// Where an adapter sits, and what to say of how that was found out.
    fn address(&self, adapter: &Adapter) -> Result<(PciAddress, Option<String>), String> {
        let id = PciId {
            vendor: adapter.vendor_id,
            device: adapter.device_id,
        };
        let twins: Vec<String> = self
            .gpus
            .iter()
            .filter(|(_, other)| **other == id)
            .map(|(address, _)| address.to_string())
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
                let address = only
                    .parse()
                    .map_err(|()| format!("{only} is no PCI address"))?;
                let note = format!(
                    "the driver gives no PCI address; this is the only {id} in the machine, at {only}"
                );
                Ok((address, Some(note)))
            }
            (_, []) => Err(format!(
                "{} gives no PCI address and no {id} is to be seen in the machine; {}",
                adapter.label(),
                self.what_there_is()
            )),
            (_, several) => Err(format!(
                "{} GPUs here are {id} ({}) and {} does not say which of them it is; name the sensor by \
                 --power",
                several.len(),
                several.join(", "),
                adapter.label()
            )),
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
                "there is no GPU's sensor at all ({})",
                self.absent_of(&["nvml", "amdgpu", "i915"])
            )
        } else {
            format!("there are {}", devices.join(", "))
        }
    }

    /// Why families are absent.
    fn absent_of(&self, families: &[&str]) -> String {
        let of = |line: &&String| families.iter().any(|family| line.starts_with(family));
        let lines: Vec<&str> = self.absent.iter().filter(of).map(String::as_str).collect();
        lines.join("; ")
    }

    /// What to say to a name that nothing has.
    fn unknown(&self, name: &str) -> String {
        let family = name.split(':').next().unwrap_or(name);
        let reasons = self.absent_of(&[family]);
        let known: Vec<&str> = self
            .candidates
            .iter()
            .map(|c| c.setup.source.as_str())
            .collect();
        let there = match (reasons.is_empty(), known.is_empty()) {
            (false, _) => reasons,
            (true, false) => format!("there are {}", known.join(", ")),
            (true, true) => "this machine has none".to_owned(),
        };
        format!(
            "no power sensor is called `{name}`; {there}; meters are named shelly:HOST, tasmota:HOST and \
             command:LINE"
        )
    }
}

/// Opens the first boundary's sensors that can be read, in the order given.
fn open(candidates: &[&Candidate], notes: &[String]) -> Result<Belonging, String> {
    let mut refused = Vec::new();
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
            Err(fault) => refused.push(format!("{}: {fault}", candidate.setup.source)),
        }
    }
    if sources.is_empty() {
        return Err(refused.join("; "));
    }
    Ok(Belonging { sources, refused })
}

/// Sensors of NVIDIA's library, or why there are none.
#[cfg(any(target_os = "linux", target_os = "windows"))]
fn nvidia(places: &Places, absent: &mut Vec<String>) -> Vec<Candidate> {
    match super::nvml::load(places.nvml.as_deref()) {
        Ok(library) => {
            let (found, troubles) = super::nvml::candidates(&library);
            absent.extend(
                troubles
                    .into_iter()
                    .map(|trouble| format!("nvml: {trouble}")),
            );
            found
        }
        Err(reason) => {
            absent.push(format!("nvml: {reason}"));
            Vec::new()
        }
    }
}

/// NVIDIA has no library here.
#[cfg(not(any(target_os = "linux", target_os = "windows")))]
fn nvidia(_: &Places, absent: &mut Vec<String>) -> Vec<Candidate> {
    absent.push("nvml: NVIDIA's library is for Linux and Windows".to_owned());
    Vec::new()
}

/// A meter that a name describes, where it does.
fn meter(name: &str) -> Option<Result<Candidate, String>> {
    let (family, rest) = name.split_once(':')?;
    match family {
        "command" if rest.trim().is_empty() => Some(Err(
            "command: needs a command line, as in --power 'command:read-meter --watts'".to_owned(),
        )),
        "command" => Some(Ok(command::candidate(rest.trim()))),
        "shelly" => Some(plug::candidate(plug::Make::Shelly, rest)),
        "tasmota" => Some(plug::candidate(plug::Make::Tasmota, rest)),
        _ => None,
    }
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
    // The class of displays is 0x03; compute cards without an output are 0x0302 or processing
    // accelerators, 0x12.
    let display = |folder: &PathBuf| {
        sysfs::hexadecimal(&folder.join("class"))
            .is_some_and(|class| matches!(class >> 16, 0x03 | 0x12))
    };
    let on_bus = sysfs
        .entries("bus/pci/devices", "")
        .into_iter()
        .filter(display);
    let cards = sysfs
        .entries("class/drm", "card")
        .into_iter()
        .map(|card| card.join("device"));
    let mut found: BTreeMap<PciAddress, PciId> = on_bus
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
