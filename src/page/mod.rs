//! Records as a page for a browser: what was measured, how well it is known, and what could not be measured.
//!
//! A page is made from files alone. `model` is what it says, as data; each other file makes one part of that from
//! records; `html` puts the data, the style and the script into one file that needs no network. The script only
//! draws: every figure and every word comes from here, so a browser cannot say anything else than a terminal does.

mod cases;
mod comparison;
mod energy;
mod extras;
mod figure;
#[cfg(feature = "fleet")]
mod fleet;
mod history;
mod html;
mod imported;
mod investment;
mod kernels;
mod marks;
mod model;
mod named;
mod provenance;
mod records;
mod series;
mod site;
mod stability;
mod terminal;
mod verdict;
mod warnings;

pub use extras::{BuiltInSources, PageExtras};
#[cfg(feature = "fleet")]
pub use fleet::fleet_page;
pub use html::html;
pub use investment::{AskedInvestment, investment_page};
pub use model::{PageData, PageSource};
pub use named::NamedRecord;
pub use records::page_data;
pub use site::{SiteFile, site};
pub use terminal::terminal;
