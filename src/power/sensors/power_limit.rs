//! The power limit of a device, where its driver lets an administrator set it.
//!
//! It is looked up by the same owner as the sensors are, so what is limited is what is measured.

use std::path::{Path, PathBuf};

use super::sysfs;
use crate::power::Fault;
use crate::units::Watts;

/// A driver may round what it is given; more than this share is another limit.
const ROUNDING: f64 = 0.02;

/// How far a limit can be set, as far as the driver says.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LimitRange {
    /// The lowest.
    pub least: Option<Watts>,
    /// The highest.
    pub most: Option<Watts>,
    /// What it is after a restart.
    pub default: Option<Watts>,
}

/// Reads the limit in force.
type ReadLimit = Box<dyn Fn() -> Result<Watts, Fault>>;

/// Puts the limit back that was in force when this was made.
type PutBack = Box<dyn Fn() -> Result<(), Fault>>;

/// Sets the limit.
type WriteLimit = Box<dyn Fn(Watts) -> Result<(), Fault>>;

/// The power limit of one device.
pub struct PowerLimit {
    /// The device, in words.
    pub device: String,
    /// How far it goes.
    pub range: LimitRange,
    read: ReadLimit,
    write: WriteLimit,
    put_back: PutBack,
}

impl PowerLimit {
    /// A limit behind calls of a driver.
    pub(super) fn new(
        device: String,
        range: LimitRange,
        read: impl Fn() -> Result<Watts, Fault> + 'static,
        write: impl Fn(Watts) -> Result<(), Fault> + 'static,
        put_back: impl Fn() -> Result<(), Fault> + 'static,
    ) -> Self {
        Self {
            device,
            range,
            read: Box::new(read),
            write: Box::new(write),
            put_back: Box::new(put_back),
        }
    }

    /// A limit in files that hold microwatts. Of several files, each of one part of the device, each gets an equal part;
    /// put back, each holds what it held.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(super) fn in_files(
        device: String,
        files: Vec<PathBuf>,
        range: LimitRange,
    ) -> Result<Self, Fault> {
        let mut before = Vec::new();
        for file in &files {
            before.push((file.clone(), sysfs::number::<f64>(file)?));
        }
        let read = files.clone();
        Ok(Self::new(
            device,
            range,
            move || sum_of(&read),
            move |watts| {
                let each = (watts.get() * 1e6 / files.len() as f64).round();
                files.iter().try_for_each(|file| set_file(file, each))
            },
            move || {
                before
                    .iter()
                    .try_for_each(|(file, held)| set_file(file, *held))
            },
        ))
    }

    /// The limit in force.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn now(&self) -> Result<Watts, Fault> {
        (self.read)()
    }

    /// Sets the limit and sees that the driver took it; what is in force then.
    ///
    /// # Errors
    /// It cannot be set, or the driver keeps to another value.
    pub fn set(&self, watts: Watts) -> Result<Watts, Fault> {
        (self.write)(watts)?;
        let now = self.now()?;
        if (now.get() / watts.get() - 1.0).abs() > ROUNDING {
            return Err(Fault::Unusable(format!(
                "{}: the driver was told to limit it to {watts} and keeps to {now}",
                self.device
            )));
        }
        Ok(now)
    }

    /// Puts the limit back that was in force when this was made; what is in force then.
    ///
    /// # Errors
    /// As [`PowerLimit::set`].
    pub fn put_back(&self) -> Result<Watts, Fault> {
        (self.put_back)()?;
        self.now()
    }
}

/// The sum of some files that hold microwatts.
fn sum_of(files: &[PathBuf]) -> Result<Watts, Fault> {
    let mut sum = 0.0;
    for file in files {
        sum += sysfs::number::<f64>(file)?;
    }
    Ok(Watts(sum * 1e-6))
}

/// Writes microwatts into a file.
fn set_file(file: &Path, microwatts: f64) -> Result<(), Fault> {
    std::fs::write(file, format!("{microwatts:.0}\n")).map_err(|error| match error.kind() {
        std::io::ErrorKind::PermissionDenied => Fault::Permission(format!(
            "{}: only root may set the power limit; run perwatt by sudo",
            file.display()
        )),
        _ => Fault::Unusable(format!("{}: {error}", file.display())),
    })
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::*;

    #[test]
    fn a_driver_that_keeps_to_another_limit_is_found_out() {
        let held = Rc::new(Cell::new(300.0));
        let limit = {
            let (read, write) = (Rc::clone(&held), Rc::clone(&held));
            PowerLimit::new(
                "card".to_owned(),
                LimitRange::default(),
                move || Ok(Watts(read.get())),
                // What lies below 200 W is taken without a word and not done.
                move |watts| {
                    write.set(watts.get().max(200.0).floor());
                    Ok(())
                },
                || Ok(()),
            )
        };
        assert_eq!(limit.set(Watts(250.4)).unwrap(), Watts(250.0));
        let fault = limit.set(Watts(150.0)).unwrap_err();
        assert!(fault.to_string().contains("keeps to 200 W"), "{fault}");
    }
}
