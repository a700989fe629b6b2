//! One hand at a time on a plan: a lock that lies in the folder itself, since nodes share nothing else, and that a dead
//! holder does not keep.
//!
//! Locks of the kernel are not passed on by every network file system, so this one is a file that only one can make.
//! Its holder writes it anew every few seconds; one that was not written for a minute, by the clock of the file system,
//! is free. Taking it away from the dead is a rename, which only one can do; who renamed a lock that had just
//! become another's puts it back.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::task_state::{HEARTBEAT, SILENCE, file_system_time};
use crate::error::{Error, Result};
use crate::record::read_within;

/// How often a lock that seems free is taken away at once; one that cannot be read or moved seems so for ever.
const MOST_FREED: u32 = 3;

/// How often a waiting process looks.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// A lock that is held.
#[derive(Debug)]
pub struct FleetLock {
    file: PathBuf,
    token: String,
    ended: Arc<AtomicBool>,
    heart: Option<JoinHandle<()>>,
}

impl FleetLock {
    /// Takes the lock of a folder, waiting for so long.
    ///
    /// # Errors
    /// Another holds it on, or the folder cannot be written.
    pub fn take(folder: &Path, patience: Duration) -> Result<Self> {
        Self::take_after(folder, patience, SILENCE)
    }

    fn take_after(folder: &Path, patience: Duration, silence: Duration) -> Result<Self> {
        let file = folder.join("fleet.lock");
        let token = format!(
            "{:016x} process {}\n",
            rand::random::<u64>(),
            std::process::id()
        );
        let begun = Instant::now();
        let mut freed = 0;
        loop {
            if make(&file, &token)? {
                return Ok(Self::held(file, token));
            }
            // Where it cannot be taken away after all, it is waited for as any other.
            if freed < MOST_FREED && free_if_dead(folder, &file, silence)? {
                freed += 1;
                continue;
            }
            if begun.elapsed() >= patience {
                return Err(Error::file(
                    &file,
                    "another perwatt is at work on this fleet; wait for it. The lock of one that died is free after a \
                     minute",
                ));
            }
            std::thread::sleep(POLL_INTERVAL);
        }
    }

    fn held(file: PathBuf, token: String) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let heart = {
            let (file, token, ended) = (file.clone(), token.clone(), Arc::clone(&ended));
            std::thread::spawn(move || {
                let mut last = Instant::now();
                while !ended.load(Ordering::Relaxed) {
                    std::thread::park_timeout(POLL_INTERVAL);
                    if last.elapsed() >= HEARTBEAT && is_mine(&file, &token) {
                        last = Instant::now();
                        // A disk that refuses makes the lock old, and others take it then.
                        let _ = OpenOptions::new()
                            .write(true)
                            .open(&file)
                            .and_then(|mut file| file.write_all(token.as_bytes()));
                    }
                }
            })
        };
        Self {
            file,
            token,
            ended,
            heart: Some(heart),
        }
    }

    /// Sees that the lock is still held, before something that must not be done twice.
    ///
    /// # Errors
    /// Another took it, since this process was silent for too long.
    pub fn check(&self) -> Result<()> {
        if is_mine(&self.file, &self.token) {
            return Ok(());
        }
        Err(Error::file(
            &self.file,
            "taken by another perwatt while this one was stopped; begin again",
        ))
    }
}

impl Drop for FleetLock {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(heart) = self.heart.take() {
            heart.thread().unpark();
            let _ = heart.join();
        }
        if is_mine(&self.file, &self.token) {
            let _ = fs::remove_file(&self.file);
        }
    }
}

/// Makes the file, whole, where there is none: a link to a finished file is made by one only.
fn make(file: &Path, token: &str) -> Result<bool> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let io = |cause| Error::io(folder, cause);
    let mut whole = tempfile::Builder::new()
        .prefix(".perwatt-")
        .tempfile_in(folder)
        .map_err(io)?;
    whole.write_all(token.as_bytes()).map_err(io)?;
    match fs::hard_link(whole.path(), file) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        // A file system without links: a new file is made by one only as well.
        Err(_) => match File::create_new(file) {
            Ok(mut made) => made.write_all(token.as_bytes()).map(|()| true).map_err(io),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(io(error)),
        },
    }
}

fn is_mine(file: &Path, token: &str) -> bool {
    read_within(file, 4096).is_ok_and(|text| text == token)
}

/// Takes a lock away that no process holds; whether it did.
fn free_if_dead(folder: &Path, file: &Path, silence: Duration) -> Result<bool> {
    let Ok(written) = fs::metadata(file).and_then(|about| about.modified()) else {
        return Ok(true);
    };
    let age = file_system_time(folder).duration_since(written);
    if age.unwrap_or_default() < silence {
        return Ok(false);
    }
    let Ok(dead) = read_within(file, 4096) else {
        return Ok(true);
    };
    let aside = folder.join(format!(".perwatt-lock-{:016x}", rand::random::<u64>()));
    if fs::rename(file, &aside).is_err() {
        // Another was quicker.
        return Ok(true);
    }
    if !is_mine(&aside, &dead) {
        // It was another process's new one. Where yet another is there already, its first holder finds out by `check`.
        let _ = fs::hard_link(&aside, file);
    }
    fs::remove_file(&aside).map_err(|cause| Error::io(&aside, cause))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;

    #[test]
    fn one_at_a_time_however_many_come() {
        let folder = tempfile::tempdir().unwrap();
        let (inside, most, times) = (AtomicU32::new(0), AtomicU32::new(0), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let lock = FleetLock::take(folder.path(), Duration::from_secs(60)).unwrap();
                    most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_millis(5));
                    lock.check().unwrap();
                    inside.fetch_sub(1, Ordering::SeqCst);
                    times.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        assert_eq!((most.into_inner(), times.into_inner()), (1, 8));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_living_holder_is_waited_for_and_a_dead_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let held = FleetLock::take(folder.path(), Duration::ZERO).unwrap();
        let error = FleetLock::take(folder.path(), Duration::ZERO).unwrap_err();
        assert!(error.to_string().contains("another perwatt"), "{error}");
        drop(held);
        fs::write(folder.path().join("fleet.lock"), "of a dead one\n").unwrap();
        let dead = FleetLock::take_after(folder.path(), Duration::ZERO, Duration::ZERO).unwrap();
        dead.check().unwrap();
        // And who was taken for dead learns it.
        fs::write(folder.path().join("fleet.lock"), "another's\n").unwrap();
        assert!(dead.check().is_err());
    }

    #[test]
    fn what_cannot_be_taken_away_is_waited_for_as_any_other() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("fleet.lock")).unwrap();
        let error =
            FleetLock::take_after(folder.path(), Duration::ZERO, Duration::ZERO).unwrap_err();
        assert!(error.to_string().contains("another perwatt"), "{error}");
    }
}
