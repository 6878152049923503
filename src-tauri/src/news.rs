//! What is worth a desktop notification. The texts name code, never state: they end up on lock screens and in logs.

use std::collections::{BTreeMap, HashSet};

use inspector_model::{Cause, Notice, NotifyAbout, SessionId, SourceId, SourceKind, Status, Step, StepId, StepKind, for_desktop};

/// How long a kind is silent after it has spoken, seconds: a loop that raises must not fill the desktop.
const SILENCE_SECS: f64 = 10.0;
/// Characters of a notification.
const MOST_TITLE: usize = 120;
const MOST_BODY: usize = 240;
/// Close code of a page that sent too much.
const TOO_MANY: u16 = 4429;

/// One notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// Its kind.
    pub about: NotifyAbout,
    /// First line.
    pub title: String,
    /// Second line.
    pub body: String,
    /// Where a click on it leads: to the step, or to the source alone.
    pub at: (SourceId, Option<StepId>),
}

/// Reads notices and finds the news in them.
#[derive(Debug, Default)]
pub struct Newsroom {
    /// Live servers by their titles; recordings make no news.
    live: BTreeMap<SourceId, String>,
    /// Pages whose end was told.
    closed: HashSet<(SourceId, SessionId)>,
    spoken: BTreeMap<NotifyAbout, Spoken>,
}

#[derive(Debug)]
struct Spoken {
    at: f64,
    withheld: u32,
}

impl Newsroom {
    /// The news in a notice, if any. `now` is in Unix seconds.
    pub fn read(&mut self, notice: &Notice, now: f64) -> Vec<News> {
        let mut news = Vec::new();
        match notice {
            Notice::Source(source) => {
                if matches!(source.kind, SourceKind::Live { .. }) {
                    let title = source.server.as_ref().map(|server| server.project.clone()).filter(|project| !project.is_empty());
                    self.live.insert(source.id, title.unwrap_or_else(|| source.title.clone()));
                }
            }
            Notice::SourceClosed(id) => {
                self.live.remove(id);
                self.closed.retain(|(source, _)| source != id);
            }
            Notice::Steps(id, steps) => {
                if let Some(title) = self.live.get(id) {
                    news.extend(steps.iter().flat_map(|block| block.iter()).filter_map(|step| of_step(*id, &step, title)));
                }
            }
            Notice::Session(id, session) => {
                let too_many = session.close.as_ref().is_some_and(|close| close.code == Some(TOO_MANY));
                if let Some(title) = self.live.get(id).filter(|_| too_many)
                    && self.closed.insert((*id, session.id.clone()))
                {
                    let view = session.view.as_ref().map_or("a page", |view| class_name(&view.class));
                    news.push(News {
                        about: NotifyAbout::RateLimitCloses,
                        title: format!("{title}: a page was closed with 4429"),
                        body: format!("{view} got more messages than its rate limit allows"),
                        at: (*id, None),
                    });
                }
            }
            _ => {}
        }
        news.retain_mut(|item| self.may_speak(item, now));
        // Names come from browsers, and some desktops take what a notification says for markup.
        for News { title, body, .. } in &mut news {
            *title = for_desktop(title, MOST_TITLE);
            *body = for_desktop(body, MOST_BODY);
        }
        news
    }

    fn may_speak(&mut self, news: &mut News, now: f64) -> bool {
        match self.spoken.get_mut(&news.about) {
            Some(spoken) if (0.0..SILENCE_SECS).contains(&(now - spoken.at)) => {
                spoken.withheld += 1;
                false
            }
            before => {
                let withheld = before.map_or(0, |spoken| spoken.withheld);
                if withheld > 0 {
                    news.body = format!("{} (and {withheld} more before it)", news.body);
                }
                self.spoken.insert(news.about, Spoken { at: now, withheld: 0 });
                true
            }
        }
    }
}

fn of_step(source: SourceId, step: &Step, title: &str) -> Option<News> {
    let at = (source, Some(step.id));
    // What was there before the inspector came is no news.
    if step.history {
        return None;
    }
    // The condition may name a user's data: it is told in the window.
    if !step.hits.is_empty() {
        return Some(News {
            about: NotifyAbout::Breakpoints,
            title: format!("{title}: a breakpoint was hit"),
            body: format!("{}, step {}", step.name, step.id),
            at,
        });
    }
    let refused = matches!(&step.cause, Some(Cause::Reloaded { result, .. }) if result == "refused");
    if step.kind == StepKind::Hvr && refused {
        let Some(Cause::Reloaded { file, .. }) = &step.cause else { return None };
        let file = file.rsplit(['/', '\\']).next().unwrap_or_default();
        return Some(News {
            about: NotifyAbout::RefusedSwaps,
            title: format!("{title}: HVR refused to swap"),
            body: format!("The page keeps the old classes of {file}; the step says why"),
            at,
        });
    }
    if step.kind == StepKind::RateLimited && matches!(&step.cause, Some(Cause::Limit { code: Some(TOO_MANY), .. })) {
        // Told with the session, which is closed by it.
        return None;
    }
    (step.status == Status::Raised).then(|| News {
        about: NotifyAbout::Errors,
        title: format!("{title}: a handler raised"),
        body: match error_class(step.error.as_deref()) {
            Some(class) => format!("{} raised {class}", step.name),
            None => format!("{} raised", step.name),
        },
        at,
    })
}

/// The class at the beginning of `ValueError: …`. What follows may be the user's data.
fn error_class(error: Option<&str>) -> Option<&str> {
    let class = error?.split(':').next()?.trim();
    let is_name = !class.is_empty() && class.len() <= 80 && class.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
    is_name.then_some(class)
}

fn class_name(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use inspector_model::{Close, Phase, RecorderStatus, Session, Source, SourceState};

    use super::*;

    const SOURCE: SourceId = SourceId(1);

    fn source(kind: SourceKind) -> Notice {
        Notice::Source(Box::new(Source {
            id: SOURCE,
            kind,
            state: SourceState::Attached,
            title: "shop".into(),
            server: None,
            access: None,
            recorder: RecorderStatus::default(),
        }))
    }

    fn newsroom() -> Newsroom {
        let mut room = Newsroom::default();
        assert!(room.read(&source(SourceKind::Live { url: "http://127.0.0.1:1".into() }), 0.0).is_empty());
        room
    }

    fn raised(error: &str) -> Step {
        Step { id: StepId(1), status: Status::Raised, error: Some(error.into()), ..Step::new(StepKind::Event, "order", 0.0) }
    }

    fn session(code: u16) -> Notice {
        let session: Session = serde_json::from_value(serde_json::json!({"session": "s"})).unwrap();
        Notice::Session(
            SOURCE,
            Box::new(Session { phase: Phase::Closed, close: Some(Close { code: Some(code), reason: Some("x".into()) }), ..session }),
        )
    }

    #[test]
    fn an_error_is_told_without_what_it_said() {
        let mut room = newsroom();
        let news = room.read(&Notice::steps(SOURCE, [raised("KeyError: 'card 4242 4242'")]), 1.0);
        assert_eq!(
            news,
            [News {
                about: NotifyAbout::Errors,
                title: "shop: a handler raised".into(),
                body: "order raised KeyError".into(),
                at: (SOURCE, Some(StepId(1)))
            }]
        );
        let news = newsroom().read(&Notice::steps(SOURCE, [raised("the card 4242 was refused")]), 1.0);
        assert_eq!(news[0].body, "order raised");
    }

    #[test]
    fn a_loop_of_errors_is_told_once_and_then_counted() {
        let mut room = newsroom();
        let many = Notice::steps(SOURCE, (1..=50).map(|id| Step { id: StepId(id), ..raised("ValueError") }));
        assert_eq!(room.read(&many, 1.0).len(), 1);
        assert!(room.read(&many, 5.0).is_empty());
        let later = room.read(&Notice::steps(SOURCE, [raised("ValueError")]), 12.0);
        assert_eq!(later[0].body, "order raised ValueError (and 99 more before it)");
    }

    #[test]
    fn refused_swaps_and_closes_are_told() {
        let mut room = newsroom();
        let cause = |result: &str| {
            Some(Cause::Reloaded {
                reload: "r".into(),
                file: "/srv/shop/views.py".into(),
                result: result.into(),
                reason: Some("because".into()),
            })
        };
        let step = Step { cause: cause("refused"), ..Step::new(StepKind::Hvr, "views.py", 0.0) };
        let news = room.read(&Notice::steps(SOURCE, [step]), 1.0);
        assert_eq!(news[0].about, NotifyAbout::RefusedSwaps);
        assert!(news[0].body.contains("views.py") && !news[0].body.contains("because"), "{news:?}");
        let swapped = Step { cause: cause("swapped"), ..Step::new(StepKind::Hvr, "views.py", 0.0) };
        assert!(room.read(&Notice::steps(SOURCE, [swapped]), 100.0).is_empty());

        assert!(room.read(&session(1000), 1.0).is_empty());
        assert_eq!(room.read(&session(4429), 1.0)[0].about, NotifyAbout::RateLimitCloses);
        assert!(room.read(&session(4429), 100.0).is_empty(), "once for each page");
    }

    #[test]
    fn a_hostile_name_is_no_markup_and_hides_nothing() {
        let name = format!("<a href='http://evil.example'>\u{202e}pay</a>\n\u{1b}]0;x\u{7}{}", "x".repeat(1_000));
        let step = Step { status: Status::Raised, ..Step::new(StepKind::Event, &name, 0.0) };
        let news = newsroom().read(&Notice::steps(SOURCE, [step]), 1.0);
        let body = &news[0].body;
        assert!(body.starts_with("‹a href='http://evil.example'›\\u{202e}pay‹/a›\\n") && body.chars().count() <= MOST_BODY, "{body}");
        assert!(!body.chars().any(|c| inspector_model::is_invisible(c) || matches!(c, '<' | '&')), "{body}");
    }

    #[test]
    fn a_breakpoint_is_told_without_its_condition() {
        let step = Step { id: StepId(7), hits: vec!["card == '4242'".into()], ..Step::new(StepKind::Event, "pay", 0.0) };
        let news = newsroom().read(&Notice::steps(SOURCE, [step]), 1.0);
        assert_eq!(
            news,
            [News {
                about: NotifyAbout::Breakpoints,
                title: "shop: a breakpoint was hit".into(),
                body: "pay, step 7".into(),
                at: (SOURCE, Some(StepId(7)))
            }]
        );
    }

    #[test]
    fn recordings_and_history_make_no_news() {
        let mut room = Newsroom::default();
        let _ = room.read(&source(SourceKind::Recording), 0.0);
        assert!(room.read(&Notice::steps(SOURCE, [raised("ValueError")]), 1.0).is_empty());
        let old = Step { history: true, ..raised("ValueError") };
        assert!(newsroom().read(&Notice::steps(SOURCE, [old]), 1.0).is_empty());
    }
}
