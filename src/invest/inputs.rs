//! The numbers that the model takes, each with its unit, its bounds and who could know it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::nearest;
use crate::units::{
    Bytes, BytesPerSecond, Dollars, DollarsPerJoule, DollarsPerWatt, Flop, FlopPerSecond,
    KilogramsCo2e, KilogramsPerJoule, Seconds, Watts,
};

/// Who could replace an assumption by a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReducibleBy {
    /// Whoever measures on that hardware, with perwatt or a power meter.
    Measurement,
    /// Whoever owns it: prices paid, bills, use.
    Operator,
    /// Nobody yet: lifetimes, future prices of money, life-cycle analysis.
    Judgement,
}

impl ReducibleBy {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Measurement, Self::Operator, Self::Judgement];
}

/// What the size of a scenario is given as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Size {
    /// Dollars to spend.
    Budget,
    /// Accelerators to run.
    Accelerators,
    /// Watts to draw.
    FacilityPower,
}

impl Size {
    /// Its key in files and after `--set`.
    pub fn key(self) -> &'static str {
        match self {
            Self::Budget => "budget",
            Self::Accelerators => "accelerators",
            Self::FacilityPower => "facility_power",
        }
    }

    /// Its unit.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Budget => "$",
            Self::Accelerators => "accelerators",
            Self::FacilityPower => "W",
        }
    }
}

/// What an input is.
#[derive(Clone, Copy, Debug)]
pub struct InputKind {
    /// Its name in files and after `--set`.
    pub key: &'static str,
    /// The unit in which it is given.
    pub unit: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Who could know it.
    pub reducible_by: ReducibleBy,
    /// The smallest value that makes sense.
    pub least: f64,
    /// The largest value that makes sense.
    pub most: f64,
}

/// Declares the inputs once: the typed struct of one draw and the table of what they are.
macro_rules! inputs {
    ($($about:literal $name:ident: $type:ty = $unit:literal, $make:expr, $reducible_by:ident, $least:literal, $most:literal;)+) => {
        /// One draw of every input. An input that a scenario does not have is NaN, and nothing that is
        /// shown may depend on it.
        #[derive(Clone, Copy, Debug)]
        pub(super) struct Inputs {
            $(#[doc = $about] pub(super) $name: $type,)+
        }

        /// What the inputs are, in the order of `Inputs::from_values`.
        pub const INPUTS: &[InputKind] = &[$(InputKind {
            key: stringify!($name),
            unit: $unit,
            about: $about,
            reducible_by: ReducibleBy::$reducible_by,
            least: $least,
            most: $most,
        }),+];

        impl Inputs {
            /// From bare numbers in the units and the order of [`INPUTS`].
            pub(super) fn from_values(values: &[f64]) -> Self {
                let mut values = values.iter().copied();
                let mut next = || values.next().unwrap_or(f64::NAN);
                Self { $($name: $make(next()),)+ }
            }
        }
    };
}

fn bare(value: f64) -> f64 {
    value
}

fn teraflops(value: f64) -> FlopPerSecond {
    FlopPerSecond(value * 1e12)
}

fn gigabytes(value: f64) -> Bytes {
    Bytes(value * 1e9)
}

fn milliseconds(value: f64) -> Seconds {
    Seconds(value * 1e-3)
}

fn gigabytes_per_second(value: f64) -> BytesPerSecond {
    BytesPerSecond(value * 1e9)
}

inputs! {
    "The sum, the number of accelerators or the facility's power: a scenario has one of `budget` ($), `accelerators` and `facility_power` (W)"
    size: f64 = "", bare, Operator, 1e-6, 1e15;
    "Share of the sum that buys AI hardware and its buildings"
    ai_share: f64 = "share", bare, Operator, 1e-6, 1.0;
    "One accelerator, with its share of the server unless `host_price` says otherwise"
    price: Dollars = "$", Dollars, Operator, 0.01, 1e8;
    "The accelerator's share of the computer around it, where `price` is a card's"
    host_price: Dollars = "$", Dollars, Operator, 0.0, 1e8;
    "Network between servers, as a share of all IT capex"
    network_share: f64 = "share", bare, Operator, 0.0, 0.9;
    "Building, cooling and power supply, for each watt of IT capacity"
    building: DollarsPerWatt = "$/W", DollarsPerWatt, Operator, 0.0, 1e4;
    "Other running costs per year, as a share of IT capex"
    opex_share: f64 = "share/year", bare, Operator, 0.0, 0.5;
    "A server's rated power ÷ its accelerators"
    server_power: Watts = "W", Watts, Operator, 0.01, 1e6;
    "Network and storage power, as a share of the servers'"
    network_power: f64 = "share", bare, Operator, 0.0, 10.0;
    "IT capacity that is built ÷ the sum of rated powers"
    provisioning: f64 = "share", bare, Operator, 0.01, 10.0;
    "Power usage effectiveness: the facility's energy ÷ its IT's"
    pue: f64 = "ratio", bare, Operator, 1.0, 10.0;
    "A server's mean power under load ÷ its rated power"
    load_share: f64 = "share", bare, Measurement, 0.001, 1.5;
    "A waiting server's power ÷ its rated power"
    idle_share: f64 = "share", bare, Measurement, 0.0, 1.0;
    "The accelerators' part of a server's power under load"
    device_share: f64 = "share", bare, Measurement, 0.001, 1.0;
    "One device's power under load, as its sensor says"
    device_power: Watts = "W", Watts, Measurement, 1e-6, 1e6;
    "One device's power while it decodes, as its sensor says"
    decode_power: Watts = "W", Watts, Measurement, 1e-6, 1e6;
    "One device's power limit"
    board_power: Watts = "W", Watts, Measurement, 1e-6, 1e6;
    "A serving device's power while it waits ÷ its power under load"
    wait_draw: f64 = "share", bare, Measurement, 0.0, 1.5;
    "The same while it reads its memory"
    read_draw: f64 = "share", bare, Measurement, 0.0, 1.5;
    "The same while it computes"
    compute_draw: f64 = "share", bare, Measurement, 0.0, 1.5;
    "What the same sensor says while nothing runs"
    idle_power: Watts = "W", Watts, Measurement, 1e-6, 1e6;
    "True power ÷ what the device's sensor says"
    sensor_gain: f64 = "ratio", bare, Measurement, 0.1, 10.0;
    "Share of the year in which an accelerator works on something"
    busy: f64 = "share", bare, Operator, 1e-4, 1.0;
    "Share of a run's time that makes progress: no restarts, no recomputation"
    goodput: f64 = "share", bare, Operator, 1e-3, 1.0;
    "Peak in f32 on vector units"
    peak_f32: FlopPerSecond = "TFLOP/s", teraflops, Measurement, 1e-6, 1e9;
    "Peak in bf16 or f16 on matrix units, dense"
    peak_bf16: FlopPerSecond = "TFLOP/s", teraflops, Measurement, 1e-6, 1e9;
    "Peak in fp8 on matrix units, dense"
    peak_fp8: FlopPerSecond = "TFLOP/s", teraflops, Measurement, 1e-6, 1e9;
    "Peak in fp4 on matrix units, dense"
    peak_fp4: FlopPerSecond = "TFLOP/s", teraflops, Measurement, 1e-6, 1e9;
    "Model FLOP utilisation in f32: useful FLOP/s of a run ÷ peak"
    mfu_f32: f64 = "share", bare, Measurement, 1e-6, 1.0;
    "Model FLOP utilisation in bf16"
    mfu_bf16: f64 = "share", bare, Measurement, 1e-6, 1.0;
    "Model FLOP utilisation in fp8"
    mfu_fp8: f64 = "share", bare, Measurement, 1e-6, 1.0;
    "Model FLOP utilisation in fp4"
    mfu_fp4: f64 = "share", bare, Measurement, 1e-6, 1.0;
    "Training rate of a mixture of experts ÷ that of a dense model"
    mixture_share: f64 = "share", bare, Measurement, 0.001, 1.0;
    "Arithmetic and exchange of a mixture of experts while it serves ÷ those of a dense model"
    expert_share: f64 = "share", bare, Measurement, 0.001, 1.0;
    "Rate of a large f32 matrix product on one device"
    kernel_f32: FlopPerSecond = "TFLOP/s", teraflops, Measurement, 1e-9, 1e9;
    "Rate of a large f16 matrix product with f32 accumulation on one device"
    kernel_bf16: FlopPerSecond = "TFLOP/s", teraflops, Measurement, 1e-9, 1e9;
    "That f32 rate ÷ the same device's measured roof"
    kernel_share_f32: f64 = "share", bare, Measurement, 1e-9, 10.0;
    "That f16 rate ÷ the same device's measured roof"
    kernel_share_bf16: f64 = "share", bare, Measurement, 1e-9, 10.0;
    "Roof that can be measured ÷ data-sheet peak"
    roof_attained: f64 = "share", bare, Measurement, 0.001, 1.5;
    "Rate of a whole model in a run ÷ rate of one large matrix product"
    transfer: f64 = "share", bare, Measurement, 0.001, 1.0;
    "Rate of the matrix products of a serving program ÷ rate of one large matrix product"
    prefill_transfer: f64 = "share", bare, Measurement, 0.001, 1.0;
    "Share of the peak in the matrix products of a serving program"
    mfu_prefill: f64 = "share", bare, Measurement, 1e-6, 1.0;
    "Memory of one accelerator"
    memory: Bytes = "GB", gigabytes, Measurement, 0.01, 1e7;
    "Memory bandwidth of one accelerator"
    bandwidth: BytesPerSecond = "GB/s", gigabytes_per_second, Measurement, 0.01, 1e9;
    "Share of that bandwidth while weights and cache are read"
    bandwidth_share: f64 = "share", bare, Measurement, 1e-6, 1.0;
    "Bandwidth of one matrix-vector product on one device"
    kernel_bandwidth: BytesPerSecond = "GB/s", gigabytes_per_second, Measurement, 1e-6, 1e9;
    "That bandwidth ÷ the same device's measured roof"
    kernel_bandwidth_share: f64 = "share", bare, Measurement, 1e-9, 10.0;
    "Bandwidth while weights and cache are read ÷ that of one bandwidth-bound kernel"
    bandwidth_transfer: f64 = "share", bare, Measurement, 0.001, 1.0;
    "Rate of a whole layer of a language model that reads a prompt, on one device"
    kernel_prefill: FlopPerSecond = "TFLOP/s", teraflops, Measurement, 1e-9, 1e9;
    "Share of the memory that weights and cache may fill"
    memory_share: f64 = "share", bare, Measurement, 0.01, 1.0;
    "Bandwidth between accelerators of one domain, each way"
    link: BytesPerSecond = "GB/s", gigabytes_per_second, Measurement, 0.001, 1e6;
    "Accelerators that such links connect"
    domain: f64 = "accelerators", bare, Measurement, 1.0, 1e6;
    "What a decode step costs whatever its size"
    step_overhead: Seconds = "ms", milliseconds, Measurement, 0.0, 1e4;
    "What each layer of a step costs whatever its size: starts and ends of kernels"
    layer_overhead: Seconds = "ms", milliseconds, Measurement, 0.0, 1e3;
    "What a layer of experts costs beside that"
    expert_overhead: Seconds = "ms", milliseconds, Measurement, 0.0, 1e3;
    "What each sequence of a copy of the weights costs in a step: one program manages them all"
    sequence_overhead: Seconds = "ms", milliseconds, Measurement, 0.0, 1e3;
    "What each token costs in a layer of experts beside reading and arithmetic"
    routing: Seconds = "ms", milliseconds, Measurement, 0.0, 1e3;
    "Share of the sequences of a mixture of experts that accelerators divide (attention by data parallelism); the rest each sees all of"
    split_tokens: f64 = "share", bare, Operator, 0.0, 1.0;
    "Tokens per second of a serving program ÷ what this model says: programs differ on the same machine"
    program_factor: f64 = "ratio", bare, Measurement, 0.01, 10.0;
    "Tokens per second that each user is promised"
    user_rate: f64 = "tokens/s", bare, Operator, 1e-6, 1e6;
    "Tokens of prompts that are read for each token that is written"
    prompt_ratio: f64 = "ratio", bare, Operator, 0.0, 1e6;
    "Share of the prompts that other accelerators read, so that nobody's next token waits for them"
    prompts_apart: f64 = "share", bare, Operator, 0.0, 1.0;
    "Tokens that are drafted for each sequence of a step: speculative decoding"
    drafted: f64 = "tokens", bare, Operator, 0.0, 64.0;
    "Share of the drafted tokens that is accepted, each after the one before it was"
    accepted: f64 = "share", bare, Measurement, 0.0, 1.0;
    "Tokens that a coding agent reads for one task and does not find in its cache"
    task_read: f64 = "tokens", bare, Operator, 0.0, 1e12;
    "Tokens that it writes for one task"
    task_written: f64 = "tokens", bare, Operator, 0.0, 1e12;
    "The most sequences decoded at once, per accelerator"
    batch: f64 = "sequences", bare, Operator, 1.0, 1e6;
    "Tokens before the one that is written, and of a prompt"
    context: f64 = "tokens", bare, Operator, 1.0, 1e8;
    "Life of servers and network"
    it_life: Seconds = "years", Seconds::from_years, Judgement, 0.1, 100.0;
    "Life of the building"
    building_life: Seconds = "years", Seconds::from_years, Judgement, 0.1, 200.0;
    "Cost of capital per year"
    cost_of_capital: f64 = "share/year", bare, Judgement, 0.0, 0.5;
    "Price of electricity"
    electricity_price: DollarsPerJoule = "$/kWh", DollarsPerJoule::per_kwh, Operator, 0.0, 3.0;
    "Greenhouse gases of electricity where it is used, over the life cycle"
    carbon_intensity: KilogramsPerJoule = "g/kWh", KilogramsPerJoule::g_per_kwh, Operator, 0.0, 5000.0;
    "Greenhouse gases of making one accelerator with its share of the server"
    embodied: KilogramsCo2e = "kg", KilogramsCo2e, Judgement, 0.0, 1e7;
    "Work of one training run"
    run_flop: Flop = "FLOP", Flop, Operator, 1.0, 1e35;
    "The most accelerators that work on one run"
    run_accelerators: f64 = "accelerators", bare, Operator, 1.0, 1e12;
}

/// The unit of an input; empty for a key that is none.
pub(super) fn unit(key: &str) -> &'static str {
    INPUTS
        .iter()
        .find(|kind| kind.key == key)
        .map_or("", |kind| kind.unit)
}

/// The input of this name.
pub(super) fn known(key: &str) -> Result<&'static InputKind, String> {
    if let Some(kind) = INPUTS.iter().find(|kind| kind.key == key && key != "size") {
        return Ok(kind);
    }
    if ["accelerator", "model", "precision", "country"].contains(&key) {
        return Err(format!(
            "`{key}` is chosen with --{key}, or at the top of a scenario file"
        ));
    }
    let sizes = [Size::Budget, Size::Accelerators, Size::FacilityPower].map(Size::key);
    let keys = INPUTS
        .iter()
        .map(|kind| kind.key)
        .filter(|key| *key != "size");
    let lower = key.to_ascii_lowercase();
    let hint = nearest(&lower, keys.chain(sizes)).map_or_else(
        || "`perwatt invest --inputs` lists them".to_owned(),
        |near| format!("did you mean `{near}`? `perwatt invest --inputs` lists all"),
    );
    Err(format!("no input is called `{key}`; {hint}"))
}

/// Where an input stands in [`INPUTS`].
pub(super) fn position(key: &str) -> Option<usize> {
    INPUTS.iter().position(|kind| kind.key == key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_numbers_land_in_their_fields_with_their_units() {
        let mut values = vec![1.0; INPUTS.len()];
        let at = |key| position(key).unwrap();
        values[at("peak_bf16")] = 989.4;
        values[at("electricity_price")] = 3.6;
        values[at("carbon_intensity")] = 3600.0;
        values[at("it_life")] = 2.0;
        let inputs = Inputs::from_values(&values);
        assert_eq!(inputs.peak_bf16, FlopPerSecond(989.4e12));
        assert!((inputs.electricity_price.get() - 1e-6).abs() < 1e-18);
        assert!((inputs.carbon_intensity.get() - 1e-6).abs() < 1e-18);
        assert_eq!(inputs.it_life, Seconds(2.0 * 8760.0 * 3600.0));
    }

    #[test]
    fn keys_are_unique_and_bounds_are_in_order() {
        for (n, kind) in INPUTS.iter().enumerate() {
            assert_eq!(
                position(kind.key),
                Some(n),
                "{} is declared twice",
                kind.key
            );
            assert!(kind.least < kind.most, "{}", kind.key);
        }
    }
}
