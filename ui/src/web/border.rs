//! The engine behind Tauri: a few commands and a channel.
//!
//! `connect` gives the page a fresh window at the engine, whose channel wakes it; `send` takes a request; `drain` hands out
//! notices; `unlock` takes the passphrase of an encrypted library, before which there is no engine. Texts of JSON go over, because numbers of JavaScript are too small for ours. What fails is told as a message, and
//! the page connects anew: the engine then tells everything again, so what was known of it is dropped first.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, sync_channel};

use eframe::egui;
use inspector_model::{Answer, ErrorCode, Failure, Handle, LOCKED, Level, Notice, Request, RequestId, Secret, SourceId};
use serde::Deserialize;
use serde_json::value::RawValue;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

use super::{pause, words};

/// Steps per answer: their text is parsed between two frames.
const STEPS_PER_DRAIN: u32 = 4_000;
/// Requests that wait for the one before. The window asks for a handful per frame.
const MAX_WAITING: usize = 256;
/// First and longest pause between two tries to connect, milliseconds.
const RETRY: (i32, i32) = (500, 5_000);

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = ["window", "__TAURI_INTERNALS__"], catch)]
    async fn invoke(command: &str, arguments: JsValue) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_namespace = ["window", "__TAURI_INTERNALS__"], js_name = transformCallback, catch)]
    fn transform_callback(callback: &JsValue) -> Result<JsValue, JsValue>;
}

/// What `drain` answers. The notices are read one by one: one that cannot be read does not take the others with it.
#[derive(Deserialize)]
struct Drained<'a> {
    #[serde(borrow)]
    notices: Vec<&'a RawValue>,
    more: bool,
}

/// The page's handle on the engine.
#[derive(Clone, Default)]
pub struct Border(Rc<Inner>);

#[derive(Default)]
struct Inner {
    /// Not yet taken by the window.
    arrived: RefCell<VecDeque<Notice>>,
    /// Not yet taken by the engine, in order.
    waiting: RefCell<VecDeque<(RequestId, String)>>,
    unanswered: RefCell<BTreeSet<RequestId>>,
    sources: RefCell<BTreeSet<SourceId>>,
    waker: RefCell<Option<Box<dyn Fn() + Send + Sync>>>,
    /// Grows with each try to connect: what belongs to an older one is ignored.
    connection: Cell<u32>,
    connected: Cell<bool>,
    locked: Cell<bool>,
    sending: Cell<bool>,
    draining: Cell<bool>,
    drain_again: Cell<bool>,
}

impl Border {
    /// Connects, and again each time the connection is lost.
    pub fn connect(&self) {
        let border = self.clone();
        spawn_local(async move {
            let mut wait = RETRY.0;
            let mut told = false;
            loop {
                match border.try_connect().await {
                    Ok(()) => break,
                    Err(why) if why == LOCKED => {
                        border.0.locked.set(true);
                        return border.wake();
                    }
                    Err(why) if told => log(&why),
                    Err(why) => {
                        told = true;
                        border.arrive(Notice::Message(Level::Error, format!("The engine cannot be reached: {why}. Trying again")));
                    }
                }
                pause(wait).await;
                wait = (wait * 2).min(RETRY.1);
            }
            border.drain_soon();
            border.send_waiting();
        });
    }

    /// Whether the library waits for its passphrase.
    pub fn is_locked(&self) -> bool {
        self.0.locked.get()
    }

    /// Tries a passphrase. With the right one the page connects.
    pub fn unlock(&self, passphrase: &Secret, ctx: &egui::Context) -> Receiver<Result<(), String>> {
        let (tell, told) = sync_channel(1);
        let (border, ctx) = (self.clone(), ctx.clone());
        let passphrase = JsValue::from_str(passphrase.as_str());
        spawn_local(async move {
            let answer = invoke("unlock", arguments("passphrase", &passphrase)).await;
            if answer.is_ok() {
                border.0.locked.set(false);
                border.connect();
            }
            // There is room for the only one.
            tell.try_send(answer.map(drop).map_err(|error| words(&error))).ok();
            ctx.request_repaint();
        });
        told
    }

    async fn try_connect(&self) -> Result<(), String> {
        let connection = self.0.connection.get() + 1;
        self.0.connection.set(connection);
        self.0.sending.set(false);
        self.0.draining.set(false);
        let border = self.clone();
        let woken = Closure::<dyn FnMut(JsValue)>::new(move |message: JsValue| {
            if border.0.connection.get() != connection {
                return;
            }
            let ended = js_sys::Reflect::get(&message, &"end".into()).is_ok_and(|end| end.is_truthy());
            if ended {
                border.lost("its end of the channel was closed");
            } else {
                border.drain_soon();
            }
        })
        // One per connection, and there are few: Tauri may still call it when the next one is made.
        .into_js_value();
        let channel = transform_callback(&woken).map_err(|error| words(&error))?;
        let channel = format!("__CHANNEL__:{}", channel.as_f64().unwrap_or_default());
        invoke("connect", arguments("channel", &channel.into())).await.map_err(|error| words(&error))?;
        self.0.connected.set(true);
        Ok(())
    }

    /// Forgets what the engine told, and connects anew.
    fn lost(&self, why: &str) {
        if !self.0.connected.replace(false) {
            return;
        }
        self.0.connection.set(self.0.connection.get() + 1);
        self.0.waiting.borrow_mut().clear();
        let unanswered = std::mem::take(&mut *self.0.unanswered.borrow_mut());
        for id in unanswered {
            self.arrive(Notice::Answer(id, Answer::Failed(not_taken("The connection to the engine was lost"))));
        }
        let sources = std::mem::take(&mut *self.0.sources.borrow_mut());
        for id in sources {
            self.arrive(Notice::SourceClosed(id));
        }
        self.arrive(Notice::Message(Level::Error, format!("The connection to the engine was lost: {why}. Connecting anew")));
        self.connect();
    }

    fn arrive(&self, notice: Notice) {
        match &notice {
            Notice::Source(source) => {
                self.0.sources.borrow_mut().insert(source.id);
            }
            Notice::SourceClosed(id) => {
                self.0.sources.borrow_mut().remove(id);
            }
            Notice::Answer(id, _) => {
                self.0.unanswered.borrow_mut().remove(id);
            }
            _ => {}
        }
        self.0.arrived.borrow_mut().push_back(notice);
        self.wake();
    }

    fn wake(&self) {
        if let Some(waker) = &*self.0.waker.borrow() {
            waker();
        }
    }

    /// Drains until there is nothing more. One request is on its way at most.
    fn drain_soon(&self) {
        if !self.0.connected.get() || self.0.draining.replace(true) {
            self.0.drain_again.set(true);
            return;
        }
        let border = self.clone();
        let connection = self.0.connection.get();
        spawn_local(async move {
            loop {
                border.0.drain_again.set(false);
                let answer = invoke("drain", arguments("maxSteps", &STEPS_PER_DRAIN.into())).await;
                if border.0.connection.get() != connection {
                    return;
                }
                let more = match answer {
                    Ok(text) => border.take(&text.as_string().unwrap_or_default()),
                    Err(error) => return border.lost(&words(&error)),
                };
                if !more && !border.0.drain_again.get() {
                    break;
                }
            }
            border.0.draining.set(false);
        });
    }

    /// Takes in what a drain answered. `true` when there is more.
    fn take(&self, text: &str) -> bool {
        let drained: Drained<'_> = match serde_json::from_str(text) {
            Ok(drained) => drained,
            Err(error) => {
                self.arrive(Notice::Message(Level::Error, format!("The engine said something that cannot be read: {error}")));
                return false;
            }
        };
        for notice in drained.notices {
            match serde_json::from_str(notice.get()) {
                Ok(notice) => self.arrive(notice),
                Err(error) => self.arrive(unreadable(notice, &error)),
            }
        }
        drained.more
    }

    /// Sends what waits, one after the other: two at once could arrive in any order.
    fn send_waiting(&self) {
        if !self.0.connected.get() || self.0.sending.replace(true) {
            return;
        }
        let border = self.clone();
        let connection = self.0.connection.get();
        spawn_local(async move {
            loop {
                let Some((id, text)) = border.0.waiting.borrow_mut().pop_front() else { break };
                let answer = invoke("send", arguments("text", &text.into())).await;
                if border.0.connection.get() != connection {
                    return;
                }
                match answer {
                    Ok(taken) if taken.is_truthy() => {}
                    Ok(_) => border.arrive(Notice::Answer(id, Answer::Failed(not_taken("The engine did not take the request")))),
                    Err(error) => return border.lost(&words(&error)),
                }
            }
            border.0.sending.set(false);
        });
    }
}

impl Handle for Border {
    fn send(&self, id: RequestId, request: Request) -> bool {
        if self.0.waiting.borrow().len() >= MAX_WAITING {
            return false;
        }
        let Ok(text) = serde_json::to_string(&(id, &request)) else { return false };
        self.0.unanswered.borrow_mut().insert(id);
        self.0.waiting.borrow_mut().push_back((id, text));
        self.send_waiting();
        true
    }

    fn drain(&self, max_steps: usize, into: &mut Vec<Notice>) -> bool {
        let mut arrived = self.0.arrived.borrow_mut();
        let mut steps = 0;
        while steps < max_steps {
            let Some(notice) = arrived.pop_front() else { return false };
            if let Notice::Steps(_, list) = &notice {
                steps += list.iter().map(|block| block.len()).sum::<usize>();
            }
            into.push(notice);
        }
        !arrived.is_empty()
    }

    fn set_waker(&self, waker: Box<dyn Fn() + Send + Sync>) {
        *self.0.waker.borrow_mut() = Some(waker);
    }
}

fn arguments(name: &str, value: &JsValue) -> JsValue {
    let object = js_sys::Object::new();
    // Setting a field of a fresh object cannot fail.
    js_sys::Reflect::set(&object, &name.into(), value).ok();
    object.into()
}

/// Says that a notice could not be read. Whoever waits for it as an answer waits no longer.
fn unreadable(notice: &RawValue, error: &serde_json::Error) -> Notice {
    #[derive(Deserialize)]
    struct AnyAnswer<'a> {
        #[serde(borrow)]
        answer: (RequestId, &'a RawValue),
    }
    match serde_json::from_str::<AnyAnswer<'_>>(notice.get()) {
        Ok(AnyAnswer { answer: (id, _) }) => {
            let failure = Failure::new(ErrorCode::BadRequest, format!("The answer cannot be read here: {error}"));
            Notice::Answer(id, Answer::Failed(failure.hint("The native window reads it: djust-inspector")))
        }
        Err(_) => Notice::Message(Level::Error, format!("A notice of the engine cannot be read: {error}")),
    }
}

fn not_taken(message: &str) -> Failure {
    Failure::new(ErrorCode::Busy, message).hint("Try again in a moment")
}

fn log(text: &str) {
    web_sys::console::warn_1(&text.into());
}
