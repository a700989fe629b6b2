//! What a sum buys, as a page for the terminal: quantiles with bars on one scale, then what makes them
//! uncertain, then the words without which the numbers would mislead.

use comfy_table::Cell;

use super::table::{WIDEST, fold, table, text};
use crate::invest::{
    Answer, Assumption, Backtest, Basis, Causes, Changed, Contrast, Distribution, Finding, Input,
    Knower, Listed, Output, Quantiles, Quantity, Size, Standing, Versus, Worth,
};

/// A bar's ends are this factor below and above the median.
const BAR_FACTOR: f64 = 3.0;

/// A group of outputs under one heading.
struct Section {
    title: &'static str,
    keys: &'static [&'static str],
}

const SECTIONS: [Section; 6] = [
    Section {
        title: "What it buys",
        keys: &[
            "capital",
            "accelerators",
            "capital_each",
            "peak_f32",
            "achieved_f32",
            "peak_bf16",
            "achieved_bf16",
            "peak_fp8",
            "achieved_fp8",
        ],
    },
    Section {
        title: "What it draws and emits",
        keys: &[
            "facility_power",
            "mean_power",
            "energy",
            "operational",
            "embodied",
            "flop_per_joule",
        ],
    },
    Section {
        title: "What work costs",
        keys: &[
            "cost",
            "hour",
            "busy_hour",
            "exaflop",
            "train_tokens",
            "prefill_tokens",
            "decode_tokens",
        ],
    },
    Section {
        title: "One accelerator at work",
        keys: &[
            "achieved_each",
            "device_power",
            "it_power",
            "train_rate",
            "prefill_rate",
            "decode_rate",
            "decode_energy",
        ],
    },
    Section {
        title: "One training run",
        keys: &[
            "run_hours",
            "run_time",
            "run_cost",
            "run_energy",
            "run_device_energy",
            "run_carbon",
        ],
    },
    Section {
        title: "SCI (ISO/IEC 21031)",
        keys: &["sci_exaflop", "sci_train", "sci_decode"],
    },
];

/// The answer as a page.
pub fn invest(answer: &Answer, findings: &[Finding], width: Option<u16>) -> String {
    let mut page = heading(answer, width);
    page += &measured(findings, width);
    for section in &SECTIONS {
        page += &self::section(answer, section, width);
    }
    page += &fold(
        &format!(
            "EU AI Act: 10^25 FLOP over all training of a model presume systemic risk (Article 51(2)). {} SCI \
             = (E·I + M) ÷ R: all electricity, location-based, and the hardware's share of its life.",
            answer.annex_xi_method
        ),
        "",
        width,
    );
    page.push('\n');
    page += &per_cent(answer, width);
    page += &causes(answer, width);
    page += &notes(&answer.notes, width);
    page + &fold(
        "--sources says where every input is from, --inputs what could be set, --json gives all.",
        "",
        width,
    )
}

fn heading(answer: &Answer, width: Option<u16>) -> String {
    let mut page = format!("{}\n", answer.title);
    page += &fold(
        &format!(
            "{} · {} · tokens of {} · {} draws, seed {}",
            answer.accelerator,
            answer.precision.name(),
            answer.model,
            answer.draws.count,
            answer.draws.seed
        ),
        "  ",
        width,
    );
    let from_record = answer
        .inputs
        .iter()
        .filter(|input| input.assumption.basis.is_from_record())
        .count();
    if from_record == 0 {
        page += "No record: nothing below was measured by perwatt.\n";
    }
    page.push('\n');
    page
}

/// What the record says by itself.
fn measured(findings: &[Finding], width: Option<u16>) -> String {
    if findings.is_empty() {
        return String::new();
    }
    let mut table = table(
        &["From the record", "case", "value", "95 %", "basis"],
        2,
        width,
    );
    for finding in findings {
        let relative = |end: f64| format!("{:+.0} %", 100.0 * (end / finding.value - 1.0));
        table.add_row([
            finding.what.clone(),
            finding.case.clone(),
            finding.text.clone(),
            format!("{} {}", relative(finding.low), relative(finding.high)),
            finding.basis.name().to_owned(),
        ]);
    }
    text(&table) + "\n"
}

fn section(answer: &Answer, section: &Section, width: Option<u16>) -> String {
    let mut page = String::new();
    for key in section.keys {
        let Some(output) = answer.outputs.get(key) else {
            continue;
        };
        // A capital that is the sum itself would say nothing.
        let Some(quantiles) = output.quantiles.measured() else {
            continue;
        };
        page += &row(
            &label(answer, key, output),
            output.quantity,
            output.unit,
            *quantiles,
            Some(output.basis),
            width,
        );
    }
    if page.is_empty() {
        return page;
    }
    let title = match section.title {
        "One training run" => format!("One run of {} FLOP", power_of_ten(run_flop(answer))),
        other => other.to_owned(),
    };
    header(&title, width) + &page + "\n"
}

/// An output's label, with the model where it is about tokens.
fn label(answer: &Answer, key: &str, output: &Output) -> String {
    let at = format!(", {}", answer.precision.name());
    match key {
        "achieved_each" => format!("useful work{at}"),
        "it_power" => "with server and network".to_owned(),
        "train_rate" => "trains".to_owned(),
        "prefill_rate" => "reads (prefill)".to_owned(),
        "decode_rate" => "writes (decode)".to_owned(),
        "exaflop" => "10^18 FLOP of training".to_owned(),
        _ => output.label.to_owned(),
    }
}

fn run_flop(answer: &Answer) -> f64 {
    answer
        .inputs
        .iter()
        .find(|input| input.key == "run_flop")
        .map_or(1e25, |input| input.assumption.distribution.central())
}

fn power_of_ten(value: f64) -> String {
    let text = format!("{value:e}");
    match text.split_once('e') {
        Some(("1", exponent)) => format!("10^{exponent}"),
        Some((digits, exponent)) => format!("{digits}·10^{exponent}"),
        None => text,
    }
}

/// Columns that a row has.
struct Layout {
    label: usize,
    number: usize,
    unit: usize,
    basis: usize,
    bar: usize,
}

fn layout(width: Option<u16>) -> Layout {
    let whole = usize::from(width.unwrap_or(WIDEST).clamp(60, WIDEST));
    let (label, number, unit, basis) = (26, 8, 9, 9);
    let bar = whole.saturating_sub(2 + label + 3 * number + 1 + unit + 1 + basis + 1);
    Layout {
        label,
        number,
        unit,
        basis,
        // An odd number has a middle; too short a bar says nothing.
        bar: if bar >= 5 { bar - (bar + 1) % 2 } else { 0 },
    }
}

fn header(title: &str, width: Option<u16>) -> String {
    let l = layout(width);
    let space = 2 + l.label;
    let numbers = format!("{:>n$}{:>n$}{:>n$}", "5 %", "50 %", "95 %", n = l.number);
    if title.chars().count() >= space + l.number - 4 {
        format!("{title}\n")
    } else {
        format!("{title:<space$}{numbers}\n")
    }
}

fn row(
    label: &str,
    quantity: Quantity,
    unit: &str,
    quantiles: Quantiles,
    basis: Option<Basis>,
    width: Option<u16>,
) -> String {
    let l = layout(width);
    let (scale, unit) = scale(quantity, unit, quantiles.p50);
    let number = |value: f64| format!("{:>n$}", digits(value / scale), n = l.number);
    let line = format!(
        "  {:<w$}{}{}{} {:<u$} {:<b$} {}",
        cut(label, l.label),
        number(quantiles.p5),
        number(quantiles.p50),
        number(quantiles.p95),
        unit,
        basis.map_or("", Basis::name),
        bar(quantiles, l.bar),
        w = l.label,
        u = l.unit,
        b = l.basis,
    );
    line.trim_end().to_owned() + "\n"
}

fn cut(text: &str, width: usize) -> String {
    text.chars().take(width).collect()
}

/// The middle 90 % on a logarithmic scale around the median, the same for every row, so that the eye
/// compares how well things are known.
fn bar(quantiles: Quantiles, width: usize) -> String {
    if width == 0 || quantiles.p5 <= 0.0 {
        return String::new();
    }
    let middle = (width / 2) as f64;
    let place = |value: f64| {
        let off = (value / quantiles.p50).ln() / BAR_FACTOR.ln();
        (middle + middle * off).round()
    };
    let (from, to) = (place(quantiles.p5), place(quantiles.p95));
    (0..width)
        .map(|at| {
            let here = at as f64;
            let last = (width - 1) as f64;
            if (here - middle).abs() < 0.5 {
                '●'
            } else if at == 0 && from < 0.0 {
                '‹'
            } else if at == width - 1 && to > last {
                '›'
            } else if (from..=to).contains(&here) {
                '━'
            } else {
                '·'
            }
        })
        .collect()
}

/// What a value is divided by to be read, and the unit that goes with it.
fn scale(quantity: Quantity, unit: &str, value: f64) -> (f64, String) {
    const HOUR: f64 = 3600.0;
    let si = |unit: &str, value: f64| {
        let (factor, prefix) = prefix(value);
        (factor, format!("{prefix}{unit}"))
    };
    match quantity {
        Quantity::Count => {
            let (factor, name) = thousands(value);
            (factor, name.trim().to_owned())
        }
        Quantity::Money if unit == "$" => {
            let (factor, name) = thousands(value);
            (factor, format!("${name}"))
        }
        Quantity::Money if (0.01..1e4).contains(&value) => (1.0, unit.to_owned()),
        Quantity::Money => si(unit, value),
        Quantity::FlopRate => si("FLOP/s", value),
        Quantity::Power => si("W", value),
        Quantity::Energy => {
            let (factor, unit) = si("Wh", value / HOUR);
            (factor * HOUR, unit)
        }
        Quantity::Mass => {
            let per = unit.strip_prefix("kg").unwrap_or("");
            let (factor, name) = match value {
                v if v >= 1e9 => (1e9, "Mt"),
                v if v >= 1e6 => (1e6, "kt"),
                v if v >= 1e3 => (1e3, "t"),
                v if v >= 1.0 => (1.0, "kg"),
                v if v >= 1e-3 => (1e-3, "g"),
                _ => (1e-6, "mg"),
            };
            (factor, format!("{name}{per}"))
        }
        Quantity::Time => match value {
            v if v < 90.0 => si("s", value),
            v if v < 90.0 * 60.0 => (60.0, "minutes".to_owned()),
            v if v < 48.0 * HOUR => (HOUR, "hours".to_owned()),
            v if v < 700.0 * 24.0 * HOUR => (24.0 * HOUR, "days".to_owned()),
            _ => {
                let (factor, name) = thousands(value / (8760.0 * HOUR));
                (
                    factor * 8760.0 * HOUR,
                    format!("{} years", name.trim()).trim().to_owned(),
                )
            }
        },
        Quantity::FlopPerJoule => si("FLOP/J", value),
        Quantity::FlopPerDollar => si("FLOP/$", value),
        Quantity::TokenRate => si("tok/s", value),
        Quantity::EnergyPerToken => si("J/token", value),
        Quantity::AcceleratorHours => {
            let (factor, name) = thousands(value);
            (factor, format!("{} h", name.trim()).trim().to_owned())
        }
    }
}

/// An SI prefix that leaves one to three digits before the point.
fn prefix(value: f64) -> (f64, &'static str) {
    const PREFIXES: [(f64, &str); 12] = [
        (1e24, "Y"),
        (1e21, "Z"),
        (1e18, "E"),
        (1e15, "P"),
        (1e12, "T"),
        (1e9, "G"),
        (1e6, "M"),
        (1e3, "k"),
        (1.0, ""),
        (1e-3, "m"),
        (1e-6, "µ"),
        (1e-9, "n"),
    ];
    if value.abs() <= 0.0 {
        return (1.0, "");
    }
    PREFIXES
        .into_iter()
        .find(|(factor, _)| value.abs() >= 0.9995 * factor)
        .unwrap_or((1e-9, "n"))
}

/// Thousands as people say them.
fn thousands(value: f64) -> (f64, &'static str) {
    match value.abs() {
        v if v >= 9.995e14 => (1e15, " quadrillion"),
        v if v >= 9.995e11 => (1e12, " tn"),
        v if v >= 9.995e8 => (1e9, " bn"),
        v if v >= 9.995e5 => (1e6, " M"),
        v if v >= 9.995e4 => (1e3, " k"),
        _ => (1.0, ""),
    }
}

/// Three significant digits, without an exponent where that can be read.
fn digits(value: f64) -> String {
    let size = value.abs();
    if size <= 0.0 {
        "0".to_owned()
    } else if !(0.000_5..99_999.5).contains(&size) {
        format!("{value:.1e}")
    } else if size >= 99.95 {
        format!("{value:.0}")
    } else if size >= 9.995 {
        format!("{value:.1}")
    } else if size >= 0.095 {
        format!("{value:.2}")
    } else {
        format!("{value:.3}")
    }
}

/// What one per cent is worth.
fn per_cent(answer: &Answer, width: Option<u16>) -> String {
    let rows = [
        ("throughput up: money", "throughput_dollars"),
        ("  electricity", "throughput_energy"),
        ("  CO2e", "throughput_carbon"),
        ("device joules down: money", "joules_dollars"),
        ("  electricity", "joules_energy"),
        ("  CO2e", "joules_carbon"),
    ];
    let mut page = header("1 % saves a year", width);
    for (label, key) in rows {
        let Some(output) = answer.outputs.get(key) else {
            continue;
        };
        if let Some(quantiles) = output.quantiles.measured() {
            page += &row(
                label,
                output.quantity,
                output.unit,
                *quantiles,
                Some(output.basis),
                width,
            );
        }
    }
    page + &fold(
        "For the same work: 1 % more throughput needs 1 % fewer accelerators with all that they cost and \
         draw. The two are not to be added: a kernel that ends sooner saves its joules too.",
        "",
        width,
    ) + "\n"
}

/// Which input matters.
fn causes(answer: &Answer, width: Option<u16>) -> String {
    const SHOWN: usize = 9;
    if answer.causes.is_empty() {
        return String::new();
    }
    let names: Vec<&str> = answer
        .causes
        .iter()
        .map(|causes| traced_name(causes.output))
        .collect();
    let mut header = vec!["Which input matters"];
    header.extend(&names);
    let mut table = table(&header, 1, width);
    let mut keys: Vec<(&str, f64)> = Vec::new();
    for (key, share) in answer.causes.iter().flat_map(|causes| &causes.inputs) {
        match keys.iter_mut().find(|(known, _)| known == key) {
            Some(known) => known.1 = known.1.max(share.share),
            None => keys.push((key, share.share)),
        }
    }
    keys.sort_by(|a, b| b.1.total_cmp(&a.1));
    for (key, _) in keys.iter().take(SHOWN) {
        let mut cells = vec![format!("  {key}")];
        cells.extend(answer.causes.iter().map(|causes| {
            let found = causes.inputs.iter().find(|(known, _)| known == key);
            found.map_or_else(|| "·".to_owned(), |(_, share)| per_cent_of(share.share))
        }));
        table.add_row(cells.into_iter().map(Cell::new));
    }
    let groups = [
        (Knower::Measurement, "Better measurement removes"),
        (Knower::Operator, "The owner's books remove"),
        (Knower::Judgement, "Neither removes"),
    ];
    for (knower, label) in groups {
        let mut cells = vec![label.to_owned()];
        cells.extend(answer.causes.iter().map(|causes| {
            let of = |wanted: Knower| {
                let found = causes.groups.iter().find(|group| group.knower == wanted);
                found.map_or(0.0, |group| group.share.share)
            };
            per_cent_of(match knower {
                // What is left, interactions included, so that the three make a whole.
                Knower::Judgement => {
                    (1.0 - of(Knower::Measurement) - of(Knower::Operator)).max(0.0)
                }
                other => of(other),
            })
        }));
        table.add_row(cells.into_iter().map(Cell::new));
    }
    let error = answer
        .causes
        .iter()
        .flat_map(|causes: &Causes| causes.inputs.iter().map(|(_, share)| share.error))
        .fold(0.0, f64::max);
    text(&table)
        + &fold(
            &format!(
                "First-order Sobol' indices: the share of the variance of the logarithm that would go if \
                 that input were known; error of drawing ±{:.1} points or less. A dot is nothing that can \
                 be told from zero.",
                100.0 * error
            ),
            "",
            width,
        )
        + "\n"
}

fn traced_name(key: &str) -> &'static str {
    match key {
        "achieved_f32" | "achieved_bf16" | "achieved_fp8" => "FLOP/s",
        "energy" => "TWh",
        "exaflop" => "$/EFLOP",
        "carbon" => "CO2e",
        _ => "?",
    }
}

fn per_cent_of(share: f64) -> String {
    let percent = 100.0 * share;
    if percent < 0.95 {
        format!("{percent:.1} %")
    } else {
        format!("{percent:.0} %")
    }
}

fn notes(notes: &[String], width: Option<u16>) -> String {
    let mut page = String::new();
    for note in notes {
        page += &fold(&format!("Note: {note}"), "  ", width);
    }
    if !notes.is_empty() {
        page.push('\n');
    }
    page
}

/// Where every input is from.
pub fn invest_sources(answer: &Answer, width: Option<u16>) -> String {
    let mut page = String::new();
    for input in &answer.inputs {
        let Assumption {
            basis,
            source,
            date,
            distribution,
        } = &input.assumption;
        let date = date
            .as_ref()
            .map_or(String::new(), |date| format!(" ({date})"));
        page += &fold(
            &format!(
                "{} = {} {}  {}: {source}{date}",
                input.key,
                range(*distribution),
                input.unit,
                basis.name()
            ),
            "    ",
            width,
        );
    }
    page.push('\n');
    page += &fold(
        &format!("Annex XI: {}", answer.annex_xi_method),
        "    ",
        width,
    );
    page
}

/// Every input that could be set.
pub fn invest_inputs(all: &[Input], width: Option<u16>) -> String {
    let mut table = table(
        &[
            "key",
            "low / likely / high",
            "unit",
            "who could know",
            "what it is",
        ],
        9,
        width,
    );
    for input in all {
        let who = match input.knower {
            Knower::Measurement => "measurement",
            Knower::Operator => "owner",
            Knower::Judgement => "nobody",
        };
        table.add_row([
            input.key.to_owned(),
            range(input.assumption.distribution),
            input.unit.to_owned(),
            who.to_owned(),
            input.about.to_owned(),
        ]);
    }
    text(&table)
        + &fold(
            &format!(
                "Set any with --set KEY=VALUE, KEY=LOW/LIKELY/HIGH (triangular) or KEY=LOW..HIGH (uniform); \
                 the size with {}, {} or {}. Values may carry %, k, M, bn and their unit.",
                Size::Budget.key(),
                Size::Accelerators.key(),
                Size::FacilityPower.key()
            ),
            "",
            width,
        )
}

fn range(distribution: Distribution) -> String {
    let n = plain;
    match distribution {
        Distribution::Constant { value } => n(value),
        Distribution::Uniform { low, high } => format!("{} .. {}", n(low), n(high)),
        Distribution::Triangular { low, value, high } => {
            format!("{} / {} / {}", n(low), n(value), n(high))
        }
        Distribution::Measured { value, low, high } => {
            format!("{} ({} to {})", n(value), n(low), n(high))
        }
    }
}

/// A number as it was given, as far as that can be read.
fn plain(value: f64) -> String {
    if (1e-3..1e7).contains(&value.abs()) || value.abs() <= 0.0 {
        let text = format!("{value:.4}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        format!("{value:.3e}")
    }
}

/// The scenarios and what else can be named.
pub fn invest_list(
    scenarios: &[Listed],
    others: &[(&str, Vec<Listed>)],
    width: Option<u16>,
) -> String {
    let mut page = String::new();
    let all = std::iter::once(("scenario", scenarios.to_vec()))
        .chain(others.iter().map(|(what, list)| (*what, list.clone())));
    for (what, list) in all {
        let mut table = table(&[&format!("--{what}"), ""], 9, width);
        for entry in list {
            table.add_row([format!("  {}", entry.id), entry.title]);
        }
        page += &text(&table);
        page.push('\n');
    }
    page
}

/// The model against public clusters.
pub fn invest_backtests(all: &[Backtest], width: Option<u16>) -> String {
    let header = [
        "case",
        "what",
        "reported",
        "model: 5, 50, 95 %",
        "",
        "off",
        "90 %",
        "",
    ];
    let mut table = table(&header, 2, width);
    for one in all {
        let (factor, unit) = scale(one.kind, one.unit, one.model.p50);
        let number = |value: f64| digits(value / factor);
        let standing = match one.standing {
            Standing::HeldOut => "",
            Standing::Used => "used",
            Standing::Outside => "outside",
        };
        table.add_row([
            one.title.clone(),
            one.quantity.clone(),
            number(one.reported),
            format!(
                "{} {} {}",
                number(one.model.p5),
                number(one.model.p50),
                number(one.model.p95)
            ),
            unit,
            format!("{:+.0} %", 100.0 * one.log_error.exp_m1()),
            if one.inside { "in" } else { "MISS" }.to_owned(),
            standing.to_owned(),
        ]);
    }
    let mut page = text(&table);
    let held: Vec<&Backtest> = all
        .iter()
        .filter(|one| one.standing == Standing::HeldOut)
        .collect();
    let inside = held.iter().filter(|one| one.inside).count();
    let mean = held.iter().map(|one| one.log_error.abs()).sum::<f64>() / held.len().max(1) as f64;
    page.push('\n');
    page += &fold(
        &format!(
            "Held out: {inside} of {} inside the middle 90 %; mean |ln(model ÷ reported)| {mean:.2}. `used`: a \
             prior was set with this case in view. `outside`: not what the model is about. `off`: the \
             median against the report.",
            held.len()
        ),
        "",
        width,
    );
    for one in all {
        let note = one
            .note
            .as_ref()
            .map_or(String::new(), |note| format!(" {note}"));
        page += &fold(
            &format!("{}, {}: {}.{note}", one.title, one.quantity, one.source),
            "  ",
            width,
        );
    }
    page
}

/// Two devices under one sum.
pub fn invest_versus(versus: &Versus, width: Option<u16>) -> String {
    let mut page = fold(
        &format!("A: {}   B: {}", versus.one, versus.other),
        "  ",
        width,
    );
    let mut table = table(
        &["", "A", "B", "", "B ÷ A", "5 to 95 %", "B better"],
        1,
        width,
    );
    for row in &versus.rows {
        table.add_row(contrast(row));
    }
    page += &text(&table);
    page += &fold(
        "Medians, and the ratio draw by draw with common draws. `B better`: the share of draws in which it is.",
        "",
        width,
    );
    let bases = |one: bool| -> Vec<&str> {
        let mut names: Vec<&str> = versus
            .rows
            .iter()
            .map(|row| if one { row.one_basis } else { row.other_basis }.name())
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    };
    page += &fold(
        &format!(
            "A is {}; B is {}.",
            bases(true).join(" and "),
            bases(false).join(" and ")
        ),
        "",
        width,
    );
    page.push('\n');
    page + &notes(&versus.notes, width)
}

fn contrast(row: &Contrast) -> [String; 7] {
    let (scale, unit) = scale(row.quantity, row.unit, row.one.p50);
    [
        row.label.to_owned(),
        digits(row.one.p50 / scale),
        digits(row.other.p50 / scale),
        unit,
        format!("×{}", digits(row.ratio.p50)),
        format!("{} to {}", digits(row.ratio.p5), digits(row.ratio.p95)),
        format!("{:.0} %", 100.0 * row.other_is_better),
    ]
}

/// What the changes of a comparison come to, each under its own title.
pub fn at_scale(
    scenario: &str,
    accelerator: &str,
    changes: &[(String, &Worth)],
    width: Option<u16>,
) -> String {
    let mut page = format!("\nAt the scale of {scenario} ({accelerator}), all on this work:\n");
    if changes.is_empty() {
        page += "  no change is established, so there is nothing to scale\n";
    }
    for (title, worth) in changes {
        page += &fold(&format!("  {title}: {}", self::worth(worth)), "    ", width);
    }
    page + &fold(
        "MODELLED: the measured change with its interval, times a fleet of priors; 5 to 95 % in brackets. \
         Energy that comes with time is in both kinds of row: do not add them.",
        "",
        width,
    )
}

/// What a change comes to in a year, in one line: `+1.2 GWh (0.8 to 1.7), +$ 98 k, +410 t CO2e`.
fn worth(worth: &Worth) -> String {
    let one = |quantity: Quantity, unit: &str, q: Quantiles, after: &str| {
        let (scale, unit) = scale(quantity, unit, q.p50.abs());
        let number = |value: f64| {
            let text = digits(value.abs() / scale);
            if value < 0.0 {
                format!("−{text}")
            } else {
                format!("+{text}")
            }
        };
        format!(
            "{} {unit}{after} ({} to {})",
            number(q.p50),
            number(q.p5),
            number(q.p95)
        )
    };
    let parts = [
        one(Quantity::Energy, "J", worth.energy_j, ""),
        one(Quantity::Money, "$", worth.dollars, ""),
        one(Quantity::Mass, "kg", worth.carbon_kg, " CO2e"),
    ];
    let what = match worth.changed {
        Changed::Time => "in all, for the fleet that does the same work",
        Changed::Energy => "of the devices' own energy",
    };
    format!("{} a year {what}", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantiles(p5: f64, p50: f64, p95: f64) -> Quantiles {
        Quantiles {
            p5,
            p50,
            p95,
            p50_error: 0.0,
        }
    }

    #[test]
    fn quantities_get_the_prefix_that_people_use() {
        for (quantity, unit, value, shown) in [
            (Quantity::Money, "$", 155e9, "155 $ bn"),
            (Quantity::Money, "$", 57_000.0, "57000 $"),
            (Quantity::Money, "$/h", 1.7, "1.70 $/h"),
            (Quantity::Energy, "J", 14e12 * 3600.0, "14.0 TWh"),
            (Quantity::Mass, "kg", 5.1e9, "5.10 Mt"),
            (Quantity::Mass, "kg/EFLOP", 0.0004, "400 mg/EFLOP"),
            (Quantity::FlopRate, "FLOP/s", 1.04e21, "1.04 ZFLOP/s"),
            (Quantity::Time, "s", 3.2 * 86400.0, "3.20 days"),
            (Quantity::AcceleratorHours, "h", 8.1e6, "8.10 M h"),
            (Quantity::Count, "accelerators", 1.58e6, "1.58 M"),
            (Quantity::Count, "accelerators", 8.0, "8.00"),
        ] {
            let (factor, unit) = scale(quantity, unit, value);
            assert_eq!(format!("{} {unit}", digits(value / factor)).trim(), shown);
        }
    }

    #[test]
    fn bars_are_symmetric_and_say_where_they_are_cut() {
        assert_eq!(bar(quantiles(1.0, 1.0, 1.0), 9), "····●····");
        assert_eq!(bar(quantiles(1.0 / 3.0, 1.0, 3.0), 9), "━━━━●━━━━");
        assert_eq!(bar(quantiles(0.01, 1.0, 100.0), 9), "‹━━━●━━━›");
        assert_eq!(bar(quantiles(-1.0, 1.0, 2.0), 9), "");
    }

    #[test]
    fn rows_keep_to_the_width() {
        for width in [60, 80, 100] {
            let line = row(
                "a label that is much longer than there is room for",
                Quantity::Money,
                "$/Mtoken",
                quantiles(0.1234, 99.99, 1234.5),
                Some(Basis::Simulated),
                Some(width),
            );
            assert!(
                line.trim_end().chars().count() <= usize::from(width).max(80),
                "{line}"
            );
        }
    }
}
