//! The model of one draw: capital to accelerators to useful work, with its power, money and gases.
//!
//! A pure function of its inputs. Symbols follow `docs/invest.md`, which has the derivation and the
//! sources. A year has 8760 hours.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::inputs::Inputs;
use crate::units::{
    Bytes, BytesPerSecond, Dollars, DollarsPerFlop, DollarsPerSecond, DollarsPerToken, Flop,
    FlopPerDollar, FlopPerJoule, FlopPerSecond, FlopPerToken, Joules, JoulesPerToken,
    KilogramsCo2e, KilogramsPerFlop, KilogramsPerSecond, KilogramsPerToken, Seconds, Tokens,
    TokensPerSecond, Watts,
};

const YEAR: Seconds = Seconds::from_years(1.0);

/// Share of an accelerator's memory that weights may fill; the rest is for the cache and activations.
const WEIGHTS_IN_MEMORY: f64 = 0.6;

/// One more per cent of throughput, and one per cent fewer joules.
const PER_CENT: f64 = 0.01;

/// A number format for training and inference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// 32 bits, on vector units.
    F32,
    /// 16 bits (bf16 or f16 with f32 accumulation), on matrix units.
    Bf16,
    /// 8 bits, on matrix units.
    Fp8,
}

impl Precision {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::F32, Self::Bf16, Self::Fp8];

    /// As written.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::Fp8 => "fp8",
        }
    }

    /// Bytes of one number.
    fn bytes(self) -> f64 {
        match self {
            Self::F32 => 4.0,
            Self::Bf16 => 2.0,
            Self::Fp8 => 1.0,
        }
    }
}

/// What the size of a scenario is given as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
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

/// What a rate rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Rests {
    /// A published utilisation of the data-sheet peak.
    Prior,
    /// A kernel that was measured on the same device.
    Kernel,
    /// The share of its roof that a kernel reached on another device.
    Share,
}

/// A language model, for what a token costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LanguageModel {
    /// Its name.
    pub name: String,
    /// Parameters in memory.
    pub parameters: f64,
    /// Parameters that a token passes; fewer than `parameters` in a mixture of experts.
    pub active: f64,
    /// Layers with attention.
    pub layers: f64,
    /// Width of attention: heads × head size.
    pub width: f64,
    /// Bytes of keys and values that one token leaves behind, in 16-bit numbers.
    pub kv_bytes: f64,
    /// Tokens of a sequence in training.
    pub sequence: f64,
    /// Where this is from.
    pub source: String,
}

impl LanguageModel {
    /// FLOP to train on one token: 6·N + 12·L·d·S, of which causal attention does half of the second
    /// term (PaLM, appendix B).
    pub fn training_flop(&self) -> FlopPerToken {
        FlopPerToken(6.0 * self.active + 6.0 * self.layers * self.width * self.sequence)
    }

    /// FLOP to read one token of a prompt of this length: 2·N + 4·L·d·S, attention halved for causality.
    pub fn prefill_flop(&self, prompt: f64) -> FlopPerToken {
        FlopPerToken(2.0 * self.active + 2.0 * self.layers * self.width * prompt)
    }

    /// FLOP to write one token after this many others: 2·N + 4·L·d·S.
    pub fn decode_flop(&self, before: f64) -> FlopPerToken {
        FlopPerToken(2.0 * self.active + 4.0 * self.layers * self.width * before)
    }
}

/// What is decided rather than drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Choices {
    /// What the size is given as.
    pub size: Size,
    /// The format of training and inference.
    pub precision: Precision,
    /// The language model whose tokens are counted.
    pub model: LanguageModel,
    /// What rates rest on, in the order of [`Precision::ALL`].
    pub rate: [Rests; 3],
    /// What memory bandwidth rests on.
    pub bandwidth: Rests,
    /// Whether the device's power was measured.
    pub device_power: bool,
}

/// What kind of quantity an output is, for whoever shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Quantity {
    /// A number of things.
    Count,
    /// Dollars.
    Money,
    /// FLOP/s.
    FlopRate,
    /// Watts.
    Power,
    /// Joules; shown as watt-hours.
    Energy,
    /// Kilograms CO₂e.
    Mass,
    /// Seconds.
    Time,
    /// FLOP/J.
    FlopPerJoule,
    /// FLOP/$.
    FlopPerDollar,
    /// Tokens/s.
    TokenRate,
    /// J/token.
    EnergyPerToken,
    /// Hours of one accelerator.
    AcceleratorHours,
}

/// What an output is.
#[derive(Clone, Copy, Debug)]
pub struct OutputKind {
    /// Its name in JSON.
    pub key: &'static str,
    /// What it is, in a few words.
    pub label: &'static str,
    /// Its unit in JSON.
    pub unit: &'static str,
    /// What kind of quantity it is.
    pub quantity: Quantity,
}

/// Declares the outputs once. Each expression turns the typed field into the number of the stated unit.
macro_rules! outputs {
    ($($label:literal $name:ident: $type:ty = $unit:literal, $quantity:ident, $bare:expr;)+) => {
        /// What one draw of the inputs leads to. NaN where an input is missing that it needs.
        #[derive(Clone, Copy, Debug)]
        pub struct Outputs {
            $(#[doc = $label] pub $name: $type,)+
        }

        /// What the outputs are, in the order of [`Outputs::values`].
        pub const OUTPUTS: &[OutputKind] = &[$(OutputKind {
            key: stringify!($name),
            label: $label,
            unit: $unit,
            quantity: Quantity::$quantity,
        }),+];

        impl Outputs {
            /// Bare numbers in the units and the order of [`OUTPUTS`].
            pub fn values(&self) -> [f64; OUTPUTS.len()] {
                [$($bare(self.$name)),+]
            }
        }
    };
}

fn bare(value: f64) -> f64 {
    value
}

fn per_exaflop(price: DollarsPerFlop) -> f64 {
    (price * Flop(1e18)).get()
}

fn mass_per_exaflop(mass: KilogramsPerFlop) -> f64 {
    (mass * Flop(1e18)).get()
}

fn per_million(price: DollarsPerToken) -> f64 {
    (price * Tokens(1e6)).get()
}

fn mass_per_million(mass: KilogramsPerToken) -> f64 {
    (mass * Tokens(1e6)).get()
}

fn per_hour(price: DollarsPerSecond) -> f64 {
    (price * Seconds::from_hours(1.0)).get()
}

outputs! {
    "accelerators" accelerators: f64 = "accelerators", Count, bare;
    "capital for AI" capital: Dollars = "$", Money, Dollars::get;
    "capital, each accelerator" capital_each: Dollars = "$", Money, Dollars::get;
    "peak, f32" peak_f32: FlopPerSecond = "FLOP/s", FlopRate, FlopPerSecond::get;
    "peak, bf16 dense" peak_bf16: FlopPerSecond = "FLOP/s", FlopRate, FlopPerSecond::get;
    "peak, fp8 dense" peak_fp8: FlopPerSecond = "FLOP/s", FlopRate, FlopPerSecond::get;
    "achievable, f32" achieved_f32: FlopPerSecond = "FLOP/s", FlopRate, FlopPerSecond::get;
    "achievable, bf16" achieved_bf16: FlopPerSecond = "FLOP/s", FlopRate, FlopPerSecond::get;
    "achievable, fp8" achieved_fp8: FlopPerSecond = "FLOP/s", FlopRate, FlopPerSecond::get;
    "achievable by one accelerator" achieved_each: FlopPerSecond = "FLOP/s", FlopRate, FlopPerSecond::get;
    "facility, capacity" facility_power: Watts = "W", Power, Watts::get;
    "facility, mean draw" mean_power: Watts = "W", Power, Watts::get;
    "device under load" device_power: Watts = "W", Power, Watts::get;
    "IT under load, each" it_power: Watts = "W", Power, Watts::get;
    "electricity a year" energy: Joules = "J", Energy, Joules::get;
    "CO2e of electricity a year" operational: KilogramsCo2e = "kg", Mass, KilogramsCo2e::get;
    "CO2e of hardware a year" embodied: KilogramsCo2e = "kg", Mass, KilogramsCo2e::get;
    "CO2e a year" carbon: KilogramsCo2e = "kg", Mass, KilogramsCo2e::get;
    "whole cost a year" cost: Dollars = "$", Money, Dollars::get;
    "bill for electricity a year" electricity_bill: Dollars = "$", Money, Dollars::get;
    "accelerator-hour, owned" hour: DollarsPerSecond = "$/h", Money, per_hour;
    "accelerator-hour, in use" busy_hour: DollarsPerSecond = "$/h", Money, per_hour;
    "exaFLOP (10^18), training" exaflop: DollarsPerFlop = "$/EFLOP", Money, per_exaflop;
    "million tokens, training" train_tokens: DollarsPerToken = "$/Mtoken", Money, per_million;
    "million tokens, prefill" prefill_tokens: DollarsPerToken = "$/Mtoken", Money, per_million;
    "million tokens, decode" decode_tokens: DollarsPerToken = "$/Mtoken", Money, per_million;
    "training, each accelerator" train_rate: TokensPerSecond = "tokens/s", TokenRate, TokensPerSecond::get;
    "prefill, each accelerator" prefill_rate: TokensPerSecond = "tokens/s", TokenRate, TokensPerSecond::get;
    "decode, each accelerator" decode_rate: TokensPerSecond = "tokens/s", TokenRate, TokensPerSecond::get;
    "energy of a trained token" train_energy: JoulesPerToken = "J/token", EnergyPerToken, JoulesPerToken::get;
    "energy of a read token" prefill_energy: JoulesPerToken = "J/token", EnergyPerToken, JoulesPerToken::get;
    "energy of a written token" decode_energy: JoulesPerToken = "J/token", EnergyPerToken, JoulesPerToken::get;
    "accelerator-hours" run_hours: Seconds = "h", AcceleratorHours, Seconds::hours;
    "time" run_time: Seconds = "s", Time, Seconds::get;
    "energy" run_energy: Joules = "J", Energy, Joules::get;
    "of that, the devices alone" run_device_energy: Joules = "J", Energy, Joules::get;
    "money" run_cost: Dollars = "$", Money, Dollars::get;
    "CO2e" run_carbon: KilogramsCo2e = "kg", Mass, KilogramsCo2e::get;
    "per exaFLOP of training" sci_exaflop: KilogramsPerFlop = "kg/EFLOP", Mass, mass_per_exaflop;
    "per million tokens trained" sci_train: KilogramsPerToken = "kg/Mtoken", Mass, mass_per_million;
    "per million tokens written" sci_decode: KilogramsPerToken = "kg/Mtoken", Mass, mass_per_million;
    "FLOP a joule, facility" flop_per_joule: FlopPerJoule = "FLOP/J", FlopPerJoule, FlopPerJoule::get;
    "FLOP a joule, device" device_flop_per_joule: FlopPerJoule = "FLOP/J", FlopPerJoule, FlopPerJoule::get;
    "FLOP a dollar" flop_per_dollar: FlopPerDollar = "FLOP/$", FlopPerDollar, FlopPerDollar::get;
    "1 % more throughput, dollars" throughput_dollars: Dollars = "$", Money, Dollars::get;
    "1 % more throughput, energy" throughput_energy: Joules = "J", Energy, Joules::get;
    "1 % more throughput, CO2e" throughput_carbon: KilogramsCo2e = "kg", Mass, KilogramsCo2e::get;
    "1 % fewer device joules, dollars" joules_dollars: Dollars = "$", Money, Dollars::get;
    "1 % fewer device joules, energy" joules_energy: Joules = "J", Energy, Joules::get;
    "1 % fewer device joules, CO2e" joules_carbon: KilogramsCo2e = "kg", Mass, KilogramsCo2e::get;
}

/// The model.
pub fn evaluate(choices: &Choices, x: &Inputs) -> Outputs {
    let money = Money::of(x);
    let power = Power::of(choices, x);
    let count = match choices.size {
        Size::Budget => Dollars(x.size) * x.ai_share / money.each(),
        Size::Accelerators => x.size,
        Size::FacilityPower => Watts(x.size) / power.facility(x),
    };

    let rates = Precision::ALL.map(|precision| rate(choices, x, precision));
    let [in_f32, in_bf16, in_fp8] = rates;
    let rate = rates[choices.precision as usize];
    // What a run keeps, and what is left of that over a year.
    let run_rate = rate * x.goodput;
    let fleet = |rate: FlopPerSecond| rate * (count * x.goodput * x.busy);

    let mean = power.mean(x);
    let energy = mean * YEAR;
    let bill = x.electricity_price * energy;
    let cost = money.a_year(x) + bill;
    let hour = cost / YEAR;
    let busy_hour = hour / x.busy;
    let operational = x.carbon_intensity * energy;
    let embodied = x.embodied * (YEAR / x.it_life);
    let busy_carbon: KilogramsPerSecond = (operational + embodied) / YEAR / x.busy;

    let exaflop: DollarsPerFlop = busy_hour / run_rate;
    let train_rate = run_rate / choices.model.training_flop();
    let prefill_rate = prefill(choices, x, rate) / choices.model.prefill_flop(x.context);
    let decode_rate = decode(choices, x, prefill(choices, x, rate));

    let busy_power = power.busy(x);
    let run_time_each = x.run_flop / run_rate;
    let run_energy = busy_power * run_time_each;
    let saved = 1.0 - 1.0 / (1.0 + PER_CENT);
    let joules_energy = power.device * x.pue * x.busy * YEAR * (count * PER_CENT);

    Outputs {
        accelerators: count,
        capital: money.each() * count,
        capital_each: money.each(),
        peak_f32: x.peak_f32 * count,
        peak_bf16: x.peak_bf16 * count,
        peak_fp8: x.peak_fp8 * count,
        achieved_f32: fleet(in_f32),
        achieved_bf16: fleet(in_bf16),
        achieved_fp8: fleet(in_fp8),
        achieved_each: rate,
        facility_power: power.facility(x) * count,
        mean_power: mean * count,
        device_power: power.device,
        it_power: power.it(x),
        energy: energy * count,
        operational: operational * count,
        embodied: embodied * count,
        carbon: (operational + embodied) * count,
        cost: cost * count,
        electricity_bill: bill * count,
        hour,
        busy_hour,
        exaflop,
        train_tokens: busy_hour / train_rate,
        prefill_tokens: busy_hour / prefill_rate,
        decode_tokens: busy_hour / decode_rate,
        train_rate,
        prefill_rate,
        decode_rate,
        train_energy: busy_power / train_rate,
        prefill_energy: busy_power / prefill_rate,
        decode_energy: busy_power / decode_rate,
        run_hours: run_time_each,
        run_time: run_time_each / x.run_accelerators.min(count),
        run_energy,
        run_device_energy: power.device * run_time_each,
        run_cost: busy_hour * run_time_each,
        run_carbon: x.carbon_intensity * run_energy
            + x.embodied * (run_time_each / x.busy / x.it_life),
        sci_exaflop: busy_carbon / run_rate,
        sci_train: busy_carbon / train_rate,
        sci_decode: busy_carbon / decode_rate,
        flop_per_joule: run_rate * x.busy / mean,
        device_flop_per_joule: rate / power.device,
        flop_per_dollar: Flop(1.0) / (exaflop * Flop(1.0)),
        throughput_dollars: cost * (count * saved),
        throughput_energy: energy * (count * saved),
        throughput_carbon: (operational + embodied) * (count * saved),
        joules_dollars: x.electricity_price * joules_energy,
        joules_energy,
        joules_carbon: x.carbon_intensity * joules_energy,
    }
}

/// Capital of one accelerator.
struct Money {
    /// Accelerator, server and network.
    it: Dollars,
    /// Building, cooling and power supply.
    building: Dollars,
}

impl Money {
    fn of(x: &Inputs) -> Self {
        Self {
            it: (x.price + x.host_price) / (1.0 - x.network_share),
            building: x.building * provisioned(x),
        }
    }

    fn each(&self) -> Dollars {
        self.it + self.building
    }

    /// What a year costs without electricity.
    fn a_year(&self, x: &Inputs) -> Dollars {
        self.it * (annuity(x.cost_of_capital, x.it_life) + x.opex_share)
            + self.building * annuity(x.cost_of_capital, x.building_life)
    }
}

/// IT capacity that is built for one accelerator.
fn provisioned(x: &Inputs) -> Watts {
    x.server_power * (1.0 + x.network_power) * x.provisioning
}

/// Power of one accelerator and its share of everything around it.
struct Power {
    device: Watts,
    host: Watts,
    idle: Watts,
}

impl Power {
    fn of(choices: &Choices, x: &Inputs) -> Self {
        let server = x.server_power * x.load_share;
        let host = server * (1.0 - x.device_share);
        let device = if choices.device_power {
            x.device_power * x.sensor_gain
        } else {
            server * x.device_share
        };
        let idle = x.server_power * x.idle_share;
        let load = device + host;
        Self {
            device,
            host,
            // A server that waits takes no more than one that works.
            idle: if idle < load { idle } else { load },
        }
    }

    /// Servers and network under load.
    fn it(&self, x: &Inputs) -> Watts {
        (self.device + self.host) * (1.0 + x.network_power)
    }

    /// The facility's draw under load.
    fn busy(&self, x: &Inputs) -> Watts {
        self.it(x) * x.pue
    }

    /// The facility's draw over a year.
    fn mean(&self, x: &Inputs) -> Watts {
        let load = (self.device + self.host) * x.busy + self.idle * (1.0 - x.busy);
        load * (1.0 + x.network_power) * x.pue
    }

    /// What the facility is built for.
    fn facility(&self, x: &Inputs) -> Watts {
        provisioned(x) * x.pue
    }
}

/// The part of a loan that is paid each year, interest included (capital recovery factor).
fn annuity(rate: f64, life: Seconds) -> f64 {
    let years = life.years();
    let discount = -libm::expm1(-years * libm::log1p(rate));
    if rate > 1e-9 {
        rate / discount
    } else {
        1.0 / years
    }
}

/// Useful FLOP/s of one accelerator inside a run.
fn rate(choices: &Choices, x: &Inputs, precision: Precision) -> FlopPerSecond {
    let (peak, utilisation, kernel, share) = match precision {
        Precision::F32 => (x.peak_f32, x.mfu_f32, x.kernel_f32, x.kernel_share_f32),
        Precision::Bf16 => (x.peak_bf16, x.mfu_bf16, x.kernel_bf16, x.kernel_share_bf16),
        // WGSL has no 8-bit floating point, so no kernel of perwatt's speaks of it.
        Precision::Fp8 => return x.peak_fp8 * x.mfu_fp8,
    };
    match choices.rate[precision as usize] {
        Rests::Prior => peak * utilisation,
        Rests::Kernel => kernel * x.transfer,
        Rests::Share => peak * (share * x.roof_attained * x.transfer),
    }
}

/// Useful FLOP/s of one accelerator that reads prompts: what was measured, or the prior for that.
fn prefill(choices: &Choices, x: &Inputs, rate: FlopPerSecond) -> FlopPerSecond {
    let peak = match choices.precision {
        Precision::F32 => x.peak_f32,
        Precision::Bf16 => x.peak_bf16,
        Precision::Fp8 => x.peak_fp8,
    };
    match choices.rate[choices.precision as usize] {
        Rests::Prior => peak * x.mfu_prefill,
        Rests::Kernel | Rests::Share => rate,
    }
}

/// Tokens a second that one accelerator writes: a step reads the weights that its tokens need and the
/// cache of all its sequences, and does their FLOP, whichever takes longer.
fn decode(choices: &Choices, x: &Inputs, compute: FlopPerSecond) -> TokensPerSecond {
    let model = &choices.model;
    let bytes = choices.precision.bytes();
    let bandwidth: BytesPerSecond = match choices.bandwidth {
        Rests::Prior => x.bandwidth * x.bandwidth_share,
        Rests::Kernel => x.kernel_bandwidth * x.bandwidth_transfer,
        Rests::Share => {
            x.bandwidth * (x.kernel_bandwidth_share * x.roof_attained * x.bandwidth_transfer)
        }
    };
    let weights = Bytes(model.parameters * bytes);
    let cache = Bytes(model.kv_bytes * (bytes / 2.0) * x.context);
    // As many accelerators as hold the weights, and one sequence beside them, share both.
    let for_weights = weights / (x.memory * WEIGHTS_IN_MEMORY);
    let for_one = (weights + cache) / x.memory;
    let shared = for_weights.max(for_one).ceil().max(1.0);
    let room = x.memory - weights / shared;
    let sequences = x.batch.min(room / cache);
    // Few tokens of a mixture of experts touch few experts.
    let touched = model
        .parameters
        .min(model.active * (sequences * shared).max(1.0));
    let read = Bytes(touched * bytes) / shared + cache * sequences;
    let by_memory: Seconds = read / bandwidth;
    let by_compute: Seconds = model.decode_flop(x.context) * Tokens(sequences) / compute;
    let step = if by_compute > by_memory {
        by_compute
    } else {
        by_memory
    };
    Tokens(sequences) / step
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invest::inputs::{INPUTS, position};

    /// The central values of the priors for an H100, and round numbers where only they are hand-worked.
    fn inputs(changes: &[(&str, f64)]) -> Inputs {
        let mut values = vec![f64::NAN; INPUTS.len()];
        let central = [
            ("size", 155e9),
            ("ai_share", 0.55),
            ("price", 34_000.0),
            ("host_price", 0.0),
            ("network_share", 0.15),
            ("building", 12.0),
            ("opex_share", 0.03),
            ("server_power", 1275.0),
            ("network_power", 0.10),
            ("provisioning", 0.9),
            ("pue", 1.15),
            ("load_share", 0.76),
            ("idle_share", 0.35),
            ("device_share", 0.62),
            ("sensor_gain", 1.0),
            ("busy", 0.8),
            ("goodput", 0.92),
            ("peak_f32", 66.9),
            ("peak_bf16", 989.4),
            ("mfu_f32", 0.6),
            ("mfu_bf16", 0.4),
            ("mfu_prefill", 0.4),
            ("roof_attained", 0.9),
            ("transfer", 0.5),
            ("memory", 80.0),
            ("bandwidth", 3350.0),
            ("bandwidth_share", 0.5),
            ("bandwidth_transfer", 0.7),
            ("batch", 32.0),
            ("context", 2000.0),
            ("it_life", 5.0),
            ("building_life", 14.0),
            ("cost_of_capital", 0.08),
            ("electricity_price", 0.08),
            ("carbon_intensity", 370.0),
            ("embodied", 200.0),
            ("run_flop", 1e25),
            ("run_accelerators", 100_000.0),
        ];
        for (key, value) in central.iter().chain(changes) {
            values[position(key).unwrap()] = *value;
        }
        Inputs::from_values(&values)
    }

    fn choices() -> Choices {
        Choices {
            size: Size::Budget,
            precision: Precision::Bf16,
            model: LanguageModel {
                name: "70B".to_owned(),
                parameters: 70.6e9,
                active: 70.6e9,
                layers: 80.0,
                width: 8192.0,
                kv_bytes: 327_680.0,
                sequence: 8192.0,
                source: String::new(),
            },
            rate: [Rests::Prior; 3],
            bandwidth: Rests::Prior,
            device_power: false,
        }
    }

    #[track_caller]
    fn near(got: f64, expected: f64) {
        let off = (got / expected - 1.0).abs();
        assert!(off < 2e-5, "{got} is not {expected}");
    }

    #[test]
    fn capital_becomes_accelerators_by_hand() {
        let out = evaluate(&choices(), &inputs(&[]));
        // 34000 / 0.85 = 40000; 1275 · 1.1 · 0.9 = 1262.25 W; · 12 $/W = 15147; together 55147.
        near(out.capital_each.get(), 55_147.0);
        // 155e9 · 0.55 / 55147.
        near(out.accelerators, 1_545_868.3);
        near(out.capital.get(), 85.25e9);
        near(out.peak_bf16.get(), 1_545_868.3 * 989.4e12);
        // · 0.4 · 0.92 · 0.8.
        near(out.achieved_bf16.get(), 1_545_868.3 * 989.4e12 * 0.2944);
        near(out.achieved_each.get(), 395.76e12);
        assert!(out.peak_fp8.get().is_nan());
    }

    #[test]
    fn power_and_energy_by_hand() {
        let x = inputs(&[("size", 1.0)]);
        let out = evaluate(
            &Choices {
                size: Size::Accelerators,
                ..choices()
            },
            &x,
        );
        // 1262.25 · 1.15.
        near(out.facility_power.get(), 1451.5875);
        // 1275 · 0.76 = 969; device 600.78; with network 1065.9.
        near(out.device_power.get(), 600.78);
        near(out.it_power.get(), 1065.9);
        // Idle 446.25: (969 · 0.8 + 446.25 · 0.2) · 1.1 · 1.15 = 1093.529 W, · 8760 h = 9579.31 kWh.
        near(out.mean_power.get(), 1_093.529_25);
        near(crate::units::WattHours::from(out.energy).get(), 9_579_316.2);
        near(out.operational.get(), 3544.347);
        near(out.embodied.get(), 40.0);
        // What was measured takes the place of the device's share, and the host's stays.
        let measured = Choices {
            device_power: true,
            size: Size::Accelerators,
            ..choices()
        };
        let x = inputs(&[("size", 1.0), ("device_power", 500.0), ("sensor_gain", 1.1)]);
        // 550 + 969 · 0.38 = 918.22, · 1.1.
        near(evaluate(&measured, &x).it_power.get(), 1010.042);
    }

    #[test]
    fn money_by_hand() {
        let x = inputs(&[("size", 1.0)]);
        let out = evaluate(
            &Choices {
                size: Size::Accelerators,
                ..choices()
            },
            &x,
        );
        // Annuities at 8 %: 0.2504565 over 5 years, 0.1212969 over 14 (any table of them).
        near(annuity(0.08, Seconds::from_years(5.0)), 0.250_456_5);
        near(annuity(0.08, Seconds::from_years(14.0)), 0.121_296_9);
        near(annuity(0.0, Seconds::from_years(4.0)), 0.25);
        // 40000 · 0.2504565 + 15147 · 0.1212969 + 9579.316 · 0.08 + 40000 · 0.03.
        near(out.cost.get(), 13_821.89);
        near(per_hour(out.hour), 13_821.89 / 8760.0);
        near(per_hour(out.busy_hour), 13_821.89 / 7008.0);
        // Useful FLOP of a year: 395.76e12 · 0.92 · 0.8 · 31536000 s = 9185.81 EFLOP.
        near(per_exaflop(out.exaflop), 13_821.89 / 9_185.806_6);
    }

    #[test]
    fn a_run_by_hand() {
        let out = evaluate(&choices(), &inputs(&[]));
        // 10²⁵ / (395.76e12 · 0.92) / 3600.
        near(out.run_hours.hours(), 7_629_243.0);
        near(out.run_time.get() / 86_400.0, 3.178_85);
        // · 1065.9 W · 1.15.
        near(
            crate::units::WattHours::from(out.run_energy).get(),
            9.351_75e9,
        );
        near(out.run_cost.get(), 7_629_243.0 * 13_821.89 / 7008.0);
        // 370 g/kWh of that, and of each 200 kg the share 7629243 h / (0.8 · 5 · 8760 h).
        near(
            out.run_carbon.get(),
            9.351_75e6 * 0.37 + 200.0 * 7_629_243.0 / 35_040.0,
        );
        // A run that all of three accelerators work on takes as long as it takes them.
        let x = inputs(&[("size", 3.0)]);
        let few = evaluate(
            &Choices {
                size: Size::Accelerators,
                ..choices()
            },
            &x,
        );
        near(few.run_time.hours(), 7_629_243.0 / 3.0);
    }

    #[test]
    fn tokens_by_hand() {
        let model = choices().model;
        // 6 · 70.6e9 + 6 · 80 · 8192 · 8192.
        near(model.training_flop().get(), 4.558_123e11);
        near(model.prefill_flop(2000.0).get(), 1.438_214e11);
        near(model.decode_flop(2000.0).get(), 1.464_429e11);
        let out = evaluate(&choices(), &inputs(&[]));
        near(out.train_rate.get(), 395.76e12 * 0.92 / 4.558_123e11);
        near(out.prefill_rate.get(), 395.76e12 / 1.438_214e11);
        // Three accelerators hold 141.2 GB in 60 % of 80 GB each: 47.067 GB of weights and 32 · 655.36 MB
        // of cache at 1675 GB/s are 40.62 ms for 32 tokens.
        near(
            out.decode_rate.get(),
            32.0 / ((47.066_667e9 + 20.971_52e9) / 1.675e12),
        );
        // At one watt-second a joule: 1065.9 · 1.15 W.
        near(out.decode_energy.get(), 1225.785 / out.decode_rate.get());
        // A price of 1.97 $/h and a rate of 788 tokens/s.
        near(
            per_million(out.decode_tokens),
            13_821.89 / 7008.0 / 3600.0 / out.decode_rate.get() * 1e6,
        );
    }

    #[test]
    fn decoding_is_bound_by_compute_or_memory_and_by_what_fits() {
        // Almost no compute: one token's FLOP over the rate.
        let slow = inputs(&[("mfu_prefill", 1e-4)]);
        let out = evaluate(&choices(), &slow);
        near(out.decode_rate.get(), 989.4e12 * 1e-4 / 1.464_429e11);
        // 32.933 GB beside the weights hold 50.25 sequences of 655.36 MB, however many are asked for.
        let many = evaluate(&choices(), &inputs(&[("batch", 1000.0)]));
        let sequences = 32.933_333e9 / 655.36e6;
        near(many.decode_rate.get(), sequences / (80e9 / 1.675e12));
        // A cache that no accelerator holds is shared by as many as hold it.
        let long = evaluate(&choices(), &inputs(&[("context", 1e7)]));
        assert!(long.decode_rate.get() > 0.0 && long.decode_rate.get().is_finite());
    }

    #[test]
    fn rates_rest_on_what_the_choices_say() {
        let measured = inputs(&[("kernel_bf16", 100.0), ("kernel_share_bf16", 0.8)]);
        let kernel = Choices {
            rate: [Rests::Prior, Rests::Kernel, Rests::Prior],
            ..choices()
        };
        near(evaluate(&kernel, &measured).achieved_each.get(), 50e12);
        let share = Choices {
            rate: [Rests::Prior, Rests::Share, Rests::Prior],
            ..choices()
        };
        // 989.4 · 0.8 · 0.9 · 0.5.
        near(evaluate(&share, &measured).achieved_each.get(), 356.184e12);
    }

    #[test]
    fn one_per_cent_is_what_the_fleet_saves() {
        let out = evaluate(&choices(), &inputs(&[]));
        near(out.throughput_dollars.get() * 1.01, out.cost.get() * 0.01);
        near(out.throughput_energy.get() * 1.01, out.energy.get() * 0.01);
        // 600.78 W · 1.15 · 0.8 · 8760 h, of which one per cent.
        let each = 600.78 * 1.15 * 0.8 * 31_536_000.0 * 0.01;
        near(out.joules_energy.get(), out.accelerators * each);
        near(
            out.joules_dollars.get(),
            out.accelerators * each / 3.6e6 * 0.08,
        );
    }
}
