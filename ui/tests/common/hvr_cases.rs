//! What an edit changed, as the window asks and tells it.

use egui::Key;
use inspector_model::{Answer, Cause, Diff, ErrorCode, Failure, Notice, Request, SourceState, Status, Step, StepId, StepKind};

use crate::Window;
use crate::common::driver::Driver as _;
use crate::common::{self, SOURCE, Scripted};

crate::cases![
    an_edit_is_checked_event_by_event_and_the_page_is_put_back,
    nothing_is_replayed_before_it_was_agreed_to,
    a_check_can_be_stopped,
    what_raises_and_what_cannot_be_sent_is_told,
    where_nothing_can_be_replayed_it_cannot_be_asked,
];

fn swap(engine: &Scripted) -> Step {
    let swapped = |step: &Step| matches!(&step.cause, Some(Cause::Reloaded { result, .. }) if result == "swapped");
    engine.script().sample.as_ref().unwrap().steps.iter().find(|step| swapped(step)).cloned().unwrap()
}

/// The last events of alice's cart before the swap, in their order.
fn events(engine: &Scripted) -> Vec<Step> {
    let swap = swap(engine).id;
    let steps = engine.script().sample.as_ref().unwrap().steps.clone();
    let of_cart = |step: &Step| {
        step.kind == StepKind::Event
            && step.session.as_ref().is_some_and(|session| session.as_str() == "sess-alice-1")
            && step.view.is_none()
            && step.id < swap
    };
    let events: Vec<Step> = steps.into_iter().filter(of_cart).collect();
    events[events.len() - 5..].to_vec()
}

fn ask(engine: &Scripted) -> String {
    format!("What did the edit change? Step {}", swap(engine).id)
}

fn replays(engine: &Scripted) -> Vec<StepId> {
    let asked = engine.asked(|asked| matches!(asked, Request::Replay { .. }));
    let replays = asked.into_iter().map(|asked| match asked {
        Request::Replay { source: SOURCE, step, params: None, restore: true } => step,
        other => panic!("not as it was recorded: {other:?}"),
    });
    replays.collect()
}

fn returns(engine: &Scripted) -> usize {
    let live = Request::ReturnToLive { source: SOURCE, session: "sess-alice-1".into(), view: None };
    engine.asked(|asked| *asked == live).len()
}

fn total(before: i64, after: i64) -> Diff {
    common::number_differs("total", before, after)
}

/// Tells the step that the replay under way became, and answers its diff.
fn becomes(engine: &Scripted, window: &mut Window, nth: u64, of: &Step, status: Status, diff: &Diff) {
    let mut step = common::step(900 + nth, Some("sess-alice-1"), StepKind::Replay, &of.name, 60.0 + nth as f64);
    step.cause = Some(Cause::Replay { step: Some(of.id), edited: false });
    step.sql = of.sql;
    step.status = status;
    step.error = (status == Status::Raised).then(|| "TypeError: unsupported operand".into());
    let notice = Notice::steps(SOURCE, [step]);
    engine.script().sample.as_mut().unwrap().know(&notice);
    engine.hold(true);
    engine.tell(notice);
    window.settle();
    engine.hold(false);
    engine.answer_held(diff);
    window.settle();
}

pub fn an_edit_is_checked_event_by_event_and_the_page_is_put_back() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.click("Reload");
    window.click(&ask(&engine));
    window.click("Replay 5 events");
    let events = events(&engine);
    for (nth, event) in events.iter().enumerate() {
        assert_eq!(replays(&engine).last(), Some(&event.id), "as they happened");
        assert_eq!((replays(&engine).len(), returns(&engine)), (nth + 1, 0), "one after the other");
        assert!(window.says(&format!("{nth} of 5 events done")));
        let diff = if event.name == "add_item" { total(21, 20) } else { Diff::default() };
        becomes(&engine, &mut window, nth as u64, event, event.status, &diff);
    }
    assert_eq!((replays(&engine).len(), returns(&engine)), (5, 1));
    let differing = events.iter().filter(|event| event.name == "add_item").count();
    assert!(window.has(&format!("{differing} of 5 events differ: total")));
    assert!(window.says("add_item  Differs here: total 21 → 20"));
    assert!(window.says("open_cart  Same as recorded"));
    assert!(window.has("Done by the sample"), "what the return came to");
    assert!(!window.has("Stop replaying"));

    let nth = events.iter().position(|event| event.name == "add_item").unwrap();
    let replay = 900 + nth;
    window.click(&format!("Diff of steps {} and {replay}", events[nth].id));
    assert!(window.has("Unpin A"), "it is compared with the recorded step");
    assert!(window.says(&format!("Step {replay}")));
    window.click("Reload");
    window.click(&format!("Step {replay}"));
    assert!(window.says(&format!("Step {replay}")) && window.has("Filter steps"));
}

pub fn nothing_is_replayed_before_it_was_agreed_to() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.click("Reload");
    for key in [Key::Escape, Key::Enter] {
        window.click(&ask(&engine));
        assert!(window.says("The handlers run again with their side effects"));
        assert!(window.says("Replay the last 5 events of CartView?"));
        assert!(window.says("This page ticks"));
        window.press(key);
        assert!(!window.has("Replay 5 events"), "{key:?}");
    }
    window.click(&ask(&engine));
    window.click("Cancel");
    assert_eq!((replays(&engine).len(), returns(&engine)), (0, 0));
    window.click(&ask(&engine));
    window.press(Key::R);
    assert_eq!(replays(&engine).len(), 1);
}

pub fn a_check_can_be_stopped() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.press(Key::Home);
    window.click("Reload");
    window.click(&format!("Step {}", swap(&engine).id));
    window.click(&ask(&engine));
    window.press(Key::R);
    assert!(window.get("Replay").disabled);
    window.click("Stop replaying");
    assert!(window.has("Stopping after this event"), "in the header of the swap, too");
    assert_eq!(returns(&engine), 0, "the page is busy with the event");
    becomes(&engine, &mut window, 0, &events(&engine)[0], events(&engine)[0].status, &Diff::default());
    assert_eq!((replays(&engine).len(), returns(&engine)), (1, 1));
    assert!(window.has("1 event, the same as recorded; stopped before the other 4"));
    assert!(!window.get(&ask(&engine)).disabled, "it can be asked again");
}

pub fn what_raises_and_what_cannot_be_sent_is_told() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.click("Reload");
    window.click(&ask(&engine));
    engine.hold(true);
    window.press(Key::R);
    let held = std::mem::take(&mut engine.script().held);
    engine.hold(false);
    for (id, request) in held {
        if matches!(request, Request::Replay { .. }) {
            let failure = Failure::new(ErrorCode::BadRequest, "the parameters hold a redacted value");
            engine.tell(Notice::Answer(id, Answer::Failed(failure)));
        }
    }
    window.settle();
    assert!(window.says("Could not be sent: the parameters hold a redacted value"));
    for (nth, event) in events(&engine).iter().enumerate().skip(1) {
        let status = if nth == 1 { Status::Raised } else { event.status };
        becomes(&engine, &mut window, nth as u64, event, status, &Diff::default());
    }
    assert!(window.says("Raised: TypeError: unsupported operand"));
    assert!(window.has("1 of 5 events raised; 1 of 5 events could not be sent"));
    assert_eq!(returns(&engine), 1);
}

pub fn where_nothing_can_be_replayed_it_cannot_be_asked() {
    let unable = |change: &dyn Fn(&mut Notice)| {
        let engine = Scripted::with_sample();
        engine.script().notices.iter_mut().for_each(change);
        let mut window = Window::open(&engine);
        window.click("Reload");
        assert!(window.get(&ask(&engine)).disabled);
    };
    unable(&|notice| {
        if let Notice::Session(_, session) = notice {
            session.phase = inspector_model::Phase::Closed;
        }
    });
    unable(&|notice| {
        if let Notice::Source(source) = notice {
            source.state = SourceState::Ended { reason: "the server was stopped".into() };
        }
    });
    let engine = Scripted::with_sample();
    let swap = swap(&engine);
    let steps = engine.script().sample.as_ref().unwrap().steps.clone();
    engine.script().notices.retain(|notice| !matches!(notice, Notice::Steps(..)));
    engine.tell(Notice::steps(SOURCE, steps.into_iter().filter(|step| step.kind != StepKind::Event || step.id > swap.id)));
    let mut window = Window::open(&engine);
    window.click("Reload");
    assert!(window.get(&ask(&engine)).disabled, "no event before the swap");
}
