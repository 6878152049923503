//! The real window on a scripted engine: `cargo run -p inspector-ui --features native --example gallery`.
//!
//! `GALLERY_DATA` is `sample`, `empty`, `waiting` or `many`; `GALLERY_THEME` is `dark` or `light`; `GALLERY_CURSOR` is a step that
//! the page stands at.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::unused_self,
    reason = "it shares the sample of the tests and stops where something is wrong"
)]

#[path = "../tests/common/mod.rs"]
mod common;

use common::{SOURCE, Sample, Script, Scripted, many_steps_from, sample};
use inspector_model::{Handle, Notice, Request, RequestId};
use inspector_ui::{Memory, Startup, ThemeChoice};

/// The script lives on the window's thread; it is made there, from data that can be sent to it.
struct OnWindow(std::sync::OnceLock<std::thread::ThreadId>, Vec<Notice>, Option<Sample>);

thread_local! {
    static SCRIPT: std::cell::OnceCell<Scripted> = const { std::cell::OnceCell::new() };
}

impl OnWindow {
    fn with<R>(&self, run: impl FnOnce(&Scripted) -> R) -> R {
        let home = self.0.get_or_init(|| std::thread::current().id());
        assert_eq!(*home, std::thread::current().id(), "the window has one thread");
        SCRIPT.with(|script| {
            run(script.get_or_init(|| {
                let script = Script { notices: self.1.clone().into(), sample: self.2.clone(), ..Script::default() };
                Scripted(std::rc::Rc::new(std::cell::RefCell::new(script)))
            }))
        })
    }
}

impl Handle for OnWindow {
    fn send(&self, id: RequestId, request: Request) -> bool {
        self.with(|script| script.send(id, request))
    }

    fn drain(&self, max_steps: usize, into: &mut Vec<Notice>) -> bool {
        self.with(|script| script.drain(max_steps, into))
    }

    fn set_waker(&self, waker: Box<dyn Fn() + Send + Sync>) {
        // Answers are there as soon as they are asked for: look for them a moment later, some hundred times.
        let run = move || {
            for _ in 0..600 {
                std::thread::sleep(std::time::Duration::from_millis(200));
                waker();
            }
        };
        std::thread::Builder::new().name("waker".into()).spawn(run).ok();
    }
}

fn main() -> Result<(), inspector_ui::NativeError> {
    let var = |name: &str| std::env::var(name).unwrap_or_default();
    let mut data = sample();
    match var("GALLERY_DATA").as_str() {
        "empty" => data.notices.clear(),
        "waiting" => data.notices.truncate(1),
        "many" => {
            let first = data.steps.len() as u64 + 1;
            let more = many_steps_from(first, 100_000);
            data.steps.extend(more.iter().cloned());
            data.notices.push(Notice::Steps(SOURCE, more));
        }
        _ => {}
    }
    if let Ok(step) = var("GALLERY_CURSOR").parse() {
        data.notices.push(Sample::at(step));
    }
    let theme = match var("GALLERY_THEME").as_str() {
        "light" => ThemeChoice::Light,
        "system" => ThemeChoice::System,
        _ => ThemeChoice::Dark,
    };
    let handle = OnWindow(std::sync::OnceLock::new(), data.notices.clone(), Some(data));
    inspector_ui::run_native(Box::new(handle), Startup { memory: Memory::with_theme(theme), ..Startup::default() }, None)
}
