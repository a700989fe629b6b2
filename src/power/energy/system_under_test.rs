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

    /// Executes the case this often and waits until it is done.
    ///
    /// # Errors
    /// The device failed.
    fn execute(&mut self, executions: u64) -> Result<(), Self::Error>;

    /// Leaves the device without work.
    fn rest(&mut self, time: Seconds);

    /// Polls of the sensor since the last call, in order.
    fn polls(&mut self) -> Vec<Poll>;

    /// How the device stands, as the sensor's library last said.
    fn conditions(&mut self) -> Option<Conditions>;
}
