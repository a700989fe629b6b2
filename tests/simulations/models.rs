//! Models of what a machine does to its times: the adversaries of `verdict_models.rs`.
//!
//! A model gives logarithms of times, invocation by invocation and case by case. Sessions are made of them
//! without a record in between, which makes thousands of suites a matter of seconds.

use crate::records::{case, record};
use perwatt::compare::{InvocationValues, Pair, Session, Side};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// The shape of one shift.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Shape {
    Normal,
    /// Student's t with three degrees of freedom, scaled to the standard deviation.
    Student3,
    Uniform,
}

/// A model; standard deviations and sizes are of logarithms.
#[derive(Clone, Copy)]
pub(crate) struct Model {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    /// Between invocations.
    pub(crate) invocation: f64,
    /// Between the sessions of a day.
    pub(crate) session: f64,
    /// Between days.
    pub(crate) day: f64,
    /// Share of each variance that all cases have in common.
    pub(crate) shared: f64,
    /// Distance of two states, of which an invocation (a session, where sessions are stored) has one; nine in
    /// ten keep that of the one before.
    pub(crate) boost: f64,
    /// Share of invocations that are slow, by how much, and whether all cases are then.
    pub(crate) outliers: (f64, f64, bool),
    /// Share of sessions that are slow, and by how much.
    pub(crate) slow_sessions: (f64, f64),
    /// Drift over the run of pairs, and from one stored session to the next.
    pub(crate) drift: (f64, f64),
    /// Every so many invocations, this much slower, in one case of ten.
    pub(crate) periodic: (u32, f64),
    /// Standard deviation of the logarithm of the cases' own standard deviations.
    pub(crate) unequal: f64,
}

pub(crate) const PLAIN: Model = Model {
    name: "normal",
    shape: Shape::Normal,
    invocation: 0.003,
    session: 0.004,
    day: 0.0,
    shared: 0.0,
    boost: 0.0,
    outliers: (0.0, 0.0, false),
    slow_sessions: (0.0, 0.0),
    drift: (0.0, 0.0),
    periodic: (0, 0.0),
    unequal: 0.0,
};

/// A machine with a model, cases and a seed.
pub(crate) struct Machine {
    model: Model,
    random: Pcg64Mcg,
    template: Session,
    /// How much each case varies beside the model's figures.
    scales: Vec<f64>,
}

impl Machine {
    pub(crate) fn new(model: Model, cases: usize, seed: u64) -> Self {
        let mut template = record("template");
        template.cases = (0..cases)
            .map(|n| case(&format!("matmul/f32/{n}"), &[vec![1e6]]))
            .collect();
        let mut machine = Self {
            model,
            random: Pcg64Mcg::seed_from_u64(seed),
            template: Session::of(&template, "template"),
            scales: vec![1.0; cases],
        };
        let scales = (0..cases).map(|_| (model.unequal * machine.normal()).exp());
        machine.scales = scales.collect();
        machine
    }

    pub(crate) fn cases(&self) -> usize {
        self.scales.len()
    }

    fn uniform(&mut self) -> f64 {
        self.random.random::<f64>()
    }

    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// A number of the model's shape with a standard deviation of one.
    fn shift(&mut self) -> f64 {
        match self.model.shape {
            Shape::Normal => self.normal(),
            Shape::Student3 => {
                let (z, a, b, c) = (self.normal(), self.normal(), self.normal(), self.normal());
                z / (a * a + b * b + c * c).sqrt()
            }
            Shape::Uniform => (self.uniform() - 0.5) * 12_f64.sqrt(),
        }
    }

    /// Shifts of all cases with a standard deviation, as far as it is shared.
    fn shifts(&mut self, sd: f64) -> Vec<f64> {
        if sd == 0.0 {
            return vec![0.0; self.cases()];
        }
        let shared = self.model.shared;
        let common = if shared > 0.0 {
            shared.sqrt() * self.shift()
        } else {
            0.0
        };
        (0..self.cases())
            .map(|case| sd * self.scales[case] * (common + (1.0 - shared).sqrt() * self.shift()))
            .collect()
    }

    /// What an invocation does to each case; `number` is its place in the run.
    fn invocation(&mut self, number: u32) -> Vec<f64> {
        let model = self.model;
        let mut shifts = self.shifts(model.invocation);
        let (share, size, together) = model.outliers;
        let all = self.uniform() < share;
        let (period, job) = model.periodic;
        for (case, shift) in shifts.iter_mut().enumerate() {
            let own = !together && share > 0.0 && self.random.random::<f64>() < share;
            *shift += if own || together && all { size } else { 0.0 };
            let struck = period > 0 && case % 10 == 0 && number.is_multiple_of(period);
            *shift += if struck { job } else { 0.0 };
        }
        shifts
    }

    /// The session of some invocations; each gives the shift of every case.
    fn session_of(&self, id: String, started_s: f64, invocations: &[Vec<f64>]) -> Session {
        let mut session = self.template.clone();
        session.id.clone_from(&id);
        session.name = id;
        session.fingerprint = None;
        session.started_s = Some(started_s);
        for (case, in_session) in session.cases.iter_mut().enumerate() {
            let values = in_session.invocations[0];
            in_session.invocations = (0..)
                .zip(invocations)
                .map(|(number, shifts)| InvocationValues {
                    invocation: number,
                    time_ns: 1e6 * shifts[case].exp(),
                    ..values
                })
                .collect();
        }
        session
    }

    /// Pairs in random order; the candidate's cases are slower by `effects`.
    pub(crate) fn pairs(&mut self, count: u32, effects: &[f64]) -> (Session, Session, Vec<Pair>) {
        let mut sides = [Vec::new(), Vec::new()];
        let mut slow = self.random.random::<bool>();
        for pair in 0..count {
            let swapped = usize::from(self.random.random::<bool>());
            for turn in 0..2 {
                let place = 2 * pair + turn as u32;
                let side = turn ^ swapped;
                let mut shifts = self.invocation(place);
                if self.uniform() < 0.1 {
                    slow = !slow;
                }
                let boost = if slow { self.model.boost } else { 0.0 };
                let drift = self.model.drift.0 * f64::from(place) / f64::from(2 * count);
                for (shift, effect) in shifts.iter_mut().zip(effects) {
                    *shift += boost + drift + if side == 1 { *effect } else { 0.0 };
                }
                sides[side].push(shifts);
            }
        }
        let pairs = (0..count)
            .map(|n| Pair {
                baseline: n,
                candidate: n,
                first: Side::Baseline,
            })
            .collect();
        (
            self.session_of("a".to_owned(), 0.0, &sides[0]),
            self.session_of("b".to_owned(), 0.0, &sides[1]),
            pairs,
        )
    }

    /// Stored sessions of three invocations, one after the other: how many a day, how many of the baseline, and
    /// how many of the candidate on days of their own.
    pub(crate) fn stored(
        &mut self,
        [baseline, candidate]: [usize; 2],
        a_day: usize,
        effects: &[f64],
    ) -> [Vec<Session>; 2] {
        let mut sides = [Vec::new(), Vec::new()];
        let mut day_shift = Vec::new();
        let mut slow = self.random.random::<bool>();
        for number in 0..baseline + candidate {
            let side = usize::from(number >= baseline);
            let within = if side == 0 { number } else { number - baseline };
            // The candidate's first day is the one after the baseline's last.
            let day = within / a_day + side * baseline.div_ceil(a_day);
            if within % a_day == 0 {
                day_shift = self.shifts(self.model.day);
            }
            let session_shift = self.shifts(self.model.session);
            if self.uniform() < 0.1 {
                slow = !slow;
            }
            let boost = if slow { self.model.boost } else { 0.0 };
            let (share, size) = self.model.slow_sessions;
            let slow_session = if self.uniform() < share { size } else { 0.0 };
            let drift = self.model.drift.1 * number as f64;
            let invocations: Vec<Vec<f64>> = (0..3)
                .map(|n| {
                    let mut shifts = self.invocation(3 * number as u32 + n);
                    for (case, shift) in shifts.iter_mut().enumerate() {
                        *shift +=
                            day_shift[case] + session_shift[case] + boost + slow_session + drift;
                        *shift += if side == 1 { effects[case] } else { 0.0 };
                    }
                    shifts
                })
                .collect();
            let started = 86_400.0 * day as f64 + 900.0 * (within % a_day) as f64;
            sides[side].push(self.session_of(format!("s{number}"), started, &invocations));
        }
        sides
    }
}
