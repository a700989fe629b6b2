//! How long an answer may take, in time during which the one who waits was awake: a stopped process and a
//! suspended machine do not answer, and that is no fault of the one who was asked. Nor is it where the machine gave its
//! processor to others.

use std::time::{Duration, Instant};

/// Most that one look at the clock may cost. Looks come every tenth of a second; a longer gap means that
/// the one who waits did not run.
const LONGEST_LOOK: Duration = Duration::from_secs(1);

/// Time of a process that got no processor counts at least as this part of it: one who waits for something that never
/// comes uses none either.
const LEAST_OF_STARVED: u32 = 4;

/// A time limit that counts only while the program runs and looks.
#[derive(Clone, Debug)]
pub struct Timeout {
    limit: Duration,
    left: Duration,
    last: Instant,
    warned: bool,
}

impl Timeout {
    /// A limit that begins now.
    pub fn new(limit: Duration) -> Self {
        Self::from(limit, Instant::now())
    }

    fn from(limit: Duration, now: Instant) -> Self {
        Self {
            limit,
            left: limit,
            last: now,
            warned: false,
        }
    }

    /// The limit.
    pub fn limit(&self) -> Duration {
        self.limit
    }

    /// Whether it is exhausted. Looked at each time nothing was heard.
    pub fn is_over(&mut self) -> bool {
        self.look(Instant::now(), None)
    }

    /// The same, where the one who was asked has had so much of the processor's time since the last look: no more
    /// counts, but a quarter of the time in any case.
    pub fn is_over_after(&mut self, worked: Option<Duration>) -> bool {
        self.look(Instant::now(), worked)
    }

    fn look(&mut self, now: Instant, worked: Option<Duration>) -> bool {
        let mut passed = now.saturating_duration_since(self.last).min(LONGEST_LOOK);
        if let Some(worked) = worked {
            passed = passed.min(worked.max(passed / LEAST_OF_STARVED));
        }
        self.last = now;
        self.left = self.left.saturating_sub(passed);
        // One more look: an answer may lie there that came while the program did not run.
        self.left.is_zero() && std::mem::replace(&mut self.warned, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: Duration = Duration::from_millis(100);

    #[test]
    fn time_counts_only_while_the_program_looks() {
        let start = Instant::now();
        let mut timeout = Timeout::from(Duration::from_secs(3), start);
        let mut now = start;
        for _ in 0..10 {
            now += TICK;
            assert!(!timeout.look(now, None));
        }
        // Stopped for an hour: it counts as one second.
        now += Duration::from_secs(3600);
        assert!(!timeout.look(now, None));
        let mut looks = 0;
        while !timeout.look(now, None) {
            now += TICK;
            looks += 1;
        }
        assert!((10..13).contains(&looks), "{looks}");
    }

    #[test]
    fn the_last_stop_does_not_decide_by_itself() {
        let start = Instant::now();
        let mut timeout = Timeout::from(Duration::from_millis(500), start);
        let later = start + Duration::from_secs(60);
        assert!(
            !timeout.look(later, None),
            "what came meanwhile is heard first"
        );
        assert!(timeout.look(later + TICK, None));
    }

    #[test]
    fn who_gets_no_processor_has_longer_but_not_for_ever() {
        let seconds = |share: f64| {
            let start = Instant::now();
            let mut timeout = Timeout::from(Duration::from_secs(10), start);
            let mut now = start;
            while !timeout.look(now, Some(TICK.mul_f64(share))) {
                now += TICK;
            }
            (now - start).as_secs()
        };
        assert_eq!(seconds(1.0), 10);
        assert_eq!(seconds(2.0), 10, "several threads take no time off");
        assert_eq!(seconds(0.5), 20);
        assert_eq!(seconds(0.0), 40);
    }
}
