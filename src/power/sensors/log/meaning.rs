//! What the numbers of a table are where the name of their column does not say it, and whether they can be powers.

use super::super::command::MOST;
use super::columns::{PowerColumn, entity_power, unit};
use crate::power::plausible::LEAST;
use crate::units::Watts;

/// Refuses a log whose mean nothing draws, by the bounds of a meter that is read as it speaks.
pub(super) fn plausible(rows: &[(f64, Watts)], header: &[String]) -> Result<(), String> {
    let mean = rows.iter().map(|(_, watts)| watts.get()).sum::<f64>() / rows.len().max(1) as f64;
    let (least, most) = (LEAST.get(), MOST.get());
    if (least..=most).contains(&mean) {
        return Ok(());
    }
    let names = match header {
        [] => "columns without names".to_owned(),
        names => names.join(", "),
    };
    Err(format!(
        "its mean power is {mean:.3e} W, and a device draws {least} W to {most} W; the unit or the column is another one \
         (MW is megawatts, mW is milliwatts, and mw was read as milliwatts); write the right unit into the name of \
         the power's column, as power_w, or name another one with --column; the columns: {names}"
    ))
}

/// Refuses a text that is no table.
pub(super) fn refuse_other_forms(text: &str) -> Result<(), String> {
    let form = match text
        .trim_start_matches('\u{feff}')
        .trim_start()
        .chars()
        .next()
    {
        Some('{' | '[') => "JSON",
        Some('<') => "XML",
        _ => return Ok(()),
    };
    Err(format!(
        "it is {form}, and a table is needed: a line of names as time,power_w and a line for each reading"
    ))
}

/// A row of a table with the number of its line.
pub(super) type NumberedRow = (u64, csv::StringRecord);

/// Takes a table without names only where its second column alone can be the power.
pub(super) fn unnamed(
    header: &[String],
    rows: &[NumberedRow],
    notes: &mut Vec<String>,
) -> Result<(), String> {
    /// Volts of the world's mains.
    const MAINS: [(f64, f64); 2] = [(100.0, 130.0), (207.0, 253.0)];
    /// What mains vary by, as a share.
    const STEADY: f64 = 0.05;
    if !header.is_empty() {
        return Ok(());
    }
    let columns = rows.first().map_or(0, |(_, record)| record.len());
    let write = "write the columns' names into a first line, as time,power_w";
    if columns > 2 {
        return Err(format!(
            "its {columns} columns have no names, so which is the power is unknown; {write}"
        ));
    }
    let cells = rows.iter().filter_map(|(_, record)| record.get(1));
    let values: Vec<f64> = cells.filter_map(|cell| cell.parse().ok()).collect();
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(0.0, f64::max);
    let mains = MAINS
        .iter()
        .any(|(from, to)| *from <= least && most <= *to && most - least < STEADY * most);
    // Two rows are steady by chance.
    if mains && values.len() > 10 {
        return Err(format!(
            "its second column has no name and stays between {least:.1} and {most:.1}, as the volts of a mains do; \
             if they are watts, {write}"
        ));
    }
    notes.push(format!(
        "its columns have no names; the second was taken for watts; if it is not, {write}"
    ));
    Ok(())
}

/// Takes the unit of a house's sensor from the log's column of units, else from the entity's name.
pub(super) fn entity_unit(
    header: &[String],
    rows: &[NumberedRow],
    power: &mut PowerColumn,
    device: Option<&str>,
) -> Result<(), String> {
    let at = |wanted: &[&str]| {
        header
            .iter()
            .position(|name| wanted.contains(&name.to_lowercase().as_str()))
    };
    let Some(entities) = at(&["entity_id"]).filter(|_| power.name.eq_ignore_ascii_case("state"))
    else {
        return Ok(());
    };
    let cell = |row: &csv::StringRecord, at| row.get(at).unwrap_or_default().to_owned();
    let row = rows.iter().map(|(_, record)| record).find(|record| {
        let own = record.get(entities).unwrap_or_default();
        device.map_or(!own.is_empty(), |device| device == own)
    });
    let Some(row) = row else {
        return Ok(());
    };
    let name = cell(row, entities);
    let stated = at(&["unit_of_measurement", "unit", "units"])
        .map(|at| cell(row, at))
        .filter(|unit| !unit.is_empty());
    if let Some(stated) = stated {
        power.watts = Some(unit(&stated).ok_or_else(|| {
            format!(
                "the states of {name} are in {stated}, which is no unit of power; attach the history of the \
                 entity that measures watts, or choose it with --log-device"
            )
        })?);
        return Ok(());
    }
    let found = entity_power(&name).ok_or_else(|| {
        format!(
            "column `state` holds the values of {name}, and that name says no power; attach the history of the \
             entity that measures watts, or choose it with --log-device; if this one does, add a column \
             unit_of_measurement with W, or end the name in _w"
        )
    })?;
    power.watts = found.watts;
    Ok(())
}
