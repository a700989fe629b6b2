//! A WGSL module with what its entry points need.

use std::collections::BTreeMap;

use naga::back::pipeline_constants::{self, PipelineConstantError};
use naga::valid::{Capabilities, GlobalUse, ModuleInfo, ValidationFlags, Validator};
use naga::{
    AddressSpace, Handle, ImageClass, ImageDimension, Module, ScalarKind, ShaderStage,
    StorageAccess, Type, TypeInner,
};

use super::directives::accepted;
use super::layout::{WrittenValue, encode};
use crate::error::nearest;
use crate::record::{TexelFormat, TextureDimension};
use crate::workload::kit::stored_texture::StoredTexture;
use crate::workload::kit::texel_kind::TexelKind;

/// A WGSL source that naga accepts.
#[derive(Debug)]
pub struct WgslModule {
    /// naga's form of it.
    pub module: Module,
    /// What its validator found.
    pub info: ModuleInfo,
    /// The source as naga takes it.
    pub source: String,
}

/// What is bound to a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BoundResource {
    /// A storage buffer, and whether the source only reads it.
    Storage {
        /// `var<storage, read>`.
        read_only: bool,
    },
    /// A uniform buffer.
    Uniform,
    /// A texture that is sampled or loaded from.
    Texture {
        /// As what its texels are read.
        kind: TexelKind,
        /// Its dimensions.
        dimension: TextureDimension,
    },
    /// A texture that is stored to or loaded from.
    StorageTexture(StoredTexture),
    /// A sampler.
    Sampler {
        /// `sampler_comparison`.
        comparison: bool,
    },
    /// Anything else, in words.
    Other(&'static str),
}

/// A variable with a binding.
#[derive(Clone, Debug)]
pub struct BoundVariable {
    /// Its name.
    pub name: String,
    /// `@group`.
    pub group: u32,
    /// `@binding`.
    pub binding: u32,
    /// What it takes.
    pub resource: BoundResource,
    /// Its type.
    pub(crate) ty: Handle<Type>,
    /// Whether the entry point uses it.
    pub used: bool,
    /// Whether the entry point writes it.
    pub written: bool,
    /// Fewest bytes that it needs.
    pub least_bytes: u64,
    /// Names of the samplers by which the entry point reads it, where it is a texture.
    pub sampled_by: Vec<String>,
}

/// What an entry point needs, its overrides resolved.
#[derive(Clone, Debug)]
pub struct EntryNeeds {
    /// Its name.
    pub entry: String,
    /// Threads of a workgroup.
    pub threads: [u32; 3],
    /// Bytes of workgroup memory.
    pub workgroup_bytes: u32,
    /// Every variable with a binding, by group and binding.
    pub variables: Vec<BoundVariable>,
    /// Device features, by wgpu's names.
    pub features: Vec<&'static str>,
    /// Name and type of its immediate data.
    pub(crate) immediate: Option<(String, Handle<Type>)>,
}

/// The line of a shader that naga refuses, by the message of [`WgslModule::parse`], which marks it as `wgsl:8:5`.
pub(crate) fn refused_line(refused: &str) -> Option<usize> {
    let (_, place) = refused.split_once(" wgsl:")?;
    place.split(':').next()?.parse().ok()
}

impl WgslModule {
    /// Parses and validates.
    ///
    /// # Errors
    /// naga refuses the source; the message shows where.
    pub fn parse(wgsl: &str) -> Result<Self, String> {
        let source = accepted(wgsl);
        let module = naga::front::wgsl::parse_str(&source).map_err(|e| {
            let said = e.emit_to_string(&source);
            let hint = hint(&source).or_else(|| reserved(&said)).map(str::to_owned);
            match hint.or_else(|| prepended(&said)) {
                Some(hint) => format!("{said}\n{hint}"),
                None => said,
            }
        })?;
        let info = validate(&module, true).map_err(|e| e.emit_to_string(&source))?;
        Ok(Self {
            module,
            info,
            source,
        })
    }

    /// Names of the compute entry points.
    pub fn entries(&self) -> Vec<String> {
        let points = self.module.entry_points.iter();
        points
            .filter(|entry| entry.stage == ShaderStage::Compute)
            .map(|entry| entry.name.clone())
            .collect()
    }

    /// The compute entry point of a name, or the only one.
    ///
    /// # Errors
    /// There is none of that name, or several and no name.
    pub fn entry(&self, name: Option<&str>) -> Result<String, String> {
        let entries = self.entries();
        match (name, entries.as_slice()) {
            (_, []) => Err("has no compute entry point".to_owned()),
            (Some(name), _) if entries.iter().any(|entry| entry == name) => Ok(name.to_owned()),
            (Some(name), _) => {
                let close = nearest(name, entries.iter().map(String::as_str))
                    .map(|close| format!("; did you mean {close:?}?"));
                Err(format!(
                    "has no compute entry point called {name:?}; it has {}{}",
                    entries.join(", "),
                    close.unwrap_or_default()
                ))
            }
            (None, [only]) => Ok(only.clone()),
            (None, _) => Err(format!(
                "has several compute entry points; choose one with `entry`: {}",
                entries.join(", ")
            )),
        }
    }

    /// What an entry point needs with these overrides.
    ///
    /// # Errors
    /// There is no such entry point, or an override is unknown or has no value.
    pub fn needs(
        &self,
        entry: Option<&str>,
        overrides: &BTreeMap<String, f64>,
    ) -> Result<EntryNeeds, String> {
        let entry = self.entry(entry)?;
        let constants = self.pipeline_constants(overrides)?;
        let (module, info) = pipeline_constants::process_overrides(
            &self.module,
            &self.info,
            Some((ShaderStage::Compute, &entry)),
            &constants.into_iter().collect(),
        )
        .map_err(|e| override_problem(&e))?;
        let found = module
            .entry_points
            .iter()
            .position(|point| point.stage == ShaderStage::Compute && point.name == entry)
            .ok_or_else(|| format!("has no compute entry point called {entry:?}"))?;
        let uses = info.get_entry_point(found);
        let mut workgroup_bytes = 0_u64;
        let mut immediate = None;
        for (handle, variable) in module.global_variables.iter() {
            if uses[handle].is_empty() {
                continue;
            }
            match variable.space {
                AddressSpace::WorkGroup => {
                    let size = module.types[variable.ty].inner.try_size(module.to_ctx());
                    workgroup_bytes += u64::from(size.unwrap_or(0).next_multiple_of(4));
                }
                AddressSpace::Immediate => {
                    immediate = variable.name.clone();
                }
                _ => {}
            }
        }
        // Overrides taken in, naga drops what the entry point does not use and numbers types anew: the variables are
        // those of the source, found again by what they are called and where they are bound.
        let variables = bound_variables(&self.module, |variable| {
            let (handle, kept) = module.global_variables.iter().find(|(_, kept)| {
                (&kept.binding, &kept.name) == (&variable.binding, &variable.name)
            })?;
            let size = module.types[kept.ty].inner.try_size(module.to_ctx());
            let pairs = uses.sampling_set.iter().filter(|p| p.image == handle);
            let samplers = pairs.filter_map(|p| module.global_variables[p.sampler].name.clone());
            Some(Kept {
                uses: uses[handle],
                least_bytes: size.unwrap_or(0).into(),
                sampled_by: samplers.collect(),
            })
        });
        Ok(EntryNeeds {
            threads: module.entry_points[found].workgroup_size,
            entry,
            workgroup_bytes: u32::try_from(workgroup_bytes).unwrap_or(u32::MAX),
            variables,
            features: self.features(immediate.is_some()),
            immediate: immediate.and_then(|name| {
                let mut variables = self.module.global_variables.iter();
                let (_, variable) = variables.find(|(_, variable)| {
                    variable.space == AddressSpace::Immediate
                        && variable.name.as_ref() == Some(&name)
                })?;
                Some((name, variable.ty))
            }),
        })
    }

    /// A value as the bytes that a type of this module lays out.
    pub(crate) fn encode(&self, ty: Handle<Type>, value: &WrittenValue) -> Result<Vec<u8>, String> {
        encode(&self.module, ty, value)
    }

    /// The values of overrides by naga's keys: the number where one is given by `@id`, else the name.
    ///
    /// # Errors
    /// There is no such override.
    pub fn pipeline_constants(
        &self,
        overrides: &BTreeMap<String, f64>,
    ) -> Result<BTreeMap<String, f64>, String> {
        let known: Vec<&naga::Override> = self.module.overrides.iter().map(|(_, o)| o).collect();
        overrides
            .iter()
            .map(|(name, value)| {
                let found = known.iter().find(|o| {
                    o.name.as_ref() == Some(name)
                        || o.id.map(|id| id.to_string()).as_ref() == Some(name)
                });
                let Some(found) = found else {
                    let names: Vec<&str> = known.iter().filter_map(|o| o.name.as_deref()).collect();
                    return Err(if names.is_empty() {
                        format!("has no overrides, so {name:?} cannot be set")
                    } else {
                        let close = nearest(name, names.iter().copied())
                            .map_or(String::new(), |close| format!("; did you mean {close:?}?"));
                        format!(
                            "has no override {name:?}; it has {}{close}",
                            names.join(", ")
                        )
                    });
                };
                let key = found.id.map_or_else(|| name.clone(), |id| id.to_string());
                Ok((key, *value))
            })
            .collect()
    }

    /// Device features that the source needs, by wgpu's names.
    fn features(&self, immediates: bool) -> Vec<&'static str> {
        let mut features = Vec::new();
        if immediates {
            features.push("IMMEDIATES");
        }
        let half = self.module.types.iter().any(|(_, ty)| {
            matches!(
                ty.inner,
                TypeInner::Scalar(naga::Scalar::F16)
                    | TypeInner::Vector {
                        scalar: naga::Scalar::F16,
                        ..
                    }
                    | TypeInner::Matrix {
                        scalar: naga::Scalar::F16,
                        ..
                    }
            )
        });
        if half {
            features.push("SHADER_F16");
        }
        // What does not hold without subgroups needs them.
        if validate(&self.module, false).is_err() {
            features.push("SUBGROUP");
        }
        features
    }
}

/// Why overrides cannot be resolved.
fn override_problem(error: &PipelineConstantError) -> String {
    match error {
        PipelineConstantError::MissingValue(name) => {
            format!(
                "the override {name} has no value; give it one, for example `overrides = {{ {name} = 1 }}`"
            )
        }
        other => other.to_string(),
    }
}

/// How an entry point uses a variable.
struct Kept {
    uses: GlobalUse,
    least_bytes: u64,
    sampled_by: Vec<String>,
}

/// Variables with a binding, by group and binding; `kept` says how an entry point uses one, where it does.
fn bound_variables(
    module: &Module,
    kept: impl Fn(&naga::GlobalVariable) -> Option<Kept>,
) -> Vec<BoundVariable> {
    let mut variables = Vec::new();
    for (_, variable) in module.global_variables.iter() {
        let Some(at) = &variable.binding else {
            continue;
        };
        let inner = &module.types[variable.ty].inner;
        let resource = match (variable.space, inner) {
            (AddressSpace::Storage { access }, _) => BoundResource::Storage {
                read_only: !access.contains(StorageAccess::STORE),
            },
            (AddressSpace::Uniform, _) => BoundResource::Uniform,
            (_, TypeInner::Sampler { comparison }) => BoundResource::Sampler {
                comparison: *comparison,
            },
            (
                _,
                TypeInner::Image {
                    dim,
                    arrayed,
                    class,
                },
            ) => image(*dim, *arrayed, *class),
            _ => BoundResource::Other("no buffer"),
        };
        let kept = kept(variable).unwrap_or(Kept {
            uses: GlobalUse::empty(),
            least_bytes: 0,
            sampled_by: Vec::new(),
        });
        variables.push(BoundVariable {
            name: variable.name.clone().unwrap_or_default(),
            group: at.group,
            binding: at.binding,
            resource,
            ty: variable.ty,
            used: !kept.uses.is_empty(),
            written: kept.uses.intersects(GlobalUse::WRITE | GlobalUse::ATOMIC),
            least_bytes: kept.least_bytes,
            sampled_by: kept.sampled_by,
        });
    }
    variables.sort_by_key(|variable| (variable.group, variable.binding));
    variables
}

/// What a texture is to a binding.
fn image(dim: ImageDimension, arrayed: bool, class: ImageClass) -> BoundResource {
    let dimension = match (dim, arrayed) {
        (ImageDimension::D1, false) => TextureDimension::D1,
        (ImageDimension::D2, false) => TextureDimension::D2,
        (ImageDimension::D2, true) => TextureDimension::D2Array,
        (ImageDimension::Cube, false) => TextureDimension::Cube,
        (ImageDimension::Cube, true) => TextureDimension::CubeArray,
        (ImageDimension::D3, _) => TextureDimension::D3,
        (ImageDimension::D1, true) => return BoundResource::Other("an array of 1D textures"),
    };
    match class {
        ImageClass::Sampled { multi: true, .. } | ImageClass::Depth { multi: true } => {
            BoundResource::Other("a multisampled texture")
        }
        ImageClass::Sampled { kind, .. } => BoundResource::Texture {
            kind: match kind {
                ScalarKind::Sint => TexelKind::Signed,
                ScalarKind::Uint => TexelKind::Unsigned,
                _ => TexelKind::Float,
            },
            dimension,
        },
        ImageClass::Depth { .. } => BoundResource::Texture {
            kind: TexelKind::Depth,
            dimension,
        },
        ImageClass::External => BoundResource::Other("an external texture"),
        ImageClass::Storage { format, access } => {
            // Both call a format by its name in WebGPU.
            let name = format!("{format:?}").to_lowercase();
            let known = TexelFormat::ALL.iter().find(|f| f.name() == name);
            let Some(format) = known else {
                return BoundResource::Other("a storage texture of a packed or rare format");
            };
            if access.contains(StorageAccess::ATOMIC) {
                return BoundResource::Other("a storage texture with atomics");
            }
            BoundResource::StorageTexture(StoredTexture {
                format: *format,
                dimension,
                reads: access.contains(StorageAccess::LOAD),
                writes: access.contains(StorageAccess::STORE),
            })
        }
    }
}

/// Validates with or without subgroups.
fn validate(
    module: &Module,
    subgroups: bool,
) -> Result<ModuleInfo, Box<naga::WithSpan<naga::valid::ValidationError>>> {
    let mut validator = Validator::new(
        ValidationFlags::all(),
        if subgroups {
            Capabilities::all()
        } else {
            Capabilities::all() - Capabilities::SUBGROUP - Capabilities::SUBGROUP_BARRIER
        },
    );
    if subgroups {
        validator
            .subgroup_stages(naga::valid::ShaderStages::COMPUTE)
            .subgroup_operations(naga::valid::SubgroupOperationSet::all());
    }
    validator.validate(module).map_err(Box::new)
}

/// What a source that is no WGSL yet seems to be, and what helps.
pub(crate) fn hint(source: &str) -> Option<&'static str> {
    let directive = |line: &str| {
        let line = line.trim_start();
        [
            "#ifdef", "#ifndef", "#define", "#import", "#pragma", "#undef",
        ]
        .iter()
        .any(|word| line.starts_with(word))
    };
    // `#{NAME}` is naga_oil's.
    if source.lines().any(directive) || source.contains("#{") {
        return Some(
            "the file is for a preprocessor (lines such as `#define`, `#import`); a manifest expands it, with `defines = \
             { NAME = 1 }` in the dispatch, or by a command of yours, `expand = [\"command\", …]`",
        );
    }
    if has_placeholder(source) {
        return Some(PLACEHOLDERS);
    }
    // No WGSL has a brace before a percent sign; two together may close and open blocks.
    if source.contains("{{") || source.contains("{%") {
        return Some(
            "the file is a template (`{{`, `{%`); a manifest expands it with the values of `params`, or by a command of \
             yours, `expand = [\"command\", …]`",
        );
    }
    None
}

/// What helps a file in which a program replaces words.
const PLACEHOLDERS: &str = "the file has placeholders (`{NAME}`, `__NAME__`) that its program replaces; say with what by \
     `defines = { NAME = 64 }` in the dispatch, or write `${NAME}` with `params`";

/// What helps where naga refuses a name because of its underscores, with which none of WGSL begins.
fn reserved(said: &str) -> Option<&'static str> {
    let refused = ["reserved prefix: `__", "for identifier: `__"];
    refused
        .iter()
        .any(|words| said.contains(words))
        .then_some(PLACEHOLDERS)
}

/// Whether a name in capitals stands alone between braces: in WGSL at least a semicolon would follow it there.
fn has_placeholder(source: &str) -> bool {
    source.split('{').skip(1).any(|rest| {
        let name = rest.split('}').next().unwrap_or_default();
        rest.len() > name.len()
            && name.len() > 1
            && name.starts_with(|c: char| c.is_ascii_uppercase())
            && name
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    })
}

/// What helps where a name is declared nowhere: programs put constants before their shaders.
fn prepended(said: &str) -> Option<String> {
    let (_, rest) = said.split_once("no definition in scope for identifier: `")?;
    let (name, _) = rest.split_once('`')?;
    Some(format!(
        "`{name}` is declared nowhere; a manifest says what a program puts in its place, `defines = {{ {name} = 64 }}` in \
         the dispatch (or `{name} = \"${{PARAMETER}}\"`), or what it puts before the shader: `shader = [\"constants.wgsl\", \
         \"s.wgsl\"]`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_entry_point_leaves_out_keeps_its_place_and_the_rest_their_types() {
        let source = "@group(0) @binding(0) var<storage, read_write> counts: array<u32>;
            @group(0) @binding(1) var<storage, read_write> z: array<f32>;
            override SCALE: f32 = 2.0;
            @compute @workgroup_size(1) fn a() { counts[0] = 1u; }
            @compute @workgroup_size(1) fn b() { z[0] = SCALE; }";
        let module = WgslModule::parse(source).unwrap();
        let needs = module.needs(Some("b"), &BTreeMap::new()).unwrap();
        let seen: Vec<_> = needs
            .variables
            .iter()
            .map(|variable| {
                let TypeInner::Array { base, .. } = module.module.types[variable.ty].inner else {
                    panic!("{variable:?}");
                };
                let scalar = module.module.types[base].inner.scalar();
                (variable.name.as_str(), variable.used, scalar)
            })
            .collect();
        assert_eq!(
            seen,
            [
                ("counts", false, Some(naga::Scalar::U32)),
                ("z", true, Some(naga::Scalar::F32))
            ]
        );
    }
}
