//! The sensors of a machine as a page for the terminal.

use schemars::JsonSchema;
use serde::Serialize;

use super::table::{fold, with_spread};
use crate::record::{
    Conditions, EnergyProvenance, EnergyWindow, Estimate, PowerMeasurement, PowerSetup, Reading,
    SensorEnergy,
};
use crate::units::{Joules, Seconds, Watts, percent};

/// A sensor as `perwatt power list` shows it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ListedSensor {
    /// What it is.
    pub setup: PowerSetup,
    /// The device that it measures.
    pub device: String,
    /// Indices of the adapters whose sensor it is.
    pub adapters: Vec<u32>,
    /// Mean power while it was looked at, or why it cannot be read.
    pub power_w: Reading<f64>,
    /// Time between two new values while it was looked at.
    pub update_period_s: Reading<f64>,
    /// Shortest window in which its updates leave less than 1 % unknown.
    pub one_percent_window_s: Reading<f64>,
    /// Clocks, temperature, limit and throttling.
    pub conditions: Conditions,
    /// Why it is never taken by itself.
    pub caution: Option<String>,
}

/// An adapter's side.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct SensorOfAdapter {
    /// Position in `perwatt devices`.
    pub adapter: u32,
    /// Name and backend.
    pub label: String,
    /// Its sensor, or why it has none.
    pub sensor: Reading<String>,
}

/// All sensors, all adapters, and what is not there.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ListedSensors {
    /// Every sensor of the machine.
    pub sensors: Vec<ListedSensor>,
    /// Every adapter; empty where perwatt was built without GPU support.
    pub adapters: Vec<SensorOfAdapter>,
    /// Families of sensors that are not there, and why.
    pub absent: Vec<String>,
}

/// The page; `meters` says how meters are named.
pub fn power(list: &ListedSensors, meters: &str, width: Option<u16>) -> String {
    let mut page = String::new();
    if list.sensors.is_empty() {
        page += "No power sensors found.\n";
    }
    for sensor in &list.sensors {
        page += &block(sensor, width);
    }
    if !list.adapters.is_empty() {
        page += "\nAdapters\n";
    }
    for adapter in &list.adapters {
        let sensor = match (adapter.sensor.measured(), adapter.sensor.reason()) {
            (Some(sensor), _) => sensor.clone(),
            (None, reason) => format!("none: {}", reason.unwrap_or("no reason given")),
        };
        let line = format!("  {}: {}  {sensor}", adapter.adapter, adapter.label);
        page += &fold(&line, "     ", width);
    }
    if !list.absent.is_empty() {
        page += "\nNot detected\n";
    }
    for reason in &list.absent {
        page += &fold(&format!("  {reason}"), "     ", width);
    }
    if list.sensors.is_empty() {
        page += "\n";
        page += &fold(
            &format!(
                "Any meter will do: --power {meters}, where the command prints `watts X` lines."
            ),
            "",
            width,
        );
    }
    page
}

/// One sensor in a few lines.
fn block(sensor: &ListedSensor, width: Option<u16>) -> String {
    let setup = &sensor.setup;
    let mut lines = vec![format!(
        "{}, {}, {}",
        sensor.device, setup.boundary, setup.provenance
    )];
    match (sensor.power_w.measured(), sensor.power_w.reason()) {
        (Some(power), _) => lines.push(format!("{} now; {}", Watts(*power), resolves(sensor))),
        (None, reason) => lines.push(format!(
            "not usable: {}",
            reason.unwrap_or("no reason given")
        )),
    }
    if let Some(conditions) = conditions(&sensor.conditions) {
        lines.push(conditions);
    }
    if !sensor.adapters.is_empty() {
        let adapters: Vec<String> = sensor.adapters.iter().map(u32::to_string).collect();
        lines.push(format!("used for adapter {}", adapters.join(", ")));
    }
    lines.extend(
        sensor
            .caution
            .iter()
            .map(|why| format!("only if chosen by name: {why}")),
    );
    lines.extend(setup.notes.iter().cloned());
    let mut page = format!("{}\n", setup.source);
    for line in lines {
        page += &fold(&format!("  {line}"), "    ", width);
    }
    page
}

/// What a sensor can tell apart.
fn resolves(sensor: &ListedSensor) -> String {
    let period = match sensor.update_period_s.measured() {
        Some(period) => format!("a new value every {}", Seconds(*period)),
        None => format!(
            "period unknown ({})",
            sensor.update_period_s.reason().unwrap_or("no reason given")
        ),
    };
    let Some(window) = sensor.one_percent_window_s.measured() else {
        return period;
    };
    let seen = sensor
        .setup
        .coverage
        .measured()
        .filter(|share| **share < 1.0);
    let seen = seen.map_or_else(String::new, |share| {
        format!(", of which it sees {}", percent(*share))
    });
    let unit = match sensor.setup.provenance {
        EnergyProvenance::Counter => "energy",
        _ => "power",
    };
    format!(
        "{period}{seen}; its {unit} is good to 1 % in windows of {} or more",
        Seconds(*window)
    )
}

/// Clocks and the rest in one line; nothing where nothing is known.
fn conditions(conditions: &Conditions) -> Option<String> {
    let known = |reading: &Reading<f64>, name: &str, unit: &str| {
        reading
            .measured()
            .map(|value| format!("{name} {value:.0} {unit}"))
    };
    let throttled = conditions.throttled_by.measured().map(|reasons| {
        if reasons.is_empty() {
            "not throttled".to_owned()
        } else {
            format!("throttled by {}", reasons.join(", "))
        }
    });
    let parts: Vec<String> = [
        known(&conditions.core_clock_mhz, "clock", "MHz"),
        known(&conditions.memory_clock_mhz, "memory", "MHz"),
        known(&conditions.temperature_c, "temperature", "°C"),
        known(&conditions.power_limit_w, "limit", "W"),
        throttled,
    ]
    .into_iter()
    .flatten()
    .collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// What a command, or windows of it, cost by each sensor.
pub fn power_measurement(measurement: &PowerMeasurement, width: Option<u16>) -> String {
    let mut page = String::new();
    for window in &measurement.windows {
        let open = if window.left_open {
            "  (never ended; it ends with the command)"
        } else {
            ""
        };
        page += &format!("{}  {}{open}\n", window.name, Seconds(window.duration_s));
        for (energy, setup) in window.energies.iter().zip(&measurement.sensors) {
            page += &fold(&format!("  {}", measured(energy, setup)), "    ", width);
        }
        for sum in &window.sums {
            let line = format!(
                "  sum of {} sensors of the {}: {} ({} to {})",
                sum.sensors,
                sum.boundary,
                Joules(sum.gross_j),
                Joules(sum.gross_interval_j.low),
                Joules(sum.gross_interval_j.high)
            );
            page += &fold(&line, "    ", width);
        }
    }
    for setup in &measurement.sensors {
        let line = format!(
            "{}: {}, {}, gain {:.4} {}.{}",
            setup.source,
            setup.boundary,
            setup.provenance,
            setup.gain.factor,
            setup.gain.from,
            sensor_notes(setup)
        );
        page += &fold(&line, "  ", width);
    }
    page
}

/// What is to be known of a sensor, a sentence each, and once that it is simulated.
pub(super) fn sensor_notes(setup: &PowerSetup) -> String {
    const SIMULATED: &str = "SIMULATED";
    let says_so = setup.notes.iter().any(|note| note.starts_with(SIMULATED));
    let mut text = String::new();
    if setup.simulated && !says_so {
        text += &format!(" {SIMULATED}.");
    }
    for note in &setup.notes {
        text += &format!(" {}.", sentence(note));
    }
    text
}

/// A note with a capital, unless it begins with a name that has none.
fn sentence(note: &str) -> String {
    let word = note.split_whitespace().next().unwrap_or("");
    if word == "perwatt" || !word.trim_end_matches(',').chars().all(char::is_lowercase) {
        return note.to_owned();
    }
    let mut letters = note.chars();
    letters.next().map_or(String::new(), |first| {
        first.to_uppercase().collect::<String>() + letters.as_str()
    })
}

/// What one sensor says of a window, in words.
fn measured(sensor: &SensorEnergy, setup: &PowerSetup) -> String {
    let name = format!("{} ({})", sensor.source, setup.boundary);
    let window = match (sensor.energy.measured(), sensor.energy.reason()) {
        (Some(window), _) => window,
        (None, reason) => {
            return format!("{name}: no joules: {}", reason.unwrap_or("no reason given"));
        }
    };
    let interval = &window.gross_interval_j;
    let half = (interval.high - interval.low) / 2.0 / window.gross_j;
    let watts = |reading: &Reading<f64>| {
        reading
            .measured()
            .map_or_else(|| "not seen".to_owned(), |watts| Watts(*watts).to_string())
    };
    format!(
        "{name}: {} ±{}, mean {}, peak {}{}",
        Joules(window.gross_j),
        percent(half),
        watts(&sensor.mean_w),
        watts(&sensor.peak_w),
        above_idle(window)
    )
}

/// The energy above idle with its own interval, which is the wider one.
fn above_idle(window: &EnergyWindow) -> String {
    let Reading::Measured(net_j) = window.net_j else {
        return String::new();
    };
    let Reading::Measured(interval) = window.net_interval_j else {
        return format!(", {} above idle (no interval)", Joules(net_j));
    };
    if interval.low <= 0.0 && interval.high >= 0.0 {
        return format!(
            ", above idle {} to {}: no difference from idle can be told",
            Joules(interval.low),
            Joules(interval.high)
        );
    }
    let net = Estimate {
        value: net_j,
        interval: Reading::Measured(interval),
    };
    let joules = |joules: f64| Joules(joules).to_string();
    format!(", {} above idle", with_spread(&net, joules))
}
