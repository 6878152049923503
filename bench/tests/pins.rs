//! What scrubbing with pinned values costs on a state of a megabyte, beside parsing that state.

use std::hint::black_box;

use inspector_bench::clock::{median, timed};
use inspector_bench::corpora::{Pages, Sort};
use inspector_model::{Path, Segment};
use inspector_store::glimpse;
use inspector_tape::Document;

#[test]
fn ten_pinned_values_of_a_megabyte_cost_less_than_parsing_it() {
    let mut pages = Pages::new(Sort::Large);
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..15 {
        pages.turn();
        let text = pages.json();
        let state: serde_json::Value = serde_json::from_str(&text).unwrap();
        let id = |at: usize| Segment::Row(state["rows"][at * 900]["id"].to_string());
        // Rows from all over the list, by their identity.
        let paths: Vec<Path> = (0..10).map(|at| Path(vec![Segment::Key("rows".into()), id(at), Segment::Key("done".into())])).collect();
        times[0].push(timed(|| {
            let document = Document::new(text.clone()).unwrap();
            for path in &paths {
                assert!(black_box(glimpse(&document, path)).is_some(), "{path}");
            }
        }));
        times[1].push(timed(|| drop(black_box(serde_json::from_str::<serde_json::Value>(&text).unwrap()))));
    }
    let [own, parsed] = times.map(median);
    assert!(own < parsed * 2, "{own:?} for ten values, {parsed:?} to parse the state");
}
