//! How late the rows of a meter's log may be. No log says whether a row is a look, an average over the time before it
//! or a value that came late, and a load that rises looks like a meter that follows slowly. So the lag is a range and
//! never one measured number: from none to the time by which the readings had come down after the load.

use super::observation::Observation;
use crate::power::{Poll, Series};
use crate::units::{Joules, Seconds};

/// Rows by which a log is late at the most where it does not show when the load ended.
const MOST_ROWS: f64 = 3.0;

/// The same at the least, for logs whose rows come quickly: the slowest averages of cards are behind by this.
const MOST_TIME: Seconds = Seconds(1.5);

/// What is left of the fall to idle when readings count as come down, as a share of it.
const LEFT: f64 = 0.1;

/// The longest lag that a log with rows this far apart may have.
pub(super) fn longest_lag(series: &Series, observation: &Observation, period: Seconds) -> Seconds {
    let unknown = Seconds((period * MOST_ROWS).get().max(MOST_TIME.get()));
    come_down(series, observation, unknown).unwrap_or(unknown)
}

/// Energy at the window's ends that the rows give to the rests beside it at the most, whatever the lag: of a fall
/// that an average over W smears, W/8 lies on the other side, and of one that a follower with the time constant τ
/// smears, τ/e. Both are a sixth of the time to come down.
pub(super) fn blurred(series: &Series, observation: &Observation, longest: Seconds) -> Joules {
    const SHARE: f64 = 0.16;
    let whole = observation.groups.first().zip(observation.groups.last());
    let Some((begin, end)) = whole.map(|(first, last)| (first.start(), last.end())) else {
        return Joules(0.0);
    };
    let quarter = (end - begin) / 4.0;
    let step = |load: (Seconds, Seconds), rest: (Seconds, Seconds)| {
        let of = |(from, to)| powers(series, from, to).into_iter().map(|(_, watts)| watts);
        let high = of(load).fold(0.0, f64::max);
        (high - of(rest).fold(high, f64::min)) * longest.get()
    };
    let after = step((end - quarter, end + longest), (end, end + longest * 2.0));
    // Behind a longer warm-up nothing of the rise is left.
    let before = match observation.warm_up.get() < longest.get() {
        true => step(
            (begin, begin + quarter + longest),
            (observation.idle_before.1, begin + longest),
        ),
        false => 0.0,
    };
    Joules(SHARE * (after + before))
}

/// Time from the end of the load until the readings had come down to idle and stayed there; none where they do not
/// show one fall that is the end of the load.
fn come_down(series: &Series, observation: &Observation, unknown: Seconds) -> Option<Seconds> {
    /// A smaller fall than this share of the power under load is none that shows.
    const SHOWS: f64 = 0.2;
    let (first, last) = (observation.groups.first()?, observation.groups.last()?);
    let (begin, end) = (first.start(), last.end());
    let half = Seconds(f64::midpoint(begin.get(), end.get()));
    let after = powers(series, end, observation.idle_after.1 + unknown);
    let lowest = |rows: &[(f64, f64)]| rows.iter().map(|(_, w)| *w).fold(f64::INFINITY, f64::min);
    // Where the load itself comes down near to idle, it is unknown which fall is its end.
    let (load, idle) = (lowest(&powers(series, half, end)), lowest(&after));
    if !load.is_finite() || load - idle < SHOWS * load {
        return None;
    }
    let low = |watts: f64| watts <= idle + LEFT * (load - idle);
    let down = after.iter().position(|(_, watts)| low(*watts))?;
    let resting = after[down..].iter().take_while(|(_, w)| low(*w));
    let from = after[down].0;
    let until = resting.clone().last().map_or(from, |(at, _)| *at);
    // A dip that is as short as the fall is not idle but the middle of a fall and a rise.
    let stays = resting.count() >= 2 && until - from >= 0.5 * (from - end.get());
    stays.then(|| Seconds(from - end.get()))
}

/// The powers that rows within a stretch of time say.
pub(super) fn powers(series: &Series, from: Seconds, to: Seconds) -> Vec<(f64, f64)> {
    series.between(from, to).filter_map(Poll::power).collect()
}
