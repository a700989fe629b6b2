//! Children in process groups of their own, known to the whole program: a signal that stops, continues or
//! ends perwatt reaches them wherever perwatt is just then.

use std::collections::BTreeMap;
use std::io;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Mutex, PoisonError};

/// How a group is stopped when perwatt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopSignal {
    /// At once.
    Force,
    /// By the terminal's request, which a perwatt hands on to its own children before it stops.
    Request,
}

/// Every group that is alive.
static GROUPS: Mutex<BTreeMap<u32, StopSignal>> = Mutex::new(BTreeMap::new());

/// A child that leads its process group; dropping it ends the whole group.
#[derive(Debug)]
pub struct GroupedChild {
    child: Child,
    ended: bool,
}

impl GroupedChild {
    /// Starts it.
    ///
    /// # Errors
    /// The system refuses.
    pub fn spawn(mut command: Command, stop: StopSignal) -> io::Result<Self> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        #[cfg(windows)]
        {
            /// `CREATE_NEW_PROCESS_GROUP`: Ctrl-C is this process's to hear, which then ends the child.
            const NEW_PROCESS_GROUP: u32 = 0x200;
            std::os::windows::process::CommandExt::creation_flags(&mut command, NEW_PROCESS_GROUP);
        }
        // Held until the child is known, so that no signal passes between.
        let mut groups = GROUPS.lock().unwrap_or_else(PoisonError::into_inner);
        let child = command.spawn()?;
        groups.insert(child.id(), stop);
        Ok(Self {
            child,
            ended: false,
        })
    }

    /// The process's number.
    pub fn child_id(&self) -> u32 {
        self.child.id()
    }

    /// The process.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// The system does not say.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        let status = self.child.try_wait()?;
        if status.is_some() {
            self.forget();
        }
        Ok(status)
    }

    /// Whether it has ended. It is not waited for yet, so its number stays its own, and the group's.
    ///
    /// # Errors
    /// The system does not say.
    pub fn has_ended(&mut self) -> io::Result<bool> {
        #[cfg(unix)]
        if let Some(leader) = leader_of(self.child.id()) {
            use rustix::process::{WaitId, WaitIdOptions, waitid};
            let look = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
            return Ok(waitid(WaitId::Pid(leader), look)?.is_some());
        }
        Ok(self.child.try_wait()?.is_some())
    }

    /// Ends the group and says how its leader ended.
    ///
    /// # Errors
    /// The system does not say.
    pub fn end(mut self) -> io::Result<ExitStatus> {
        self.end_group()
    }

    /// Ends the group. The number of an unwaited child is not given away, so it is the right one.
    fn end_group(&mut self) -> io::Result<ExitStatus> {
        #[cfg(unix)]
        signal(self.child.id(), rustix::process::Signal::KILL);
        // It fails where the process is gone already, which is what it is for.
        let _ = self.child.kill();
        let status = self.child.wait();
        self.forget();
        status
    }

    /// Asks the group to end in good order; the caller waits, and dropping it ends what is left.
    pub fn ask_to_end(&self) {
        #[cfg(unix)]
        if !self.ended {
            signal(self.child.id(), rustix::process::Signal::TERM);
        }
    }

    /// Its number is not its own any more.
    fn forget(&mut self) {
        self.ended = true;
        GROUPS
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.child.id());
    }
}

impl Drop for GroupedChild {
    fn drop(&mut self) {
        if !self.ended {
            // There is no one left to report how it ended.
            let _ = self.end_group();
        }
    }
}

/// Stops every group, until [`continue_groups`].
pub fn stop_groups() {
    #[cfg(unix)]
    each(|stop| match stop {
        StopSignal::Force => rustix::process::Signal::STOP,
        StopSignal::Request => rustix::process::Signal::TSTP,
    });
}

/// Lets every group go on.
pub fn continue_groups() {
    #[cfg(unix)]
    each(|_| rustix::process::Signal::CONT);
}

/// Ends every group; for a program that ends itself next.
pub fn end_groups() {
    #[cfg(unix)]
    each(|_| rustix::process::Signal::KILL);
}

/// Sends every group a signal.
#[cfg(unix)]
fn each(choose: impl Fn(StopSignal) -> rustix::process::Signal) {
    let groups = GROUPS.lock().unwrap_or_else(PoisonError::into_inner);
    for (leader, stop) in groups.iter() {
        signal(*leader, choose(*stop));
    }
}

#[cfg(unix)]
fn leader_of(id: u32) -> Option<rustix::process::Pid> {
    let id = i32::try_from(id).ok()?;
    rustix::process::Pid::from_raw(id)
}

#[cfg(unix)]
fn signal(leader: u32, signal: rustix::process::Signal) {
    if let Some(leader) = leader_of(leader) {
        // A group that is gone needs no signal.
        let _ = rustix::process::kill_process_group(leader, signal);
    }
}
