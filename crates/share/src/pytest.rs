//! A selection as a test: the steps once more through djust's own test client, with assertions on what they changed.
//!
//! Each stretch of a view's steps becomes a test. It mounts the view, puts the state back that its first step found, and sends
//! the events in order. What happened between two events, a tick, a push, a jump, is put in place and not done again: the
//! assertions are about the handlers. Only paths that changed are asserted, and of those only what can be written down.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write;

use inspector_model::{Change, Diff, Kind, Op, Path, Segment, Session, Status, Step, StepKind, Value, parse_value};

use crate::excerpt::{Excerpt, Item, Part};
use crate::json::difference;
use crate::patterns::MARK;
use crate::python::{has_nan, is_identifier, literal, string};
use crate::redact::Redactor;
use crate::{ShareError, is_sent};

/// A literal beyond this is not asserted, but its length is.
const LONGEST_LITERAL: usize = 8_000;

/// A state beyond this is not put back whole.
const LONGEST_STATE: usize = 400_000;

/// What the test client's own method calls its parameters: events that have one of these cannot be sent with it.
const TAKEN: [&str; 3] = ["self", "event_name", "raise_on_missing"];

const HELPERS: &str = r#"

def setUpModule():
    """Make databases for the tests, unless the test runner has."""
    global databases
    try:
        setup_test_environment()
    except RuntimeError:  # it has
        return
    databases = setup_databases(verbosity=0, interactive=False)


def tearDownModule():
    """Remove them again."""
    if databases is not None:
        teardown_databases(databases, verbosity=0)
        teardown_test_environment()


databases = None


def put(client, values, gone=()):
    """Put recorded values in place, without running anything of the view."""
    for name, value in values.items():
        setattr(client.view_instance, name, value)
    for name in gone:
        vars(client.view_instance).pop(name, None)


def send(client, event, params):
    """Send an event. djust's client calls a handler that is async and does not await it; here it is awaited."""
    handler = getattr(client.view_instance, event, None)
    if not inspect.iscoroutinefunction(handler):
        return client.send_event(event, **params)

    @functools.wraps(handler)
    def awaited(*args, **kwargs):
        return async_to_sync(handler)(*args, **kwargs)

    setattr(client.view_instance, event, awaited)
    try:
        return client.send_event(event, **params)
    finally:
        delattr(client.view_instance, event)
"#;

/// Steps of one view from a mount on.
struct Stretch {
    step: Step,
    class: Option<String>,
    user: Option<String>,
    mount: String,
    body: String,
    /// The state as the test has it by now.
    state: Option<Value>,
    events: usize,
    ended: bool,
}

/// Writes it.
pub fn write(excerpt: &Excerpt<'_>, redactor: &mut Redactor, out: &mut dyn Write, part: Part) -> Result<(), ShareError> {
    let sessions = excerpt.clean_sessions(redactor)?;
    let classes: Vec<String> =
        excerpt.config(redactor)?.map(|config| config.views.into_iter().map(|view| view.class).collect()).unwrap_or_default();
    let mut stretches: Vec<Stretch> = Vec::new();
    excerpt.each(redactor, part, |item| {
        if item.step.session.is_some() {
            take(&mut stretches, &item, &sessions, &classes);
        }
        Ok(())
    })?;
    let written: Vec<&Stretch> = stretches.iter().filter(|stretch| stretch.events > 0 && stretch.class.is_some()).collect();
    if written.is_empty() {
        return Err(ShareError::Unsuited(
            "no test can be made of these steps: none is an event of a known view whose parameters can be written down; select others"
                .to_owned(),
        ));
    }
    let steps = excerpt.steps();
    let (first, last) = (steps.first().map_or(0, |step| step.id.0), steps.last().map_or(0, |step| step.id.0));
    let mut text = format!(
        "\"\"\"Does recorded steps again and asserts what they changed.\n\nMade by djust-inspector of steps {first} to {last} of a recording.\n\
         Put this file beside manage.py and run it there:\n\n    DJANGO_SETTINGS_MODULE=… python -m pytest FILE\n\nIt runs with pytest-django and \
         manage.py test, too, and makes a database of its own.\n\"\"\"\n\n"
    );
    if excerpt.written() < steps.len() {
        let _ = writeln!(text, "# Only the first {} of {} steps are here.\n", excerpt.written(), steps.len());
    }
    let bodies: String = written.iter().flat_map(|stretch| [stretch.mount.as_str(), stretch.body.as_str()]).collect();
    let modules = ["datetime", "decimal", "functools", "inspect", "math", "pathlib", "uuid", "zoneinfo"];
    for module in modules.iter().filter(|module| ["functools", "inspect"].contains(module) || bodies.contains(&format!("{module}."))) {
        let _ = writeln!(text, "import {module}");
    }
    text.push_str(
        "\nimport django\n\ndjango.setup()\n\nfrom asgiref.sync import async_to_sync\n\
         from django.contrib.auth import get_user_model\nfrom django.test import TestCase\n\
         from django.test.utils import setup_databases, setup_test_environment, teardown_databases, teardown_test_environment\n\
         from django.utils.module_loading import import_string\nfrom djust.testing import LiveViewTestClient\n",
    );
    if written.iter().all(|stretch| stretch.user.is_none()) {
        text = text.replace("from django.contrib.auth import get_user_model\n", "");
    }
    text.push_str(HELPERS);
    text.push_str("\n\nclass RecordedSteps(TestCase):\n");
    for (index, stretch) in written.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        write_test(&mut text, stretch);
    }
    out.write_all(text.as_bytes())?;
    Ok(())
}

fn write_test(text: &mut String, stretch: &Stretch) {
    let class = stretch.class.as_deref().unwrap_or_default();
    let name: String = class.rsplit('.').next().unwrap_or_default().chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    let _ = writeln!(text, "    def test_{name}_from_step_{}(self):", stretch.step.id);
    let _ = write!(text, "        client = LiveViewTestClient(import_string({})", string(class));
    if let Some(user) = &stretch.user {
        let _ = write!(text, ", user=get_user_model().objects.create(**{{get_user_model().USERNAME_FIELD: {}}})", string(user));
    }
    text.push_str(")\n");
    text.push_str(&stretch.mount);
    text.push_str(&stretch.body);
}

fn take(stretches: &mut Vec<Stretch>, item: &Item, sessions: &[Session], classes: &[String]) {
    let at = stretches.iter().rposition(|stretch| stretch.step.same_stream(&item.step));
    let begins = item.step.kind == StepKind::Mount || at.is_none();
    if begins {
        let session = sessions.iter().find(|session| Some(&session.id) == item.step.session.as_ref());
        let params = if item.step.kind == StepKind::Mount { mount_params(item) } else { None };
        stretches.push(Stretch {
            class: class(&item.step, session, classes),
            user: session.and_then(|session| session.user.clone()),
            mount: format!("        client.mount({})\n", params.map(|params| format!("**{params}")).unwrap_or_default()),
            body: String::new(),
            state: None,
            events: 0,
            ended: false,
            step: item.step.clone(),
        });
    }
    let at = if begins { stretches.len() - 1 } else { at.unwrap_or_default() };
    if let Some(stretch) = stretches.get_mut(at).filter(|stretch| !stretch.ended)
        && item.step.kind != StepKind::Mount
    {
        stretch.step(item);
    }
}

/// The class of a view, by its dotted path. The name of a mount is its class.
fn class(step: &Step, session: Option<&Session>, classes: &[String]) -> Option<String> {
    let of_session = session.and_then(|session| session.view_of(step.view.as_ref())).map(|view| &view.class).into_iter();
    let named =
        |class: &&String| step.kind != StepKind::Mount || step.name == **class || class.rsplit('.').next() == step.name.rsplit('.').next();
    let found = of_session.filter(named).chain(classes.iter().filter(|class| step.kind == StepKind::Mount && named(class))).next();
    found.filter(|class| class.contains('.') && class.split('.').all(is_identifier)).cloned()
}

fn mount_params(item: &Item) -> Option<String> {
    match parse_value(item.detail.params.as_deref()?).ok()? {
        Value::Map(entries) if !entries.is_empty() => {
            let usable = |(name, _): &(String, Value)| !matches!(name.as_str(), "self" | "via_websocket" | "request");
            literal(&Value::Map(entries.into_iter().filter(usable).collect()))
        }
        _ => None,
    }
}

impl Stretch {
    fn step(&mut self, item: &Item) {
        let Step { kind, status, component, .. } = &item.step;
        let heading = format!("# Step {}: {} {}", item.step.id, kind.word(), inside_comment(&item.step.name));
        let refused = matches!(status, Status::Refused | Status::Limited | Status::Failed);
        if !is_sent(*kind) || component.is_some() || refused {
            // Only what is worth a line: a state that it changed is put in place before the next event.
            if item.step.changes.total() > 0 || refused || *kind == StepKind::Hvr {
                let why = if *kind == StepKind::Hvr {
                    "the view's code was changed here; the recording goes on with the new code"
                } else if component.is_some() {
                    "a component's event, whose effect is put in place"
                } else if refused {
                    "djust did not call the handler"
                } else {
                    "no event, its effect is put in place"
                };
                self.line(&format!("{heading}: {why}"));
            }
            return;
        }
        let Some(params) = params(item) else {
            self.line(&heading);
            self.line(
                "# djust's test client cannot send it: a parameter is redacted, not recorded whole, or has a name that the client uses.",
            );
            self.line("# What followed is not tested.");
            self.ended = true;
            return;
        };
        self.line(&heading);
        self.put_in_place(item.before.state());
        self.line(&format!("result = send(client, {}, {params})", string(&item.step.name)));
        match status {
            Status::Raised => {
                self.line("assert not result[\"success\"]");
                // The message as djust has it; a redacted one is not the handler's.
                if let Some(error) = item.detail.error.as_ref().filter(|error| !error.message.contains(MARK) && error.message.len() < 200) {
                    self.line(&format!("assert result[\"error\"] == {}", string(&error.message)));
                }
            }
            Status::Invalid => self.line("assert not result[\"success\"]"),
            Status::Ok | Status::Refused | Status::Limited | Status::Failed => self.line("assert result[\"success\"], result[\"error\"]"),
        }
        if let (Some(diff), Some(after)) = (difference(item), item.after.state()) {
            if diff.changes.is_empty() {
                self.line("assert result[\"state_after\"] == result[\"state_before\"]");
            } else {
                self.line("state = client.get_state()");
                for line in assertions(&diff, after) {
                    self.line(&line);
                }
            }
        }
        self.state = item.after.state().cloned();
        self.events += 1;
    }

    /// What is not so yet of the state that an event found.
    fn put_in_place(&mut self, before: Option<&Value>) {
        let Some(Value::Map(wanted)) = before else { return };
        let has = match &self.state {
            Some(Value::Map(has)) => has.as_slice(),
            _ => &[],
        };
        let mut lines = Vec::new();
        let mut left = Vec::new();
        let mut size = 0;
        for (name, value) in wanted {
            if has.iter().any(|(known, known_value)| known == name && known_value == value) {
                continue;
            }
            match literal(value).filter(|literal| size + literal.len() <= LONGEST_STATE) {
                Some(literal) => {
                    size += literal.len();
                    lines.push(format!("    {}: {literal},", string(name)));
                }
                None => left.push(inside_comment(name)),
            }
        }
        let gone: Vec<String> =
            has.iter().filter(|(name, _)| !wanted.iter().any(|(known, _)| known == name)).map(|(name, _)| string(name)).collect();
        if !left.is_empty() {
            self.line(&format!("# As mount() made them, because they cannot be written down: {}", left.join(", ")));
        }
        if lines.is_empty() && gone.is_empty() {
            return;
        }
        self.line("put(client, {");
        for line in lines {
            self.line(&line);
        }
        self.line(&if gone.is_empty() { "})".to_owned() } else { format!("}}, gone=[{}])", gone.join(", ")) });
    }

    fn line(&mut self, line: &str) {
        self.body.push_str("        ");
        self.body.push_str(line);
        self.body.push('\n');
    }
}

/// Recorded text in a comment: on one line whatever it is.
fn inside_comment(text: &str) -> String {
    let literal = string(&text.chars().take(80).collect::<String>());
    literal[1..literal.len() - 1].to_owned()
}

/// What the handler was given, as a dict. `None` when the client cannot send it.
fn params(item: &Item) -> Option<String> {
    let text = item.detail.params.as_deref().or(item.detail.raw_params.as_deref());
    let value = text.map_or(Some(Value::Map(Vec::new())), |text| parse_value(text).ok())?;
    let entries = match value {
        Value::Map(entries) => entries,
        Value::Null => Vec::new(),
        _ => return None,
    };
    // djust takes its own out before a handler sees them.
    let own = |name: &str| name.starts_with('_') || name == "view_id" || name == "component_id";
    let entries: Vec<_> = entries.into_iter().filter(|(name, _)| !own(name)).collect();
    if entries.iter().any(|(name, _)| TAKEN.contains(&name.as_str()) || name.contains(MARK)) {
        return None;
    }
    literal(&Value::Map(entries))
}

/// A line for each path that changed.
fn assertions(diff: &Diff, after: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let mut whole: BTreeSet<String> = BTreeSet::new();
    for change in &diff.changes {
        match assertion(change, after) {
            Ok(claim) => {
                if whole.iter().any(|done| claim.about.starts_with(done.as_str())) {
                    continue;
                }
                if claim.is_whole {
                    whole.insert(claim.about.clone());
                }
                if !lines.contains(&claim.line) {
                    lines.push(claim.line);
                }
            }
            Err(why) => lines.push(format!("# {}: {why}", inside_comment(&change.path.to_string()))),
        }
    }
    lines
}

/// One assertion.
struct Claim {
    /// The expression that it is about.
    about: String,
    /// Whether what stands below it is claimed as well.
    is_whole: bool,
    line: String,
}

fn assertion(change: &Change, after: &Value) -> Result<Claim, &'static str> {
    let Path(segments) = &change.path;
    let mut about = "state".to_owned();
    let mut here = after;
    for (index, segment) in segments.iter().enumerate() {
        let is_last = index + 1 == segments.len();
        let structural = is_last && matches!(change.op, Op::Added(_) | Op::Removed(_) | Op::Moved { .. });
        match (here, segment) {
            (Value::Map(_), Segment::Key(key)) => {
                if is_last && matches!(change.op, Op::Removed(_)) {
                    let line = format!("assert {} not in {about}", string(key));
                    return Ok(Claim { about: format!("{about}[{}]", string(key)), is_whole: false, line });
                }
                let _ = write!(about, "[{}]", string(key));
                here = here.get(key).ok_or("it is not in the state after")?;
            }
            (Value::List(_) | Value::Typed { kind: Kind::Tuple, .. }, Segment::Index(place)) if !structural => {
                let _ = write!(about, "[{place}]");
                here = match here.content() {
                    Value::List(items) => items.get(*place).ok_or("it is not in the state after")?,
                    _ => return Err("it is not in the state after"),
                };
            }
            (Value::Typed { kind: Kind::Dataclass | Kind::Component, .. }, Segment::Key(key)) if is_identifier(key) => {
                let _ = write!(about, ".{key}");
                here = here.get(key).ok_or("it is not in the state after")?;
            }
            (Value::Typed { kind: Kind::Model | Kind::QuerySet, .. }, _) => return Err("it comes from the database"),
            // Elements that came, went or moved, and members of sets: the container as a whole.
            _ => break,
        }
    }
    equal(about, here)
}

fn equal(about: String, value: &Value) -> Result<Claim, &'static str> {
    if matches!(value, Value::Typed { kind: Kind::Float, .. }) && has_nan(value) {
        return Ok(Claim { line: format!("assert math.isnan({about})"), about, is_whole: false });
    }
    let written = literal(value).filter(|_| !has_nan(value));
    match written {
        Some(literal) if literal.len() <= LONGEST_LITERAL => {
            Ok(Claim { line: format!("assert {about} == {literal}"), about, is_whole: true })
        }
        _ => match (value, value.len()) {
            (Value::List(_) | Value::Map(_), Some(len)) => {
                Ok(Claim { line: format!("assert len({about}) == {len}"), about, is_whole: false })
            }
            (Value::Text(text), _) => {
                // Python counts characters.
                let line = format!("assert len({about}) == {}", text.chars().count());
                Ok(Claim { line, about, is_whole: false })
            }
            (Value::Typed { kind: Kind::Model | Kind::QuerySet, .. }, _) => Err("it comes from the database"),
            (Value::Typed { kind: Kind::Redacted, .. }, _) => Err("it is redacted"),
            _ => Err("it was not recorded as a whole or cannot be written down"),
        },
    }
}
