//! The buffers and textures of a manifest, with contents and checks read and held to their types. Nothing is allocated
//! for them; data files are read for their digest alone.

use toml::Spanned;

use super::amounts::ParameterScope;
use super::binding::Bound;
use super::contents::{check_generator, contents, has_contents, hold, is_laid_out};
use super::element_type::{Wanted, element_type, fixed_bytes, scalar_of, type_name};
use super::entry::FileEntry;
use super::expectations::{CheckNames, checks};
use super::file::BufferTable;
use super::textures::texture;
use crate::error::{Result, nearest};
use crate::record::{CustomBuffer, CustomCheck, CustomContents, CustomDtype, CustomTexture};

/// Buffers with their contents and checks, then textures.
pub(super) fn buffers(
    entry: &FileEntry<'_>,
    buffers: &[Spanned<BufferTable>],
    textures: &[Spanned<BufferTable>],
    scope: &ParameterScope,
    bound: &[Option<Bound>],
    referenced: bool,
) -> Result<Vec<CustomBuffer>> {
    let tables = || buffers.iter().chain(textures).map(Spanned::get_ref);
    let all: Vec<&str> = tables().map(|table| table.name.as_str()).collect();
    for (at, table) in buffers.iter().chain(textures).enumerate() {
        let name = &table.get_ref().name;
        if all.iter().take(at).any(|other| other == name) {
            return Err(entry
                .inner(table, &format!("buffer {name:?}"))
                .wrong("another buffer or texture has this name; rename one of them"));
        }
    }
    let filled: Vec<&str> = tables()
        .filter(|table| has_contents(table))
        .map(|table| table.name.as_str())
        .collect();
    let names = CheckNames {
        all: &all,
        filled: &filled,
    };
    let bound: Vec<&Bound> = bound.iter().flatten().collect();
    let of_kind = |tables: &[Spanned<BufferTable>], kind: &str| -> Result<Vec<CustomBuffer>> {
        let read = |table: &Spanned<BufferTable>| {
            let entry = entry.inner(table, &format!("{kind} {:?}", table.get_ref().name));
            let table = table.get_ref();
            let texture = match kind {
                "texture" => Some(texture(&entry, table, scope, &bound)?),
                _ => None,
            };
            let wanted = bound.iter().find_map(|bound| bound.wanted(&table.name));
            let form = form(&entry, table, wanted.as_ref(), texture, &bound)?;
            buffer(
                &entry,
                table,
                scope,
                &form,
                wanted.as_ref(),
                &names,
                referenced,
            )
        };
        tables.iter().map(read).collect()
    };
    let mut found = of_kind(buffers, "buffer")?;
    found.extend(of_kind(textures, "texture")?);
    Ok(found)
}

/// What the elements of a buffer are.
struct ElementForm {
    dtype: CustomDtype,
    /// Elements that one of `elements` takes.
    lanes: u64,
    texture: Option<CustomTexture>,
}

/// What the elements of a buffer are, by the manifest or the shader.
fn form(
    entry: &FileEntry<'_>,
    table: &BufferTable,
    wanted: Option<&Wanted<'_>>,
    texture: Option<CustomTexture>,
    bound: &[&Bound],
) -> Result<ElementForm> {
    let (dtype, lanes) = match (&table.dtype, texture) {
        (_, Some(texture)) => (texture.format.dtype(), 1),
        _ if is_laid_out(table) => (CustomDtype::U32, 1),
        (Some(text), _) => {
            let written = element_type(text).map_err(|e| entry.wrong(e))?;
            refuse_other_type(entry, written.0, wanted)?;
            written
        }
        (None, _) => wanted
            .and_then(|wanted| scalar_of(wanted.module, wanted.ty))
            .map(|dtype| (dtype, 1))
            .ok_or_else(|| entry.wrong(untyped(table, wanted, bound)))?,
    };
    if texture.is_none()
        && (table.size.is_some() || table.format.is_some() || table.levels.is_some())
    {
        return Err(entry.wrong(
            "`size`, `format` and `levels` are keys of a texture; declare it under [[….texture]], or give `elements` and `type`",
        ));
    }
    Ok(ElementForm {
        dtype,
        lanes,
        texture,
    })
}

/// Stops a type that the shader's numbers do not have. Words may hold anything: f16 in pairs, the bits of an f32.
fn refuse_other_type(
    entry: &FileEntry<'_>,
    written: CustomDtype,
    wanted: Option<&Wanted<'_>>,
) -> Result<()> {
    let of_shader = wanted.and_then(|wanted| scalar_of(wanted.module, wanted.ty));
    match of_shader {
        Some(of_shader)
            if written != of_shader && written != CustomDtype::U32 && of_shader != CustomDtype::U32 =>
        {
            Err(entry.wrong(format!(
                "`type` is {}, and the shader's variable holds {}; remove `type`, or change one of them",
                type_name(written),
                type_name(of_shader)
            )))
        }
        _ => Ok(()),
    }
}

/// Why nothing says of which type a buffer's elements are.
fn untyped(table: &BufferTable, wanted: Option<&Wanted<'_>>, bound: &[&Bound]) -> String {
    let name = &table.name;
    if wanted.is_some() {
        return format!(
            "the variable {name:?} is made of several types; give `members = {{ … }}`, or `values = [{{ … }}]` for an \
             array of them, or its `type`, for example \"u32\""
        );
    }
    let variables = bound.iter().flat_map(|bound| &bound.variables);
    let close = nearest(name, variables.map(|(_, name)| name.as_str()))
        .map_or(String::new(), |close| format!(" (did you mean {close:?}?)"));
    format!(
        "no shader that perwatt can read has a variable {name:?} that a dispatch binds{close}; name the buffer as the \
         variable, bind it, or give its `type`, for example \"f32\""
    )
}

/// A buffer with its contents and checks.
fn buffer(
    entry: &FileEntry<'_>,
    table: &BufferTable,
    scope: &ParameterScope,
    form: &ElementForm,
    wanted: Option<&Wanted<'_>>,
    names: &CheckNames<'_>,
    referenced: bool,
) -> Result<CustomBuffer> {
    let dtype = form.dtype;
    let (contents, natural) = contents(entry, table, scope, dtype, wanted)?;
    let (checks, checked) = checks(entry, table, scope, dtype, names, referenced)?;
    // Of a scratch or filled `var<uniform> n: u32` nothing else says how many there are.
    let of_type = wanted.and_then(|wanted| fixed_bytes(wanted.module, wanted.ty));
    let of_type = of_type.map(|bytes| bytes / dtype.bytes());
    let elements = elements(entry, table, scope, form, (natural, checked, of_type))?;
    let depths = form
        .texture
        .is_some_and(|texture| texture.format.is_depth());
    // Of the numbers of its type, a depth is from 0 to 1.
    let range = if depths { CustomDtype::Unorm16 } else { dtype };
    match &contents {
        CustomContents::Generated { generator, .. } => {
            check_generator(generator, range, elements).map_err(|e| entry.wrong(e))?;
        }
        CustomContents::Fill { value } => hold(entry, range, &[*value])?,
        CustomContents::Values { values } => hold(entry, range, values)?,
        _ => {}
    }
    let (contents, checks) = as_version_1(contents, checks, table.restore);
    Ok(CustomBuffer {
        name: table.name.clone(),
        dtype,
        elements,
        contents,
        restore: table.restore,
        checks,
        texture: form.texture,
    })
}

/// How many elements a buffer has, said in one or several places: by `elements`, its contents, a file of expected
/// numbers, a texture's size; or else by the shader's type.
fn elements(
    entry: &FileEntry<'_>,
    table: &BufferTable,
    scope: &ParameterScope,
    form: &ElementForm,
    (natural, checked, of_type): (Option<u64>, Option<u64>, Option<u64>),
) -> Result<u64> {
    let said = match (&table.elements, &form.texture) {
        (Some(_), Some(_)) => {
            return Err(entry.wrong("a texture has `size`; remove `elements`"));
        }
        (None, Some(texture)) => texture.bytes().map(|bytes| bytes / form.dtype.bytes()),
        (None, None) => match natural.or(checked) {
            None => of_type,
            Some(_) => None,
        },
        (Some(amount), None) => {
            let whole = scope.whole(amount);
            let whole = whole.map_err(|e| entry.wrong(format!("`elements`: {e}")))?;
            let all = whole.checked_mul(form.lanes);
            Some(all.ok_or_else(|| entry.wrong("`elements` is too large"))?)
        }
    };
    let key = if form.texture.is_some() {
        "size"
    } else {
        "elements"
    };
    let elements = match (said, natural.or(checked)) {
        (Some(said), Some(there)) if said != there => {
            return Err(entry.wrong(format!(
                "`{key}` gives {said} numbers, but its contents have {there}; correct or remove it"
            )));
        }
        (Some(count), _) | (None, Some(count)) if count > 0 => count,
        _ => return Err(entry.wrong("give `elements`, a number above 0")),
    };
    match checked {
        Some(checked) if checked != elements => Err(entry.wrong(format!(
            "{} has {checked} numbers and the buffer {elements}",
            table.expected.as_ref().map_or("`expected`", String::as_str)
        ))),
        _ => Ok(elements),
    }
}

/// An output that only a file of numbers checks is written as version 1.0 wrote it.
fn as_version_1(
    contents: CustomContents,
    checks: Vec<CustomCheck>,
    restore: Option<bool>,
) -> (CustomContents, Vec<CustomCheck>) {
    match (contents, checks.as_slice()) {
        (
            CustomContents::Scratch,
            [
                CustomCheck::File {
                    path,
                    absolute,
                    relative,
                    sha256,
                },
            ],
        ) if restore != Some(true) => {
            let contents = CustomContents::Expected {
                path: path.clone(),
                absolute: *absolute,
                relative: *relative,
                sha256: sha256.clone(),
            };
            (contents, Vec::new())
        }
        (contents, _) => (contents, checks),
    }
}
