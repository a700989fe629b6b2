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

/// Which comes first in dates that end with their year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateOrder {
    /// `31/01/2026`
    DayFirst,
    /// `01/31/2026`
    MonthFirst,
}

/// The order in all the times of a log, whose tool writes one: what a number above 12 shows, else what was stated.
/// None where it does not matter.
///
/// # Errors
/// Two rows show different orders, or what they show is not what was stated, or either order fits.
pub(super) fn date_order<'t>(
    texts: impl Iterator<Item = &'t str>,
    stated: Option<DateOrder>,
) -> Result<Option<DateOrder>, String> {
    let (mut shown, mut open): (Option<(DateOrder, &str)>, Option<&str>) = (None, None);
    for text in texts {
        let Some((first, second, _)) = year_last(text.split([' ', 'T']).next().unwrap_or_default())
        else {
            continue;
        };
        let order = match (first > 12, second > 12) {
            (true, false) => DateOrder::DayFirst,
            (false, true) => DateOrder::MonthFirst,
            (false, false) if first != second => {
                open.get_or_insert(text);
                continue;
            }
            _ => continue,
        };
        match shown {
            Some((before, other)) if before != order => {
                return Err(format!(
                    "`{other}` and `{text}` have day and month in different orders; write all times alike"
                ));
            }
            _ => shown = Some((order, text)),
        }
    }
    match (shown, stated, open) {
        (Some((order, text)), Some(stated), _) if order != stated => Err(format!(
            "`{text}` is not written as --date-order says; leave the option out"
        )),
        (Some((order, _)), ..) => Ok(Some(order)),
        (None, Some(stated), _) => Ok(Some(stated)),
        (None, None, None) => Ok(None),
        (None, None, Some(text)) => Err(either(text)),
    }
}

/// A date that may be read in two ways.
fn either(text: &str) -> String {
    let written = |order| {
        let date = civil_date(text.split([' ', 'T']).next()?, Some(order))?;
        Some(date.strftime("%-d %B %Y").to_string())
    };
    let both = [DateOrder::DayFirst, DateOrder::MonthFirst].map(|o| written(o).unwrap_or_default());
    format!(
        "`{text}` is {} or {}, and no row tells which; say --date-order day-first or month-first",
        both[0], both[1]
    )
}

/// The three numbers of a date that ends with its year and does not stand in the order of dots, which is the day's.
fn year_last(date: &str) -> Option<(i16, i16, i16)> {
    let numbers: Vec<i16> = date
        .split(['/', '-'])
        .map(|part| part.parse().ok())
        .collect::<Option<_>>()?;
    match numbers[..] {
        [first, second, year] if first <= 31 && year > 31 => Some((first, second, year)),
        _ => None,
    }
}

/// Seconds since 1970 of a time since 1970 in any unit, of RFC 3339, or of a date and a time of day, which are in
/// `zone` where they name none.
pub(super) fn unix_seconds(
    text: &str,
    zone: &TimeZone,
    order: Option<DateOrder>,
) -> Result<ReadTime, String> {
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
    let local = civil(text, order).ok_or_else(unread)?;
    let zoned = local.to_zoned(zone.clone()).map_err(|_| unread())?;
    Ok(ReadTime {
        unix_s: seconds(zoned.timestamp()),
        zoneless: true,
    })
}

fn seconds(timestamp: Timestamp) -> f64 {
    timestamp.as_nanosecond() as f64 * 1e-9
}

/// A date and a time of day: `2026/11/27 23:51:38.075`, `27.11.2026 23:51:38.075`, `11/27/2026 11:51:38 PM`.
fn civil(text: &str, order: Option<DateOrder>) -> Option<DateTime> {
    let (date, time) = text.split_once([' ', 'T'])?;
    Some(DateTime::from_parts(
        civil_date(date.trim_end_matches(','), order)?,
        time_of_day(time)?,
    ))
}

/// A date; one that ends with its year, and not by dots, has an order that it does not say.
fn civil_date(date: &str, order: Option<DateOrder>) -> Option<Date> {
    let (year, month, day) = match year_last(date) {
        Some((first, second, year)) => match order {
            Some(DateOrder::MonthFirst) => (year, first, second),
            Some(DateOrder::DayFirst) => (year, second, first),
            // The same number twice.
            None if first == second => (year, first, second),
            None => return None,
        },
        None => {
            let numbers: Vec<i16> = date
                .split(['/', '-', '.'])
                .map(|part| part.parse().ok())
                .collect::<Option<_>>()?;
            match numbers[..] {
                [year, month, day] if year > 31 => (year, month, day),
                [day, month, year] if year > 31 && date.contains('.') => (year, month, day),
                _ => return None,
            }
        }
    };
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// A time of day, of 24 hours or of twice 12. Hours may have one digit.
fn time_of_day(text: &str) -> Option<Time> {
    let text = text.trim().replace(',', ".");
    let small = text
        .to_ascii_lowercase()
        .replace("a.m.", "am")
        .replace("p.m.", "pm");
    let half = ["am", "pm"].into_iter().find(|half| small.ends_with(half));
    let digits = half.map_or(small.as_str(), |half| {
        small[..small.len() - half.len()].trim()
    });
    let padded = match digits.find(':') {
        Some(1) => format!("0{digits}"),
        _ => digits.to_owned(),
    };
    let time: Time = padded.parse().ok()?;
    let hour = match (half, time.hour()) {
        (None, hour) => hour,
        (Some("am"), 12) => 0,
        (Some("pm"), 12) => 12,
        (Some("am"), hour @ 1..12) => hour,
        (Some(_), hour @ 1..12) => hour + 12,
        (Some(_), _) => return None,
    };
    Time::new(hour, time.minute(), time.second(), time.subsec_nanosecond()).ok()
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
            let read = unix_seconds(text, &TimeZone::UTC, None);
            let read = read.unwrap_or_else(|why| panic!("{why}"));
            assert!(
                (read.unix_s - 1_800_000_001.5).abs() < 1e-6,
                "{text}: {read:?}"
            );
        }
        for text in ["12", "01/02/2027 08:00:01", "noon", ""] {
            assert!(unix_seconds(text, &TimeZone::UTC, None).is_err(), "{text}");
        }
    }

    #[test]
    fn halves_of_a_day_are_told_apart() {
        for (text, hour) in [
            ("12:05:07 AM", 0),
            ("1:05:07 am", 1),
            ("12:05:07 p.m.", 12),
            ("01:05:07 PM", 13),
            ("11:05:07PM", 23),
            ("13:05:07", 13),
        ] {
            assert_eq!(time_of_day(text), Time::new(hour, 5, 7, 0).ok(), "{text}");
        }
        for text in ["13:05:07 PM", "0:05:07 AM", "AM", ""] {
            assert_eq!(time_of_day(text), None, "{text}");
        }
    }

    #[test]
    fn day_and_month_are_told_by_any_row_and_never_guessed() {
        let order = |texts: &[&str], stated| date_order(texts.iter().copied(), stated);
        let (day, month) = (DateOrder::DayFirst, DateOrder::MonthFirst);
        assert_eq!(order(&["11/29/2026 1:05:07 PM"], None), Ok(Some(month)));
        assert_eq!(
            order(&["31-01-2026 01:00", "01-02-2026 01:00"], None),
            Ok(Some(day))
        );
        assert_eq!(
            order(&["01/02/2026 09:00:00"], Some(month)),
            Ok(Some(month))
        );
        assert_eq!(
            order(&["2026-01-02 09:00:00", "11/11/2026 09:00:00"], None),
            Ok(None)
        );
        for date in ["01/02/2026 09:00:00", "01-02-2026 09:00:00"] {
            let refused = order(&[date], None).unwrap_err();
            for part in ["1 February 2026", "2 January 2026", "--date-order"] {
                assert!(refused.contains(part), "{refused}");
            }
        }
        assert!(order(&["11/29/2026 1:00", "29/11/2026 1:00"], None).is_err());
        assert!(order(&["11/29/2026 1:00"], Some(day)).is_err());
    }
}
