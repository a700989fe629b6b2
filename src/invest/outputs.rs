//! What the model answers. One entry of the table below is one output: where the page shows it, its label,
//! its name and type, how it follows from the terms of a draw, and its unit.

use schemars::JsonSchema;
use serde::Serialize;

use super::choices::Choices;
use super::equations::{Terms, YEAR};
use super::inputs::Inputs;
use super::number_format::NumberFormat;
use crate::units::{
    Dollars, DollarsPerFlop, DollarsPerSecond, DollarsPerToken, Flop, FlopPerDollar, FlopPerJoule,
    FlopPerSecond, Joules, JoulesPerToken, KilogramsCo2e, KilogramsPerFlop, KilogramsPerToken,
    Seconds, Tokens, TokensPerSecond, Watts,
};

/// One more per cent of throughput, and one per cent fewer joules.
const PER_CENT: f64 = 0.01;

/// The share of a fleet that is not needed when each accelerator does one per cent more.
const SAVED: f64 = 1.0 - 1.0 / (1.0 + PER_CENT);

/// What kind of quantity an output is, for whoever shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OutputQuantity {
    /// A number of things.
    Count,
    /// Dollars, or dollars per something.
    Money,
    /// Dollars per something, written as money is.
    #[serde(rename = "money")]
    #[schemars(skip)]
    Price,
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

/// The part of the page in which an output stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// What the sum buys.
    Purchase,
    /// Power, energy and greenhouse gases of the whole.
    Footprint,
    /// The cost of an hour, of work and of tokens.
    Cost,
    /// Rates and power of one accelerator.
    Accelerator,
    /// One training run.
    Run,
    /// Software carbon intensity.
    Sci,
    /// What one per cent of improvement saves.
    OnePerCent,
    /// In JSON only.
    JsonOnly,
}

impl Section {
    /// Its title; `run_flop` is the work of the one run.
    pub fn title(self, run_flop: f64) -> String {
        let title = match self {
            Self::Purchase => "What it buys",
            Self::Footprint => "Power, energy and emissions",
            Self::Cost => "What work costs",
            Self::Accelerator => "One accelerator at work",
            Self::Run => return format!("One run of {} FLOP", power_of_ten(run_flop)),
            Self::Sci => "SCI (ISO/IEC 21031)",
            Self::OnePerCent => "1 % saves per year",
            Self::JsonOnly => "",
        };
        title.to_owned()
    }
}

fn power_of_ten(value: f64) -> String {
    let text = format!("{value:e}");
    match text.split_once('e') {
        Some(("1", exponent)) => format!("10^{exponent}"),
        Some((digits, exponent)) => format!("{digits}·10^{exponent}"),
        None => text,
    }
}

/// What an output is.
#[derive(Clone, Copy, Debug)]
pub struct OutputKind {
    /// Its name in JSON.
    pub key: &'static str,
    /// What it is, in a few words.
    pub label: &'static str,
    /// The same in its section of the page, whose title says the rest.
    pub row_label: &'static str,
    /// Where the page shows it.
    pub section: Section,
    /// Its unit in JSON.
    pub unit: &'static str,
    /// What kind of quantity it is.
    pub quantity: OutputQuantity,
    /// Its heading in the table of sensitivities, where its uncertainty is traced to the inputs.
    pub traced_as: Option<&'static str>,
    /// The number format that it is about, where it is about one.
    pub format: Option<NumberFormat>,
}

/// The outputs that a reader takes in at a glance, beside what is done in the format that was chosen.
const AT_A_GLANCE: [&str; 15] = [
    "capital",
    "accelerators",
    "capital_servers",
    "capital_network",
    "capital_building",
    "facility_power",
    "energy",
    "operational",
    "cost",
    "busy_hour",
    "decode_tokens",
    "decode_rate",
    "device_power",
    "run_hours",
    "run_cost",
];

impl OutputKind {
    /// Whether it stands where a reader wants the answer at a glance.
    pub fn is_at_a_glance(&self, precision: NumberFormat) -> bool {
        AT_A_GLANCE.contains(&self.key) || self.format == Some(precision)
    }
}

/// Declares the outputs: the typed struct of one draw, how each field is computed, and the table of what
/// they are. An entry reads
/// `SECTION "label" ["label in its section"] {"heading of a traced output"} (format)`
/// `name: Type = expression, "unit" QUANTITY to_number;`
/// where the parts in brackets may be left out and `to_number` turns the typed value into one of that unit.
macro_rules! outputs {
    (of $t:ident; $(
        $section:ident $label:literal $([$row_label:literal])? $({$heading:literal})? $(($format:ident))?
        $name:ident: $type:ty = $value:expr, $unit:literal $quantity:ident $bare:expr;
    )+) => {
        /// What one draw of the inputs leads to. NaN where an input is missing that it needs.
        #[derive(Clone, Copy, Debug)]
        pub(super) struct Outputs {
            $(#[doc = $label] pub(super) $name: $type,)+
        }

        /// What the outputs are, in the order of the model's results.
        pub const OUTPUTS: &[OutputKind] = &[$(OutputKind {
            key: stringify!($name),
            label: $label,
            row_label: [$($row_label,)? $label][0],
            section: Section::$section,
            unit: $unit,
            quantity: OutputQuantity::$quantity,
            traced_as: [$(Some($heading),)? None][0],
            format: [$(Some(NumberFormat::$format),)? None][0],
        }),+];

        impl Outputs {
            /// Of one draw.
            pub(super) fn of(choices: &Choices, x: &Inputs) -> Self {
                let $t = &Terms::of(choices, x);
                Self { $($name: $value),+ }
            }

            /// Bare numbers in the units and the order of [`OUTPUTS`].
            pub(super) fn values(&self) -> [f64; OUTPUTS.len()] {
                [$($bare(self.$name)),+]
            }
        }
    };
}

fn bare(value: f64) -> f64 {
    value
}

pub(super) fn per_exaflop(price: DollarsPerFlop) -> f64 {
    (price * Flop(1e18)).get()
}

fn mass_per_exaflop(mass: KilogramsPerFlop) -> f64 {
    (mass * Flop(1e18)).get()
}

pub(super) fn per_million(price: DollarsPerToken) -> f64 {
    (price * Tokens(1e6)).get()
}

fn mass_per_million(mass: KilogramsPerToken) -> f64 {
    (mass * Tokens(1e6)).get()
}

pub(super) fn per_hour(price: DollarsPerSecond) -> f64 {
    (price * Seconds::from_hours(1.0)).get()
}

outputs! { of t;
    Purchase "capital for AI"
        capital: Dollars = t.capital.each() * t.count, "$" Money Dollars::get;
    Purchase "accelerators"
        accelerators: f64 = t.count, "accelerators" Count bare;
    Purchase "of that, chips in servers"
        capital_servers: Dollars = t.capital.servers(t.x) * t.count, "$" Money Dollars::get;
    Purchase "network inside"
        capital_network: Dollars = t.capital.network(t.x) * t.count, "$" Money Dollars::get;
    Purchase "building and power"
        capital_building: Dollars = t.capital.building() * t.count, "$" Money Dollars::get;
    Purchase "capital, each accelerator"
        capital_each: Dollars = t.capital.each(), "$" Money Dollars::get;
    Purchase "peak, f32"
        peak_f32: FlopPerSecond = t.x.peak_f32 * t.count, "FLOP/s" FlopRate FlopPerSecond::get;
    Purchase "in use, f32" (F32)
        in_use_f32: FlopPerSecond = t.in_use(NumberFormat::F32), "FLOP/s" FlopRate FlopPerSecond::get;
    Purchase "mean of the year, f32" {"FLOP/s"} (F32)
        achieved_f32: FlopPerSecond = t.fleet(NumberFormat::F32), "FLOP/s" FlopRate FlopPerSecond::get;
    Purchase "peak, bf16 dense"
        peak_bf16: FlopPerSecond = t.x.peak_bf16 * t.count, "FLOP/s" FlopRate FlopPerSecond::get;
    Purchase "in use, bf16" (Bf16)
        in_use_bf16: FlopPerSecond = t.in_use(NumberFormat::Bf16), "FLOP/s" FlopRate FlopPerSecond::get;
    Purchase "mean of the year, bf16" {"FLOP/s"} (Bf16)
        achieved_bf16: FlopPerSecond = t.fleet(NumberFormat::Bf16), "FLOP/s" FlopRate FlopPerSecond::get;
    Purchase "peak, fp8 dense"
        peak_fp8: FlopPerSecond = t.x.peak_fp8 * t.count, "FLOP/s" FlopRate FlopPerSecond::get;
    Purchase "in use, fp8" (Fp8)
        in_use_fp8: FlopPerSecond = t.in_use(NumberFormat::Fp8), "FLOP/s" FlopRate FlopPerSecond::get;
    Purchase "mean of the year, fp8" {"FLOP/s"} (Fp8)
        achieved_fp8: FlopPerSecond = t.fleet(NumberFormat::Fp8), "FLOP/s" FlopRate FlopPerSecond::get;
    Purchase "peak, fp4 dense"
        peak_fp4: FlopPerSecond = t.x.peak_fp4 * t.count, "FLOP/s" FlopRate FlopPerSecond::get;
    Purchase "in use, fp4" (Fp4)
        in_use_fp4: FlopPerSecond = t.in_use(NumberFormat::Fp4), "FLOP/s" FlopRate FlopPerSecond::get;
    Purchase "mean of the year, fp4" {"FLOP/s"} (Fp4)
        achieved_fp4: FlopPerSecond = t.fleet(NumberFormat::Fp4), "FLOP/s" FlopRate FlopPerSecond::get;

    Footprint "facility, capacity"
        facility_power: Watts = t.power.facility(t.x) * t.count, "W" Power Watts::get;
    Footprint "facility, mean draw"
        mean_power: Watts = t.mean * t.count, "W" Power Watts::get;
    Footprint "electricity per year" {"TWh"}
        energy: Joules = t.energy * t.count, "J" Energy Joules::get;
    Footprint "CO2e of electricity per year" ["CO2e, electricity per year"]
        operational: KilogramsCo2e = t.operational * t.count, "kg" Mass KilogramsCo2e::get;
    Footprint "CO2e of hardware per year" ["CO2e, hardware per year"]
        embodied: KilogramsCo2e = t.embodied * t.count, "kg" Mass KilogramsCo2e::get;
    Footprint "FLOP per joule, facility"
        flop_per_joule: FlopPerJoule = t.run_rate * t.x.busy / t.mean, "FLOP/J" FlopPerJoule FlopPerJoule::get;

    Cost "total cost per year"
        cost: Dollars = t.cost * t.count, "$" Money Dollars::get;
    Cost "accelerator-hour, owned"
        hour: DollarsPerSecond = t.hour, "$/h" Price per_hour;
    Cost "accelerator-hour, in use"
        busy_hour: DollarsPerSecond = t.busy_hour, "$/h" Price per_hour;
    Cost "exaFLOP (10^18), training" ["10^18 FLOP of training"] {"$/EFLOP"}
        exaflop: DollarsPerFlop = t.flop, "$/EFLOP" Price per_exaflop;
    Cost "million tokens, training"
        train_tokens: DollarsPerToken = t.busy_hour / t.train_rate, "$/Mtoken" Price per_million;
    Cost "million tokens, prefill"
        prefill_tokens: DollarsPerToken = t.busy_hour / t.prefill_rate, "$/Mtoken" Price per_million;
    Cost "million tokens, decode"
        decode_tokens: DollarsPerToken = t.busy_hour / t.decode_rate, "$/Mtoken" Price per_million;
    Cost "million written, prompts in" ["million written + prompts"]
        serve_tokens: DollarsPerToken = t.busy_hour / t.serve_rate, "$/Mtoken" Price per_million;
    Cost "a coding agent's task"
        task_dollars: Dollars = t.busy_hour * (t.task_reading + t.task_writing), "$" Money Dollars::get;
    Cost "a coding agent's task, energy" ["  electricity"]
        task_energy: Joules = t.prompt_draw * t.task_reading + t.decode_draw * t.task_writing, "J" Energy Joules::get;

    Accelerator "one accelerator in use" ["useful work, in use"]
        achieved_each: FlopPerSecond = t.rate, "FLOP/s" FlopRate FlopPerSecond::get;
    Accelerator "device under load"
        device_power: Watts = t.power.device, "W" Power Watts::get;
    Accelerator "IT under load, each" ["with server and network"]
        it_power: Watts = t.power.it(t.x), "W" Power Watts::get;
    Accelerator "training, each accelerator" ["training, goodput in it"]
        train_rate: TokensPerSecond = t.train_rate, "tokens/s" TokenRate TokensPerSecond::get;
    Accelerator "prefill, each accelerator" ["prefill"]
        prefill_rate: TokensPerSecond = t.prefill_rate, "tokens/s" TokenRate TokensPerSecond::get;
    Accelerator "decode, each accelerator" ["decode"]
        decode_rate: TokensPerSecond = t.decode_rate, "tokens/s" TokenRate TokensPerSecond::get;
    Accelerator "energy per decoded token"
        decode_energy: JoulesPerToken = t.decode_draw / t.decode_rate, "J/token" EnergyPerToken JoulesPerToken::get;

    Accelerator "accelerators that share weights" ["sharing one copy"]
        group: f64 = t.group, "accelerators" Count bare;
    Accelerator "sequences at once, per group" ["sequences at once"]
        sequences: f64 = t.sequences, "sequences" Count bare;
    Accelerator "tokens a second of one user" ["each user gets"]
        user_tokens: TokensPerSecond = t.decode_rate * (t.group / t.sequences), "tokens/s" TokenRate TokensPerSecond::get;

    Run "accelerator-hours"
        run_hours: Seconds = t.run_time, "h" AcceleratorHours Seconds::hours;
    Run "time"
        run_time: Seconds = t.run_time / t.x.run_accelerators.min(t.count), "s" Time Seconds::get;
    Run "cost"
        run_cost: Dollars = t.busy_hour * t.run_time, "$" Money Dollars::get;
    Run "energy"
        run_energy: Joules = t.run_energy, "J" Energy Joules::get;
    Run "of that, the devices alone"
        run_device_energy: Joules = t.power.device * t.run_time, "J" Energy Joules::get;
    Run "CO2e"
        run_carbon: KilogramsCo2e = t.x.carbon_intensity * t.run_energy
            + t.x.embodied * (t.run_time / t.x.busy / t.x.it_life), "kg" Mass KilogramsCo2e::get;

    Sci "per exaFLOP of training"
        sci_exaflop: KilogramsPerFlop = t.busy_carbon / t.run_rate, "kg/EFLOP" Mass mass_per_exaflop;
    Sci "per million tokens trained"
        sci_train: KilogramsPerToken = t.busy_carbon / t.train_rate, "kg/Mtoken" Mass mass_per_million;
    Sci "per million tokens decoded"
        sci_decode: KilogramsPerToken = t.busy_carbon / t.decode_rate, "kg/Mtoken" Mass mass_per_million;

    OnePerCent "1 % more throughput, dollars" ["throughput up: money"]
        throughput_dollars: Dollars = t.cost * (t.count * SAVED), "$" Money Dollars::get;
    OnePerCent "1 % more throughput, energy" ["  electricity"]
        throughput_energy: Joules = t.energy * (t.count * SAVED), "J" Energy Joules::get;
    OnePerCent "1 % more throughput, CO2e" ["  CO2e"]
        throughput_carbon: KilogramsCo2e = (t.operational + t.embodied) * (t.count * SAVED),
        "kg" Mass KilogramsCo2e::get;
    OnePerCent "1 % fewer device joules, dollars" ["device joules down: money"]
        joules_dollars: Dollars = t.x.electricity_price * joules_saved(t), "$" Money Dollars::get;
    OnePerCent "1 % fewer device joules, energy" ["  electricity"]
        joules_energy: Joules = joules_saved(t), "J" Energy Joules::get;
    OnePerCent "1 % fewer device joules, CO2e" ["  CO2e"]
        joules_carbon: KilogramsCo2e = t.x.carbon_intensity * joules_saved(t), "kg" Mass KilogramsCo2e::get;

    JsonOnly "CO2e per year" {"CO2e"}
        carbon: KilogramsCo2e = (t.operational + t.embodied) * t.count, "kg" Mass KilogramsCo2e::get;
    JsonOnly "electricity bill per year"
        electricity_bill: Dollars = t.bill * t.count, "$" Money Dollars::get;
    JsonOnly "electricity per year while idle"
        idle_energy: Joules = t.power.waiting(t.x) * YEAR * t.count, "J" Energy Joules::get;
    JsonOnly "tokens written, prompts in, each accelerator"
        serve_rate: TokensPerSecond = t.serve_rate, "tokens/s" TokenRate TokensPerSecond::get;
    JsonOnly "energy per token written, prompts in, devices alone"
        serve_device_energy: JoulesPerToken = t.serve_device, "J/token" EnergyPerToken JoulesPerToken::get;
    JsonOnly "CO2e of electricity per million tokens decoded"
        decode_carbon: KilogramsPerToken = t.x.carbon_intensity * t.decode_draw / t.decode_rate,
        "kg/Mtoken" Mass mass_per_million;
    JsonOnly "energy per trained token"
        train_energy: JoulesPerToken = t.busy_power / t.train_rate, "J/token" EnergyPerToken JoulesPerToken::get;
    JsonOnly "energy per prefilled token"
        prefill_energy: JoulesPerToken = t.prompt_draw / t.prefill_rate, "J/token" EnergyPerToken JoulesPerToken::get;
    JsonOnly "FLOP per joule, device"
        device_flop_per_joule: FlopPerJoule = t.rate / t.power.device, "FLOP/J" FlopPerJoule FlopPerJoule::get;
    JsonOnly "FLOP per dollar"
        flop_per_dollar: FlopPerDollar = Flop(1.0) / (t.flop * Flop(1.0)), "FLOP/$" FlopPerDollar FlopPerDollar::get;
}

/// The devices' joules of a year that one per cent is.
fn joules_saved(t: &Terms<'_>) -> Joules {
    t.power.device * t.x.pue * t.x.busy * YEAR * (t.count * PER_CENT)
}
