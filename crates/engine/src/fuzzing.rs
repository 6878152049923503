//! What fuzzing reaches of the engine: frames without a socket, discovery files without a server. No part of its interface.

use std::sync::Arc;

use inspector_model::{Breakpoint, RecorderStatus, RecordingId, Source, SourceId, SourceKind, SourceState};
use inspector_protocol::{Body, CommandResult, Discovered, decode};
use inspector_store::{Store, StoreError};
use parking_lot::{Mutex, RwLock};

use crate::breakpoints::Breakpoints;
use crate::intake::{Intake, Wishes};
use crate::source::SourceShared;
use crate::{attachment, discovery};

/// Takes frames in as an attachment does, and gives the recording that was made of them.
pub fn take_in<'a>(store: &Store, frames: impl IntoIterator<Item = &'a str>) -> Result<RecordingId, StoreError> {
    let recorder = store.create("fuzzing", 1.0, "1.2.6")?;
    let id = recorder.id().clone();
    let info = Source {
        id: SourceId(1),
        kind: SourceKind::Live { url: "http://127.0.0.1:1".into() },
        state: SourceState::Attached,
        title: "fuzzing".into(),
        server: None,
        access: None,
        recorder: RecorderStatus::default(),
    };
    let source = Arc::new(SourceShared::new(info, recorder.reader()));
    let watching = ["count > 1", "changed(items)", "len(rows) > 2 and user.name == 'x'"];
    let all = watching.map(|condition| Breakpoint { condition: condition.to_owned(), on: true }).to_vec();
    let breakpoints = RwLock::new(Breakpoints::new(all).unwrap_or_default());
    let wishes = Arc::new(Wishes { keep: Mutex::default(), breakpoints });
    let mut intake = Intake::new(source, Arc::default(), recorder, wishes);
    for text in frames {
        match decode(text).map(|frame| frame.body) {
            Ok(Body::Welcome(welcome)) => intake.welcome(&welcome, 2.0),
            Ok(Body::Answer { result: Ok(result), .. }) => drop(serde_json::from_str::<CommandResult>(result.get())),
            _ => intake.frame(text, 3.0),
        }
        drop(intake.resume_points());
    }
    intake.finish(4.0);
    Ok(id)
}

/// What a discovery file says, and the address that would be connected to.
pub fn discovered(text: &str) -> Option<(Discovered, Result<String, String>)> {
    let server = discovery::understood(text)?;
    let address = attachment::address_of(&server.url, server.ws_path.as_deref());
    Some((server, address))
}
