//! Which device of a log of several is meant: by its PCI address where log and record have one, else as the user says.
//! Nothing else tells one card from another: the number that a tool gives a card is not that of a graphics API.

use super::super::pci::PciAddress;
use super::choice::LogChoice;
use super::columns::{is_device, power_columns};
use super::meaning::NumberedRow;
use crate::record::Boundary;

/// The column that tells devices apart and the one that is meant, of a log of several.
///
/// # Errors
/// Nothing says which is meant, or the one that is meant has no row.
pub(super) fn chosen(
    header: &[String],
    rows: &[NumberedRow],
    choice: &LogChoice,
    notes: &mut Vec<String>,
) -> Result<Option<(usize, String)>, String> {
    let mut columns: Vec<(usize, usize)> = header
        .iter()
        .enumerate()
        .filter_map(|(at, name)| Some((is_device(name)?, at)))
        .collect();
    columns.sort_unstable();
    for (_, at) in columns {
        let mut devices: Vec<&str> = Vec::new();
        for (_, record) in rows {
            let device = record.get(at).unwrap_or_default();
            if !device.is_empty() && !devices.contains(&device) {
                devices.push(device);
            }
        }
        if let Some(wanted) = &choice.device {
            if devices.contains(&wanted.as_str()) {
                return Ok(Some((at, wanted.clone())));
            }
            continue;
        }
        if let Some(device) = by_address(&header[at], &devices, choice)? {
            notes.push(format!("{device} was taken by its PCI address"));
            return Ok(Some((at, device)));
        }
        if devices.len() > 1 {
            let device = of_power(&header[at], &devices)?;
            notes.push(format!(
                "the log is of several devices ({}: {}); {device} was taken, --log-device names another",
                header[at],
                devices.join(", ")
            ));
            return Ok(Some((at, device)));
        }
    }
    match &choice.device {
        Some(wanted) => Err(format!("--log-device {wanted}: no row is of such a device")),
        None => Ok(None),
    }
}

/// The device at the record's address, in a column of addresses.
fn by_address(
    column: &str,
    devices: &[&str],
    choice: &LogChoice,
) -> Result<Option<String>, String> {
    let is_of_addresses = column.to_lowercase().contains("bus_id");
    let Some(address) = choice.address.as_ref().filter(|_| is_of_addresses) else {
        return Ok(None);
    };
    let wanted = address.parse::<PciAddress>();
    let is_wanted = |device: &&&str| wanted.is_ok() && device.parse() == wanted;
    match devices.iter().find(is_wanted) {
        Some(device) => Ok(Some((*device).to_owned())),
        None if devices.is_empty() => Ok(None),
        None => Err(format!(
            "the record's device is at {address}, and the log is of {}; if one of them is that device all the same, \
             choose it with --log-device",
            devices.join(", ")
        )),
    }
}

/// Of a house's sensors, the one whose name says a power.
fn of_power(column: &str, devices: &[&str]) -> Result<String, String> {
    let is_power = |device: &&&str| {
        let name = device.replace(['.', '-'], "_");
        !power_columns(&[name], Boundary::Unknown).is_empty()
    };
    let powers: Vec<&&str> = devices.iter().filter(is_power).collect();
    match powers.as_slice() {
        [one] => Ok((**one).to_owned()),
        _ => Err(format!(
            "the log is of several devices ({column}: {}), and nothing says which ran the load; choose it with \
             --log-device",
            devices.join(", ")
        )),
    }
}
