//! The canvas and what is around it: made, lost and made again; words in the page when nothing can be drawn.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use eframe::{App, CreationContext, Frame, Storage, WebOptions, WebRunner, egui};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Document, HtmlCanvasElement};

use super::border::Border;
use super::{pause, words};
use crate::accessible::AccessibleTree;
use crate::unlock::Unlock;
use crate::{InspectorApp, Memory, Startup};

/// Tries to get a canvas that can be drawn on, after one was lost.
const TRIES: i32 = 8;

/// What outlives a canvas.
#[derive(Default)]
struct Page {
    window: RefCell<Option<InspectorApp>>,
    /// The context that the window is drawn in now.
    ctx: RefCell<Option<egui::Context>>,
    runner: RefCell<Option<WebRunner>>,
    border: Border,
    unlock: RefCell<Option<Unlock<()>>>,
    first_frame: Cell<Option<js_sys::Function>>,
    connects: Cell<bool>,
}

impl Page {
    fn connect(&self) {
        if !self.connects.replace(true) {
            self.border.connect();
        }
    }
}

/// The window on one canvas.
struct OnCanvas(Rc<Page>);

impl App for OnCanvas {
    fn logic(&mut self, ctx: &egui::Context, _frame: &mut Frame) {
        if let Some(window) = &mut *self.0.window.borrow_mut() {
            window.logic(ctx, js_sys::Date::now() / 1000.0);
        }
        // Nothing is drawn while the window is hidden: then it is enough that the page runs.
        if document().is_some_and(|document| document.hidden()) {
            self.0.connect();
        }
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut Frame) {
        if self.0.border.is_locked() {
            let border = self.0.border.clone();
            let mut unlock = self.0.unlock.borrow_mut();
            let unlock = unlock.get_or_insert_with(|| Unlock::new(Box::new(move |typed, ctx| border.unlock(&typed, ctx))));
            unlock.ui(ui);
        } else if let Some(window) = &mut *self.0.window.borrow_mut() {
            window.ui(ui);
        }
        if let Some(drawn) = self.0.first_frame.take() {
            let page = self.0.clone();
            // After this frame is on the canvas.
            spawn_local(async move {
                pause(0).await;
                if let Some(root) = document().and_then(|document| document.document_element()) {
                    root.set_attribute("data-first-frame", "drawn").ok();
                }
                drawn.call0(&JsValue::NULL).ok();
                // Not before: whoever waits for the page knows by this that it draws.
                page.connect();
            });
        }
    }

    fn save(&mut self, storage: &mut dyn Storage) {
        if let Some(window) = &*self.0.window.borrow() {
            storage.set_string(Memory::KEY, window.memory().to_text());
        }
    }

    fn auto_save_interval(&self) -> Duration {
        Duration::from_secs(2)
    }

    fn persist_egui_memory(&self) -> bool {
        // What is worth keeping is in `Memory`.
        false
    }
}

/// Draws the window into the page that this module was loaded by. What goes wrong is said there.
pub fn start() {
    say_panics();
    let page = Rc::new(Page::default());
    if let Err(error) = offer(&page) {
        return trouble("The page is not as it should be", &words(&error));
    }
    keep_on_leaving(&page);
    spawn_local(async move {
        if let Err(error) = show(&page).await {
            trouble("The window cannot be drawn here", &format!("It needs WebGL: {}", words(&error)));
        }
    });
}

/// Draws on a fresh canvas.
async fn show(page: &Rc<Page>) -> Result<(), JsValue> {
    let document = document().ok_or("there is no document")?;
    let old = document.get_element_by_id("window").ok_or("the page has no canvas")?;
    let canvas: HtmlCanvasElement = document.create_element("canvas")?.dyn_into().map_err(|_| "a canvas is no canvas")?;
    canvas.set_id("window");
    old.replace_with_with_node_1(&canvas)?;

    let lost_page = page.clone();
    let lost = Closure::once_into_js(move || spawn_local(async move { show_again(&lost_page).await }));
    canvas.add_event_listener_with_callback("webglcontextlost", lost.unchecked_ref())?;

    let runner = WebRunner::new();
    let drawn_page = page.clone();
    let create = move |cc: &CreationContext<'_>| -> Result<Box<dyn App>, Box<dyn std::error::Error + Send + Sync>> {
        cc.egui_ctx.add_plugin(AccessibleTree::default());
        let mut window = drawn_page.window.borrow_mut();
        match &mut *window {
            Some(window) => window.show_in(&cc.egui_ctx),
            None => {
                let memory = cc.storage.and_then(|storage| storage.get_string(Memory::KEY)).unwrap_or_default();
                let startup = Startup { memory: Memory::from_text(&memory), ..Startup::default() };
                *window = Some(InspectorApp::new(Box::new(drawn_page.border.clone()), &cc.egui_ctx, startup));
            }
        }
        drop(window);
        *drawn_page.ctx.borrow_mut() = Some(cc.egui_ctx.clone());
        Ok(Box::new(OnCanvas(drawn_page)))
    };
    *page.runner.borrow_mut() = Some(runner.clone());
    runner.start(canvas, WebOptions::default(), Box::new(create)).await
}

/// The graphics driver was restarted, or the memory of the canvas taken: nothing of it can be used any more.
async fn show_again(page: &Rc<Page>) {
    let mut why = JsValue::NULL;
    for attempt in 0..TRIES {
        // Outside the event that told of the loss, and later each time: a driver needs a moment.
        pause(attempt * 250).await;
        if let Some(runner) = page.runner.take() {
            runner.destroy();
        }
        match show(page).await {
            Ok(()) => return,
            Err(error) => why = error,
        }
    }
    trouble("The window lost its graphics", &format!("A new canvas cannot be drawn on: {}. Reload the page to try again", words(&why)));
}

/// `window.inspector`: `firstFrame`, a promise, and `tree()`, JSON text of all widgets or `null` when none was drawn yet.
fn offer(page: &Rc<Page>) -> Result<(), JsValue> {
    let inspector = js_sys::Object::new();
    let promise = js_sys::Promise::new(&mut |resolve, _| page.first_frame.set(Some(resolve)));
    js_sys::Reflect::set(&inspector, &"firstFrame".into(), &promise)?;
    let asked = page.clone();
    let tree = Closure::<dyn Fn() -> Option<String>>::new(move || AccessibleTree::take(asked.ctx.borrow().as_ref()?));
    js_sys::Reflect::set(&inspector, &"tree".into(), &tree.into_js_value())?;
    let window = web_sys::window().ok_or("there is no window")?;
    js_sys::Reflect::set(&window, &"inspector".into(), &inspector)?;
    Ok(())
}

/// eframe keeps the memory every now and then; leaving is the last moment to do so.
fn keep_on_leaving(page: &Rc<Page>) {
    let page = page.clone();
    let leaving = Closure::<dyn Fn()>::new(move || {
        if let (Ok(window), Some(Ok(Some(storage)))) = (page.window.try_borrow(), web_sys::window().map(|window| window.local_storage()))
            && let Some(window) = &*window
        {
            storage.set_item(Memory::KEY, &window.memory().to_text()).ok();
        }
    });
    if let Some(window) = web_sys::window() {
        window.add_event_listener_with_callback("pagehide", leaving.into_js_value().unchecked_ref()).ok();
    }
}

fn say_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        before(info);
        trouble(
            "The window has stopped",
            &format!("This is a fault of the inspector. Reload the page to go on; nothing that was recorded is lost.\n\n{info}"),
        );
    }));
}

/// Says in the page itself why nothing is drawn.
fn trouble(title: &str, text: &str) {
    let Some(found) = document().and_then(|document| document.get_element_by_id("trouble")) else { return };
    let (what, detail) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut part = found.first_element_child();
    for words in [title, what, detail] {
        let Some(element) = part else { break };
        element.set_text_content(Some(words));
        part = element.next_element_sibling();
    }
    found.remove_attribute("hidden").ok();
}

fn document() -> Option<Document> {
    web_sys::window()?.document()
}
