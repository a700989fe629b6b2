//! Reading assembly text.

use super::class::is_mnemonic;

/// What LLVM's disassembler writes for an instruction that it does not know.
const UNKNOWN: &str = "(invalid instruction)";

/// An instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Instruction {
    /// Its name.
    pub(super) mnemonic: String,
    /// Name of the other half, where two are issued as one (VOPD).
    pub(super) second: Option<String>,
    /// What it writes first, then what it reads, as far as they matter to the control flow.
    pub(super) operands: Vec<String>,
}

/// Instructions that run one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// Its label; a block behind a branch that has none gets one of its own.
    pub(super) label: String,
    /// Its instructions; a branch is always the last.
    pub(super) instructions: Vec<Instruction>,
}

impl Instruction {
    /// Whether it may continue elsewhere than with the next instruction.
    pub(super) fn branches(&self) -> bool {
        ["s_branch", "s_cbranch", "s_endpgm", "s_setpc"]
            .iter()
            .any(|family| self.mnemonic.starts_with(family))
    }

    /// Whether it never continues with the next instruction.
    pub(super) fn leaves(&self) -> bool {
        self.branches() && !self.mnemonic.starts_with("s_cbranch")
    }

    /// The label that it branches to.
    pub(super) fn target(&self) -> Option<&str> {
        let goes = self.mnemonic.starts_with("s_branch") || self.mnemonic.starts_with("s_cbranch");
        self.operands.last().filter(|_| goes).map(String::as_str)
    }
}

/// Reads a listing into blocks.
///
/// # Errors
/// It holds no instruction, or branches to a place that it does not show.
pub(super) fn parse(text: &str) -> Result<Vec<Block>, String> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        let line = line.split(';').next().unwrap_or_default();
        let line = line.split("//").next().unwrap_or_default().trim();
        if line.is_empty() || line.starts_with("/*") {
            continue;
        }
        if let Some(label) = label(line) {
            blocks.push(Block {
                label: label.to_owned(),
                instructions: Vec::new(),
            });
            open = true;
            continue;
        }
        if let Some(times) = repeats(line) {
            if let Some(last) = blocks.last_mut().map(|b| &mut b.instructions)
                && let Some(again) = last.last().cloned()
            {
                last.extend((0..times).map(|_| again.clone()));
            }
            continue;
        }
        let Some(instruction) = instruction(line) else {
            continue;
        };
        if !open {
            blocks.push(Block {
                label: format!("+{}", blocks.len()),
                instructions: Vec::new(),
            });
        }
        open = !instruction.branches();
        if let Some(block) = blocks.last_mut() {
            block.instructions.push(instruction);
        }
    }
    check(&blocks)?;
    Ok(blocks)
}

/// Whether the blocks can be what a compiler made.
fn check(blocks: &[Block]) -> Result<(), String> {
    if blocks.iter().all(|block| block.instructions.is_empty()) {
        return Err("the driver's assembly text holds no instruction that is known".to_owned());
    }
    let all = || blocks.iter().flat_map(|block| &block.instructions);
    let unknown = all().filter(|i| i.mnemonic == UNKNOWN).count();
    // A few are counted as what they are, unknown; of many, no share would be true.
    if unknown * 20 > all().count() {
        return Err(format!(
            "the driver's disassembler does not know {unknown} of {} instructions, so shares of them would be wrong",
            all().count()
        ));
    }
    for block in blocks {
        let targets = block.instructions.iter().filter_map(Instruction::target);
        for target in targets {
            if !blocks.iter().any(|b| b.label == target) {
                return Err(format!(
                    "the assembly text branches to {target}, which it does not show"
                ));
            }
        }
    }
    Ok(())
}

/// `BB12:`, `BB12` alone, `.LBB0_2:` or `<name>:`.
fn label(line: &str) -> Option<&str> {
    if line.contains(char::is_whitespace) {
        return None;
    }
    let numbered = |name: &str| {
        name.strip_prefix("BB")
            .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    };
    match line.strip_suffix(':') {
        Some(name) => Some(name.trim_start_matches('<').trim_end_matches('>')),
        None => Some(line).filter(|name| numbered(name)),
    }
}

/// `(then repeated 12 times)`, as Mesa shortens runs.
fn repeats(line: &str) -> Option<usize> {
    let times = line.strip_prefix("(then repeated ")?;
    times
        .split_whitespace()
        .next()?
        .parse()
        .ok()
        .filter(|n| *n < 1 << 20)
}

/// One instruction in either form; `None` for a line that is none.
fn instruction(line: &str) -> Option<Instruction> {
    if line == UNKNOWN {
        return Some(Instruction {
            mnemonic: UNKNOWN.to_owned(),
            second: None,
            operands: Vec::new(),
        });
    }
    let mut halves = line.split(" :: ");
    let (mnemonic, operands) = half(halves.next()?)?;
    let second = halves.next().and_then(half).map(|(mnemonic, _)| mnemonic);
    Some(Instruction {
        mnemonic,
        second,
        operands,
    })
}

/// `v_add_u32 v1, 4, v2`, or ACO's own ` v1: %5:v[1] = v_add_u32 4, %3:v[2]`.
fn half(text: &str) -> Option<(String, Vec<String>)> {
    let (written, rest) = match text.split_once(" = ") {
        Some((left, right)) => (Some(left), right),
        None => (None, text),
    };
    let rest = rest.trim();
    let (mnemonic, operands) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    if !is_mnemonic(mnemonic) {
        return None;
    }
    // ` s1: %3:s[0],  s1: %902:scc`: the register of the first result.
    let first = written.and_then(|all| all.split(',').next()).map(|first| {
        first
            .split_once(": ")
            .map_or(first, |(_, register)| register)
    });
    let operands = first
        .into_iter()
        .chain(operands.split(','))
        .map(operand)
        .filter(|operand| !operand.is_empty())
        .collect();
    Some((mnemonic.to_owned(), operands))
}

/// A register, number or label without the compiler's notes around it: `(kill)%3:v[2]` is `v2`.
fn operand(text: &str) -> String {
    let mut text = text.trim();
    while let Some(rest) = text.strip_prefix('(') {
        text = rest.split_once(')').map_or(rest, |(_, rest)| rest);
    }
    // Modifiers follow the last operand after a blank: `v2, 0 offen`.
    let text = text.split_whitespace().next().unwrap_or_default();
    let text = text
        .rsplit_once(':')
        .filter(|_| !text.starts_with(['s', 'v']))
        .map_or(text, |(_, t)| t);
    match text.split_once('[') {
        Some((file, rest)) => {
            let range = rest.trim_end_matches(']').replace('-', ":");
            if range.contains(':') {
                format!("{file}[{range}]")
            } else {
                format!("{file}{range}")
            }
        }
        None => text.to_owned(),
    }
}
