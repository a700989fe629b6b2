//! The manual pages: one for the program and one for each command, each with its examples, exit status,
//! environment and files.

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::examples::examples;

/// One page.
pub(super) struct Page {
    /// `perwatt-run`.
    pub(super) name: String,
    /// What `man` reads.
    pub(super) text: String,
}

impl Page {
    pub(super) fn file_name(&self) -> String {
        format!("{}.1", self.name)
    }
}

/// A term and what it means.
type TermText = (&'static str, &'static str);

/// As `docs/` and the README have them.
const EXIT_STATUS: [TermText; 5] = [
    ("0", "Done, or the gate passed."),
    ("1", "A regression, or a case failed its verification."),
    (
        "2",
        "A mistake in the command line or in a file, or no adapter.",
    ),
    (
        "3",
        "Inconclusive or incomparable, or nothing was measured.",
    ),
    ("130", "Interrupted; what was finished is kept."),
];

const ENVIRONMENT: [TermText; 10] = [
    ("PERWATT_TUNING", "Folder of the tuning files."),
    (
        "PERWATT_CALIBRATION",
        "File that keeps the gains of power sensors.",
    ),
    (
        "PERWATT_DRIVER_TIMEOUT",
        "Seconds that a driver has to list its devices.",
    ),
    (
        "PERWATT_LONGEST_DISPATCH",
        "Seconds that one dispatch may take, where the system's watchdog is stricter or more patient than perwatt expects.",
    ),
    ("PERWATT_NVML", "NVIDIA's management library."),
    (
        "PERWATT_SYSFS_ROOT",
        "Root of the system's device files instead of /sys.",
    ),
    (
        "PERWATT_WINDOWS",
        "Set for the command of `power measure`: the file into which it may write begin and end of windows.",
    ),
    (
        "VK_DRIVER_FILES",
        "Vulkan drivers to load instead of the installed ones, read by the Vulkan loader.",
    ),
    (
        "COLUMNS",
        "Width of tables where they go to no terminal [default: 100].",
    ),
    ("NO_COLOR", "Where set, help is not coloured."),
];

const FILES: [TermText; 5] = [
    (
        "DATE-DEVICE-SUITE.json",
        "A result file, in the folder where `run` was called.",
    ),
    (
        "*.json.journal",
        "A run in progress; `run --resume` goes on from it.",
    ),
    (
        "noise.json",
        "A device's noise, next to the results that it was learned from.",
    ),
    (
        "$XDG_DATA_HOME/perwatt/tuning",
        "Tuned kernel parameters, a file for each device.",
    ),
    (
        "$XDG_DATA_HOME/perwatt/calibration.json",
        "Gains of power sensors.",
    ),
];

/// The page of the program, then one for each visible command below it.
///
/// # Errors
/// A page is not text, which clap does not make.
pub(super) fn every_page(command: Command) -> anyhow::Result<Vec<Page>> {
    // The command `help` says what the pages say, and has none.
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let mut pages = Vec::new();
    add(&command, "", &mut pages)?;
    Ok(pages)
}

fn add(command: &Command, words: &str, pages: &mut Vec<Page>) -> anyhow::Result<()> {
    pages.push(page(command, words)?);
    for sub in command.get_subcommands() {
        if !sub.is_hide_set() {
            add(sub, format!("{words} {}", sub.get_name()).trim(), pages)?;
        }
    }
    Ok(())
}

fn page(command: &Command, words: &str) -> anyhow::Result<Page> {
    let name = format!("perwatt {words}").trim_end().replace(' ', "-");
    // The examples have a section of their own.
    let manual = Man::new(command.clone().after_help("").display_name(name.clone()))
        .title(name.clone())
        .source(format!("perwatt {}", env!("CARGO_PKG_VERSION")))
        .manual("perwatt");
    let mut text = Vec::new();
    manual.render_title(&mut text)?;
    manual.render_name_section(&mut text)?;
    manual.render_synopsis_section(&mut text)?;
    manual.render_description_section(&mut text)?;
    if command
        .get_arguments()
        .any(|argument| !argument.is_hide_set())
    {
        manual.render_options_section(&mut text)?;
    }
    if command.get_subcommands().any(|sub| !sub.is_hide_set()) {
        manual.render_subcommands_section(&mut text)?;
    }
    let mut roff = Roff::new();
    let examples = examples(words);
    if !examples.is_empty() {
        roff.control("SH", ["EXAMPLES"]);
        for (what, line) in examples {
            roff.control("TP", []);
            roff.text([roman(*what)]);
            roff.text([bold(*line)]);
        }
    }
    section(&mut roff, "EXIT STATUS", &EXIT_STATUS);
    section(&mut roff, "ENVIRONMENT", &ENVIRONMENT);
    section(&mut roff, "FILES", &FILES);
    if !words.is_empty() {
        roff.control("SH", ["SEE ALSO"]);
        roff.text([bold("perwatt"), roman("(1)")]);
    }
    let mut text = String::from_utf8(text)?;
    text += &roff.render();
    Ok(Page { name, text })
}

fn section(roff: &mut Roff, heading: &str, entries: &[TermText]) {
    roff.control("SH", [heading]);
    for (term, meaning) in entries {
        roff.control("TP", []);
        roff.text([bold(*term)]);
        roff.text([roman(*meaning)]);
    }
}
