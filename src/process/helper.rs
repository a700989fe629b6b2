//! A helper process as its parent sees it: a channel of lines, and its last words when it ends.

use std::io::{self, BufRead, BufReader, PipeReader, Read, Write};
use std::process::{Command, ExitStatus};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use super::channel::{Incoming, Offer, Outgoing};
use super::group::{GroupedChild, StopSignal};
use super::memory_kills::MemoryKills;

/// Longest line that is read; a helper's answers are far shorter.
const LONGEST_LINE: u64 = 256 << 20;

/// A helper process; dropping it ends it and everything that it started.
pub struct Helper {
    process: GroupedChild,
    lines: Receiver<Vec<u8>>,
    complaints: Receiver<String>,
    outgoing: Outgoing,
    memory_kills: MemoryKills,
}

/// What came of listening for a while.
#[derive(Debug)]
pub enum Listened {
    /// A line.
    Line(Vec<u8>),
    /// Nothing yet.
    Nothing,
    /// The helper is gone, and will say nothing more.
    Ended,
}

/// How a helper ended.
#[derive(Debug)]
pub struct LastWords {
    /// In words.
    pub words: String,
    /// Whether the system ended it for want of memory.
    pub out_of_memory: bool,
    /// Whether it got the signal that cannot be caught, which no process sends itself.
    pub killed: bool,
}

impl Helper {
    /// Starts a helper. What it prints to standard output joins its complaints.
    ///
    /// # Errors
    /// The system refuses.
    pub fn start(mut command: Command) -> io::Result<Self> {
        let offer = Offer::make(&mut command)?;
        let (complaints, printed) = io::pipe()?;
        command.stdout(printed.try_clone()?).stderr(printed);
        let memory_kills = MemoryKills::count();
        // The command goes with its ends of the connections: were they kept, the end of the helper would
        // not be seen.
        let mut process = GroupedChild::spawn(command, StopSignal::Force)?;
        let (incoming, outgoing) = offer.accept(process.child())?;
        Ok(Self {
            process,
            lines: read_lines(incoming),
            complaints: collect(complaints),
            outgoing,
            memory_kills,
        })
    }

    /// Sends a line. A helper that is dead already shows itself when it is listened to.
    pub fn send(&mut self, mut line: Vec<u8>) {
        line.push(b'\n');
        let _ = self
            .outgoing
            .write_all(&line)
            .and_then(|()| self.outgoing.flush());
    }

    /// Waits so long for a line.
    pub fn listen(&self, time: Duration) -> Listened {
        match self.lines.recv_timeout(time) {
            Ok(line) => Listened::Line(line),
            Err(RecvTimeoutError::Timeout) => Listened::Nothing,
            Err(RecvTimeoutError::Disconnected) => Listened::Ended,
        }
    }

    /// Time of processors that it has had so far, where the system says.
    pub fn cpu_time(&self) -> Option<Duration> {
        cpu_time_of(self.process.child_id())
    }

    /// How it ended and the last that it printed; for a helper that is gone.
    pub fn last_words(&mut self) -> LastWords {
        const POLL_INTERVAL: Duration = Duration::from_millis(20);
        const MOST_POLLS: u32 = 250;
        // It has closed the channel; a core dump may take it a while to be gone.
        let mut status = None;
        for _ in 0..MOST_POLLS {
            status = self.process.try_wait().ok().flatten();
            if status.is_some() {
                break;
            }
            std::thread::sleep(POLL_INTERVAL);
        }
        let complaint = self
            .complaints
            .recv_timeout(Duration::from_secs(1))
            .unwrap_or_default();
        let (how, out_of_memory) = self.manner(status);
        let words = match complaint.trim() {
            "" => how,
            complaint => format!("{how}: {complaint}"),
        };
        LastWords {
            words,
            out_of_memory,
            killed: status.is_some_and(was_killed),
        }
    }

    /// How it ended, and whether that was for memory.
    fn manner(&self, status: Option<ExitStatus>) -> (String, bool) {
        let Some(status) = status else {
            return ("closed its channel and went on".to_owned(), false);
        };
        if !was_killed(status) {
            return (format!("ended by itself ({status})"), false);
        }
        if self.memory_kills.happened_since() {
            let words = format!("was ended by the system because memory ran out ({status})");
            return (words, true);
        }
        (format!("was killed ({status}), perhaps for memory"), false)
    }
}

/// Time of processors that a process has had so far.
#[cfg(target_os = "linux")]
fn cpu_time_of(process: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field is the program's name in parentheses, and may hold blanks and parentheses itself.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    let ticks = (user + system) as f64;
    Some(Duration::from_secs_f64(
        ticks / rustix::param::clock_ticks_per_second() as f64,
    ))
}

/// Time of processors that a process has had so far.
#[cfg(not(target_os = "linux"))]
fn cpu_time_of(_process: u32) -> Option<Duration> {
    None
}

/// Whether a process got the signal that cannot be caught.
fn was_killed(status: ExitStatus) -> bool {
    #[cfg(unix)]
    {
        std::os::unix::process::ExitStatusExt::signal(&status)
            == Some(rustix::process::Signal::KILL.as_raw())
    }
    #[cfg(not(unix))]
    {
        let _ = status;
        false
    }
}

/// Reads lines on a thread of its own.
fn read_lines(incoming: Incoming) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut incoming = BufReader::new(incoming);
        loop {
            let mut line = Vec::new();
            let read = (&mut incoming)
                .take(LONGEST_LINE)
                .read_until(b'\n', &mut line);
            if !matches!(read, Ok(length) if length > 0) {
                return;
            }
            match line.last() {
                Some(b'\n') => drop(line.pop()),
                // Half a line is the helper's death, which its last words tell better.
                _ if (line.len() as u64) < LONGEST_LINE => return,
                _ => {}
            }
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// Reads what a helper prints to its end on a thread of its own and hands over its tail.
fn collect(mut printed: PipeReader) -> Receiver<String> {
    const TAIL: usize = 600;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut tail: Vec<u8> = Vec::new();
        let mut piece = [0; 4096];
        while let Ok(length) = printed.read(&mut piece) {
            if length == 0 {
                break;
            }
            tail.extend_from_slice(&piece[..length]);
            if tail.len() > TAIL {
                tail.drain(..tail.len() - TAIL);
            }
        }
        let _ = sender.send(String::from_utf8_lossy(&tail).into_owned());
    });
    receiver
}
