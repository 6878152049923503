//! Whether the server is still there. Asked by pings, at once after this machine slept: what a connection was before that
//! says nothing.
//!
//! Two clocks tell of a sleep: one stands still meanwhile on most systems, the other goes on. Neither is trusted further: a
//! clock that is set back is no news, and one that is set forward costs a ping.

use std::time::Duration;

/// How often it is looked, and what is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Between two looks.
    pub look: Duration,
    /// Without a word for so long: a ping.
    pub ping: Duration,
    /// A living server answers it within this.
    pub answer: Duration,
    /// The same after a sleep.
    pub answer_after_sleep: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            look: Duration::from_secs(1),
            ping: Duration::from_secs(10),
            answer: Duration::from_secs(25),
            answer_after_sleep: Duration::from_secs(5),
        }
    }
}

/// What two clocks say.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// Since some moment. Stands still while the machine sleeps, on most systems.
    pub running: Duration,
    /// Unix seconds.
    pub wall: f64,
}

/// What is to be done.
#[derive(Debug, PartialEq)]
pub enum Verdict {
    /// Nothing.
    Wait,
    /// A ping.
    Ping,
    /// The connection is given up, for this reason.
    Dead(String),
}

/// One connection, as far as it was heard of.
#[derive(Debug)]
pub struct Silence {
    pace: Pace,
    heard: Duration,
    looked: Clock,
    /// When it was pinged, and how long the answer may take.
    pinged: Option<(Duration, Duration)>,
    /// How long this machine slept before that, seconds.
    slept: Option<f64>,
}

impl Silence {
    /// A connection that was heard of just now.
    pub fn new(pace: Pace, now: Clock) -> Self {
        Self { pace, heard: now.running, looked: now, pinged: None, slept: None }
    }

    /// Something came.
    pub fn heard(&mut self, now: Clock) {
        self.heard = now.running;
        self.pinged = None;
        self.slept = None;
    }

    /// Looks at it. Call it every [`Pace::look`].
    pub fn look(&mut self, now: Clock) -> Verdict {
        let ran = now.running.saturating_sub(self.looked.running);
        let passed = (now.wall - self.looked.wall).max(ran.as_secs_f64());
        self.looked = now;
        // A look that comes late tells of this process: it was stopped, or the machine slept. What came meanwhile was not
        // taken in yet, so no silence is held against the server.
        let late = passed - self.pace.look.as_secs_f64();
        if late > 3.0 * self.pace.look.as_secs_f64() {
            self.slept = Some(late);
            self.pinged = Some((now.running, self.pace.answer_after_sleep));
            return Verdict::Ping;
        }
        match self.pinged {
            Some((at, within)) if now.running.saturating_sub(at) > within => Verdict::Dead(match self.slept {
                Some(secs) => format!("the connection did not survive the {secs:.0} s for which this machine slept"),
                None => format!("the server was silent for {} s", now.running.saturating_sub(self.heard).as_secs()),
            }),
            None if now.running.saturating_sub(self.heard) >= self.pace.ping => {
                self.pinged = Some((now.running, self.pace.answer));
                Verdict::Ping
            }
            Some(_) | None => Verdict::Wait,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks once a second from second 1 on, and gives what was done and when. `clock` says what the clocks say in a
    /// second, `answers` whether the server answers.
    fn run(secs: u64, clock: impl Fn(u64) -> Clock, answers: impl Fn(u64) -> bool) -> Vec<(u64, Verdict)> {
        let mut silence = Silence::new(Pace::default(), clock(0));
        let mut done = Vec::new();
        for second in 1..=secs {
            let verdict = silence.look(clock(second));
            if verdict == Verdict::Ping && answers(second) {
                silence.heard(clock(second));
            }
            let dead = matches!(verdict, Verdict::Dead(_));
            if verdict != Verdict::Wait {
                done.push((second, verdict));
            }
            if dead {
                break;
            }
        }
        done
    }

    fn steady(second: u64) -> Clock {
        Clock { running: Duration::from_secs(second), wall: 1_000.0 + second as f64 }
    }

    #[test]
    fn a_server_that_answers_is_asked_every_ten_seconds() {
        let done = run(35, steady, |_| true);
        assert_eq!(done.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [10, 20, 30]);
    }

    #[test]
    fn a_silent_server_is_given_up_within_36_seconds() {
        let done = run(100, steady, |_| false);
        assert_eq!(done.last().unwrap(), &(36, Verdict::Dead("the server was silent for 36 s".into())));
    }

    #[test]
    fn after_a_sleep_it_is_asked_at_once_and_given_up_within_6_seconds() {
        let slept = |second| Clock { wall: steady(second).wall + if second > 4 { 3_600.0 } else { 0.0 }, ..steady(second) };
        assert_eq!(run(9, slept, |_| true), [(5, Verdict::Ping)], "it survived");
        let done = run(60, slept, |_| false);
        let why = "the connection did not survive the 3600 s for which this machine slept";
        assert_eq!(done, [(5, Verdict::Ping), (11, Verdict::Dead(why.into()))]);
    }

    /// Stopped and continued, or with a clock that goes on in a sleep: the pong lies in the socket, unread.
    #[test]
    fn a_process_that_stood_still_holds_no_silence_against_the_server() {
        let stood =
            |second| Clock { running: Duration::from_secs(if second > 12 { second + 300 } else { second }), wall: steady(second).wall };
        let done = run(16, stood, |second| second > 12);
        assert_eq!(done, [(10, Verdict::Ping), (13, Verdict::Ping)]);
    }

    #[test]
    fn a_clock_that_is_set_changes_nothing_but_a_ping() {
        let back = |second| Clock { wall: if second > 4 { 5.0 } else { steady(second).wall }, ..steady(second) };
        assert_eq!(run(9, back, |_| true), []);
        let forward = |second| Clock { wall: steady(second).wall + if second > 4 { 86_400.0 } else { 0.0 }, ..steady(second) };
        assert_eq!(run(14, forward, |_| true), [(5, Verdict::Ping)]);
    }
}
