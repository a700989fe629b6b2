//! The layer as one program, put together from the programs of other workloads.

use crate::workload::attention::for_projection;
use crate::workload::case::Problem;
use crate::workload::gemv::GemvProduct;
use crate::workload::kit::dimensions::grid;
use crate::workload::kit::input::{Input, Storage};
use crate::workload::kit::kernel::Kernel;
use crate::workload::kit::program::{Action, Buffer, Contents, Dispatch, Program};
use crate::workload::kit::quantized::WeightFormat;
use crate::workload::kit::template::{Template, shader};
use crate::workload::kit::unsupported::Unsupported;
use crate::workload::llama_layer::layer::Layer;
use crate::workload::llama_layer::parts::{attends, attention, part_of};
use crate::workload::matmul::matmul_case;
use crate::workload::rows::{Normalisation, ONE_PASS, RowsShape};

/// Threads of a workgroup of the layer's own shaders.
const WORKGROUP: u32 = 64;

/// Base of the rotary embedding's angles in Llama 3.
const ROTARY_BASE: f64 = 500_000.0;

/// Standard deviation of numbers that are uniform between −0.5 and 0.5.
const UNIFORM_DEVIATION: f32 = 0.288_675_13;

/// A projection: its input, weights and output, and its position among the projections.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Projection {
    pub(crate) input: &'static str,
    pub(crate) weights: &'static str,
    pub(crate) scales: &'static str,
    pub(crate) output: &'static str,
    /// Outputs.
    pub(crate) n: u32,
    /// Inputs.
    pub(crate) k: u32,
}

/// The projections of a layer in their order.
pub(crate) fn projections(shape: Layer) -> [Projection; 5] {
    let Layer { hidden, mlp, .. } = shape;
    let projection = |input, weights, scales, output, n, k| Projection {
        input,
        weights,
        scales,
        output,
        n,
        k,
    };
    [
        projection(
            "normed",
            "W qkv",
            "W qkv scales",
            "qkv",
            shape.qkv(),
            hidden,
        ),
        projection(
            "attended",
            "W output",
            "W output scales",
            "projected",
            hidden,
            hidden,
        ),
        projection(
            "normed again",
            "W gate",
            "W gate scales",
            "gate",
            mlp,
            hidden,
        ),
        projection("normed again", "W up", "W up scales", "up", mlp, hidden),
        projection("activated", "W down", "W down scales", "down", hidden, mlp),
    ]
}

/// Buffers by name and the dispatches over them.
struct Composer {
    buffers: Vec<Buffer>,
    dispatches: Vec<Dispatch>,
}

impl Composer {
    /// The buffer of this name; a new one where there is none yet.
    fn buffer(&mut self, name: &'static str, spec: Buffer) -> Result<usize, Unsupported> {
        match self.buffers.iter().position(|buffer| buffer.name == name) {
            Some(known) if self.buffers[known].bytes == spec.bytes => Ok(known),
            Some(known) => Err(Unsupported::Combination(format!(
                "{name} has {} bytes and a stage wants {}",
                self.buffers[known].bytes, spec.bytes
            ))),
            None => {
                self.buffers.push(Buffer {
                    name: name.into(),
                    ..spec
                });
                Ok(self.buffers.len() - 1)
            }
        }
    }

    /// Appends a program whose first buffers are known by these names; the rest is its own.
    fn append(&mut self, part: Program, names: &[&'static str]) -> Result<(), Unsupported> {
        let Action::Dispatches(dispatches) = part.action else {
            return Err(Unsupported::combination("a stage that is not a dispatch"));
        };
        let mut places = Vec::with_capacity(part.buffers.len());
        for (number, spec) in part.buffers.into_iter().enumerate() {
            places.push(match names.get(number) {
                Some(name) => self.buffer(name, spec)?,
                None => {
                    self.buffers.push(spec);
                    self.buffers.len() - 1
                }
            });
        }
        for mut dispatch in dispatches {
            for binding in &mut dispatch.bindings {
                binding.buffer = places[binding.buffer];
            }
            self.dispatches.push(dispatch);
        }
        Ok(())
    }

    /// Scales the random numbers of a buffer.
    fn scale(&mut self, name: &str, factor: f32) {
        for buffer in &mut self.buffers {
            if let (true, Contents::Input(Input::Uniform { scale, .. })) =
                (buffer.name == name, &mut buffer.contents)
            {
                *scale *= factor;
            }
        }
    }
}

/// The program of a layer.
///
/// # Errors
/// A part cannot do its share.
pub(crate) fn layer(shape: Layer, kernel: &Kernel, seed: u64) -> Result<Program, Unsupported> {
    let storage = shape.activations();
    let Layer { hidden, mlp, .. } = shape;
    let tokens = shape.tokens();
    let norm = part_of(kernel, "norm", ONE_PASS);
    let mut layer = Composer {
        buffers: Vec::new(),
        dispatches: Vec::new(),
    };
    let first = Normalisation {
        shape: RowsShape {
            rows: tokens,
            columns: hidden,
        },
        storage,
        residual: false,
    };
    layer.append(first.program(&norm, seed)?, &["x", "norm", "normed"])?;
    let [qkv, output, gate, up, down] = projections(shape);
    project(&mut layer, shape, qkv, kernel, seed)?;
    rotate(&mut layer, storage, shape, seed)?;
    attend(&mut layer, shape, kernel, seed)?;
    project(&mut layer, shape, output, kernel, seed)?;
    let second = Normalisation {
        residual: true,
        ..first
    };
    layer.append(
        second.program(&norm, seed.wrapping_add(1))?,
        &["x", "projected", "norm again", "hidden", "normed again"],
    )?;
    project(&mut layer, shape, gate, kernel, seed)?;
    project(&mut layer, shape, up, kernel, seed)?;
    let wide = tokens * mlp;
    let swiglu = shader!("llama-layer/swiglu.wgsl");
    pointwise(
        &mut layer,
        swiglu,
        ["gate", "up", "activated"],
        wide,
        storage,
    )?;
    project(&mut layer, shape, down, kernel, seed)?;
    let add = shader!("llama-layer/add.wgsl");
    let narrow = tokens * hidden;
    pointwise(&mut layer, add, ["hidden", "down", "y"], narrow, storage)?;

    keep_size(&mut layer, shape);
    Ok(Program {
        buffers: layer.buffers,
        action: Action::Dispatches(layer.dispatches),
    })
}

/// Scales the weights so that, as in a trained model, a layer neither shrinks nor blows up what it is given.
fn keep_size(layer: &mut Composer, shape: Layer) {
    let unit = 1.0 / UNIFORM_DEVIATION;
    for name in ["norm", "norm again"] {
        layer.scale(name, unit);
    }
    for projection in projections(shape) {
        let gain = unit / (projection.k as f32).sqrt();
        let random = if WeightFormat::of(shape.dtype).scaled() {
            projection.scales
        } else {
            projection.weights
        };
        layer.scale(random, gain);
    }
}

/// Output = input · weights: a matmul over a prompt, a gemv for one token.
fn project(
    layer: &mut Composer,
    shape: Layer,
    projection: Projection,
    kernel: &Kernel,
    seed: u64,
) -> Result<(), Unsupported> {
    let Projection {
        input,
        weights,
        scales,
        output,
        n,
        k,
    } = projection;
    let own = part_of(kernel, "projection", kernel.name.clone());
    // Every projection has weights of its own.
    let seed = seed.wrapping_add(layer.dispatches.len() as u64 * 1000);
    let format = WeightFormat::of(shape.dtype);
    let storage = shape.activations();
    if shape.decode {
        let product = GemvProduct {
            m: n,
            k,
            format: if format.scaled() {
                format
            } else {
                WeightFormat::Plain(storage)
            },
            activations: storage,
        };
        let program = product.program(&own, seed)?;
        return if format.scaled() {
            layer.append(program, &[weights, scales, input, output])
        } else {
            layer.append(program, &[weights, input, output])
        };
    }
    let m = shape.tokens();
    match shape.packed([n, k]) {
        Some(packed) => layer.append(
            Problem::program(&packed, &own, seed)?,
            &[input, weights, scales, output],
        ),
        None => {
            let product = matmul_case(shape.dtype, [m, n, k]);
            layer.append(product.program(&own, seed)?, &[input, weights, output])
        }
    }
}

/// Queries, keys and values out of qkv, rotated.
fn rotate(
    layer: &mut Composer,
    storage: Storage,
    shape: Layer,
    seed: u64,
) -> Result<(), Unsupported> {
    let Layer {
        heads,
        kv_heads,
        length,
        ..
    } = shape;
    let (tokens, size) = (shape.tokens(), shape.size());
    let first = length - tokens;
    let cache = [kv_heads, length, size].map(u64::from).iter().product();
    let groups = grid(u64::from(tokens * shape.qkv() / 2).div_ceil(WORKGROUP.into()));
    let template = shader!("llama-layer/rope.wgsl")
        .alias("Element", storage.element())
        .constant("T", tokens)
        .constant("HEADS", heads)
        .constant("KV_HEADS", kv_heads)
        .constant("L", length)
        .constant("FIRST", first)
        .constant("D", size)
        .constant("WORKGROUP", WORKGROUP)
        .constant("GROUPS_X", groups[0]);
    let dispatch = Dispatch::new(&template, &[0, 1, 2, 3, 4], 3)?
        .groups(groups)
        .workgroup([WORKGROUP, 1, 1], 0);
    let rotations = rotations(first, tokens, size);
    let kept = |name, stream| {
        if shape.decode {
            Buffer::random(name, cache, storage, seed, stream).kept()
        } else {
            Buffer::output(name, cache, storage)
        }
    };
    let part = Program {
        buffers: vec![
            Buffer::output("qkv", u64::from(tokens * shape.qkv()), storage),
            Buffer::bytes("rotations", rotations),
            Buffer::output("q", u64::from(tokens * heads * size), storage),
            kept("k", 500),
            kept("v", 501),
        ],
        action: Action::Dispatches(vec![dispatch]),
    };
    layer.append(part, &["qkv", "rotations", "q", "k", "v"])
}

/// Cosines and sines of the angles of tokens from position `first` on.
fn rotations(first: u32, tokens: u32, size: u32) -> Vec<u8> {
    let half = size / 2;
    let mut table: Vec<f32> = Vec::with_capacity(2 * (tokens * half) as usize);
    for position in first..first + tokens {
        for pair in 0..half {
            let angle = f64::from(position) * ROTARY_BASE.powf(-f64::from(pair) / f64::from(half));
            table.extend([angle.cos() as f32, angle.sin() as f32]);
        }
    }
    bytemuck::cast_slice(&table).to_vec()
}

/// Attention over the keys and values there are.
fn attend(
    layer: &mut Composer,
    shape: Layer,
    kernel: &Kernel,
    seed: u64,
) -> Result<(), Unsupported> {
    let own = part_of(kernel, "attention", attends(shape));
    if shape.decode {
        let part = attention(shape).program(&own, seed)?;
        layer.append(part, &["q", "k", "v", "outputs", "extremes", "attended"])
    } else {
        let part = for_projection(shape.prompt(), &own, seed)?;
        layer.append(part, &["q", "k", "v", "attended"])
    }
}

/// Two inputs and an output of as many elements, element by element.
fn pointwise(
    layer: &mut Composer,
    template: Template,
    names: [&'static str; 3],
    elements: u32,
    storage: Storage,
) -> Result<(), Unsupported> {
    let vectors = elements / 4;
    let groups = grid(u64::from(vectors).div_ceil(WORKGROUP.into()));
    let template = template
        .alias("Element", storage.element())
        .constant("VECTORS", vectors)
        .constant("WORKGROUP", WORKGROUP)
        .constant("GROUPS_X", groups[0]);
    let dispatch = Dispatch::new(&template, &[0, 1, 2], 1)?
        .groups(groups)
        .workgroup([WORKGROUP, 1, 1], 0);
    let part = Program {
        buffers: names
            .iter()
            .map(|name| Buffer::output(name, elements.into(), storage))
            .collect(),
        action: Action::Dispatches(vec![dispatch]),
    };
    layer.append(part, &names)
}
