//! The deadline, asked for often and read from the system seldom.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// How many questions are answered from one reading of the time.
const STRIDE: u32 = 32;

/// Says whether time is up. Once it is, it stays so.
pub(crate) struct Clock {
    end: Instant,
    asked: Cell<u32>,
    over: Cell<bool>,
}

impl Clock {
    pub(crate) fn new(limit: Duration) -> Self {
        let now = Instant::now();
        // A limit beyond what the system can represent is as good as a day.
        let end = now.checked_add(limit).unwrap_or_else(|| now + Duration::from_hours(24));
        Self { end, asked: Cell::new(0), over: Cell::new(false) }
    }

    pub(crate) fn is_over(&self) -> bool {
        if self.over.get() {
            return true;
        }
        let asked = self.asked.get();
        self.asked.set(asked.wrapping_add(1));
        if asked.is_multiple_of(STRIDE) && Instant::now() >= self.end {
            self.over.set(true);
        }
        self.over.get()
    }
}
