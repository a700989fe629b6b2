//! Examples of every command, kept in one table: help ends with them, and so does each manual page. A test
//! parses every one.

use clap::Command;

/// What one does, and the command line that does it.
pub(super) type Example = (&'static str, &'static str);

/// Examples by command, in the order of `perwatt --help`.
const EXAMPLES: &[(&str, &[Example])] = &[
    (
        "devices",
        &[(
            "Which GPUs there are, and how to select one",
            "perwatt devices",
        )],
    ),
    (
        "list",
        &[
            ("Everything that can be measured", "perwatt list"),
            ("Also how its work is counted", "perwatt list --about"),
        ],
    ),
    (
        "run",
        &[
            ("Measure this machine's GPU", "perwatt run"),
            ("All of matrix multiplication", "perwatt run --case matmul"),
            (
                "One case of your own shape",
                "perwatt run --case matmul/f16/4096x4096x4096",
            ),
            (
                "A kernel of your own",
                "perwatt run --workloads my-kernel/kernels.toml",
            ),
            (
                "Energy from a smart plug",
                "perwatt run --power shelly:192.168.1.20",
            ),
            ("Go on after Ctrl-C", "perwatt run --resume result.json"),
        ],
    ),
    (
        "tune",
        &[
            (
                "Two and a half minutes for the quick suite",
                "perwatt tune --quick",
            ),
            ("What was found", "perwatt tune --show"),
            (
                "Time against energy at three power limits, as root",
                "perwatt tune --power-limit 150,200,250 --case 'matmul/f16/*'",
            ),
        ],
    ),
    (
        "show",
        &[(
            "The table again, with every kernel",
            "perwatt show result.json --all-kernels",
        )],
    ),
    (
        "report",
        &[
            ("In the terminal", "perwatt report result.json"),
            (
                "One page for a browser",
                "perwatt report mine.json theirs.json -o report.html",
            ),
            (
                "A folder of results as a site",
                "perwatt report results/ --site public/",
            ),
            (
                "With what the card's work costs, and sliders",
                "perwatt report result.json --scenario desk -o report.html",
            ),
        ],
    ),
    (
        "new-kernel",
        &[
            (
                "A folder with a manifest and a shader",
                "perwatt new-kernel blur",
            ),
            ("Measure it", "perwatt run --workloads blur/kernels.toml"),
        ],
    ),
    (
        "schema",
        &[("For a validator or a code generator", "perwatt schema")],
    ),
    (
        "compare",
        &[
            (
                "Two cards side by side",
                "perwatt compare rtx4090.json 7900xtx.json",
            ),
            (
                "Work per joule, for a spreadsheet",
                "perwatt compare a.json b.json --metric energy --csv",
            ),
            (
                "Did a driver update change anything?",
                "perwatt compare --verdicts old.json new.json --across driver",
            ),
        ],
    ),
    (
        "gate",
        &[
            (
                "Fail where the candidate is slower",
                "perwatt gate baseline/ new.json",
            ),
            (
                "What `perwatt ab` measured",
                "perwatt gate --pairing ab --junit gate.xml",
            ),
        ],
    ),
    (
        "ab",
        &[
            (
                "Two versions of a kernel",
                "perwatt ab --base-workloads old/kernels.toml --candidate-workloads new/kernels.toml --gate",
            ),
            (
                "Until every case is decided",
                "perwatt ab --until-decided --base-bin ./old --candidate-bin ./new",
            ),
            (
                "Any benchmark program",
                "perwatt ab --base-command './old --json' --candidate-command './new --json' --from google-benchmark",
            ),
        ],
    ),
    (
        "inspect",
        &[
            (
                "What this device's compiler makes of the kernels",
                "perwatt inspect --case matmul",
            ),
            (
                "A shader of your own for a GPU that is not in this machine",
                "perwatt inspect blur.wgsl --target navi31",
            ),
        ],
    ),
    (
        "calibrate-noise",
        &[(
            "From ten sessions of the same code",
            "perwatt calibrate-noise sessions/",
        )],
    ),
    ("policy", &[("From an A/A run", "perwatt policy --from ab")]),
    (
        "invest",
        &[
            ("The built-in scenario", "perwatt invest"),
            (
                "What this card does with language models",
                "perwatt invest my-card.json --scenario desk",
            ),
            (
                "What its measured efficiency means at scale",
                "perwatt invest h100.json --scenario article-400bn",
            ),
            (
                "A budget of your own",
                "perwatt invest --scenario budget --set budget=25M --accelerator h200-sxm --country SE",
            ),
            (
                "Two accelerators",
                "perwatt invest --scenario gigawatt --against mi300x",
            ),
            (
                "A page with sliders",
                "perwatt invest --scenario article-155bn -o article.html",
            ),
        ],
    ),
    (
        "redact",
        &[(
            "Before a result is published",
            "perwatt redact mine.json --out public.json",
        )],
    ),
    (
        "import",
        &[(
            "Another tool's results",
            "perwatt import --from hyperfine times.json --out result.json",
        )],
    ),
    (
        "export",
        &[
            (
                "For a spreadsheet or pandas",
                "perwatt export result.json --format csv",
            ),
            (
                "A fleet's records for DuckDB, Spark or a warehouse",
                "perwatt export fleet/ --format parquet --out layout",
            ),
        ],
    ),
    (
        "power list",
        &[("Which sensors there are, or why not", "perwatt power list")],
    ),
    (
        "power watch",
        &[(
            "Ten seconds of every sensor",
            "perwatt power watch --for 10",
        )],
    ),
    (
        "power attach",
        &[(
            "A wall meter's log, put into a result",
            "perwatt power attach result.json --csv meter.csv --out with-energy.json",
        )],
    ),
    (
        "power calibrate",
        &[(
            "The GPU's sensor against a plug",
            "perwatt power calibrate --sensor nvml:0 --reference shelly:192.168.1.20",
        )],
    ),
    (
        "power measure",
        &[(
            "Joules of any command",
            "perwatt power measure -- python train.py",
        )],
    ),
    #[cfg(feature = "bench")]
    (
        "fleet run",
        &[
            (
                "Every GPU of a partition of Slurm's, with nodes to themselves",
                "perwatt fleet run --out fleet --partition gpu --exclusive --slurm=--time=60 -- --suite gpu",
            ),
            (
                "A manifest for Kubernetes",
                "perwatt fleet run --out fleet --scheduler kubernetes --gpus 64 --image perwatt --claim fleet -- --suite gpu > job.json",
            ),
        ],
    ),
    (
        "fleet status",
        &[(
            "What is done, running, failed or missing",
            "perwatt fleet status fleet/",
        )],
    ),
    (
        "fleet gather",
        &[(
            "Check the records, and bring in what nodes wrote elsewhere",
            "perwatt fleet gather fleet/ copied/",
        )],
    ),
    (
        "fleet summary",
        &[
            (
                "Which twenty cards to look at first",
                "perwatt fleet summary fleet/ --top 20",
            ),
            (
                "The same as a page, at your own price of a card's hour",
                "perwatt fleet summary fleet/ --page fleet.html --price-per-hour 2.50",
            ),
            (
                "For existing monitoring",
                "perwatt fleet summary fleet/ --prometheus > fleet.prom",
            ),
        ],
    ),
    (
        "completions",
        &[
            ("For this bash", "source <(perwatt completions bash)"),
            (
                "For every fish",
                "perwatt completions fish > ~/.config/fish/completions/perwatt.fish",
            ),
        ],
    ),
    (
        "man",
        &[
            ("Read one page", "perwatt man run | man -l -"),
            (
                "Write them all",
                "perwatt man --out /usr/local/share/man/man1",
            ),
        ],
    ),
];

/// The examples of a command by its words after `perwatt`.
pub(super) fn examples(words: &str) -> &'static [Example] {
    EXAMPLES
        .iter()
        .find(|(command, _)| *command == words)
        .map_or(&[], |(_, examples)| examples)
}

/// A command's definition, each command of it with its examples at the end of its help.
pub(in crate::cli) fn with_examples(command: Command) -> Command {
    dressed(command, "")
}

fn dressed(command: Command, words: &str) -> Command {
    let examples = examples(words);
    let command = if examples.is_empty() {
        command
    } else {
        command.after_help(text(examples))
    };
    let names: Vec<String> = command
        .get_subcommands()
        .map(|sub| sub.get_name().to_owned())
        .collect();
    names.into_iter().fold(command, |command, name| {
        let words = format!("{words} {name}").trim().to_owned();
        command.mut_subcommand(name, |sub| dressed(sub, &words))
    })
}

/// The examples as help shows them: what stands before the command, so that the command can be copied whole.
fn text(examples: &[Example]) -> String {
    let mut text = String::from("Examples:");
    for (what, line) in examples {
        text += &format!("\n  # {what}\n  {line}");
    }
    text
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    /// The words of a line, quotes taken off, up to what a shell does with the output.
    fn words(line: &str) -> Vec<String> {
        let line = line
            .strip_prefix("source <(")
            .and_then(|rest| rest.strip_suffix(')'))
            .unwrap_or(line);
        let mut words = vec![String::new()];
        let mut quoted = false;
        for letter in line.chars() {
            match letter {
                '\'' => quoted = !quoted,
                ' ' if !quoted => words.push(String::new()),
                '|' | '>' if !quoted => break,
                _ => words.last_mut().unwrap().push(letter),
            }
        }
        words.retain(|word| !word.is_empty());
        words
    }

    #[test]
    fn every_example_is_a_command_line_that_perwatt_takes() {
        for (command, examples) in EXAMPLES {
            for (_, line) in *examples {
                let words = words(line);
                let parsed = Cli::command().try_get_matches_from(&words);
                let built_without = cfg!(not(all(feature = "bench", feature = "inspect")));
                assert!(
                    parsed.is_ok() || built_without,
                    "{command}: {line}: {}",
                    parsed.unwrap_err()
                );
            }
        }
    }

    #[test]
    fn every_command_has_an_example() {
        fn look(command: &Command, words: &str) {
            for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
                let words = format!("{words} {}", sub.get_name()).trim().to_owned();
                if sub.has_subcommands() {
                    look(sub, &words);
                } else {
                    assert!(!examples(&words).is_empty(), "perwatt {words}");
                }
            }
        }
        look(&Cli::command(), "");
    }
}
