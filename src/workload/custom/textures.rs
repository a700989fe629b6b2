//! The textures and samplers of a manifest.

use toml::Spanned;

use super::amounts::ParameterScope;
use super::binding::Bound;
use super::contents::{has_contents, is_checked};
use super::dispatches::three;
use super::entry::FileEntry;
use super::file::{BufferTable, SamplerTable};
use crate::error::{Result, nearest};
use crate::record::{CustomSampler, CustomTexture, TexelFormat};
use crate::workload::kit::stored_texture::StoredTexture;
use crate::workload::wgsl::BoundResource;

/// What a texture is made of: its size by the manifest, its dimensions by the shader, its format by either.
pub(super) fn texture(
    entry: &FileEntry<'_>,
    table: &BufferTable,
    scope: &ParameterScope,
    bound: &[&Bound],
) -> Result<CustomTexture> {
    if table.dtype.is_some() {
        return Err(
            entry.wrong("a texture has `format` instead of `type`, for example \"rgba8unorm\"")
        );
    }
    let mut resources = bound.iter().flat_map(|bound| bound.resources(&table.name));
    let dimension = resources
        .clone()
        .find_map(|resource| match resource {
            BoundResource::Texture { dimension, .. }
            | BoundResource::StorageTexture(StoredTexture { dimension, .. }) => Some(*dimension),
            _ => None,
        })
        .ok_or_else(|| {
            entry.wrong(format!(
                "no shader of a dispatch has a texture called {:?}; name it as the shader's variable, or bind it \
                 by `bind = {{ variable = {:?} }}`",
                table.name, table.name
            ))
        })?;
    let stored = resources.find_map(|resource| match resource {
        BoundResource::StorageTexture(stored) => Some(stored.format),
        _ => None,
    });
    let format = match (&table.format, stored) {
        (Some(name), _) => format_called(entry, name)?,
        (None, Some(format)) => format,
        (None, None) => {
            return Err(entry.wrong(
                "give its `format`, for example \"rgba8unorm\", \"r32float\" or \"rgba32float\"",
            ));
        }
    };
    let Some(amounts) = &table.size else {
        return Err(entry.wrong("give its `size`, for example `size = [256, 256]`"));
    };
    let lengths = dimension.lengths();
    if amounts.list().len() != lengths {
        let given = amounts.list().len();
        return Err(entry.wrong(format!(
            "`size` has {given} numbers and the shader's texture {lengths}"
        )));
    }
    let texture = CustomTexture {
        format,
        size: three(entry, "size", amounts.list(), scope)?,
        dimension,
        levels: 1,
    };
    let levels = levels(entry, table, scope, texture.most_levels())?;
    let texture = CustomTexture { levels, ..texture };
    if format.is_depth() {
        refuse_as_depth(entry, table)?;
    }
    match texture.bytes() {
        Some(_) => Ok(texture),
        None => Err(entry.wrong("is larger than any memory")),
    }
}

/// How many mip levels a texture has.
fn levels(
    entry: &FileEntry<'_>,
    table: &BufferTable,
    scope: &ParameterScope,
    most: u32,
) -> Result<u32> {
    let Some(amount) = &table.levels else {
        return Ok(1);
    };
    let levels = scope
        .whole(amount)
        .map_err(|e| entry.wrong(format!("`levels`: {e}")))?;
    let fits = u32::try_from(levels).ok();
    fits.filter(|levels| (1..=most).contains(levels))
        .ok_or_else(|| {
            entry.wrong(format!(
                "`levels` is {levels}, and a texture of this `size` has 1 to {most}"
            ))
        })
}

/// Stops what a depth texture cannot be: no compute shader writes one.
fn refuse_as_depth(entry: &FileEntry<'_>, table: &BufferTable) -> Result<()> {
    if table.output || is_checked(table) || table.restore == Some(true) {
        return Err(entry.wrong(
            "a compute shader cannot write a depth texture, so there is nothing to check or restore; remove the check, \
             or store to a texture of another format, for example \"r32float\"",
        ));
    }
    if !has_contents(table) {
        return Err(entry.wrong(
            "a compute shader cannot write a depth texture; give it contents, for example `uniform = [0, 1]`",
        ));
    }
    Ok(())
}

/// The format of a name.
fn format_called(entry: &FileEntry<'_>, name: &str) -> Result<TexelFormat> {
    let formats = TexelFormat::ALL;
    if let Some(format) = formats.iter().find(|format| format.name() == name) {
        return Ok(*format);
    }
    let names = || formats.iter().map(|format| format.name());
    let close =
        nearest(name, names()).map_or(String::new(), |close| format!("; did you mean {close:?}?"));
    Err(entry.wrong(format!(
        "the `format` {name:?} is unknown{close}; there are {}",
        names().collect::<Vec<_>>().join(", ")
    )))
}

/// The samplers of a manifest.
pub(super) fn samplers(
    entry: &FileEntry<'_>,
    tables: &[Spanned<SamplerTable>],
    bound: &[Option<Bound>],
) -> Result<Vec<CustomSampler>> {
    let readable = bound.iter().all(Option::is_some);
    let used = |name: &str| {
        let mut resources = bound
            .iter()
            .flatten()
            .flat_map(|bound| bound.resources(name));
        resources.any(|resource| matches!(resource, BoundResource::Sampler { .. }))
    };
    let sampler = |table: &Spanned<SamplerTable>| {
        let entry = entry.inner(table, &format!("sampler {:?}", table.get_ref().name));
        let table = table.get_ref();
        if readable && !used(&table.name) {
            return Err(entry.wrong(
                "no shader of a dispatch has a sampler of this name; name it as the shader's variable",
            ));
        }
        Ok(CustomSampler {
            name: table.name.clone(),
            filter: table.filter,
            address: table.address,
            compare: table.compare,
        })
    };
    tables.iter().map(sampler).collect()
}
