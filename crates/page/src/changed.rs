//! Finds the elements that a step's patches changed, while the live part is written.
//!
//! A patch names an element by its `dj-id`, or a node by a path of child indices from the live part's root. Indices count as
//! djust's client counts (`isSignificantChild`): every element; text that is not only white space, or exactly one space, or
//! directly inside `pre`, `code`, `textarea`, `script` or `style`; of the comments only those of `dj-if`. A text node
//! cannot be outlined, so its parent is.

use std::collections::HashMap;

use inspector_model::ChangedNode;

use crate::lists::{CHANGED_MARK, is_void};

/// Of a hostile recording, so much is looked for. A step changes a few nodes.
const MAX_CHANGED: usize = 10_000;
const MAX_DEPTH: usize = 512;

/// Where in the output an attribute can be put in: behind a start tag's name.
type Spot = usize;

/// What to look for, and what was found so far.
pub struct Marks<'a> {
    by_id: HashMap<&'a str, usize>,
    /// The tree of all paths; the first node is the root.
    paths: Vec<PathNode>,
    found: Vec<Found>,
    open: Vec<Open>,
    /// How many elements of a name are open, so that an end tag without a beginning costs nothing.
    open_names: HashMap<Box<str>, u32>,
}

#[derive(Default)]
struct PathNode {
    children: HashMap<u32, usize>,
    /// Which of the changed nodes it is.
    changed: Vec<usize>,
}

#[derive(Clone, Copy, Default)]
struct Found {
    by_id: Option<Spot>,
    by_path: Option<Spot>,
}

struct Open {
    name: Box<str>,
    children: u32,
    path: Option<usize>,
    /// Its own, or that of the element around it if it is not written.
    spot: Option<Spot>,
}

impl<'a> Marks<'a> {
    /// Begins at the root. `root` is where the root's own start tag can be marked, if it was written.
    pub fn new(changed: &'a [ChangedNode], root: Option<Spot>) -> Self {
        let changed = &changed[..changed.len().min(MAX_CHANGED)];
        let mut marks = Self {
            by_id: HashMap::new(),
            paths: vec![PathNode::default()],
            found: vec![Found::default(); changed.len()],
            open: Vec::new(),
            open_names: HashMap::new(),
        };
        for (which, node) in changed.iter().enumerate() {
            if let Some(id) = &node.dj_id {
                marks.by_id.entry(id).or_insert(which);
            }
            if node.path.len() > MAX_DEPTH {
                continue;
            }
            let mut at = 0;
            for index in &node.path {
                let new = marks.paths.len();
                at = *marks.paths[at].children.entry(*index).or_insert(new);
                if at == new {
                    marks.paths.push(PathNode::default());
                }
            }
            marks.paths[at].changed.push(which);
        }
        marks.open.push(Open { name: "".into(), children: 0, path: Some(0), spot: root });
        marks.note(Some(0), root);
        marks
    }

    /// A start tag. `spot` is `None` when it is not written.
    pub fn start(&mut self, name: &str, dj_id: Option<&str>, is_root: bool, closed: bool, spot: Option<Spot>) {
        if is_root && self.open.len() == 1 && self.open[0].children == 0 {
            // The live part came with its root: that is where paths begin.
            self.note(Some(0), spot);
            self.push(name, Some(0), spot);
            return;
        }
        self.close_implied(name);
        let parent = self.open.last().map_or("", |open| &*open.name);
        match (parent, name) {
            ("table", "tr") => self.enter("tbody", None),
            ("table", "td" | "th") => {
                self.enter("tbody", None);
                self.enter("tr", None);
            }
            ("tbody" | "thead" | "tfoot", "td" | "th") => self.enter("tr", None),
            _ => {}
        }
        if let (Some(which), Some(spot)) = (dj_id.and_then(|id| self.by_id.get(id)), spot) {
            self.found[*which].by_id.get_or_insert(spot);
        }
        if closed || is_void(name) {
            let path = self.next_child();
            self.note(path, spot);
        } else {
            self.enter(name, spot);
        }
    }

    /// An end tag.
    pub fn end(&mut self, name: &str) {
        if self.open_names.get(name).is_none_or(|count| *count == 0) {
            return;
        }
        while let Some(ended) = self.pop() {
            if &*ended == name {
                return;
            }
        }
    }

    /// All text up to the next tag or comment.
    pub fn text(&mut self, text: &str) {
        let Some(parent) = self.open.last() else { return };
        let preserves = matches!(&*parent.name, "pre" | "code" | "textarea" | "script" | "style");
        let counts = preserves || text == " " || text.contains(|next| !matches!(next, ' ' | '\t' | '\n' | '\r' | '\u{c}'));
        if counts && !text.is_empty() {
            let spot = parent.spot;
            let path = self.next_child();
            self.note(path, spot);
        }
    }

    /// A comment.
    pub fn comment(&mut self, text: &str) {
        let text = text.trim();
        if text.starts_with("dj-if") || text.starts_with("/dj-if") {
            self.next_child();
        }
    }

    /// Puts the marks into what was written.
    pub fn apply(self, out: &mut String) {
        let mut spots: Vec<Spot> = self.found.iter().filter_map(|found| found.by_id.or(found.by_path)).collect();
        spots.sort_unstable();
        spots.dedup();
        if spots.is_empty() {
            return;
        }
        let mut marked = String::with_capacity(out.len() + spots.len() * (CHANGED_MARK.len() + 4));
        let mut from = 0;
        for spot in spots {
            marked.push_str(&out[from..spot]);
            marked.push(' ');
            marked.push_str(CHANGED_MARK);
            marked.push_str("=\"\"");
            from = spot;
        }
        marked.push_str(&out[from..]);
        *out = marked;
    }

    fn enter(&mut self, name: &str, spot: Option<Spot>) {
        let path = self.next_child();
        let around = self.open.last().and_then(|open| open.spot);
        self.note(path, spot.or(around));
        self.push(name, path, spot.or(around));
    }

    fn push(&mut self, name: &str, path: Option<usize>, spot: Option<Spot>) {
        *self.open_names.entry(name.into()).or_insert(0) += 1;
        self.open.push(Open { name: name.into(), children: 0, path, spot });
    }

    fn pop(&mut self) -> Option<Box<str>> {
        if self.open.len() < 2 {
            return None;
        }
        let name = self.open.pop()?.name;
        if let Some(count) = self.open_names.get_mut(&name) {
            *count -= 1;
        }
        Some(name)
    }

    /// Counts a child of the innermost open element and says where in the tree of paths it is.
    fn next_child(&mut self) -> Option<usize> {
        let parent = self.open.last_mut()?;
        let index = parent.children;
        parent.children += 1;
        self.paths[parent.path?].children.get(&index).copied()
    }

    fn note(&mut self, path: Option<usize>, spot: Option<Spot>) {
        if let (Some(path), Some(spot)) = (path, spot) {
            for which in &self.paths[path].changed {
                self.found[*which].by_path.get_or_insert(spot);
            }
        }
    }

    /// Closes what `name` closes without an end tag.
    fn close_implied(&mut self, name: &str) {
        while let Some(open) = self.open.last() {
            let closes = match &*open.name {
                "p" => matches!(
                    name,
                    "address"
                        | "article"
                        | "aside"
                        | "blockquote"
                        | "center"
                        | "details"
                        | "dialog"
                        | "dir"
                        | "div"
                        | "dl"
                        | "fieldset"
                        | "figcaption"
                        | "figure"
                        | "footer"
                        | "form"
                        | "h1"
                        | "h2"
                        | "h3"
                        | "h4"
                        | "h5"
                        | "h6"
                        | "header"
                        | "hgroup"
                        | "hr"
                        | "main"
                        | "menu"
                        | "nav"
                        | "ol"
                        | "p"
                        | "pre"
                        | "search"
                        | "section"
                        | "table"
                        | "ul"
                        | "li"
                        | "dt"
                        | "dd"
                ),
                "li" => name == "li",
                "dt" | "dd" => matches!(name, "dt" | "dd"),
                "td" | "th" => matches!(name, "td" | "th" | "tr" | "tbody" | "thead" | "tfoot"),
                "tr" => matches!(name, "tr" | "tbody" | "thead" | "tfoot"),
                "tbody" | "thead" | "tfoot" => matches!(name, "tbody" | "thead" | "tfoot"),
                "option" => matches!(name, "option" | "optgroup"),
                "optgroup" => name == "optgroup",
                _ => false,
            };
            if !closes || self.pop().is_none() {
                return;
            }
        }
    }
}
