//! The law of the diff on arbitrary values, and the shape of the diffs that people look at most.

#![expect(clippy::unwrap_used, clippy::cast_possible_wrap, reason = "helpers of tests")]

use std::time::{Duration, Instant};

use inspector_diff::{Options, apply, diff, diff_text};
use inspector_model::{Diff, Kind, Note, Op, Value, parse_value};
use proptest::prelude::*;

const LONG: Duration = Duration::from_mins(1);

fn full(before: &Value, after: &Value) -> Diff {
    diff(before, after, &Options { deadline: LONG, ..Options::default() })
}

/// Maps with their keys in order, so that two that differ only in it are equal.
fn sorted(value: &Value) -> Value {
    let entries = |entries: &[(String, Value)]| {
        let mut all: Vec<(String, Value)> = entries.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
        let keys: std::collections::HashSet<&str> = entries.iter().map(|(key, _)| key.as_str()).collect();
        if keys.len() == entries.len() {
            all.sort_by(|a, b| a.0.cmp(&b.0));
        }
        all
    };
    match value {
        Value::List(items) => Value::List(items.iter().map(sorted).collect()),
        Value::Map(map) => Value::Map(entries(map)),
        Value::Typed { kind, fields } => {
            Value::Typed { kind: kind.clone(), fields: fields.iter().map(|(key, value)| (key.clone(), sorted(value))).collect() }
        }
        other => other.clone(),
    }
}

fn holds(before: &Value, after: &Value, deadline: Duration) -> Result<Diff, TestCaseError> {
    let found = diff(before, after, &Options { deadline, ..Options::default() });
    let applied = apply(before, &found).map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!(sorted(&applied), sorted(after), "{:?}", found.changes);
    prop_assert_eq!(found.counts.total() as usize, found.changes.len());
    Ok(found)
}

fn number(n: i64) -> Value {
    Value::Number(n.into())
}

fn map(entries: Vec<(&str, Value)>) -> Value {
    Value::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn row(id: i64, title: &str) -> Value {
    map(vec![("id", number(id)), ("title", Value::Text(title.to_owned()))])
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-3i64..4).prop_map(number),
        (-2.0..2.0f64).prop_map(|x| Value::Number(serde_json::Number::from_f64(x).unwrap())),
        "[ab ]{0,3}".prop_map(Value::Text),
        proptest::collection::vec("[abc]{2}[ \n]", 20..40).prop_map(|words| Value::Text(words.concat())),
        (1..4i64).prop_map(|n| Value::Typed { kind: Kind::Decimal, fields: vec![("v".into(), Value::Text(n.to_string()))] }),
    ];
    leaf.prop_recursive(4, 60, 6, |inner| {
        let entries = proptest::collection::vec((prop_oneof!["[a-d]", Just("id".to_owned()), Just("v".to_owned())], inner.clone()), 0..6);
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..7).prop_map(Value::List),
            entries.clone().prop_map(Value::Map),
            (typed_kind(), proptest::collection::vec(inner.clone(), 0..5)).prop_map(|(kind, items)| Value::Typed {
                kind,
                fields: vec![("of".into(), number(1)), ("len".into(), number(items.len() as i64)), ("v".into(), Value::List(items))],
            }),
            (typed_kind(), 0..3i64, entries.clone()).prop_map(|(kind, pk, entries)| Value::Typed {
                kind,
                fields: vec![("model".into(), Value::Text("a.B".into())), ("pk".into(), number(pk)), ("v".into(), Value::Map(entries))],
            }),
            (typed_kind(), entries).prop_map(|(kind, fields)| Value::Typed { kind, fields }),
        ]
    })
}

fn typed_kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::Model),
        Just(Kind::Component),
        Just(Kind::Cut),
        Just(Kind::Set),
        Just(Kind::Tuple),
        Just(Kind::Other("x".into()))
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn applying_a_diff_gives_the_value_after(before in any_value(), after in any_value()) {
        holds(&before, &after, LONG)?;
    }

    #[test]
    fn a_diff_that_was_cut_short_still_says_everything(before in any_value(), after in any_value(), micros in 0u64..40) {
        holds(&before, &after, Duration::from_micros(micros))?;
        let none = holds(&before, &after, Duration::ZERO)?;
        prop_assert!(none.changes.len() <= 1);
    }

    #[test]
    fn a_value_does_not_differ_from_itself(value in any_value()) {
        prop_assert!(full(&value, &value).changes.is_empty());
    }

    /// Rows with and without ids, some twice, taken away, put in, moved and edited.
    #[test]
    fn lists_of_rows_keep_the_law(
        ids in proptest::collection::vec(0i64..30, 0..25),
        edits in proptest::collection::vec((0usize..4, any::<proptest::sample::Index>(), any::<proptest::sample::Index>()), 0..12),
        keyed in any::<bool>(),
    ) {
        let make = |id: i64, title: &str| if keyed { row(id, title) } else { map(vec![("n", number(id)), ("title", Value::Text(title.to_owned()))]) };
        let before: Vec<Value> = ids.iter().map(|id| make(*id, "as it was")).collect();
        let mut after = before.clone();
        for (sort, here, there) in edits {
            match sort {
                0 => after.insert(here.index(after.len() + 1), make(100 + here.index(50) as i64, "new")),
                1 if !after.is_empty() => { after.remove(here.index(after.len())); }
                2 if !after.is_empty() => {
                    let row = after.remove(here.index(after.len()));
                    after.insert(there.index(after.len() + 1), row);
                }
                3 if !after.is_empty() => { let at = here.index(after.len()); after[at] = make(ids.first().copied().unwrap_or(7), "edited"); }
                _ => {}
            }
        }
        let (before, after) = (map(vec![("rows", Value::List(before))]), map(vec![("rows", Value::List(after))]));
        holds(&before, &after, LONG)?;
        holds(&after, &before, LONG)?;
    }

    #[test]
    fn text_hunks_rebuild_the_text(before in "[aé\u{1F600} \n]{0,60}", after in "[aé\u{1F600} \n]{0,60}", micros in prop_oneof![Just(0u64), Just(1_000_000)]) {
        let hunks = diff_text(&before, &after, Duration::from_micros(micros));
        let (mut at, mut after_at, mut built) = (0, 0, String::new());
        for hunk in &hunks {
            let same = &before[at..hunk.before.start];
            prop_assert_eq!(same, &after[after_at..hunk.after.start]);
            built.push_str(same);
            built.push_str(&after[hunk.after.clone()]);
            (at, after_at) = (hunk.before.end, hunk.after.end);
        }
        built.push_str(&before[at..]);
        prop_assert_eq!(built, after);
    }
}

fn rows(n: i64) -> Vec<Value> {
    (0..n).map(|id| row(id, &format!("row number {id}"))).collect()
}

fn lists(before: &[Value], after: &[Value]) -> Diff {
    let (before, after) = (map(vec![("rows", Value::List(before.to_vec()))]), map(vec![("rows", Value::List(after.to_vec()))]));
    let found = full(&before, &after);
    assert_eq!(apply(&before, &found).unwrap(), after);
    found
}

#[test]
fn a_row_put_before_ten_thousand_is_one_change() {
    let before = rows(10_000);
    let mut after = before.clone();
    after.insert(0, row(-1, "new"));
    let found = lists(&before, &after);
    assert!(matches!(found.changes.as_slice(), [change] if matches!(change.op, Op::Added(_)) && change.path.to_string() == "rows[0]"));
}

#[test]
fn a_moved_row_is_one_change_and_its_edit_another() {
    let before = rows(10_000);
    let mut after = before.clone();
    let mut moved = after.remove(20);
    if let Value::Map(entries) = &mut moved {
        entries[1].1 = Value::Text("edited".into());
    }
    after.insert(9_000, moved);
    let found = lists(&before, &after);
    assert!(matches!(&found.changes[0].op, Op::Moved { from: 20 }));
    assert_eq!(found.changes[1].path.to_string(), "rows[9000].title");
    assert_eq!(found.changes.len(), 2);
}

#[test]
fn ten_thousand_rows_upside_down_are_one_change() {
    let before = rows(10_000);
    let after: Vec<Value> = before.iter().rev().cloned().collect();
    let found = lists(&before, &after);
    assert!(matches!(found.changes.as_slice(), [change] if matches!(&change.op, Op::Reordered { order, .. } if order.len() == 10_000)));
}

#[test]
fn rows_without_ids_that_change_in_place_are_looked_into() {
    let before: Vec<Value> = (0..5).map(|n| map(vec![("title", Value::Text("t".into())), ("done", number(n))])).collect();
    let mut after = before.clone();
    after[2] = map(vec![("title", Value::Text("t".into())), ("done", number(77))]);
    let found = lists(&before, &after);
    assert_eq!(found.changes.iter().map(|change| change.path.to_string()).collect::<Vec<_>>(), ["rows[2].done"]);
}

#[test]
fn models_are_told_apart_by_their_primary_key() {
    let item =
        |pk: i64, name: &str| parse_value(&format!(r#"{{"$t":"model","model":"shop.Item","pk":{pk},"v":{{"name":"{name}"}}}}"#)).unwrap();
    let found = lists(&[item(1, "tea"), item(2, "rice")], &[item(3, "salt"), item(1, "green tea"), item(2, "rice")]);
    let said: Vec<String> = found.changes.iter().map(|change| change.path.to_string()).collect();
    assert_eq!(said, ["rows[0]", "rows[1].name"]);
}

#[test]
fn a_dict_with_numbers_as_keys_is_compared_by_them() {
    let found = full(
        &parse_value(r#"{"d":{"$t":"dict","v":[[1,"a"],[2,"b"]]}}"#).unwrap(),
        &parse_value(r#"{"d":{"$t":"dict","v":[[0,"z"],[1,"a"],[2,"c"]]}}"#).unwrap(),
    );
    let said: Vec<String> = found.changes.iter().map(|change| change.path.to_string()).collect();
    assert_eq!(said, ["d[0]", "d[2][1]"]);
}

#[test]
fn a_list_that_was_cut_tells_its_true_length() {
    let found = full(
        &parse_value(r#"{"big":{"$t":"cut","of":"list","len":900,"v":[1,2]}}"#).unwrap(),
        &parse_value(r#"{"big":{"$t":"cut","of":"list","len":901,"v":[0,1,2]}}"#).unwrap(),
    );
    let said: Vec<String> = found.changes.iter().map(|change| change.path.to_string()).collect();
    assert_eq!(said, ["big.len", "big[0]"]);
}

#[test]
fn keys_come_in_the_order_of_the_state_after() {
    let found = full(&parse_value(r#"{"a":1,"gone":2,"c":3}"#).unwrap(), &parse_value(r#"{"new":0,"a":2,"c":4}"#).unwrap());
    let said: Vec<String> = found.changes.iter().map(|change| change.path.to_string()).collect();
    assert_eq!(said, ["new", "a", "gone", "c"]);
    assert_eq!(found.counts.to_string(), "+1 ~2 −1");
}

#[test]
fn notes_say_what_djust_does() {
    let options = Options { deadline: LONG, temporary_assigns: &["flash".into()], static_assigns: &["menu".into()] };
    let found = diff(
        &parse_value(r#"{"flash":["saved"],"menu":1,"when":{"$t":"date","v":"2026-01-01"},"n":1}"#).unwrap(),
        &parse_value(r#"{"flash":[],"menu":2,"when":"2026-01-01","n":2}"#).unwrap(),
        &options,
    );
    let notes: Vec<Option<Note>> = found.changes.iter().map(|change| change.note).collect();
    assert_eq!(notes, [Some(Note::TemporaryReset), Some(Note::StaticAssign), Some(Note::TypeChanged), None]);
}

#[test]
fn long_texts_show_their_places_and_unrelated_ones_do_not() {
    let long = "The quick brown fox jumps over the lazy dog.\n".repeat(40);
    let edited = long.replacen("brown", "red", 1);
    let found = full(&Value::Text(long.clone()), &Value::Text(edited));
    assert!(
        matches!(&found.changes[0].op, Op::Text { hunks, .. } if hunks.len() == 1 && hunks[0].before == (10..15)),
        "{:?}",
        found.changes[0].op
    );
    let found = full(&Value::Text(long), &Value::Text("0123456789".repeat(20)));
    assert!(matches!(found.changes[0].op, Op::Changed { .. }));
}

#[test]
fn a_diff_of_another_value_is_refused() {
    let found = full(&parse_value(r#"{"a":[1,2,3]}"#).unwrap(), &parse_value(r#"{"a":[3,1]}"#).unwrap());
    let refused = apply(&parse_value(r#"{"a":[9]}"#).unwrap(), &found);
    assert!(refused.is_err(), "{refused:?}");
    assert!(apply(&Value::Null, &found).is_err());
}

#[test]
fn very_deep_values_are_compared_whole_at_the_bottom() {
    let deep = |n: i64| (0..300).fold(number(n), |inner, _| Value::List(vec![inner]));
    let found = full(&deep(1), &deep(2));
    assert!(found.cut_short);
    assert_eq!(apply(&deep(1), &found).unwrap(), deep(2));
}

/// Four times the rows may take about four times as long, not sixteen: a coarse net for quadratic time.
#[test]
fn time_grows_with_the_size_and_not_with_its_square() {
    let shuffled = |n: i64| -> Vec<Value> { (0..n).map(|k| row(k * 7_919 % n, "x")).collect() };
    let repeated = |n: i64| -> Vec<Value> { (0..n).map(|k| number(k * k % 7)).collect() };
    let best = |before: &[Value], after: &[Value]| {
        let (before, after) = (Value::List(before.to_vec()), Value::List(after.to_vec()));
        (0..5)
            .map(|_| {
                let start = Instant::now();
                let found = full(&before, &after);
                assert!(!found.cut_short);
                start.elapsed()
            })
            .min()
            .unwrap()
    };
    for (name, make) in [("rows", &shuffled as &dyn Fn(i64) -> Vec<Value>), ("repeated", &repeated)] {
        let of = |n: i64| {
            let after = make(n);
            let before = if name == "rows" { rows(n) } else { after.iter().rev().cloned().collect() };
            best(&before, &after)
        };
        let (small, large) = (of(4_000), of(16_000));
        assert!(large < small * 12, "{name}: {small:?} for 4,000 elements, {large:?} for 16,000");
    }
}

#[test]
fn a_list_of_which_most_is_new_is_changed_whole() {
    let page = |first: i64| Value::List((first..first + 100).map(|n| row(n, "x")).collect());
    for (first, whole) in [(0, false), (40, false), (51, true), (1_000, true)] {
        let found = full(&page(0), &page(first));
        assert_eq!(found.changes.len() == 1, whole, "{first}");
        assert_eq!(apply(&page(0), &found).unwrap(), page(first));
    }
}

/// Too many changes to tell are told as fewer, and still say everything.
#[test]
fn a_crowd_of_changes_is_told_whole() {
    let state = |of: i64| {
        let rows = (0..15_000).map(|n| map(vec![("id", number(n)), ("a", number(n * of)), ("b", number(n + of))])).collect();
        let typed =
            Value::Typed { kind: Kind::Tuple, fields: vec![("v".into(), Value::List((0..30_000).map(|n| number(n * of)).collect()))] };
        map(vec![("n", number(of)), ("rows", Value::List(rows)), ("typed", typed), ("last", number(of))])
    };
    let found = full(&state(1), &state(2));
    assert!(found.cut_short && found.changes.len() <= 10, "{} changes", found.changes.len());
    assert_eq!(apply(&state(1), &found).unwrap(), state(2));
    let said: Vec<String> = found.changes.iter().map(|change| change.path.to_string()).collect();
    assert_eq!(said, ["n", "rows", "typed", "last"]);
}
