//! The rows of a log in the order of time: logs that begin with the newest row, rows that stand there twice, and times
//! whose seconds are whole while several rows come in one.

use std::cmp::Ordering;

use crate::units::Watts;

/// One row: seconds since 1970, and the power from then on.
pub type LogRow = (f64, Watts);

/// A row with the number of its line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TimedRow {
    pub(super) line: u64,
    pub(super) at: f64,
    pub(super) watts: Watts,
}

/// Keeps a row that is later than the one before; of another it says why it is left out.
pub(super) fn keep_rising(
    kept: &mut Vec<LogRow>,
    row: LogRow,
    line: u64,
    left_out: &mut Vec<String>,
) {
    match kept.last() {
        Some((last, _)) if *last >= row.0 => left_out.push(format!(
            "line {line}: its time is not after that of the row before"
        )),
        _ => kept.push(row),
    }
}

/// Share of steps, or of groups of rows, that make a habit of a log.
const HABIT: f64 = 0.9;

/// The rows with rising times, and those that fit nowhere, with the reason.
///
/// # Errors
/// They are of several devices that no column tells apart.
pub(super) fn in_order(
    mut rows: Vec<TimedRow>,
    notes: &mut Vec<String>,
) -> Result<(Vec<LogRow>, Vec<String>), String> {
    if newest_first(&rows) {
        rows.reverse();
        notes.push("its rows begin with the newest; they were read backwards".to_owned());
    }
    let groups = grouped(&rows);
    refuse_several(&rows, &groups)?;
    let whole = rows.len() > 2 && rows.iter().all(|row| row.at.fract() == 0.0);
    // Of several rows in a second a few are alike by chance.
    let once = !whole || are_doubled(&groups);
    let (mut kept, mut misfits): (Vec<LogRow>, Vec<String>) = (Vec::new(), Vec::new());
    let mut twice = 0_usize;
    for group in &groups {
        let same = once && same(group);
        let places = if same || !whole { &group[..1] } else { group };
        for (place, row) in places.iter().enumerate() {
            // A second that is cut off ends later than it says.
            let into = (place as f64 + 1.0) / places.len() as f64;
            let at = row.at + if whole { into } else { 0.0 };
            keep_rising(&mut kept, (at, row.watts), row.line, &mut misfits);
        }
        match same {
            true => twice += group.len() - 1,
            false => misfits.extend(group[places.len()..].iter().map(|row| {
                format!(
                    "line {}: its time is that of the row before, and its power is not",
                    row.line
                )
            })),
        }
    }
    if twice > 0 {
        notes.push(format!(
            "{twice} rows stand in it more than once and were read once"
        ));
    }
    if whole {
        notes.push(
            "its times are whole seconds; each row was placed at the end of its part of the second"
                .to_owned(),
        );
    }
    Ok((kept, misfits))
}

/// Whether the times fall from row to row.
fn newest_first(rows: &[TimedRow]) -> bool {
    let steps = rows.windows(2).map(|pair| pair[1].at - pair[0].at);
    let (falling, rising): (Vec<f64>, Vec<f64>) = steps
        .filter(|step| *step != 0.0)
        .partition(|step| *step < 0.0);
    falling.len() > 1 && rising.len() * 10 <= falling.len()
}

/// Whether a log holds its rows more than once by habit.
fn are_doubled(groups: &[&[TimedRow]]) -> bool {
    let several: Vec<bool> = groups
        .iter()
        .filter(|group| group.len() > 1)
        .map(|group| same(group))
        .collect();
    let doubled = several.iter().filter(|same| **same).count();
    doubled as f64 >= HABIT * several.len() as f64
}

/// Whether rows say the same.
fn same(group: &[TimedRow]) -> bool {
    group.iter().all(|row| row.watts == group[0].watts)
}

/// Rows of the same time that follow one another.
fn grouped(rows: &[TimedRow]) -> Vec<&[TimedRow]> {
    rows.chunk_by(|a, b| a.at.total_cmp(&b.at).is_eq())
        .collect()
}

/// Refuses a log in which several devices take turns: as many rows at each time, or within moments, whose places have
/// powers of their own.
fn refuse_several(rows: &[TimedRow], groups: &[&[TimedRow]]) -> Result<(), String> {
    /// Fewer groups are none to judge by.
    const FEWEST: usize = 4;
    let turns = groups.iter().map(|group| group.len()).collect::<Vec<_>>();
    let size = match turns.iter().max() {
        Some(1) => bursts(rows),
        Some(most) => Some(*most),
        None => None,
    };
    let Some(size) = size.filter(|size| *size > 1 && rows.len() >= FEWEST * size) else {
        return Ok(());
    };
    let even = turns.iter().all(|turn| *turn == 1)
        || turns.iter().filter(|turn| **turn == size).count() as f64 >= HABIT * turns.len() as f64;
    let whole = rows.iter().all(|row| row.at.fract() == 0.0);
    // Of one meter, the power goes on from row to row; of several, it jumps to and fro.
    let jumps = |from: usize, to: usize| {
        rows.iter()
            .skip(from)
            .step_by(size)
            .zip(rows.iter().skip(to).step_by(size))
            .map(|(a, b)| (b.watts - a.watts).get())
            .collect::<Vec<f64>>()
    };
    let alternates = || {
        let (inside, across) = (jumps(0, size - 1), jumps(size - 1, size));
        let (up, down) = (
            share(&inside, Ordering::Greater),
            share(&inside, Ordering::Less),
        );
        (up >= HABIT && share(&across, Ordering::Less) >= HABIT)
            || (down >= HABIT && share(&across, Ordering::Greater) >= HABIT)
    };
    let same = || share(&jumps(0, size - 1), Ordering::Equal) >= HABIT;
    if !even || same() || (whole && !alternates()) {
        return Ok(());
    }
    Err(format!(
        "{size} rows come at a time, as of {size} devices or of one that speaks {size} times, and no column tells them \
         apart; add the devices' column, as nvidia-smi's index, and choose one with --log-device, or write times \
         with parts of a second"
    ))
}

/// Share of numbers that stand so to zero.
fn share(numbers: &[f64], sign: Ordering) -> f64 {
    let fit = numbers
        .iter()
        .filter(|number| number.partial_cmp(&&0.0) == Some(sign));
    fit.count() as f64 / numbers.len().max(1) as f64
}

/// Rows that come within moments of each other again and again, as those of several cards do that are asked one after
/// the other: how many.
fn bursts(rows: &[TimedRow]) -> Option<usize> {
    /// Time within a burst, as a share of that between bursts.
    const MOMENT: f64 = 0.2;
    let steps: Vec<f64> = rows
        .windows(2)
        .map(|pair| pair[1].at - pair[0].at)
        .collect();
    let longest = steps.iter().copied().fold(0.0, f64::max);
    let ends: Vec<usize> = (0..steps.len())
        .filter(|at| steps[*at] > MOMENT * longest)
        .collect();
    let size = ends.windows(2).next().map(|pair| pair[1] - pair[0])?;
    let regular = ends
        .windows(2)
        .filter(|pair| pair[1] - pair[0] == size)
        .count() as f64
        >= HABIT * (ends.len() - 1) as f64;
    (regular && size > 1).then_some(size)
}
