//! `llama-layer`: one transformer layer as a language model runs it, the number that people ask for first.
//!
//! Nothing here computes what another workload computes: the layer is composed of the programs of matmul
//! or gemv, attention and rmsnorm ([`compose`]), with the little between them (rotary embedding, SwiGLU,
//! the last addition) as shaders of its own. Every intermediate result is read back, and each stage is held to
//! the f64 reference on the inputs that it really had ([`check`]); since each stage is right, so is the
//! layer, and no error bound has to be carried through a softmax.

mod check;
mod compose;
mod layer;
mod parts;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::record::{Adapter, Counts, Resources, Verification};
use crate::workload::case::{Case, Part, Problem, Suite};
use crate::workload::gemv::default_kernel;
use crate::workload::interface::{SuiteCases, Workload, suite};
use crate::workload::kit::dtype::Dtype;
use crate::workload::kit::kernel::Kernel;
use crate::workload::kit::program::Program;
use crate::workload::kit::quantized::{BLOCK, WeightFormat};
use crate::workload::kit::units;
use crate::workload::kit::unsupported::Unsupported;
use crate::workload::llama_layer::layer::Layer;
use crate::workload::llama_layer::parts::{
    attends, attention, composes, part_of, parts_together, projection,
};
use crate::workload::rows::{default_one_pass, one_pass};

/// A transformer layer.
#[derive(Debug)]
pub(crate) struct LlamaLayer;

const NAME: &str = "llama-layer";

impl Workload for LlamaLayer {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "One layer of a Llama: RMSNorm, QKV, rotary embedding, grouped-query attention with a cache,\n\
         output projection, RMSNorm, SwiGLU MLP, both residuals. prefill: a prompt, causal; decode: one\n\
         new token, the last of TOKENS. f16: everything f16, arithmetic f32; q4: the weights of all\n\
         projections in q4, the rest f16.\n\
         FLOP: 2 · weights · tokens + 4 · heads · head size · pairs of query and key; norms and the like\n\
         uncounted. Bytes: weights, cache, input and output once each. Tokens: those of one layer;\n\
         Llama-3-8B has 32 of them, an embedding and a head, so a rate for the whole model is a model's\n\
         (at best this rate over 32), not a measurement."
    }

    fn suites(&self) -> &'static [SuiteCases] {
        use Dtype::{F16, Q4};
        use Suite::{Gpu, Llm, Quick};
        const {
            &[
                suite(&[F16, Q4], &["32x512x8x2x1792-prefill"], &[Quick]),
                suite(&[F16, Q4], &["256x512x8x2x1792-decode"], &[Quick]),
                // Llama-3-8B.
                suite(&[F16, Q4], &["512x4096x32x8x14336-prefill"], &[Llm]),
                suite(&[F16], &["2048x4096x32x8x14336-decode"], &[Llm]),
                suite(&[Q4], &["2048x4096x32x8x14336-decode"], &[Gpu, Llm]),
            ]
        }
    }

    fn small_cases(&self) -> &'static [&'static str] {
        &[
            "f32/13x96x6x2x160-prefill",
            "f32/77x96x6x2x160-decode",
            "f16/37x128x4x2x160-prefill",
            "f16/1x128x4x2x160-decode",
            "q4/13x128x4x2x160-prefill",
            "q4/77x128x4x2x160-decode",
        ]
    }

    fn case(&self, dtype: Dtype, shape: &str) -> Result<Case, Unsupported> {
        let layer = Layer::parse(dtype, shape)?;
        if !matches!(dtype, Dtype::F32 | Dtype::F16 | Dtype::Q4) {
            return Err(Unsupported::dtype(NAME, "f32, f16 and q4", dtype));
        }
        Ok(Case::new(NAME, dtype, layer))
    }
}

impl Problem for Layer {
    fn counts(&self) -> Counts {
        let [tokens, hidden, heads, kv_heads, size, length] = [
            self.tokens(),
            self.hidden,
            self.heads,
            self.kv_heads,
            self.size(),
            self.length,
        ]
        .map(u64::from);
        let around = self.activations().bytes();
        Counts {
            flop: 2 * self.weights() * tokens + 4 * heads * size * self.pairs(),
            bytes: WeightFormat::of(self.dtype).bytes(self.weights())
                + around * (2 * kv_heads * length * size + 2 * tokens * hidden),
            tokens: Some(tokens),
        }
    }

    /// Most of a layer is its projections, whose units are the layer's.
    fn resources(&self, kernel: &Kernel) -> Resources {
        let own = part_of(kernel, "projection", kernel.name.clone());
        units::mostly_reads(projection(*self).resources(&own).arithmetic)
    }

    fn kernels(&self, adapter: &Adapter) -> Vec<Kernel> {
        // The last is the best that a workload knows; the ones before it are for comparison. One kernel has
        // to do every projection, whose rows are of two lengths in a decode.
        let of_projection = if self.decode {
            let lengths = [self.hidden, self.mlp];
            Some(default_kernel(
                WeightFormat::of(self.dtype),
                &lengths,
                adapter,
            ))
        } else {
            projection(*self).kernels(adapter).pop()
        };
        let of_attention = attention(*self).kernels(adapter);
        let parts = [
            ("projection", of_projection),
            ("attention", of_attention.into_iter().rfind(composes)),
            ("norm", Some(default_one_pass(self.hidden, adapter))),
        ];
        parts_together(&parts).into_iter().collect()
    }

    fn tuning_space(&self) -> Vec<Kernel> {
        let width = if self.hidden.is_multiple_of(4) { 4 } else { 1 };
        let norm = one_pass(256, width, 0);
        let mut space = Vec::new();
        let mut attentions = attention(*self).tuning_space();
        attentions.retain(composes);
        for projection in thinned(&projection(*self).tuning_space(), 2) {
            for attention in thinned(&attentions, 1) {
                space.extend(parts_together(&[
                    ("projection", Some(projection.clone())),
                    ("attention", Some(attention)),
                    ("norm", Some(norm.clone())),
                ]));
            }
        }
        space
    }

    fn parts(&self, kernel: &Kernel) -> Vec<Part> {
        let part = |name, case, kernel_name: Cow<'static, str>| Part {
            name,
            case,
            kernel: part_of(kernel, name, kernel_name),
        };
        vec![
            part("projection", projection(*self), kernel.name.clone()),
            part("attention", attention(*self), attends(*self).into()),
        ]
    }

    fn pilot(&self) -> Option<Arc<dyn Problem>> {
        if self.kv_heads == 1 || self.counts().flop < 1 << 26 {
            return None;
        }
        // One head of keys and values with its queries, and the MLP's share.
        let (heads, size) = (self.heads / self.kv_heads, self.size());
        let hidden = (heads * size).next_multiple_of(BLOCK);
        let pilot = Self {
            length: self.length.min(256),
            hidden,
            heads,
            kv_heads: 1,
            mlp: (self.mlp / self.kv_heads).next_multiple_of(BLOCK),
            ..*self
        };
        (hidden == heads * size).then(|| Arc::new(pilot) as Arc<dyn Problem>)
    }

    fn program(&self, kernel: &Kernel, seed: u64) -> Result<Program, Unsupported> {
        compose::layer(*self, kernel, seed)
    }

    fn verify(&self, kernel: &Kernel, program: &Program, outputs: &[Vec<u8>]) -> Verification {
        check::layer(*self, kernel, program, outputs)
    }
}

/// So many parameter sets of each kernel: the parts have spaces of their own, searched by themselves.
fn thinned(space: &[Kernel], of_each: usize) -> Vec<Kernel> {
    let names: BTreeSet<&str> = space.iter().map(|kernel| &*kernel.name).collect();
    let mut chosen = Vec::new();
    for name in names {
        let of_name: Vec<&Kernel> = space.iter().filter(|k| k.name == name).collect();
        let step = of_name.len().div_ceil(of_each);
        chosen.extend(of_name.into_iter().rev().step_by(step).cloned());
    }
    chosen
}
