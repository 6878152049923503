//! What holds for any text: the scan takes what JSON allows and nothing else, a scan along an earlier document gives what a
//! scan from nothing gives, and copies are copies.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use crate::{Copied, Delta, Document, PlacePath, RawOp, ScanError, compare};

const LONG: Duration = Duration::from_mins(1);

fn document(text: &str) -> Arc<Document> {
    Arc::new(Document::new(text.into()).unwrap())
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        (-20i64..20).prop_map(Into::into),
        (-2.0..2.0f64).prop_map(Into::into),
        "[ab\"\\\\é\u{1F600}\n]{0,6}".prop_map(Into::into),
        "[ab ]{60,300}".prop_map(Into::into),
        "[a-e\\\\\"é\u{1F600}]{60,200}".prop_map(Into::into),
    ];
    leaf.prop_recursive(5, 80, 8, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..8).prop_map(Into::into),
            proptest::collection::vec((prop_oneof!["[a-dé]", Just("id".to_owned())], inner), 0..8)
                .prop_map(|entries| serde_json::Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// Edits of a text that mostly leave JSON behind, and sometimes do not.
fn edited(text: &str, edits: &[(prop::sample::Index, u8)]) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for (at, edit) in edits {
        let at = at.index(chars.len().max(1));
        match edit % 6 {
            0 if at < chars.len() => drop(chars.remove(at)),
            1 => chars.insert(at, '1'),
            2 => chars.insert(at, ' '),
            3 if at < chars.len() => chars[at] = ['"', ',', '{', ']', '0', '\\', 'u', 'e', '\u{1}'][*edit as usize % 9],
            4 => {
                // A comma, a key and a value: often a member more.
                let member: Vec<char> = ",\"a\":[2]".chars().collect();
                chars.splice(at..at, member);
            }
            _ => {}
        }
    }
    chars.into_iter().collect()
}

fn check_copies(delta: &Delta) -> Result<(), TestCaseError> {
    let (before, after) = (delta.before().text().as_bytes(), delta.after().text().as_bytes());
    let mut end = 0;
    for Copied { from, to, len } in &delta.copies {
        let (from, to, len) = (*from as usize, *to as usize, *len as usize);
        prop_assert!(to >= end, "copies overlap at {to}");
        prop_assert_eq!(&before[from..from + len], &after[to..to + len]);
        end = to + len;
    }
    for change in &delta.changes {
        for (span, text) in [(change.before, before), (change.after, after)] {
            if span.len > 0 {
                let value = serde_json::from_slice::<serde_json::Value>(span.of(text));
                prop_assert!(value.is_ok(), "{:?} is no value", String::from_utf8_lossy(span.of(text)));
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn a_scan_takes_what_a_parser_takes(value in json(), edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value).unwrap() } else { value.to_string() };
        prop_assert!(Document::new(text.as_str().into()).is_ok());
        let text = edited(&text, &edits);
        let parsed = serde_json::from_str::<serde_json::Value>(&text);
        let scanned = Document::new(text.as_str().into());
        prop_assert_eq!(scanned.is_ok(), parsed.is_ok(), "{:?} {:?} {}", scanned, parsed, text);
    }

    #[test]
    fn any_text_is_an_answer(text in "[\\[\\]{}:,\"a0-9eE.+\\-u\\\\ tfnrals]{0,24}") {
        let parsed = serde_json::from_str::<serde_json::Value>(&text);
        let scanned = Document::new(text.as_str().into());
        prop_assert_eq!(scanned.is_ok(), parsed.is_ok(), "{:?} {:?} {}", scanned, parsed, text);
    }

    #[test]
    fn a_scan_along_an_earlier_text_gives_the_same_tape(
        value in json(), other in json(), edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let earlier = document(&value.to_string());
        for text in [edited(&value.to_string(), &edits), other.to_string(), format!("[{value}, {other}]"), format!(r#"{{"x": {value}}}"#)] {
            let fresh = Document::new(text.as_str().into());
            let along = Document::after(&earlier, text.as_str().into());
            match (fresh, along) {
                (Ok(fresh), Ok(along)) => prop_assert_eq!(fresh.tape().nodes, along.tape().nodes),
                (fresh, along) => prop_assert_eq!(fresh, along),
            }
        }
    }

    #[test]
    fn copies_are_copies(before in json(), after in json(), edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4), micros in 0u64..30) {
        let first = document(&before.to_string());
        let texts = [after.to_string(), format!("[{before}, {after}]"), edited(&before.to_string(), &edits)];
        for text in texts {
            let Ok(second) = Document::new(text.as_str().into()) else { continue };
            let second = Arc::new(second);
            check_copies(&compare(&first, &second, LONG))?;
            check_copies(&compare(&first, &second, Duration::from_micros(micros)))?;
            prop_assert!(compare(&second, &second, LONG).changes.is_empty());
        }
    }

    /// A text that is written in, with escapes of all sorts, is read on from where it differs.
    #[test]
    fn long_texts_are_read_on(text in "([a-h]{1,30}|\\\\\\\\|\\\\n|\\\\u00e9|\\\\ud83d\\\\ude00){20,60}", edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..3)) {
        let whole = format!(r#"{{"a":1,"body":"{text}","b":2}}"#);
        let earlier = document(&whole);
        let text = edited(&whole, &edits);
        let fresh = Document::new(text.as_str().into());
        let along = Document::after(&earlier, text.as_str().into());
        match (fresh, along) {
            (Ok(fresh), Ok(along)) => prop_assert_eq!(fresh.tape().nodes, along.tape().nodes),
            (fresh, along) => prop_assert_eq!(fresh.is_ok(), along.is_ok(), "{}", text),
        }
    }

    /// Long rows, so that containers are open ones.
    #[test]
    fn rows_come_and_go(ids in proptest::collection::vec(0u8..12, 0..14), other in proptest::collection::vec(0u8..12, 0..14), keyed in any::<bool>()) {
        let make = |ids: &[u8]| {
            let key = if keyed { "id" } else { "n" };
            let rows: Vec<String> = ids.iter().map(|id| format!(r#"{{"{key}":{id},"text":"{}","tags":[1,2]}}"#, "word ".repeat(130))).collect();
            format!(r#"{{"rows":[{}],"n":{}}}"#, rows.join(", "), ids.len())
        };
        let (before, after) = (document(&make(&ids)), Document::new(make(&other).into()).unwrap());
        let along = Document::after(&before, make(&other).into()).unwrap();
        prop_assert_eq!(along.tape().nodes, after.tape().nodes);
        check_copies(&compare(&before, &Arc::new(after), LONG))?;
    }
}

#[test]
fn limits_are_told() {
    let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    assert!(Document::new(deep(crate::DEEPEST).into()).is_ok());
    assert!(serde_json::from_str::<serde_json::Value>(&deep(crate::DEEPEST)).is_ok());
    assert_eq!(Document::new(deep(crate::DEEPEST + 1).into()), Err(ScanError::TooDeep));
    assert_eq!(Document::new(deep(10_000).into()), Err(ScanError::TooDeep));
    assert_eq!(Document::new(format!("\"{}\"", "x".repeat(crate::LONGEST)).into()), Err(ScanError::TooLong));
    for (text, what) in [
        (r#""\ud800""#, "half a surrogate pair"),
        (r#""\udc00\ud800""#, "half a surrogate pair"),
        (r#""\ud83d\u0041""#, "half a surrogate pair"),
        ("1e999", "a number beyond ±1.8e308"),
        ("NaN", "no value"),
        ("[1 2]", "no comma and no end of the container"),
    ] {
        let refused = Document::new(text.into());
        assert!(matches!(refused, Err(ScanError::Syntax { what: said, .. }) if said == what), "{text}: {refused:?}");
    }
    assert!(Document::new(r#""\ud83d\ude00""#.into()).is_ok());
}

#[test]
fn what_differs_in_its_spelling_only_has_not_changed() {
    let before = document(r#"{"a":1.0,"b":"é","c":[1,2],"é":1}"#);
    let after = document(r#"{ "a": 1.00, "b": "\u00e9", "c": [1 , 2], "\u00e9": 1 }"#);
    let delta = compare(&before, &after, LONG);
    assert!(delta.changes.is_empty(), "{:?}", delta.changes);
    assert!(!compare(&document("[1]"), &document("[1.0]"), LONG).changes.is_empty());
    assert!(!compare(&document("123456789012345678901234567890"), &document("123456789012345678901234567891"), LONG).changes.is_empty());
}

/// What changed, as `path op`.
fn told(before: &str, after: &str) -> Vec<String> {
    let delta = compare(&document(before), &document(after), LONG);
    delta
        .changes
        .iter()
        .map(|change| {
            let mut name = Vec::new();
            delta.places().name(change.place, before, after, &mut name);
            let op = match change.op {
                RawOp::Added => "+",
                RawOp::Removed => "-",
                RawOp::Changed => "~",
                RawOp::Moved { .. } => "m",
                RawOp::Reordered { .. } => "r",
            };
            format!("{} {op} {}", delta.path(change.place), String::from_utf8_lossy(&name))
        })
        .collect()
}

#[test]
fn rows_are_known_by_their_identity() {
    assert_eq!(
        told(r#"{"t":[{"id":1,"a":0},{"id":2,"a":0}]}"#, r#"{"t":[{"id":3,"a":0},{"id":1,"a":0},{"id":2,"a":5}]}"#),
        ["t[0] + =3", "t[2].a ~ .a"]
    );
    assert_eq!(told(r#"{"t":[{"id":1},{"id":2},{"id":3}]}"#, r#"{"t":[{"id":3},{"id":1},{"id":2}]}"#), ["t[0] m =3"]);
    assert_eq!(told(r"[[0,1],[2,3],[1]]", r"[[0,1],[2,4],[1]]"), ["[1][1] ~ [1]"]);
    let typed = |n: u8, done: bool| format!(r#"[{{"$t":"model","model":"a.B","pk":{n},"v":{{"id":{n},"done":{done}}}}}]"#);
    assert_eq!(told(&typed(1, false), &typed(1, true)), ["[0].done ~ .done"]);
    assert_eq!(told(&typed(1, false), &typed(2, true)), ["[0] - =1", "[0] + =2"]);
    // A key that repeats identifies nothing.
    assert_eq!(told(r#"[{"id":1,"a":1},{"id":1,"a":2}]"#, r#"[{"id":1,"a":1},{"id":1,"a":3}]"#), ["[1].a ~ .a"]);
}

#[test]
fn a_place_is_found_by_a_path() {
    let state = document(r#"{"todos":[{"id":7,"done":false},[1,2],{"$t":"model","model":"a.B","pk":4,"v":{"name":"x"}}]}"#);
    let path = |parts: &[&str]| {
        inspector_model::Path(
            parts
                .iter()
                .map(|part| part.parse().map_or_else(|_| inspector_model::Segment::Key((*part).into()), inspector_model::Segment::Index))
                .collect(),
        )
    };
    // The same rows, others between them.
    let later =
        document(r#"{"todos":[{"$t":"model","model":"a.B","pk":4,"v":{"name":"y"}},"new",[1,9],{"id":8},{"done":true,"id":7},{},[3]]}"#);
    for (parts, found, value, then) in [
        (&["todos", "0", "done"][..], "todos[=7].done", Some("false"), Some("true")),
        (&["todos", "0"], "todos[=7]", Some(r#"{"id":7,"done":false}"#), Some(r#"{"done":true,"id":7}"#)),
        (&["todos", "1", "1"], "todos[=1][1]", Some("2"), Some("9")),
        (&["todos", "2", "name"], "todos[=4].name", Some("\"x\""), Some("\"y\"")),
        (&["todos", "6", "0"], "todos[6][0]", None, Some("3")),
        (&["todos", "9", "name"], "todos[9].name", None, None),
        (&["gone", "x"], "gone.x", None, None),
    ] {
        let place = PlacePath::find(&path(parts), &state);
        let path = place.path();
        let at = |document: &'_ Document| document.at(&path).map(|part| part.json.to_owned());
        assert_eq!((place.to_string().as_str(), at(&state).as_deref(), at(&later).as_deref()), (found, value, then));
        assert_eq!((PlacePath::of(&path), PlacePath::find(&path, &later), path.to_string().as_str()), (place.clone(), place, found));
    }
    let len = |parts: &[&str]| state.at(&path(parts)).and_then(|part| part.len);
    assert_eq!([len(&[]), len(&["todos"]), len(&["todos", "2"]), len(&["todos", "0", "id"])], [Some(1), Some(3), Some(1), None]);
    assert_eq!(state.at(&path(&[])).map(|part| part.json), Some(&**state.text()));
    let rows: Vec<String> = (0..300).map(|n| format!(r#"{{"id":{n},"t":{{"$t":"tuple","v":[1,2,{n}]}}}}"#)).collect();
    let large = document(&format!(r#"{{"rows":[{}],"n": 1}}"#, rows.join(",")));
    for (document, expected) in [(&state, vec![("todos", Some(3))]), (&large, vec![("rows", Some(300)), ("n", None)])] {
        let top = document.top();
        assert_eq!(top.iter().map(|(name, part)| (name.as_str(), part.len)).collect::<Vec<_>>(), expected);
        for (name, part) in top {
            assert_eq!(document.at(&path(&[&name])), Some(part));
        }
    }
}

#[test]
fn a_row_put_in_first_and_a_list_turned_round_are_one_change() {
    let row = |n: usize| format!(r#"{{"pk": {n}, "name": "thing number {n}", "qty": {}}}"#, n * 7 % 13);
    let rows: Vec<String> = (0..10_000).map(row).collect();
    let list = |rows: &[String]| document(&format!(r#"{{"rows": [{}]}}"#, rows.join(", ")));
    let before = list(&rows);
    let mut inserted = rows.clone();
    inserted.insert(0, row(20_000));
    let delta = compare(&before, &list(&inserted), LONG);
    assert_eq!((delta.counts.total(), delta.counts.added), (1, 1));
    let mut turned = rows.clone();
    turned.reverse();
    let delta = compare(&before, &list(&turned), LONG);
    assert_eq!((delta.counts.total(), delta.counts.moved), (1, 1));
    let other: Vec<String> = (30_000..40_000).map(row).collect();
    let delta = compare(&before, &list(&other), LONG);
    assert_eq!((delta.counts.total(), delta.counts.changed), (1, 1));
}

/// However much changes, what is told of it stays small.
#[test]
fn there_are_never_too_many_changes() {
    let list = |n: usize, of: usize| format!("[{}]", (0..n).map(|k| format!("{}.5", k * of)).collect::<Vec<_>>().join(","));
    let rows = |n: usize, of: usize| {
        let rows: Vec<String> = (0..n).map(|k| format!(r#"{{"id":{k},"a":{},"b":{},"c":{}}}"#, k * of, k + of, of)).collect();
        format!(r#"{{"rows":[{}],"n":{of},"t":{{"$t":"tuple","v":{}}}}}"#, rows.join(","), list(n, of))
    };
    let keys = |n: usize, of: usize| format!("{{{}}}", (0..n).map(|k| format!(r#""k{}":1"#, k * of + of)).collect::<Vec<_>>().join(","));
    for (before, after, most) in [
        ("[]".to_owned(), list(300_000, 1), 1),
        (list(300_000, 1), list(300_000, 3), 1),
        (rows(30_000, 1), rows(30_000, 2), 3),
        (rows(4_000, 1), rows(4_000, 2), 20_000),
        (keys(100_000, 1), keys(100_000, 7), 1),
        ("{}".to_owned(), keys(100_000, 7), 1),
    ] {
        let delta = compare(&document(&before), &document(&after), LONG);
        assert!((1..=most).contains(&delta.changes.len()), "{} changes of {}", delta.changes.len(), &after[..60]);
        assert_eq!(delta.counts.total() as usize, delta.changes.len());
        check_copies(&delta).unwrap();
    }
}

/// Comparing is far from building values of both, whatever the machine does besides: measured are 1/40 and less.
#[test]
fn an_edit_in_a_megabyte_costs_a_fraction_of_parsing_it() {
    let text = |edited: usize| {
        let rows: Vec<String> = (0..10_000)
            .map(|n| format!(r#"{{"pk": {n}, "name": "thing number {n}", "qty": {}, "price": "1{n}.50"}}"#, n + usize::from(n == edited)))
            .collect();
        format!(r#"{{"rows": [{}]}}"#, rows.join(", "))
    };
    let best = |run: &dyn Fn()| {
        let timed = || {
            let start = std::time::Instant::now();
            run();
            start.elapsed()
        };
        (0..9).map(|_| timed()).min().unwrap()
    };
    let (before, after) = (document(&text(1)), text(7_000));
    let compared = best(&|| {
        let next = Arc::new(Document::after(&before, after.as_str().into()).unwrap());
        assert_eq!(compare(&before, &next, LONG).counts.total(), 2);
    });
    let parsed = best(&|| assert!(serde_json::from_str::<serde_json::Value>(&after).unwrap().is_object()));
    assert!(compared * 5 < parsed, "compared in {compared:?}, parsed in {parsed:?}");
}

/// 64 MB, keys of 1 MB, 100,000 assigns, ids that repeat, keys that repeat: linear, and an answer.
#[test]
fn bad_input_is_answered() {
    let assigns = |value: u8| {
        let all: Vec<String> = (0..100_000).map(|n| format!(r#""assign{n}":{}"#, if n == 50_000 { value } else { 0 })).collect();
        document(&format!("{{{}}}", all.join(",")))
    };
    assert_eq!(compare(&assigns(0), &assigns(1), LONG).counts.changed, 1);
    let long_key = |value: u8| document(&format!(r#"{{"{}":{value},"b":1}}"#, "k".repeat(1 << 20)));
    assert_eq!(compare(&long_key(0), &long_key(1), LONG).counts.changed, 1);
    let repeated = |last: u8| document(&format!("[{}{{\"id\":1,\"n\":{last}}}]", r#"{"id":1,"n":0},"#.repeat(50_000)));
    assert_eq!(compare(&repeated(0), &repeated(1), LONG).counts.total(), 1);
    let twice = |last: u8| document(&format!(r#"{{"a":{{"x":1,"x":{last}}},"b":1}}"#));
    let delta = compare(&twice(2), &twice(3), LONG);
    assert_eq!(delta.path(delta.changes[0].place).to_string(), "a");
    let numbers = |of: u32| {
        document(&format!("[{}0]", (0..4_000_000).map(|n| if n == of { "77777777,77777777," } else { "1234567," }).collect::<String>()))
    };
    let (before, after) = (numbers(5), numbers(3_000_000));
    assert!(before.text().len() > 30 << 20);
    let delta = compare(&before, &after, Duration::from_millis(10));
    check_copies(&delta).unwrap();
    assert!(delta.cut_short || !delta.changes.is_empty());
}
