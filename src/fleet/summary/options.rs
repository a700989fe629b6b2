//! By what rules a fleet is summed up.

/// By what rules a fleet is summed up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SummaryOptions {
    /// The share of the listed cards that may be there by chance.
    pub fdr: f64,
    /// What is nearer to one's peers than this share is not listed.
    pub min_effect: f64,
    /// Cards of a job that waits for the slowest of them.
    pub job_cards: Option<usize>,
    /// Lines of the list of what to look at first.
    pub top: usize,
    /// Whether software drivers are let in, for a rehearsal.
    pub with_software: bool,
}

impl Default for SummaryOptions {
    fn default() -> Self {
        Self {
            fdr: 0.05,
            min_effect: 0.03,
            job_cards: None,
            top: 20,
            with_software: false,
        }
    }
}
