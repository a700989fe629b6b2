//! What a build without the query engine says.

/// Says how to get what this build lacks.
pub(in crate::cli) fn without_engine(what: &str) -> anyhow::Error {
    anyhow::anyhow!(
        "{what}: this perwatt was built without its query engine; build it with `cargo install --path . --features fleet`"
    )
}
