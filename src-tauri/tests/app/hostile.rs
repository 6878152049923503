//! A page that wants everything gets nothing.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use inspector_model::{PageShell, Session, Step, StepDetail, StepKind};
use inspector_store::{NewState, NewStep, Store};
use serde_json::json;

use crate::desk::Desk;

/// What the page is painted with, so that a picture shows when it is there.
const PAINT: [u8; 3] = [18, 140, 96];
const OTHER_PAINT: [u8; 3] = [140, 18, 96];

/// Counts who comes.
struct Trap {
    address: SocketAddr,
    caught: Arc<AtomicUsize>,
    ended: Arc<AtomicBool>,
}

impl Trap {
    fn set() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let trap = Self { address: listener.local_addr().unwrap(), caught: Arc::default(), ended: Arc::default() };
        let (caught, ended) = (trap.caught.clone(), trap.ended.clone());
        let watch = move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                caught.fetch_add(1, Ordering::SeqCst);
                if let Ok(mut stream) = stream {
                    let _ = stream.read(&mut [0; 4096]);
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                }
            }
        };
        std::thread::Builder::new().name("trap".into()).spawn(watch).unwrap();
        trap
    }

    fn caught(&self) -> usize {
        self.caught.load(Ordering::SeqCst)
    }
}

impl Drop for Trap {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

fn paint(colour: [u8; 3]) -> String {
    format!("background: rgb({}, {}, {})", colour[0], colour[1], colour[2])
}

/// Everything that has ever made a browser ask, run or go.
fn hostile_html(trap: SocketAddr) -> String {
    let at = format!("http://{trap}");
    format!(
        "<div style=\"{paint}; width: 900px; height: 500px\">\
         <script>fetch('{at}/script')</script><script src='{at}/src'></script><script type=module src='{at}/module'></script>\
         <img src='{at}/img' onerror=\"fetch('{at}/onerror')\"><img src=x onerror=\"location='{at}/location'\">\
         <img srcset='{at}/srcset 1x'><picture><source srcset='{at}/source'><img></picture><svg onload=\"fetch('{at}/svg')\">\
         <image href='{at}/svg-image'/><use href='{at}/use#x'/><script>fetch('{at}/svg-script')</script><foreignObject><iframe src='{at}/foreign'></iframe></foreignObject></svg>\
         <iframe src='{at}/iframe'></iframe><iframe srcdoc=\"<script>fetch('{at}/srcdoc')</script><img src='{at}/srcdoc-img'>\"></iframe>\
         <iframe src='tauri://localhost/index.html'></iframe><iframe src='ipc://localhost/drain'></iframe><iframe src='file:///etc/passwd'></iframe>\
         <iframe src=\"javascript:fetch('{at}/js-frame')\"></iframe><frameset><frame src='{at}/frame'></frameset>\
         <object data='{at}/object'></object><embed src='{at}/embed'><applet code='{at}/applet'></applet>\
         <link rel=stylesheet href='{at}/css'><link rel=preload as=image href='{at}/preload'><link rel=prefetch href='{at}/prefetch'>\
         <link rel=preconnect href='{at}'><link rel=dns-prefetch href='{at}'><link rel=icon href='{at}/icon'><link rel=manifest href='{at}/manifest'>\
         <style>@import url({at}/import); @font-face {{ font-family: f; src: url({at}/font) }} \
         body {{ background-image: url({at}/background); font-family: f; cursor: url({at}/cursor), auto }}</style>\
         <video src='{at}/video' autoplay poster='{at}/poster'></video><audio src='{at}/audio' autoplay></audio><track src='{at}/track'>\
         <form action='{at}/form' method=post id=f><input name=a value=b><input type=image src='{at}/image-input'><button autofocus>Send</button></form>\
         <form action='ipc://localhost/send' method=post><button>Ipc</button></form><script>document.getElementById('f').submit()</script>\
         <a href='{at}/link' ping='{at}/ping' style='display:block;font-size:40px'>A link to click</a>\
         <a href='{at}/blank' target=_blank style='display:block;font-size:40px'>Another window</a>\
         <a href='{at}/download' download style='display:block;font-size:40px'>A download</a>\
         <a href=\"javascript:fetch('{at}/js-link')\" style='display:block;font-size:40px'>Script</a>\
         <a href='djust-inspector://open?recording=x' style='display:block;font-size:40px'>Deep link</a>\
         <a href='tauri://localhost/' target=_top style='display:block;font-size:40px'>The app</a>\
         <a href='file:///etc/passwd' target=_parent style='display:block;font-size:40px'>A file</a>\
         <details ontoggle=\"fetch('{at}/toggle')\" open><summary>More</summary></details>\
         <input autofocus onfocus=\"fetch('{at}/focus')\"><marquee onstart=\"fetch('{at}/marquee')\">x</marquee>\
         <body onload=\"fetch('{at}/onload')\"><table background='{at}/table'><td background='{at}/td'></table>\
         <meta http-equiv=refresh content='0;url={at}/refresh'><base href='{at}/base/'><img src=relative>\
         <template shadowrootmode=open><img src='{at}/shadow'></template><noscript><img src='{at}/noscript'></noscript>\
         <math><mi xlink:href=\"javascript:fetch('{at}/math')\">x</mi></math><div style=\"background: url('{at}/inline')\">x</div>\
         <x style=\"width: expression(alert(1)); behavior: url({at}/behaviour)\">x</x></div>",
        paint = paint(PAINT)
    )
}

/// A recording of one page with two steps: the hostile page, and one of 50 MB.
fn record(folder: &Path, trap: SocketAddr) -> std::path::PathBuf {
    let (store, _) = Store::open(&folder.join("made")).unwrap();
    let mut recorder = store.create("hostile", 1_800_000_000.0, "1.2.6").unwrap();
    let session: Session = serde_json::from_value(json!({"session": "s", "phase": "mounted", "path": "/"})).unwrap();
    recorder.put_session(&session);
    recorder.put_shell(
        &session.id,
        &PageShell {
            url: format!("http://{trap}/"),
            before: format!("<!doctype html><html><head><meta http-equiv=refresh content='0;url=http://{trap}/head'><script src='http://{trap}/head.js'></script></head><body>"),
            after: format!("<script>fetch('http://{trap}/after')</script></body></html>"),
            styles: Vec::new(),
        },
    );
    let huge = format!(
        "<div style=\"{}; width: 900px; height: 500px\">{}</div>",
        paint(OTHER_PAINT),
        format!("<p>{}</p>", "many words ".repeat(100)).repeat(50 * 1024 * 1024 / 1_107)
    );
    for (name, html) in [("hostile", hostile_html(trap)), ("huge", huge)] {
        let step = Step {
            session: Some(session.id.clone()),
            key: name.into(),
            rendered: true,
            ..Step::new(StepKind::Event, name, 1_800_000_000.0)
        };
        let new = NewStep { step, detail: StepDetail::default(), before: NewState::None, after: NewState::None, html: Some(html.into()) };
        recorder.append(new).unwrap();
    }
    recorder.flush().unwrap();
    let file = folder.join("hostile.djrec");
    let id = store.recordings().unwrap()[0].id.clone();
    drop(recorder);
    store.export(&id, &file, &|_, _| true).unwrap();
    file
}

#[test]
fn a_hostile_page_does_nothing() {
    let trap = Trap::set();
    let folder = tempfile::tempdir().unwrap();
    let file = record(folder.path(), trap.address);
    let desk = Desk::with_app(&[file.to_str().unwrap()]);
    desk.shows("hostile");
    let show = |number: u64, step: u64| {
        desk.send(number, &json!({"desktop": {"show_page": {"source": 1, "step": step, "side": "after", "compare": false}}}));
    };
    let painted = |window: &str, name: &str, colour: [u8; 3]| {
        desk.wait("the page to be painted", || {
            let share = desk.picture(window, name).share(colour);
            if share > 0.02 { Ok(()) } else { Err(format!("{share:.3} of the picture")) }
        });
    };

    show(1_000_001, 1);
    let window = desk.window("Step 1");
    painted(&window, "hostile", PAINT);
    let titles = desk.titles();
    // Click on everything, twice over: links, buttons, fields.
    for y in (70..840).step_by(22) {
        desk.xdotool(&["mousemove", "--window", &window, "60", &y.to_string(), "click", "1"]);
        desk.xdotool(&["mousemove", "--window", &window, "260", &y.to_string(), "click", "2"]);
    }
    desk.xdotool(&["key", "--window", &window, "Return"]);

    // The window is alive, has gone nowhere and opened nothing; then a page of 50 MB, in the same window.
    painted(&window, "hostile", PAINT);
    assert_eq!(desk.titles(), titles);
    show(1_000_002, 2);
    let window = desk.window("Step 2");
    painted(&window, "huge", OTHER_PAINT);
    desk.shows("huge");

    assert_eq!(trap.caught(), 0, "the page asked for something");
    // The trap does catch.
    TcpStream::connect(trap.address).unwrap();
    desk.wait("the trap", || if trap.caught() == 1 { Ok(()) } else { Err("nothing caught".into()) });
}

#[test]
fn the_main_window_has_its_three_commands_and_no_more() {
    let desk = Desk::with_app(&[]);
    for command in [
        "plugin:dialog|open",
        "plugin:dialog|save",
        "plugin:notification|notify",
        "plugin:autostart|enable",
        "plugin:window-state|save_window_state",
        "plugin:deep-link|register",
        "plugin:webview|create_webview_window",
        "plugin:window|close",
        "plugin:app|version",
        "plugin:event|listen",
        "plugin:path|resolve_directory",
        "plugin:shell|execute",
        "plugin:fs|read_file",
        "plugin:opener|open_url",
        "plugin:updater|check",
    ] {
        let said = desk.invoke(command);
        assert!(said.contains("not allowed") || said.contains("not found") || said.contains("denied"), "{command}: {said}");
    }
    assert_eq!(desk.script("return typeof window.__TAURI__"), "undefined");
}

#[test]
fn the_main_window_runs_and_asks_for_nothing_but_its_own() {
    let trap = Trap::set();
    let desk = Desk::with_app(&[]);
    let inject = format!(
        "const at = 'http://{}'; \
         const script = document.createElement('script'); script.textContent = 'window.ran = true'; document.body.append(script); \
         const far = document.createElement('script'); far.src = at + '/script'; document.body.append(far); \
         const frame = document.createElement('iframe'); frame.src = at + '/frame'; document.body.append(frame); \
         new Image().src = at + '/image'; navigator.sendBeacon(at + '/beacon'); location.href = at + '/elsewhere'; \
         const done = arguments[0]; fetch(at + '/fetch').then(() => done('fetched'), () => done('refused'))",
        trap.address
    );
    assert_eq!(desk.script_later(&inject), "refused");
    assert_eq!(desk.script("return window.ran ?? null"), serde_json::Value::Null);
    assert!(desk.script("return location.href").as_str().unwrap().starts_with("tauri:"));
    desk.shows("Recordings");
    assert_eq!(trap.caught(), 0);
}
