//! The window's widgets as data, for whoever drives the page: tests, and drivers of browsers.
//!
//! Costs nothing until it is asked for: the first [`AccessibleTree::take`] turns the making of trees on.

use std::collections::HashMap;

use egui::accesskit::{Node, NodeId, Role, Toggled, TreeUpdate};
use egui::{Context, FullOutput, Plugin};
use serde::Serialize;

/// Keeps the tree of the last frame.
#[derive(Default)]
pub struct AccessibleTree {
    frame: u64,
    latest: Option<TreeUpdate>,
}

#[derive(Serialize)]
struct Tree<'a> {
    /// Grows by one with each frame.
    frame: u64,
    root: Widget<'a>,
}

/// A widget, as WAI-ARIA knows it.
#[derive(Serialize)]
struct Widget<'a> {
    id: String,
    role: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
    /// x, y, width, height in CSS pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    bounds: Option<[f64; 4]>,
    disabled: bool,
    focused: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    selected: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    toggled: Option<bool>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    children: Vec<Self>,
}

impl Plugin for AccessibleTree {
    fn debug_name(&self) -> &'static str {
        "accessible tree"
    }

    fn output_hook(&mut self, _ctx: &Context, output: &mut FullOutput) {
        self.frame += 1;
        if let Some(update) = &output.platform_output.accesskit_update {
            self.latest = Some(update.clone());
        }
    }
}

impl AccessibleTree {
    /// JSON of the tree of the last frame, and asks for a new frame. `None` until a frame was drawn after the first call.
    pub fn take(ctx: &Context) -> Option<String> {
        ctx.enable_accesskit();
        ctx.request_repaint();
        let plugin = ctx.plugin_opt::<Self>()?;
        let plugin = plugin.lock();
        to_json(plugin.latest.as_ref()?, plugin.frame, f64::from(ctx.zoom_factor()))
    }
}

fn to_json(update: &TreeUpdate, frame: u64, zoom: f64) -> Option<String> {
    let nodes: HashMap<NodeId, &Node> = update.nodes.iter().map(|(id, node)| (*id, node)).collect();
    let root = update.tree.as_ref()?.root;
    let reader = Reader { nodes, focus: update.focus, zoom };
    let root = reader.widget(root, 0)?;
    serde_json::to_string(&Tree { frame, root }).ok()
}

struct Reader<'a> {
    nodes: HashMap<NodeId, &'a Node>,
    focus: NodeId,
    zoom: f64,
}

impl<'a> Reader<'a> {
    /// Deeper than any window is nested: the tree is drawn by us, but a loop in it must not end the page.
    const MAX_DEPTH: usize = 200;

    fn widget(&self, id: NodeId, depth: usize) -> Option<Widget<'a>> {
        let node = *self.nodes.get(&id)?;
        let children = if depth < Self::MAX_DEPTH {
            node.children().iter().filter_map(|child| self.widget(*child, depth + 1)).collect()
        } else {
            Vec::new()
        };
        Some(Widget {
            id: id.0.to_string(),
            role: format!("{:?}", node.role()),
            label: self.label(node),
            value: node.value(),
            bounds: node.bounds().map(|rect| [rect.x0, rect.y0, rect.x1 - rect.x0, rect.y1 - rect.y0].map(|points| points * self.zoom)),
            disabled: node.is_disabled(),
            focused: id == self.focus,
            selected: node.is_selected(),
            toggled: node.toggled().map(|toggled| toggled == Toggled::True),
            children,
        })
    }

    /// What a screen reader would call it: a text is its own name.
    fn label(&self, node: &Node) -> Option<String> {
        if node.role() == Role::Label {
            return node.value().map(str::to_owned);
        }
        if let Some(label) = node.label() {
            return Some(label.to_owned());
        }
        let names: Vec<&str> = node.labelled_by().iter().filter_map(|id| self.nodes.get(id)?.value()).collect();
        (!names.is_empty()).then(|| names.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all<'a>(widget: &'a serde_json::Value, into: &mut Vec<&'a serde_json::Value>) {
        into.push(widget);
        widget["children"].as_array().into_iter().flatten().for_each(|child| all(child, into));
    }

    #[test]
    fn widgets_are_told_with_their_names_places_and_states() {
        let ctx = Context::default();
        ctx.add_plugin(AccessibleTree::default());
        assert_eq!(AccessibleTree::take(&ctx), None, "nothing was drawn yet");
        let mut on = true;
        for _ in 0..2 {
            let mut drawn = ctx.run_ui(egui::RawInput::default(), |ui| {
                ui.label("Some words");
                ui.add_enabled(false, egui::Button::new("Press"));
                ui.checkbox(&mut on, "Check");
            });
            drawn.textures_delta.clear();
        }
        let text = AccessibleTree::take(&ctx).unwrap();
        let tree: serde_json::Value = serde_json::from_str(&text).unwrap();
        let mut widgets = Vec::new();
        all(&tree["root"], &mut widgets);
        let find = |label: &str| *widgets.iter().find(|widget| widget["label"] == label).unwrap_or_else(|| panic!("{label}: {text}"));
        assert_eq!(find("Some words")["role"], "Label");
        assert_eq!(find("Press")["disabled"], true);
        assert_eq!(find("Check")["toggled"], true);
        assert!(find("Check")["bounds"][2].as_f64().unwrap() > 10.0);
        assert!(tree["frame"].as_u64().unwrap() >= 2);
    }
}
