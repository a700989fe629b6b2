//! Compiler statistics of kernels, as tables.

use super::table::{WIDEST, dash, fold};
use crate::record::{CompiledShader, CompilerStatistics, Inspection, LoopSummary, Mix, Target};
use crate::units::fine_percent;

/// Header of the columns; a shader's name stands on a line of its own above its figures.
const HEADER: &str =
    " VGPR SGPR spill   LDS waves  code inv.thr |  ops  FMA dual  mat  vec  LDS  mem sca rest";

/// Every target's table.
pub fn inspection(inspection: &Inspection, width: Option<u16>) -> String {
    let mut page = String::new();
    for target in &inspection.targets {
        page += &heading(target, width);
        if target.shaders.is_empty() {
            continue;
        }
        page += HEADER;
        page.push('\n');
        for shader in &target.shaders {
            page += &fold(&title(shader), "    ", width);
            page += &match shader.figures.measured() {
                Some(figures) => row(figures),
                None => fold(
                    &format!("  – {}", shader.figures.reason().unwrap_or_default()),
                    "    ",
                    width,
                ),
            };
        }
        page.push('\n');
    }
    if inspection.targets.iter().any(|t| !t.shaders.is_empty()) {
        page += &legend(width);
    }
    page
}

/// What the target is.
fn heading(target: &Target, width: Option<u16>) -> String {
    let text = match target.device.measured() {
        Some(sight) => {
            let there = if target.present {
                ""
            } else {
                " (not in this machine)"
            };
            format!(
                "{}{there}: {}, {} {}",
                target.target, sight.name, sight.driver, sight.driver_info
            )
        }
        None => format!(
            "{}: cannot be inspected: {}",
            target.target,
            target.device.reason().unwrap_or_default()
        ),
    };
    fold(&text, "  ", width)
}

/// A shader's name and how it was called.
fn title(shader: &CompiledShader) -> String {
    let mut title = shader.name.clone();
    if shader.shader != shader.name {
        title += &format!("  {}", shader.shader);
    }
    if shader.entry != "main" {
        title += &format!(":{}", shader.entry);
    }
    if let Some(figures) = shader.figures.measured() {
        title += &format!("  {} threads", threads(shader));
        if let Some(wave) = figures.subgroup_threads {
            title += &format!(", wave{wave}");
        }
        if let Some(ratio) = figures.hottest().and_then(|l| l.matrix_per_vector) {
            title += &format!(", {ratio:.2} matrix per other vector op");
        }
    }
    title
}

/// `16×16`.
fn threads(shader: &CompiledShader) -> String {
    let [x, y, z] = shader.workgroup_threads;
    match (y, z) {
        (1, 1) => x.to_string(),
        (_, 1) => format!("{x}×{y}"),
        _ => format!("{x}×{y}×{z}"),
    }
}

/// A shader's figures in the header's columns.
fn row(figures: &CompilerStatistics) -> String {
    let number = |value: Option<u32>| value.map_or_else(dash, |v| v.to_string());
    let cycles = figures.inverse_throughput_cycles;
    let left = format!(
        "{:>5}{:>5}{:>6}{:>6}{:>6}{:>6}{:>8} |",
        number(figures.vector_registers),
        number(figures.scalar_registers),
        number(figures.spills()),
        figures.workgroup_bytes.map_or_else(dash, short),
        number(figures.subgroups_per_simd),
        figures.code_bytes.map_or_else(dash, short),
        cycles.map_or_else(dash, |c| format!("{c:.0}")),
    );
    let right = match (figures.loops.measured(), figures.hottest()) {
        (_, Some(hottest)) => shares(hottest),
        (Some(_), None) => "  no loop".to_owned(),
        (None, _) => format!("  – {}", figures.loops.reason().unwrap_or_default()),
    };
    left + &right + "\n"
}

/// The hottest loop's instructions.
fn shares(hottest: &LoopSummary) -> String {
    let mix = &hottest.mix;
    let share = |count: u32| format!("{:.0}", 100.0 * mix.share(count));
    format!(
        "{:>5}{:>5}{:>5}{:>5}{:>5}{:>5}{:>5}{:>4}{:>5}",
        mix.operations,
        share(mix.fma),
        share(mix.fma_dual),
        share(mix.matrix.saturating_add(mix.dot)),
        share(mix.vector),
        share(mix.lds),
        share(memory(mix)),
        share(mix.scalar.saturating_add(mix.branch)),
        share(mix.wait.saturating_add(mix.other)),
    )
}

/// Memory outside the workgroup's.
fn memory(mix: &Mix) -> u32 {
    mix.global
        .saturating_add(mix.scratch)
        .saturating_add(mix.scalar_memory)
}

/// Bytes in three digits.
fn short(bytes: u32) -> String {
    match bytes {
        0..10_000 => bytes.to_string(),
        _ => format!("{:.1}K", f64::from(bytes) / 1024.0),
    }
}

fn legend(width: Option<u16>) -> String {
    fold(
        "spill: registers spilled. waves: subgroups that a SIMD can hold. inv.thr: the compiler's estimate \
         of cycles per wave, with its own guess of trip counts. Right: the hottest loop, its operations (each \
         half of a dual-issued pair is one) and their shares in per cent: FMA, dual-issued FMA (a part of \
         FMA), matrix unit and dot products, other vector, workgroup memory, other memory, scalar and \
         branches, waits and hints. A dash: the driver does not say.",
        "",
        width.or(Some(WIDEST)),
    )
}

/// The same as a Markdown table, every target's rows together.
pub fn inspection_markdown(inspection: &Inspection) -> String {
    let mut page = String::from(
        "| kernel | GPU | threads | wave | VGPR | spilled | LDS, bytes | waves per SIMD | loop ops | FMA | dual \
         | matrix, dot | matrix : other vector | other vector | LDS | memory | scalar | waits |\n\
         |---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for target in &inspection.targets {
        for shader in &target.shaders {
            page += &markdown_row(target, shader);
        }
    }
    page
}

fn markdown_row(target: &Target, shader: &CompiledShader) -> String {
    let mut name = format!("`{}`", shader.name);
    if shader.shader != shader.name {
        name += &format!(" {}", file_name(&shader.shader));
    }
    if shader.entry != "main" {
        name += &format!(":{}", shader.entry);
    }
    let Some(figures) = shader.figures.measured() else {
        let reason = shader.figures.reason().unwrap_or_default();
        let reason = reason
            .lines()
            .next()
            .unwrap_or_default()
            .replace('|', "\\|");
        return format!(
            "| {name} | {} | – {reason} |{}\n",
            target.target,
            " |".repeat(15)
        );
    };
    let number = |value: Option<u32>| value.map_or_else(dash, |v| v.to_string());
    let mut cells = vec![
        name,
        target.target.clone(),
        threads(shader),
        number(figures.subgroup_threads),
        number(figures.vector_registers),
        number(figures.spills()),
        number(figures.workgroup_bytes),
        number(figures.subgroups_per_simd),
    ];
    match figures.hottest() {
        None => {
            cells.push("no loop".to_owned());
            cells.extend((0..9).map(|_| dash()));
        }
        Some(hottest) => {
            let mix = &hottest.mix;
            let share = |count: u32| fine_percent(mix.share(count));
            cells.push(mix.operations.to_string());
            let ratio = hottest.matrix_per_vector;
            cells.extend([mix.fma, mix.fma_dual, mix.matrix.saturating_add(mix.dot)].map(share));
            cells.push(ratio.map_or_else(dash, |ratio| format!("{ratio:.2}")));
            cells.extend(
                [
                    mix.vector,
                    mix.lds,
                    memory(mix),
                    mix.scalar.saturating_add(mix.branch),
                    mix.wait.saturating_add(mix.other),
                ]
                .map(share),
            );
        }
    }
    format!("| {} |\n", cells.join(" | "))
}

/// The last part of a path.
fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
