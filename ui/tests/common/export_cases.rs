//! The export dialog, bug captures that are pasted, and long work that is watched and stopped.

use egui::{Key, Modifiers};
use inspector_model::{
    Answer, DesktopInfo, DesktopRequest, ErrorCode, ExportFormat, ExportOptions, Failure, Notice, Redaction, Request, RequestId, Selection,
    StepId, Work, WorkId,
};

use crate::Window;
use crate::common::Scripted;
use crate::common::driver::Driver as _;

crate::native_cases![
    an_export_shows_first_what_is_kept_back_and_then_where_it_was_written,
    what_is_chosen_is_looked_through_anew_and_the_latest_wins,
    a_file_with_its_secrets_has_to_be_wanted_twice,
    a_secret_that_was_found_in_the_finished_file_is_told_with_what_to_do,
    the_selected_step_is_shared_alone,
    the_shown_page_and_a_range_of_steps_are_exported_alone,
    a_capture_of_many_steps_is_not_written_and_says_why,
    a_place_that_is_none_is_told_before_anything_is_written,
    where_there_are_dialogs_the_desktop_asks_where,
    a_dialog_that_was_closed_is_answered_by_a_message,
    long_work_is_shown_with_how_far_it_is_and_stopped,
    a_preview_that_nobody_wants_any_more_is_stopped,
    a_bug_capture_is_opened_by_its_text,
    a_recording_file_is_encrypted_with_a_passphrase_that_was_typed_twice,
    an_encrypted_file_asks_for_its_passphrase_until_it_is_right_or_left,
];

fn exports(engine: &Scripted) -> Vec<(ExportOptions, String)> {
    let all = engine.asked(|asked| matches!(asked, Request::Export { .. }));
    let parts = all.into_iter().map(|request| match request {
        Request::Export { options, path, .. } => (options, path.display().to_string()),
        other => panic!("{other:?}"),
    });
    parts.collect()
}

fn previews(engine: &Scripted) -> Vec<ExportOptions> {
    let all = engine.asked(|asked| matches!(asked, Request::PreviewExport { .. }));
    let options = all.into_iter().map(|request| match request {
        Request::PreviewExport { options, .. } => options,
        other => panic!("{other:?}"),
    });
    options.collect()
}

/// The request that was asked last.
fn last_request(engine: &Scripted, fits: impl Fn(&Request) -> bool) -> RequestId {
    engine.script().requests.iter().rev().find(|(_, request)| fits(request)).expect("it was asked").0
}

fn open(engine: &Scripted) -> Window {
    let mut window = Window::open(engine);
    window.press_with(Modifiers::COMMAND, Key::E);
    window
}

pub fn an_export_shows_first_what_is_kept_back_and_then_where_it_was_written() {
    let engine = Scripted::with_sample();
    let mut window = open(&engine);
    for format in ExportFormat::ALL {
        assert!(window.has(format.label()) && window.has(format.purpose()), "{format}");
    }
    assert!(window.says("values are kept back") && window.says("user.password") && window.says("secret by its name"));
    assert!(window.get("Write file").disabled, "nobody said where");
    assert!(exports(&engine).is_empty());
    window.type_into("File to write", "/tmp/cart.djrec");
    window.click("Write file");
    assert_eq!(exports(&engine), [(ExportOptions::default(), "/tmp/cart.djrec".to_owned())]);
    assert!(window.says("Done by the sample") && window.has("Copy path"));
    window.click("Close");
    assert!(!window.has("Copy path"));
}

pub fn what_is_chosen_is_looked_through_anew_and_the_latest_wins() {
    let engine = Scripted::with_sample();
    let mut window = open(&engine);
    let before = previews(&engine).len();
    assert_eq!(before, 1);
    engine.hold(true);
    window.click("E-mail addresses too");
    window.type_into("Further names", "pin, phone");
    window.click("JSON");
    assert!(window.says("Looking through it"));
    assert!(window.says("values are kept back"), "the last one stays");
    assert_eq!(previews(&engine).len(), before + 1, "one is on its way");
    engine.release();
    window.settle();
    let redaction = Redaction { emails: true, names: vec!["pin".into(), "phone".into()], ..Redaction::default() };
    assert_eq!(previews(&engine)[before + 1..].iter().map(|options| &options.redaction).collect::<Vec<_>>(), [&redaction]);
    assert!(!window.says("Looking through it") && window.says("e-mail address in states, 2 different values"));
    window.type_into("File to write", "/tmp/cart.json");
    window.click("Write file");
    assert_eq!(exports(&engine)[0].0, ExportOptions { format: ExportFormat::Json, redaction, ..ExportOptions::default() });
}

pub fn a_file_with_its_secrets_has_to_be_wanted_twice() {
    let engine = Scripted::with_sample();
    let mut window = open(&engine);
    window.type_into("File to write", "/tmp/cart.djrec");
    window.click("Keep secrets back");
    assert!(window.says("Everything is written as it was recorded") && window.has("Nothing is kept back"));
    assert!(window.get("Write file").disabled);
    window.click("I want this file with its secrets");
    window.click("Write file");
    assert!(exports(&engine)[0].0.redaction.off);
}

pub fn a_secret_that_was_found_in_the_finished_file_is_told_with_what_to_do() {
    let engine = Scripted::with_sample();
    let mut window = open(&engine);
    window.type_into("File to write", "/tmp/cart.djrec");
    engine.hold(true);
    window.click("Write file");
    assert!(window.says("Writing /tmp/cart.djrec"));
    let failure =
        Failure::new(ErrorCode::Leak, "the file was not written: it would have held a secret: card number in the state of step 5");
    let id = last_request(&engine, |request| matches!(request, Request::Export { .. }));
    engine.script().held.clear();
    engine.tell(Notice::Answer(id, Answer::Failed(failure)));
    window.settle();
    assert!(window.says("card number in the state of step 5") && window.says("Add the value's name or its place"));
    assert!(!window.says("Writing /tmp/cart.djrec"));
    // It is mended where it is told.
    engine.hold(false);
    window.type_into("Further places", "*.card");
    assert!(!window.says("card number in the state of step 5"));
    window.click("Write file");
    assert_eq!(exports(&engine)[1].0.redaction.paths, ["*.card"]);
}

pub fn the_selected_step_is_shared_alone() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.select("Step 5 Event add_item");
    window.click("Share this step");
    assert_eq!(window.get("The selected step: 5 add_item").toggled, Some(true));
    assert!(window.says("1 step of"));
    window.click("djust bug capture");
    window.type_into("File to write", "/tmp/5.djbug1");
    window.click("Write file");
    let selection = Selection { first: Some(StepId(5)), last: Some(StepId(5)), session: None };
    assert_eq!(exports(&engine)[0].0, ExportOptions { format: ExportFormat::BugCapture, selection, ..ExportOptions::default() });
}

pub fn the_shown_page_and_a_range_of_steps_are_exported_alone() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.click("Session alice /cart/");
    window.press_with(Modifiers::COMMAND, Key::E);
    window.click("The shown page: alice /cart/");
    window.type_into("File to write", "/tmp/a.djrec");
    window.click("Write file");
    assert_eq!(exports(&engine)[0].0.selection, Selection { first: None, last: None, session: Some("sess-alice-1".into()) });
    window.click("Export more");
    window.click("Steps to choose");
    window.click("Write file");
    let (first, last) = (Some(StepId(1)), Some(StepId(59)));
    assert_eq!(exports(&engine)[1].0.selection, Selection { first, last, session: None });
}

pub fn a_capture_of_many_steps_is_not_written_and_says_why() {
    let engine = Scripted::with_sample();
    let mut window = open(&engine);
    window.type_into("File to write", "/tmp/a.djbug1");
    window.click("djust bug capture");
    assert!(window.says("a bug capture holds one step"));
    assert!(window.get("Write file").disabled);
    window.click("HTML report");
    assert!(!window.get("Write file").disabled);
}

pub fn a_place_that_is_none_is_told_before_anything_is_written() {
    let engine = Scripted::with_sample();
    let mut window = open(&engine);
    window.type_into("File to write", "/tmp/a.djrec");
    window.type_into("Further places", "cart..owner");
    assert!(window.says("this is no path"));
    assert!(window.get("Write file").disabled);
}

pub fn where_there_are_dialogs_the_desktop_asks_where() {
    let engine = Scripted::with_sample();
    engine.tell(Notice::Desktop(Box::new(DesktopInfo { dialogs: true, ..DesktopInfo::default() })));
    let mut window = open(&engine);
    assert!(!window.has("File to write"));
    window.click("pytest test");
    // Whoever changes their mind chooses on.
    window.click("Write file …");
    assert!(exports(&engine).is_empty() && !window.get("Write file …").disabled);
    engine.pick(Some("/home/me/test_cart.py"));
    window.click("Write file …");
    let picked = engine.asked(|asked| matches!(asked, Request::Desktop(DesktopRequest::PickFileToSave { .. })));
    assert!(picked.iter().all(|asked| format!("{asked:?}").contains(".py\"")), "{picked:?}");
    assert_eq!(exports(&engine)[0].1, "/home/me/test_cart.py");
    assert!(window.has("Copy path"));
}

pub fn a_dialog_that_was_closed_is_answered_by_a_message() {
    let engine = Scripted::with_sample();
    let mut window = open(&engine);
    window.type_into("File to write", "/tmp/cart.djrec");
    engine.hold(true);
    window.click("Write file");
    window.click("Close, and write on");
    assert!(!window.has("File to write") && !window.says("Done by the sample"));
    engine.release();
    window.settle();
    assert!(window.says("Done by the sample"));
}

fn work(id: u64, words: &str, (done, of): (u64, u64), request: Option<RequestId>) -> Work {
    Work { id: WorkId(id), words: words.into(), done, of, request }
}

pub fn long_work_is_shown_with_how_far_it_is_and_stopped() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    engine.tell(Notice::Work(vec![work(3, "Importing shop.djrec", (30, 120), None), work(4, "Indexing shop", (0, 0), None)]));
    window.settle();
    window.click("Work: Importing shop.djrec, 25 %");
    assert!(window.has("Cancel Indexing shop"));
    engine.hold(true);
    window.click("Cancel Importing shop.djrec");
    assert_eq!(engine.asked(|asked| *asked == Request::Cancel(WorkId(3))).len(), 1);
    assert!(window.get("Cancel Importing shop.djrec").disabled && window.says("Stopping: Importing shop.djrec"));
    assert!(!window.get("Cancel Indexing shop").disabled);
    engine.tell(Notice::Work(Vec::new()));
    window.settle();
    assert!(!window.says("Importing shop.djrec"));
}

pub fn a_preview_that_nobody_wants_any_more_is_stopped() {
    let engine = Scripted::with_sample();
    engine.hold(true);
    let mut window = open(&engine);
    let id = last_request(&engine, |request| matches!(request, Request::PreviewExport { .. }));
    engine.tell(Notice::Work(vec![work(9, "Looking through shop", (1, 4), Some(id))]));
    window.settle();
    assert!(window.has("Cancel Looking through shop") && engine.asked(|asked| *asked == Request::Cancel(WorkId(9))).is_empty());
    window.click("E-mail addresses too");
    assert_eq!(engine.asked(|asked| *asked == Request::Cancel(WorkId(9))).len(), 1, "once");
    engine.tell(Notice::Answer(id, Answer::Failed(Failure::new(ErrorCode::Cancelled, "it was cancelled"))));
    window.settle();
    assert!(!window.says("it was cancelled"));
    let asked = previews(&engine);
    assert!(asked.len() == 2 && asked[1].redaction.emails, "{asked:?}");
}

pub fn a_bug_capture_is_opened_by_its_text() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.press_with(Modifiers::ALT, Key::Num1);
    window.type_into("Recording file", "djbug1.e30");
    window.click("Open file");
    assert_eq!(engine.asked(|asked| *asked == Request::OpenText("djbug1.e30".into())).len(), 1);
    assert!(engine.asked(|asked| matches!(asked, Request::OpenFile(_))).is_empty());
    let dialogs = Scripted::with_sample();
    dialogs.tell(Notice::Desktop(Box::new(DesktopInfo { dialogs: true, ..DesktopInfo::default() })));
    let mut window = Window::open(&dialogs);
    window.press_with(Modifiers::ALT, Key::Num1);
    window.type_into("Bug capture", "/etc/passwd");
    assert!(window.get("Open capture").disabled, "a page opens no path");
    assert_eq!(dialogs.asked(|asked| matches!(asked, Request::OpenFile(_))), []);
}

pub fn a_recording_file_is_encrypted_with_a_passphrase_that_was_typed_twice() {
    let engine = Scripted::with_sample();
    let mut window = open(&engine);
    window.type_into("File to write", "/tmp/a.djrec");
    let looked_through = previews(&engine).len();
    window.type_into("Passphrase", "correct horse");
    assert!(window.get("Write file").disabled && window.has("The two passphrases are not the same"));
    window.type_into("Once more", "correct horse");
    assert_eq!(previews(&engine).len(), looked_through, "what is in it does not depend on that");
    window.click("Write file");
    assert_eq!(exports(&engine)[0].0.passphrase, Some("correct horse".into()));

    // Only a recording file is encrypted.
    let engine = Scripted::with_sample();
    let mut window = open(&engine);
    window.type_into("File to write", "/tmp/a");
    window.type_into("Passphrase", "correct horse");
    window.click(ExportFormat::Html.label());
    assert!(!window.has("Passphrase"));
    window.click("Write file");
    assert_eq!(exports(&engine)[0].0.passphrase, None);
}

pub fn an_encrypted_file_asks_for_its_passphrase_until_it_is_right_or_left() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.press_with(Modifiers::ALT, Key::Num1);
    window.type_into("Recording file", "/tmp/sealed.djrec");
    window.click("Open file");
    assert!(window.has("sealed.djrec is encrypted") && window.get("Open the file").disabled);
    window.type_into("Passphrase of the file", "battery");
    window.press(Key::Enter);
    assert!(window.says("This is not the passphrase that it was encrypted with"));
    window.type_into("Passphrase of the file", "correct horse");
    window.press(Key::Enter);
    assert!(!window.has("sealed.djrec is encrypted"));

    window.press_with(Modifiers::ALT, Key::Num1);
    window.click("Open file");
    window.click("Leave it closed");
    assert!(!window.has("sealed.djrec is encrypted"));
    let sealed = |passphrase: &str| Request::OpenSealed { path: "/tmp/sealed.djrec".into(), passphrase: passphrase.into() };
    assert_eq!(engine.asked(|asked| matches!(asked, Request::OpenSealed { .. })), [sealed("battery"), sealed("correct horse")]);
}
