//! What the machine does with common language models, beside the cloud's price.

use super::super::table::{fold, table, text};
use crate::invest::{Answer, CardModel, DOLLARS_PER_EURO, Quantiles, digits, scale};
use crate::record::Reading;

/// The table; nothing where there are no models.
pub(super) fn card(models: &[CardModel], answer: &Answer, width: Option<u16>) -> String {
    if models.is_empty() {
        return String::new();
    }
    let header = [
        "This machine writes",
        "",
        "tok/s",
        "tok/J",
        "€/Mtoken",
        "g/Mtoken",
        "cloud €",
    ];
    let mut table = table(&header, 2, width);
    // A reason that is about a model names it; one about the machine holds for all, and is said once.
    let mut reasons: Vec<&str> = Vec::new();
    for one in models {
        let cell = |reading: &Reading<Quantiles>, factor: f64| {
            reading
                .measured()
                .map_or_else(|| "–".to_owned(), |q| digits(q.p50 * factor))
        };
        let per_joule = one
            .energy_j_per_token
            .measured()
            .map_or_else(|| "–".to_owned(), |q| digits(1.0 / q.p50));
        table.add_row([
            one.model.clone(),
            one.weights.name().to_owned(),
            cell(&one.tokens_per_s, 1.0),
            per_joule,
            cell(&one.dollars_per_mtoken, 1.0 / DOLLARS_PER_EURO),
            cell(&one.carbon_g_per_mtoken, 1.0),
            cell(&one.cloud_dollars_per_mtoken, 1.0 / DOLLARS_PER_EURO),
        ]);
        if let Some(reason) = one.tokens_per_s.reason()
            && !reasons.contains(&reason)
        {
            reasons.push(reason);
        }
    }
    let absent: String = reasons
        .iter()
        .map(|reason| fold(&format!("{reason}."), "  ", width))
        .collect();
    text(&table)
        + &absent
        + &fold(
            &format!(
                "Medians, one user. tok/J and g of CO2e are those of the whole machine's electricity while it writes; the \
                 price holds the machine and its idle hours.{} `cloud €`: what H100s in a data centre would take at \
                 cost, with many users, in the format in which a model is published (DeepSeek fp8, Llama 16 bits). {DOLLARS_PER_EURO} $/€.",
                idle(answer)
            ),
            "",
            width,
        )
        + "\n"
}

/// What waiting takes, beside the joules of work.
fn idle(answer: &Answer) -> String {
    let of = |key: &str| {
        let output = answer.outputs.get(key)?;
        let median = output.quantiles.measured()?.p50;
        let (factor, unit) = scale(output.quantity, output.unit, median);
        Some(format!("{} {unit}", digits(median / factor)))
    };
    let (Some(idle), Some(all), Some(carbon)) = (of("idle_energy"), of("energy"), of("sci_decode"))
    else {
        return String::new();
    };
    format!(
        " Waiting takes {idle} of the {all} a year; with that, and with the making of the machine, {} in {} is at \
         {carbon}.",
        answer.model,
        answer.weights.name()
    )
}
