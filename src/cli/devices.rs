//! `perwatt devices`: which adapters there are.

use clap::Args;

use super::Exit;
use super::output::{print, print_json, tell, width};
use crate::device::{enumerate, no_adapter_help};
use crate::record::Adapter;
use crate::report;

/// Show every adapter, what it can do, and how to choose it.
#[derive(Debug, Args)]
pub(super) struct Devices {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Devices {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        let found = enumerate();
        let adapters: Vec<&Adapter> = found.iter().map(|found| &found.adapter).collect();
        if self.json {
            print_json(&adapters)?;
        } else {
            print(&report::devices(&adapters, width()))?;
        }
        if adapters.is_empty() {
            tell(&no_adapter_help());
        }
        Ok(Exit::Done)
    }
}
