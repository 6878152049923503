//! Two runs beside each other, and replays with their verdict.

use inspector_model::{Answer, CompareRow, Comparison, Ignore, PairStates, Request, SourceId, SourceStream, StepId, StepKind};

use crate::inspector::Inspector;
use crate::lab::Lab;
use crate::window::Screen;

fn compared(inspector: &mut Inspector, left: SourceStream, right: SourceStream) -> Comparison {
    match inspector.ask(Request::Compare { left, right }) {
        Answer::Compared(compared) => *compared,
        other => panic!("not compared: {other:?}"),
    }
}

fn pairs(compared: &Comparison) -> Vec<(StepId, StepId)> {
    let pair = |row: &CompareRow| if let CompareRow::Pair { left, right, .. } = row { Some((*left, *right)) } else { None };
    compared.rows.iter().filter_map(pair).collect()
}

fn states(inspector: &mut Inspector, left: SourceId, right: SourceId, mut pairs: Vec<(StepId, StepId)>) -> Vec<PairStates> {
    let mut all = Vec::new();
    while !pairs.is_empty() {
        match inspector.ask(Request::CompareStates { left, right, pairs: pairs.clone(), ignore: Ignore::default() }) {
            Answer::ComparedStates(states) => {
                pairs.drain(..states.len());
                all.extend(states);
            }
            other => panic!("not compared: {other:?}"),
        }
    }
    all
}

#[test]
fn two_pages_of_one_view_part_where_other_buttons_were_clicked() {
    let mut lab = Lab::start();
    let first = lab.open("/counter/");
    let one = lab.inspector.mounted("CounterView");
    for (button, event) in [("increment", "increment"), ("add-7", "add"), ("increment", "increment")] {
        lab.click(&first, button);
        lab.inspector.step(event, |step| step.name == event);
    }
    lab.wait_text(&first, "count", "9");
    lab.inspector.event("increment", 2);
    let second = lab.open_as_another_user("/counter/");
    let other = lab.inspector.step("another page", |step| step.kind == StepKind::Mount && step.session.as_ref() != Some(&one));
    for count in ["1", "2"] {
        lab.click(&second, "increment");
        lab.wait_text(&second, "count", count);
    }
    lab.inspector.event("increment", 4);

    let source = lab.inspector.id;
    let (left, right) = ((source, (one, None)), (source, (other.session.expect("a page"), None)));
    let steps = compared(&mut lab.inspector, left.clone(), right);
    let sorts: Vec<&str> = steps
        .rows
        .iter()
        .map(|row| match row {
            CompareRow::Pair { .. } => "pair",
            CompareRow::Left(_) => "left",
            CompareRow::Right(_) => "right",
        })
        .collect();
    assert_eq!(sorts, ["pair", "pair", "left", "pair"], "mount, increment, add(7), increment: {steps:?}");
    let found = states(&mut lab.inspector, source, source, pairs(&steps));
    let differing: Vec<u32> = found.iter().map(|states| states.counts.total()).collect();
    assert_eq!((differing[0], differing[1]), (0, 0), "{found:?}");
    assert!(found[2].paths.iter().any(|path| path == "count"), "{found:?}");

    // The same run, passed on as a file, is the same.
    let copy = lab.inspector.pass_on();
    let again = compared(&mut lab.inspector, left.clone(), (copy, left.1));
    assert!(again.rows.iter().all(|row| matches!(row, CompareRow::Pair { left, right, same_params: true } if left == right)));
    let found = states(&mut lab.inspector, source, copy, pairs(&again));
    assert!(found.iter().all(|states| *states == PairStates::default()), "{found:?}");
}

#[test]
fn replays_are_judged_and_a_random_handler_is_found() {
    let mut lab = Lab::start();
    let page = lab.open("/counter/");
    lab.inspector.mounted("CounterView");
    lab.click(&page, "add-7");
    let add = lab.inspector.event("add", 1);
    lab.wait_text(&page, "count", "7");
    lab.click(&page, "draw");
    let draw = lab.inspector.event("draw", 1);

    let mut screen = Screen::on(lab.inspector.window());
    screen.click(&format!("Step {} Event add", add.id));
    screen.click("Replay");
    screen.until_says("Same as recorded");
    screen.click("Params");
    screen.click("Replay 5 times");
    screen.until_says("5 replays, the same every time");

    screen.click(&format!("Step {} Event draw", draw.id));
    screen.click("Replay 5 times");
    screen.until_says("5 replays, not deterministic: `ticket`");
    lab.inspector.wait("one replay and twice five", |inspector| {
        let replays = inspector.timeline.as_ref()?.of_kind(StepKind::Replay).len();
        (replays == 11).then_some(())
    });
    // The header of the replay itself says it, too.
    let first = lab.inspector.step_after(draw.id, "a replay of draw", |step| step.kind == StepKind::Replay && step.name == "draw");
    screen.click(&format!("Step {} Replay draw", first.id));
    screen.until_says("Differs here: ticket");
}
