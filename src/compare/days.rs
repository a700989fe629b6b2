//! Which sessions were measured on one day, whose conditions they then share.

use std::collections::HashMap;

use super::session::Session;

/// Sessions that start within so many seconds of a day's first are of that day. A night that runs past
/// midnight is one day by this, and one session every night are as many days.
const DAY_S: f64 = 16.0 * 3600.0;

/// Whether all of a side is known to have started after all of the other.
pub(super) fn follows(
    first: impl IntoIterator<Item = Option<f64>>,
    second: impl IntoIterator<Item = Option<f64>>,
) -> bool {
    let first: Option<Vec<f64>> = first.into_iter().collect();
    let last = first.map(|starts| starts.into_iter().fold(f64::NEG_INFINITY, f64::max));
    last.is_some_and(|last| {
        let mut second = second.into_iter();
        second.all(|start| start.is_some_and(|start| start > last))
    })
}

/// The day of each session, by its identity. Of sessions whose start is unknown, those of one side are
/// taken to share a day, and the two sides not to: the most careful reading.
pub(super) fn days_of(baseline: &[&Session], candidate: &[&Session]) -> HashMap<String, usize> {
    let sessions = || baseline.iter().chain(candidate);
    let starts: Vec<Option<f64>> = sessions().map(|session| session.started_s).collect();
    let numbers = (0..).zip(sessions()).zip(number(&starts));
    numbers
        .map(|((place, session), day)| {
            let undated = usize::from(place >= baseline.len());
            (session.id.clone(), day.unwrap_or(undated))
        })
        .collect()
}

/// Numbers the days of some starts, from two on.
fn number(starts: &[Option<f64>]) -> Vec<Option<usize>> {
    let mut dated: Vec<(f64, usize)> = starts
        .iter()
        .zip(0..)
        .filter_map(|(start, place)| Some(((*start)?, place)))
        .collect();
    dated.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut days = vec![None; starts.len()];
    let (mut day, mut began) = (1, f64::NEG_INFINITY);
    for (start, place) in dated {
        if start - began >= DAY_S {
            day += 1;
            began = start;
        }
        days[place] = Some(day);
    }
    days
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_night_past_midnight_is_one_day_and_nightly_sessions_are_as_many() {
        let of = |hours: &[f64]| {
            let starts: Vec<Option<f64>> = hours.iter().map(|h| Some(h * 3600.0)).collect();
            number(&starts)
        };
        assert_eq!(of(&[30.0, 20.0, 23.5, 26.0]), [Some(2); 4]);
        assert_eq!(of(&[44.0, 20.0, 68.0]), [Some(3), Some(2), Some(4)]);
        assert_eq!(number(&[None, Some(0.0)]), [None, Some(2)]);
    }
}
