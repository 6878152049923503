//! What reads: states, diffs, details, pages. Runs on tokio's blocking pool.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use inspector_diff::Options;
use inspector_model::{
    Answer, ChangedNode, ErrorCode, ExportOptions, Failure, Found, Frame, PageShell, Path, PathHistory, RecordedPage, RecordingId, Scope,
    SearchOptions, SessionId, Side, SourceKind, StateAnswer, StepId, grouped,
};
use inspector_protocol::changed_nodes;
use inspector_share::ShareError;
use inspector_store::{Progress, Store, StoreError};
use inspector_tape::Document;

use crate::intake::assign_notes;
use crate::source::SourceShared;

/// How long a diff that a person asked for may take before it is cut short: within what feels like at once.
const DIFF_DEADLINE: Duration = Duration::from_millis(100);

/// Values of a path's history that are told, before and after the step that is asked about, and how long they may take.
const VALUES_BEFORE: usize = 48;
const VALUES_AFTER: usize = 16;
const VALUES_BUDGET: Duration = Duration::from_millis(50);

/// How long one part of a search takes: first hits come soon, and whoever types on waits for no more than this.
const SEARCH_BUDGET: Duration = Duration::from_millis(15);

/// Changed nodes of a page that are told; more are the whole page.
const MAX_CHANGED: usize = 2_000;

/// Everything about a step.
pub fn detail(source: &SourceShared, step: StepId) -> Result<Answer, Failure> {
    source.reader.detail(step).map(|detail| Answer::Detail(Box::new(detail))).map_err(|error| failed(&error))
}

/// One end of a step.
pub fn state(source: &SourceShared, step: StepId, side: Side) -> Result<Answer, Failure> {
    source.reader.state(step, side).map(Answer::State).map_err(|error| failed(&error))
}

/// The page at one end of a step.
pub fn html(source: &SourceShared, step: StepId, side: Side) -> Result<Answer, Failure> {
    source.reader.html(step, side).map(|html| Answer::Html(html.map(|text| text.to_string()))).map_err(|error| failed(&error))
}

/// The page at one end of a step, with what surrounds it and what the step changed.
pub fn page(source: &SourceShared, step: StepId, side: Side) -> Result<RecordedPage, Failure> {
    let about = source.step(step).ok_or_else(|| Failure::new(ErrorCode::NotFound, format!("there is no step {step}")))?;
    let session = about.session.ok_or_else(|| Failure::new(ErrorCode::Missing, format!("step {step} belongs to no page")))?;
    let html = source.reader.html(step, side).map_err(|error| failed(&error))?.ok_or_else(|| {
        Failure::new(ErrorCode::Missing, format!("no render of the page was seen until step {step}"))
            .hint("the page of a step is there from the first render on that the inspector saw")
    })?;
    // A page without its surroundings is still worth showing.
    let shell = shell(source, &session).unwrap_or_else(|error| {
        tracing::warn!(%error, "a page is shown without what surrounds it");
        None
    });
    let changed = match side {
        Side::Before => Vec::new(),
        Side::After => changed(source.reader.detail(step).map_err(|error| failed(&error))?.frames),
    };
    let info = source.info.lock();
    let server = match &info.kind {
        SourceKind::Live { url } if info.is_attached() => origin(url),
        SourceKind::Live { .. } | SourceKind::Recording => None,
    };
    drop(info);
    Ok(RecordedPage { html, shell: shell.map(Arc::new), changed, server })
}

/// What surrounds a page.
fn shell(source: &SourceShared, id: &SessionId) -> Result<Option<PageShell>, StoreError> {
    let connections = inspector_share::connections(source.sessions.read().values(), id);
    inspector_share::shell(&source.reader, &connections)
}

/// The nodes that a step's outgoing frames changed, each once.
fn changed(frames: Vec<Frame>) -> Vec<ChangedNode> {
    let mut seen = HashSet::new();
    let out = frames.into_iter().filter(|frame| frame.dir == "out");
    out.flat_map(|frame| changed_nodes(&frame.text)).filter(|node| seen.insert(node.clone())).take(MAX_CHANGED).collect()
}

/// `http://host:1/path` → `http://host:1`.
fn origin(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next().filter(|host| !host.is_empty())?;
    matches!(scheme, "http" | "https").then(|| format!("{scheme}://{host}"))
}

/// What differs between two ends of steps.
pub fn diff(from: (&SourceShared, StepId, Side), to: (&SourceShared, StepId, Side)) -> Result<Answer, Failure> {
    let before = document(from)?;
    let after = document(to)?;
    let notes =
        to.0.step(to.1)
            .and_then(|step| step.session.map(|session| (session, step.view)))
            .map(|stream| assign_notes(to.0, &stream))
            .unwrap_or_default();
    let options = Options { deadline: DIFF_DEADLINE, temporary_assigns: &notes.0, static_assigns: &notes.1 };
    Ok(Answer::Diff(Box::new(inspector_diff::diff_documents(&before, &after, &options))))
}

/// When the value at a path changed.
pub fn history(source: &SourceShared, step: StepId, side: Side, path: &Path, scope: &Scope) -> Result<Answer, Failure> {
    let reader = &source.reader;
    let answer = || {
        let place = reader.place(step, side, path)?;
        let steps = reader.changes(&place, scope)?;
        let here = steps.partition_point(|changed| *changed <= step);
        let near = here.saturating_sub(VALUES_BEFORE)..(here + VALUES_AFTER).min(steps.len());
        let path = place.path();
        let values = reader.values(&path, &steps[near], VALUES_BUDGET)?;
        Ok(Answer::History(PathHistory { place: path, count: steps.len() as u64, steps, values }))
    };
    answer().map_err(|error| failed(&error))
}

/// Where a text is, from a step on.
pub fn search(source: &SourceShared, options: SearchOptions, from: StepId) -> Result<Answer, Failure> {
    let mut search = source.reader.search_on(options, from);
    let hits = search.run(SEARCH_BUDGET).map_err(|error| failed(&error))?;
    Ok(Answer::Found(Found { hits, next: search.next(), progress: search.progress() }))
}

fn document((source, step, side): (&SourceShared, StepId, Side)) -> Result<Arc<Document>, Failure> {
    match source.reader.state(step, side).map_err(|error| failed(&error))? {
        StateAnswer::Full(text) => Document::new(text).map(Arc::new).map_err(|error| Failure::new(ErrorCode::Missing, error.to_string())),
        StateAnswer::Missing(why) => {
            let end = if side == Side::Before { "before" } else { "after" };
            Err(Failure::new(ErrorCode::Missing, format!("there is no state {end} step {step}: {why}")))
        }
    }
}

/// What an export would hold and keep back.
pub fn preview_export(store: &Store, recording: &RecordingId, options: &ExportOptions, progress: Progress<'_>) -> Result<Answer, Failure> {
    let reader = store.read(recording).map_err(|error| failed(&error))?;
    let preview = inspector_share::preview(&reader, options, progress).map_err(|error| not_shared(&error))?;
    Ok(Answer::ExportPreview(Box::new(preview)))
}

/// Writes a recording, or some of its steps, to a file.
pub fn export(
    store: &Store,
    recording: &RecordingId,
    options: &ExportOptions,
    path: &std::path::Path,
    progress: Progress<'_>,
) -> Result<Answer, Failure> {
    let reader = store.read(recording).map_err(|error| failed(&error))?;
    let exported = inspector_share::export(&reader, options, path, progress).map_err(|error| not_shared(&error))?;
    let kept_back = match exported.preview.total() {
        0 => String::new(),
        1 => ", 1 value redacted".to_owned(),
        more => format!(", {} values redacted", grouped(&more.to_string(), ',')),
    };
    let bytes = grouped(&exported.bytes.to_string(), ',');
    Ok(Answer::Done(format!("Written, {bytes} bytes{kept_back}: {}", path.display())))
}

/// Why nothing was shared, as an answer.
pub fn not_shared(error: &ShareError) -> Failure {
    match error {
        ShareError::Store(error) => failed(error),
        ShareError::Leak { .. } => Failure::new(ErrorCode::Leak, error.to_string())
            .hint("name the place or the value's name in the redaction, or select other steps"),
        ShareError::Cancelled => Failure::new(ErrorCode::Cancelled, error.to_string()),
        ShareError::Io(_) | ShareError::Encode(_) | ShareError::Rules(_) => Failure::new(ErrorCode::Io, error.to_string()),
        ShareError::Nothing { .. }
        | ShareError::Unsuited(_)
        | ShareError::Path(_)
        | ShareError::BugCapture(_)
        | ShareError::StoredBugCapture => Failure::new(ErrorCode::BadRequest, error.to_string()),
    }
}

/// A store's error as an answer.
pub fn failed(error: &StoreError) -> Failure {
    let code = match error {
        StoreError::TooNew { .. } => ErrorCode::RecordingTooNew,
        StoreError::NotARecording { .. } => ErrorCode::RecordingDamaged,
        StoreError::Locked { .. } => ErrorCode::StoreLocked,
        StoreError::Cancelled => ErrorCode::Cancelled,
        StoreError::PassphraseNeeded { .. } | StoreError::WrongPassphrase { .. } => ErrorCode::PassphraseNeeded,
        _ => ErrorCode::Io,
    };
    let failure = Failure::new(code, error.to_string());
    match error {
        StoreError::PassphraseNeeded { path } if path.is_file() => {
            failure.hint("open it in the window, or with `djust-inspector import` in a terminal, which both ask for it")
        }
        _ => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_of_a_server_is_where_its_files_are() {
        let of = |url| origin(url);
        assert_eq!(of("http://127.0.0.1:8000").as_deref(), Some("http://127.0.0.1:8000"));
        assert_eq!(of("https://shop.test/ws/live/?x#y").as_deref(), Some("https://shop.test"));
        assert_eq!([of("starting"), of("file:///etc"), of("http:///x")], [None, None, None]);
    }

    #[test]
    fn only_what_goes_out_changes_the_page_and_each_node_is_told_once() {
        let frame = |dir: &str, path: u32| Frame {
            dir: dir.into(),
            text: format!(r#"{{"type":"patch","patches":[{{"type":"SetText","path":[{path}],"text":"x"}}]}}"#),
            ..Frame::default()
        };
        let paths: Vec<_> =
            changed(vec![frame("in", 1), frame("out", 2), frame("out", 3), frame("out", 2)]).into_iter().map(|node| node.path).collect();
        assert_eq!(paths, [vec![2], vec![3]]);
    }
}
