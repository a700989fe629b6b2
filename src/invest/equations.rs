//! The model of one draw: capital to accelerators to useful work, with its power, money and gases.
//!
//! A pure function of its inputs. Symbols follow `docs/invest.md`, which has the derivation and the
//! sources. A year has 8760 hours.

use super::choices::{Choices, DecodePowerBasis, PowerBasis, RateBasis};
use super::inputs::{Inputs, Size};
use super::number_format::NumberFormat;
use super::serving::{Phases, Served, Server, needed_to_train};
use crate::units::{
    BytesPerSecond, Dollars, DollarsPerFlop, DollarsPerSecond, FlopPerSecond, Joules,
    JoulesPerToken, KilogramsCo2e, KilogramsPerSecond, Seconds, Tokens, TokensPerSecond, Watts,
};

pub(super) const YEAR: Seconds = Seconds::from_years(1.0);

/// The terms of one draw, from which every output follows. Where nothing else is said they are of one
/// accelerator with its share of everything around it.
pub(super) struct Terms<'x> {
    pub(super) x: &'x Inputs,
    /// Accelerators.
    pub(super) count: f64,
    pub(super) capital: Capital,
    pub(super) power: PowerDraw,
    /// Useful FLOP/s inside a run, in the order of [`NumberFormat::ALL`].
    rates: [FlopPerSecond; 4],
    /// That of the chosen format.
    pub(super) rate: FlopPerSecond,
    /// What a run keeps of it.
    pub(super) run_rate: FlopPerSecond,
    /// The facility's draw over a year.
    pub(super) mean: Watts,
    /// The facility's draw under load.
    pub(super) busy_power: Watts,
    /// A year's electricity.
    pub(super) energy: Joules,
    /// What that electricity costs.
    pub(super) bill: Dollars,
    /// All that a year costs.
    pub(super) cost: Dollars,
    /// Price of an hour owned.
    pub(super) hour: DollarsPerSecond,
    /// Price of an hour in use.
    pub(super) busy_hour: DollarsPerSecond,
    /// Price of a FLOP of training.
    pub(super) flop: DollarsPerFlop,
    /// A year's gases of electricity.
    pub(super) operational: KilogramsCo2e,
    /// A year's share of the gases of making the hardware.
    pub(super) embodied: KilogramsCo2e,
    /// Gases of an hour in use.
    pub(super) busy_carbon: KilogramsPerSecond,
    pub(super) train_rate: TokensPerSecond,
    pub(super) prefill_rate: TokensPerSecond,
    pub(super) decode_rate: TokensPerSecond,
    /// Tokens written, with the prompts that are read for them on the same accelerators.
    pub(super) serve_rate: TokensPerSecond,
    /// Accelerators that share one copy of the weights, and sequences that they decode at once.
    pub(super) group: f64,
    pub(super) sequences: f64,
    /// The facility's draw while decoding and while prompts are read.
    pub(super) decode_draw: Watts,
    pub(super) prompt_draw: Watts,
    /// Joules of the device alone for a token written, with the prompts that are read for it.
    pub(super) serve_device: JoulesPerToken,
    /// One accelerator's time for a task of an agent, to read and to write, beside other sequences.
    pub(super) task_reading: Seconds,
    pub(super) task_writing: Seconds,
    /// Time in which one accelerator would do a whole training run.
    pub(super) run_time: Seconds,
    pub(super) run_energy: Joules,
}

impl<'x> Terms<'x> {
    /// Of the inputs of one draw.
    pub(super) fn of(choices: &Choices, x: &'x Inputs) -> Self {
        let capital = Capital::of(x);
        let power = PowerDraw::of(choices, x);
        let rates = NumberFormat::ALL.map(|format| rate(choices, x, format));
        let rate = rates[choices.precision as usize];
        // The rates of a fleet are those of dense work; a run is one model's.
        let class = if choices.model.is_mixture() {
            x.mixture_share
        } else {
            1.0
        };
        let run_rate = rate * (class * x.goodput);
        let count = count(choices.size, x, &capital, &power);
        let served = serve(choices, x, prefill(choices, x), count);
        let trains = needed_to_train(&choices.model, x.memory.get()) <= count.floor().max(1.0);

        let mean = power.mean(x);
        let busy_power = power.busy(x);
        let energy = mean * YEAR;
        let bill = x.electricity_price * energy;
        let cost = capital.a_year(x) + bill;
        let hour = cost / YEAR;
        let busy_hour = hour / x.busy;
        let operational = x.carbon_intensity * energy;
        let embodied = x.embodied * (YEAR / x.it_life);
        let run_time = x.run_flop / run_rate;
        Self {
            x,
            count,
            capital,
            rates,
            rate,
            run_rate,
            mean,
            busy_power,
            energy,
            bill,
            cost,
            hour,
            busy_hour,
            flop: busy_hour / run_rate,
            operational,
            embodied,
            busy_carbon: (operational + embodied) / YEAR / x.busy,
            train_rate: if trains {
                run_rate / choices.model.training_flop()
            } else {
                TokensPerSecond(f64::NAN)
            },
            prefill_rate: served.prefill,
            decode_rate: served.decode,
            serve_rate: with_prompts(&served, x.prompt_ratio),
            task_reading: Tokens(x.task_read) / served.prefill,
            task_writing: Tokens(x.task_written) / served.decode,
            group: served.group,
            sequences: served.batch,
            decode_draw: power.decoding(choices, x, &served.step),
            prompt_draw: power.around(x, power.serving(choices, x, &served.prompt)),
            serve_device: power.device_decoding(choices, x, &served.step) / served.decode
                + power.serving(choices, x, &served.prompt) / served.prefill * x.prompt_ratio,
            run_time,
            run_energy: busy_power * run_time,
            power,
        }
    }

    /// Useful FLOP/s of all accelerators while they work, in one format.
    pub(super) fn in_use(&self, format: NumberFormat) -> FlopPerSecond {
        self.rates[format as usize] * self.count
    }

    /// The same as the mean of a year, with idle hours and lost work in it.
    pub(super) fn fleet(&self, format: NumberFormat) -> FlopPerSecond {
        self.rates[format as usize] * (self.count * self.x.goodput * self.x.busy)
    }
}

/// How many accelerators the scenario's size comes to.
fn count(size: Size, x: &Inputs, capital: &Capital, power: &PowerDraw) -> f64 {
    match size {
        Size::Budget => Dollars(x.size) * x.ai_share / capital.each(),
        Size::Accelerators => x.size,
        Size::FacilityPower => Watts(x.size) / power.facility(x),
    }
}

/// Capital of one accelerator.
pub(super) struct Capital {
    /// Accelerator, server and network.
    it: Dollars,
    /// Building, cooling and power supply.
    building: Dollars,
}

impl Capital {
    fn of(x: &Inputs) -> Self {
        Self {
            it: (x.price + x.host_price) / (1.0 - x.network_share),
            building: x.building * provisioned(x),
        }
    }

    pub(super) fn each(&self) -> Dollars {
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

impl Capital {
    /// The network between servers.
    pub(super) fn network(&self, x: &Inputs) -> Dollars {
        self.it * x.network_share
    }

    /// Building, cooling and power supply.
    pub(super) fn building(&self) -> Dollars {
        self.building
    }

    /// Accelerators with their servers.
    pub(super) fn servers(&self, x: &Inputs) -> Dollars {
        self.it * (1.0 - x.network_share)
    }
}

/// Power of one accelerator and its share of everything around it.
pub(super) struct PowerDraw {
    pub(super) device: Watts,
    host: Watts,
    idle: Watts,
}

impl PowerDraw {
    fn of(choices: &Choices, x: &Inputs) -> Self {
        let server = x.server_power * x.load_share;
        let (device, host) = match choices.device_power {
            PowerBasis::Prior => (server * x.device_share, server * (1.0 - x.device_share)),
            PowerBasis::Device => (
                x.device_power * x.sensor_gain,
                server * (1.0 - x.device_share),
            ),
            PowerBasis::Machine => {
                let machine = x.device_power * x.sensor_gain;
                (machine * x.device_share, machine * (1.0 - x.device_share))
            }
        };
        let idle = match (choices.idle_power, choices.device_power) {
            (false, _) => x.server_power * x.idle_share,
            (true, PowerBasis::Machine) => x.idle_power * x.sensor_gain,
            // The device was measured, and its share of the computer around it idles as others do.
            (true, _) => {
                x.idle_power * x.sensor_gain
                    + x.server_power * (x.idle_share * (1.0 - x.device_share))
            }
        };
        // What a measured device leaves of its machine's rated power is all that the rest of it can take.
        let rest = x.server_power - device;
        let host = if rest < host && choices.device_power == PowerBasis::Device {
            if rest > Watts(0.0) { rest } else { Watts(0.0) }
        } else {
            host
        };
        let load = device + host;
        Self {
            device,
            host,
            // A server that waits takes no more than one that works.
            idle: if idle < load { idle } else { load },
        }
    }

    /// The device's power over a time that is spent in these ways, where nothing better was measured: shares of
    /// its power under load, which is what a matrix product took, else its limit.
    fn serving(&self, choices: &Choices, x: &Inputs, phases: &Phases) -> Watts {
        let limit = match choices.device_power {
            PowerBasis::Prior if x.board_power.get().is_finite() => x.board_power,
            _ => self.device,
        };
        let share = draw_of(x, phases);
        // The larger of no number and one is one, so the comparison is turned round.
        limit * if share > 1.0 { 1.0 } else { share }
    }

    /// The facility's draw while tokens are written.
    fn decoding(&self, choices: &Choices, x: &Inputs, step: &Phases) -> Watts {
        let device = self.device_decoding(choices, x, step);
        match (choices.decode_power, choices.device_power) {
            (DecodePowerBasis::Step | DecodePowerBasis::Reading, PowerBasis::Machine) => {
                let host = x.decode_power * (x.sensor_gain * (1.0 - x.device_share));
                (device + host) * ((1.0 + x.network_power) * x.pue)
            }
            _ => self.around(x, device),
        }
    }

    /// The device's part of it, where a sensor at the wall leaves the host's out by the prior.
    fn device_decoding(&self, choices: &Choices, x: &Inputs, step: &Phases) -> Watts {
        let measured = match choices.device_power {
            PowerBasis::Machine => x.decode_power * (x.sensor_gain * x.device_share),
            PowerBasis::Prior | PowerBasis::Device => x.decode_power * x.sensor_gain,
        };
        match choices.decode_power {
            DecodePowerBasis::Prior => self.serving(choices, x, step),
            DecodePowerBasis::Step => measured,
            // The rest of a step draws as much more or less as it does by the priors.
            DecodePowerBasis::Reading => {
                let step = measured * (draw_of(x, step) / x.read_draw);
                let most = if self.device > measured {
                    self.device
                } else {
                    measured
                };
                if step < most { step } else { most }
            }
        }
    }

    /// The facility's draw for a device that takes so much.
    fn around(&self, x: &Inputs, device: Watts) -> Watts {
        (device + self.host) * (1.0 + x.network_power) * x.pue
    }

    /// Servers and network under load.
    pub(super) fn it(&self, x: &Inputs) -> Watts {
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

    /// The facility's draw of hours without work, over a year.
    pub(super) fn waiting(&self, x: &Inputs) -> Watts {
        self.idle * (1.0 - x.busy) * (1.0 + x.network_power) * x.pue
    }

    /// What the facility is built for.
    pub(super) fn facility(&self, x: &Inputs) -> Watts {
        provisioned(x) * x.pue
    }
}

/// The mean draw over a time that is spent in these ways, as a share of a device's limit.
fn draw_of(x: &Inputs, phases: &Phases) -> f64 {
    let spent = phases.waiting * x.wait_draw
        + phases.reading * x.read_draw
        + phases.computing * x.compute_draw;
    spent / phases.total()
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
fn rate(choices: &Choices, x: &Inputs, precision: NumberFormat) -> FlopPerSecond {
    let utilisation = match precision {
        NumberFormat::F32 => x.mfu_f32,
        NumberFormat::Bf16 => x.mfu_bf16,
        NumberFormat::Fp8 => x.mfu_fp8,
        NumberFormat::Fp4 => x.mfu_fp4,
    };
    match large_product(choices, x, precision) {
        Some(product) => product * x.transfer,
        None => peak(x, precision) * utilisation,
    }
}

fn peak(x: &Inputs, precision: NumberFormat) -> FlopPerSecond {
    match precision {
        NumberFormat::F32 => x.peak_f32,
        NumberFormat::Bf16 => x.peak_bf16,
        NumberFormat::Fp8 => x.peak_fp8,
        NumberFormat::Fp4 => x.peak_fp4,
    }
}

/// FLOP/s of one large matrix product, where a record says so. WGSL has no 8-bit or 4-bit floating point, so no
/// kernel of perwatt's speaks of those.
fn large_product(choices: &Choices, x: &Inputs, precision: NumberFormat) -> Option<FlopPerSecond> {
    let (kernel, share) = match precision {
        NumberFormat::F32 => (x.kernel_f32, x.kernel_share_f32),
        NumberFormat::Bf16 => (x.kernel_bf16, x.kernel_share_bf16),
        NumberFormat::Fp8 | NumberFormat::Fp4 => return None,
    };
    match choices.rate[precision as usize] {
        RateBasis::Prior => None,
        RateBasis::Kernel => Some(kernel),
        RateBasis::Share => Some(peak(x, precision) * (share * x.roof_attained)),
    }
}

/// FLOP/s that the products of a serving program reach: of a layer that was measured, of one large product, or the
/// prior for that. A serving step counts its waits by themselves, so this is no rate of a whole run.
fn prefill(choices: &Choices, x: &Inputs) -> FlopPerSecond {
    if choices.prefill_layer {
        return x.kernel_prefill;
    }
    match large_product(choices, x, choices.precision) {
        Some(product) => product * x.prefill_transfer,
        None => peak(x, choices.precision) * x.mfu_prefill,
    }
}

/// How the model is served, with NaN where it does not fit.
fn serve(choices: &Choices, x: &Inputs, compute: FlopPerSecond, count: f64) -> Served {
    let weights = choices.weights.bytes();
    let bandwidth: BytesPerSecond = match choices.bandwidth {
        RateBasis::Prior => x.bandwidth * x.bandwidth_share,
        RateBasis::Kernel => x.kernel_bandwidth * x.bandwidth_transfer,
        RateBasis::Share => {
            x.bandwidth * (x.kernel_bandwidth_share * x.roof_attained * x.bandwidth_transfer)
        }
    };
    let server = Server {
        model: &choices.model,
        weight_bytes: weights,
        cache_bytes: choices.precision.cache_bytes(),
        memory: (x.memory * x.memory_share).get(),
        bandwidth,
        compute,
        link: x.link.get(),
        domain: x.domain,
        count,
        context: x.context,
        batch: x.batch,
        user_rate: x.user_rate,
        overhead: x.step_overhead,
        layer_overhead: x.layer_overhead,
        expert_overhead: x.expert_overhead,
        sequence_overhead: x.sequence_overhead,
        routing: x.routing,
        split_tokens: x.split_tokens,
        expert_share: x.expert_share,
        prompt_ratio: x.prompt_ratio,
        prompts_apart: x.prompts_apart,
        drafted: x.drafted,
        accepted: x.accepted,
    };
    server.serve().map_or(Served::ABSENT, |served| Served {
        decode: served.decode * x.program_factor,
        prefill: served.prefill * x.program_factor,
        ..served
    })
}

/// Tokens written a second, where the same accelerator also reads the prompts.
fn with_prompts(served: &Served, prompt_ratio: f64) -> TokensPerSecond {
    let each = 1.0 / served.decode.get() + prompt_ratio / served.prefill.get();
    TokensPerSecond(1.0 / each)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invest::inputs::{INPUTS, position};
    use crate::invest::language_model::LanguageModel;
    use crate::invest::number_format::ModelWeights;
    use crate::invest::outputs::{Outputs, per_exaflop, per_hour, per_million};

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
            ("prefill_transfer", 0.5),
            ("batch", 32.0),
            ("context", 2000.0),
            ("memory_share", 0.9),
            ("link", 450.0),
            ("domain", 8.0),
            ("step_overhead", 2.0),
            ("layer_overhead", 0.0),
            ("expert_overhead", 0.0),
            ("routing", 0.0),
            ("split_tokens", 1.0),
            ("board_power", 700.0),
            ("wait_draw", 0.5),
            ("read_draw", 0.8),
            ("compute_draw", 1.0),
            ("sequence_overhead", 0.0),
            ("expert_share", 1.0),
            ("program_factor", 1.0),
            ("mixture_share", 1.0),
            ("user_rate", 1.0),
            ("prompt_ratio", 3.0),
            ("prompts_apart", 0.0),
            ("drafted", 0.0),
            ("accepted", 0.8),
            ("task_read", 3e5),
            ("task_written", 2e4),
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
            precision: NumberFormat::Bf16,
            model: LanguageModel {
                name: "70B".to_owned(),
                parameters: 70.6e9,
                active: 70.6e9,
                embedding: 0.0,
                layers: 80.0,
                width: 8192.0,
                hidden: None,
                kv_bytes: 327_680.0,
                latent_cache: false,
                sequence: 8192.0,
                published: None,
                source: String::new(),
            },
            rate: [RateBasis::Prior; 4],
            bandwidth: RateBasis::Prior,
            device_power: PowerBasis::Prior,
            decode_power: DecodePowerBasis::Prior,
            idle_power: false,
            prefill_layer: false,
            weights: ModelWeights::F16,
        }
    }

    #[track_caller]
    fn near(got: f64, expected: f64) {
        let off = (got / expected - 1.0).abs();
        assert!(off < 2e-5, "{got} is not {expected}");
    }

    #[test]
    fn capital_becomes_accelerators_by_hand() {
        let out = Outputs::of(&choices(), &inputs(&[]));
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
        let out = Outputs::of(
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
        // Of that, waiting: 446.25 · 0.2 · 1.1 · 1.15 = 112.901 W.
        near(
            crate::units::WattHours::from(out.idle_energy).get(),
            112.901_25 * 8760.0,
        );
        near(out.operational.get(), 3544.347);
        near(out.embodied.get(), 40.0);
        // What was measured takes the place of the device's share, and the host's stays.
        let measured = Choices {
            device_power: PowerBasis::Device,
            size: Size::Accelerators,
            ..choices()
        };
        let x = inputs(&[("size", 1.0), ("device_power", 500.0), ("sensor_gain", 1.1)]);
        // 550 + 969 · 0.38 = 918.22, · 1.1.
        near(Outputs::of(&measured, &x).it_power.get(), 1010.042);
    }

    #[test]
    fn money_by_hand() {
        let x = inputs(&[("size", 1.0)]);
        let out = Outputs::of(
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
        let out = Outputs::of(&choices(), &inputs(&[]));
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
        let few = Outputs::of(
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
        let out = Outputs::of(&choices(), &inputs(&[]));
        near(out.train_rate.get(), 395.76e12 * 0.92 / 4.558_123e11);
        // Eight share the weights: each step's 256 sequences read 141.2 GB, 167.772 GB of cache and 8.053 GB of
        // activations at 13.4 TB/s, do 256 · 146.4429 GFLOP at 3166.08 TFLOP/s, exchange
        // 160 · (8 µs + 256 · 16384 · 1.75 B at 450 GB/s), and cost 2 ms.
        let reading = (308.972_16e9 + 8.053_064e9) / 13.4e12;
        let computing = 256.0 * 1.464_429e11 / 3.166_08e15;
        let waiting = 160.0 * (8e-6 + 256.0 * 16_384.0 * 1.75 / 450e9) + 2e-3;
        let step = reading + computing + waiting;
        near(out.group, 8.0);
        near(out.decode_rate.get(), 256.0 / 8.0 / step);
        // Of 700 W half while it waits, four fifths while it reads, all while it computes; 368.22 W around it.
        let device = 700.0 * (0.5 * waiting + 0.8 * reading + computing) / step;
        let draw = (device + 368.22) * 1.1 * 1.15;
        near(out.decode_energy.get(), draw / out.decode_rate.get());
        // A prompt's token: 31.457 MB of activations, 143.8214 GFLOP, and 1.75 · 16384 B twice in each layer.
        let reading = 31.457_28e6 / 13.4e12;
        let computing = 1.438_214e11 / 3.166_08e15;
        let waiting = 160.0 * 16_384.0 * 1.75 / 450e9;
        let prompt = 8.0 * (reading + computing + waiting);
        near(out.prefill_rate.get(), 1.0 / prompt);
        let read = 700.0 * 8.0 * (0.5 * waiting + 0.8 * reading + computing);
        let served = device / out.decode_rate.get() + 3.0 * read;
        near(out.serve_device_energy.get(), served);
        // 370 g/kWh of those joules and of no others.
        near(
            out.decode_carbon.get(),
            out.decode_energy.get() / 3.6e6 * 0.37,
        );
        // A price of 1.97 $/h and a rate of 788 tokens/s.
        near(
            per_million(out.decode_tokens),
            13_821.89 / 7008.0 / 3600.0 / out.decode_rate.get() * 1e6,
        );
    }

    #[test]
    fn what_does_not_fit_has_no_rate() {
        let one = Choices {
            size: Size::Accelerators,
            ..choices()
        };
        let out = Outputs::of(&one, &inputs(&[("size", 1.0)]));
        assert!(out.decode_rate.get().is_nan() && out.prefill_rate.get().is_nan());
        assert!(out.train_rate.get().is_nan() && out.achieved_each.get() > 0.0);
        // 4-bit weights fit one.
        let small = Choices {
            weights: ModelWeights::Q4,
            ..one
        };
        let out = Outputs::of(&small, &inputs(&[("size", 1.0)]));
        near(out.group, 1.0);
        assert!(out.decode_rate.get() > 0.0);
    }

    #[test]
    fn a_device_that_serves_draws_no_more_than_its_limit_and_one_without_a_limit_what_a_run_draws()
    {
        let hot = [
            ("read_draw", 2.0),
            ("compute_draw", 2.0),
            ("wait_draw", 2.0),
        ];
        let out = Outputs::of(&choices(), &inputs(&hot));
        near(
            out.serve_device_energy.get(),
            700.0 * (1.0 / out.decode_rate.get() + 3.0 / out.prefill_rate.get()),
        );
        let unknown = [&hot[..], &[("board_power", f64::NAN)]].concat();
        let out = Outputs::of(&choices(), &inputs(&unknown));
        near(
            out.serve_device_energy.get(),
            600.78 * (1.0 / out.decode_rate.get() + 3.0 / out.prefill_rate.get()),
        );
        // What a matrix product took stands before what the maker says.
        let measured = Choices {
            device_power: PowerBasis::Device,
            ..choices()
        };
        let seen = [&hot[..], &[("device_power", 500.0)]].concat();
        let out = Outputs::of(&measured, &inputs(&seen));
        near(
            out.serve_device_energy.get(),
            500.0 * (1.0 / out.decode_rate.get() + 3.0 / out.prefill_rate.get()),
        );
    }

    #[test]
    fn a_wall_meter_sees_the_whole_machine_and_idle_is_what_was_measured() {
        let measured = Choices {
            size: Size::Accelerators,
            device_power: PowerBasis::Machine,
            idle_power: true,
            ..choices()
        };
        let x = inputs(&[("size", 1.0), ("device_power", 560.0), ("idle_power", 80.0)]);
        let out = Outputs::of(&measured, &x);
        near(out.it_power.get(), 560.0 * 1.1);
        near(out.device_power.get(), 560.0 * 0.62);
        near(
            out.mean_power.get(),
            (560.0 * 0.8 + 80.0 * 0.2) * 1.1 * 1.15,
        );
    }

    #[test]
    fn rates_rest_on_what_the_choices_say() {
        let measured = inputs(&[("kernel_bf16", 100.0), ("kernel_share_bf16", 0.8)]);
        let kernel = Choices {
            rate: [
                RateBasis::Prior,
                RateBasis::Kernel,
                RateBasis::Prior,
                RateBasis::Prior,
            ],
            ..choices()
        };
        near(Outputs::of(&kernel, &measured).achieved_each.get(), 50e12);
        let share = Choices {
            rate: [
                RateBasis::Prior,
                RateBasis::Share,
                RateBasis::Prior,
                RateBasis::Prior,
            ],
            ..choices()
        };
        // 989.4 · 0.8 · 0.9 · 0.5.
        near(
            Outputs::of(&share, &measured).achieved_each.get(),
            356.184e12,
        );
    }

    #[test]
    fn one_per_cent_is_what_the_fleet_saves() {
        let out = Outputs::of(&choices(), &inputs(&[]));
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
