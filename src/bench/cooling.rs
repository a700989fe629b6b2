//! `--cool-to`: a case begins once the device is as cool as the user asks, so that it does not inherit the heat of
//! the case before it.

use std::time::Duration;

use crate::record::{Reading, Warning};

/// Longest wait before one case; a device that rests at a higher temperature would be waited for for ever.
const LONGEST: Duration = Duration::from_secs(300);

/// How often to look; the supervisor hears of each look, and so knows that the worker is alive.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Waits until a device is at `wanted_c` or below, and tells its temperature and the seconds waited as it goes; the
/// warning that it was not reached, if so.
///
/// # Errors
/// What is told goes nowhere.
pub(super) fn cool_down<E>(
    wanted_c: f64,
    read: impl Fn() -> Reading<f64>,
    mut tell: impl FnMut(f64, f64) -> Result<(), E>,
    mut rest: impl FnMut(Duration),
) -> Result<Option<Warning>, E> {
    let warm = |reason| Some(Warning::NotCooled { wanted_c, reason });
    let mut waited = Duration::ZERO;
    loop {
        let celsius = match read() {
            Reading::Measured(celsius) if celsius <= wanted_c => return Ok(None),
            Reading::Measured(celsius) => celsius,
            Reading::Unmeasured(why) => {
                return Ok(warm(format!(
                    "no temperature can be read ({}); choose a sensor that reads it with --power",
                    why.unmeasured
                )));
            }
        };
        if waited >= LONGEST {
            return Ok(warm(format!(
                "after {} s of rest it was still at {celsius:.0} °C; ask for more, or improve the cooling",
                LONGEST.as_secs()
            )));
        }
        tell(celsius, waited.as_secs_f64())?;
        rest(POLL_INTERVAL);
        waited += POLL_INTERVAL;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::convert::Infallible;

    use super::*;

    /// Waits on a device that cools by a tenth of its excess over `room` a second: what it came to and how long it
    /// took.
    fn waited(wanted_c: f64, begin: f64, room: f64) -> (Option<Warning>, f64) {
        let (celsius, heard) = (Cell::new(begin), Cell::new(0.0));
        let warning = cool_down(
            wanted_c,
            || Reading::Measured(celsius.get()),
            |_, waited_s| {
                heard.set(waited_s);
                Ok::<_, Infallible>(())
            },
            |time| {
                let left = (celsius.get() - room) * 0.9_f64.powf(time.as_secs_f64());
                celsius.set(room + left);
            },
        );
        (warning.unwrap(), heard.get())
    }

    #[test]
    fn a_case_begins_once_the_device_is_cool() {
        assert_eq!(waited(50.0, 45.0, 30.0).0, None);
        let (warning, seconds) = waited(50.0, 80.0, 30.0);
        // 50 K above the room become 20 after ln 2.5 / ln (1 / 0.9) = 8.7 s.
        assert_eq!((warning, seconds as u64), (None, 8));
    }

    #[test]
    fn what_does_not_cool_or_says_nothing_is_measured_with_a_warning() {
        let (warning, seconds) = waited(50.0, 80.0, 55.0);
        let said = warning.unwrap().to_string();
        assert!(said.contains("still at 55 °C"), "{said}");
        assert_eq!(seconds as u64, LONGEST.as_secs() - 1);
        let silent = cool_down(
            50.0,
            || Reading::unmeasured("this sensor says nothing but power"),
            |_, _| Ok::<_, Infallible>(()),
            |_| {},
        );
        let said = silent.unwrap().unwrap().to_string();
        assert!(said.contains("nothing but power"), "{said}");
    }
}
