//! Questions about the whole of a recording that is still being made: when a value changed, where a text is, which steps are marked.

use inspector_model::{Answer, ErrorCode, Keep, Path, Request, Scope, SearchOptions, Segment, Side, StepId};

use crate::lab::Lab;

#[test]
fn a_value_is_followed_through_the_pages_that_have_it() {
    let mut lab = Lab::start();
    let (first, second) = (lab.open("/counter/"), lab.open("/counter/"));
    lab.inspector.mounted("CounterView");
    for _ in 0..3 {
        lab.click(&first, "increment");
    }
    let third = lab.inspector.event("increment", 3);
    lab.click(&second, "add-7");
    let add = lab.inspector.event("add", 1);
    let source = lab.inspector.id;
    let path = Path(vec![Segment::Key("count".into())]);
    let mut ask = |scope: Scope| {
        let request = Request::History { source, step: third.id, side: Side::After, path: path.clone(), scope };
        match lab.inspector.ask(request) {
            Answer::History(history) => history,
            other => panic!("{other:?}"),
        }
    };
    let here = ask(Scope::View(third.session.clone().expect("a page"), third.view.clone()));
    let values: Vec<&str> = here.values.iter().filter_map(|(_, value)| Some(value.as_ref()?.json.as_str())).collect();
    assert_eq!((here.place.to_string().as_str(), values), ("count", vec!["0", "1", "2", "3"]), "the mount and three clicks");
    assert_eq!(here.steps.last(), Some(&third.id));
    let everywhere = ask(Scope::Everywhere);
    assert!(everywhere.steps.len() > here.steps.len() && everywhere.steps.contains(&add.id), "{everywhere:?}");
}

#[test]
fn a_typed_text_is_found_while_recording_and_its_step_can_be_marked() {
    let mut lab = Lab::start();
    let page = lab.open("/counter/");
    lab.inspector.mounted("CounterView");
    lab.type_text(&page, "label-input", "needle in hay");
    lab.click(&page, "set-label");
    let step = lab.inspector.event("set_label", 1);
    let source = lab.inspector.id;
    let options = SearchOptions { text: "NEEDLE".into(), ..SearchOptions::default() };
    let hits = match lab.inspector.ask(Request::Search { source, options, from: StepId(0) }) {
        Answer::Found(found) => found.hits,
        other => panic!("{other:?}"),
    };
    assert!(hits.iter().any(|hit| hit.step == step.id && hit.path == "label" && hit.value.contains("needle in hay")), "{hits:?}");

    let mark = |step, note: &str| Request::Mark { source, step, note: Some(note.to_owned()) };
    assert!(matches!(lab.inspector.ask(mark(step.id, "here")), Answer::Done(_)));
    lab.inspector.wait("the mark", |inspector| (inspector.timeline().marks().get(&step.id)? == "here").then_some(()));
    assert!(matches!(lab.inspector.ask(mark(StepId(9_999), "")), Answer::Failed(failure) if failure.message.contains("no step 9999")));
}

#[test]
fn too_little_to_keep_is_refused_and_enough_is_taken() {
    let mut lab = Lab::start();
    let keep = |recording_bytes| Request::Keep(Keep { recording_bytes, ..Keep::default() });
    assert!(matches!(lab.inspector.ask(keep(1)), Answer::Failed(failure) if failure.code == ErrorCode::BadRequest));
    assert!(matches!(lab.inspector.ask(keep(64 << 20)), Answer::Done(_)));
}

#[test]
fn a_breakpoint_marks_the_click_that_makes_its_condition_hold() {
    let mut lab = Lab::start();
    let page = lab.open("/counter/");
    lab.inspector.mounted("CounterView");
    let set = |condition: &str| Request::Breakpoints(vec![inspector_model::Breakpoint { condition: condition.into(), on: true }]);
    let refused = lab.inspector.ask(set("count >"));
    assert!(matches!(&refused, Answer::Failed(failure) if failure.message.contains("value to compare")), "{refused:?}");
    assert!(matches!(lab.inspector.ask(set("count > 1 and len(history) == 2")), Answer::Done(_)));
    for _ in 0..3 {
        lab.click(&page, "increment");
    }
    let third = lab.inspector.event("increment", 3);
    let second = lab.inspector.event("increment", 2);
    assert_eq!(second.hits, ["count > 1 and len(history) == 2"]);
    assert!(third.hits.is_empty(), "{third:?}");
    lab.inspector.wait("the word about it", |inspector| {
        inspector.messages.iter().any(|message| message.contains("Breakpoint: count > 1") && message.contains("increment")).then_some(())
    });
}
