//! How a helper and its parent talk: a connection of their own, so that a driver or library which prints to
//! standard output prints without a reader.
//!
//! On Unix it is a socket that the helper is given as its standard input. Windows cannot hand a socket over
//! like that; there the helper connects to a port of this machine alone and shows a token.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, Command};
use std::sync::mpsc;

/// What a connection is read from.
pub(super) type Incoming = Box<dyn Read + Send>;

/// What a connection is written to; while it lives, the connection does.
pub(super) type Outgoing = Box<dyn Write + Send>;

/// A parent's end before the helper is there.
pub(super) struct Offer {
    #[cfg(unix)]
    ours: std::os::unix::net::UnixStream,
    #[cfg(not(unix))]
    loopback: loopback::Loopback,
}

impl Offer {
    /// Makes a connection and gives the helper its end.
    pub(super) fn make(command: &mut Command) -> io::Result<Self> {
        #[cfg(unix)]
        {
            let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
            command.stdin(std::os::fd::OwnedFd::from(theirs));
            Ok(Self { ours })
        }
        #[cfg(not(unix))]
        {
            let loopback = loopback::Loopback::listen()?;
            command
                .stdin(std::process::Stdio::null())
                .env(loopback::VARIABLE, loopback.address());
            Ok(Self { loopback })
        }
    }

    /// The connection to a helper that was started with it.
    #[cfg_attr(unix, expect(unused_variables, reason = "a socket needs no accepting"))]
    pub(super) fn accept(self, child: &mut Child) -> io::Result<(Incoming, Outgoing)> {
        #[cfg(unix)]
        {
            Ok((Box::new(self.ours.try_clone()?), Box::new(self.ours)))
        }
        #[cfg(not(unix))]
        {
            let stream = self
                .loopback
                .accept(|| matches!(child.try_wait(), Ok(None)))?;
            Ok((Box::new(stream.try_clone()?), Box::new(stream)))
        }
    }
}

/// A helper's end: what its parent asks, and where to answer.
pub struct ParentEnd {
    /// The first line that the parent sent.
    pub request: String,
    /// Where answers go, a line each.
    pub answers: Box<dyn Write + Send>,
}

/// Takes up the connection to the parent and reads the request. From then on the process ends when the
/// parent does: nothing else would stop a helper whose driver hangs.
///
/// # Errors
/// This process was not started by perwatt.
pub fn to_parent() -> io::Result<ParentEnd> {
    let (incoming, outgoing) = connect()?;
    let mut incoming = BufReader::new(incoming);
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = incoming.read_line(&mut line).map(|_| line);
        let _ = sender.send(read);
        // Nothing follows the request. The end of it means that the parent is gone.
        let _ = io::copy(&mut incoming, &mut io::sink());
        end_now(1);
    });
    let request = receiver
        .recv()
        .map_err(|_| io::Error::from(io::ErrorKind::UnexpectedEof))??;
    Ok(ParentEnd {
        request,
        answers: outgoing,
    })
}

/// Ends the process without the exit handlers of libraries, which wait for ever for a driver that hangs.
pub fn end_now(code: i32) -> ! {
    #[cfg(unix)]
    {
        signal_hook::low_level::exit(code)
    }
    #[cfg(not(unix))]
    {
        std::process::exit(code)
    }
}

#[cfg(unix)]
fn connect() -> io::Result<(Incoming, Outgoing)> {
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;
    let stream = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    // Fails where standard input is something else.
    stream.peer_addr()?;
    // Libraries that read standard input find nothing there.
    rustix::stdio::dup2_stdin(std::fs::File::open("/dev/null")?)?;
    Ok((Box::new(stream.try_clone()?), Box::new(stream)))
}

#[cfg(not(unix))]
fn connect() -> io::Result<(Incoming, Outgoing)> {
    let address = std::env::var(loopback::VARIABLE)
        .map_err(|_| io::Error::other("started by hand and not by perwatt"))?;
    let stream = loopback::connect(&address)?;
    Ok((Box::new(stream.try_clone()?), Box::new(stream)))
}

#[cfg(any(not(unix), test))]
mod loopback {
    use std::io::{self, BufRead, BufReader, Read, Write};
    use std::net::{Ipv4Addr, TcpListener, TcpStream};
    use std::time::Duration;

    /// Names the port and the token to the helper.
    #[cfg(not(unix))]
    pub(super) const VARIABLE: &str = "PERWATT_CHANNEL";

    /// How often a parent looks whether its helper has come.
    const POLL_INTERVAL: Duration = Duration::from_millis(5);

    /// How long a stranger may take to show no token.
    const INTRODUCTION: Duration = Duration::from_secs(2);

    /// A port that waits for a helper.
    pub(super) struct Loopback {
        listener: TcpListener,
        token: String,
    }

    impl Loopback {
        pub(super) fn listen() -> io::Result<Self> {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            listener.set_nonblocking(true)?;
            Ok(Self {
                listener,
                token: format!("{:032x}", rand::random::<u128>()),
            })
        }

        /// What the helper must know.
        pub(super) fn address(&self) -> String {
            let port = self.listener.local_addr().map_or(0, |a| a.port());
            format!("{port}:{}", self.token)
        }

        /// Waits for the helper as long as it is alive.
        pub(super) fn accept(self, mut is_alive: impl FnMut() -> bool) -> io::Result<TcpStream> {
            loop {
                match self.listener.accept() {
                    Ok((stream, _)) => {
                        if let Some(stream) = self.introduced(stream) {
                            return Ok(stream);
                        }
                    }
                    Err(e) if e.kind() == io::ErrorKind::WouldBlock && is_alive() => {
                        std::thread::sleep(POLL_INTERVAL);
                    }
                    Err(e) => return Err(e),
                }
            }
        }

        /// The stream of the process that knows the token; any program of this machine may knock.
        fn introduced(&self, stream: TcpStream) -> Option<TcpStream> {
            stream.set_nonblocking(false).ok()?;
            stream.set_read_timeout(Some(INTRODUCTION)).ok()?;
            let mut line = Vec::new();
            // To the byte: what follows belongs to the conversation.
            let mut limited = (&stream).take(self.token.len() as u64 + 1);
            BufReader::with_capacity(1, &mut limited)
                .read_until(b'\n', &mut line)
                .ok()?;
            stream.set_read_timeout(None).ok()?;
            (line.strip_suffix(b"\n") == Some(self.token.as_bytes())).then_some(stream)
        }
    }

    /// A helper's end.
    pub(super) fn connect(address: &str) -> io::Result<TcpStream> {
        let malformed = || io::Error::other("the address of the parent is malformed");
        let (port, token) = address.split_once(':').ok_or_else(malformed)?;
        let port: u16 = port.parse().map_err(|_| malformed())?;
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.write_all(format!("{token}\n").as_bytes())?;
        Ok(stream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_knows_the_token_is_let_in() {
        let door = loopback::Loopback::listen().unwrap();
        let address = door.address();
        let port = address.split_once(':').unwrap().0.to_owned();
        let helper = std::thread::spawn(move || {
            let stranger = loopback::connect(&format!("{port}:{:032x}", 7)).unwrap();
            let mut helper = loopback::connect(&address).unwrap();
            helper.write_all(b"hello\n").unwrap();
            drop(stranger);
        });
        let mut stream = door.accept(|| true).unwrap();
        let mut heard = String::new();
        stream.read_to_string(&mut heard).unwrap();
        assert_eq!(heard, "hello\n");
        helper.join().unwrap();
        let door = loopback::Loopback::listen().unwrap();
        assert!(door.accept(|| false).is_err(), "the helper is dead");
    }
}
