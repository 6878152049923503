//! Changes that no step explains, with who made them; and jumps, with what they would lose said before.

use inspector_model::{Answer, By, Cause, JumpPreview, JumpTarget, Request, Side, Step, StepId, StepKind, Sure, Suspect};

use crate::lab::Lab;

/// The suspect of the first change of `name` outside of steps.
fn suspect(lab: &mut Lab, name: &str) -> (Step, Suspect) {
    let named = |step: &Step| match &step.cause {
        Some(Cause::Outside { suspects }) => suspects.iter().find(|suspect| suspect.names.iter().any(|one| one == name)).cloned(),
        _ => None,
    };
    let step =
        lab.inspector.step(&format!("a change of {name} outside of steps"), |step| step.kind == StepKind::Outside && named(step).is_some());
    let suspect = named(&step).expect("a suspect");
    (step, suspect)
}

#[test]
fn outside_changes_name_the_thread_the_render_and_the_other_page_that_made_them() {
    let mut lab = Lab::start();
    let page = lab.open("/outside/");
    lab.inspector.mounted("OutsideView");
    let other = lab.open_as_another_user("/outside/");
    lab.inspector.wait("two pages", |inspector| (inspector.timeline.as_ref()?.sessions().len() == 2).then_some(()));
    lab.click(&other, "post");
    let posted = lab.inspector.event("post", 1);
    lab.click(&page, "measure");
    lab.inspector.event("measure", 1);
    // The thread writes a moment later; each click shows what has happened by then.
    for clicks in 1..=40 {
        lab.click(&page, "click");
        lab.wait_text(&page, "clicks", &clicks.to_string());
        if lab.eval(&page, "document.querySelector('[data-test=measured]').textContent") == "20" {
            break;
        }
    }
    let (_, thread) = suspect(&mut lab, "measured");
    assert_eq!((thread.by, thread.sure, thread.what.as_deref()), (By::Task, Sure::Certain, Some("thread thermometer")));
    assert!(thread.place.is_some_and(|place| place.ends_with(" in _measure")));
    let (_, shared) = suspect(&mut lab, "board");
    assert_eq!((shared.by, shared.sure, shared.step), (By::Shared, Sure::Certain, Some(posted.id)));
    assert_eq!(shared.session, posted.session);
    lab.click(&page, "click");
    let (found, render) = suspect(&mut lab, "renders");
    assert_eq!((render.by, render.sure), (By::Render, Sure::Certain));
    let behind = render.step.and_then(|step| lab.inspector.timeline().step(step)).expect("the step that was rendered");
    assert!(behind.kind == StepKind::Event && behind.id < found.id && behind.session == found.session, "{behind:?}");
}

fn preview(lab: &mut Lab, step: StepId, side: Side) -> JumpPreview {
    let source = lab.inspector.id;
    match lab.inspector.ask(Request::PreviewJump { source, target: JumpTarget { step, side }, component: None }) {
        Answer::JumpPreview(preview) => *preview,
        other => panic!("no preview: {other:?}"),
    }
}

#[test]
fn a_preview_says_what_the_jump_then_reports() {
    let mut lab = Lab::start();
    let page = lab.open("/outside/");
    let session = lab.inspector.mounted("OutsideView");
    lab.click(&page, "click");
    let click = lab.inspector.event("click", 1);
    lab.click(&page, "measure");
    let measure = lab.inspector.event("measure", 1);
    let steps = lab.inspector.timeline().steps().len();
    let said = preview(&mut lab, click.id, Side::Before);
    assert_eq!(said.not_restored.iter().map(|lost| lost.path.as_str()).collect::<Vec<_>>(), ["measuring"], "the step did not have it");
    assert_eq!(said.unasked, None);
    assert!(said.whole.is_some_and(|whole| whole >= measure.id), "the nearest step that had it: {said:?}");
    assert_eq!(lab.inspector.timeline().cursor(&session), inspector_model::RemoteCursor::Live);
    assert_eq!(lab.inspector.timeline().steps().len(), steps, "nothing has happened");
    let done = lab.inspector.jump(click.id, Side::Before);
    assert_eq!(done.not_restored, said.not_restored);
    lab.wait_text(&page, "clicks", "0");
    let whole = said.whole.expect("a step");
    assert_eq!(preview(&mut lab, whole, Side::After).not_restored, []);
    assert_eq!(lab.inspector.jump(whole, Side::After).not_restored, []);
    lab.wait_text(&page, "clicks", "1");
}
