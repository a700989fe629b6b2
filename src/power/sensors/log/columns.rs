//! Which column of a log holds the power, in which unit, and whose it is: from the names that tools give them.

use crate::record::Boundary;

/// A column of power.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PowerColumn {
    pub(super) at: usize,
    pub(super) name: String,
    /// Watts of one of its units; none where its name states no unit.
    pub(super) watts: Option<f64>,
}

/// The words of a name, in small letters.
fn words(name: &str) -> Vec<String> {
    name.to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Watts of a unit of power. Its case tells megawatts from milliwatts; `mw`, which tells neither, is milliwatts until
/// the values say that it cannot be.
pub(super) fn unit(word: &str) -> Option<f64> {
    match word {
        "MW" => return Some(1e6),
        "mW" => return Some(1e-3),
        _ => {}
    }
    match word.to_lowercase().as_str() {
        "megawatt" | "megawatts" => Some(1e6),
        "w" | "watt" | "watts" => Some(1.0),
        "mw" | "milliwatt" | "milliwatts" => Some(1e-3),
        "uw" | "µw" | "μw" | "microwatt" | "microwatts" => Some(1e-6),
        "kw" | "kilowatt" | "kilowatts" => Some(1e3),
        _ => None,
    }
}

/// Watts of the unit that a name states last.
fn named_unit(name: &str) -> Option<f64> {
    name.rsplit(|c: char| !c.is_alphanumeric()).find_map(unit)
}

/// The power that an entity's name states, as `sensor.plug_power_kw`; the name says nothing else of its values.
pub(super) fn entity_power(name: &str) -> Option<PowerColumn> {
    power_columns(&[name.to_owned()], Boundary::Unknown).pop()
}

/// What a name says of another quantity than the power that is drawn: limits, apparent power, energy, shares.
const OTHERS: &[&str] = &[
    "va",
    "kva",
    "var",
    "kvar",
    "wh",
    "kwh",
    "mwh",
    "j",
    "kj",
    "mj",
    "joule",
    "joules",
    "limit",
    "limits",
    "cap",
    "max",
    "maximum",
    "min",
    "minimum",
    "peak",
    "default",
    "enforced",
    "requested",
    "target",
    "tdp",
    "budget",
    "factor",
    "pf",
    "percent",
    "pct",
    "state",
    "status",
    "reactive",
    "apparent",
    "supply",
    "saved",
    "cost",
    "dbm",
    "dbw",
    "db",
    "v",
    "mv",
    "kv",
    "volt",
    "volts",
    "ma",
    "amp",
    "amps",
    "ampere",
    "amperes",
    "hz",
];

/// Whether a name is that of times.
pub(super) fn is_time(name: &str) -> bool {
    let words = words(name);
    let has = |word: &str| words.iter().any(|own| own == word);
    let begins = |stem: &str| words.iter().any(|own| own.starts_with(stem));
    (words == ["t"])
        || begins("time")
        || begins("date")
        || has("unix")
        || has("epoch")
        || begins("second")
        || (has("last") && (has("changed") || has("updated") || has("reported")))
}

/// Whether a name tells devices of one log apart, the best first.
pub(super) fn is_device(name: &str) -> Option<usize> {
    const NAMES: &[&str] = &[
        "pci.bus_id",
        "gpu_bus_id",
        "gpu_uuid",
        "uuid",
        "index",
        "gpu_index",
        "gpu_id",
        "gpu",
        "entity_id",
        "device",
        "serial",
    ];
    let name = name.to_lowercase();
    NAMES.iter().position(|known| *known == name)
}

/// The columns of power in a log, the likeliest for this boundary first.
pub(super) fn power_columns(header: &[String], boundary: Boundary) -> Vec<PowerColumn> {
    let mut found: Vec<(i32, PowerColumn)> = header
        .iter()
        .enumerate()
        .filter_map(|(at, name)| {
            let words = words(name);
            let watts = named_unit(name);
            let power = watts.is_some()
                || words.iter().any(|word| {
                    ["power", "pwr", "apower", "potenza", "leistung"].contains(&&**word)
                });
            let other = name.contains('%') || words.iter().any(|word| OTHERS.contains(&&**word));
            let energy = watts.is_none()
                && words.iter().any(|word| {
                    ["energy", "voltage", "temperature", "frequency"].contains(&&**word)
                });
            (power && !other && !energy).then(|| {
                let column = PowerColumn {
                    at,
                    name: name.clone(),
                    watts,
                };
                (
                    likelihood(&words, boundary) + i32::from(watts.is_some()),
                    column,
                )
            })
        })
        .collect();
    found.sort_by_key(|(likelihood, column)| (-likelihood, column.at));
    found.into_iter().map(|(_, column)| column).collect()
}

/// How well the words of a name fit a boundary.
fn likelihood(words: &[String], boundary: Boundary) -> i32 {
    let (fitting, others): (&[&str], &[&str]) = match boundary {
        Boundary::Wall | Boundary::Unknown => (
            &["wall", "plug", "system", "total", "apower", "ac"],
            &["core", "cores"],
        ),
        Boundary::Board | Boundary::Module => (
            &["gpu", "board", "tbp", "tgp", "draw", "module"],
            &["cpu", "ia", "core"],
        ),
        Boundary::GpuChip => (&["gpu", "chip", "core"], &["cpu", "ia", "memory", "board"]),
        Boundary::CpuPackage => (&["cpu", "package"], &["gpu", "core", "cores", "ia"]),
        Boundary::Soc => (&["combined", "soc", "package"], &["core", "cores", "ia"]),
    };
    let count = |of: &[&str]| words.iter().filter(|word| of.contains(&&***word)).count() as i32;
    let newest = words.iter().any(|word| word == "instant");
    let part = words
        .iter()
        .any(|word| ["average", "avg", "memory", "dram"].contains(&&**word));
    4 * count(fitting) - 4 * count(others) + i32::from(newest) - i32::from(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(header: &[&str], boundary: Boundary) -> Option<(usize, Option<f64>)> {
        let header: Vec<String> = header.iter().map(|name| (*name).to_owned()).collect();
        let found = power_columns(&header, boundary);
        found.first().map(|column| (column.at, column.watts))
    }

    #[test]
    fn the_power_that_is_drawn_is_told_from_its_kin() {
        for (header, at, watts) in [
            (
                &["timestamp", "power.limit [W]", "power.draw [W]"][..],
                2,
                Some(1.0),
            ),
            (&["time", "apparent_power_va", "power_w"], 2, Some(1.0)),
            (&["time", "energy_wh", "power_w"], 2, Some(1.0)),
            (&["Time", "Power (mW)"], 1, Some(1e-3)),
            (&["time", "power_kw"], 1, Some(1e3)),
            (&["Time", "Power"], 1, None),
            (&["t", "power factor", "power [%]", "W"], 3, Some(1.0)),
            (
                &[
                    "Date",
                    "Time",
                    "PL1 Power Limit (Static) [W]",
                    "GPU Power [W]",
                ],
                3,
                Some(1.0),
            ),
        ] {
            assert_eq!(
                first(header, Boundary::Wall),
                Some((at, watts)),
                "{header:?}"
            );
        }
        assert_eq!(
            first(&["time", "power_limit_w", "va"], Boundary::Wall),
            None
        );
    }

    #[test]
    fn a_boundary_chooses_among_several() {
        let header = [
            "Date",
            "Time",
            "CPU Package Power [W]",
            "IA Cores Power [W]",
            "GPU Power [W]",
            "Total System Power [W]",
        ];
        for (boundary, at) in [
            (Boundary::CpuPackage, 2),
            (Boundary::Board, 4),
            (Boundary::Wall, 5),
        ] {
            assert_eq!(
                first(&header, boundary),
                Some((at, Some(1.0))),
                "{boundary}"
            );
        }
    }
}
