//! A plug as a small HTTP server on loopback, which can be slow, wrong or dying.

#![allow(
    dead_code,
    reason = "each test program that includes this uses a part of it"
)]

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What the plug does with a question.
pub(crate) enum Answer {
    /// Answers well.
    Body(String),
    /// Answers with another status.
    Status(u16),
    /// Begins to answer and hangs up.
    Cut,
    /// Says nothing for longer than anybody waits.
    Silence,
}

impl Answer {
    pub(crate) fn json(text: &str) -> Self {
        Self::Body(text.to_owned())
    }

    pub(crate) fn status(code: u16) -> Self {
        Self::Status(code)
    }
}

/// The server; it ends when it is dropped.
pub(crate) struct PlugServer {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
}

impl PlugServer {
    /// Answers each question by its path and its number, counted from 0 over those not answered by 404.
    pub(crate) fn new(answer: impl Fn(&str, u32) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        std::thread::spawn(move || {
            let mut turn = 0;
            for stream in listener.incoming() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(stream) = stream else { return };
                let Some(path) = question(&stream) else {
                    continue;
                };
                let answer = answer(&path, turn);
                turn += u32::from(!matches!(answer, Answer::Status(404)));
                // A question that gets no answer must not hold up the next.
                std::thread::spawn(move || reply(stream, answer));
            }
        });
        Self { address, stop }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for PlugServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // The listener waits for somebody; this is somebody.
        let _ = TcpStream::connect(self.address);
    }
}

/// The path that is asked for.
fn question(stream: &TcpStream) -> Option<String> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    while !lines.next()?.ok()?.is_empty() {}
    first.split(' ').nth(1).map(str::to_owned)
}

fn reply(mut stream: TcpStream, answer: Answer) {
    let _ = match answer {
        Answer::Body(body) => write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        ),
        Answer::Status(code) => write!(
            stream,
            "HTTP/1.1 {code} Some Reason\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        ),
        Answer::Cut => write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{{\"apo"
        ),
        Answer::Silence => {
            std::thread::sleep(Duration::from_secs(8));
            Ok(())
        }
    };
}
