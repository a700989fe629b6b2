//! The same cases at several power limits: time against energy, and which limits nothing beats in both.

use std::path::PathBuf;

use serde::Serialize;

use super::table::{cell, fold, table, text, with_spread};
use crate::record::{Estimate, Reading};
use crate::units::{Joules, Seconds, Watts, change};

/// A kernel at one power limit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LimitRow {
    /// `case@kernel`.
    pub id: String,
    /// The limit.
    pub limit_w: f64,
    /// Time of one execution in the energy windows; of the timed executions, where no energy was measured.
    pub time_ns: Estimate,
    /// Mean power, idle included.
    pub power_w: Reading<Estimate>,
    /// Energy of one execution.
    pub energy_j: Reading<Estimate>,
    /// Half of the energy's 95 % interval without the sensor's gain, which is the same at all limits.
    pub energy_half_width_j: Reading<f64>,
    /// Whether the outputs were compared with something.
    pub verified: bool,
    /// Whether the record has a simulated sensor.
    pub simulated: bool,
    /// The result file.
    pub file: PathBuf,
}

/// A table for each kernel, and below it what the lowest energy costs in time.
pub fn power_limits(rows: &[LimitRow], width: Option<u16>) -> String {
    let mut ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    let mut seen = std::collections::HashSet::new();
    ids.retain(|id| seen.insert(*id));
    if ids.is_empty() {
        return "Nothing was measured at any limit.\n".to_owned();
    }
    let mut page = String::new();
    for id in ids {
        let of_kernel: Vec<&LimitRow> = rows.iter().filter(|row| row.id == id).collect();
        let mut at_limits = table(&["limit", "time", "power", "energy", ""], 0, width);
        for row in &of_kernel {
            at_limits.add_row(written(row, &of_kernel).into_iter().map(cell));
        }
        let mark = match of_kernel.iter().all(|row| row.verified) {
            true => "",
            false => "  UNVERIFIED: its outputs were compared with nothing",
        };
        page += &format!("{id}{mark}\n{}", text(&at_limits));
        page += &fold(&verdict(&of_kernel), "  ", width);
        page += "\n";
    }
    page +=
        "± is half of a 95 % confidence interval; time and energy are of the same executions.\n";
    if rows.iter().any(|row| row.simulated) {
        page += "SIMULATED: the power sensor is made up, so these joules say nothing about the device.\n";
    }
    page
}

fn written(row: &LimitRow, all: &[&LimitRow]) -> [String; 5] {
    let energy = row.energy_j.measured();
    [
        Watts(row.limit_w).to_string(),
        with_spread(&row.time_ns, |ns| Seconds::from_ns(ns).to_string()),
        row.power_w.measured().map_or("–".to_owned(), |power| {
            with_spread(power, |watts| Watts(watts).to_string())
        }),
        energy.map_or("–".to_owned(), |energy| {
            with_spread(energy, |joules| Joules(joules).to_string())
        }),
        match energy {
            Some(_) if !is_beaten(row, all) => "nothing is better in both".to_owned(),
            Some(_) => String::new(),
            None => row.energy_j.reason().unwrap_or_default().to_owned(),
        },
    ]
}

/// Whether another limit takes less time and less energy, by the values themselves.
fn is_beaten(row: &LimitRow, all: &[&LimitRow]) -> bool {
    let Some(energy) = row.energy_j.measured() else {
        return true;
    };
    all.iter().any(|other| {
        let less = |of: &Estimate, than: &Estimate| of.value < than.value;
        less(&other.time_ns, &row.time_ns)
            && other.energy_j.measured().is_some_and(|it| less(it, energy))
    })
}

/// A limit with its energy.
struct WeighedLimit {
    limit: Watts,
    time_ns: f64,
    joules: f64,
    half_width_j: Option<f64>,
}

impl WeighedLimit {
    fn of(row: &LimitRow) -> Option<Self> {
        Some(Self {
            limit: Watts(row.limit_w),
            time_ns: row.time_ns.value,
            joules: row.energy_j.measured()?.value,
            half_width_j: row.energy_half_width_j.measured().copied(),
        })
    }

    /// Whether the measurement tells two energies apart.
    fn is_told_from(&self, other: &Self) -> bool {
        let half_widths = self.half_width_j.zip(other.half_width_j);
        half_widths.is_some_and(|(one, two)| (self.joules - other.joules).abs() > one.hypot(two))
    }
}

/// What the limit of least energy saves and costs against the highest.
fn verdict(rows: &[&LimitRow]) -> String {
    let weighed: Vec<WeighedLimit> = rows
        .iter()
        .filter_map(|row| WeighedLimit::of(row))
        .collect();
    let least = (0..weighed.len()).min_by(|a, b| weighed[*a].joules.total_cmp(&weighed[*b].joules));
    let Some(least) = least else {
        return "No energy was measured of it, so no limit can be recommended.\n".to_owned();
    };
    let highest = weighed.len() - 1;
    let (low, high) = (&weighed[least], &weighed[highest]);
    let alike: Vec<usize> = (0..weighed.len())
        .filter(|other| *other != least && !weighed[*other].is_told_from(low))
        .collect();
    match (least == highest, alike.is_empty()) {
        (true, true) => return format!("{} takes the least energy.\n", low.limit),
        (false, _) if !alike.contains(&highest) => {}
        _ => return "The energies cannot be told apart by what was measured.\n".to_owned(),
    }
    let alike: Vec<String> = alike
        .iter()
        .map(|at| weighed[*at].limit.to_string())
        .collect();
    let alike = match alike.is_empty() {
        true => String::new(),
        false => format!(" ({} cannot be told from it)", alike.join(", ")),
    };
    format!(
        "{} takes the least energy{alike}: {} energy and {} time against {}.\n",
        low.limit,
        change(low.joules / high.joules),
        change(low.time_ns / high.time_ns),
        high.limit
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Interval;

    fn row(limit_w: f64, time_ns: f64, energy_j: Option<f64>) -> LimitRow {
        let known = |value: f64| Estimate {
            value,
            interval: Reading::Measured(Interval {
                low: value * 0.99,
                high: value * 1.01,
                level: 0.95,
            }),
        };
        LimitRow {
            id: "matmul/f32/8x8x8@tiled".to_owned(),
            limit_w,
            time_ns: known(time_ns),
            power_w: Reading::Measured(known(limit_w)),
            energy_j: energy_j.map_or(Reading::unmeasured("no window"), |j| {
                Reading::Measured(known(j))
            }),
            energy_half_width_j: energy_j.map_or(Reading::unmeasured("no window"), |j| {
                Reading::Measured(j * 0.01)
            }),
            verified: true,
            simulated: false,
            file: PathBuf::new(),
        }
    }

    #[test]
    fn the_least_energy_is_named_with_what_it_costs() {
        let rows = [
            row(150.0, 150.0, Some(12.0)),
            row(200.0, 110.0, Some(10.0)),
            row(250.0, 100.0, Some(14.0)),
        ];
        let page = power_limits(&rows, None);
        assert!(
            page.contains(
                "200 W takes the least energy: −28.6 % energy and +10.0 % time against 250 W"
            ),
            "{page}"
        );
        // 150 W is slower than 200 W and takes more.
        assert_eq!(
            page.matches("nothing is better in both").count(),
            2,
            "{page}"
        );
    }

    #[test]
    fn what_cannot_be_told_apart_is_not_recommended() {
        let page = power_limits(
            &[row(150.0, 110.0, Some(10.0)), row(250.0, 100.0, Some(10.1))],
            None,
        );
        assert!(page.contains("cannot be told apart"), "{page}");
        let page = power_limits(
            &[row(150.0, 110.0, None), row(250.0, 100.0, Some(10.1))],
            None,
        );
        assert!(
            page.contains("no window") && page.contains("250 W takes the least energy"),
            "{page}"
        );
        // The least is the highest's, and the lower limit's is as good as the same.
        let page = power_limits(
            &[row(150.0, 110.0, Some(10.1)), row(250.0, 100.0, Some(10.0))],
            None,
        );
        assert!(page.contains("cannot be told apart"), "{page}");
        let rows = [
            row(150.0, 130.0, Some(10.0)),
            row(200.0, 110.0, Some(10.1)),
            row(250.0, 100.0, Some(14.0)),
        ];
        let page = power_limits(&rows, None);
        assert!(
            page.contains("least energy (200 W cannot be told from it)"),
            "{page}"
        );
        let page = power_limits(&[row(150.0, 110.0, None)], None);
        assert!(page.contains("no limit can be recommended"), "{page}");
    }
}
