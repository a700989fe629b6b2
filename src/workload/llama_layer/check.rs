//! The layer against f64, stage by stage: each on its inputs as the device had them.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

use crate::record::Verification;
use crate::workload::attention::AttentionQuery;
use crate::workload::kit::checker::{Checker, Rounding, strata};
use crate::workload::kit::input::{Storage, decode};
use crate::workload::kit::kernel::Kernel;
use crate::workload::kit::program::{Buffer, Contents, Program};
use crate::workload::kit::quantized::WeightFormat;
use crate::workload::llama_layer::compose::{Projection, projections};
use crate::workload::llama_layer::layer::Layer;
use crate::workload::rows::check_row;

/// Multiply-adds that the reference of one stage may cost.
const REFERENCE_WORK: u64 = 1 << 23;

/// Everything that was in the buffers after an execution, by name.
struct LayerTrace<'a> {
    program: &'a Program,
    read_back: BTreeMap<&'a str, &'a [u8]>,
    storage: Storage,
}

impl<'a> LayerTrace<'a> {
    fn new(program: &'a Program, outputs: &'a [Vec<u8>], storage: Storage) -> Self {
        let written = program
            .buffers
            .iter()
            .filter(|buffer| matches!(buffer.contents, Contents::Output | Contents::Kept(_)));
        Self {
            program,
            read_back: written
                .map(|buffer| &*buffer.name)
                .zip(outputs.iter().map(Vec::as_slice))
                .collect(),
            storage,
        }
    }

    fn buffer(&self, name: &str) -> Option<&Buffer> {
        self.program.buffers.iter().find(|b| b.name == name)
    }

    /// The numbers in a buffer of activations.
    fn numbers(&self, name: &str) -> Vec<f32> {
        match self.read_back.get(name) {
            Some(bytes) => decode(bytes, self.storage),
            None => self.input(name, self.storage),
        }
    }

    fn input(&self, name: &str, storage: Storage) -> Vec<f32> {
        let bytes = self.buffer(name).map(Buffer::input).unwrap_or_default();
        decode(&bytes, storage)
    }

    /// Fails if an element of any output was never written.
    fn written(&self, checker: &mut Checker) {
        for buffer in &self.program.buffers {
            if let (Contents::Output, Some(bytes)) =
                (&buffer.contents, self.read_back.get(&*buffer.name))
            {
                checker.written(bytes, self.storage.bytes());
            }
        }
    }
}

/// Checks every stage.
pub(crate) fn layer(
    shape: Layer,
    kernel: &Kernel,
    program: &Program,
    outputs: &[Vec<u8>],
) -> Verification {
    let elements = outputs.iter().map(|bytes| bytes.len() as u64).sum::<u64>();
    let storage = shape.activations();
    let mut checker = Checker::new(elements / storage.bytes());
    let trace = LayerTrace::new(program, outputs, storage);
    let complete = program
        .buffers
        .iter()
        .filter(|b| matches!(b.contents, Contents::Output | Contents::Kept(_)))
        .zip(outputs)
        .filter(|(buffer, bytes)| buffer.bytes == bytes.len() as u64)
        .count();
    if complete != trace.read_back.len() || complete < 14 {
        checker.fail("some of the outputs are missing".to_owned());
        return checker.finish();
    }
    trace.written(&mut checker);
    let tokens = u64::from(shape.tokens());
    let mut random = Pcg64Mcg::seed_from_u64(elements);
    let affordable = REFERENCE_WORK / u64::from(shape.hidden.max(shape.length));
    let sampled = strata(tokens, (affordable / 64).clamp(4, 64), &mut random);
    let sampled: Vec<usize> = sampled.into_iter().map(|token| token as usize).collect();

    norms(&trace, shape, &sampled, &mut checker);
    for projection in projections(shape) {
        let rounding = rounding(shape, projection, kernel);
        project(
            &trace,
            shape,
            (projection, rounding),
            &mut random,
            &mut checker,
        );
    }
    rotations(&trace, shape, &sampled, &mut checker);
    attention(&trace, shape, &sampled, &mut checker);
    pointwise(&trace, shape, &sampled, &mut checker);
    checker.finish()
}

/// Both norms and the sum before the second.
fn norms(trace: &LayerTrace<'_>, shape: Layer, sampled: &[usize], checker: &mut Checker) {
    let width = shape.hidden as usize;
    let [x, projected, hidden, normed, again] =
        ["x", "projected", "hidden", "normed", "normed again"].map(|name| trace.numbers(name));
    let [norm, norm_again] = ["norm", "norm again"].map(|name| trace.input(name, Storage::F32));
    for token in sampled {
        let row = token * width..(token + 1) * width;
        let [x, hidden] = [&x, &hidden].map(|all| &all[row.clone()]);
        sums(
            trace.storage,
            [x, &projected[row.clone()]],
            hidden,
            |at| format!("hidden[{token}, {at}]"),
            checker,
        );
        for (got, input, weight, name) in [
            (&normed, x, &norm, "normed"),
            (&again, hidden, &norm_again, "normed again"),
        ] {
            let place = |at| format!("{name}[{token}, {at}]");
            check_row(
                &got[row.clone()],
                input,
                weight,
                trace.storage,
                place,
                checker,
            );
        }
    }
}

/// y = a + b: one rounding, and that of the output. WGSL lets a sum become either of its neighbours. Drivers take the
/// nearer one, whose error comes to half of the bound wherever a sum lies midway and just above a power of two.
fn sums(
    storage: Storage,
    [a, b]: [&[f32]; 2],
    got: &[f32],
    place: impl Fn(usize) -> String,
    checker: &mut Checker,
) {
    for (at, (got, (a, b))) in got.iter().zip(a.iter().zip(b)).enumerate() {
        let want = f64::from(*a) + f64::from(*b);
        let nearest = want.abs() * (storage.conversion() + Storage::F32.roundoff())
            + storage.smallest_normal();
        let either = nearest + want.abs() * Storage::F32.roundoff();
        checker.check((*got).into(), want, either, nearest, || place(at));
    }
}

/// What rounding may do to an element of a projection.
fn rounding(shape: Layer, projection: Projection, kernel: &Kernel) -> Rounding {
    let Projection { n, k, .. } = projection;
    let storage = shape.activations();
    let sum = Rounding::of_sum(u64::from(k) + 1, Storage::F32, storage);
    // A prompt's projections are products of matrices, and only those are done by matrix units.
    match shape.packed([n, k]).filter(|_| !shape.decode) {
        Some(packed) => sum.of_operands(packed.operands(kernel)),
        None => sum,
    }
}

/// Scattered elements of a projection, the first and the last among them.
fn project(
    trace: &LayerTrace<'_>,
    shape: Layer,
    (projection, rounding): (Projection, Rounding),
    random: &mut Pcg64Mcg,
    checker: &mut Checker,
) {
    let (n, k) = (projection.n as usize, projection.k as usize);
    let input = trace.numbers(projection.input);
    let got = trace.numbers(projection.output);
    let format = match WeightFormat::of(shape.dtype) {
        WeightFormat::Plain(_) => WeightFormat::Plain(trace.storage),
        scaled => scaled,
    };
    let stored: Vec<Buffer> = [projection.weights, projection.scales]
        .iter()
        .filter_map(|name| trace.buffer(name).cloned())
        .collect();
    let weights = format.decode(&stored);
    // Plain weights of a prompt lie as matmul has its B, K × N; all others in rows of K.
    let columns = !shape.decode && !format.scaled();
    let elements = got.len() as u64;
    for element in strata(elements, REFERENCE_WORK / u64::from(projection.k), random) {
        let (token, output) = (element as usize / n, element as usize % n);
        let a = &input[token * k..][..k];
        let place = || format!("{}[{token}, {output}]", projection.output);
        let got = got[element as usize];
        if columns {
            rounding.check_product(got, a, weights[output..].iter().step_by(n), place, checker);
        } else {
            rounding.check_product(got, a, &weights[output * k..][..k], place, checker);
        }
    }
}

/// Queries, keys and values of sampled tokens; values are qkv's own, bit by bit.
fn rotations(trace: &LayerTrace<'_>, shape: Layer, sampled: &[usize], checker: &mut Checker) {
    let size = shape.size() as usize;
    let half = size / 2;
    let [heads, kv_heads, tokens, length] =
        [shape.heads, shape.kv_heads, shape.tokens(), shape.length].map(|d| d as usize);
    let qkv = trace.numbers("qkv");
    let turns = trace.input("rotations", Storage::F32);
    let outputs = ["q", "k", "v"].map(|name| trace.numbers(name));
    for token in sampled {
        let turns = &turns[token * size..][..size];
        for slot in 0..heads + 2 * kv_heads {
            let source = &qkv[(token * (heads + 2 * kv_heads) + slot) * size..][..size];
            let (which, head, rows, row) = match slot {
                slot if slot < heads => (0, slot, tokens, *token),
                slot if slot < heads + kv_heads => {
                    (1, slot - heads, length, length - tokens + token)
                }
                slot => (2, slot - heads - kv_heads, length, length - tokens + token),
            };
            let got = &outputs[which][(head * rows + row) * size..][..size];
            for (at, got) in got.iter().enumerate() {
                let [cosine, sine] =
                    [turns[at % half * 2], turns[at % half * 2 + 1]].map(f64::from);
                let [own, other] = [source[at], source[(at + half) % size]].map(f64::from);
                let (want, magnitude) = match which {
                    2 => (own, 0.0),
                    _ if at < half => (own * cosine - other * sine, 3.0),
                    _ => (own * cosine + other * sine, 3.0),
                };
                let exact = magnitude == 0.0;
                let arithmetic = magnitude
                    * Storage::F32.roundoff()
                    * ((own * cosine).abs() + (other * sine).abs());
                let output =
                    trace.storage.conversion() * want.abs() + trace.storage.smallest_normal();
                let bound = if exact { 0.0 } else { arithmetic + output };
                checker.check((*got).into(), want, bound, bound, || {
                    format!("{}[head {head}, {row}, {at}]", ["q", "k", "v"][which])
                });
            }
        }
    }
}

/// Attention of a few heads of sampled tokens.
fn attention(trace: &LayerTrace<'_>, shape: Layer, sampled: &[usize], checker: &mut Checker) {
    let size = shape.size() as usize;
    let [heads, kv_heads, tokens, length] =
        [shape.heads, shape.kv_heads, shape.tokens(), shape.length].map(|d| d as usize);
    let [q, k, v, attended] = ["q", "k", "v", "attended"].map(|name| trace.numbers(name));
    for token in sampled {
        let seen = (length - tokens + token + 1) * size;
        // Every head of one token; with many tokens, heads take turns.
        let step = if sampled.len() > 8 { 3 } else { 1 };
        for head in (token % step..heads).step_by(step) {
            let from_cache = head / (heads / kv_heads) * length * size;
            let query = AttentionQuery {
                query: &q[(head * tokens + token) * size..][..size],
                keys: &k[from_cache..][..seen],
                values: &v[from_cache..][..seen],
                storage: trace.storage,
                weights: Storage::F32,
            };
            query.check(
                &attended[(token * heads + head) * size..][..size],
                |at| format!("attended[{token}, head {head}, {at}]"),
                checker,
            );
        }
    }
}

/// SwiGLU and the last residual.
fn pointwise(trace: &LayerTrace<'_>, shape: Layer, sampled: &[usize], checker: &mut Checker) {
    let [gate, up, activated, hidden, down, y] =
        ["gate", "up", "activated", "hidden", "down", "y"].map(|name| trace.numbers(name));
    let unit = 2.0 * Storage::F32.roundoff();
    for token in sampled {
        let width = shape.mlp as usize;
        for at in token * width..(token + 1) * width {
            let [gate, up] = [gate[at], up[at]].map(f64::from);
            let want = gate / (1.0 + (-gate).exp()) * up;
            // WGSL allows exp(x) 3 + 2·|x| units in the last place and division 2.5.
            let relative = unit * (8.0 + 2.0 * gate.abs()) + trace.storage.conversion();
            let bound = want.abs() * relative + trace.storage.smallest_normal();
            checker.check(activated[at].into(), want, bound, bound, || {
                format!("activated[{token}, {}]", at % width)
            });
        }
        let width = shape.hidden as usize;
        let row = token * width..(token + 1) * width;
        sums(
            trace.storage,
            [&hidden[row.clone()], &down[row.clone()]],
            &y[row],
            |at| format!("y[{token}, {at}]"),
            checker,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The verdict on a sum of 1 and `added`, both f32, that came out so many units in the last place above 1.
    fn sum(added: f32, units: u8) -> Verification {
        let mut checker = Checker::new(1);
        let got = 1.0 + f32::from(units) * f32::EPSILON;
        let place = |_| "y".to_owned();
        sums(
            Storage::F32,
            [&[1.0], &[added]],
            &[got],
            place,
            &mut checker,
        );
        checker.finish()
    }

    #[test]
    fn a_sum_may_become_either_neighbour_and_no_other_number() {
        let three_quarters = 0.75 * f32::EPSILON;
        for units in [0, 1] {
            let verdict = sum(three_quarters, units);
            assert!(verdict.passed, "{units}: {:?}", verdict.worst);
        }
        assert!(!sum(three_quarters, 2).passed);
        assert!(!sum(-three_quarters, 1).passed);
    }

    #[test]
    fn the_nearest_number_stays_far_from_the_bound_at_a_tie() {
        let verdict = sum(0.5 * f32::EPSILON, 0);
        let worst = *verdict.worst_error_over_bound.measured().unwrap();
        assert!((0.4..0.6).contains(&worst), "{worst}");
    }
}
