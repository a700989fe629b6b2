//! What one run measured, as a page for the terminal: the answer first, then a table, then what must be said
//! beside it.

mod answer;
mod cases;
mod notes;
mod short;

pub use cases::ShownKernels;

use super::imported::imported;
use super::table::fold;
use crate::record::{Adapter, Origin, Record};

/// A record as a page.
pub fn run(record: &Record, kernels: ShownKernels, width: Option<u16>) -> String {
    let mut page = heading(record, width);
    let is_import = record.provenance.origin == Origin::Imported;
    if is_import {
        page += &imported(record, width);
    } else if record
        .cases
        .iter()
        .any(|case| case.summary.measured().is_some())
    {
        page += &answer::answer(record, width);
        page.push('\n');
        page += &cases::results(record, kernels, width);
        page.push('\n');
        page += &notes::legend(record, kernels, width);
    }
    page += &notes::smaller(record);
    page += &notes::without_figure(record, is_import, width);
    page += &notes::without_power(record, width);
    page += &notes::warnings(record, width);
    page
}

/// What ran where.
fn heading(record: &Record, width: Option<u16>) -> String {
    let simulated = match record.is_all_simulated() {
        true => "SIMULATED  ",
        false => "",
    };
    format!("{simulated}{}\n", device_lines(&record.adapter, width))
}

/// An adapter in a line, with another one where it is a software driver, which nothing may break.
pub fn device_lines(adapter: &Adapter, width: Option<u16>) -> String {
    let line = format!("{}  {}", adapter.label(), adapter.driver_and_version());
    let software = match adapter.is_software() {
        true => "  SOFTWARE DRIVER: this is your processor, not a GPU\n",
        false => "",
    };
    fold(&line, "  ", width) + software
}
