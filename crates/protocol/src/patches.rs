//! What djust's patches changed in a page: the only place that knows their names.
//!
//! A path holds child indices from the live part's root element, counted as djust counts them: elements, comments of
//! `{% if %}` and text that is more than blank. It holds in the page *after* the patches, but for what was removed, where
//! the parent is named; ids (`dj-id`) are the surer way to a node.

use std::collections::HashSet;

use inspector_model::ChangedNode;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Nodes that are told of one frame: a page with more has changed as a whole.
const MAX_CHANGED: usize = 2_000;
/// Steps of a path; deeper ones are left out, with their patch.
const MAX_DEPTH: usize = 256;

/// The nodes that the patches in an outgoing frame changed, each once, in the order of the patches.
///
/// Total: a frame that is no patch of the page's own view, or cannot be read, changed nothing that could be named.
pub fn changed_nodes(text: &str) -> Vec<ChangedNode> {
    let Ok(frame) = serde_json::from_str::<FrameWire>(text) else { return Vec::new() };
    // Patches of a child view count from that one's root, and its ids are its own.
    if frame.kind.as_deref() != Some("patch") || frame.view_id.is_some() {
        return Vec::new();
    }
    let mut seen = HashSet::new();
    let patches = frame.patches.iter().filter_map(|raw| serde_json::from_str::<PatchWire>(raw.get()).ok());
    patches.filter_map(PatchWire::changed).filter(|node| seen.insert(node.clone())).take(MAX_CHANGED).collect()
}

#[derive(Deserialize)]
struct FrameWire<'a> {
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    view_id: Option<&'a RawValue>,
    /// Each is read by itself: one that is odd does not hide the others.
    #[serde(default, borrow)]
    patches: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct PatchWire {
    #[serde(rename = "type")]
    kind: String,
    path: Vec<u32>,
    /// The id of the node at `path`.
    #[serde(default)]
    d: Option<String>,
    /// Where a child goes.
    #[serde(default)]
    index: Option<u32>,
    /// Where a moved child goes.
    #[serde(default)]
    to: Option<u32>,
    /// The id of a moved or removed child.
    #[serde(default)]
    child_d: Option<String>,
    #[serde(default)]
    node: Option<NodeWire>,
}

#[derive(Deserialize)]
struct NodeWire {
    #[serde(default)]
    djust_id: Option<String>,
}

impl PatchWire {
    fn changed(self) -> Option<ChangedNode> {
        let Self { kind, mut path, d, index, to, child_d, node } = self;
        if path.len() >= MAX_DEPTH {
            return None;
        }
        let made = node.and_then(|node| node.djust_id);
        match kind.as_str() {
            "InsertChild" | "InsertSubtree" => {
                path.push(index?);
                Some(ChangedNode { path, dj_id: made })
            }
            "MoveChild" => {
                path.push(to?);
                Some(ChangedNode { path, dj_id: child_d })
            }
            "MoveSubtree" => {
                path.push(index?);
                Some(ChangedNode { path, dj_id: None })
            }
            // The node that is there now has the new one's id.
            "Replace" => Some(ChangedNode { path, dj_id: made.or(d) }),
            // The parent of what is gone, the list whose rows are not in the page, or the node itself.
            _ => Some(ChangedNode { path, dj_id: d }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(patches: &str) -> Vec<(Vec<u32>, Option<String>)> {
        changed_nodes(&format!(r#"{{"type":"patch","version":2,"patches":[{patches}]}}"#))
            .into_iter()
            .map(|node| (node.path, node.dj_id))
            .collect()
    }

    #[test]
    fn each_sort_of_patch_names_the_node_that_is_there_afterwards() {
        let id = |id: &str| Some(id.to_owned());
        let table = [
            (r#"{"type":"SetText","path":[0,0,2],"text":"1"}"#, vec![0, 0, 2], None),
            (r#"{"type":"SetAttr","path":[0,1],"d":"6","key":"class","value":"on"}"#, vec![0, 1], id("6")),
            (r#"{"type":"RemoveAttr","path":[],"d":"0","key":"class"}"#, vec![], id("0")),
            (r#"{"type":"Replace","path":[4],"d":"6","node":{"tag":"p","djust_id":"9"}}"#, vec![4], id("9")),
            (r#"{"type":"InsertChild","path":[0,3],"d":"b","index":4,"node":{"tag":"tr","djust_id":"23"}}"#, vec![0, 3, 4], id("23")),
            (r##"{"type":"InsertChild","path":[0],"d":"b","index":0,"node":{"tag":"#text","text":"x"}}"##, vec![0, 0], None),
            (r#"{"type":"RemoveChild","path":[0,3],"d":"b","index":6,"child_d":"c"}"#, vec![0, 3], id("b")),
            (r#"{"type":"MoveChild","path":[0,3],"d":"b","from":7,"to":0,"child_d":"3U"}"#, vec![0, 3, 0], id("3U")),
            (r#"{"type":"VirtualUpdate","path":[2],"d":"v","key":"k","patches":[]}"#, vec![2], id("v")),
        ];
        for (patch, path, dj_id) in table {
            assert_eq!(changed(patch), [(path, dj_id)], "{patch}");
        }
    }

    #[test]
    fn one_odd_patch_hides_no_other_and_nothing_is_told_twice() {
        let good = r#"{"type":"SetText","path":[1],"text":"a"}"#;
        let odd = r#"{"type":"InsertChild","path":[0]},{"type":"RemoveSubtree","id":"if-1"},{"path":[-1],"type":"SetText"},7,{"type":"SetText","path":"0"}"#;
        assert_eq!(changed(&format!("{odd},{good},{good}")), [(vec![1], None)]);
    }

    #[test]
    fn other_frames_change_nothing() {
        let patches = r#""patches":[{"type":"SetText","path":[1],"text":"a"}]"#;
        for frame in [
            format!(r#"{{"type":"patch","view_id":"player",{patches}}}"#),
            format!(r#"{{"type":"embedded_update",{patches}}}"#),
            format!("{{{patches}}}"),
            r#"{"type":"patch","patches":null}"#.into(),
            r#"{"type":"patch"}"#.into(),
            r#"{"type":"patch","patches":[{"type":"SetText","path":[1],"text":"cut of"#.into(),
            "[]".into(),
            String::new(),
        ] {
            assert_eq!(changed_nodes(&frame), [], "{frame}");
        }
    }

    #[test]
    fn what_a_frame_tells_is_bounded() {
        let many: Vec<String> = (0..MAX_CHANGED + 50).map(|n| format!(r#"{{"type":"SetText","path":[{n}]}}"#)).collect();
        assert_eq!(changed(&many.join(",")).len(), MAX_CHANGED);
        let deep = vec!["0"; MAX_DEPTH].join(",");
        assert_eq!(changed(&format!(r#"{{"type":"SetText","path":[{deep}]}}"#)), []);
    }
}
