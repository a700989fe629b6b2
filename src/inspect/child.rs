//! Inspecting for a GPU that is not in the machine: a child process for it, and its messages, one per line.
//!
//! Compilers crash, and one shader that crashes the compiler must not hide the results of the
//! others: the child announces what it will compile, and after a crash a new child continues behind it.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use super::radv::{Pretence, environment, is_of, names, pretences};
use crate::record::{CompiledShader, DeviceInfo, Reading, Target};

/// What a child reports, one JSON object per line.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChildMessage {
    /// The device is open; what will be looked at.
    Open {
        /// The device.
        sight: DeviceInfo,
        /// Names of the subjects, in order.
        subjects: Vec<String>,
    },
    /// What was found in the next subject.
    Found(Vec<CompiledShader>),
    /// Nothing can be looked at, and why.
    Failed(String),
}

/// Crashes of a compiler after which no further child is started.
const MOST_CRASHES: usize = 32;

/// How one child ended.
struct ChildEnding {
    opened: Option<(DeviceInfo, Vec<String>)>,
    found: Vec<Vec<CompiledShader>>,
    /// Why it ended early.
    trouble: Option<String>,
}

/// Looks at a family in child processes; `child` makes the command for one that skips the given number
/// of subjects.
pub fn examine_family(family: &str, driver: &Path, child: &dyn Fn(usize) -> Command) -> Target {
    let mut reasons = Vec::new();
    let pretences = pretences(driver);
    for pretence in &pretences {
        for name in names(family) {
            match examine_as(&name, pretence, driver, child) {
                Ok((sight, shaders)) => {
                    return Target {
                        target: family.to_owned(),
                        present: false,
                        device: Reading::Measured(sight),
                        shaders,
                    };
                }
                Err(reason) => reasons.push((pretence, reason)),
            }
        }
    }
    // A driver that has done with its variable says of every family that it has; the shim says what it
    // knows of this one.
    let last = pretences.last();
    let reason = reasons
        .iter()
        .find(|(pretence, _)| Some(*pretence) == last)
        .map_or("no reason given", |(_, reason)| reason);
    let shim = match last {
        Some(Pretence::Shim(_)) => "",
        _ => "; RADV of Mesa 26 needs Mesa's DRM shim beside it (Debian: mesa-drm-shim)",
    };
    Target {
        target: family.to_owned(),
        present: false,
        device: Reading::unmeasured(format!(
            "{family} (by {}): {reason}; a family is called as in Mesa's source: navi31, navi21, mi200, \
             vega10, gfx1201, …{shim}",
            driver.display(),
        )),
        shaders: Vec::new(),
    }
}

/// Looks at a family by one of its names.
fn examine_as(
    name: &str,
    pretence: &Pretence,
    driver: &Path,
    child: &dyn Fn(usize) -> Command,
) -> Result<(DeviceInfo, Vec<CompiledShader>), String> {
    let mut all: Vec<Vec<CompiledShader>> = Vec::new();
    for _ in 0..MOST_CRASHES {
        let mut command = child(all.len());
        command.envs(environment(pretence, name, driver));
        let ending = listen(&mut command)?;
        all.extend(ending.found);
        let trouble = ending
            .trouble
            .unwrap_or_else(|| "the process ended early".to_owned());
        let Some((sight, subjects)) = ending.opened else {
            return Err(trouble);
        };
        if *pretence != Pretence::Forced && !is_of(name, &sight.name) {
            return Err(format!("the driver shows {} instead", sight.name));
        }
        match subjects.get(all.len()) {
            None => return Ok((sight, all.into_iter().flatten().collect())),
            Some(subject) => all.push(vec![crashed(subject, &trouble)]),
        }
    }
    Err(format!("the compiler crashed on {MOST_CRASHES} shaders"))
}

/// What is known of a subject that brought the compiler down.
fn crashed(subject: &str, trouble: &str) -> CompiledShader {
    CompiledShader {
        name: subject.to_owned(),
        shader: subject.to_owned(),
        entry: "main".to_owned(),
        parameters: Default::default(),
        workgroup_threads: [0; 3],
        figures: Reading::unmeasured(format!("the driver's compiler crashed: {trouble}")),
    }
}

/// Runs a child and takes in what it says.
fn listen(command: &mut Command) -> Result<ChildEnding, String> {
    let cannot = |e: std::io::Error| format!("cannot start a child process of perwatt: {e}");
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(cannot)?;
    // Drivers talk much; a pipe that nobody empties would stop the child.
    let noise = child.stderr.take().map(|mut stderr| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = stderr.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        })
    });
    let mut ending = ChildEnding {
        opened: None,
        found: Vec::new(),
        trouble: None,
    };
    let lines = child
        .stdout
        .take()
        .into_iter()
        .flat_map(|out| BufReader::new(out).lines());
    for line in lines.map_while(Result::ok) {
        match serde_json::from_str(&line) {
            Ok(ChildMessage::Open { sight, subjects }) => ending.opened = Some((sight, subjects)),
            Ok(ChildMessage::Found(examined)) => ending.found.push(examined),
            Ok(ChildMessage::Failed(reason)) => ending.trouble = Some(reason),
            // Drivers print to standard output too.
            Err(_) => {}
        }
    }
    let status = child.wait().map_err(cannot)?;
    let noise = noise
        .and_then(|thread| thread.join().ok())
        .unwrap_or_default();
    if !status.success() && ending.trouble.is_none() {
        let last = noise.lines().rev().find(|line| !line.trim().is_empty());
        ending.trouble = Some(last.map_or_else(|| status.to_string(), ToOwned::to_owned));
    }
    Ok(ending)
}
