//! What was sent to the browser to change the page: the patches inside the outgoing frames.

use egui::{RichText, ScrollArea, Ui};
use inspector_model::StepDetail;
use serde_json::Value as Json;

use crate::format;
use crate::theme;
use crate::widgets::{parts, rich};

/// One patch, readable.
#[derive(Debug, PartialEq)]
struct Patch {
    kind: String,
    place: String,
    rest: String,
    raw: String,
}

/// The patches of outgoing frames. djust sends them as an array, in older versions as text with one in it.
fn extract(detail: &StepDetail) -> Vec<Patch> {
    let mut patches = Vec::new();
    for frame in detail.frames.iter().filter(|frame| frame.dir == "out") {
        let Ok(Json::Object(message)) = serde_json::from_str::<Json>(&frame.text) else { continue };
        let list = match message.get("patches") {
            Some(Json::Array(list)) => list.clone(),
            Some(Json::String(text)) => serde_json::from_str(text).unwrap_or_default(),
            _ => continue,
        };
        patches.extend(list.iter().map(read));
    }
    patches
}

/// How many patches a step sent.
pub fn count(detail: &StepDetail) -> usize {
    extract(detail).len()
}

fn read(patch: &Json) -> Patch {
    let raw = patch.to_string();
    let Json::Object(fields) = patch else { return Patch { kind: "?".into(), place: String::new(), rest: raw.clone(), raw } };
    let word = |json: &Json| json.as_str().map_or_else(|| json.to_string(), str::to_owned);
    let kind = fields.get("type").or_else(|| fields.get("op")).map_or_else(|| "?".to_owned(), word);
    let path = fields.get("path").map(|path| match path {
        Json::Array(parts) => parts.iter().map(ToString::to_string).collect::<Vec<_>>().join("/"),
        other => word(other),
    });
    let id = fields.get("d").or_else(|| fields.get("id")).filter(|id| !id.is_null()).map(word);
    let place = [path.map(|path| format!("/{path}")), id.map(|id| format!("#{id}"))].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let rest: Vec<String> = fields
        .iter()
        .filter(|(key, value)| !matches!(key.as_str(), "type" | "op" | "path" | "d" | "id") && !value.is_null())
        .map(|(key, value)| format!("{key} {}", value.as_str().map_or_else(|| value.to_string(), |text| format!("“{text}”"))))
        .collect();
    Patch { kind, place, rest: rest.join("  "), raw }
}

/// Draws the tab.
pub fn ui(ui: &mut Ui, detail: &StepDetail) {
    let t = theme::tokens(ui);
    let patches = extract(detail);
    if patches.is_empty() {
        let hint = if detail.frames.is_empty() {
            "No frames were recorded for this step"
        } else {
            "The frames of this step carry no patches: nothing in the page had to change, or the whole page was sent"
        };
        parts::empty(ui, "No patches", hint);
        return;
    }
    ui.label(RichText::new(format::plural(patches.len() as u64, "patch", "patches")).size(12.0).color(t.muted));
    ScrollArea::vertical().id_salt("patches").auto_shrink(false).show_rows(ui, theme::VALUE_ROW, patches.len(), |ui, range| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for patch in &patches[range] {
            let (sign, ink) = match patch.kind.to_lowercase() {
                kind if kind.contains("insert") || kind.contains("append") || kind.contains("add") => ("+", t.added),
                kind if kind.contains("remove") || kind.contains("delete") => ("−", t.removed),
                kind if kind.contains("move") || kind.contains("reorder") => ("⇅", t.moved),
                _ => ("~", t.changed),
            };
            let mut job = rich::line_job();
            rich::push(&mut job, &format!("{sign} "), theme::mono(), ink);
            rich::push(&mut job, &format!("{}  ", patch.kind), theme::mono(), t.strong);
            rich::push(&mut job, &format!("{}  ", patch.place), theme::mono(), t.muted);
            rich::push(&mut job, &rich::one_line(&format::clip(&patch.rest, 300)), theme::mono(), t.text);
            parts::exact_line(ui, theme::VALUE_ROW, &patch.kind, job).on_hover_text(format::clip(&patch.raw, 1200));
        }
    });
}

#[cfg(test)]
mod tests {
    use inspector_model::Frame;

    use super::*;

    #[test]
    fn patches_are_read_from_arrays_and_from_text() {
        let out = |text: &str| Frame { dir: "out".into(), text: text.into(), ..Frame::default() };
        let detail = StepDetail {
            frames: vec![
                out(r#"{"type":"patch","patches":[{"type":"SetText","path":[0,1],"d":"a1","text":"4"}]}"#),
                out(r#"{"type":"patch","patches":"[{\"type\":\"RemoveChild\",\"path\":[2],\"index\":0}]"}"#),
                out("no json"),
                Frame { dir: "in".into(), text: r#"{"patches":[{}]}"#.into(), ..Frame::default() },
            ],
            ..StepDetail::default()
        };
        let patches = extract(&detail);
        assert_eq!(patches.len(), 2);
        assert_eq!((patches[0].kind.as_str(), patches[0].place.as_str(), patches[0].rest.as_str()), ("SetText", "/0/1 #a1", "text “4”"));
        assert_eq!(patches[1].rest, "index 0");
    }
}
