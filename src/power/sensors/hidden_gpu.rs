//! GPUs that are in the machine and that no graphics driver shows.
//!
//! A container without the graphics capability, a driver installed for compute only, or a user outside the group
//! `render` leaves nothing but a software driver, and a benchmark that takes it measures the processor. So where
//! software is all there is, the bus is asked, and what it says is told.

use super::family::Places;
use super::sysfs::{self, Sysfs};

/// A GPU on the PCI bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HiddenGpu {
    /// The maker, whose driver is missing.
    pub maker: &'static str,
    /// PCI address.
    pub address: String,
}

/// The makers' PCI vendor ids. Displays of servers and of virtual machines are others'.
const MAKERS: [(u32, &str); 3] = [(0x10de, "NVIDIA"), (0x1002, "AMD"), (0x8086, "Intel")];

/// The GPUs on the PCI bus, by address; none where the system has no such files.
pub fn gpus_on_bus(places: &Places) -> Vec<HiddenGpu> {
    let mut gpus: Vec<HiddenGpu> = Sysfs::new(&places.sysfs)
        .displays()
        .into_iter()
        .filter_map(|device| {
            let vendor = sysfs::hexadecimal(&device.join("vendor"))?;
            let (_, maker) = MAKERS.iter().find(|(id, _)| *id == vendor)?;
            Some(HiddenGpu {
                maker,
                address: sysfs::name(&device).to_owned(),
            })
        })
        .collect();
    gpus.sort_by(|a, b| a.address.cmp(&b.address));
    gpus
}

impl HiddenGpu {
    /// What makes the GPU visible.
    pub fn cure(&self) -> &'static str {
        match self.maker {
            "NVIDIA" => {
                "In a container, start it with NVIDIA_DRIVER_CAPABILITIES=compute,utility,graphics; on the host, \
                 install the driver with its Vulkan part"
            }
            _ => {
                "Install mesa-vulkan-drivers, put your user into the groups `render` and `video`, and give a \
                 container the devices /dev/dri"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn at(root: &std::path::Path) -> Places {
        Places {
            sysfs: root.to_owned(),
            ..Places::default()
        }
    }

    #[test]
    fn gpus_are_told_from_other_displays() {
        let root = tempfile::tempdir().unwrap();
        for (address, class, vendor) in [
            ("0000:01:00.0", "0x030200\n", "0x10de\n"),
            ("0000:02:00.0", "0x120000\n", "0x1002\n"),
            // A server's display, a network card, and an audio function of a GPU.
            ("0000:03:00.0", "0x030000\n", "0x1a03\n"),
            ("0000:04:00.0", "0x020000\n", "0x8086\n"),
            ("0000:01:00.1", "0x040300\n", "0x10de\n"),
        ] {
            let device = root.path().join("bus/pci/devices").join(address);
            fs::create_dir_all(&device).unwrap();
            fs::write(device.join("class"), class).unwrap();
            fs::write(device.join("vendor"), vendor).unwrap();
        }
        let found: Vec<(&str, String)> = gpus_on_bus(&at(root.path()))
            .into_iter()
            .map(|gpu| (gpu.maker, gpu.address))
            .collect();
        assert_eq!(
            found,
            [
                ("NVIDIA", "0000:01:00.0".to_owned()),
                ("AMD", "0000:02:00.0".to_owned())
            ]
        );
        assert!(gpus_on_bus(&at(&root.path().join("none"))).is_empty());
    }
}
