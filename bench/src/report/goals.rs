//! The goals, and whether this run reaches them.

use std::fmt;
use std::fmt::Write as _;

use inspector_bench::measure::Role;

use super::figures::{Figures, count, number};

const ENGINE: &str = "inspector, the whole engine";
const CHAIN: &str = "zstd, the state before as prefix";
const STEPS: [&str; 2] = ["100,000", "1 M"];
const KB: f64 = 1e3;

/// Events per second of the fastest process of djust for each page, in one Python thread: 200 bytes, 50 KB, 1 MB of rows, 100 KB of text.
const FASTEST: [(&str, f64); 4] = [("a", 21_400.0), ("b", 367.0), ("c", 11.0), ("d", 762.0)];

#[derive(Clone, Copy)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
}
use Bound::{AtLeast, AtMost};

/// A part of a goal.
pub struct Goal {
    number: u8,
    what: String,
    bound: Bound,
    unit: &'static str,
    figure: Option<f64>,
}

impl Goal {
    /// `None`: it was not measured.
    pub fn reached(&self) -> Option<bool> {
        self.figure.map(|figure| match self.bound {
            AtLeast(least) => figure >= least,
            AtMost(most) => figure <= most,
        })
    }

    fn bound(&self) -> String {
        match self.bound {
            AtLeast(least) => format!("≥ {}{}", number(least), self.unit),
            AtMost(most) => format!("≤ {}{}", number(most), self.unit),
        }
    }

    fn figure(&self) -> String {
        self.figure.map_or_else(|| "–".to_owned(), |figure| format!("{}{}", number(figure), self.unit))
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}, wanted {}", self.number, self.what, self.figure(), self.bound())
    }
}

/// As a table.
pub fn table(goals: &[Goal]) -> String {
    let mut text = "| | goal | wanted | measured | |\n|---:|---|---:|---:|---|\n".to_owned();
    for goal in goals {
        let reached = match goal.reached() {
            Some(true) => "reached",
            Some(false) => "**not reached**",
            None => "not measured",
        };
        let _ = writeln!(text, "| {} | {} | {} | {} | {reached} |", goal.number, goal.what, goal.bound(), goal.figure());
    }
    text
}

/// All goals.
pub fn check(figures: &Figures) -> Vec<Goal> {
    let mut list = List { figures, goals: Vec::new() };
    list.ingest();
    list.encode();
    list.disk();
    list.open();
    list.scrub();
    list.diff();
    list.questions();
    list.process();
    list.others();
    list.goals
}

struct List<'a> {
    figures: &'a Figures,
    goals: Vec<Goal>,
}

impl List<'_> {
    fn add(&mut self, number: u8, what: impl Into<String>, bound: Bound, unit: &'static str, figure: Option<f64>) {
        self.goals.push(Goal { number, what: what.into(), bound, unit, figure });
    }

    /// One figure over another of the same table and case.
    fn ratio(&self, table: &str, case: &str, over: &str, under: &str) -> Option<f64> {
        Some(self.figures.value(table, over, case)? / self.figures.value(table, under, case)?)
    }

    fn ingest(&mut self) {
        for (case, of_socket) in [("b", 0.6), ("c", 0.45), ("d", 0.55)] {
            let against = |other| self.ratio("ingest", case, ENGINE, other);
            let (socket, raw, sled) = (against("receive only"), against("raw append and fsync"), against("sled, one value per frame"));
            self.add(1, format!("{case}: recorded, to receive only"), AtLeast(of_socket), "×", socket);
            self.add(1, format!("{case}: recorded, to raw append"), AtLeast(1.5), "×", raw);
            self.add(1, format!("{case}: recorded, to sled per frame"), AtLeast(10.0), "×", sled);
        }
        let parse = self.ratio("ingest", "a", ENGINE, "receive, serde_json::Value, keep nothing");
        self.add(2, "a: recorded, to parse only", AtLeast(1.0), "×", parse);
        let sled = self.ratio("ingest", "a", ENGINE, "sled, one value per frame");
        self.add(2, "a: recorded, to sled per frame", AtLeast(2.0), "×", sled);
    }

    fn encode(&mut self) {
        const OWN: &str = "inspector, recorded";
        for (case, of_copy) in [("b", 0.3), ("c", 0.13), ("d", 0.3)] {
            let copy = self.ratio("encode", case, "memcpy", OWN);
            self.add(3, format!("{case}: recorder without socket, to memcpy"), AtLeast(of_copy), "×", copy);
            if case != "d" {
                let sonic = self.ratio("encode", case, "sonic-rs Value of it", OWN);
                self.add(3, format!("{case}: to sonic-rs Value"), AtLeast(2.5), "×", sonic);
                let serde = self.ratio("encode", case, "serde_json::Value of it", OWN);
                self.add(3, format!("{case}: to serde_json::Value"), AtLeast(25.0), "×", serde);
            }
        }
    }

    fn disk(&mut self) {
        const OWN: &str = "inspector, with indexes and logs";
        for (case, least) in [("a", 40.0), ("b", 900.0), ("c", 1_500.0), ("d", 1_000.0), ("e", 150.0)] {
            let part = self.ratio("disk", case, "a frame with the states before and after", OWN);
            self.add(4, format!("{case}: frame, to what is stored"), AtLeast(least), "×", part);
            let chain = self.ratio("disk", case, OWN, CHAIN);
            self.add(4, format!("{case}: stored, to the zstd prefix chain"), AtMost(1.15), "×", chain);
        }
        let flushed = self.figures.value("disk", "inspector, flushed after each step", "b");
        self.add(4, "b: flushed after every step", AtMost(150.0), " B", flushed);
    }

    fn open(&mut self) {
        const CLEAN: &str = "inspector, first timeline frame";
        const KILLED: &str = "inspector, after a kill, first timeline frame";
        for (case, clean, killed) in [(STEPS[0], 20.0, 150.0), (STEPS[1], 100.0, 900.0)] {
            let figure = self.figures.value("open", CLEAN, case);
            self.add(5, format!("{case} steps: first timeline frame"), AtMost(clean), " ms", figure);
            let figure = self.figures.value("open", KILLED, case);
            self.add(5, format!("{case} steps: after a kill"), AtMost(killed), " ms", figure);
        }
        for (own, what) in [(CLEAN, "after an end"), (KILLED, "after a kill")] {
            let sled = self.figures.value("open frames", "sled, one value per frame", what);
            let part = self.figures.value("open", own, STEPS[0]).zip(sled).map(|(own, sled)| own / sled);
            self.add(5, format!("{} steps: {what}, to sled with a frame per step", STEPS[0]), AtMost(0.1), "×", part);
        }
    }

    fn scrub(&mut self) {
        const ANY: &str = "inspector, any state, nothing at hand";
        let figures = self.figures;
        let value = |who, case| figures.value("scrub", who, case).map(|micros| micros / KB);
        for (case, any, near) in [("b p99", 0.5, Some(0.1)), ("c p99", 10.0, Some(1.0)), ("d p99", 1.0, None)] {
            self.add(6, format!("{case}: any state"), AtMost(any), " ms", value(ANY, case));
            let chain = self.ratio("scrub", case, ANY, "zstd, the state before as prefix, whole every 256");
            self.add(6, format!("{case}: any state, to the zstd prefix chain"), AtMost(0.5), "×", chain);
            if let Some(near) = near {
                self.add(6, format!("{case}: next state"), AtMost(near), " ms", value("inspector, the next state", case));
                self.add(6, format!("{case}: previous state"), AtMost(near), " ms", value("inspector, the previous state", case));
            }
        }
        for (case, most) in [("b p99", 1.0), ("c p99", 20.0)] {
            let two = value("inspector, any two compared", case);
            self.add(8, format!("{case}: any two, rebuilt and compared"), AtMost(most), " ms", two);
        }
    }

    fn diff(&mut self) {
        const OWN: &str = "inspector, from bytes";
        let mut worst: Option<f64> = None;
        let mut cases: Vec<&str> = self.figures.of("diff").iter().map(|measure| measure.case.as_str()).collect();
        cases.sort_unstable();
        cases.dedup();
        for case in cases {
            let own = self.figures.value("diff", OWN, case);
            worst = worst.into_iter().chain(own).reduce(f64::max);
            if case.starts_with('d') {
                continue;
            }
            let fastest = self.figures.peers("diff", case).filter_map(|measure| measure.value).reduce(f64::min);
            self.add(7, format!("{case}: to the fastest on trees"), AtMost(0.7), "×", own.zip(fastest).map(|(own, peer)| own / peer));
            // One that ignores order tells nothing of what only moved.
            let best = self.figures.peers("diff", case).filter_map(count).filter(|count| *count > 0.0).reduce(f64::min);
            if let Some(best) = best {
                self.add(7, format!("{case}: changes"), AtMost(best), "", self.figures.count("diff", OWN, case));
            }
        }
        let words = self.figures.value("diff", "inspector, in words", "d edit");
        self.add(7, "d edit: as a text diff", AtMost(50.0), " µs", words);
        self.add(7, "worst pair", AtMost(20.0), " ms", worst.map(|micros| micros / KB));
    }

    fn questions(&mut self) {
        for case in STEPS {
            let last = self.figures.value("when", "inspector, the last change before a step", case);
            self.add(9, format!("{case} steps: last change of a path"), AtMost(0.1), " ms", last.map(|micros| micros / KB));
            let list = self.figures.value("when", "inspector, all changes of a list", case);
            self.add(9, format!("{case} steps: whole history of a list"), AtMost(1.0), " ms", list.map(|micros| micros / KB));
            let scan = self.ratio("when", case, "sonic-rs lookup over states kept with zstd", "inspector, the last change before a step");
            self.add(9, format!("{case} steps: to a scan of zstd states"), AtLeast(1_000.0), "×", scan);
        }
        for (case, all) in STEPS.into_iter().zip([20.0, 150.0]) {
            let hits = self.figures.value("search", "inspector, all hits", case);
            self.add(10, format!("{case} steps: all hits"), AtMost(all), " ms", hits);
            let first = self.figures.value("search", "inspector, first hits", case);
            self.add(10, format!("{case} steps: first hits"), AtMost(5.0), " ms", first);
            let scan = self.ratio("search", case, "memmem over the states in memory", "inspector, all hits");
            self.add(10, format!("{case} steps: to memmem over the states"), AtLeast(15.0), "×", scan);
        }
    }

    fn process(&mut self) {
        for (case, most) in STEPS.into_iter().zip([40.0, 150.0]) {
            let recording = self.figures.value("memory", "inspector, recording", case);
            self.add(11, format!("{case} steps: recording"), AtMost(most), " MB", recording);
            let open = self.figures.value("memory", "inspector, open, with the timeline", case);
            self.add(11, format!("{case} steps: open, with the timeline"), AtMost(most), " MB", open);
        }
        let lost = self.figures.value("loss", "inspector, flushed steps lost", "100 kills");
        self.add(12, "flushed steps lost in 100 kills", AtMost(0.0), "", lost);
        for (case, rate) in FASTEST {
            let most = if matches!(case, "b" | "c") { 3.0 } else { 8.0 };
            let share = self.figures.value("ingest cpu", ENGINE, case).map(|micros| micros * rate / 1e4);
            self.add(13, format!("{case}: share of a core at djust's fastest"), AtMost(most), " %", share);
        }
    }

    /// What is measured elsewhere: the agent beside djust's own recording, and the window.
    fn others(&mut self) {
        let figures = self.figures;
        for measure in figures.of("agent").into_iter().filter(|measure| measure.who == "inspector attached") {
            let ratio = self.ratio("agent", &measure.case, &measure.who, "djust, time_travel_enabled");
            self.add(14, format!("agent, {}: to djust's own recording", measure.case), AtMost(1.0), "×", ratio);
        }
        for measure in figures.of("window").into_iter().filter(|measure| measure.role == Role::Own) {
            self.add(15, format!("window, {}, {}", measure.who, measure.case), AtMost(8.0), " ms", measure.value);
        }
    }
}
