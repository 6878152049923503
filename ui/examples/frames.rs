//! What the window costs per frame over many steps: opening, scrolling, dragging, filtering, following live data.
//!
//! `cargo run --release -p inspector-ui --example frames [steps] [--json]`. Layout, drawing and tessellation, without a graphics card.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::unused_self,
    clippy::print_stdout,
    reason = "it shares the sample of the tests, stops where something is wrong, and speaks to people"
)]

#[path = "../tests/common/mod.rs"]
mod common;

use std::time::Duration;

use common::{SOURCE, Script, Scripted, many_steps_from, sample};
use egui::{
    Context, Event, Modifiers, MouseWheelSource, MouseWheelUnit, PointerButton, Pos2, RawInput, Rect, TouchPhase, Vec2, pos2, vec2,
};
use inspector_model::{Block, Notice, Steps};
use inspector_ui::{InspectorApp, Memory, Startup};

const SIZE: Vec2 = Vec2::new(1440.0, 900.0);
/// The window's clock, Unix seconds.
const NOW: f64 = 1_795_436_000.0;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let json = arguments.iter().any(|argument| argument == "--json");
    let count = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(1_000_000);
    let results = measure(count);
    if json {
        let parts: Vec<String> = results
            .iter()
            .map(|(name, frames)| {
                let [p50, p99, most] = frames.figures();
                format!(r#"{{"name":"{name}","frames":{},"p50_ms":{p50:.3},"p99_ms":{p99:.3},"max_ms":{most:.3}}}"#, frames.0.len())
            })
            .collect();
        println!(r#"{{"steps":{count},"parts":[{}]}}"#, parts.join(","));
    } else {
        println!("{count} steps: CPU per frame, ms");
        for (name, frames) in results {
            let [p50, p99, most] = frames.figures();
            println!("{name:<28} p50 {p50:>7.2}  p99 {p99:>7.2}  max {most:>7.2}  ({} frames)", frames.0.len());
        }
    }
}

/// Milliseconds of each frame.
#[derive(Default)]
struct Frames(Vec<f64>);

impl Frames {
    fn figures(&self) -> [f64; 3] {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let at = |part: f64| sorted.get(((sorted.len().max(1) - 1) as f64 * part) as usize).copied().unwrap_or_default();
        [at(0.5), at(0.99), at(1.0)]
    }
}

struct Window {
    ctx: Context,
    app: InspectorApp,
    time: f64,
}

impl Window {
    fn new(engine: &Scripted) -> Self {
        let ctx = Context::default();
        let startup = Startup { memory: Memory::default(), ..Startup::default() };
        let app = InspectorApp::new(Box::new(engine.clone()), &ctx, startup);
        Self { ctx, app, time: 0.0 }
    }

    /// One frame with these events. Whether it asks for the next one at once.
    fn frame(&mut self, events: Vec<Event>, frames: &mut Frames) -> bool {
        self.time += 1.0 / 60.0;
        let input =
            RawInput { screen_rect: Some(Rect::from_min_size(Pos2::ZERO, SIZE)), time: Some(self.time), events, ..RawInput::default() };
        let begin = cpu_time();
        self.app.logic(&self.ctx.clone(), NOW + self.time);
        let output = self.ctx.clone().run_ui(input, |ui| self.app.ui(ui));
        drop(self.ctx.tessellate(output.shapes, 1.0));
        frames.0.push(cpu_time().saturating_sub(begin).as_secs_f64() * 1e3);
        output.viewport_output.values().any(|viewport| viewport.repaint_delay.is_zero())
    }
}

fn measure(count: u64) -> Vec<(&'static str, Frames)> {
    let mut data = sample();
    data.notices.retain(|notice| !matches!(notice, Notice::Steps(..)));
    let mut all = Steps::default();
    for first in (1..=count).step_by(Block::STEPS) {
        for step in many_steps_from(first, (count + 1 - first).min(Block::STEPS as u64)) {
            all.push(&step);
        }
    }
    // As the engine tells them while it reads a recording in.
    for from in (0..all.len()).step_by(4 * Block::STEPS) {
        data.notices.push(Notice::Steps(SOURCE, all.since(from, 4 * Block::STEPS)));
    }
    data.steps = all.iter().take(2_000).collect();
    let last = all.len() as u64;
    drop(all);
    let engine = Scripted::of(Script { notices: std::mem::take(&mut data.notices).into(), sample: Some(data), ..Script::default() });
    let mut window = Window::new(&engine);
    let mut results = Vec::new();
    let mut warm = Frames::default();
    // Fonts are made in the first frame of all.
    window.frame(Vec::new(), &mut warm);

    let mut opening = Frames::default();
    while window.frame(Vec::new(), &mut opening) && opening.0.len() < 10_000 {}
    results.push(("opening", opening));

    let table = pos2(600.0, 600.0);
    let mut scrolling = Frames::default();
    window.frame(vec![Event::PointerMoved(table)], &mut warm);
    for nth in 0..300 {
        let delta = vec2(0.0, if nth % 100 < 60 { -2_000.0 } else { 900.0 });
        window.frame(vec![wheel(delta)], &mut scrolling);
    }
    results.push(("scrolling the table", scrolling));

    results.push(("dragging the slider", dragging(&mut window, pos2(700.0, 180.0), vec2(1.4, 0.0))));

    let mut zooming = Frames::default();
    window.frame(vec![Event::PointerMoved(pos2(640.0, 90.0))], &mut warm);
    for nth in 0..240 {
        let delta = vec2(0.0, if nth < 120 { 40.0 } else { -40.0 });
        window.frame(vec![wheel(delta)], &mut zooming);
    }
    results.push(("zooming the timeline", zooming));

    let mut following = Frames::default();
    for nth in 0..300u64 {
        // A thousand steps a second at sixty frames a second.
        engine.tell(Notice::steps(SOURCE, many_steps_from(last + 1 + nth * 17, 17)));
        window.frame(Vec::new(), &mut following);
    }
    results.push(("following 1,000 steps a second", following));

    let mut filtering = Frames::default();
    for key in ["n", "o", "w"] {
        window.frame(focus_filter(), &mut warm);
        window.frame(vec![Event::Text(key.to_owned())], &mut filtering);
        while window.frame(Vec::new(), &mut filtering) && filtering.0.len() < 10_000 {}
    }
    results.push(("filtering by a word", filtering));
    results
}

fn wheel(delta: Vec2) -> Event {
    let (unit, phase, source) = (MouseWheelUnit::Point, TouchPhase::Move, MouseWheelSource::Wheel);
    Event::MouseWheel { unit, delta, phase, modifiers: Modifiers::NONE, source }
}

fn focus_filter() -> Vec<Event> {
    [true, false]
        .map(|pressed| Event::Key { key: egui::Key::F, physical_key: None, pressed, repeat: false, modifiers: Modifiers::COMMAND })
        .into()
}

fn dragging(window: &mut Window, from: Pos2, by: Vec2) -> Frames {
    let button =
        |pos: Pos2, pressed: bool| Event::PointerButton { pos, button: PointerButton::Primary, pressed, modifiers: Modifiers::NONE };
    let mut frames = Frames::default();
    window.frame(vec![Event::PointerMoved(from)], &mut frames);
    window.frame(vec![button(from, true)], &mut frames);
    let mut at = from;
    for nth in 0..300 {
        at += if nth < 150 { by } else { -by };
        window.frame(vec![Event::PointerMoved(at)], &mut frames);
    }
    window.frame(vec![button(at, false)], &mut frames);
    frames
}

/// Time that this thread had on a processor: what else the machine does is not in it.
#[cfg(unix)]
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Elsewhere plain time.
#[cfg(not(unix))]
fn cpu_time() -> Duration {
    static START: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    START.elapsed()
}
