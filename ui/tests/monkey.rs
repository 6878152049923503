//! Whatever is clicked, dragged, typed and told in whatever order: the window neither panics nor freezes.
//!
//! A short run is part of the tests. `MONKEY_SECONDS=300 MONKEY_SEED=7 cargo test -p inspector-ui --test monkey` is a long one.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::unused_self,
    clippy::print_stderr,
    reason = "a test stops where something is wrong, and says how it came there"
)]

mod common;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use common::headless::Headless as Window;
use common::{SOURCE, Sample, Script, Scripted, many_steps_from, recording, sample, second};
use egui::{Event, Key, Modifiers, MouseWheelSource, MouseWheelUnit, PointerButton, Pos2, TouchPhase, Vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use inspector_model::{Answer, ErrorCode, Failure, Level, Notice, SourceId};
use inspector_ui::{Memory, Startup};

/// CPU time that a frame may take. The dearest of the sample take a tenth of it.
const FROZEN: Duration = Duration::from_millis(500);
/// Each of these is a window of its own.
const SEEDS: [u64; 4] = [1, 2, 3, 4];

#[test]
fn nothing_that_is_done_to_the_window_stops_it() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let seeds = number("MONKEY_SEED").map_or(SEEDS.to_vec(), |seed| vec![seed]);
    let whole = Duration::from_secs(number("MONKEY_SECONDS").unwrap_or(20));
    for seed in &seeds {
        run(*seed, whole / seeds.len() as u32);
    }
}

/// A sequence of numbers that looks random and is the same for the same seed (xorshift64*).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % limit.max(1)
    }

    fn of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }

    fn place(&mut self, size: Vec2) -> Pos2 {
        Pos2::new(self.below(size.x as usize) as f32, self.below(size.y as usize) as f32)
    }
}

fn run(seed: u64, whole: Duration) {
    let mut monkey = Monkey::new(seed);
    let end = Instant::now() + whole;
    let mut done = 0;
    while Instant::now() < end {
        let outcome = catch_unwind(AssertUnwindSafe(|| monkey.act()));
        if let Err(panic) = outcome {
            eprintln!("MONKEY_SEED={seed}, after {done} deeds. The last of them:");
            monkey.last.iter().for_each(|deed| eprintln!("  {deed}"));
            resume_unwind(panic);
        }
        done += 1;
    }
    eprintln!("seed {seed}: {done} deeds");
    assert!(done > 20, "only {done} deeds in {whole:?}");
}

struct Monkey {
    dice: Dice,
    engine: Scripted,
    window: Window,
    size: Vec2,
    /// What was done last, for people.
    last: VecDeque<String>,
    next_step: u64,
    next_source: u64,
}

impl Monkey {
    fn new(seed: u64) -> Self {
        let mut data = sample();
        data.notices.extend(second::second(&data));
        let next_step = data.steps.len() as u64 + 1;
        let engine = Scripted::of(Script { notices: data.notices.clone().into(), sample: Some(data), ..Script::default() });
        let size = Vec2::new(1280.0, 800.0);
        // What is typed has signs that no font here has.
        let builder = Harness::builder().with_size(size).allow_missing_glyphs();
        let startup = Startup { memory: Memory::with_theme(inspector_ui::ThemeChoice::Dark), ..Startup::default() };
        let window = Window::built(builder, &engine, startup);
        Self {
            dice: Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)),
            engine,
            window,
            size,
            last: VecDeque::new(),
            next_step,
            next_source: 100,
        }
    }

    fn act(&mut self) {
        let deed = match self.dice.below(20) {
            0..=7 => self.click_something(),
            8 => self.click_anywhere(),
            9 | 10 => self.press(),
            11 | 12 => self.write(),
            13 => self.drag(),
            14 => self.scroll(),
            15 => self.resize(),
            16 => self.tell_steps(),
            17 => self.hold(),
            18 => self.tell(),
            _ => self.answer_with_failures(),
        };
        self.last.push_back(deed);
        if self.last.len() > 40 {
            self.last.pop_front();
        }
        for _ in 0..3 {
            let before = cpu();
            self.window.step();
            let took = cpu().saturating_sub(before);
            assert!(took < FROZEN, "a frame took {took:?} after: {}", self.last.back().unwrap());
        }
    }

    fn click_something(&mut self) -> String {
        let all: Vec<(String, egui::Rect)> = self
            .window
            .query_all_by(|node| node.label().is_some() || node.value().is_some())
            .map(|node| (node.accesskit_node().label().or_else(|| node.accesskit_node().value()).unwrap_or_default(), node.rect()))
            .filter(|(_, rect)| rect.is_finite() && rect.is_positive())
            .collect();
        if all.is_empty() {
            return "nothing to click".into();
        }
        let (label, rect) = &all[self.dice.below(all.len())];
        let button = *self.dice.of(&[PointerButton::Primary, PointerButton::Primary, PointerButton::Primary, PointerButton::Secondary]);
        self.click(rect.center(), button);
        format!("click with {button:?} on “{}”", label.chars().take(60).collect::<String>())
    }

    fn click_anywhere(&mut self) -> String {
        let at = self.dice.place(self.size);
        self.click(at, PointerButton::Primary);
        format!("click at {at}")
    }

    fn click(&mut self, at: Pos2, button: PointerButton) {
        self.window.event(Event::PointerMoved(at));
        for pressed in [true, false] {
            self.window.event(Event::PointerButton { pos: at, button, pressed, modifiers: Modifiers::NONE });
        }
    }

    fn press(&mut self) -> String {
        let key = *self.dice.of(Key::ALL);
        let modifiers = *self.dice.of(&[Modifiers::NONE, Modifiers::NONE, Modifiers::SHIFT, Modifiers::COMMAND, Modifiers::ALT]);
        self.window.key_press_modifiers(modifiers, key);
        format!("{modifiers:?} {key:?}")
    }

    fn write(&mut self) -> String {
        const TEXTS: [&str; 14] = [
            "kind:event",
            " ms>5",
            "\"",
            "name:*",
            "user:alice changed:cart",
            "-",
            "(",
            "日本語 größer",
            "🛒\u{200d}🔥",
            "\u{202e}evil",
            "cart.total < 0",
            "changed(/user)",
            "99999999999999999999",
            "{\"a\": [1, 2",
        ];
        let text = (*self.dice.of(&TEXTS)).to_owned();
        self.window.event(Event::Text(text.clone()));
        format!("write {text:?}")
    }

    fn drag(&mut self) -> String {
        let (from, to) = (self.dice.place(self.size), self.dice.place(self.size));
        self.window.event(Event::PointerMoved(from));
        self.window.event(Event::PointerButton { pos: from, button: PointerButton::Primary, pressed: true, modifiers: Modifiers::NONE });
        self.window.step();
        self.window.event(Event::PointerMoved(to));
        self.window.step();
        self.window.event(Event::PointerButton { pos: to, button: PointerButton::Primary, pressed: false, modifiers: Modifiers::NONE });
        format!("drag from {from} to {to}")
    }

    fn scroll(&mut self) -> String {
        let at = self.dice.place(self.size);
        let by = *self.dice.of(&[-4000.0, -120.0, -30.0, 30.0, 120.0, 4000.0]);
        let modifiers = *self.dice.of(&[Modifiers::NONE, Modifiers::NONE, Modifiers::COMMAND, Modifiers::SHIFT]);
        self.window.event(Event::PointerMoved(at));
        self.window.event(Event::MouseWheel {
            unit: MouseWheelUnit::Point,
            delta: Vec2::new(0.0, by),
            phase: TouchPhase::Move,
            modifiers,
            source: MouseWheelSource::Wheel,
        });
        format!("scroll by {by} at {at} with {modifiers:?}")
    }

    fn resize(&mut self) -> String {
        self.size = *self.dice.of(&[Vec2::new(1280.0, 800.0), Vec2::new(640.0, 400.0), Vec2::new(320.0, 240.0), Vec2::new(2560.0, 1440.0)]);
        self.window.set_size(self.size);
        format!("resize to {}", self.size)
    }

    fn tell_steps(&mut self) -> String {
        let count = *self.dice.of(&[1, 10, 3_000]);
        self.engine.tell(Notice::steps(SOURCE, many_steps_from(self.next_step, count)));
        self.next_step += count;
        format!("{count} new steps")
    }

    fn hold(&mut self) -> String {
        let hold = self.dice.below(2) == 0;
        if hold {
            self.engine.hold(true);
        } else {
            self.engine.release();
        }
        format!("hold answers back: {hold}")
    }

    fn tell(&mut self) -> String {
        let at = self.dice.below(self.next_step as usize) as u64;
        let (words, notice) = match self.dice.below(6) {
            0 => {
                self.next_source += 1;
                ("a recording is opened", recording(self.next_source))
            }
            1 => ("a source is closed", Notice::SourceClosed(SourceId(self.next_source as _))),
            2 => ("the first source is closed", Notice::SourceClosed(SOURCE)),
            3 => ("a message", Notice::Message(Level::Error, "Something was lost".repeat(1 + self.dice.below(40)))),
            4 => ("the page stands at a step", Sample::at(at)),
            _ => {
                self.engine.tell_anew();
                self.next_step = sample().steps.len() as u64 + 1;
                return "everything is told anew".into();
            }
        };
        self.engine.tell(notice);
        words.into()
    }

    fn answer_with_failures(&mut self) -> String {
        let held = std::mem::take(&mut self.engine.script().held);
        let count = held.len();
        for (id, _) in held {
            let failure = Failure::new(ErrorCode::Missing, "It is gone").hint("Do something else");
            self.engine.tell(Notice::Answer(id, Answer::Failed(failure)));
        }
        format!("{count} answers fail")
    }
}

/// CPU time of this thread.
#[cfg(unix)]
fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Where it cannot be told, time as it passes.
#[cfg(not(unix))]
fn cpu() -> Duration {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}
