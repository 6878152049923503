//! What only a page can be asked: its canvas is lost, it is loaded again, its engine goes away, it cannot draw at all.

use egui::Key;
use inspector_model::Request;
use inspector_ui::{Memory, ThemeChoice};

use crate::Window;
use crate::common::Scripted;
use crate::common::driver::Driver as _;

crate::cases![
    a_lost_canvas_is_replaced_and_nothing_is_forgotten,
    a_reloaded_page_is_told_everything_and_begins_as_it_was,
    a_lost_engine_is_said_and_connected_anew,
    what_is_copied_reaches_the_clipboard,
    a_hidden_page_connects_and_draws_once_it_is_seen,
    without_webgl_the_page_says_so,
    without_webassembly_the_page_says_so,
    a_module_that_is_missing_is_said,
    a_page_that_rests_draws_nothing,
    an_encrypted_library_is_asked_for_its_passphrase_before_anything_else,
];

const SIZE: (u32, u32) = (1440, 900);

pub fn a_lost_canvas_is_replaced_and_nothing_is_forgotten() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.select("Step 5 Event add_item");
    let asked = engine.asked(|_| true).len();
    window.eval(
        "(() => { window.old = document.getElementById('window');
           old.getContext('webgl2').getExtension('WEBGL_lose_context').loseContext(); })()",
    );
    window.wait_for("document.getElementById('window') !== window.old && !document.contains(window.old)");
    window.wait_for("!document.getElementById('window').getContext('webgl2').isContextLost() && window.inspector.tree()");
    window.settle();
    assert!(window.says("added cart.items[3]: "), "the selected step is still shown");
    assert_eq!(engine.asked(|_| true).len(), asked, "nothing had to be asked again");
    window.click("Step 8 Event add_item");
    assert_eq!(engine.asked(|asked| matches!(asked, Request::Detail { step, .. } if step.0 == 8)).len(), 1, "the new canvas takes input");
    assert_eq!(window.site().connections(), 1);
    assert_eq!(window.eval("document.getElementById('trouble').hidden"), true);
}

pub fn a_reloaded_page_is_told_everything_and_begins_as_it_was() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.press(Key::Q);
    window.click("Configuration");
    window.block(window.page().reload()).unwrap();
    window.wait_for("document.documentElement.dataset.firstFrame");
    window.settle();
    assert_eq!(window.site().connections(), 2);
    assert!(window.says("rate_limit"), "the view that was open");
    window.click("Steps");
    assert!(window.has("Session alice /cart/"));
    assert!(window.says("quer"), "the tab that was open");
}

pub fn a_lost_engine_is_said_and_connected_anew() {
    let engine = Scripted::with_sample();
    let mut window = Window::open(&engine);
    window.select("Step 5 Event add_item");
    window.site().cut(true);
    window.block(window.page().press_key(("ArrowRight".into(), "ArrowRight".into(), 39, String::new()), 0)).unwrap();
    window.wait_for("window.inspector.tree()?.includes('The connection to the engine was lost')");
    window.wait_for("window.inspector.tree()?.includes('The engine cannot be reached')");
    window.site().cut(false);
    window.wait_for("window.inspector.tree()?.includes('Session alice /cart/')");
    window.settle();
    assert_eq!(window.site().connections(), 2);
    window.select("Step 4 Event open_cart");
    assert!(window.says("open_cart"));
    assert!(!window.has("Working …"), "no answer is waited for in vain");
    window.eval("window.__TAURI_INTERNALS__.end()");
    window.wait_for("window.inspector.tree()?.includes('its end of the channel was closed')");
    window.wait_for("window.inspector.tree()?.includes('Session alice /cart/')");
    window.settle();
    assert_eq!(window.site().connections(), 3);
}

pub fn what_is_copied_reaches_the_clipboard() {
    let engine = Scripted::default();
    let mut window = Window::open(&engine);
    window.eval("void (navigator.clipboard.writeText = async (text) => { window.copied = text; })");
    window.click("Copy the line");
    window.wait_for("window.copied === 'djust-inspector run -- python manage.py runserver'");
}

pub fn a_hidden_page_connects_and_draws_once_it_is_seen() {
    let hidden = "window.unseen = true;
        Object.defineProperty(document, 'hidden', { get: () => window.unseen });
        Object.defineProperty(document, 'visibilityState', { get: () => window.unseen ? 'hidden' : 'visible' });";
    let engine = Scripted::with_sample();
    let mut window = Window::opened(&engine, &Memory::default(), SIZE, hidden);
    window.wait_for("document.documentElement.dataset.firstFrame || window.__TAURI_INTERNALS__.connected()");
    assert_eq!(window.eval("document.documentElement.dataset.firstFrame ?? null"), serde_json::Value::Null, "nothing is drawn unseen");
    window.eval("(() => { window.unseen = false; document.dispatchEvent(new Event('visibilitychange')); })()");
    window.wait_for("document.documentElement.dataset.firstFrame");
    window.settle();
    assert!(window.has("Session alice /cart/"));
    assert_eq!(window.site().connections(), 1);
}

pub fn without_webgl_the_page_says_so() {
    let none = "HTMLCanvasElement.prototype.getContext = () => null;";
    let window = Window::opened(&Scripted::default(), &Memory::default(), SIZE, none);
    window.wait_for("!document.getElementById('trouble').hidden");
    window.wait_for("document.getElementById('trouble').innerText.includes('WebGL')");
}

pub fn without_webassembly_the_page_says_so() {
    let window = Window::opened(&Scripted::default(), &Memory::default(), SIZE, "delete window.WebAssembly;");
    window.wait_for("document.getElementById('trouble').innerText.includes('has no WebAssembly')");
}

pub fn a_module_that_is_missing_is_said() {
    let other = "const load = window.fetch; window.fetch = (what, how) => load(String(what).replace('inspector_bg', 'no_such'), how);";
    let window = Window::opened(&Scripted::default(), &Memory::default(), SIZE, other);
    window.wait_for("document.getElementById('trouble').innerText.includes('404')");
}

pub fn a_page_that_rests_draws_nothing() {
    let engine = Scripted::with_sample();
    let window = Window::open_with(&engine, Memory::with_theme(ThemeChoice::Light));
    // The first frames may still be of the last settling; the account of widgets is not taken meanwhile, for that asks for a frame.
    let drawn = window.eval(
        "new Promise((resolve) => { const gl = WebGL2RenderingContext.prototype, draw = gl.drawElements; let frames = 0, drawn = 0;
           gl.drawElements = function (...all) { drawn += 1; return draw.apply(this, all); };
           const look = () => { frames += 1; if (frames === 30) drawn = 0; if (frames < 60) requestAnimationFrame(look); else resolve(drawn); };
           look(); })",
    );
    assert_eq!(drawn, 0);
}

pub fn an_encrypted_library_is_asked_for_its_passphrase_before_anything_else() {
    let locked = "const ask = window.__TAURI_INTERNALS__.invoke;
        let open = false;
        window.__TAURI_INTERNALS__.invoke = async (command, payload) => {
            if (command === 'unlock') {
                if (payload.passphrase !== 'correct horse') throw 'This is not the passphrase';
                open = true;
                return null;
            }
            if (!open) throw 'locked';
            return ask(command, payload);
        };";
    let mut window = Window::opened(&Scripted::default(), &Memory::default(), SIZE, locked);
    window.wait_for("window.inspector?.tree()?.includes('The library is encrypted')");
    for (typed, then) in [("battery", "This is not the passphrase"), ("correct horse", "Servers on this machine")] {
        window.settle();
        window.type_into("Passphrase", typed);
        window.press(Key::Enter);
        window.wait_for(&format!("window.inspector.tree()?.includes('{then}')"));
    }
    window.settle();
    assert!(!window.has("Passphrase"));
    assert_eq!(window.site().connections(), 1);
}
