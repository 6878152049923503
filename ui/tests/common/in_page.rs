//! The window in a page: the real `target/web` in a headless Chromium, in place of Tauri a few lines of script.
//!
//! The page's commands come over HTTP to the test, where the scripted engine is; widgets are found in the page's own account
//! of them; input is real mouse and keyboard events.

use std::sync::Arc;

use egui::{Key, Modifiers};
use inspector_test_support::{Browser, Page, STEP_DEADLINE};
use inspector_ui::Memory;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::Scripted;
use super::driver::{Driver, Widget};
use super::site::Site;

/// Stands for Tauri: commands go to the test, and the channel's wake-ups come from it.
const SHIM: &str = r"
window.__TAURI_INTERNALS__ = (() => {
  const callbacks = new Map();
  let channel = 0, index = 0, flying = 0;
  const wake = () => callbacks.get(channel)?.({ index: index++, message: null });
  return {
    transformCallback(callback) { callbacks.set(callbacks.size + 1, callback); return callbacks.size; },
    async invoke(command, payload) {
      flying += 1;
      try {
        const answer = await fetch('/invoke', { method: 'POST', body: JSON.stringify({ command, ...payload }) });
        if (!answer.ok) throw await answer.text();
        if (command === 'connect') channel = Number(payload.channel.split(':')[1]);
        const value = await answer.json();
        // As the engine does: an answer is something to be told of.
        if (command === 'send') wake();
        return value;
      } finally { flying -= 1; }
    },
    wake,
    end: () => callbacks.get(channel)?.({ index: index++, end: true }),
    flying: () => flying,
    connected: () => channel > 0,
  };
})();
";

/// Resolves when nothing was on its way for some frames, to the page's account of its widgets.
const SETTLED: &str = r"
new Promise((resolve) => {
  let quiet = 0, last = -1;
  const look = () => {
    const text = window.inspector?.tree();
    const frame = text ? Number(/\d+/.exec(text)[0]) : -1;
    if (frame !== last) quiet = window.__TAURI_INTERNALS__.flying() ? 0 : quiet + 1;
    last = frame;
    // The first frame seen may be older than what it is waited for, and a dialog takes three to stand.
    if (text && quiet > 4) resolve(text); else requestAnimationFrame(look);
  };
  look();
})
";

/// The browser of all tests of a target.
pub struct Chromium {
    runtime: Runtime,
    browser: Browser,
}

impl Chromium {
    /// Starts it.
    pub fn launch() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let browser = runtime.block_on(Browser::launch_drawing()).unwrap();
        Self { runtime, browser }
    }
}

/// The browser that the tests of this thread use. It outlives them, and ends before the program does.
pub static CHROMIUM: parking_lot::RwLock<Option<Arc<Chromium>>> = parking_lot::RwLock::new(None);

/// A window in a tab of its own.
pub struct InPage {
    chromium: Arc<Chromium>,
    /// There until the window is dropped.
    page: Option<Page>,
    site: Site,
    engine: Scripted,
    tree: Value,
}

impl InPage {
    /// Opens a tab of this size on the page.
    pub fn sized(engine: &Scripted, memory: &Memory, (width, height): (u32, u32)) -> Self {
        let mut window = Self::opened(engine, memory, (width, height), "");
        window.wait_for("document.documentElement.dataset.firstFrame");
        window.settle();
        window
    }

    /// Opens a tab on the page, after some script of the test, and does not wait for it to draw.
    pub fn opened(engine: &Scripted, memory: &Memory, (width, height): (u32, u32), script: &str) -> Self {
        let chromium = CHROMIUM.read().clone().expect("the browser is started before the tests");
        let site = Site::serve(engine.clone());
        let page = chromium.runtime.block_on(async {
            let page = chromium.browser.new_page().await.unwrap();
            page.before_scripts(SHIM).await.unwrap();
            let remember =
                format!("if (!localStorage.getItem('{0}')) localStorage.setItem('{0}', {1});", Memory::KEY, json!(memory.to_text()));
            page.before_scripts(&remember).await.unwrap();
            page.before_scripts(script).await.unwrap();
            page.set_size(width, height).await.unwrap();
            page.open(&site.url()).await.unwrap();
            page
        });
        Self { chromium, page: Some(page), site, engine: engine.clone(), tree: Value::Null }
    }

    /// Runs script in the page.
    pub fn eval(&self, script: &str) -> Value {
        self.block(self.page().eval(script)).unwrap()
    }

    /// Waits until a script's value is truthy.
    pub fn wait_for(&self, condition: &str) {
        self.block(self.page().wait_for(condition)).unwrap();
    }

    /// The tab itself.
    pub fn page(&self) -> &Page {
        self.page.as_ref().expect("it is closed only at the end")
    }

    /// The page's program.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// Waits for something of the tab.
    pub fn block<T>(&self, future: impl Future<Output = T>) -> T {
        self.chromium.runtime.block_on(future)
    }

    fn all(&self) -> Vec<&Value> {
        fn collect<'a>(widget: &'a Value, into: &mut Vec<&'a Value>) {
            into.push(widget);
            for child in widget["children"].as_array().into_iter().flatten() {
                collect(child, into);
            }
        }
        let mut all = Vec::new();
        collect(&self.tree["root"], &mut all);
        all
    }

    /// The middle of the one widget with this label that can be clicked, scrolled to where it can be seen.
    fn place_of(&mut self, label: &str) -> (f64, f64) {
        for _ in 0..40 {
            let (x, y) = self.middle_of(label);
            let view = self.eval("[innerWidth, innerHeight]");
            let (width, height) = (view[0].as_f64().unwrap(), view[1].as_f64().unwrap());
            // The status bar is at the bottom, and lists scroll above it.
            let beyond = if y > height - 30.0 {
                120.0
            } else if y < 0.0 {
                -120.0
            } else {
                0.0
            };
            if beyond == 0.0 {
                return (x.clamp(0.0, width - 1.0), y);
            }
            self.block(self.page().wheel(x.clamp(1.0, width - 1.0), height / 2.0, beyond)).unwrap();
            self.settle();
        }
        panic!("“{label}” cannot be scrolled into view")
    }

    fn middle_of(&self, label: &str) -> (f64, f64) {
        let all = self.all();
        let mut named: Vec<&&Value> = all.iter().filter(|widget| widget["label"] == label && widget["bounds"].is_array()).collect();
        if named.len() > 1 {
            // The text beside a field has the field's name.
            named.retain(|widget| widget["role"] != "Label");
        }
        let labels = || all.iter().filter_map(|widget| widget["label"].as_str()).collect::<Vec<_>>().join(" | ");
        let [widget] = named[..] else { panic!("{} widgets are called “{label}”; there are: {}", named.len(), labels()) };
        let bounds: Vec<f64> = widget["bounds"].as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect();
        (bounds[0] + bounds[2] / 2.0, bounds[1] + bounds[3] / 2.0)
    }
}

impl Drop for InPage {
    fn drop(&mut self) {
        if let Some(page) = self.page.take() {
            self.chromium.runtime.block_on(page.close()).ok();
        }
    }
}

impl Driver for InPage {
    fn open_with(engine: &Scripted, memory: Memory) -> Self {
        Self::sized(engine, &memory, (1440, 900))
    }

    fn settle(&mut self) {
        let end = std::time::Instant::now() + STEP_DEADLINE;
        loop {
            let text = self.block(self.page().eval(SETTLED)).unwrap();
            if self.engine.script().notices.is_empty() && !self.site.is_cut() {
                self.tree = serde_json::from_str(text.as_str().unwrap()).unwrap();
                return;
            }
            assert!(std::time::Instant::now() < end, "the page does not take what it is told: {:?}", self.page().console());
            self.eval("window.__TAURI_INTERNALS__.wake()");
        }
    }

    fn press_with(&mut self, modifiers: Modifiers, key: Key) {
        let bits = u32::from(modifiers.alt) | u32::from(modifiers.command || modifiers.ctrl) << 1 | u32::from(modifiers.shift) << 3;
        self.block(self.page().press_key(dom_key(key, modifiers.shift), bits)).unwrap();
        self.settle();
    }

    fn click(&mut self, label: &str) {
        let (x, y) = self.place_of(label);
        self.block(self.page().click_at(x, y)).unwrap();
        self.settle();
    }

    fn type_into(&mut self, label: &str, text: &str) {
        // As a person: into the field that has the keyboard, else into the one that is clicked.
        let has_keyboard = self.all().iter().any(|widget| widget["label"] == label && widget["focused"] == true);
        if !has_keyboard {
            self.click(label);
        }
        self.block(self.page().insert_text(text)).unwrap();
        self.settle();
    }

    fn widgets(&self) -> Vec<Widget> {
        self.all()
            .into_iter()
            .filter(|widget| widget["label"].is_string() || widget["value"].is_string())
            .map(|widget| Widget {
                label: widget["label"].as_str().unwrap_or_default().to_owned(),
                value: widget["value"].as_str().map(str::to_owned),
                disabled: widget["disabled"] == true,
                toggled: widget["toggled"].as_bool(),
            })
            .collect()
    }

    fn memory(&mut self) -> Memory {
        let kept = self.eval(&format!("(window.dispatchEvent(new Event('pagehide')), localStorage.getItem('{}'))", Memory::KEY));
        Memory::from_text(kept.as_str().unwrap_or_default())
    }
}

/// The browser's name of a key, its code, its number, and the text that it types.
fn dom_key(key: Key, shift: bool) -> (String, String, u32, String) {
    let named = |name: &str, number: u32, text: &str| (name.to_owned(), name.to_owned(), number, text.to_owned());
    match key {
        Key::ArrowLeft => named("ArrowLeft", 37, ""),
        Key::ArrowUp => named("ArrowUp", 38, ""),
        Key::ArrowRight => named("ArrowRight", 39, ""),
        Key::ArrowDown => named("ArrowDown", 40, ""),
        Key::Home => named("Home", 36, ""),
        Key::End => named("End", 35, ""),
        Key::Enter => named("Enter", 13, "\r"),
        Key::Escape => named("Escape", 27, ""),
        Key::Comma => (",".to_owned(), "Comma".to_owned(), 188, ",".to_owned()),
        letter => {
            let name = letter.name();
            assert!(name.len() == 1 && name.chars().all(char::is_alphabetic), "{letter:?} has no place on the tests' keyboard");
            let typed = if shift { name.to_owned() } else { name.to_lowercase() };
            (typed.clone(), format!("Key{name}"), u32::from(name.as_bytes()[0]), typed)
        }
    }
}
