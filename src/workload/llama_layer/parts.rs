//! The cases of other workloads that a layer is composed of, and their kernels as one.

use std::borrow::Cow;

use crate::workload::attention::{FLASH, SPLIT_KV, decode_case, prefill_case};
use crate::workload::case::Case;
use crate::workload::gemv::gemv_case;
use crate::workload::kit::kernel::Kernel;
use crate::workload::llama_layer::layer::Layer;
use crate::workload::matmul::matmul_case;

/// The largest product with weights, the MLP's way up.
pub(crate) fn projection(layer: Layer) -> Case {
    let Layer {
        dtype, hidden, mlp, ..
    } = layer;
    if layer.decode {
        gemv_case(dtype, mlp, hidden)
    } else {
        matmul_case(dtype, [layer.length, mlp, hidden])
    }
}

/// The attention.
pub(crate) fn attention(layer: Layer) -> Case {
    if layer.decode {
        decode_case(layer.attention_dtype(), layer.attention_heads())
    } else {
        prefill_case(layer.prompt())
    }
}

/// The kernel of attention that a layer is composed of.
pub(crate) const fn attends(layer: Layer) -> &'static str {
    if layer.decode { SPLIT_KV } else { FLASH }
}

/// Whether an attention kernel can write its output as a projection reads it.
pub(crate) fn composes(attention: &Kernel) -> bool {
    [FLASH, SPLIT_KV].iter().any(|name| attention.name == *name)
}

/// The kernels of the parts as one: named after the projection's, parameters named `part.parameter`.
pub(crate) fn parts_together(parts: &[(&str, Option<Kernel>)]) -> Option<Kernel> {
    let mut together = Kernel::new(parts.first()?.1.as_ref()?.name.clone(), &[]);
    for (part, kernel) in parts {
        for (name, value) in &kernel.as_ref()?.parameters {
            together.parameters.insert(format!("{part}.{name}"), *value);
        }
    }
    Some(together)
}

/// The kernel of one part again.
pub(crate) fn part_of(kernel: &Kernel, part: &str, name: impl Into<Cow<'static, str>>) -> Kernel {
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
