//! Several records side by side, as `perwatt compare` describes them.

use super::named::NamedRecord;
use crate::compare::{Description, DescriptionChoice, Session, describe};

/// The records beside each other; nothing where there is only one. Records of one argument and one environment
/// share a column.
pub(super) fn comparison(sets: &[Vec<NamedRecord>]) -> Option<Description> {
    // A file that contradicts itself is shown by itself and compared with nothing.
    let sets: Vec<Vec<Session>> = sets
        .iter()
        .map(|set| {
            set.iter()
                .filter(|named| named.record.contradictions().is_empty())
                .map(|named| Session::of(&named.record, named.name.clone()))
                .collect()
        })
        .filter(|set: &Vec<Session>| !set.is_empty())
        .collect();
    let description = describe(&sets, &DescriptionChoice::default());
    (description.columns.len() > 1).then_some(description)
}
