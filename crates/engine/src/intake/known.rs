//! The keys of steps that were recorded: what is delivered again is known by them.
//!
//! An agent counts: `4f1c…-1`, `4f1c…-2`. A set of such keys is a few ranges of numbers, however many steps there are; kept
//! one by one they would be the largest thing in memory. Other keys are kept as they are.

use std::collections::{BTreeMap, HashMap, HashSet};

/// Keys without bound in time, but not in memory.
#[derive(Debug, Default)]
pub struct Known {
    /// By what stands before the number: the first and last of each range.
    counted: HashMap<String, BTreeMap<u64, u64>>,
    others: HashSet<String>,
}

impl Known {
    /// Adds a key. `false` when it was there.
    pub fn insert(&mut self, key: &str) -> bool {
        let Some((before, number)) = split(key) else { return self.others.insert(key.to_owned()) };
        let ranges = match self.counted.get_mut(before) {
            Some(ranges) => ranges,
            None => self.counted.entry(before.to_owned()).or_default(),
        };
        let below = ranges.range(..=number).next_back().map(|(first, last)| (*first, *last));
        if below.is_some_and(|(_, last)| number <= last) {
            return false;
        }
        // What it closes a hole to becomes one with it.
        let first = below.filter(|(_, last)| last + 1 == number).map_or(number, |(first, _)| first);
        let last = number.checked_add(1).and_then(|next| ranges.remove(&next)).unwrap_or(number);
        ranges.insert(first, last);
        true
    }
}

/// A key that ends with `-` and a number as it is written, and nothing else that could be meant by it.
fn split(key: &str) -> Option<(&str, u64)> {
    let (before, digits) = key.rsplit_once('-')?;
    let plain = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    Some((before, digits.parse().ok().filter(|_| plain)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_set(keys in proptest::collection::vec(prop_oneof!["[ab]-[0-9]{1,2}", "[ab]{0,2}", "a-1844674407370955161[0-9]"], 0..200)) {
            let (mut known, mut plain) = (Known::default(), HashSet::new());
            for key in keys {
                prop_assert_eq!(known.insert(&key), plain.insert(key.clone()), "{}", key);
            }
        }
    }

    #[test]
    fn keys_that_are_counted_are_one_range_however_many_there_are() {
        let mut known = Known::default();
        // Every other one first, as with two that take turns.
        for number in (1..10_000).step_by(2).chain((2..10_000).step_by(2)) {
            assert!(known.insert(&format!("4f1c-{number}")));
        }
        assert_eq!(known.counted["4f1c"], BTreeMap::from([(1, 9_999)]));
        assert!(known.others.is_empty());
        assert!(!known.insert("4f1c-77") && known.insert("4f1c-077"), "a key is its text");
    }
}
