//! Manifests of kernels that are wrong in every way that people get things wrong: lines deleted, doubled, misspelt, and
//! given values of another kind.

use std::path::Path;

use perwatt::workload::{ManifestCommands, load_custom};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

/// Wrong manifests that are tried.
const VARIANTS: usize = 2_000;

/// What a key may be given instead.
const VALUES: [&str; 27] = [
    "true",
    "-1",
    "0",
    "1.5",
    "1e300",
    "nan",
    "\"x\"",
    "\"\"",
    "\"n +\"",
    "\"n\"",
    "[]",
    "{}",
    "[1, 2, 3, 4]",
    "[\"x\", \"x\"]",
    "{ n = 3 }",
    "9223372036854775807",
    "\"../../etc/passwd\"",
    "\"${\"",
    "[0, 1, 2]",
    "[[1], [2]]",
    "\"64 px\"",
    "\"16 KiB\"",
    "\"/etc/passwd\"",
    "\".\"",
    "\"wrong.toml\"",
    "-9223372036854775808",
    "2026-11-29",
];

/// Manifests that are right, with their shaders in the examples' folder.
fn right() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    [
        "kernels/kernels.toml",
        "custom-kernel/kernels.toml",
        "new-kernel/kernels.toml",
    ]
    .map(|name| std::fs::read_to_string(folder.join(name)).unwrap())
    .to_vec()
}

/// A folder with the shaders of all of them.
fn shaders() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    for name in ["kernels", "custom-kernel", "new-kernel"] {
        for file in std::fs::read_dir(examples.join(name)).unwrap() {
            let path = file.unwrap().path();
            std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    folder
}

/// How many cases a text declares: the product of the values of all parameters of each entry.
fn declared(text: &str) -> Option<usize> {
    let file: toml::Table = text.parse().ok()?;
    let entries = ["kernel", "workload"]
        .iter()
        .filter_map(|kind| file.get(*kind)?.as_array());
    let count = entries.flatten().map(|entry| {
        let params = entry.get("params").and_then(toml::Value::as_table);
        let values = params
            .into_iter()
            .flatten()
            .map(|(_, value)| value.as_array().map_or(1, Vec::len));
        values.product::<usize>()
    });
    Some(count.sum())
}

/// A word with one slip of the fingers.
fn misspelt(word: &str, random: &mut Pcg64) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    let at = random.random_range(1..letters.len());
    match random.random_range(0..3) {
        0 if letters[at] != letters[at - 1] => letters.swap(at - 1, at),
        1 if letters.len() > 3 => drop(letters.remove(at)),
        _ => letters.insert(at, letters[at]),
    }
    letters.into_iter().collect()
}

/// A text with one line changed, and the key that was misspelt, if one was.
fn changed(text: &str, random: &mut Pcg64) -> (String, Option<String>) {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    loop {
        let at = random.random_range(0..lines.len());
        let line = lines[at].clone();
        let code = line.split('#').next().unwrap_or_default().trim();
        let Some(first) = code.chars().next() else {
            continue;
        };
        let pair = code
            .split_once(" = ")
            .filter(|_| first.is_ascii_alphabetic());
        let mut slip = None;
        match (random.random_range(0..7), pair) {
            (0, _) => drop(lines.remove(at)),
            (1, _) => lines.insert(at, line),
            (2, Some((key, value))) => {
                lines[at] = format!("{} = {value}", misspelt(key, random));
                slip = Some(key.to_owned());
            }
            (2, None) if code.starts_with("[[") => {
                let path = code.trim_matches(['[', ']']);
                let (before, key) = path.rsplit_once('.').map_or(("", path), |(b, k)| (b, k));
                let dot = if before.is_empty() { "" } else { "." };
                lines[at] = format!("[[{before}{dot}{}]]", misspelt(key, random));
                slip = Some(key.to_owned());
            }
            (3 | 4, Some((key, _))) => {
                let value = VALUES[random.random_range(0..VALUES.len())];
                lines[at] = format!("{key} = {value}");
            }
            // One more or less, a name by a letter.
            (5, Some((key, value))) => {
                let Some(digits) = value
                    .split(|c: char| !c.is_ascii_digit())
                    .find(|digits| !digits.is_empty() && digits.len() < 9)
                else {
                    continue;
                };
                let number: i64 = digits.parse().unwrap();
                let step = if random.random() { 1 } else { -1 };
                let other = (number + step).to_string();
                lines[at] = format!("{key} = {}", value.replacen(digits, &other, 1));
            }
            (6, Some((key, value))) if value.starts_with('"') && value.len() > 4 => {
                let word = misspelt(value.trim_matches('"'), random);
                lines[at] = format!("{key} = \"{word}\"");
            }
            _ => continue,
        }
        return (lines.join("\n") + "\n", slip);
    }
}

#[test]
fn a_wrong_manifest_is_refused_with_file_line_and_nearest_word_and_never_loses_a_case() {
    let folder = shaders();
    let path = folder.path().join("wrong.toml");
    let load = |text: &str| {
        std::fs::write(&path, text).unwrap();
        load_custom(&path, ManifestCommands::Refused)
    };
    let right = right();
    for text in &right {
        assert_eq!(load(text).map(|cases| cases.len()).ok(), declared(text));
    }
    let mut random = Pcg64::seed_from_u64(17);
    let (mut refused, mut slips) = (0, 0);
    for variant in 0..VARIANTS {
        let (text, slip) = changed(&right[variant % right.len()], &mut random);
        match load(&text) {
            Ok(cases) => {
                assert_eq!(Some(cases.len()), declared(&text), "{text}");
                assert!(
                    slip.is_none(),
                    "{slip:?} was misspelt and nothing said so:\n{text}"
                );
            }
            Err(error) => {
                let said = error.to_string();
                refused += 1;
                assert!(said.contains("wrong.toml"), "{said}");
                let empty = said.contains("holds neither");
                assert!(empty || said.contains("line "), "{said}\n{text}");
                if let Some(word) = slip {
                    slips += 1;
                    assert!(said.contains(&word), "{word}: {said}\n{text}");
                }
            }
        }
    }
    assert!(
        refused > VARIANTS / 2 && slips > VARIANTS / 10,
        "{refused} refused, {slips} slips"
    );
}

#[test]
fn the_reference_of_the_documentation_has_every_key() {
    let folder = shaders();
    let path = folder.path().join("keys.toml");
    let page = include_str!("../../docs/custom-kernels.md");
    let (_, reference) = page.split_once("## Reference").unwrap();
    for table in [
        "[[workload]]",
        "[[kernel]]",
        "[[workload]]\n[[workload.buffer]]",
        "[[workload]]\n[[workload.texture]]",
        "[[workload]]\n[[workload.sampler]]",
        "[[workload]]\n[[workload.dispatch]]",
    ] {
        std::fs::write(&path, format!("{table}\nqqq = 1\n")).unwrap();
        let said = load_custom(&path, ManifestCommands::Refused)
            .unwrap_err()
            .to_string();
        let (_, keys) = said
            .split_once("expected one of ")
            .unwrap_or_else(|| panic!("{said}"));
        let keys = keys
            .lines()
            .next()
            .unwrap_or_default()
            .split(';')
            .next()
            .unwrap_or_default();
        let keys: Vec<&str> = keys.split('`').skip(1).step_by(2).collect();
        assert!(keys.len() > 2, "{said}");
        for key in keys {
            let quoted = [
                format!("`{key}`"),
                format!("`{key} = "),
                format!(".{key}]]`"),
            ];
            assert!(
                quoted
                    .iter()
                    .any(|written| reference.contains(written.as_str())),
                "docs/custom-kernels.md says nothing of {key:?} in {table}"
            );
        }
    }
}
