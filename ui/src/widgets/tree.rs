//! A value as the rows of its open nodes: what the State tab and the Params tab draw, only as far as it is seen.

use std::collections::HashSet;

use inspector_model::{Kind, Path, Segment, Value};

use super::fidelity::{self, Mark};

/// One drawn line of a tree.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// How deep, from 0.
    pub depth: u16,
    /// Key or index.
    pub label: String,
    /// Path from the top, in Python's spelling. Also the identity of the node.
    pub path: String,
    /// The indices of the way down: for [`node`].
    pub way: Vec<u32>,
    /// Type in words.
    pub kind: String,
    /// One line.
    pub summary: String,
    /// Number of children; `None` when it can have none.
    pub children: Option<usize>,
    /// Whether they are shown.
    pub open: bool,
    /// Why it is not wholly there.
    pub mark: Option<Mark>,
    /// It is what was searched for.
    pub hit: bool,
}

/// At most so many rows: a list of a million opened by mistake does not stop the window.
pub const MAX_ROWS: usize = 50_000;
/// A nesting beyond this is not opened further.
pub const MAX_DEPTH: usize = 200;
const SUMMARY_CHARS: usize = 160;
const MAX_HITS: usize = 2_000;

/// The children of a value, with their labels and path segments.
fn children(value: &Value) -> Vec<(String, Segment, &Value)> {
    let pairs = matches!(value, Value::Typed { kind: Kind::Dict, .. });
    match value.content() {
        Value::Map(entries) => entries.iter().map(|(key, child)| (key.clone(), Segment::Key(key.clone()), child)).collect(),
        Value::List(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| match item {
                Value::List(pair) if pairs && pair.len() == 2 => {
                    let key = pair[0].summary(60);
                    (key.clone(), Segment::Key(key), &pair[1])
                }
                _ => (index.to_string(), Segment::Index(index), item),
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// The node at the end of a way.
pub fn node<'a>(value: &'a Value, way: &[u32]) -> Option<&'a Value> {
    let mut at = value;
    for index in way {
        at = children(at).into_iter().nth(*index as usize)?.2;
    }
    Some(at)
}

/// The path of a way.
pub fn path(value: &Value, way: &[u32]) -> Path {
    let mut path = Path::default();
    let mut at = value;
    for index in way {
        let Some((_, segment, child)) = children(at).into_iter().nth(*index as usize) else { break };
        path.0.push(segment);
        at = child;
    }
    path
}

struct Walk<'a> {
    open: &'a HashSet<String>,
    search: &'a str,
    rows: Vec<Row>,
    hits: usize,
}

/// The rows of a value: its top level, and below it what is in `open`. With a search, only what fits and the way to it.
pub fn flatten(value: &Value, open: &HashSet<String>, search: &str) -> Vec<Row> {
    let search = search.trim().to_lowercase();
    let mut walk = Walk { open, search: &search, rows: Vec::new(), hits: 0 };
    let mut way = Vec::new();
    walk.level(value, &Path::default(), &mut way);
    walk.rows
}

impl Walk<'_> {
    /// Adds the children of `value`. Returns whether any was shown.
    fn level(&mut self, value: &Value, path: &Path, way: &mut Vec<u32>) -> bool {
        if way.len() >= MAX_DEPTH {
            return false;
        }
        let mut any = false;
        for (index, (label, segment, child)) in children(value).into_iter().enumerate() {
            if self.rows.len() >= MAX_ROWS || self.hits >= MAX_HITS {
                break;
            }
            let path = path.child(segment);
            let shown = path.to_string();
            way.push(index as u32);
            let count = child.len();
            let inner = count.is_some_and(|count| count > 0);
            let place = self.rows.len();
            let summary = child.summary(SUMMARY_CHARS);
            let hit = !self.search.is_empty()
                && (label.to_lowercase().contains(self.search) || (!inner && summary.to_lowercase().contains(self.search)));
            let opened = inner && self.open.contains(&shown);
            self.rows.push(Row {
                depth: (way.len() - 1) as u16,
                label,
                path: shown,
                way: way.clone(),
                kind: child.type_name().to_owned(),
                summary,
                children: count,
                open: opened,
                mark: fidelity::mark(child),
                hit,
            });
            let mut keep = self.search.is_empty() || hit;
            if hit {
                self.hits += 1;
            }
            if inner && (opened || !self.search.is_empty()) {
                let below = self.level(child, &path, way);
                if below && !self.search.is_empty() {
                    keep = true;
                    self.rows[place].open = true;
                }
            }
            way.pop();
            if keep {
                any = true;
            } else {
                self.rows.truncate(place);
            }
        }
        any
    }
}

#[cfg(test)]
mod tests {
    use inspector_model::parse_value;

    use super::*;

    fn labels(rows: &[Row]) -> Vec<String> {
        rows.iter().map(|row| format!("{}{}", "  ".repeat(row.depth as usize), row.label)).collect()
    }

    #[test]
    fn only_open_nodes_become_rows() {
        let value = parse_value(r#"{"cart":{"items":[{"id":1},{"id":2}],"total":3},"user":"alice"}"#).unwrap();
        assert_eq!(labels(&flatten(&value, &HashSet::new(), "")), ["cart", "user"]);
        let open = HashSet::from(["cart".to_owned(), "cart.items".to_owned()]);
        let rows = flatten(&value, &open, "");
        assert_eq!(labels(&rows), ["cart", "  items", "    0", "    1", "  total", "user"]);
        assert_eq!(rows[3].path, "cart.items[1]");
        assert_eq!(path(&value, &rows[3].way).to_string(), rows[3].path);
        assert_eq!(
            node(&value, &rows[3].way),
            value.get("cart").unwrap().get("items").map(|items| match items {
                Value::List(items) => &items[1],
                _ => unreachable!(),
            })
        );
    }

    #[test]
    fn a_search_opens_the_way_to_what_fits() {
        let value = parse_value(r#"{"cart":{"items":[{"name":"tea"},{"name":"milk"}]},"user":"alice"}"#).unwrap();
        assert_eq!(labels(&flatten(&value, &HashSet::new(), "milk")), ["cart", "  items", "    1", "      name"]);
        assert!(flatten(&value, &HashSet::new(), "nothing like it").is_empty());
    }

    #[test]
    fn dicts_with_other_keys_and_marks_are_shown() {
        let value =
            parse_value(r#"{"a":{"$t":"dict","v":[[1,"x"],[{"$t":"tuple","v":[1,2]},"y"]]},"b":{"$t":"redacted","of":"str"}}"#).unwrap();
        let rows = flatten(&value, &HashSet::from(["a".to_owned()]), "");
        assert_eq!(labels(&rows), ["a", "  1", "  (1, 2)", "b"]);
        assert_eq!(rows[3].mark.as_ref().map(|mark| mark.word), Some("redacted"));
    }

    #[test]
    fn deep_and_long_values_are_bounded() {
        let mut deep = Value::List(vec![]);
        for _ in 0..10_000 {
            deep = Value::List(vec![deep]);
        }
        let value = Value::Map(vec![("deep".to_owned(), deep)]);
        assert!(flatten(&value, &HashSet::new(), "nothing").is_empty());
        let long = Value::Map(vec![("long".to_owned(), Value::List(vec![Value::Null; 200_000]))]);
        assert!(flatten(&long, &HashSet::from(["long".to_owned()]), "").len() <= MAX_ROWS);
    }
}
