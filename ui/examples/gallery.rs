//! The real window on a scripted engine: `cargo run -p inspector-ui --features native --example gallery`.
//!
//! `GALLERY_DATA` is `sample`, `two` (with a second run to compare), `empty`, `waiting` or `many`; `GALLERY_THEME` is `dark` or
//! `light`; `GALLERY_CURSOR` is a step that the page stands at; `GALLERY_PAGE` is the view that is open, `config`.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::unused_self,
    reason = "it shares the sample of the tests and stops where something is wrong"
)]

#[path = "../tests/common/mod.rs"]
mod common;

use common::{SOURCE, Sample, Script, Scripted, many_steps_from, sample, second};
use inspector_model::Notice;
use inspector_ui::{Memory, Startup};

fn main() -> Result<(), inspector_ui::NativeError> {
    let var = |name: &str| std::env::var(name).unwrap_or_default();
    let mut data = sample();
    match var("GALLERY_DATA").as_str() {
        "empty" => data.notices.clear(),
        "two" => data.notices.extend(second::second(&data)),
        "waiting" => data.notices.truncate(1),
        "many" => {
            let first = data.steps.len() as u64 + 1;
            let more = many_steps_from(first, 100_000);
            data.steps.extend(more.iter().cloned());
            data.notices.push(Notice::steps(SOURCE, more));
        }
        _ => {}
    }
    if let Ok(step) = var("GALLERY_CURSOR").parse() {
        data.notices.push(Sample::at(step));
    }
    let page = match var("GALLERY_PAGE") {
        page if page.is_empty() => "null".to_owned(),
        page => format!("\"{page}\""),
    };
    let theme = match var("GALLERY_THEME").as_str() {
        "light" => "light",
        "system" => "system",
        _ => "dark",
    };
    let handle = Scripted::of(Script { notices: data.notices.clone().into(), sample: Some(data), ..Script::default() });
    let memory = Memory::from_text(&format!("{{\"theme\":\"{theme}\",\"page\":{page}}}"));
    inspector_ui::run_native(Box::new(handle), Startup { memory, ..Startup::default() }, None)
}
