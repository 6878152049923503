//! Identities. Each is a type of its own, so that a step can never be asked for by a session's id. Those that are texts are short,
//! wherever they come from: see [`crate::LONGEST_ID`].

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};

use crate::limited::bounded_id;

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident($number:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $number);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(bounded_id(text.into()).into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(bounded_id(text.into()).into())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(Self::from)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number_id! {
    /// A step's number in its recording: given by the recorder, from 1, only grows, never reused.
    StepId(u64)
}
number_id! {
    /// One attached server or opened recording in this run of the inspector.
    SourceId(u32)
}
number_id! {
    /// Ties an [`crate::Answer`] to its [`crate::Request`]. Given by whoever asks.
    RequestId(u64)
}
number_id! {
    /// Long work of the engine that is under way. Never reused.
    WorkId(u64)
}
text_id! {
    /// djust's `session_id`: one WebSocket of one browser page. A reload makes a new one.
    SessionId
}
text_id! {
    /// A child view's id inside its session (`view_id`, a sticky child's `sticky_id`). The root view has none.
    ViewId
}
text_id! {
    /// A recording in the store. Safe as a file name.
    RecordingId
}
