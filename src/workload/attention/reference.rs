//! Attention of one query in f64, with the error that correct f32 arithmetic may make.

use crate::workload::kit::checker::Checker;
use crate::workload::kit::input::Storage;

/// One query against its keys and values; all rows are `size` long.
pub(crate) struct AttentionQuery<'a> {
    pub(crate) query: &'a [f32],
    pub(crate) keys: &'a [f32],
    pub(crate) values: &'a [f32],
    /// How the output is stored.
    pub(crate) storage: Storage,
    /// How the kernel keeps the weights between the two products.
    pub(crate) weights: Storage,
}

impl AttentionQuery<'_> {
    /// Compares the output of this query.
    ///
    /// A score of D products is off by δ ≤ γ_D·Σ|q||k|/√D and a few roundings, an exponential by the
    /// (3 + 2·|x|) units in the last place that WGSL allows, where x is the distance d or, as a power of two,
    /// 1.44·d, twice where online softmax corrects; a
    /// weight is therefore off by a factor within 1 ± ε. The output Σ w·v / Σ w then lies within
    /// 2ε·Σ w|v| / Σ w, beside the sums' own random walk and the rounding of the output. Weights that are
    /// kept in f16 are off by its rounding too, and lost where they are too small for it.
    pub(crate) fn check(
        &self,
        got: &[f32],
        place: impl Fn(usize) -> String,
        checker: &mut Checker,
    ) {
        let size = self.query.len();
        let (scores, maximum, epsilon) = self.scores();
        let smallest = self.weights.smallest_normal();
        let mut sum = 0.0;
        let mut want = vec![0.0; size];
        let mut absolute = vec![0.0; size];
        let mut lost = vec![0.0; size];
        for (score, value) in scores.iter().zip(self.values.chunks_exact(size)) {
            let weight = (score - maximum).exp();
            sum += weight;
            let sums = want.iter_mut().zip(&mut absolute).zip(&mut lost);
            for (((want, absolute), lost), v) in sums.zip(value) {
                let product = weight * f64::from(*v);
                *want += product;
                *absolute += product.abs();
                if weight < smallest {
                    *lost += weight * f64::from(*v).abs();
                }
            }
        }
        let sums = want.into_iter().zip(absolute).zip(lost);
        for (at, ((want, absolute), lost)) in sums.enumerate() {
            let (want, absolute) = (want / sum, absolute / sum);
            let flushed = if want.abs() < 2.0 * self.storage.smallest_normal() {
                self.storage.smallest_normal()
            } else {
                0.0
            };
            let output = self.storage.conversion() * want.abs() + flushed;
            let bound = 2.0 * epsilon * absolute + output + lost / sum;
            let got = got.get(at).copied().map_or(f64::NAN, f64::from);
            checker.check(got, want, bound, bound, || place(at));
        }
    }

    /// The score of each key, the largest of them, and the error that a weight may have, as a share.
    fn scores(&self) -> (Vec<f64>, f64, f64) {
        let size = self.query.len();
        let unit = 2.0 * Storage::F32.roundoff();
        let scale = 1.0 / (size as f64).sqrt();
        let mut scores = Vec::with_capacity(self.keys.len() / size);
        let mut magnitude: f64 = 0.0;
        for key in self.keys.chunks_exact(size) {
            let (mut score, mut absolute) = (0.0, 0.0);
            for (q, k) in self.query.iter().zip(key) {
                let product = f64::from(*q) * f64::from(*k);
                score += product;
                absolute += product.abs();
            }
            scores.push(score * scale);
            magnitude = magnitude.max(absolute * scale);
        }
        let maximum = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let minimum = scores.iter().copied().fold(f64::INFINITY, f64::min);
        let distance = maximum - minimum;
        let epsilon = unit * (size as f64 + 4.0) * 0.5 * magnitude
            + 2.0 * unit * (4.0 + 3.0 * distance)
            + unit * 2.0 * (scores.len() as f64).sqrt()
            + self.weights.conversion();
        (scores, maximum, epsilon)
    }
}
