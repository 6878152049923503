//! A sample like a recorded shop: two pages, a sticky child, components, an error, a rate limit, reloads, a gap.

use inspector_model::{
    Advice, AssignCost, AssignCosts, Cause, Change, ChangeCounts, CommandDone, Configuration, Diff, ErrorDetail, Found, FoundServer, Frame,
    Glimpse, Hit, Holder, HotReloadStatus, JumpTarget, LogRecord, NotRestored, Note, Notice, Op, Path, PathHistory, PathValue,
    RecorderStatus, RecordingInfo, RemoteCursor, SearchOptions, Segment, ServerInfo, Session, SessionId, Side, Source, SourceId,
    SourceKind, SourceState, SqlQuery, Status, Step, StepDetail, StepId, StepKind, TextHunk, Timing, Value, ValueAt, ViewId, parse_value,
};
use serde_json::json;

pub const SOURCE: SourceId = SourceId(1);
const T0: f64 = 1_795_435_200.0;

/// The sample: notices to tell, and answers by step.
#[derive(Clone)]
pub struct Sample {
    pub notices: Vec<Notice>,
    pub steps: Vec<Step>,
    /// What the user picks in file dialogs.
    pub picked: Option<std::path::PathBuf>,
}

/// A plain step.
pub fn step(id: u64, session: Option<&str>, kind: StepKind, name: &str, at: f64) -> Step {
    Step {
        id: StepId(id),
        key: format!("k{id}"),
        session: session.map(SessionId::from),
        duration_ms: Some(2.0 + (id % 7) as f64 * 0.7),
        frames: 2,
        received: if matches!(kind, StepKind::Event | StepKind::Mount | StepKind::UrlChange) { 90 + (id % 13) as u32 * 31 } else { 0 },
        state_bytes: if session.is_some() { 1_400 } else { 0 },
        rendered: true,
        ..Step::new(kind, name, T0 + at)
    }
}

fn changed(mut step: Step, (added, removed, changed, moved): (u32, u32, u32, u32), paths: &[&str]) -> Step {
    step.changes = ChangeCounts { added, removed, changed, moved };
    step.changed = paths.iter().map(ToString::to_string).collect();
    step
}

fn failed(mut step: Step, status: Status, error: &str) -> Step {
    step.status = status;
    step.error = Some(error.into());
    step.logs = 1;
    step
}

fn steps() -> Vec<Step> {
    let (alice, bob) = (Some("sess-alice-1"), Some("sess-bob-1"));
    let mut list: Vec<Step> = Vec::new();
    let mut next = 0;
    let mut id = || {
        next += 1;
        next
    };
    let mut at = 0.0;
    list.push(changed(step(id(), alice, StepKind::Mount, "CartView", at), (6, 0, 0, 0), &["cart", "user", "items"]));
    let mut child = step(id(), alice, StepKind::Mount, "PlayerView", at + 0.02);
    child.view = Some(ViewId::from("player"));
    list.push(child);
    list.push(changed(step(id(), bob, StepKind::Mount, "HomeView", at + 1.4), (3, 0, 0, 0), &["greeting"]));
    for round in 0..9_u32 {
        at += 2.1;
        let mut open = changed(step(id(), alice, StepKind::Event, "open_cart", at), (1, 0, 0, 0), &["cart.open"]);
        open.sql = 1;
        list.push(open);
        let mut add = changed(
            step(id(), alice, StepKind::Event, "add_item", at + 0.9),
            (1, 0, 2, 0),
            &["cart.items[3]", "cart.items[0].qty", "cart.total"],
        );
        add.sql = if round == 4 { 14 } else { 3 };
        add.duration_ms = Some(if round == 4 { 143.2 } else { 3.4 });
        add.logs = 2;
        list.push(add);
        let mut tick = changed(step(id(), alice, StepKind::Tick, "handle_tick", at + 1.2), (0, 0, 1, 0), &["clock"]);
        tick.view = Some(ViewId::from("player"));
        tick.frames = 1;
        list.push(tick);
        if round % 3 == 1 {
            list.push(changed(step(id(), alice, StepKind::Outside, "outside change", at + 1.5), (0, 0, 1, 0), &["stock"]));
            list.push(changed(step(id(), bob, StepKind::Push, "db_notify orders", at + 1.6), (0, 0, 1, 0), &["orders"]));
        }
        if round == 3 {
            let mut pay =
                failed(step(id(), alice, StepKind::Event, "pay", at + 1.7), Status::Raised, "ValueError: card number is not valid");
            pay.component = Some("checkout".into());
            list.push(pay);
            list.push(failed(
                step(id(), bob, StepKind::Event, "delete_all", at + 1.72),
                Status::Refused,
                "no_handler: No handler delete_all on HomeView",
            ));
            let mut bad = failed(step(id(), bob, StepKind::Event, "set_page", at + 1.8), Status::Invalid, "page: expected int, got 'last'");
            bad.sql = 0;
            list.push(bad);
        }
        if round == 5 {
            let mut save = step(id(), None, StepKind::Reload, "shop/views.py", at + 1.7);
            save.cause = Some(Cause::Save {
                file: "shop/views.py".into(),
                file_kind: "python".into(),
                module: Some("shop.views".into()),
                classes: vec!["CartView".into(), "HomeView".into()],
            });
            let key = save.key.clone();
            list.push(save);
            let mut swapped = step(id(), alice, StepKind::Hvr, "CartView", at + 1.75);
            swapped.cause =
                Some(Cause::Reloaded { reload: key.clone(), file: "shop/views.py".into(), result: "swapped".into(), reason: None });
            list.push(swapped);
            let mut refused = failed(step(id(), bob, StepKind::Hvr, "HomeView", at + 1.76), Status::Failed, "HomeView got new slots");
            refused.cause = Some(Cause::Reloaded {
                reload: key,
                file: "shop/views.py".into(),
                result: "refused".into(),
                reason: Some("slots_changed: HomeView got new slots, so its instances cannot be swapped".into()),
            });
            list.push(refused);
        }
        if round == 6 {
            for burst in 0..6_u32 {
                let mut spam = step(id(), bob, StepKind::Event, "spam", at + 1.8 + f64::from(burst) * 0.03);
                // The bucket holds three.
                if burst >= 3 {
                    spam = failed(spam, Status::Limited, "rate_limit: too many messages");
                    spam.cause = Some(Cause::Limit {
                        code: (burst == 5).then_some(4429),
                        reason: format!("too many messages: {} of 3 warnings", burst - 2),
                        limit: Some("global".into()),
                        caller: Some("ip:127.0.0.1".into()),
                        warnings: Some(burst - 2),
                        max_warnings: Some(3),
                    });
                    spam.duration_ms = None;
                }
                list.push(spam);
            }
            // Sent before the browser knew that the page is closed.
            let mut closed = step(id(), bob, StepKind::RateLimited, "spam", at + 2.0);
            closed.cause = Some(Cause::Limit {
                code: Some(4429),
                reason: "too many messages: 4 of 3 warnings".into(),
                limit: Some("global".into()),
                caller: Some("ip:127.0.0.1".into()),
                warnings: Some(4),
                max_warnings: Some(3),
            });
            closed.status = Status::Limited;
            list.push(closed);
            list.push(step(id(), bob, StepKind::Close, "page closed", at + 2.02));
        }
        if round == 7 {
            let mut gap = step(id(), None, StepKind::Gap, "12 frames lost", at + 1.6);
            gap.cause = Some(Cause::Lost { dropped: Some(12), why: "the inspector was too slow".into() });
            gap.duration_ms = None;
            list.push(gap);
            let mut url = changed(step(id(), alice, StepKind::UrlChange, "/cart/?sort=price", at + 1.7), (0, 0, 1, 3), &["items", "sort"]);
            url.sql = 2;
            list.push(url);
            let mut jump = changed(step(id(), alice, StepKind::Jump, "jump", at + 1.8), (0, 1, 2, 0), &["cart.items[3]"]);
            jump.cause = Some(Cause::Jump { step: Some(StepId(8)), side: Side::Before });
            list.push(jump);
            let mut replay = changed(step(id(), alice, StepKind::Replay, "add_item", at + 1.9), (1, 0, 1, 0), &["cart.items[3]"]);
            replay.cause = Some(Cause::Replay { step: Some(StepId(8)), edited: true });
            list.push(replay);
            let mut work = changed(step(id(), alice, StepKind::Async, "load_prices", at + 1.95), (0, 0, 4, 0), &["prices"]);
            work.cause = Some(Cause::Started { by: "open_cart".into() });
            work.sql = 8;
            list.push(work);
        }
    }
    // What djust's own record calls permission_denied, and a message that is too large.
    for again in 0..2_u32 {
        let mut own = step(id(), alice, StepKind::Event, "checkout", at + 2.2 + f64::from(again) * 0.1);
        own = failed(own, Status::Limited, "rate_limit: the handler's own rate limit (checkout)");
        own.cause = Some(Cause::Limit {
            code: None,
            reason: "the handler's own rate limit (checkout)".into(),
            limit: Some("handler".into()),
            caller: Some("user:1".into()),
            warnings: Some(again + 1),
            max_warnings: Some(3),
        });
        list.push(own);
    }
    list.push(failed(step(id(), alice, StepKind::Event, "restock", at + 2.5), Status::Refused, "permission_denied: Permission denied"));
    let mut import =
        failed(step(id(), alice, StepKind::Event, "import_csv", at + 2.7), Status::Failed, "error: Message too large (70069 bytes)");
    import.received = 70_069;
    list.push(import);
    list
}

fn sessions() -> Vec<Session> {
    let alice = json!({
        "session": "sess-alice-1", "phase": "mounted", "client": "127.0.0.1", "user": "alice", "path": "/cart/", "opened": T0,
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0",
        "view": {
            "class": "shop.views.CartView", "template": "shop/cart.html", "time_travel": true, "ring": {"len": 100, "max": 100},
            "file": "/home/dev/shop/shop/views.py", "line": 41, "temporary_assigns": ["flash"], "static_assigns": ["menu"],
            "components": [{"id": "checkout", "class": "shop.components.Checkout"}, {"id": "left-menu", "class": "shop.components.Menu"}],
            "handlers": [
                {"name": "add_item", "params": [{"name": "id", "type": "int", "required": true}, {"name": "qty", "type": "int", "required": false}], "doc": "Puts an item into the cart."},
                {"name": "open_cart", "params": []}
            ]
        },
        "children": [{"id": "player", "class": "shop.views.PlayerView", "sticky": true, "tick_ms": 1000.0}]
    });
    let bob = json!({
        "session": "sess-bob-1", "phase": "closed", "client": "127.0.0.1", "user": null, "path": "/", "opened": T0 + 1.4,
        "view": {"class": "shop.views.HomeView"}, "close": {"code": 4429, "reason": "too many warnings"}
    });
    let carol = json!({
        "session": "sess-carol-1", "phase": "mounted", "user": "carol", "path": "/admin/orders/", "opened": T0 + 5.0,
        "view": {"class": "shop.admin_views.OrdersView", "use_actors": true}
    });
    [alice, bob, carol].into_iter().map(|json| serde_json::from_value(json).unwrap()).collect()
}

fn server() -> ServerInfo {
    ServerInfo {
        pid: 4242,
        cwd: "/home/dev/shop".into(),
        project: "shop".into(),
        djust: "1.2.6".into(),
        django: "5.2.8".into(),
        python: "3.13.1".into(),
        asgi: Some("daphne 4.2.1".into()),
        debug: true,
        channel_layer: Some("channels.layers.InMemoryChannelLayer".into()),
        autoreload: Some("StatReloader".into()),
        started: T0 - 60.0,
        url: Some("http://127.0.0.1:8000".into()),
        capabilities: ["jump", "replay", "dispatch", "ring", "ticks", "cooldown"].map(str::to_owned).to_vec(),
        hot_reload: HotReloadStatus {
            available: true,
            enabled: true,
            running: true,
            dirs: vec!["/home/dev/shop/shop".into(), "/home/dev/shop/templates".into()],
            hvr: true,
            defeated_by: None,
        },
        advice: vec![Advice {
            code: "autoreload".into(),
            message: "runserver restarts the process at each saved Python file, before HVR can swap the class".into(),
            fix: Some("python manage.py runserver --noreload".into()),
        }],
        ..ServerInfo::default()
    }
}

/// As the agent told of a project with some mistakes in its settings.
fn config() -> Configuration {
    serde_json::from_str(include_str!("config.json")).unwrap()
}

fn rate(tokens: f64, warnings: u32) -> inspector_model::Rate {
    serde_json::from_value(json!({
        "global": {"tokens": tokens, "burst": 3.0, "rate": 2.0}, "upload": {"tokens": 5.0, "burst": 5.0, "rate": 1.0},
        "warnings": warnings, "max_warnings": 3,
        "handlers": [{"handler": "add_item", "caller": "user:1", "tokens": 2.0, "burst": 5.0, "rate": 0.5}],
        "ip": {"address": "127.0.0.1", "connections": 2, "max": 10, "cooldown": if warnings > 2 { 18.0 } else { 0.0 }}
    }))
    .unwrap()
}

/// Builds the sample.
pub fn sample() -> Sample {
    let steps = steps();
    let source = Source {
        id: SOURCE,
        kind: SourceKind::Live { url: "http://127.0.0.1:8000".into() },
        state: SourceState::Attached,
        title: "shop · 127.0.0.1:8000".into(),
        server: Some(server()),
        access: None,
        recorder: RecorderStatus {
            started: T0 - 2.0,
            steps: steps.len() as u64,
            bytes: 1_130_000,
            dropped: 12,
            recording: Some("rec-0".into()),
            ..RecorderStatus::default()
        },
    };
    let mut notices = vec![Notice::Source(Box::new(source))];
    notices.extend(sessions().into_iter().map(|session| Notice::Session(SOURCE, Box::new(session))));
    notices.push(Notice::Config(SOURCE, Box::new(config())));
    notices.push(Notice::steps(SOURCE, steps.clone()));
    notices.push(Notice::Rate(SOURCE, "sess-alice-1".into(), Box::new(rate(2.6, 0))));
    notices.push(Notice::Rate(SOURCE, "sess-bob-1".into(), Box::new(rate(0.4, 3))));
    notices.push(Notice::Found(vec![
        FoundServer {
            pid: 4242,
            url: "http://127.0.0.1:8000".into(),
            project: "shop".into(),
            cwd: "/home/dev/shop".into(),
            djust: "1.2.6".into(),
            debug: true,
            started: T0 - 60.0,
        },
        FoundServer {
            pid: 4300,
            url: "http://127.0.0.1:8001".into(),
            project: "intranet".into(),
            cwd: "/home/dev/intranet".into(),
            djust: "1.1.9".into(),
            debug: true,
            started: T0 - 600.0,
        },
    ]));
    notices.push(Notice::Recordings(
        (0..5_u32)
            .map(|n| RecordingInfo {
                id: format!("rec-{n}").into(),
                title: [
                    "shop, now",
                    "counter with time travel",
                    "form that raises",
                    "rate limit until 4429",
                    "components with a sticky child",
                ][n as usize]
                    .into(),
                started: T0 - f64::from(n) * 90_000.0,
                ended: T0 - f64::from(n) * 90_000.0 + 600.0,
                steps: 41 + u64::from(n) * 977,
                bytes: 90_000 + u64::from(n) * 400_000,
                sessions: n + 1,
                djust: "1.2.6".into(),
                format: 1,
                recording: n == 0,
                kept: false,
            })
            .collect(),
    ));
    Sample { notices, steps, picked: None }
}

/// Many steps of one page, one tick in five an event.
pub fn many_steps(count: u64) -> Vec<Step> {
    many_steps_from(1, count)
}

/// Many steps from a first id on.
pub fn many_steps_from(first: u64, count: u64) -> Vec<Step> {
    (first..first + count)
        .map(|id| {
            let kind = if id % 5 == 0 { StepKind::Event } else { StepKind::Tick };
            let mut step = changed(
                step(id, Some("sess-alice-1"), kind, if id % 5 == 0 { "add_item" } else { "handle_tick" }, id as f64 * 0.3),
                (0, 0, 1, 0),
                &["clock"],
            );
            if id % 997 == 0 {
                step.status = Status::Raised;
                step.error = Some("ValueError: now and then".into());
            }
            step
        })
        .collect()
}

fn key(path: &[&str]) -> Path {
    Path(path.iter().map(|part| part.parse().map_or_else(|_| Segment::Key((*part).to_owned()), Segment::Index)).collect())
}

fn value(text: &str) -> Value {
    parse_value(text).unwrap()
}

/// What stands at a path of a JSON text.
fn glimpse(json: &str, path: &Path) -> Option<Glimpse> {
    let whole: serde_json::Value = serde_json::from_str(json).ok()?;
    let at = path.0.iter().try_fold(&whole, |value, part| {
        let inner = value.get("v").filter(|_| value.get("$t").is_some()).unwrap_or(value);
        match part {
            Segment::Key(key) => inner.get(key),
            Segment::Index(index) => inner.get(index),
            Segment::Row(id) => {
                inner.as_array()?.iter().find(|row| serde_json::from_str(id).is_ok_and(|id: serde_json::Value| row["id"] == id))
            }
        }
    })?;
    let json = at.to_string();
    Some(Glimpse { bytes: json.len() as u64, json, whole: true, len: None })
}

impl Sample {
    /// The source that it tells of.
    pub fn source(&self) -> Source {
        let source = self.notices.iter().find_map(|notice| match notice {
            Notice::Source(source) => Some((**source).clone()),
            _ => None,
        });
        source.expect("a sample has a source")
    }

    pub fn find(&self, id: StepId) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == id)
    }

    pub fn detail(&self, id: StepId) -> Option<StepDetail> {
        let step = self.find(id)?;
        let event = matches!(step.kind, StepKind::Event | StepKind::Replay);
        let mut detail = StepDetail {
            params: event.then(|| r#"{"id": 9, "qty": 1, "when": {"$t":"date","v":"2026-11-23"}, "tags": ["new", "sale"]}"#.into()),
            raw_params: event.then(|| r#"{"id": "9", "qty": "1", "when": "2026-11-23", "tags": ["new", "sale"]}"#.into()),
            timing: step.duration_ms.map(|ms| Timing { handler: Some(ms * 0.7), render: Some(ms * 0.2) }),
            ..StepDetail::default()
        };
        let asked =
            r#"SELECT "shop_item"."id", "shop_item"."name", "shop_item"."price" FROM "shop_item" WHERE "shop_item"."id" = %s LIMIT 21"#;
        for n in 0..step.sql {
            detail.sql.push(SqlQuery {
                sql: if n == 0 {
                    r#"SELECT COUNT(*) AS "__count" FROM "shop_cartline" WHERE "shop_cartline"."cart_id" = %s"#.into()
                } else {
                    asked.into()
                },
                params: Some(format!("({n},)")),
                ms: 0.3 + f64::from(n) * 0.21 + if n == 5 { 61.0 } else { 0.0 },
                at: step.started + 0.001 + f64::from(n) * 0.0006 + if n > 5 { 0.062 } else { 0.0 },
                db: Some("default".into()),
                many: false,
            });
        }
        for n in 0..step.logs {
            detail.logs.push(LogRecord {
                level: if n == 0 { "INFO".into() } else { "WARNING".into() },
                logger: "shop.cart".into(),
                message: if n == 0 { "item 9 added to cart 3".into() } else { "stock of item 9 is low: 2 left".into() },
                at: step.started + 0.001,
                traceback: None,
            });
        }
        if let (Some(error), true) = (&step.error, step.status == Status::Raised) {
            let (kind, message) = error.split_once(": ").unwrap_or(("Error", error));
            detail.error = Some(ErrorDetail {
                kind: kind.into(),
                message: message.into(),
                traceback: Some("Traceback (most recent call last):\n  File \"/home/dev/shop/shop/views.py\", line 88, in pay\n    card = Card.parse(number)\n  File \"/home/dev/shop/shop/cards.py\", line 17, in parse\n    raise ValueError(\"card number is not valid\")\nValueError: card number is not valid".into()),
            });
        }
        if step.frames > 0 {
            let sent = format!(r#"{{"type":"event","event":"{}","params":{{"id":"9","qty":"1"}},"ref":12}}"#, step.name);
            let patched = r#"{"type":"patch","patches":[{"type":"SetText","path":[0,2,1],"d":"b4","text":"21.00"},{"type":"InsertChild","path":[0,2,0],"index":3,"node":{"tag":"li","text":"Tea"}},{"type":"SetAttr","path":[0,0],"key":"class","value":"cart open"},{"type":"RemoveChild","path":[0,4],"index":1}],"version":12,"timing":{"handler":1.1,"render":0.9}}"#;
            detail.frames.push(Frame { dir: "in".into(), at: step.started, bytes: sent.len() as u64, text: sent });
            detail.frames.push(Frame {
                dir: "out".into(),
                at: step.started + step.duration_ms.unwrap_or(3.0) / 1000.0,
                bytes: patched.len() as u64,
                text: patched.into(),
            });
        }
        Some(detail)
    }

    pub fn state(&self, id: StepId, side: Side) -> Option<String> {
        let step = self.find(id)?;
        let total = if side == Side::Before { "10.50" } else { "21.00" };
        Some(
            json!({
                "cart": {"open": true, "items": [
                    {"id": 3, "name": "Earl Grey", "qty": if side == Side::Before { 1 } else { 2 }, "price": {"$t": "decimal", "v": "5.25"}},
                    {"id": 7, "name": "Oolong", "qty": 1, "price": {"$t": "decimal", "v": "5.25"}}
                ], "total": {"$t": "decimal", "v": total}},
                "user": {"$t": "model", "model": "auth.User", "pk": 1, "v": {"username": "alice", "email": {"$t": "redacted", "of": "str"}}},
                "orders": {"$t": "queryset", "model": "shop.Order"},
                "opened": {"$t": "datetime", "v": "2026-11-23T12:03:01.120000+00:00"},
                "prices": {"$t": "dict", "v": [[{"$t": "tuple", "v": [3, "GBP"]}, {"$t": "decimal", "v": "5.25"}]]},
                "tags": {"$t": "set", "v": ["new", "sale"]},
                "history": {"$t": "cut", "of": "list", "len": 12000, "v": [1, 2, 3, 4]},
                "client": {"$t": "object", "class": "httpx.Client"},
                "note": "Deliver to the back door.\nRing twice, the bell is quiet.",
                "ratio": 0.75, "page": 1, "flash": null, "step_id": step.id.0
            })
            .to_string(),
        )
    }

    pub fn diff(&self, from: (StepId, Side), to: (StepId, Side)) -> Diff {
        let Some(step) = self.find(to.0) else { return Diff::default() };
        if from.0 == to.0 && step.changes.total() == 0 {
            return Diff::default();
        }
        let before = "Deliver to the back door.\nRing twice.".to_owned();
        let after = "Deliver to the front door.\nRing twice, the bell is quiet.".to_owned();
        let change = |path: &[&str], op: Op, note: Option<Note>| Change { path: key(path), op, note };
        let changes = vec![
            change(&["cart", "items", "0", "qty"], Op::Changed { before: value("1"), after: value("2") }, None),
            change(&["cart", "items", "2"], Op::Moved { from: 4 }, None),
            change(
                &["cart", "items", "3"],
                Op::Added(value(r#"{"id": 9, "name": "Tea of the House", "qty": 1, "price": {"$t":"decimal","v":"10.50"}}"#)),
                None,
            ),
            change(&["cart", "items", "5"], Op::Removed(value(r#"{"id": 2, "name": "Sencha", "qty": 3}"#)), None),
            change(
                &["cart", "total"],
                Op::Changed { before: value(r#"{"$t":"decimal","v":"10.50"}"#), after: value(r#"{"$t":"decimal","v":"21.00"}"#) },
                None,
            ),
            change(
                &["note"],
                Op::Text {
                    before,
                    after,
                    hunks: vec![TextHunk { before: 15..19, after: 15..20 }, TextHunk { before: 36..37, after: 37..58 }],
                },
                None,
            ),
            change(&["flash"], Op::Changed { before: value(r#""Item added""#), after: value("null") }, Some(Note::TemporaryReset)),
            change(&["menu"], Op::Changed { before: value("3"), after: value("4") }, Some(Note::StaticAssign)),
            change(
                &["since"],
                Op::Changed { before: value(r#"{"$t":"date","v":"2026-11-23"}"#), after: value(r#""2026-11-23""#) },
                Some(Note::TypeChanged),
            ),
            change(&["queue"], Op::Reordered { order: vec![3, 1, 0, 2], places: vec![0, 1, 2, 3] }, None),
        ];
        Diff { changes, counts: step.changes, cut_short: false }
    }

    pub fn html(&self, id: StepId, _side: Side) -> Option<String> {
        let step = self.find(id)?;
        step.session.as_ref()?;
        Some(format!(
            "<!doctype html>\n<html>\n<head><title>Cart</title></head>\n<body dj-root>\n  <h1>Cart at step {id}</h1>\n  <ul>\n    <li>Earl Grey</li>\n  </ul>\n</body>\n</html>\n"
        ))
    }

    /// Steps whose summary says that they changed a path, with what the state has there.
    pub fn history(&self, path: &Path) -> PathHistory {
        let shown = path.to_string();
        let steps: Vec<StepId> = self
            .steps
            .iter()
            .filter(|step| step.changed.iter().any(|changed| shown.starts_with(changed.as_str())))
            .map(|step| step.id)
            .collect();
        let values = steps.iter().map(|step| (*step, self.standing(*step, Side::After, path))).collect();
        PathHistory { place: path.clone(), count: steps.len() as u64, values, steps }
    }

    /// The same of a pinned value.
    pub fn short_history(&self, holder: &Holder, path: &Path) -> PathHistory {
        match holder {
            Holder::State(_) => self.history(path),
            Holder::Params(handler) => {
                let steps = self.calls(handler);
                let values = steps.iter().map(|step| (*step, self.argument(*step, path))).collect();
                PathHistory { place: path.clone(), count: steps.len() as u64, values, steps }
            }
        }
    }

    fn calls(&self, handler: &str) -> Vec<StepId> {
        self.steps.iter().filter(|step| step.name == handler).map(|step| step.id).collect()
    }

    /// What stands at a path of a state.
    fn standing(&self, step: StepId, side: Side, path: &Path) -> Option<Glimpse> {
        glimpse(&self.state(step, side)?, path)
    }

    fn argument(&self, step: StepId, path: &Path) -> Option<Glimpse> {
        glimpse(&self.detail(step)?.params?, path)
    }

    /// One value at one moment.
    pub fn value(&self, at: &ValueAt) -> PathValue {
        let of_view = |step: &&Step| step.id <= at.step && step.session.as_ref() == Some(&at.stream.0) && step.view == at.stream.1;
        let changes = match &at.holder {
            Holder::State(_) => self.history(&at.path).steps,
            Holder::Params(handler) => self.calls(handler),
        };
        let (step, value) = match &at.holder {
            Holder::State(side) => {
                let step = self.steps.iter().rev().find(of_view).map(|step| step.id);
                let side = if step == Some(at.step) { *side } else { Side::After };
                (step, step.and_then(|step| self.standing(step, side, &at.path)))
            }
            Holder::Params(_) => {
                let step = changes.iter().rev().find(|step| **step <= at.step).copied();
                (step, step.and_then(|step| self.argument(step, &at.path)))
            }
        };
        PathValue {
            place: at.path.clone(),
            step,
            value,
            missing: None,
            previous: changes.iter().rev().find(|step| **step < at.step).copied(),
            here: changes.contains(&at.step),
            next: changes.iter().find(|step| **step > at.step).copied(),
        }
    }

    /// The assigns of a state, three in a part.
    pub fn costs(&self, step: StepId, side: Side, from: u32) -> Option<AssignCosts> {
        let state: serde_json::Value = serde_json::from_str(&self.state(step, side)?).ok()?;
        let all = state.as_object()?;
        let cost = |(name, value): (&String, &serde_json::Value)| {
            // One is as large as real ones are.
            let bytes = if name == "history" { 48_000 } else { value.to_string().len() as u64 };
            AssignCost { name: name.clone(), bytes, changed: if name == "cart" { 9 } else { 0 }, ..AssignCost::default() }
        };
        let assigns: Vec<AssignCost> = all.iter().skip(from as usize).take(3).map(cost).collect();
        let next = (from as usize + 3 < all.len()).then_some(from + 3);
        Some(AssignCosts { assigns, steps: 18, rendered: 9, next })
    }

    /// One hit per step whose state has the text.
    pub fn search(&self, options: &SearchOptions) -> Found {
        let hit = |step: &Step| {
            let state = self.state(step.id, Side::After).filter(|_| step.has_states())?;
            let at = state.find(&options.text)?;
            let value = state[at.saturating_sub(20)..].chars().take(80).collect();
            Some(Hit { step: step.id, session: step.session.clone(), view: None, path: "note".into(), in_path: false, value })
        };
        let of = self.steps.len() as u64;
        Found { hits: self.steps.iter().filter_map(hit).collect(), next: None, progress: (of, of) }
    }

    /// Answers about these steps as well.
    pub fn know(&mut self, notice: &Notice) {
        if let Notice::Steps(_, blocks) = notice {
            self.steps.extend(blocks.iter().flat_map(|block| block.iter()));
        }
    }

    pub fn jumped(&self, target: JumpTarget) -> CommandDone {
        CommandDone {
            message: format!("The page is at step {} now", target.step),
            not_restored: vec![NotRestored { path: "client".into(), why: "httpx.Client was not read".into() }],
            trouble: None,
        }
    }

    /// The notice that a page stands at a step.
    pub fn at(step: u64) -> Notice {
        Notice::Cursor(SOURCE, "sess-alice-1".into(), RemoteCursor::At(JumpTarget { step: StepId(step), side: Side::Before }))
    }
}
