//! Which column of a log holds the power, in which unit, and whose it is: from the names that tools give them.

use super::choice::LogChoice;
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

/// Watts of the unit that a name states last, as `power_kw`, `Power (mW)` or turbostat's `PkgWatt`.
fn named_unit(name: &str) -> Option<f64> {
    let parts = || name.rsplit(|c: char| !c.is_alphanumeric());
    let ends = |part: &str| {
        let part = part.to_lowercase();
        part.ends_with("watt") || part.ends_with("watts")
    };
    let of_end = || parts().any(ends).then_some(1.0);
    parts().find_map(unit).or_else(of_end)
}

/// Whether a name says that its values are another quantity than a power that is drawn.
pub(super) fn is_other_quantity(name: &str) -> bool {
    let words = words(name);
    let of_power = named_unit(name).is_some();
    name.contains('%')
        || words.iter().any(|word| OTHERS.contains(&&**word))
        || !of_power && words.iter().any(|word| QUANTITIES.contains(&&**word))
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

/// Other quantities, which stand in the name of a power's column all the same where it states watts.
const QUANTITIES: &[&str] = &[
    "energy",
    "voltage",
    "current",
    "temperature",
    "frequency",
    "clock",
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
            (power && !is_other_quantity(name)).then(|| {
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

/// What a meter measures: as it was said, else by the name of its column, else the whole machine at the wall.
///
/// # Errors
/// What was said is not what the name says.
pub(super) fn boundary_of(
    name: &str,
    choice: &LogChoice,
    notes: &mut Vec<String>,
) -> Result<Boundary, String> {
    let named = named_boundary(name);
    let Some(said) = choice.boundary else {
        let boundary = named.unwrap_or(Boundary::Wall);
        notes.push(match named {
            Some(named) => format!("by its name, `{name}` is the power of the {named}"),
            None => {
                format!("`{name}` was taken for the power at the wall; --boundary says what it is")
            }
        });
        return Ok(boundary);
    };
    let Some(named) = named.filter(|named| !are_alike(*named, said)) else {
        return Ok(said);
    };
    if choice.column.is_some() {
        notes.push(format!(
            "by its name, `{name}` is the power of the {named}; it was taken for that of the {said}, as --boundary says"
        ));
        return Ok(said);
    }
    Err(format!(
        "by its name, `{name}` is the power of the {named}, and --boundary says {said}; leave --boundary out, or choose \
         a column with --column"
    ))
}

/// Whose power a column holds by its name, where that says it.
fn named_boundary(name: &str) -> Option<Boundary> {
    let words = words(name);
    let has = |of: &[&str]| words.iter().any(|word| of.contains(&&**word));
    let begins = |stem: &str| words.iter().any(|word| word.starts_with(stem));
    if has(&["wall", "plug", "outlet", "socket", "mains", "ac"]) || begins("psu") {
        Some(Boundary::Wall)
    } else if has(&["combined", "soc", "ane"]) {
        Some(Boundary::Soc)
    } else if has(&["gpu"]) && has(&["chip", "core", "cores"]) {
        Some(Boundary::GpuChip)
    } else if has(&["gpu", "board", "tbp", "tgp", "card", "draw"]) {
        Some(Boundary::Board)
    } else if has(&["cpu", "package", "ia"]) || begins("pkg") {
        Some(Boundary::CpuPackage)
    } else {
        None
    }
}

/// Whether two boundaries may be meant by one name: a driver's `GPU power` is a board's, a module's or a chip's.
fn are_alike(named: Boundary, said: Boundary) -> bool {
    use Boundary::{Board, CpuPackage, GpuChip, Module, Soc, Unknown};
    let is_gpu = |one| matches!(one, Board | GpuChip | Module);
    let is_package = |one| matches!(one, CpuPackage | Soc);
    named == said
        || said == Unknown
        || (is_gpu(named) && is_gpu(said))
        || (is_package(named) && is_package(said))
}

/// Refuses one of several power supplies, which is a part of the machine's power.
pub(super) fn refuse_parts(found: &[PowerColumn]) -> Result<(), String> {
    let is_supply =
        |column: &&PowerColumn| words(&column.name).iter().any(|w| w.starts_with("psu"));
    let supplies: Vec<&str> = found
        .iter()
        .filter(is_supply)
        .map(|column| column.name.as_str())
        .collect();
    match found.first().filter(|first| is_supply(first)) {
        Some(_) if supplies.len() > 1 => Err(format!(
            "the machine draws from {} power supplies ({}); add their columns up in one, as wall_w",
            supplies.len(),
            supplies.join(", ")
        )),
        _ => Ok(()),
    }
}

/// How well the words of a name fit a boundary.
fn likelihood(words: &[String], boundary: Boundary) -> i32 {
    let (fitting, others): (&[&str], &[&str]) = match boundary {
        Boundary::Wall => (
            &["wall", "plug", "system", "total", "apower", "ac"],
            &["core", "cores", "cpu", "gpu"],
        ),
        // The whole machine's before the device's, and that before its neighbours'.
        Boundary::Unknown => (
            &["wall", "plug", "system", "apower", "ac"],
            &["core", "cores", "cpu", "ia", "pkg", "package"],
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
    let device = boundary == Boundary::Unknown && count(&["gpu", "board"]) > 0;
    4 * count(fitting) - 4 * count(others) + 2 * i32::from(device) + i32::from(newest)
        - i32::from(part)
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
