//! Pinned values: paths that are followed through time, for every page with a view of their class.

use std::collections::HashMap;
use std::sync::Arc;

use egui::Context;
use inspector_model::{
    Answer, Failure, Holder, Path, PathHistory, PathValue, Request, RequestId, SessionId, Side, SourceId, Step, StepId, StepKind, Stream,
    Timeline, ValueAt,
};
use serde::{Deserialize, Serialize};

use super::engine::{Engine, unexpected};
use super::layout::Pane;
use super::model::{Model, Page};
use super::slot::Slot;
use crate::format;

/// Values that can be pinned.
pub const MOST: usize = 64;

/// How often the picture of a history takes new steps in, seconds.
const REFRESH: f64 = 1.0;

/// A path that is followed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Pin {
    /// The class of its view.
    pub view: String,
    /// The handler whose parameter it is; `None` is a value of the state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handler: Option<String>,
    /// The path, rows by their identity once that is known.
    pub path: Path,
    /// Where it was pinned, until its rows are known by their identity.
    #[serde(skip)]
    born: Option<(StepId, Side)>,
}

impl Pin {
    /// A value of the state at one end of a step, or a parameter of its handler, of a view of this class.
    pub fn new(view: String, handler: Option<String>, path: Path, step: StepId, side: Side) -> Self {
        Self { view, handler, path, born: Some((step, side)) }
    }

    /// Whether both follow the same.
    pub fn is_same(&self, other: &Self) -> bool {
        (&self.view, &self.handler, &self.path) == (&other.view, &other.handler, &other.path)
    }

    /// `cart.total`, `add_item(id)`.
    pub fn words(&self) -> String {
        match &self.handler {
            Some(handler) => format!("{handler}({})", self.path),
            None => self.path.to_string(),
        }
    }

    fn holder(&self, side: Side) -> Holder {
        self.handler.clone().map_or(Holder::State(side), Holder::Params)
    }
}

/// What is asked for.
#[derive(Clone, PartialEq)]
struct Asked {
    source: SourceId,
    /// Steps of the views that are looked at: with more, a value may have another next change.
    grown: usize,
    of: Vec<(Pin, ValueAt)>,
}

/// Whose history a picture is of.
type HistoryKey = (SourceId, Stream, Holder, Path);

/// A history as far as it is known.
#[derive(Clone)]
struct Known {
    history: Result<Arc<PathHistory>, Failure>,
    /// Steps of its view then.
    grown: usize,
    asked: f64,
}

/// All pinned values.
#[derive(Default)]
pub struct Pinned {
    pins: Vec<Pin>,
    values: Slot<Asked, Vec<PathValue>>,
    histories: HashMap<HistoryKey, Known>,
    history: Option<(RequestId, HistoryKey, usize)>,
    /// No pinned view is on the page of the selected step.
    absent: bool,
    /// The page that was looked at last.
    session: Option<(SourceId, SessionId)>,
}

impl Pinned {
    /// As they were kept.
    pub fn restored(pins: Vec<Pin>) -> Self {
        let mut pinned = Self::default();
        for pin in pins {
            pinned.pin(pin);
        }
        pinned
    }

    /// All, in the order in which they were pinned.
    pub fn pins(&self) -> &[Pin] {
        &self.pins
    }

    /// Whether this is pinned.
    pub fn has(&self, pin: &Pin) -> bool {
        self.pins.iter().any(|other| other.is_same(pin))
    }

    /// Pins a value. `false`: there are too many.
    pub fn pin(&mut self, pin: Pin) -> bool {
        if self.has(&pin) {
            return true;
        }
        let fits = self.pins.len() < MOST;
        if fits {
            self.pins.push(pin);
        }
        fits
    }

    /// Lets a value go.
    pub fn unpin(&mut self, pin: &Pin) {
        self.pins.retain(|other| !other.is_same(pin));
    }

    /// What stands at a pinned path where the selection stands, and whether that is no older than the selection. `None`: the
    /// page has no such view, or the answer is not there yet.
    pub fn value(&self, pin: &Pin) -> Option<(&PathValue, bool)> {
        let (asked, values, current) = self.values.shown().filter(|_| !self.absent)?;
        let at = asked.of.iter().position(|(of, _)| of.is_same(pin))?;
        Some((values.as_ref().ok()?.get(at)?, current))
    }

    /// Whether the page of the selected step has no view of its class.
    pub fn is_absent(&self, pin: &Pin) -> bool {
        self.absent || matches!(self.values.shown(), Some((asked, _, true)) if !asked.of.iter().any(|(of, _)| of.is_same(pin)))
    }

    /// Why no values are there, if they could not be read.
    pub fn failure(&self) -> Option<&Failure> {
        self.values.shown()?.1.as_ref().err()
    }

    /// The page and view whose values are shown of a pin.
    pub fn stream(&self, pin: &Pin) -> Option<&Stream> {
        let (asked, _, _) = self.values.shown().filter(|_| !self.absent)?;
        asked.of.iter().find(|(of, _)| of.is_same(pin)).map(|(_, at)| &at.stream)
    }

    /// Its whole history in short.
    pub fn history(&self, pin: &Pin) -> Option<&PathHistory> {
        let (asked, _, _) = self.values.shown()?;
        let key = (asked.source, self.stream(pin)?.clone(), pin.holder(Side::After), pin.path.clone());
        self.histories.get(&key)?.history.as_deref().ok()
    }

    /// Whether `id` is one of its requests that are on their way.
    pub fn awaits(&self, id: RequestId) -> bool {
        self.values.awaits(id) || self.history.as_ref().is_some_and(|(asked, ..)| *asked == id)
    }

    /// Takes an answer in.
    pub fn answered(&mut self, id: RequestId, answer: Answer, now: f64) {
        if self.values.awaits(id) {
            self.values.answered(match answer {
                Answer::Values(values) => Ok(values),
                other => Err(unexpected(other)),
            });
            self.settle_rows();
        } else if let Some((_, key, grown)) = self.history.take() {
            let history = match answer {
                Answer::History(history) => Ok(Arc::new(history)),
                other => Err(unexpected(other)),
            };
            self.histories.insert(key, Known { history, grown, asked: now });
        }
    }

    /// Follows rows by their identity from now on.
    fn settle_rows(&mut self) {
        let Some((asked, Ok(values), _)) = self.values.shown() else { return };
        let places: Vec<(Pin, Path)> = asked
            .of
            .iter()
            .zip(values)
            .filter(|((pin, at), _)| pin.born.is_some_and(|(step, _)| step == at.step))
            .map(|((pin, _), value)| (pin.clone(), value.place.clone()))
            .collect();
        for (pin, place) in places {
            let Some(at) = self.pins.iter().position(|other| other.is_same(&pin)) else { continue };
            let settled = Pin { path: place, born: None, ..pin };
            if self.pins.iter().enumerate().any(|(nth, other)| nth != at && other.is_same(&settled)) {
                self.pins.remove(at);
            } else {
                self.pins[at] = settled;
            }
        }
    }

    /// What to ask for, for the step that is selected.
    fn wanted(&mut self, timeline: &Timeline, step: &Step, side: Side) -> Option<Asked> {
        let source = timeline.id();
        if let Some(session) = &step.session {
            self.session = Some((source, session.clone()));
        }
        let session = self.session.as_ref().filter(|(of, _)| *of == source).map(|(_, session)| session.clone())?;
        let mut of: Vec<(Pin, ValueAt)> = Vec::new();
        for pin in &self.pins {
            let born = pin.born.and_then(|(step, side)| Some((timeline.step(step)?, side)));
            let (at, side) = born.as_ref().map_or((step, side), |(step, side)| (step, *side));
            let session = at.session.as_ref().unwrap_or(&session);
            if let Some(stream) = stream_of(timeline, session, pin, at) {
                let value = ValueAt { step: at.id, stream, holder: pin.holder(side), path: pin.path.clone() };
                of.push((pin.clone(), value));
            }
        }
        let mut streams: Vec<&Stream> = of.iter().map(|(_, at)| &at.stream).collect();
        streams.dedup();
        let grown = streams.into_iter().map(|stream| timeline.stream(stream).len()).sum();
        (!of.is_empty()).then_some(Asked { source, grown, of })
    }

    /// The history that is asked for next, with the steps of its view now, and when the next one will be due.
    fn due(&self, timeline: &Timeline, now: f64) -> (Option<(HistoryKey, usize)>, Option<f64>) {
        let Some((asked, Ok(_), _)) = self.values.shown() else { return (None, None) };
        if asked.source != timeline.id() || self.history.is_some() {
            return (None, None);
        }
        let mut later: Option<f64> = None;
        for (pin, at) in asked.of.iter().filter(|(pin, _)| pin.born.is_none()) {
            let key = (asked.source, at.stream.clone(), pin.holder(Side::After), pin.path.clone());
            let grown = timeline.stream(&at.stream).len();
            match self.histories.get(&key) {
                Some(known) if known.grown == grown => {}
                Some(known) if now < known.asked + REFRESH => {
                    let due = known.asked + REFRESH;
                    later = Some(later.map_or(due, |later| later.min(due)));
                }
                _ => return (Some((key, grown)), None),
            }
        }
        (None, later)
    }
}

/// The view that a pin means on a page: the step's own, else the root view or a child.
fn stream_of(timeline: &Timeline, session: &SessionId, pin: &Pin, step: &Step) -> Option<Stream> {
    let own = step.session.as_ref().filter(|of| *of == session).map(|session| (session.clone(), step.view.clone()));
    let page = timeline.sessions().get(session)?;
    let others = std::iter::once(None).chain(page.children.iter().map(|child| child.id.as_deref().map(Into::into)));
    let mut streams = own.into_iter().chain(others.map(|view| (session.clone(), view)));
    streams.find(|stream| class_at(timeline, stream, step.id).is_some_and(|class| same_class(&class, &pin.view)))
}

/// The class of the view that a page had at a step: a page can be given another view.
pub fn class_at(timeline: &Timeline, stream: &Stream, step: StepId) -> Option<String> {
    let steps = timeline.steps();
    let last = timeline.sessions().get(&stream.0)?.view_of(stream.1.as_ref()).map(|view| view.class.clone());
    let mounts = timeline.of_kind(StepKind::Mount);
    let upto = mounts.partition_point(|position| steps.id(*position as usize).is_some_and(|id| id <= step));
    let mounted = mounts[..upto].iter().rev().find_map(|position| {
        let (block, at) = steps.block(*position as usize);
        let of_stream = block.stream(at).is_some_and(|(session, view)| session.as_ref() == Some(&stream.0) && *view == stream.1);
        let (names, name_of) = block.names();
        let name = names.get(*name_of.get(at)? as usize).filter(|_| of_stream)?;
        Some(name.name.to_string())
    });
    match (mounted.filter(|name| !name.is_empty()), last) {
        (Some(name), Some(class)) if same_class(&name, &class) => Some(class),
        (Some(name), _) => Some(name),
        (None, class) => class,
    }
}

/// A mount tells the class without its module.
fn same_class(a: &str, b: &str) -> bool {
    let is_bare = |class: &str| !class.contains('.');
    if is_bare(a) || is_bare(b) { format::short_class(a) == format::short_class(b) } else { a == b }
}

/// Asks for what is pinned and not known yet: one request is on its way for the values, and one for the histories.
pub fn pull(engine: &mut Engine, model: &mut Model, now: f64, ctx: &Context) {
    let shown = model.page == Page::Steps && model.in_sight.has(Pane::Pinned);
    let step = model.step().filter(|_| shown);
    let timeline = model.timelines.iter().find(|timeline| Some(timeline.id()) == model.current);
    let pinned = &mut model.pinned;
    let wanted = timeline.zip(step).and_then(|(timeline, step)| pinned.wanted(timeline, &step, model.side));
    pinned.absent = wanted.is_none();
    pinned.values.want(wanted);
    engine.fill(&mut pinned.values, |asked| {
        let of = asked.of.into_iter().map(|(_, at)| at).collect();
        Request::Values { source: asked.source, of }
    });
    let Some(timeline) = timeline.filter(|_| !pinned.absent) else { return };
    let (due, later) = pinned.due(timeline, now);
    if let Some((key, grown)) = due {
        let (source, stream, holder, path) = key.clone();
        if let Some(id) = engine.send(Request::ShortHistory { source, stream, holder, path }) {
            pinned.history = Some((id, key, grown));
        }
    } else if let Some(later) = later {
        ctx.request_repaint_after(std::time::Duration::from_secs_f64((later - now).clamp(0.05, REFRESH)));
    }
    let pins = &pinned.pins;
    pinned.histories.retain(|(source, _, _, path), _| *source == timeline.id() && pins.iter().any(|pin| pin.path == *path));
}

#[cfg(test)]
mod tests {
    use inspector_model::{Notice, Segment, Source};

    use super::*;

    fn timeline() -> Timeline {
        let source = Source::recording(SourceId(1), "");
        let mut timeline = Timeline::new(source);
        let page =
            serde_json::json!({"session": "a", "view": {"class": "shop.views.Pay"}, "children": [{"id": "p", "class": "shop.Player"}]});
        timeline.apply(&Notice::Session(SourceId(1), Box::new(serde_json::from_value(page).unwrap())));
        let step = |id, kind, name: &str, view: Option<&str>| Step {
            id: StepId(id),
            session: Some("a".into()),
            view: view.map(Into::into),
            state_bytes: 2,
            ..Step::new(kind, name, 1.0)
        };
        timeline.apply(&Notice::steps(
            SourceId(1),
            [
                step(1, StepKind::Mount, "CartView", None),
                step(2, StepKind::Tick, "tick", Some("p")),
                step(3, StepKind::Mount, "Pay", None),
                step(4, StepKind::Event, "pay", None),
            ],
        ));
        timeline
    }

    fn pin(view: &str, path: &[Segment]) -> Pin {
        Pin { view: view.into(), handler: None, path: Path(path.to_vec()), born: None }
    }

    #[test]
    fn a_pin_is_looked_for_in_the_view_of_its_class_at_that_step() {
        let timeline = timeline();
        let total = [Segment::Key("total".into())];
        let mut pinned = Pinned::default();
        for view in ["shop.views.CartView", "shop.views.Pay", "shop.Player", "other.Player"] {
            assert!(pinned.pin(pin(view, &total)));
        }
        let mut views = |step: u64| {
            let step = timeline.step(StepId(step)).unwrap();
            let asked = pinned.wanted(&timeline, &step, Side::After).unwrap();
            asked.of.into_iter().map(|(pin, at)| (format::short_class(&pin.view).to_owned(), at.stream.1)).collect::<Vec<_>>()
        };
        let player = ("Player".to_owned(), Some("p".into()));
        assert_eq!(views(2), [("CartView".to_owned(), None), player.clone()]);
        assert_eq!(views(4), [("Pay".to_owned(), None), player]);
    }

    #[test]
    fn a_row_is_followed_by_its_identity_once_that_is_known() {
        let timeline = timeline();
        let mut pinned = Pinned::default();
        let path = vec![Segment::Key("rows".into()), Segment::Index(0)];
        let row = vec![Segment::Key("rows".into()), Segment::Row("7".into())];
        pinned.pin(Pin::new("shop.views.CartView".into(), None, Path(path), StepId(1), Side::After));
        let step = timeline.step(StepId(2)).unwrap();
        let asked = pinned.wanted(&timeline, &step, Side::Before).unwrap();
        let at = &asked.of[0].1;
        assert_eq!((at.step, &at.holder), (StepId(1), &Holder::State(Side::After)), "first where it was pinned");
        pinned.values.want(Some(asked));
        pinned.values.asked(RequestId(1), pinned.values.due().unwrap().clone());
        pinned.answered(RequestId(1), Answer::Values(vec![PathValue { place: Path(row.clone()), ..PathValue::default() }]), 0.0);
        assert_eq!(pinned.pins(), [pin("shop.views.CartView", &row)]);
        let asked = pinned.wanted(&timeline, &step, Side::Before).unwrap();
        assert_eq!(asked.of[0].1.step, StepId(2), "then where the selection stands");
    }
}
