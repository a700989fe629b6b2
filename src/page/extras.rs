//! What a page shows that stands in no record.

use super::investment::AskedInvestment;
use super::model::PageSource;
use crate::record::{CaseResult, Record};

/// The sources of a built-in kernel, as it ran in a record; or why they are unknown.
pub type BuiltInSources = fn(&Record, &CaseResult) -> Result<Vec<PageSource>, String>;

/// What a page shows that stands in no record.
#[derive(Clone, Copy, Debug, Default)]
pub struct PageExtras<'a> {
    /// What is asked of the investment model, with each record.
    pub investment: Option<&'a AskedInvestment>,
    /// Gives the sources of built-in kernels; absent in a perwatt without kernels.
    pub built_in: Option<BuiltInSources>,
}
