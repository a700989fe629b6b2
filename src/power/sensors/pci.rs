//! Where a device sits on the PCI bus, which is what ties an adapter to its sensor.
//!
//! Orders of enumeration differ between libraries, so an index never does. The same address is written
//! in several ways (`0000:01:00.0`, NVML's `00000000:01:00.0`, `01:00.0`), so it is compared as numbers.

use std::fmt;
use std::str::FromStr;

/// A PCI address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PciAddress {
    domain: u32,
    bus: u8,
    device: u8,
    function: u8,
}

impl FromStr for PciAddress {
    type Err = ();

    /// Reads `[DOMAIN:]BUS:DEVICE[.FUNCTION]`, hexadecimal in any case and width.
    fn from_str(text: &str) -> Result<Self, ()> {
        let hex = |digits: &str, most: u32| {
            let valid = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
            let number = u32::from_str_radix(digits, 16).map_err(|_| ())?;
            if valid && number <= most {
                Ok(number)
            } else {
                Err(())
            }
        };
        let byte = |digits, most| hex(digits, most).map(|n| n as u8);
        let (place, function) = text.trim().split_once('.').unwrap_or((text.trim(), "0"));
        let parts: Vec<&str> = place.split(':').collect();
        let (domain, bus, device) = match parts[..] {
            [domain, bus, device] => (hex(domain, u32::MAX)?, bus, device),
            [bus, device] => (0, bus, device),
            _ => return Err(()),
        };
        Ok(Self {
            domain,
            bus: byte(bus, 0xff)?,
            device: byte(device, 0x1f)?,
            function: byte(function, 7)?,
        })
    }
}

impl fmt::Display for PciAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            domain,
            bus,
            device,
            function,
        } = self;
        f.pad(&format!("{domain:04x}:{bus:02x}:{device:02x}.{function:x}"))
    }
}

/// What a PCI device is: its maker and model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PciId {
    /// The maker.
    pub vendor: u32,
    /// The maker's number of the model.
    pub device: u32,
}

impl fmt::Display for PciId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04x}:{:04x}", self.vendor, self.device)
    }
}

#[cfg(test)]
mod tests {
    use super::PciAddress;

    fn parse(text: &str) -> Option<PciAddress> {
        text.parse().ok()
    }

    #[test]
    fn every_spelling_of_an_address_is_the_same_address() {
        let address = parse("0000:c1:00.0");
        assert!(address.is_some());
        for same in ["00000000:C1:00.0", "c1:00.0", "C1:00", " 0000:C1:00.0\n"] {
            assert_eq!(parse(same), address, "{same}");
        }
        for other in [
            "0001:c1:00.0",
            "0000:c1:01.0",
            "0000:c1:00.1",
            "10000:c1:00.0",
        ] {
            assert_ne!(parse(other), address, "{other}");
            assert!(parse(other).is_some(), "{other}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for wrong in [
            "",
            "device",
            "1",
            "0000:100:00.0",
            "0000:01:20.0",
            "0:0:0:0",
            "+1:00.0",
            "01:00.8",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_address_is_shown_as_linux_shows_it() {
        let shown = parse("00000000:0A:00.0").map(|address| address.to_string());
        assert_eq!(shown.as_deref(), Some("0000:0a:00.0"));
    }
}
