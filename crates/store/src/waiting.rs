//! Who must not wait for a disk. A disk may hang, and whatever shares a thread with somebody who waits for it hangs as well.

use std::cell::Cell;

thread_local! {
    static MUST_NOT: Cell<bool> = const { Cell::new(false) };
}

/// While it lives, its thread must not wait for a disk.
pub struct MustNotWait {
    before: bool,
    /// It belongs to its thread.
    _here: std::marker::PhantomData<*const ()>,
}

/// This thread must not wait for a disk from now on: what does so nevertheless panics in builds with debug assertions, which all tests are.
#[must_use]
pub fn must_not_wait() -> MustNotWait {
    MustNotWait { before: MUST_NOT.replace(true), _here: std::marker::PhantomData }
}

impl Drop for MustNotWait {
    fn drop(&mut self) {
        MUST_NOT.set(self.before);
    }
}

/// Said by whatever is about to wait for a disk, or for somebody who may do so.
#[track_caller]
pub fn waits() {
    // Of a thread that ends, whose stores are closed then, nothing is known any more.
    let must_not = MUST_NOT.try_with(Cell::get).unwrap_or(false);
    debug_assert!(!must_not, "a thread that must not wait for a disk is about to do so");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_thread_that_must_not_wait_is_stopped() {
        waits();
        let here = must_not_wait();
        drop(must_not_wait());
        assert!(std::panic::catch_unwind(waits).is_err(), "the outer one still lives");
        assert!(std::thread::Builder::new().name("other".into()).spawn(waits).unwrap().join().is_ok());
        drop(here);
        waits();
    }
}
