//! What an agent sends of a page: a greeting, the page, and a frame per step with the assigns that changed, as `docs/PROTOCOL.md` says.

use std::collections::BTreeMap;

use inspector_bench::corpora::{Pages, Sort, object};

const SESSION: &str = "0123456789abcdef";

/// The answer to the inspector's greeting.
pub fn welcome() -> String {
    r#"{"t":"welcome","protocol":1,"agent":"bench","version":"0.1.0","resumed":false,"seq":0,"server":{}}"#.to_owned()
}

/// The frames of a page's mount and its first steps.
pub fn frames(sort: Sort, steps: usize) -> Vec<String> {
    let mut pages = Pages::new(sort);
    let mut frames = vec![format!(
        r#"{{"t":"session","seq":1,"at":1790000000.0,"session":"{SESSION}","phase":"mounted","path":"/bench/","opened":1790000000.0}}"#
    )];
    let mut last: BTreeMap<&str, String> = BTreeMap::new();
    for number in 0..steps {
        if number > 0 {
            pages.turn();
        }
        let assigns = pages.assigns();
        let changed: Vec<(&str, String)> = assigns.into_iter().filter(|(name, value)| last.get(name) != Some(value)).collect();
        frames.push(step(number, &object(&changed)));
        last.extend(changed);
    }
    frames
}

/// Bytes of a step's frame besides its states.
pub fn envelope() -> usize {
    step(1_000, "").len()
}

fn step(number: usize, set: &str) -> String {
    const FIRST: usize = 1_000_000;
    let (rev, seq, at) = (FIRST + number, number + 2, 1.79e9 + number as f64 * 0.37);
    let (kind, name) = if number == 0 { ("mount", "shop.views.Things") } else { ("event", "toggle") };
    let (before, base) =
        if number == 0 { ("null".to_owned(), "null".to_owned()) } else { (format!(r#"{{"rev":{}}}"#, rev - 1), (rev - 1).to_string()) };
    format!(
        r#"{{"t":"step","seq":{seq},"at":{at:.6},"key":"k{number:x}","session":"{SESSION}","view":null,"component":null,"kind":"{kind}","name":"{name}","params":{{"id": {number}}},"raw":"{{\"id\": {number}}}","ref":{number},"started":{at},"ms":1.5,"timing":null,"before":{before},"after":{{"rev":{rev},"base":{base},"set":{set}}},"status":"ok","error":null,"cause":null,"sql":[],"logs":[],"frames":[],"html":null,"history":false}}"#
    )
}
