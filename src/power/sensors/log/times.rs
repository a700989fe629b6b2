//! Times as tools write them into their logs.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

/// A time that was read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ReadTime {
    pub(super) unix_s: f64,
    /// Whether the text names no zone, so that one had to be assumed.
    pub(super) zoneless: bool,
}

/// Seconds since 1970 of a time since 1970 in any unit, of RFC 3339, or of a date and a time of day, which are in
/// `zone` where they name none.
pub(super) fn unix_seconds(text: &str, zone: &TimeZone) -> Result<ReadTime, String> {
    if let Ok(number) = text.parse::<f64>() {
        let scale = match number {
            n if (1e8..1e11).contains(&n) => 1.0,
            n if (1e11..1e14).contains(&n) => 1e-3,
            n if (1e14..1e17).contains(&n) => 1e-6,
            n if (1e17..1e20).contains(&n) => 1e-9,
            _ => return Err(format!("`{text}` is not a time since 1970")),
        };
        return Ok(ReadTime {
            unix_s: number * scale,
            zoneless: false,
        });
    }
    if let Ok(timestamp) = text.replacen(' ', "T", 1).parse::<Timestamp>() {
        return Ok(ReadTime {
            unix_s: seconds(timestamp),
            zoneless: false,
        });
    }
    let unread = || {
        format!(
            "`{text}` is not a time; use seconds since 1970, or 2026-01-31T12:00:00.5Z with its zone"
        )
    };
    let local = civil(text).ok_or_else(unread)?;
    let zoned = local.to_zoned(zone.clone()).map_err(|_| unread())?;
    Ok(ReadTime {
        unix_s: seconds(zoned.timestamp()),
        zoneless: true,
    })
}

fn seconds(timestamp: Timestamp) -> f64 {
    timestamp.as_nanosecond() as f64 * 1e-9
}

/// A date and a time of day: `2026/11/27 23:51:38.075`, `27.11.2026 23:51:38.075`, `2026-11-27 23:51:38`.
fn civil(text: &str) -> Option<DateTime> {
    let (date, time) = text.split_once([' ', 'T'])?;
    let numbers: Vec<i16> = date
        .split(['/', '-', '.'])
        .map(|part| part.parse().ok())
        .collect::<Option<_>>()?;
    let [first, month, last] = numbers[..] else {
        return None;
    };
    // With slashes and the year at the end, nobody can tell day from month.
    let year_first = first > 31;
    if !year_first && date.contains('/') {
        return None;
    }
    let (year, day) = if year_first {
        (first, last)
    } else {
        (last, first)
    };
    let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    // Hours may have one digit.
    let time = time.trim();
    let padded = match time.find(':') {
        Some(1) => format!("0{time}"),
        _ => time.to_owned(),
    };
    let time: Time = padded.replace(',', ".").parse().ok()?;
    Some(DateTime::from_parts(date, time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_many_tools_are_the_same_time() {
        for text in [
            "1800000001.5",
            "1800000001500",
            "2027-01-15T08:00:01.5Z",
            "2027-01-15 09:00:01.5+01:00",
            "2027/01/15 08:00:01.500",
            "15.01.2027 8:00:01.500",
            "2027-01-15 08:00:01.500000000",
        ] {
            let read = unix_seconds(text, &TimeZone::UTC);
            let read = read.unwrap_or_else(|why| panic!("{why}"));
            assert!(
                (read.unix_s - 1_800_000_001.5).abs() < 1e-6,
                "{text}: {read:?}"
            );
        }
        for text in ["12", "01/02/2027 08:00:01", "noon", ""] {
            assert!(unix_seconds(text, &TimeZone::UTC).is_err(), "{text}");
        }
    }
}
