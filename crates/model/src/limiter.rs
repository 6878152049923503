//! djust's token bucket, computed again: what a limit did to recorded messages, and what another one would have done.
//!
//! The arithmetic is that of `djust.rate_limit.TokenBucket`; the tests hold it to cases that djust's own class has produced.

/// A bucket of tokens. A message takes one, time brings them back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TokenBucket {
    rate: f64,
    burst: f64,
    tokens: f64,
    last: Option<f64>,
}

impl TokenBucket {
    /// A full bucket that gets `rate` tokens a second and holds `burst` of them.
    pub const fn new(rate: f64, burst: f64) -> Self {
        Self { rate, burst, tokens: burst, last: None }
    }

    /// Takes a token for a message at a time, seconds. `false`: there is none, and the message is refused.
    pub fn consume(&mut self, at: f64) -> bool {
        self.tokens = self.at(at);
        self.last = Some(at);
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return true;
        }
        false
    }

    /// The tokens that are in it at a time, if no message comes until then.
    pub fn at(&self, at: f64) -> f64 {
        // djust's clock never goes back; a recorded one may.
        let elapsed = self.last.map_or(0.0, |last| (at - last).max(0.0));
        self.burst.min(self.tokens + elapsed * self.rate)
    }

    /// The tokens after the last message.
    pub const fn tokens(&self) -> f64 {
        self.tokens
    }
}

/// The limits of one page's messages, as in djust's `rate_limit`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Tokens a second.
    pub rate: f64,
    /// Tokens that the bucket holds.
    pub burst: f64,
    /// The page is closed at this many refused messages.
    pub max_warnings: u32,
}

impl Limits {
    /// What djust's readers take where the setting says nothing.
    pub const DEFAULT: Self = Self { rate: 100.0, burst: 20.0, max_warnings: 3 };

    /// Plays the messages of one page, by their times in order. `visit` is told of each that reaches the page: its number, the
    /// tokens that it finds, and whether it passes.
    pub fn play(&self, times: impl IntoIterator<Item = f64>, mut visit: impl FnMut(usize, f64, bool)) -> Played {
        let mut bucket = TokenBucket::new(self.rate, self.burst);
        let mut played = Played { messages: 0, refused: 0, first: None, closed: None, lowest: self.burst };
        for (number, at) in times.into_iter().enumerate() {
            played.messages += 1;
            if played.closed.is_some() {
                continue;
            }
            let found = bucket.at(at);
            let passes = bucket.consume(at);
            played.lowest = played.lowest.min(bucket.tokens());
            if !passes {
                played.refused += 1;
                played.first.get_or_insert(number);
                if played.refused >= self.max_warnings {
                    played.closed = Some(number);
                }
            }
            visit(number, found, passes);
        }
        played
    }
}

/// What limits did to the messages of a page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Played {
    /// Messages in all.
    pub messages: usize,
    /// Refused ones, up to the one that closes the page.
    pub refused: u32,
    /// The number of the first that is refused.
    pub first: Option<usize>,
    /// The number of the one that closes the page: those after it do not reach it.
    pub closed: Option<usize>,
    /// The fewest tokens.
    pub lowest: f64,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Case {
        rate: f64,
        burst: f64,
        times: Vec<f64>,
        passed: Vec<bool>,
        tokens: Vec<f64>,
    }

    /// Every number is exactly that of djust's own class, which counted from 1000 on.
    #[test]
    fn it_counts_as_djust_does() {
        let cases: Vec<Case> = serde_json::from_str(include_str!("limiter_cases.json")).unwrap();
        assert!(cases.len() >= 9);
        for case in cases {
            let mut bucket = TokenBucket::new(case.rate, case.burst);
            bucket.last = Some(1000.0);
            for ((at, passed), tokens) in case.times.iter().zip(&case.passed).zip(&case.tokens) {
                assert_eq!(bucket.consume(1000.0 + at), *passed, "{} {} at {at}", case.rate, case.burst);
                assert_eq!(bucket.tokens().to_bits(), tokens.to_bits(), "{} {} at {at}", case.rate, case.burst);
            }
        }
    }

    #[test]
    fn the_page_is_closed_at_the_last_warning_and_later_messages_do_not_reach_it() {
        let limits = Limits { rate: 1.0, burst: 2.0, max_warnings: 3 };
        let mut seen = Vec::new();
        let played = limits.play([0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 9.0, 9.5], |number, found, passes| seen.push((number, found, passes)));
        let expected = [(0, 2.0, true), (1, 1.0, true), (2, 0.0, false), (3, 1.0, true), (4, 0.0, false), (5, 0.0, false)];
        assert_eq!(seen, expected);
        assert_eq!(played, Played { messages: 8, refused: 3, first: Some(2), closed: Some(5), lowest: 0.0 });
    }

    #[test]
    fn a_clock_that_goes_back_brings_nothing_and_takes_nothing() {
        let mut bucket = TokenBucket::new(10.0, 2.0);
        assert!(bucket.consume(5.0) && bucket.consume(4.0));
        assert!(!bucket.consume(4.05));
    }

    proptest! {
        /// More never refuses more, and tokens stay between none and the burst.
        #[test]
        fn larger_limits_refuse_no_more(gaps in proptest::collection::vec(0.0..0.5f64, 1..60), rate in 0.1..20.0f64, burst in 1.0..9.0f64) {
            let times: Vec<f64> = gaps.iter().scan(0.0, |at, gap| { *at += gap; Some(*at) }).collect();
            let play = |rate, burst| Limits { rate, burst, max_warnings: u32::MAX }.play(times.iter().copied(), |_, found, _| {
                assert!((0.0..=burst).contains(&found));
            });
            let less = play(rate, burst);
            prop_assert!(play(rate * 1.5, burst).refused <= less.refused);
            prop_assert!(play(rate, burst + 1.0).refused <= less.refused);
        }
    }
}
