//! What is asked about, in words that follow the inputs: a sum that `--set` replaced takes the scenario's title
//! and its note with it.

use super::distribution::Distribution;
use super::inputs::Size;
use crate::units::prefix;

/// What a size that was not the scenario's own comes to: `US$25 M for AI hardware`.
pub(super) fn of_size(size: Size, amount: Distribution, accelerator: &str) -> String {
    let amount = amount.central();
    match size {
        Size::Budget => format!("US${}", money(amount)),
        Size::Accelerators => many(&count(amount), accelerator),
        Size::FacilityPower => {
            let (factor, prefix) = prefix(amount);
            format!("{} {prefix}W of facility", trimmed(amount / factor))
        }
    }
}

/// So many of an accelerator. One that is named after its rack is one GPU of it: `429 k NVIDIA GB200 NVL72` would be
/// read as racks.
pub(super) fn many(count: &str, accelerator: &str) -> String {
    match gpus_of_a_rack(accelerator) {
        Some(gpus) if count == gpus => format!("One {accelerator} rack"),
        Some(_) => of_gpus(count, accelerator),
        None => format!("{count} × {accelerator}"),
    }
}

/// A number before an accelerator's name, in a sentence.
pub(super) fn in_a_sentence(count: &str, accelerator: &str) -> String {
    match gpus_of_a_rack(accelerator) {
        Some(_) => of_gpus(count, accelerator),
        None => format!("{count} {accelerator}"),
    }
}

fn of_gpus(count: &str, accelerator: &str) -> String {
    let plural = if ["1", "one"].contains(&count) {
        ""
    } else {
        "s"
    };
    format!("{count} GPU{plural} ({accelerator})")
}

/// How many GPUs a rack has after which an accelerator is named: `NVL72`.
fn gpus_of_a_rack(accelerator: &str) -> Option<&str> {
    let (_, gpus) = accelerator.rsplit_once("NVL")?;
    let is_number = !gpus.is_empty() && gpus.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(gpus)
}

/// Dollars as people say them.
fn money(amount: f64) -> String {
    let (factor, name) = match amount {
        v if v >= 1e12 => (1e12, " tn"),
        v if v >= 1e9 => (1e9, " bn"),
        v if v >= 1e6 => (1e6, " M"),
        _ => (1.0, ""),
    };
    format!("{}{name}", trimmed(amount / factor))
}

fn count(amount: f64) -> String {
    if amount >= 1e6 {
        format!("{} M", trimmed(amount / 1e6))
    } else {
        trimmed(amount)
    }
}

/// At most two decimals, and none that say nothing.
fn trimmed(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_named_as_people_say_them() {
        for (size, amount, title) in [
            (Size::Budget, 25e6, "US$25 M"),
            (Size::Budget, 1.5e9, "US$1.5 bn"),
            (Size::Budget, 1000.0, "US$1000"),
            (Size::Accelerators, 8.0, "8 × AMD Instinct MI300X"),
            (Size::FacilityPower, 1e9, "1 GW of facility"),
        ] {
            let amount = Distribution::Constant { value: amount };
            assert_eq!(of_size(size, amount, "AMD Instinct MI300X"), title);
        }
        let rack = |count| {
            let amount = Distribution::Constant { value: count };
            of_size(Size::Accelerators, amount, "NVIDIA GB300 NVL72")
        };
        assert_eq!(rack(72.0), "One NVIDIA GB300 NVL72 rack");
        assert_eq!(rack(144.0), "144 GPUs (NVIDIA GB300 NVL72)");
        assert_eq!(
            in_a_sentence("429 k", "NVIDIA Vera Rubin NVL72"),
            "429 k GPUs (NVIDIA Vera Rubin NVL72)"
        );
        // A card of that name is no rack.
        assert_eq!(
            in_a_sentence("one", "NVIDIA H100 NVL"),
            "one NVIDIA H100 NVL"
        );
    }
}
