//! The answer in one sentence, with the assumption that matters most beside it.

use super::super::table::fold;
use crate::invest::{Answer, SentenceSubject, in_one_sentence, in_tokens};
use crate::units::whole_percent;

/// The sentence, folded: what a sum buys, or what a machine writes.
pub(super) fn headline(answer: &Answer, width: Option<u16>) -> String {
    let subject = SentenceSubject::from(answer);
    let what = in_one_sentence(&subject, &answer.outputs);
    let (about, output) = match in_tokens(&subject, &answer.outputs) {
        Some(_) => ("the price of its work", "exaflop".to_owned()),
        None => ("that work", format!("achieved_{}", answer.precision.name())),
    };
    let most = matters_most(answer, &output).map_or(String::new(), |(key, share)| {
        format!(
            " What matters most for {about}: {}, {} of the uncertainty.",
            in_words(answer, key),
            whole_percent(share)
        )
    });
    fold(&(what + &most), "", width)
}

/// An input as people say it, with its name for --set.
fn in_words(answer: &Answer, key: &str) -> String {
    let about = answer
        .inputs
        .iter()
        .find(|input| input.key == key)
        .map_or("", |input| input.about);
    let short = about.split(':').next().unwrap_or("");
    let mut rest = short.chars();
    match rest.next() {
        Some(first) => format!("{}{} ({key})", first.to_lowercase(), rest.as_str()),
        None => key.to_owned(),
    }
}

/// The input with the largest share of the variance of an output.
fn matters_most(answer: &Answer, output: &str) -> Option<(&'static str, f64)> {
    let causes = answer
        .causes
        .iter()
        .find(|causes| causes.output == output)?;
    causes
        .inputs
        .first()
        .map(|(key, share)| (*key, share.share))
}
