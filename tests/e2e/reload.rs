//! Hot reload and Hot View Replacement, with reasons.

use inspector_model::{Cause, RemoteCursor, StepKind};

use crate::lab::Lab;
use crate::window::Screen;

fn outcome(lab: &mut Lab, kind: StepKind) -> (String, Option<String>) {
    let step = lab.inspector.step("the outcome of a save", |step| step.kind == kind);
    match step.cause {
        Some(Cause::Reloaded { result, reason, .. }) => (result, reason),
        other => panic!("no outcome: {other:?}"),
    }
}

#[test]
fn an_edited_handler_is_swapped_and_the_state_is_kept() {
    let mut lab = Lab::start();
    let page = lab.open("/hvr/");
    lab.inspector.mounted("HvrView");
    lab.click(&page, "increment");
    lab.wait_text(&page, "count", "1");
    lab.edit("lab/hvr_views.py", "self.count += 1", "self.count += 100");
    assert_eq!(outcome(&mut lab, StepKind::Hvr).0, "swapped");
    lab.click(&page, "increment");
    lab.wait_text(&page, "count", "101");
    lab.inspector.step("the save", |step| step.kind == StepKind::Reload);
}

#[test]
fn a_refused_swap_says_why() {
    let mut lab = Lab::start();
    lab.open("/hvr/");
    lab.inspector.mounted("HvrView");
    lab.edit("lab/hvr_views.py", "def greet(self, name: str = \"world\", **kwargs)", "def greet(self, other: int = 3, **kwargs)");
    let (result, reason) = outcome(&mut lab, StepKind::Hvr);
    assert_eq!(result, "refused");
    assert!(reason.expect("a reason").contains("greet"));
}

#[test]
fn an_edited_template_is_patched_in() {
    let mut lab = Lab::start();
    lab.open("/hvr/");
    lab.inspector.mounted("HvrView");
    lab.edit("lab/templates/lab/hvr.html", "<h1", "<h1 title=\"edited\"");
    let (result, _) = outcome(&mut lab, StepKind::HotReload);
    assert!(["patched", "nothing", "reloaded"].contains(&result.as_str()), "{result}");
}

#[test]
fn what_an_edit_changed_is_found_by_replaying_and_the_page_is_live_again() {
    let mut lab = Lab::start();
    let page = lab.open("/hvr/");
    let session = lab.inspector.mounted("HvrView");
    for count in ["1", "2"] {
        lab.click(&page, "increment");
        lab.wait_text(&page, "count", count);
    }
    lab.click(&page, "greet");
    lab.wait_text(&page, "greeting", "Hello, reader");
    lab.inspector.event("greet", 1);
    lab.edit("lab/hvr_views.py", "self.count += 1", "self.count += 100");
    let swap = lab.inspector.step("the swap", |step| step.kind == StepKind::Hvr);

    let mut screen = Screen::on(lab.inspector.window());
    screen.click("Reload");
    screen.click(&format!("What did the edit change? Step {}", swap.id));
    screen.until_says("The handlers run again with their side effects");
    screen.click("Replay 3 events");
    screen.until_says("2 of 3 events differ: count");
    screen.until_says("increment  Differs here: count 1 → 100");
    screen.until_says("increment  Differs here: count 2 → 101");
    screen.until_says("greet  Same as recorded");
    screen.until_says("The page is live again");

    lab.wait_text(&page, "count", "2");
    lab.wait_text(&page, "greeting", "Hello, reader");
    assert_eq!(lab.inspector.timeline().cursor(&session), RemoteCursor::Live);
    lab.click(&page, "increment");
    lab.wait_text(&page, "count", "102");
}
