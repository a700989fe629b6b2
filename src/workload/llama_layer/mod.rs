//! `llama-layer`: one transformer layer as a language model runs it, the number that people ask for first.
//!
//! Nothing here computes what another workload computes: the layer is composed of the programs of matmul
//! or gemv, attention and rmsnorm ([`compose`]), with the little between them (rotary embedding, SwiGLU,
//! the last addition) as shaders of its own. Every intermediate result is read back, and each stage is held to
//! the f64 reference on the inputs that it really had ([`check`]); since each stage is right, so is the
//! layer, and no error bound has to be carried through a softmax.

mod check;
mod compose;

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::record::{Adapter, Counts, Verification};
use crate::workload::attention::{Decode, Prefill};
use crate::workload::case::{Case, Dtype, Suite};
use crate::workload::case_kernel::CaseKernel;
use crate::workload::gemv::{Gemv, default_kernel};
use crate::workload::interface::{Part, Workload};
use crate::workload::kit::dimensions::dimensions;
use crate::workload::kit::input::Storage;
use crate::workload::kit::kernel::Kernel;
use crate::workload::kit::program::Program;
use crate::workload::kit::quantized::{BLOCK, WeightFormat};
use crate::workload::matmul::Matmul;
use crate::workload::rows::{one_pass, row_kernels};

/// A transformer layer.
#[derive(Debug)]
pub(crate) struct LlamaLayer;

const NAME: &str = "llama-layer";
const FORM: &str = "TOKENSxHIDDENxHEADSxKV_HEADSxMLP-prefill, or -decode at the end";

/// The kernels of attention that a layer is composed of.
const FLASH: &str = "flash";
const SPLIT_KV: &str = "split-kv";

/// What a case says.
#[derive(Clone, Copy, Debug)]
struct LayerShape {
    /// Tokens of the prompt, or in decode those before and with the new one.
    length: u32,
    /// Width of the residual stream.
    hidden: u32,
    heads: u32,
    kv_heads: u32,
    /// Width of the MLP.
    mlp: u32,
    /// One new token rather than a whole prompt.
    decode: bool,
}

impl LayerShape {
    fn parse(text: &str) -> Result<Self, String> {
        let wrong =
            |reason: &str| Err(format!("the shape {text:?} {reason}; it is written {FORM}"));
        let (numbers, mode) = text.rsplit_once('-').unwrap_or((text, ""));
        let decode = match mode {
            "decode" => true,
            "prefill" => false,
            _ => return wrong("is neither prefill nor decode"),
        };
        let [length, hidden, heads, kv_heads, mlp] = dimensions(numbers, FORM)?;
        if !hidden.is_multiple_of(heads) || !heads.is_multiple_of(kv_heads) {
            return wrong("does not share its heads evenly");
        }
        let size = hidden / heads;
        if !size.is_multiple_of(8) || size > 256 {
            return wrong("has a head size that is no multiple of 8 up to 256");
        }
        if !hidden.is_multiple_of(BLOCK) || !mlp.is_multiple_of(BLOCK) {
            return wrong("has widths that are no multiple of 32");
        }
        Ok(Self {
            length,
            hidden,
            heads,
            kv_heads,
            mlp,
            decode,
        })
    }

    /// Tokens that pass through the layer.
    fn tokens(self) -> u32 {
        if self.decode { 1 } else { self.length }
    }

    /// Size of a head.
    fn size(self) -> u32 {
        self.hidden / self.heads
    }

    /// Width of queries, keys and values together.
    fn qkv(self) -> u32 {
        (self.heads + 2 * self.kv_heads) * self.size()
    }

    /// Weights of the projections.
    fn weights(self) -> u64 {
        let [hidden, qkv, mlp] = [self.hidden, self.qkv(), self.mlp].map(u64::from);
        hidden * (qkv + hidden + 3 * mlp)
    }

    /// Pairs of query and key that one head scores.
    fn pairs(self) -> u64 {
        let length = u64::from(self.length);
        if self.decode {
            length
        } else {
            length * (length + 1) / 2
        }
    }

    fn attention_shape(self) -> String {
        let Self {
            heads,
            kv_heads,
            length,
            ..
        } = self;
        let mask = if self.decode { "" } else { "-causal" };
        format!("1x{heads}x{kv_heads}x{length}x{}{mask}", self.size())
    }
}

/// How everything but quantised weights is stored: activations and the cache of keys and values.
const fn activations(dtype: Dtype) -> Storage {
    match dtype {
        Dtype::F32 => Storage::F32,
        _ => Storage::F16,
    }
}

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

    fn cases(&self) -> Vec<Case> {
        use Dtype::{F16, Q4};
        use Suite::{Llm, Quick};
        let mut cases = Vec::new();
        let mut add = |dtypes: &[Dtype], shape: &str, suites: &[Suite]| {
            cases.extend(dtypes.iter().map(|d| Case::new(NAME, *d, shape).of(suites)));
        };
        add(&[F16, Q4], "32x512x8x2x1792-prefill", &[Quick]);
        add(&[F16, Q4], "256x512x8x2x1792-decode", &[Quick]);
        // Llama-3-8B.
        add(&[F16, Q4], "512x4096x32x8x14336-prefill", &[Llm]);
        add(&[F16, Q4], "2048x4096x32x8x14336-decode", &[Llm]);
        cases
    }

    fn case(&self, dtype: Dtype, shape: &str) -> Result<Case, String> {
        let parsed = LayerShape::parse(shape)?;
        if !matches!(dtype, Dtype::F32 | Dtype::F16 | Dtype::Q4) {
            return Err(format!("{NAME} has f32, f16 and q4, not {dtype}"));
        }
        let attention: &dyn Workload = if parsed.decode { &Decode } else { &Prefill };
        attention.case(Dtype::F32, &parsed.attention_shape())?;
        Ok(Case::new(NAME, dtype, shape))
    }

    fn counts(&self, case: &Case) -> Counts {
        let Ok(shape) = LayerShape::parse(&case.shape) else {
            return Counts::default();
        };
        let [tokens, hidden, heads, kv_heads, size, length] = [
            shape.tokens(),
            shape.hidden,
            shape.heads,
            shape.kv_heads,
            shape.size(),
            shape.length,
        ]
        .map(u64::from);
        let around = activations(case.dtype).bytes();
        Counts {
            flop: 2 * shape.weights() * tokens + 4 * heads * size * shape.pairs(),
            bytes: WeightFormat::of(case.dtype).bytes(shape.weights())
                + around * (2 * kv_heads * length * size + 2 * tokens * hidden),
            tokens: Some(tokens),
        }
    }

    fn mostly_reads(&self, _case: &Case) -> bool {
        true
    }

    fn kernels(&self, case: &Case, adapter: &Adapter) -> Vec<Kernel> {
        let Ok(shape) = LayerShape::parse(&case.shape) else {
            return Vec::new();
        };
        let (workload, projection) = projection(case.dtype, shape);
        let (attention, heads) = attention(case.dtype, shape);
        let norm = Case::new("rmsnorm", Dtype::F32, format!("1x{}", shape.hidden));
        // The last is the best that a workload knows; the ones before it are for comparison. One kernel has
        // to do every projection, whose rows are of two lengths in a decode.
        let of_projection = if shape.decode {
            let lengths = [shape.hidden, shape.mlp];
            Some(default_kernel(
                WeightFormat::of(case.dtype),
                &lengths,
                adapter,
            ))
        } else {
            workload.kernels(&projection, adapter).pop()
        };
        let parts = [
            ("projection", of_projection),
            (
                "attention",
                attention
                    .kernels(&heads, adapter)
                    .into_iter()
                    .rfind(composes),
            ),
            ("norm", row_kernels(&norm, adapter).pop()),
        ];
        parts_together(&parts).into_iter().collect()
    }

    fn tuning_space(&self, case: &Case) -> Vec<Kernel> {
        let Ok(shape) = LayerShape::parse(&case.shape) else {
            return Vec::new();
        };
        let (workload, projection) = projection(case.dtype, shape);
        let (attention, heads) = attention(case.dtype, shape);
        // The parts have spaces of their own, searched by themselves; here are so many of each kernel.
        let thinned = |space: &[Kernel], of_each: usize| {
            let names: BTreeSet<&str> = space.iter().map(|kernel| &*kernel.name).collect();
            let mut chosen = Vec::new();
            for name in names {
                let of_name: Vec<&Kernel> = space.iter().filter(|k| k.name == name).collect();
                let step = of_name.len().div_ceil(of_each);
                chosen.extend(of_name.into_iter().rev().step_by(step).cloned());
            }
            chosen
        };
        let width = if shape.hidden.is_multiple_of(4) { 4 } else { 1 };
        let norm = one_pass(256, width, 0);
        let mut space = Vec::new();
        let mut attentions = attention.tuning_space(&heads);
        attentions.retain(composes);
        for projection in thinned(&workload.tuning_space(&projection), 2) {
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

    fn parts(&self, case: &Case, kernel: &Kernel) -> Vec<Part> {
        let Ok(shape) = LayerShape::parse(&case.shape) else {
            return Vec::new();
        };
        let part = |name, (workload, case): (&'static dyn Workload, Case), kernel_name| Part {
            name,
            work: CaseKernel::built_in(workload, case, part_of(kernel, name, kernel_name)),
        };
        let attends = if shape.decode { SPLIT_KV } else { FLASH };
        vec![
            part(
                "projection",
                projection(case.dtype, shape),
                kernel.name.clone(),
            ),
            part("attention", attention(case.dtype, shape), attends.into()),
        ]
    }

    fn pilot(&self, case: &Case) -> Option<Case> {
        let shape = LayerShape::parse(&case.shape).ok()?;
        if shape.kv_heads == 1 || self.counts(case).flop < 1 << 26 {
            return None;
        }
        // One head of keys and values with its queries, and the MLP's share.
        let (heads, size) = (shape.heads / shape.kv_heads, shape.size());
        let mlp = (shape.mlp / shape.kv_heads).next_multiple_of(BLOCK);
        let hidden = (heads * size).next_multiple_of(BLOCK);
        let mode = if shape.decode { "decode" } else { "prefill" };
        let length = shape.length.min(256);
        (hidden == heads * size).then(|| {
            let shape = format!("{length}x{hidden}x{heads}x1x{mlp}-{mode}");
            Case::new(NAME, case.dtype, shape)
        })
    }

    fn program(&self, case: &Case, kernel: &Kernel, seed: u64) -> Result<Program, String> {
        compose::layer(case.dtype, LayerShape::parse(&case.shape)?, kernel, seed)
    }

    fn verify(
        &self,
        case: &Case,
        _kernel: &Kernel,
        program: &Program,
        outputs: &[Vec<u8>],
    ) -> Verification {
        check::layer(case, program, outputs)
    }
}

/// The workload that multiplies with weights and its largest case here, the MLP's way up.
fn projection(dtype: Dtype, shape: LayerShape) -> (&'static dyn Workload, Case) {
    let LayerShape { hidden, mlp, .. } = shape;
    if shape.decode {
        (&Gemv, Case::new("gemv", dtype, format!("{mlp}x{hidden}")))
    } else {
        let written = format!("{}x{mlp}x{hidden}", shape.length);
        (&Matmul, Case::new("matmul", dtype, written))
    }
}

/// Whether an attention kernel can write its output as a projection reads it.
fn composes(attention: &Kernel) -> bool {
    [FLASH, SPLIT_KV].contains(&&*attention.name)
}

/// The workload that attends and its case here.
fn attention(dtype: Dtype, shape: LayerShape) -> (&'static dyn Workload, Case) {
    let dtype = match activations(dtype) {
        Storage::F16 => Dtype::F16,
        Storage::F32 | Storage::U32 => Dtype::F32,
    };
    let written = shape.attention_shape();
    if shape.decode {
        (&Decode, Case::new("attention-decode", dtype, written))
    } else {
        (&Prefill, Case::new("attention-prefill", dtype, written))
    }
}

/// The kernels of the parts as one: named after the projection's, parameters named `part.parameter`.
fn parts_together(parts: &[(&str, Option<Kernel>)]) -> Option<Kernel> {
    let mut together = Kernel::new(parts.first()?.1.as_ref()?.name.clone(), &[]);
    for (part, kernel) in parts {
        for (name, value) in &kernel.as_ref()?.parameters {
            together.parameters.insert(format!("{part}.{name}"), *value);
        }
    }
    Some(together)
}

/// The kernel of one part again.
fn part_of(kernel: &Kernel, part: &str, name: impl Into<Cow<'static, str>>) -> Kernel {
    Kernel {
        name: name.into(),
        parameters: kernel
            .parameters
            .iter()
            .filter_map(|(parameter, value)| {
                let own = parameter.strip_prefix(part)?.strip_prefix('.')?;
                Some((own.to_owned(), *value))
            })
            .collect(),
    }
}
