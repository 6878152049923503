//! Following the selection: a window loads one page at a time, and the latest wish wins.

use inspector_model::PageAt;

/// After this long without an end, seconds, a load is taken for lost.
const LOST_SECS: f64 = 3.0;

/// What a window shows, loads, and is to show.
#[derive(Debug, Default)]
pub struct Follow {
    shown: Option<PageAt>,
    /// Since when it loads, if it does.
    loading: Option<f64>,
    wanted: Option<PageAt>,
}

impl Follow {
    /// The window is to show `at`. What to load now, if anything. `now` is in seconds of any clock.
    pub fn want(&mut self, at: PageAt, now: f64) -> Option<PageAt> {
        if self.loading.is_some_and(|since| now - since < LOST_SECS) {
            self.wanted = Some(at);
            return None;
        }
        self.load(at, now)
    }

    /// A load has ended. What to load next, if anything.
    pub fn ended(&mut self, now: f64) -> Option<PageAt> {
        self.loading = None;
        let wanted = self.wanted.take()?;
        self.load(wanted, now)
    }

    /// Show it again, although it is shown already: something about it has changed.
    pub fn again(&mut self, now: f64) -> Option<PageAt> {
        let at = self.wanted.or(self.shown)?;
        self.shown = None;
        self.want(at, now)
    }

    fn load(&mut self, at: PageAt, now: f64) -> Option<PageAt> {
        self.wanted = None;
        if self.shown == Some(at) {
            return None;
        }
        self.shown = Some(at);
        self.loading = Some(now);
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use inspector_model::{Side, SourceId, StepId};

    use super::*;

    fn at(step: u64) -> PageAt {
        PageAt { source: SourceId(1), step: StepId(step), side: Side::After, compare: false }
    }

    #[test]
    fn a_moving_selection_loads_the_first_and_the_last() {
        let mut follow = Follow::default();
        assert_eq!(follow.want(at(1), 0.0), Some(at(1)));
        assert!((2..100).all(|step| follow.want(at(step), 0.1).is_none()));
        assert_eq!(follow.ended(0.2), Some(at(99)));
        assert_eq!(follow.ended(0.3), None);
    }

    #[test]
    fn what_is_shown_is_not_loaded_again_unless_it_has_changed() {
        let mut follow = Follow::default();
        assert_eq!(follow.again(0.0), None);
        let _ = follow.want(at(1), 0.0);
        assert_eq!(follow.ended(0.1), None);
        assert_eq!(follow.want(at(1), 0.2), None);
        assert_eq!(follow.again(0.3), Some(at(1)));
    }

    #[test]
    fn a_load_that_never_ends_does_not_hold_the_window() {
        let mut follow = Follow::default();
        let _ = follow.want(at(1), 0.0);
        assert_eq!(follow.want(at(2), 1.0), None);
        assert_eq!(follow.want(at(3), 3.5), Some(at(3)));
    }
}
