//! What the Tab key offers: the names that this machine and this build know, by the kind of value that an
//! option takes. The shell's script asks the program itself, so a device or a case is offered as it is now.

use std::ffi::OsStr;

use clap::{Arg, Command, ValueHint};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};

use crate::compare::Aspect;
use crate::escape;
use crate::invest;
use crate::power::simulated::profiles;

/// What is set while a shell asks.
pub(in crate::cli) const VARIABLE: &str = "PERWATT_COMPLETE";

/// A command's definition whose options know what they may be given.
pub(in crate::cli) fn with_offers(command: Command) -> Command {
    let command = command.mut_args(offered);
    let names: Vec<String> = command
        .get_subcommands()
        .map(|sub| sub.get_name().to_owned())
        .collect();
    names.into_iter().fold(command, |command, name| {
        command.mut_subcommand(name, with_offers)
    })
}

/// An option with what it may be given, by its name and by the name of its value.
fn offered(argument: Arg) -> Arg {
    let value = argument
        .get_value_names()
        .and_then(|names| names.first())
        .map(ToString::to_string)
        .unwrap_or_default();
    match (argument.get_long().unwrap_or_default(), value.as_str()) {
        #[cfg(feature = "bench")]
        (_, "SEL") => argument.add(after_commas(machine::devices)),
        #[cfg(feature = "bench")]
        (_, "GLOB") => argument.add(plain(machine::cases)),
        #[cfg(feature = "bench")]
        ("kernel", _) => argument.add(plain(machine::kernels)),
        (_, "SOURCE" | "SENSOR") => argument.add(plain(sensors)),
        ("scenario", _) | (_, "SCENARIO") => argument
            .value_hint(ValueHint::FilePath)
            .add(plain(scenarios)),
        ("accelerator", _) => argument.add(plain(accelerators)),
        ("against", _) => argument
            .value_hint(ValueHint::FilePath)
            .add(plain(accelerators)),
        ("model", _) => argument.add(plain(models)),
        ("country", _) => argument.add(plain(countries)),
        ("across", _) => argument.add(after_commas(aspects)),
        #[cfg(feature = "inspect")]
        (_, "FAMILY") => argument.add(after_commas(machine::families)),
        (_, "DIR") => argument.value_hint(ValueHint::DirPath),
        (_, "FILE" | "FILE|DIR" | "RECORD" | "FILE.wgsl") => {
            argument.value_hint(ValueHint::FilePath)
        }
        _ => argument,
    }
}

/// Offers names, each with what it is, that begin with what is typed.
fn plain(offers: fn() -> Vec<(String, String)>) -> ArgValueCompleter {
    ArgValueCompleter::new(move |typed: &OsStr| matching(&offers(), "", &typed.to_string_lossy()))
}

/// The same, for a value that may be several names with commas between them.
fn after_commas(offers: fn() -> Vec<(String, String)>) -> ArgValueCompleter {
    ArgValueCompleter::new(move |typed: &OsStr| {
        let typed = typed.to_string_lossy();
        let (before, last) = typed.split_at(typed.rfind(',').map_or(0, |comma| comma + 1));
        matching(&offers(), before, last)
    })
}

/// Names come from drivers, too: what a terminal would obey is taken out.
fn matching(offers: &[(String, String)], before: &str, typed: &str) -> Vec<CompletionCandidate> {
    let typed = typed.to_lowercase();
    offers
        .iter()
        .filter(|(name, _)| name.to_lowercase().starts_with(&typed))
        .map(|(name, what)| {
            CompletionCandidate::new(format!("{before}{}", escape::line(name)))
                .help((!what.is_empty()).then(|| escape::line(what).to_string().into()))
        })
        .collect()
}

fn scenarios() -> Vec<(String, String)> {
    entries(invest::Scenario::list())
}

fn accelerators() -> Vec<(String, String)> {
    entries(invest::accelerators())
}

fn models() -> Vec<(String, String)> {
    entries(invest::models())
}

fn countries() -> Vec<(String, String)> {
    entries(invest::countries())
}

/// A catalog that cannot be read offers nothing; the command itself says why.
fn entries(catalog: crate::error::Result<Vec<invest::CatalogEntry>>) -> Vec<(String, String)> {
    catalog
        .unwrap_or_default()
        .into_iter()
        .map(|entry| (entry.id, entry.title))
        .collect()
}

fn aspects() -> Vec<(String, String)> {
    Aspect::ALL
        .iter()
        .map(|aspect| (aspect.name().to_owned(), String::new()))
        .collect()
}

/// What is no sensor of this machine: those are found only by loading drivers, which takes seconds.
fn sensors() -> Vec<(String, String)> {
    let mut offers = vec![
        ("auto".to_owned(), "the best one of the device".to_owned()),
        ("none".to_owned(), "no energy".to_owned()),
    ];
    let meters = ["shelly:", "tasmota:", "command:"];
    offers.extend(meters.map(|meter| (meter.to_owned(), "a meter".to_owned())));
    let profiles = profiles().into_iter().map(|profile| profile.name);
    offers.extend(profiles.map(|name| (format!("simulated:{name}"), "SIMULATED".to_owned())));
    offers
}

/// What only a build that measures knows.
#[cfg(feature = "bench")]
mod machine {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use crate::device;
    use crate::process::ProgramImage;
    use crate::workload::registry;

    /// A person waits for it.
    const LONGEST_SURVEY: Duration = Duration::from_secs(3);

    pub(super) fn devices() -> Vec<(String, String)> {
        let mut offers = vec![
            ("hardware".to_owned(), "a GPU".to_owned()),
            ("software".to_owned(), "a software driver".to_owned()),
            ("all".to_owned(), "for run: each in turn".to_owned()),
        ];
        if let Ok(program) = ProgramImage::of_this_process() {
            let survey = device::survey(&program, LONGEST_SURVEY);
            offers.extend(
                survey
                    .adapters
                    .iter()
                    .enumerate()
                    .map(|(index, adapter)| (index.to_string(), adapter.label())),
            );
        }
        offers
    }

    /// Every workload by its name, then every case.
    pub(super) fn cases() -> Vec<(String, String)> {
        let names = registry()
            .iter()
            .map(|workload| (workload.name().to_owned(), "all of it".to_owned()));
        let cases = registry()
            .iter()
            .flat_map(|workload| workload.cases())
            .map(|case| (case.to_string(), String::new()));
        names.chain(cases).collect()
    }

    pub(super) fn kernels() -> Vec<(String, String)> {
        let names: BTreeSet<String> = registry()
            .iter()
            .flat_map(|workload| workload.cases())
            .flat_map(|case| case.tuning_space())
            .map(|kernel| kernel.name.to_string())
            .collect();
        names
            .into_iter()
            .map(|name| (name, String::new()))
            .collect()
    }

    /// AMD's families that are asked for most; RADV knows more.
    #[cfg(feature = "inspect")]
    pub(super) fn families() -> Vec<(String, String)> {
        [
            "navi31", "navi33", "navi21", "navi10", "vega10", "mi200", "gfx940", "gfx1150",
            "gfx1201",
        ]
        .map(|name| (name.to_owned(), String::new()))
        .to_vec()
    }
}
