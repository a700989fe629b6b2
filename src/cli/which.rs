//! The options by which commands that measure say what they measure, and on what.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::bench::Request;
use crate::power::{self, Selection, Timeline};
use crate::record::Adapter;
use crate::workload::Suite;

/// Which kernels of which cases, on which device.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// The device: an index from `perwatt devices`, part of its name, a PCI id, or backend:vulkan;
    /// several, joined by commas, must all fit [default: the only hardware device]
    #[arg(long, value_name = "SEL")]
    pub(super) device: Option<String>,

    /// Which cases [default: quick, or every suite's with --case]
    #[arg(long, value_parser = suites())]
    pub(super) suite: Option<Suite>,

    /// Only cases like this: a glob over `perwatt list`, optionally with @KERNEL; or a case of your own
    /// shape, written out (repeatable)
    #[arg(long = "case", value_name = "GLOB")]
    pub(super) cases: Vec<String>,

    /// Only kernels of this name (repeatable)
    #[arg(long = "kernel", value_name = "NAME")]
    pub(super) kernels: Vec<String>,

    /// Seed of the input data
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(super) seed: u64,

    /// The power sensor: auto for the best that belongs to the device, none, a name from `perwatt
    /// power list`, or simulated:PROFILE[,KEY=VALUE…]
    #[arg(long, default_value = "auto", value_name = "SOURCE")]
    pub(super) power: Selection,

    /// Folder of the tuning files [default: perwatt/tuning in the user's data folder, or $PERWATT_TUNING]
    #[arg(long, value_name = "DIR")]
    pub(super) tuning: Option<PathBuf>,
}

impl Which {
    /// Sees that a sensor which was named is there; one that merely might be is no error.
    pub(super) fn see_sensor(&self, adapter: &Adapter) -> anyhow::Result<()> {
        if matches!(self.power, Selection::Named(_))
            && let Some(reason) = power::open(&self.power, adapter, &Timeline::new()).reason()
        {
            bail!("--power {}: {reason}", self.power);
        }
        Ok(())
    }

    /// The same as a request.
    pub(super) fn request(&self) -> Request {
        Request {
            suite: self.suite,
            cases: self.cases.clone(),
            kernels: self.kernels.clone(),
            custom: Vec::new(),
        }
    }

    /// The options again, for a `perwatt` of its own; `device` in the place of this one's.
    pub(super) fn arguments(&self, device: Option<&str>) -> Vec<String> {
        let mut arguments = Vec::new();
        let mut option = |name: &str, value: &dyn ToString| {
            arguments.extend([format!("--{name}"), value.to_string()]);
        };
        if let Some(device) = device.or(self.device.as_deref()) {
            option("device", &device);
        }
        if let Some(suite) = self.suite {
            option("suite", &suite);
        }
        for case in &self.cases {
            option("case", case);
        }
        for kernel in &self.kernels {
            option("kernel", kernel);
        }
        option("seed", &self.seed);
        option("power", &self.power);
        if let Some(folder) = &self.tuning {
            option("tuning", &folder.display());
        }
        arguments
    }
}

/// Parses the name of a suite.
fn suites() -> impl TypedValueParser<Value = Suite> {
    PossibleValuesParser::new(Suite::ALL.map(Suite::name))
        .map(|name| Suite::parse(&name).unwrap_or(Suite::Quick))
}
