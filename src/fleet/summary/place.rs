//! Where a card is, and what befell it, beside its figures.

/// What is known of a card beside its figures.
#[derive(Clone, Debug)]
pub(super) struct CardPlace<'a> {
    pub(super) node: &'a str,
    pub(super) throttled: bool,
}
