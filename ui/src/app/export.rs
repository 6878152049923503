//! The export dialog: what of which recording is written, as what, what is kept back, and how far it is.

use inspector_model::{
    DesktopRequest, ErrorCode, ExportFormat, ExportOptions, ExportPreview, Failure, RecordingId, Redaction, Request, RequestId, Scope,
    Secret, Selection, SessionId, StepId,
};

use super::engine::{Engine, Purpose};
use super::model::Model;
use super::slot::Slot;
use crate::format;

/// What the user wants of it.
#[derive(Clone, Debug)]
pub enum ExportWish {
    /// Open it for a recording of the library.
    Recording(RecordingId),
    /// Something was chosen.
    Draft(Box<Draft>),
    /// Write the file; where there are dialogs ask where to first.
    Write,
    /// Choose something else.
    Again,
    /// Close it. What is being written is written on.
    Close,
}

/// Which steps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Which {
    /// All of them.
    #[default]
    All,
    /// Those of one page.
    Page(SessionId),
    /// One.
    Step(StepId),
    /// Those of the range that is selected on the timeline: first and last.
    Brushed(StepId, StepId),
    /// From [`Draft::first`] to [`Draft::last`].
    Range,
}

/// A choice of steps, as far as there is something to choose.
#[derive(Clone, Debug)]
pub struct Offer {
    /// Which.
    pub which: Which,
    /// In words.
    pub words: String,
}

/// What is chosen, as it stands in the dialog.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// As what.
    pub format: ExportFormat,
    /// Which steps.
    pub which: Which,
    /// First step of [`Which::Range`].
    pub first: u64,
    /// Last step of [`Which::Range`].
    pub last: u64,
    /// Nothing is kept back.
    pub off: bool,
    /// The user knows what that means.
    pub confirmed: bool,
    /// E-mail addresses are kept back too.
    pub emails: bool,
    /// Further names, as typed.
    pub names: String,
    /// Further places, as typed.
    pub paths: String,
    /// Where to write, as typed.
    pub path: String,
    /// What a recording file is encrypted with, if anything, and once more.
    pub passphrase: Secret,
    /// See there.
    pub again: Secret,
}

/// How far it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Stage {
    /// Something is being chosen.
    #[default]
    Choosing,
    /// It was not written, and why.
    Failed(Failure),
    /// The desktop's dialog is open.
    Asking,
    /// It is being written to this file.
    Writing(RequestId, String),
    /// It was written: what the engine says, and the file.
    Written(String, String),
}

/// The open dialog.
pub struct Export {
    /// Which recording.
    pub recording: RecordingId,
    /// What it is called.
    pub title: String,
    /// Its steps when the dialog was opened.
    pub steps: u64,
    /// What can be chosen of it.
    pub offers: Vec<Offer>,
    /// What is chosen.
    pub draft: Draft,
    /// What would be in the file and what would be kept back.
    pub preview: Slot<(RecordingId, ExportOptions), ExportPreview>,
    /// How far it is.
    pub stage: Stage,
}

impl Draft {
    /// For the engine.
    pub fn options(&self) -> ExportOptions {
        let (first, last) = match self.which {
            Which::All | Which::Page(_) => (None, None),
            Which::Step(step) => (Some(step), Some(step)),
            Which::Brushed(first, last) => (Some(first), Some(last)),
            Which::Range => (Some(StepId(self.first)), Some(StepId(self.last))),
        };
        let session = if let Which::Page(session) = &self.which { Some(session.clone()) } else { None };
        ExportOptions {
            format: self.format,
            selection: Selection { first, last, session },
            redaction: Redaction { off: self.off, emails: self.emails, names: words(&self.names), paths: words(&self.paths) },
            // What is in it does not depend on that.
            passphrase: None,
        }
    }

    /// What the file is to be encrypted with.
    fn sealed_with(&self) -> Option<Secret> {
        (self.format == ExportFormat::Recording && !self.passphrase.is_empty()).then(|| self.passphrase.clone())
    }
}

/// What was typed, apart from each other.
fn words(text: &str) -> Vec<String> {
    text.split([',', ' ', '\n', '\t']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

impl Export {
    /// For a recording, with what can be chosen of it now.
    fn new(model: &Model, recording: RecordingId) -> Self {
        let info = model.recordings.iter().find(|info| info.id == recording);
        let mut export = Self {
            title: info.map(|info| info.title.clone()).unwrap_or_default(),
            steps: info.map_or(0, |info| info.steps),
            recording,
            offers: Vec::new(),
            draft: Draft::default(),
            preview: Slot::default(),
            stage: Stage::default(),
        };
        let mut offer = |which, words: String| export.offers.push(Offer { which, words });
        offer(Which::All, "The whole recording".to_owned());
        let open = model.timeline().filter(|timeline| timeline.source().recorder.recording.as_ref() == Some(&export.recording));
        if let Some(timeline) = open {
            export.title.clone_from(&timeline.source().title);
            export.steps = timeline.steps().len() as u64;
            // What else is chosen in the window joins the offers here.
            if let Scope::Session(session) | Scope::View(session, _) = &model.scope
                && let Some(page) = timeline.sessions().get(session)
            {
                let path = page.path.as_deref().unwrap_or_default();
                offer(Which::Page(session.clone()), format::clip(&format!("The shown page: {} {path}", page.user_name()), 60));
            }
            if let Some((first, last)) = model.brushed() {
                offer(Which::Brushed(first, last), format!("The selected range: steps {first} to {last}"));
            }
            if let Some(step) = model.step() {
                let name = if step.name.is_empty() { step.kind.label() } else { &step.name };
                offer(Which::Step(step.id), format::clip(&format!("The selected step: {} {name}", step.id), 60));
            }
        }
        if export.steps > 0 {
            offer(Which::Range, "Steps".to_owned());
        }
        (export.draft.first, export.draft.last) = (1, export.steps.max(1));
        export
    }

    /// Why no file can be written now, if so.
    pub fn missing(&self, asks_where: bool) -> Option<String> {
        if matches!(self.preview.shown(), Some((_, Err(_), true))) {
            return Some("It cannot be written so".to_owned());
        }
        if self.preview.current().is_none() {
            return Some("What would be in it is being looked through".to_owned());
        }
        if self.draft.off && !self.draft.confirmed {
            return Some("Say that you want it so".to_owned());
        }
        if self.draft.sealed_with().is_some_and(|passphrase| passphrase != self.draft.again) {
            return Some("The two passphrases are not the same".to_owned());
        }
        (!asks_where && self.draft.path.trim().is_empty()).then(|| "Type where to write it".to_owned())
    }

    /// What of the chosen steps is left out, if so.
    pub fn cut(&self) -> Option<String> {
        let most = self.draft.format.most_steps().filter(|_| self.draft.format != ExportFormat::BugCapture)?;
        let steps = self.preview.current()?.steps;
        (steps > most).then(|| format!("Only the first {} of {} steps will be in it", format::count(most), format::count(steps)))
    }

    /// The request that writes, while it does.
    pub const fn writing(&self) -> Option<RequestId> {
        if let Stage::Writing(id, _) = self.stage { Some(id) } else { None }
    }

    /// Takes in that a file could not be written.
    pub fn failed(&mut self, failure: Failure) {
        // Whoever cancelled it knows.
        self.stage = if failure.code == ErrorCode::Cancelled { Stage::Choosing } else { Stage::Failed(failure) };
    }

    /// A name to begin with.
    fn suggested(&self) -> String {
        let name: String = self.title.chars().map(|c| if c.is_alphanumeric() || c == '-' { c } else { '_' }).take(60).collect();
        let name = name.trim_matches('_');
        format!("{}.{}", if name.is_empty() { "recording" } else { name }, self.draft.format.extension())
    }
}

/// Opens the dialog for the recording that is looked at; with `step` for the selected step alone.
pub fn open_current(model: &mut Model, step: bool) {
    let recording = model.timeline().and_then(|timeline| timeline.source().recorder.recording.clone());
    let Some(recording) = recording else { return };
    let mut export = Export::new(model, recording);
    if let Some(step) = model.selected.filter(|_| step) {
        export.draft.which = Which::Step(step);
        export.draft.format = ExportFormat::Html;
    }
    model.export = Some(export);
}

/// Does what the user wants.
pub fn wish(engine: &mut Engine, model: &mut Model, wish: ExportWish, now: f64) {
    match wish {
        ExportWish::Recording(recording) => model.export = Some(Export::new(model, recording)),
        ExportWish::Close => {
            // Nobody looks at the preview any more.
            stop_looking(engine, model, now, |_| true);
            model.export = None;
        }
        ExportWish::Draft(draft) => {
            if let Some(export) = &mut model.export {
                export.draft = *draft;
                if matches!(export.stage, Stage::Failed(_)) {
                    export.stage = Stage::Choosing;
                }
            }
        }
        ExportWish::Again => {
            if let Some(export) = &mut model.export {
                export.stage = Stage::Choosing;
            }
        }
        ExportWish::Write => {
            let Some(export) = &mut model.export else { return };
            if model.desktop.dialogs {
                export.stage = Stage::Asking;
                let request = Request::Desktop(DesktopRequest::PickFileToSave { suggested: export.suggested() });
                engine.ask(model, request, Purpose::PickToExport, now);
            } else {
                let path = export.draft.path.trim().to_owned();
                write(engine, model, path.into(), now);
            }
        }
    }
}

/// Writes the file.
pub fn write(engine: &mut Engine, model: &mut Model, path: std::path::PathBuf, now: f64) {
    let Some(export) = &model.export else { return };
    let shown = path.display().to_string();
    let options = ExportOptions { passphrase: export.draft.sealed_with(), ..export.draft.options() };
    let request = Request::Export { recording: export.recording.clone(), options, path };
    let id = engine.ask(model, request, Purpose::Export, now);
    if let Some(export) = &mut model.export {
        export.stage = id.map_or(Stage::Choosing, |id| Stage::Writing(id, shown));
    }
}

/// Asks for the preview of what is chosen. One is on its way at most; when that is of what is no longer chosen, it is stopped.
pub fn pull(engine: &mut Engine, model: &mut Model, now: f64) {
    let Some(export) = &mut model.export else { return };
    if matches!(export.stage, Stage::Asking | Stage::Writing(..) | Stage::Written(..)) {
        return;
    }
    let mut options = export.draft.options();
    // It is the same for all formats that hold everything.
    if options.format.most_steps().is_none() {
        options.format = ExportFormat::Recording;
    }
    export.preview.want(Some((export.recording.clone(), options)));
    engine.fill(&mut export.preview, |(recording, options)| Request::PreviewExport { recording, options });
    stop_looking(engine, model, now, Slot::is_stale);
}

/// Stops the preview that is under way, if it is long work by now and `unwanted`.
fn stop_looking(
    engine: &mut Engine,
    model: &mut Model,
    now: f64,
    unwanted: impl FnOnce(&Slot<(RecordingId, ExportOptions), ExportPreview>) -> bool,
) {
    let Some(export) = &mut model.export else { return };
    let work = model.work.iter().find(|work| work.request.is_some_and(|id| export.preview.awaits(id)));
    let Some(work) = work.map(|work| work.id).filter(|_| unwanted(&export.preview)) else { return };
    if model.stopping.insert(work) {
        engine.ask(model, Request::Cancel(work), Purpose::Quiet, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_told_apart() {
        let draft = Draft { names: " pin,  phone".into(), paths: "rows[*].note\n*.iban".into(), emails: true, ..Draft::default() };
        let redaction = draft.options().redaction;
        assert_eq!(redaction.names, ["pin", "phone"]);
        assert_eq!(redaction.paths, ["rows[*].note", "*.iban"]);
        assert!(redaction.emails && !redaction.off);
    }

    #[test]
    fn a_choice_of_steps_is_a_selection() {
        let of = |which| Draft { which, first: 3, last: 9, ..Draft::default() }.options().selection;
        assert_eq!(of(Which::All), Selection::default());
        assert_eq!(of(Which::Range), Selection { first: Some(StepId(3)), last: Some(StepId(9)), session: None });
        assert_eq!(of(Which::Step(StepId(5))), Selection { first: Some(StepId(5)), last: Some(StepId(5)), session: None });
        assert_eq!(of(Which::Brushed(StepId(4), StepId(6))), Selection { first: Some(StepId(4)), last: Some(StepId(6)), session: None });
        assert_eq!(of(Which::Page("s".into())).session, Some("s".into()));
    }
}
