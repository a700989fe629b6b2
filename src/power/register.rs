//! Undoes the wraps of an energy counter's register.

use super::Fault;
use crate::units::Joules;

/// Follows a register that begins anew after a known energy, or after none.
///
/// A register that goes back has either wrapped or been reset. It is a wrap if the way forward through
/// the wrap is short, less than half of the range; anything else is a reset. So it must be read at
/// least twice a range.
#[derive(Clone, Debug)]
pub struct Register {
    range: Option<Joules>,
    last: Option<Joules>,
    turned: Joules,
}

impl Register {
    /// A register that has not been read yet; `range` is the energy after which it wraps, if it does.
    pub fn new(range: Option<Joules>) -> Self {
        Self {
            range,
            last: None,
            turned: Joules(0.0),
        }
    }

    /// The energy since some start that goes with a raw reading.
    ///
    /// # Errors
    /// [`Fault::Reset`], once; the next reading counts from the new start.
    pub fn advance(&mut self, raw: Joules) -> Result<Joules, Fault> {
        let last = self.last.replace(raw).unwrap_or(raw);
        if raw.get() < last.get() {
            match self.range {
                Some(range) if (raw + range - last).get() < range.get() / 2.0 => {
                    self.turned = self.turned + range;
                }
                _ => {
                    return Err(Fault::Reset(format!("it went from {last} back to {raw}")));
                }
            }
        }
        Ok(self.turned + raw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrap_goes_on_and_a_reset_says_so_once() {
        let mut register = Register::new(Some(Joules(100.0)));
        let mut read = |raw: f64| register.advance(Joules(raw));
        assert_eq!(read(90.0), Ok(Joules(90.0)));
        assert_eq!(read(10.0), Ok(Joules(110.0)));
        assert_eq!(read(60.0), Ok(Joules(160.0)));
        assert_eq!(read(99.0), Ok(Joules(199.0)));
        assert!(matches!(read(80.0), Err(Fault::Reset(_))));
        assert_eq!(read(81.0), Ok(Joules(181.0)));
    }

    #[test]
    fn a_register_without_a_range_cannot_wrap() {
        let mut register = Register::new(None);
        assert_eq!(register.advance(Joules(5.0)), Ok(Joules(5.0)));
        assert!(matches!(
            register.advance(Joules(1.0)),
            Err(Fault::Reset(_))
        ));
    }
}
