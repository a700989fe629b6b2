//! Pure statistics: numbers in, numbers out.
//!
//! Nothing here knows what was measured. Samples inside one invocation are correlated, so they give a
//! median and how precisely it is known, and never degrees of freedom of their own; the invocation is
//! the unit of everything that compares.
//!
//! What may have no answer returns [`Undefined`], whose text is the reason.

mod change_points;
mod effect;
mod forecast;
mod holding;
mod interval;
mod invocations;
mod moments;
mod multiplicity;
mod peers;
mod rank;
mod samples;
mod session_cost;
mod session_units;
mod sessions;
mod student;
mod trend;
mod two_groups;
mod uncertainty;
mod undefined;

pub use change_points::{LevelChange, change_points};
pub use effect::{Demand, Effect};
pub use forecast::{Forecast, OpenQuestion};
pub use holding::{Holding, spread_of};
pub use interval::Interval;
pub use invocations::invocations_interval;
pub use moments::{Moments, geometric_mean};
pub use multiplicity::{benjamini_hochberg, holm};
pub use peers::{PeerStanding, Peers, Tail};
pub use rank::{RankedValues, hodges_lehmann, signed_rank_above};
pub use samples::{
    effective_sample_size, half_width, median, outliers, quantile_of_sorted, steady_start,
};
pub use session_cost::{NoisePrior, SessionCost};
pub use session_units::variance_of_sequel;
pub use sessions::noise_of;
pub use trend::Trend;
pub use two_groups::TwoGroups;
pub use uncertainty::{Scatter, effective_degrees, half_width_of, scatter};
pub use undefined::Undefined;
