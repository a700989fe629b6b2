//! amdgpu's `gpu_metrics`: a binary table whose layout its header names.
//!
//! Source of the layouts: `drivers/gpu/drm/amd/include/kgd_pp_interface.h` of the Linux kernel. Fields
//! that the firmware does not fill hold all ones.

/// What perwatt takes from the table.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct GpuMetrics {
    /// Whether the table is one of an APU.
    pub(super) apu: bool,
    /// Energy in units of 2⁻¹⁶ J.
    pub(super) energy: Option<u64>,
    /// Bits of [`THROTTLERS`].
    pub(super) throttle: Option<u64>,
    /// Hottest spot of the chip, °C.
    pub(super) hotspot_c: Option<f64>,
}

/// Joules of one unit of the energy accumulator.
pub(super) const ENERGY_UNIT: f64 = 1.0 / 65536.0;

/// Groups of bits of the throttle status that does not depend on the chip (`SMU_THROTTLER_*`).
pub(super) const THROTTLERS: [(u64, &str); 4] = [
    (0x0000_0000_0000_ffff, "power limit"),
    (0x0000_0000_ffff_0000, "current limit"),
    (0x0000_ffff_0000_0000, "temperature"),
    (0xffff_0000_0000_0000, "voltage regulator or other"),
];

/// Where the fields of a fixed layout are, in bytes from the start.
struct MetricsLayout {
    energy: usize,
    /// Width of the energy field.
    energy_bytes: usize,
    hotspot: usize,
    throttle: Option<usize>,
}

/// The layout of one version of the discrete cards' table.
fn layout(content: u8) -> Option<MetricsLayout> {
    let layout = |energy, energy_bytes, hotspot, throttle| MetricsLayout {
        energy,
        energy_bytes,
        hotspot,
        throttle,
    };
    Some(match content {
        // The first version puts a 64-bit time after the header, and has a 32-bit accumulator.
        0 => layout(36, 4, 18, None),
        1 | 2 => layout(24, 8, 6, None),
        3 => layout(24, 8, 6, Some(112)),
        4 => layout(24, 8, 4, None),
        5 | 6 => layout(88, 8, 4, None),
        7 | 8 => layout(24, 8, 4, None),
        _ => return None,
    })
}

/// Reads a table.
///
/// # Errors
/// It is of a version that is not known, or shorter than it says; the message says which.
pub(super) fn parse(table: &[u8]) -> Result<GpuMetrics, String> {
    let &[low, high, format, content, ..] = table else {
        return Err("gpu_metrics is shorter than its header".to_owned());
    };
    let stated = usize::from(u16::from_le_bytes([low, high]));
    // Version 1.9 counts its attributes and states no size that can be relied on.
    let table = match (format, content) {
        (1, 9) => table,
        _ if table.len() < stated => {
            return Err(format!(
                "gpu_metrics v{format}.{content} is {} bytes long and says {stated}",
                table.len()
            ));
        }
        _ => &table[..stated.max(4)],
    };
    match (format, content) {
        (1, 9) => attributes(table),
        (1, content) => {
            let layout = layout(content).ok_or_else(|| unknown(format, content))?;
            Ok(fixed(table, &layout))
        }
        // APUs' tables have no accumulator; the power that they hold is hwmon's too.
        (2 | 3, _) => Ok(GpuMetrics {
            apu: true,
            ..GpuMetrics::default()
        }),
        _ => Err(unknown(format, content)),
    }
}

fn unknown(format: u8, content: u8) -> String {
    format!("gpu_metrics is of version {format}.{content}, whose layout this perwatt does not know")
}

/// Reads a table whose fields have fixed places.
fn fixed(table: &[u8], layout: &MetricsLayout) -> GpuMetrics {
    GpuMetrics {
        apu: false,
        energy: filled(table, layout.energy, layout.energy_bytes),
        throttle: layout.throttle.and_then(|at| filled(table, at, 8)),
        hotspot_c: filled(table, layout.hotspot, 2).map(|c| c as f64),
    }
}

/// A little-endian number, where the table has the field and the firmware filled it.
fn filled(table: &[u8], at: usize, bytes: usize) -> Option<u64> {
    let field = table.get(at..at + bytes)?;
    if field.iter().all(|byte| *byte == 0xff) {
        return None;
    }
    let mut wide = [0; 8];
    wide[..bytes].copy_from_slice(field);
    Some(u64::from_le_bytes(wide))
}

/// Reads version 1.9: after a count, each attribute says what it is, then comes its value. The encoding
/// has the number of values in bits 0 to 9, the attribute in 10 to 19 and the type in 20 to 23.
fn attributes(table: &[u8]) -> Result<GpuMetrics, String> {
    const HOTSPOT: u64 = 0;
    const ENERGY: u64 = 7;
    let cut = || "gpu_metrics v1.9 ends in the middle of an attribute".to_owned();
    let count = filled(table, 4, 4).ok_or_else(cut)?;
    let mut metrics = GpuMetrics::default();
    let mut at = 8;
    for _ in 0..count {
        let encoding = table.get(at..at + 8).ok_or_else(cut)?;
        let encoding = encoding
            .iter()
            .rev()
            .fold(0, |all, byte| all << 8 | u64::from(*byte));
        // Types come in pairs, unsigned and signed, of 1, 2, 4 and 8 bytes.
        let kind = (encoding >> 20) & 0xf;
        if kind > 7 {
            return Err(format!(
                "gpu_metrics v1.9 holds an attribute of unknown type {kind}"
            ));
        }
        let width = 1 << (kind / 2);
        let values = (encoding & 0x3ff) as usize;
        at += 8;
        if table.len() < at + width * values {
            return Err(cut());
        }
        match (encoding >> 10) & 0x3ff {
            HOTSPOT if values > 0 => metrics.hotspot_c = filled(table, at, width).map(|c| c as f64),
            ENERGY if values > 0 => metrics.energy = filled(table, at, width),
            _ => {}
        }
        at += width * values;
    }
    Ok(metrics)
}

/// The throttle bits in words.
pub(super) fn throttlers(bits: u64) -> Vec<String> {
    THROTTLERS
        .iter()
        .filter(|(mask, _)| bits & mask != 0)
        .map(|(_, name)| (*name).to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table of one version, its size in the header and all else unfilled.
    fn table(size: u16, format: u8, content: u8) -> Vec<u8> {
        let mut table = vec![0xff; usize::from(size)];
        table[..2].copy_from_slice(&size.to_le_bytes());
        table[2..4].copy_from_slice(&[format, content]);
        table
    }

    fn put(table: &mut [u8], at: usize, value: &[u8]) {
        table[at..at + value.len()].copy_from_slice(value);
    }

    #[test]
    fn each_version_has_its_energy_where_the_kernel_puts_it() {
        for (content, size, at) in [
            (1, 96, 24),
            (2, 104, 24),
            (3, 120, 24),
            (4, 320, 24),
            (5, 400, 88),
            (6, 424, 88),
            (7, 900, 24),
            (8, 900, 24),
        ] {
            let mut table = table(size, 1, content);
            put(&mut table, at, &0x1_2345_6789_u64.to_le_bytes());
            let metrics = parse(&table).map(|m| m.energy);
            assert_eq!(metrics, Ok(Some(0x1_2345_6789)), "v1.{content}");
        }
        let mut first = table(80, 1, 0);
        put(&mut first, 36, &77_u32.to_le_bytes());
        assert_eq!(parse(&first).map(|m| m.energy), Ok(Some(77)));
    }

    #[test]
    fn an_unfilled_field_is_absent_and_not_a_huge_number() {
        assert_eq!(parse(&table(120, 1, 3)), Ok(GpuMetrics::default()));
        let mut zero = table(120, 1, 3);
        put(&mut zero, 24, &0_u64.to_le_bytes());
        assert_eq!(parse(&zero).map(|m| m.energy), Ok(Some(0)));
    }

    #[test]
    fn throttling_is_named() {
        let mut hot = table(120, 1, 3);
        put(&mut hot, 112, &(1_u64 << 36 | 1).to_le_bytes());
        let bits = parse(&hot).ok().and_then(|m| m.throttle).unwrap_or(0);
        assert_eq!(throttlers(bits), ["power limit", "temperature"]);
    }

    #[test]
    fn attributes_are_walked_by_what_they_say_they_are() {
        let attribute =
            |id: u64, kind: u64, values: u64| (kind << 20 | id << 10 | values).to_le_bytes();
        let mut table = table(8, 1, 9);
        put(&mut table, 4, &3_i32.to_le_bytes());
        table.extend(attribute(33, 2, 3));
        table.extend([1, 0, 2, 0, 3, 0]);
        table.extend(attribute(7, 6, 1));
        table.extend(99_u64.to_le_bytes());
        table.extend(attribute(0, 3, 1));
        table.extend(42_i16.to_le_bytes());
        let metrics = parse(&table).unwrap_or_default();
        assert_eq!((metrics.energy, metrics.hotspot_c), (Some(99), Some(42.0)));
        table.pop();
        assert!(parse(&table).is_err());
    }

    #[test]
    fn apus_have_no_accumulator_and_strange_tables_are_named() {
        assert!(parse(&table(120, 2, 2)).is_ok_and(|m| m.apu && m.energy.is_none()));
        for (size, format, content) in [(120, 9, 1), (120, 1, 42)] {
            let message = parse(&table(size, format, content)).unwrap_err();
            assert!(
                message.contains(&format!("{format}.{content}")),
                "{message}"
            );
        }
        assert!(parse(&[1, 2]).is_err());
        assert!(parse(&table(120, 1, 3)[..100]).is_err());
    }
}
