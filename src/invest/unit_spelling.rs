//! Units as people spell them after `--set`: `tok/s`, `kw`, `gCO2e/kWh`, `Gbit/s`. What two people read differently is
//! refused with both readings, here for bits and bytes, thousandths and millions.

/// A unit as it is called here, from the ways in which people spell it.
///
/// # Errors
/// It may be bits or bytes, or thousandths or millions.
pub(super) fn spelled(name: &str, unit: &str) -> Result<String, String> {
    let lower = name.to_ascii_lowercase();
    if let Some(word) = in_figures(lower.trim_end_matches('$')) {
        return Ok(word.to_owned());
    }
    let as_upper = |prefix: &str| prefix.to_uppercase().replace('K', "k");
    let one_of = |all: &[&str]| all.contains(&lower.as_str());
    Ok(match unit {
        "years" if one_of(&["y", "yr", "yrs", "year", "a"]) => unit.to_owned(),
        "accelerators" if one_of(&["gpu", "gpus", "chips", "cards", "tpus", "accelerator"]) => {
            unit.to_owned()
        }
        "tokens/s" if one_of(&["t/s", "tps"]) => unit.to_owned(),
        "tokens/s" => match lower.strip_suffix("ec").unwrap_or(&lower).split_once("tok") {
            Some((prefix, "/s" | "s/s" | "ens/s" | "en/s")) => {
                format!("{}tokens/s", &name[..prefix.len()])
            }
            _ => name.to_owned(),
        },
        "g/kWh" | "kg" => ["CO2eq", "CO2e", "CO₂e", "CO2", "CO₂"]
            .iter()
            .find(|gas| name.contains(**gas))
            .map_or_else(|| name.to_owned(), |gas| name.replace(*gas, "")),
        "TFLOP/s" | "FLOP" => {
            let wanted = unit.trim_start_matches('T');
            let ends: &[&str] = match wanted {
                "FLOP" => &["flops", "flop"],
                _ => &["flop/sec", "flop/s", "flops"],
            };
            match ends.iter().find_map(|end| lower.strip_suffix(end)) {
                Some(prefix) if prefix.len() <= 1 => as_upper(prefix) + wanted,
                _ => name.to_owned(),
            }
        }
        "W" => match lower.strip_suffix('w') {
            Some("m") if name != "MW" => {
                return Err("`mW` is milliwatts and `MW` megawatts: write MW".to_owned());
            }
            Some(prefix @ ("" | "k" | "m" | "g" | "t")) => as_upper(prefix) + "W",
            _ => name.to_owned(),
        },
        "GB" | "GB/s" => bytes(name, &lower, unit)?,
        "$/kWh" if one_of(&["¢", "ct", "cent", "cents"]) => "c/kWh".to_owned(),
        "$/kWh"
            if ["¢/", "c/", "ct/"]
                .iter()
                .any(|cents| name.starts_with(cents)) =>
        {
            // A cent a kWh is ten dollars a MWh.
            format!("c/{}", name.split_once('/').map_or("", |(_, per)| per))
        }
        _ => name.to_owned(),
    })
}

/// Words for powers of ten, as prefixes.
fn in_figures(lower: &str) -> Option<&'static str> {
    Some(match lower {
        "thousand" => "k",
        "million" | "millions" | "mln" | "mio" => "million",
        "billion" | "billions" | "bln" | "bn" | "mrd" | "milliard" => "billion",
        "trillion" | "trillions" => "trillion",
        _ => return None,
    })
}

/// Bytes, where neither bits nor a wrong case leave two readings.
fn bytes(name: &str, lower: &str, unit: &str) -> Result<String, String> {
    let (own, per) = unit
        .split_once('/')
        .map_or((unit, ""), |(own, _)| (own, "/s"));
    let ends = ["bps", "bit/s", "b/sec", "b/s", "bit", "b"];
    let Some(prefix) = ends.iter().find_map(|end| lower.strip_suffix(end)) else {
        return Ok(name.to_owned());
    };
    let is_a_rate = lower.ends_with("ps") || lower.contains('/');
    let is_known = ["", "k", "m", "g", "t", "ki", "mi", "gi", "ti"].contains(&prefix);
    if !is_known || is_a_rate == per.is_empty() {
        return Ok(name.to_owned());
    }
    let upper = prefix[..prefix.len().min(1)]
        .to_uppercase()
        .replace('K', "k");
    let upper = upper + &prefix[prefix.len().min(1)..];
    let is_bits = lower.contains("bit") || name.ends_with("bps");
    if is_bits {
        return Ok(format!("{upper}bit{per}"));
    }
    if !name[prefix.len()..].starts_with('B') || !prefix_as_written(name, &upper) {
        return Err(format!(
            "{name:?} may be bytes or bits: write {upper}B{per} or {upper}bit{per}; {own}{per} is asked for"
        ));
    }
    Ok(format!("{upper}B{per}"))
}

/// Whether a prefix stands as it should: nobody writes `tB` for another thing than `TB`, but `tb` is no unit.
fn prefix_as_written(name: &str, upper: &str) -> bool {
    name.starts_with(upper) || name.to_uppercase().starts_with("K")
}
