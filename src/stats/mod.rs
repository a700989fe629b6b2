//! Pure statistics: numbers in, numbers out.
//!
//! Nothing here knows what was measured. Samples inside one invocation are correlated, so they give a
//! median and how precisely it is known, and never degrees of freedom of their own; the invocation is
//! the unit of everything that compares.

mod between;
mod combine;
mod effect;
mod multiplicity;
mod rank;
mod sessions;
mod within;

pub use between::{geometric_mean, invocations_interval};
pub use combine::{Scatter, effective_degrees, half_width_of, scatter};
pub use effect::{Demand, Effect};
pub use multiplicity::{benjamini_hochberg, holm};
pub use rank::{hodges_lehmann, signed_rank_above};
pub use sessions::{NoisePrior, SessionCost, noise_of};
pub use within::{effective_sample_size, half_width, median, outliers, steady_start};
