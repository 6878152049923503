//! What the user was told: for a moment at the corner, and for as long as the window runs in a list.

use std::collections::VecDeque;

use inspector_model::Level;

/// How long a message stays at the corner, seconds.
const TOAST_SECS: f64 = 6.0;
const ERROR_TOAST_SECS: f64 = 20.0;
/// How long it stays when the pointer has left it.
const LEFT_SECS: f64 = 2.0;
const MOST_TOASTS: usize = 5;

/// Messages that are kept: nobody reads more.
const MOST: usize = 300;

/// One message, however often it came.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// How loud.
    pub level: Level,
    /// One sentence.
    pub text: String,
    /// More lines, for instance what to do.
    pub detail: Option<String>,
    /// When it came last, Unix seconds.
    pub at: f64,
    /// How often.
    pub number: u32,
    /// Nobody has looked since.
    unread: bool,
}

/// A message at the corner.
#[derive(Clone, Debug, PartialEq)]
pub struct Toast {
    /// What it says.
    pub message: Message,
    /// When it goes away by itself, seconds of the window's clock.
    until: f64,
}

/// What the user wants of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessagesWish {
    /// It is looked at.
    Read,
    /// Forget all.
    Clear,
}

/// All messages of this run.
#[derive(Debug, Default)]
pub struct Messages {
    /// The newest first.
    all: VecDeque<Message>,
    /// The newest last.
    toasts: Vec<Toast>,
    /// The pointer is over the toasts: none goes or moves.
    held: bool,
}

impl Messages {
    /// Tells something. What was told already is told once more by its count.
    pub fn tell(&mut self, level: Level, text: String, detail: Option<String>, now: f64) {
        let same = |other: &Message| other.level == level && other.text == text && other.detail == detail;
        let place = self.all.iter().position(same);
        let toast = self.toasts.iter().position(|toast| same(&toast.message));
        let before = place.and_then(|place| self.all.remove(place)).map_or(0, |message| message.number);
        let message = Message { level, text, detail, at: now, number: before + 1, unread: level != Level::Info };
        self.all.push_front(message.clone());
        self.all.truncate(MOST);
        let until = now + if level == Level::Error { ERROR_TOAST_SECS } else { TOAST_SECS };
        match toast {
            Some(toast) => {
                // Of a toast it is counted only how often it came while it could be seen.
                let toast = &mut self.toasts[toast];
                toast.until = until;
                toast.message.number += 1;
            }
            None => self.toasts.push(Toast { message: Message { number: 1, ..message }, until }),
        }
        self.limit();
    }

    /// Takes away the toasts whose time is over, unless the pointer is over them. Says when the next one goes.
    pub fn expire(&mut self, now: f64, held: bool) -> Option<f64> {
        if held {
            self.toasts.iter_mut().for_each(|toast| toast.until = toast.until.max(now + LEFT_SECS));
        }
        self.held = held;
        self.toasts.retain(|toast| toast.until > now);
        self.limit();
        self.toasts.iter().map(|toast| toast.until).min_by(f64::total_cmp).filter(|_| !held)
    }

    fn limit(&mut self) {
        if !self.held {
            self.toasts.drain(..self.toasts.len().saturating_sub(MOST_TOASTS));
        }
    }

    /// Takes one toast away; the message stays in the list.
    pub fn dismiss(&mut self, index: usize) {
        if index < self.toasts.len() {
            self.toasts.remove(index);
        }
    }

    /// Notes that the list is looked at.
    pub fn read(&mut self) {
        self.all.iter_mut().for_each(|message| message.unread = false);
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.all.clear();
        self.toasts.clear();
    }

    /// Warnings and errors that nobody has looked at, and the loudest of them.
    pub fn unread(&self) -> (usize, Level) {
        let unread = || self.all.iter().filter(|message| message.unread);
        let loud = unread().any(|message| message.level == Level::Error);
        (unread().count(), if loud { Level::Error } else { Level::Warning })
    }

    /// All, the newest first.
    pub const fn all(&self) -> &VecDeque<Message> {
        &self.all
    }

    /// Those at the corner, the newest last.
    pub fn toasts(&self) -> &[Toast] {
        &self.toasts
    }
}

impl Message {
    /// As it is copied.
    pub fn to_text(&self) -> String {
        let times = if self.number > 1 { format!(" ({}×)", self.number) } else { String::new() };
        let detail = self.detail.as_ref().map(|detail| format!("\n{detail}")).unwrap_or_default();
        format!("{}{times}{detail}", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(messages: &Messages) -> Vec<(String, u32)> {
        messages.all().iter().map(|message| (message.text.clone(), message.number)).collect()
    }

    #[test]
    fn equal_messages_are_one_with_a_count() {
        let mut messages = Messages::default();
        for (level, text) in [(Level::Info, "a"), (Level::Warning, "b"), (Level::Info, "a"), (Level::Info, "a"), (Level::Error, "a")] {
            messages.tell(level, text.to_owned(), None, 1.0);
        }
        assert_eq!(texts(&messages), [("a".to_owned(), 1), ("a".to_owned(), 3), ("b".to_owned(), 1)]);
        let toasts: Vec<_> = messages.toasts().iter().map(|toast| (toast.message.text.as_str(), toast.message.number)).collect();
        assert_eq!(toasts, [("a", 3), ("b", 1), ("a", 1)], "a toast stays where it is");
        assert_eq!(messages.unread(), (2, Level::Error));
        messages.read();
        assert_eq!(messages.unread().0, 0);
        messages.tell(Level::Warning, "b".to_owned(), None, 2.0);
        assert_eq!(messages.unread(), (1, Level::Warning), "what comes again is new again");
    }

    #[test]
    fn toasts_go_with_time_but_not_under_the_pointer() {
        let mut messages = Messages::default();
        for number in 0..MOST_TOASTS + 3 {
            messages.tell(Level::Info, number.to_string(), None, 0.0);
        }
        assert_eq!(messages.toasts().len(), MOST_TOASTS);
        assert_eq!(messages.expire(100.0, true), None, "nothing happens by itself while the pointer is there");
        messages.tell(Level::Info, "one more".to_owned(), None, 100.0);
        assert_eq!(messages.toasts().len(), MOST_TOASTS + 1);
        assert!(messages.expire(100.5, false).is_some_and(|next| next > 101.0));
        assert_eq!(messages.toasts().len(), MOST_TOASTS);
        assert_eq!(messages.expire(200.0, false), None);
        assert!(messages.toasts().is_empty());
        assert_eq!(messages.all().len(), MOST_TOASTS + 4, "the list keeps what went");
    }

    #[test]
    fn no_more_are_kept_than_anybody_reads() {
        let mut messages = Messages::default();
        (0..MOST + 50).for_each(|number| messages.tell(Level::Warning, number.to_string(), None, 0.0));
        assert_eq!((messages.all().len(), messages.unread().0), (MOST, MOST));
        messages.clear();
        assert!(messages.all().is_empty() && messages.toasts().is_empty());
    }
}
