//! Sound files, a little or a lot wrong.

use rand::RngExt;
use rand_pcg::Pcg64Mcg;

/// Largest input.
const MOST_BYTES: usize = 1 << 20;

/// Accepted inputs that are kept to be changed further.
const MOST_KEPT: usize = 64;

/// Words that mean something somewhere, and numbers at the edges of what numbers hold.
const TOKENS: [&str; 56] = [
    "null",
    "true",
    "false",
    "{}",
    "[]",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "\\",
    ",",
    ":",
    "=",
    "\n",
    "\r\n",
    "\t",
    ";",
    "0",
    "-0",
    "-1",
    "1e308",
    "-1e308",
    "1e309",
    "1e-308",
    "5e-324",
    "NaN",
    "inf",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775808",
    "4294967295",
    "4294967296",
    "0x10",
    "1_000",
    "1e6",
    "20000000",
    "\"\"",
    "\"unmeasured\"",
    "\"kind\"",
    "\"schema_version\"",
    "\\u0000",
    "\\ud800",
    "\u{feff}",
    "\u{202e}",
    "\u{1b}[31m",
    "\n::error::x",
    "../",
    "/dev/zero",
    "/etc/passwd",
    "[[kernel]]",
    "[[workload]]",
    "*",
    "{a,b}",
    "2026-11-28T08:00:00Z",
    "999999999999999999999",
];

/// Makes inputs out of sound files.
pub(crate) struct Mutator {
    pool: Vec<Vec<u8>>,
    seeds: usize,
    random: Pcg64Mcg,
}

impl Mutator {
    pub(crate) fn new(seeds: &[Vec<u8>], random: Pcg64Mcg) -> Self {
        Self {
            pool: seeds.to_vec(),
            seeds: seeds.len(),
            random,
        }
    }

    /// Keeps an input that was accepted, in the place of another.
    pub(crate) fn keep(&mut self, input: Vec<u8>) {
        if self.pool.len() < MOST_KEPT {
            self.pool.push(input);
        } else if self.pool.len() > self.seeds && self.random.random_bool(0.01) {
            let place = self.random.random_range(self.seeds..self.pool.len());
            self.pool[place] = input;
        }
    }

    /// A file with one to eight changes.
    pub(crate) fn next_input(&mut self) -> Vec<u8> {
        let at = self.random.random_range(0..self.pool.len());
        let mut input = self.pool[at].clone();
        for _ in 0..1 << self.random.random_range(0..4) {
            self.change(&mut input);
            input.truncate(MOST_BYTES);
        }
        input
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let random = &mut self.random;
        if input.is_empty() {
            input.extend(TOKENS[random.random_range(0..TOKENS.len())].bytes());
            return;
        }
        let at = random.random_range(0..input.len());
        match random.random_range(0..11) {
            0 => input[at] ^= 1 << random.random_range(0..8),
            1 => input[at] = random.random(),
            2 => {
                let end = (at + random.random_range(1..64)).min(input.len());
                input.drain(at..end);
            }
            3 => insert(
                input,
                at,
                TOKENS[random.random_range(0..TOKENS.len())].as_bytes(),
            ),
            // A number becomes another.
            4 | 5 => {
                if let Some((from, to)) = number_near(input, at) {
                    let token = TOKENS[random.random_range(18..37)];
                    input.splice(from..to, token.bytes());
                }
            }
            // A part is doubled, or put elsewhere.
            6 => {
                let end = (at + random.random_range(1..256)).min(input.len());
                let part = input[at..end].to_vec();
                let to = random.random_range(0..=input.len());
                insert(input, to, &part);
            }
            // A value between commas or line ends stands once more.
            7 => {
                let is_end = |byte: &u8| matches!(byte, b',' | b'\n');
                let from = input[..at].iter().rposition(is_end).unwrap_or(0);
                let to = input[at..]
                    .iter()
                    .position(is_end)
                    .map_or(input.len(), |end| at + end);
                let part = input[from..to].to_vec();
                insert(input, to, &part);
            }
            // Part of another file.
            8 => {
                let other = &self.pool[random.random_range(0..self.pool.len())];
                let from = random.random_range(0..=other.len());
                let to = (from + random.random_range(1..512)).min(other.len());
                let part = other[from..to].to_vec();
                insert(input, at, &part);
            }
            // Deeper than anybody nests, or longer than anybody writes.
            9 if random.random_bool(0.05) => {
                let part = [&b"["[..], b"{\"a\":", b"{", b"(", b"a", b"0", b"x.", b"/*"]
                    [random.random_range(0..8)];
                let deep = part.repeat(random.random_range(100..20_000));
                insert(input, at, &deep);
            }
            9 => input.truncate(at),
            _ => {
                let other = random.random_range(0..input.len());
                input.swap(at, other);
            }
        }
    }
}

fn insert(input: &mut Vec<u8>, at: usize, part: &[u8]) {
    input.splice(at..at, part.iter().copied());
}

/// The first number at or behind a place.
fn number_near(input: &[u8], at: usize) -> Option<(usize, usize)> {
    let from = at + input[at..].iter().position(u8::is_ascii_digit)?;
    let in_number =
        |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'-' | b'+');
    let to = input[from..]
        .iter()
        .position(|byte| !in_number(byte))
        .map_or(input.len(), |end| from + end);
    Some((from, to))
}
