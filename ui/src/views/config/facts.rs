//! What was really seen of a configuration key, and which steps it explains. Pure.

use inspector_model::{ConfigKey, Session, StepId, StepKind, Timeline, View, ViewAttribute, ViewId};

use crate::format;
use crate::views::tally::{Refusal, Tally};

/// One thing that was seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// In words.
    pub text: String,
    /// As a meter, where that can be said.
    pub meter: Option<Meter>,
    /// Where.
    pub step: Option<StepId>,
}

/// A part of a whole.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Meter {
    /// So much of what is allowed was used.
    Used(f64),
    /// So much is left.
    Left(f64),
}

/// Steps that a key explains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// How many of what: `3 jumps`.
    pub text: String,
    /// The filter that shows them.
    pub filter: String,
}

/// What was seen of a key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// In words.
    pub facts: Vec<Fact>,
    /// Those of which there are any.
    pub links: Vec<Link>,
}

impl Facts {
    fn say(&mut self, text: String) {
        self.facts.push(Fact { text, meter: None, step: None });
    }

    fn link(&mut self, number: u64, one: &str, many: &str, filter: impl Into<String>) {
        if number > 0 {
            self.links.push(Link { text: format::plural(number, one, many), filter: filter.into() });
        }
    }
}

/// A view on an open page.
pub fn open_views(timeline: &Timeline) -> impl Iterator<Item = (&Session, &View)> {
    let open = timeline.sessions().values().filter(|session| session.is_open());
    open.flat_map(|session| session.views().map(move |view| (session, view)))
}

fn who(session: &Session) -> String {
    let user = session.user_name();
    format::clip(&format!("{user} {}", session.path.as_deref().unwrap_or("")), 60)
}

/// What was seen of a key in a recording.
pub fn of(key: &ConfigKey, timeline: &Timeline, tally: &mut Tally) -> Facts {
    let mut facts = Facts::default();
    let count = |kind: StepKind| timeline.of_kind(kind).len() as u64;
    match key.key.as_str() {
        "max_message_size" => {
            if let Some((bytes, step)) = tally.largest {
                let limit = key.value.as_f64().filter(|limit| *limit > 0.0);
                let part = limit.map(|limit| f64::from(bytes) / limit);
                let of = part.map(|part| format!(", {:.0} % of the limit", part * 100.0)).unwrap_or_default();
                let text = format!("Largest message: {}{of}", format::bytes(u64::from(bytes)));
                facts.facts.push(Fact { text, meter: part.map(Meter::Used), step: Some(step) });
            }
            facts.link(tally.too_large.number, "was too large", "were too large", "\"Message too large\"");
        }
        "rate_limit" => rate_limit(&mut facts, timeline, tally),
        "event_security" => {
            for refusal in [Refusal::NotAHandler, Refusal::NoHandler, Refusal::UnsafeName, Refusal::Unknown] {
                let what = match refusal {
                    Refusal::NotAHandler => "refused: no event handler",
                    Refusal::NoHandler => "refused: no such method",
                    Refusal::UnsafeName => "refused: unsafe name",
                    _ => "refused",
                };
                facts.link(tally.refused.get(&refusal).map_or(0, |count| count.number), what, what, refusal.filter());
            }
        }
        "hot_reload" | "hot_reload_watch_dirs" | "hot_reload_auto_enable" => {
            let status = timeline.source().server.as_ref().map(|server| &server.hot_reload);
            if let (Some(status), true) = (status, timeline.source().is_attached()) {
                facts.say(if status.running {
                    format!("The watcher runs over {}", format::plural(status.dirs.len() as u64, "folder", "folders"))
                } else {
                    "The watcher does not run".to_owned()
                });
            }
            if key.key == "hot_reload" {
                facts.link(count(StepKind::Reload), "saved file", "saved files", "kind:reload");
                facts.link(count(StepKind::HotReload), "hot reload of a page", "hot reloads of pages", "kind:hot_reload");
            }
        }
        "hvr_enabled" => {
            let (swapped, refused) = tally.swapped;
            if swapped.number + refused.number > 0 {
                facts.say(format!("{} swapped, {} refused", format::count(swapped.number), format::count(refused.number)));
            }
            facts.link(count(StepKind::Hvr), "swap of a class", "swaps of classes", "kind:hvr");
        }
        "time_travel_enabled" => {
            let on = open_views(timeline).filter(|(_, view)| view.time_travel).count() as u64;
            facts.say(format!("djust records {} of {}", format::count(on), open_count(timeline)));
            facts.link(count(StepKind::Jump), "jump", "jumps", "kind:jump");
        }
        "time_travel_max_events" => {
            let rings = open_views(timeline).filter_map(|(session, view)| Some((session, view, view.ring?)));
            if let Some((session, view, ring)) = rings.max_by_key(|(_, _, ring)| ring.len) {
                let text = format!("Fullest ring: {} of {}, {} on {}", ring.len, ring.max, format::short_class(&view.class), who(session));
                facts.facts.push(Fact {
                    text,
                    meter: (ring.max > 0).then(|| Meter::Used(f64::from(ring.len) / f64::from(ring.max))),
                    step: None,
                });
            }
        }
        "tick_interval" => {
            let number: u64 = tally.ticks.values().map(|ticks| ticks.number).sum();
            facts.link(number, "tick", "ticks", "kind:tick");
        }
        "temporary_assigns" => named(&mut facts, timeline, |view| &view.temporary_assigns),
        "static_assigns" => named(&mut facts, timeline, |view| &view.static_assigns),
        "login_required" | "permission_required" => {
            facts.link(tally.kept_out.number, "mount refused", "mounts refused", "kind:mount status:refused");
            if key.key == "permission_required" {
                let refusal = Refusal::Permission;
                facts.link(
                    tally.refused.get(&refusal).map_or(0, |count| count.number),
                    "event refused",
                    "events refused",
                    refusal.filter(),
                );
            }
        }
        "sticky" => views_that(&mut facts, timeline, "sticky view", |view| view.sticky),
        "use_actors" => views_that(&mut facts, timeline, "view whose state lives in an actor", |view| view.use_actors),
        _ => {}
    }
    facts
}

fn open_count(timeline: &Timeline) -> String {
    format::plural(open_views(timeline).count() as u64, "open view", "open views")
}

fn rate_limit(facts: &mut Facts, timeline: &Timeline, tally: &mut Tally) {
    let now = timeline.sessions().values().filter(|session| session.is_open());
    let now = now.filter_map(|session| Some((session, timeline.rate(&session.id)?.global?)));
    if let Some((session, bucket)) = now.min_by(|(_, a), (_, b)| a.tokens.total_cmp(&b.tokens)) {
        let text = format!("Lowest level now: {:.1} of {:.0}, {}", bucket.tokens, bucket.burst, who(session));
        facts.facts.push(Fact { text, meter: Some(Meter::Left(bucket.tokens / bucket.burst.max(1.0))), step: None });
    }
    if let Some(limits) = timeline.config().limits()
        && let Some(lowest) = tally.lowest(limits)
    {
        let meter = Some(Meter::Left(lowest / limits.burst.max(1.0)));
        let text = format!("Lowest level by the recorded messages: {lowest:.1} of {:.0}", limits.burst);
        facts.facts.push(Fact { text, meter, step: None });
    }
    facts.link(timeline.limited().len() as u64, "limited step", "limited steps", "status:limited");
}

fn named(facts: &mut Facts, timeline: &Timeline, names: impl Fn(&View) -> &Vec<String>) {
    for (_, view) in open_views(timeline).filter(|(_, view)| !names(view).is_empty()).take(3) {
        let list = names(view).join(", ");
        facts.say(format!("{}: {}", format::short_class(&view.class), format::clip(&list, 80)));
    }
}

fn views_that(facts: &mut Facts, timeline: &Timeline, what: &str, test: impl Fn(&View) -> bool) {
    let number = open_views(timeline).filter(|(_, view)| test(view)).count() as u64;
    if number > 0 {
        facts.say(format!("{} open now", format::plural(number, what, &format!("{what}s"))));
    }
}

/// What was seen of a class attribute of one view class.
pub fn of_view(class: &str, key: &str, attribute: &ViewAttribute, timeline: &Timeline, tally: &Tally) -> Facts {
    let mut facts = Facts::default();
    let of_class = || open_views(timeline).filter(|(_, view)| view.class == class);
    match key {
        "tick_interval" => {
            let class_of = |session, id: &Option<ViewId>| Some(timeline.sessions().get(session)?.view_of(id.as_ref())?.class.as_str());
            let mine = tally.ticks.iter().filter(|((session, id), _)| class_of(session, id) == Some(class));
            let ticks: Vec<_> = mine.map(|(_, ticks)| ticks).collect();
            let fastest = ticks.iter().filter_map(|ticks| ticks.per_second()).max_by(f64::total_cmp);
            if let Some(fastest) = fastest {
                let wanted = attribute.value.as_f64().filter(|ms| *ms > 0.0).map(|ms| format!(", {:.2} asked for", 1000.0 / ms));
                facts.say(format!("{fastest:.2} ticks a second on a page{}", wanted.unwrap_or_default()));
            }
            let number = ticks.iter().map(|ticks| ticks.number).sum();
            facts.link(number, "tick", "ticks", format!("kind:tick view:{class}"));
        }
        "time_travel_enabled" => {
            if let Some(ring) = of_class().filter_map(|(_, view)| view.ring).max_by_key(|ring| ring.len) {
                facts.say(format!("Ring: {} of {}{}", ring.len, ring.max, if ring.len >= ring.max { ", older ones are gone" } else { "" }));
            }
        }
        _ => {}
    }
    facts
}
