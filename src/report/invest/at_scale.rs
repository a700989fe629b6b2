//! What the changes of a comparison come to at the scale of a scenario.

use super::super::table::fold;
use crate::invest::{Changed, OutputQuantity, Quantiles, Worth, digits, scale};

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
