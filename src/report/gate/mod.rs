//! A gate's outcome in the forms that CI systems read. Everything here is text; `cli` writes it.

mod github;
mod junit;
mod markdown;
mod sarif;

pub use github::{github, github_refusal};
pub use junit::junit;
pub use markdown::{markdown, markdown_refusal};
pub use sarif::sarif;
