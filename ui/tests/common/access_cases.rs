//! Label tests of attaching by address: what is asked for, and what a server that only lets look does to the window.

use inspector_model::{Access, AttachOptions, Notice, Request, ServerInfo, Source, SourceState, Workers};

use crate::Window;
use crate::common::driver::Driver as _;
use crate::common::{SOURCE, Scripted};

crate::cases![
    changes_on_another_machine_are_asked_for_only_when_wanted,
    a_server_of_this_machine_is_asked_no_questions,
    a_plain_address_over_a_network_is_attached_to_only_when_confirmed,
    what_was_confirmed_for_one_address_is_not_for_another,
    a_read_only_attachment_says_so_and_changes_nothing,
    an_attachment_that_may_write_has_no_mark,
    a_server_of_several_workers_says_how_many_of_them_are_seen,
];

const STAGING: &str = "https://staging.example.com";

fn start_page(url: &str) -> (Scripted, Window) {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.click("Servers and recordings");
    window.type_into("Server address", url);
    window.type_into("Token", "t");
    (engine, window)
}

fn attached(engine: &Scripted, url: &str, write: bool, insecure: bool) -> usize {
    let attach = Request::Attach { url: url.into(), token: "t".into(), options: AttachOptions { write, insecure } };
    engine.asked(|asked| *asked == attach).len()
}

pub fn changes_on_another_machine_are_asked_for_only_when_wanted() {
    let (engine, mut window) = start_page(STAGING);
    window.click("Connect");
    assert_eq!(attached(&engine, STAGING, false, false), 1);
    let (engine, mut window) = start_page(STAGING);
    window.click("Allow changes on this server");
    window.click("Connect");
    assert_eq!(attached(&engine, STAGING, true, false), 1);
}

pub fn a_server_of_this_machine_is_asked_no_questions() {
    let (engine, mut window) = start_page("http://127.0.0.1:9000");
    assert!(!window.has("Allow changes on this server") && !window.has("Attach unencrypted"));
    window.click("Connect");
    assert_eq!(attached(&engine, "http://127.0.0.1:9000", false, false), 1);
}

pub fn a_plain_address_over_a_network_is_attached_to_only_when_confirmed() {
    let plain = "http://staging.example.com";
    let (engine, mut window) = start_page(plain);
    assert!(window.says("would travel unencrypted") && window.get("Connect").disabled);
    window.click("Attach unencrypted");
    window.click("Connect");
    assert_eq!(attached(&engine, plain, false, true), 1);
}

pub fn what_was_confirmed_for_one_address_is_not_for_another() {
    let (_engine, mut window) = start_page("http://staging.example.com");
    window.click("Attach unencrypted");
    window.click("Allow changes on this server");
    assert!(!window.get("Connect").disabled);
    window.type_into("Server address", ".evil.example");
    assert!(window.get("Connect").disabled);
    assert_ne!(window.get("Allow changes on this server").toggled, Some(true));
}

/// The sample's source, attached.
fn attached_source(engine: &Scripted) -> Box<Source> {
    let told = engine.script().sample.as_ref().and_then(|sample| {
        sample.notices.iter().find_map(|notice| match notice {
            Notice::Source(source) if source.id == SOURCE => Some(source.clone()),
            _ => None,
        })
    });
    let mut source = told.expect("the sample's source");
    source.state = SourceState::Attached;
    source
}

/// What the server says of the attachment, by the token `ann`.
fn allowed(engine: &Scripted, window: &mut Window, writes: bool, writes_allowed: bool) {
    let mut source = attached_source(engine);
    source.access = Some(Access { token: "ann".into(), writes, writes_allowed, expires: None });
    engine.tell(Notice::Source(source));
    window.settle();
}

pub fn a_read_only_attachment_says_so_and_changes_nothing() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    allowed(&engine, &mut window, false, false);
    assert!(window.has("Read-only"));
    window.select("Step 5 Event add_item");
    for command in ["Jump page here", "Replay"] {
        assert!(window.get(command).disabled, "{command}");
    }
    window.press(egui::Key::J);
    window.press(egui::Key::R);
    assert_eq!(engine.asked(|asked| matches!(asked, Request::PreviewJump { .. } | Request::Jump { .. } | Request::Replay { .. })), []);
    window.click("Params");
    assert!(window.says("the server lets the token “ann” change nothing"), "the reason is said where one would act");
    window.click("Rate limit");
    assert!(window.get("Lift cooldown").disabled);
    window.click("Steps");
    window.select("Step 5 Event add_item");
    window.click("Params");
    allowed(&engine, &mut window, false, true);
    assert!(window.says("attach again with “Allow changes on this server”"));
}

pub fn an_attachment_that_may_write_has_no_mark() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    allowed(&engine, &mut window, true, true);
    assert!(!window.has("Read-only"));
    window.select("Step 5 Event add_item");
    assert!(!window.get("Jump page here").disabled);
}

pub fn a_server_of_several_workers_says_how_many_of_them_are_seen() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    let tell = |window: &mut Window, workers: Workers| {
        let mut source = attached_source(&engine);
        let server = source.server.take().unwrap_or_default();
        source.server = Some(ServerInfo { workers, ..server });
        engine.tell(Notice::Source(source));
        window.settle();
    };
    let why = Some("Its channel layer does not reach other processes: configure a shared one, such as channels_redis".to_owned());
    tell(&mut window, Workers { shared: false, seen: 1, all: Some(4), why: why.clone() });
    assert!(window.has("1 of 4 workers"));
    tell(&mut window, Workers { shared: true, seen: 4, all: Some(4), why: None });
    assert!(window.has("4 workers") && !window.has("1 of 4 workers"));
    // Nothing is said where there is one, or where it is not known.
    for all in [Some(1), None] {
        tell(&mut window, Workers { shared: false, seen: 1, all, why: why.clone() });
        assert!(!window.has("1 workers") && !window.says(" workers"), "{all:?}");
    }
}
