//! The answer in one sentence, with the assumption that matters most beside it.

use super::super::table::fold;
use crate::invest::{Answer, in_one_sentence};

/// The sentence, folded.
pub(super) fn headline(answer: &Answer, width: Option<u16>) -> String {
    let what = in_one_sentence(
        &answer.title,
        &answer.accelerator,
        answer.precision,
        &answer.outputs,
    );
    let most = matters_most(answer).map_or(String::new(), |(key, share)| {
        format!(
            " What matters most: {key}, {:.0} % of the uncertainty.",
            100.0 * share
        )
    });
    fold(&(what + &most), "", width)
}

/// The input with the largest share of the variance of the year's useful work.
fn matters_most(answer: &Answer) -> Option<(&'static str, f64)> {
    let wanted = format!("achieved_{}", answer.precision.name());
    let causes = answer
        .causes
        .iter()
        .find(|causes| causes.output == wanted)?;
    causes
        .inputs
        .first()
        .map(|(key, share)| (*key, share.share))
}
