//! Every shader by readers that are not naga: Google's Tint reads the WGSL, and Khronos' spirv-val what naga makes of it.
//!
//! A reader that we wrote, or that wgpu uses anyway, accepts what wgpu accepts. Tint knows rules that naga does not check:
//! that barriers and subgroup operations are reached by all threads alike (uniformity analysis), for one.

use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use perwatt::workload::Dispatch;

use crate::newest::Newest;
use crate::shaders::{dispatches, spirv, validate};

/// Does something with each shader, on as many processors as there are; what it says against some.
fn each(
    dispatches: &[(String, Dispatch)],
    objection: impl Fn(&str, &Dispatch) -> Option<String> + Sync,
) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Vec::new());
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..processors {
            scope.spawn(|| {
                while let Some((what, dispatch)) =
                    dispatches.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    if let Some(objection) = objection(what, dispatch) {
                        let text = format!("{what} ({}): {objection}", dispatch.file);
                        found.lock().unwrap().push(text);
                    }
                }
            });
        }
    });
    found.into_inner().unwrap()
}

/// What a program says against its input, if anything.
fn said_of(mut command: Command, input: &[u8]) -> Option<String> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // One that stops reading says why.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (!output.status.success()).then_some(said)
}

/// Words of an instruction: how many, and which it is.
fn instructions(words: &[u32]) -> impl Iterator<Item = &[u32]> {
    const HEADER: usize = 5;
    let mut rest = words.get(HEADER..).unwrap_or_default();
    std::iter::from_fn(move || {
        let length = (*rest.first()? >> 16) as usize;
        let (instruction, after) = rest.split_at_checked(length.max(1))?;
        rest = after;
        Some(instruction)
    })
}

fn opcode(instruction: &[u32]) -> u32 {
    instruction[0] & 0xffff
}

/// The module without the layouts that naga gives types of workgroup memory, which Vulkan forbids: a known fault of naga
/// (gfx-rs/wgpu 7696) that would hide all others, since spirv-val stops at the first. A type that buffers use keeps its own.
fn without_layouts_of_workgroup_memory(words: &[u32]) -> Vec<u32> {
    const TYPE_ARRAY: u32 = 28;
    const TYPE_STRUCT: u32 = 30;
    const TYPE_POINTER: u32 = 32;
    const VARIABLE: u32 = 59;
    const DECORATE: u32 = 71;
    const MEMBER_DECORATE: u32 = 72;
    const WORKGROUP: u32 = 4;
    let mut parts: HashMap<u32, Vec<u32>> = HashMap::new();
    let mut pointers: HashMap<u32, u32> = HashMap::new();
    let mut roots = (Vec::new(), Vec::new());
    for instruction in instructions(words) {
        match (opcode(instruction), instruction) {
            (TYPE_ARRAY, [_, id, element, ..]) => {
                parts.insert(*id, vec![*element]);
            }
            (TYPE_STRUCT, [_, id, members @ ..]) => {
                parts.insert(*id, members.to_vec());
            }
            (TYPE_POINTER, [_, id, _, of]) => {
                pointers.insert(*id, *of);
            }
            (VARIABLE, [_, pointer, _, class, ..]) => {
                let to = if *class == WORKGROUP {
                    &mut roots.0
                } else {
                    &mut roots.1
                };
                to.extend(pointers.get(pointer));
            }
            _ => {}
        }
    }
    let reachable = |roots: Vec<u32>| {
        let mut seen = HashSet::new();
        let mut next = roots;
        while let Some(id) = next.pop() {
            if seen.insert(id) {
                next.extend(parts.get(&id).into_iter().flatten());
            }
        }
        seen
    };
    let (workgroup, others) = (reachable(roots.0), reachable(roots.1));
    let of_workgroup = |instruction: &[u32]| {
        matches!(opcode(instruction), DECORATE | MEMBER_DECORATE)
            && workgroup.contains(&instruction[1])
            && !others.contains(&instruction[1])
    };
    let mut kept = words[..5].to_vec();
    for instruction in instructions(words).filter(|instruction| !of_workgroup(instruction)) {
        kept.extend_from_slice(instruction);
    }
    kept
}

/// What spirv-val says against the SPIR-V that wgpu makes of a shader for a device of Vulkan 1.3.
fn against_spirv(validator: Command, what: &str, dispatch: &Dispatch) -> Option<String> {
    let (module, info) = validate(what, dispatch);
    let words = without_layouts_of_workgroup_memory(&spirv(what, &module, &info));
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let mut validator = validator;
    validator.args(["--target-env", "vulkan1.3", "-"]);
    said_of(validator, &bytes)
}

#[test]
fn spirv_passes_the_official_validator() {
    if Command::new("spirv-val").arg("--version").output().is_err() {
        let skip = "spirv-val is not installed; `scripts/setup --all` installs it";
        assert!(std::env::var_os("PERWATT_TEST_ALL").is_none(), "{skip}");
        eprintln!("skipped: {skip}");
        return;
    }
    // Debian 12's validator is older than matrix units.
    let mut dispatches = dispatches();
    dispatches.retain(|(_, dispatch)| dispatch.coop_matrix.is_none());
    // One in seven meets every file and every shape of template.
    let some: Vec<_> = dispatches.into_iter().step_by(7).collect();
    let found = each(&some, |what, dispatch| {
        against_spirv(Command::new("spirv-val"), what, dispatch)
    });
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn spirv_passes_the_newest_validator_with_matrix_units_too() {
    let Some(newest) = Newest::find() else { return };
    let (mut some, others): (Vec<_>, Vec<_>) = dispatches()
        .into_iter()
        .partition(|(_, dispatch)| dispatch.coop_matrix.is_some());
    some = some.into_iter().step_by(3).collect();
    some.extend(others.into_iter().step_by(7));
    let found = each(&some, |what, dispatch| {
        against_spirv(newest.program("spirv-val"), what, dispatch)
    });
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// What Tint says against a shader's source.
fn against_source(newest: &Newest, folder: &Path, dispatch: &Dispatch) -> Option<String> {
    // naga needs no directive for subgroups.
    let directive = match dispatch.features.contains(&"SUBGROUP") {
        true => "enable subgroups;\n",
        false => "",
    };
    let mut file = tempfile::Builder::new()
        .suffix(".wgsl")
        .tempfile_in(folder)
        .unwrap();
    file.write_all(directive.as_bytes()).unwrap();
    file.write_all(dispatch.wgsl.as_bytes()).unwrap();
    let mut tint = newest.program("tint");
    tint.args(["--format", "spvasm"]).arg(file.path());
    said_of(tint, b"")
}

/// What is no WGSL but naga's own: matrix units and 64-bit integers.
fn is_wgsl(dispatch: &Dispatch) -> bool {
    dispatch.coop_matrix.is_none() && !dispatch.features.contains(&"SHADER_INT64")
}

#[test]
fn every_shader_is_read_by_another_compiler() {
    let Some(newest) = Newest::find() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut some: Vec<_> = dispatches().into_iter().step_by(13).collect();
    some.retain(|(_, dispatch)| is_wgsl(dispatch));
    let found = each(&some, |_, dispatch| {
        against_source(&newest, folder.path(), dispatch)
    });
    assert!(found.is_empty(), "{}", found.join("\n"));
    // A barrier that some threads do not reach, which naga lets pass.
    let (_, mut dispatch) = some.swap_remove(0);
    dispatch.features.clear();
    dispatch.wgsl =
        "@compute @workgroup_size(64) fn main(@builtin(local_invocation_index) thread: u32) {
        if thread < 3 { workgroupBarrier(); } }"
            .to_owned();
    let objection = against_source(&newest, folder.path(), &dispatch);
    assert!(
        objection.is_some_and(|said| said.contains("uniform control flow")),
        "Tint does not look"
    );
}
