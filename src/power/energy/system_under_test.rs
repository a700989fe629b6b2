//! What the energy procedure needs of the world around it.

use crate::power::Poll;
use crate::record::Conditions;
use crate::units::Seconds;

/// A device under load, and its sensor: a real one, or a simulated one whose hour takes no time.
pub trait SystemUnderTest {
    /// What ends a measurement from outside: a lost device.
    type Error;

    /// Time on the session's clock.
    fn now(&self) -> Seconds;

    /// Gives the device so many more executions of the case, and waits until it is done with those of the call before;
    /// how many those were. So it always has work, and what a host needs between two calls is no idle time of the device.
    ///
    /// # Errors
    /// The device failed.
    fn execute(&mut self, executions: u64) -> Result<u64, Self::Error>;

    /// Waits until the device is done with everything, and leaves it without work.
    ///
    /// # Errors
    /// The device failed.
    fn rest(&mut self, time: Seconds) -> Result<(), Self::Error>;

    /// Polls of the sensor since the last call, in order.
    fn polls(&mut self) -> Vec<Poll>;

    /// How the device stands, as the sensor's library last said.
    fn conditions(&mut self) -> Option<Conditions>;
}
