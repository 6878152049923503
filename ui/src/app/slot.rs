//! One pulled value: what is wanted, what is on its way, what is shown meanwhile.

use inspector_model::{Failure, RequestId};

/// A value that is asked for by key. At most one request is on its way; the latest wish wins; the old value stays until the new one is there.
#[derive(Debug)]
pub struct Slot<K, T> {
    wanted: Option<K>,
    asked: Option<(RequestId, K)>,
    value: Option<(K, Result<T, Failure>)>,
}

impl<K, T> Default for Slot<K, T> {
    fn default() -> Self {
        Self { wanted: None, asked: None, value: None }
    }
}

impl<K: Clone + PartialEq, T> Slot<K, T> {
    /// Says what is looked at now. `None` when nothing is.
    pub fn want(&mut self, key: Option<K>) {
        self.wanted = key;
    }

    /// What has to be asked for now, if anything: nothing while an answer is on its way.
    pub fn due(&self) -> Option<&K> {
        let wanted = self.wanted.as_ref()?;
        let have = self.value.as_ref().is_some_and(|(key, _)| key == wanted);
        (self.asked.is_none() && !have).then_some(wanted)
    }

    /// Notes that `key` was asked for.
    pub fn asked(&mut self, id: RequestId, key: K) {
        self.asked = Some((id, key));
    }

    /// Notes that `key` could not be asked for.
    pub fn refused(&mut self, key: K, failure: Failure) {
        self.value = Some((key, Err(failure)));
    }

    /// Notes a value that came by another way.
    pub fn have(&mut self, key: K, value: T) {
        self.value = Some((key, Ok(value)));
    }

    /// Whether `id` is the request that is on its way.
    pub fn awaits(&self, id: RequestId) -> bool {
        self.asked.as_ref().is_some_and(|(asked, _)| *asked == id)
    }

    /// Whether what is on its way is not what is looked at any more.
    pub fn is_stale(&self) -> bool {
        self.asked.as_ref().is_some_and(|(_, key)| self.wanted.as_ref() != Some(key))
    }

    /// Notes that what was on its way will not come, and is not wanted.
    pub fn dropped(&mut self) {
        self.asked = None;
    }

    /// Takes an answer in.
    pub fn answered(&mut self, value: Result<T, Failure>) {
        if let Some((_, key)) = self.asked.take() {
            self.value = Some((key, value));
        }
    }

    /// What to draw: the value, and whether it is the wanted one (else it is drawn dimmed).
    pub fn shown(&self) -> Option<(&K, &Result<T, Failure>, bool)> {
        let (key, value) = self.value.as_ref()?;
        Some((key, value, self.wanted.as_ref() == Some(key)))
    }

    /// The wanted value, once it is there.
    pub fn current(&self) -> Option<&T> {
        match self.shown() {
            Some((_, Ok(value), true)) => Some(value),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_wish_wins_and_one_request_flies() {
        let mut slot: Slot<u32, &str> = Slot::default();
        slot.want(Some(1));
        assert_eq!(slot.due(), Some(&1));
        slot.asked(RequestId(1), 1);
        for key in 2..9 {
            slot.want(Some(key));
            assert_eq!(slot.due(), None);
        }
        slot.answered(Ok("one"));
        assert_eq!(slot.shown().map(|(key, _, current)| (*key, current)), Some((1, false)));
        assert_eq!(slot.due(), Some(&8));
        slot.asked(RequestId(2), 8);
        slot.answered(Ok("eight"));
        assert_eq!(slot.current(), Some(&"eight"));
        assert_eq!(slot.due(), None);
    }
}
