//! One energy measurement: what is done to the device (`procedure`), what the sensor is like in time
//! (`characterise`, `sensor_timing`), and what follows from both (`checks`, `error_terms`, `estimate`).

mod attach;
mod characterise;
mod checks;
mod error_terms;
mod estimate;
mod in_step;
mod log_lag;
mod observation;
mod procedure;
mod refusal;
mod sensor_timing;
mod system_under_test;
mod window_data;

pub use attach::attach;
pub use characterise::{Character, Unusable, characterise, still_moving};
pub use estimate::estimate;
pub use observation::{EnergyEffort, LoadGroup, Observation};
pub use procedure::{fits, observe, planned};
pub use refusal::{EnergyRefusal, EnergyTask, NoEnergy};
pub use sensor_timing::SensorTiming;
pub use system_under_test::SystemUnderTest;
