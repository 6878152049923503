//! What is known of the server and of pages, as it is stored. One that cannot be read costs no more than itself.

use inspector_model::{Configuration, Phase, ServerInfo, Session, Transport};
use serde::de::DeserializeOwned;

use crate::error::StoreError;
use crate::key;
use crate::marks;
use crate::piece::{self, Growth};
use crate::source::Source;

/// What a page says whose description cannot be read.
const UNREADABLE: &str = "(its description cannot be read)";

/// A description by itself.
pub(crate) fn parse<T: DeserializeOwned>(value: &[u8]) -> Option<T> {
    serde_json::from_slice(&piece::unpack_record(value).ok()?).ok()
}

/// Reads the descriptions of pages, as many as are those of a recording.
#[derive(Default)]
pub(crate) struct Pages {
    growth: Growth,
    /// Nothing more is unpacked.
    is_over: bool,
}

impl Pages {
    /// The page whose description is stored under a key.
    pub(crate) fn parse(&mut self, name: &[u8], value: &[u8]) -> Session {
        self.read(value).unwrap_or_else(|| Session {
            id: String::from_utf8_lossy(name.get(1..).unwrap_or_default()).into_owned().into(),
            phase: Phase::Closed,
            client: None,
            user: None,
            django_session: None,
            user_agent: None,
            path: Some(UNREADABLE.to_owned()),
            view: None,
            children: Vec::new(),
            pid: None,
            opened: 0.0,
            close: None,
            succeeds: None,
            transport: Transport::default(),
        })
    }

    /// The page, if its description can be read.
    fn read(&mut self, value: &[u8]) -> Option<Session> {
        if self.is_over {
            return None;
        }
        let json = piece::unpack_record(value).ok()?;
        self.is_over = self.growth.note(value.len(), json.len()).is_err();
        if self.is_over { None } else { serde_json::from_slice(&json).ok() }
    }
}

/// What cannot be read of a recording beside its steps, in words.
pub(crate) fn unreadable(source: &Source) -> Result<Vec<String>, StoreError> {
    let mut what = Vec::new();
    if source.get(&[key::SERVER])?.is_some_and(|value| parse::<ServerInfo>(&value).is_none()) {
        what.push("the description of the server cannot be read".to_owned());
    }
    if source.get(&[key::CONFIG])?.is_some_and(|value| parse::<Configuration>(&value).is_none()) {
        what.push("the configuration cannot be read".to_owned());
    }
    let (mut pages, mut count) = (Pages::default(), 0);
    source.each(&[key::SESSION], |_, value| {
        count += usize::from(pages.read(value).is_none());
        Ok(true)
    })?;
    if count > 0 {
        what.push(format!("the descriptions of {count} pages cannot be read"));
    }
    let notes = marks::read(source)?.values().filter(|note| *note == marks::UNREADABLE).count();
    if notes > 0 {
        what.push(format!("the notes of {notes} bookmarks cannot be read"));
    }
    Ok(what)
}
