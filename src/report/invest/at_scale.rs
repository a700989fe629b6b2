//! What the changes of a comparison come to at the scale of a scenario.

use super::super::table::fold;
use crate::invest::{Changed, OutputQuantity, Quantiles, Worth, digits_alike, scale};

/// What the changes of a comparison come to, each under its own title.
pub fn at_scale(
    scenario: &str,
    accelerator: &str,
    refused: Option<&str>,
    changes: &[(String, &Worth)],
    width: Option<u16>,
) -> String {
    let mut page = format!("\nAt the scale of {scenario} ({accelerator}), all on this work:\n");
    if let Some(reason) = refused {
        return page + &fold(&format!("  not scaled: {reason}."), "    ", width);
    }
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

/// What a change comes to per year, in one line: `+1.2 GWh (0.8 to 1.7), +$ 98 k, +410 t CO2e`.
fn worth(worth: &Worth) -> String {
    let one = |quantity: OutputQuantity, unit: &str, q: Quantiles, after: &str| {
        let (scale, unit) = scale(quantity, unit, q.p50.abs());
        let values = [q.p5, q.p50, q.p95];
        let mut texts = digits_alike(values.map(|value| value.abs() / scale));
        for (text, value) in texts.iter_mut().zip(values) {
            text.insert(0, if value < 0.0 { '−' } else { '+' });
        }
        let [p5, p50, p95] = texts;
        format!("{p50} {unit}{after} ({p5} to {p95})")
    };
    let parts = [
        one(OutputQuantity::Energy, "J", worth.energy_j, ""),
        one(OutputQuantity::Money, "$", worth.dollars, ""),
        one(OutputQuantity::Mass, "kg", worth.carbon_kg, " CO2e"),
    ];
    let what = match worth.changed {
        Changed::Time => "in all, for the fleet that does the same work",
        Changed::Energy => "of the devices' own energy",
    };
    format!("{} per year {what}", parts.join(", "))
}
