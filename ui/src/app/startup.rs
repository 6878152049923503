//! How the window starts, and what it remembers from one start to the next.

use inspector_model::{Ignore, Reply, Request, Scope, SourceId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::filters::Filters;
use super::layout::Layout;
use super::model::{Page, Tab};
use super::order::Sort;
use super::pinned::Pin;
use crate::panels::table::Column;

/// Dark, light, or what the system says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThemeChoice {
    /// As the desktop is.
    #[default]
    System,
    /// Dark.
    Dark,
    /// Light.
    Light,
}

/// How the window starts.
#[derive(Clone, Debug, Default)]
pub struct Startup {
    /// As it was left last time.
    pub memory: Memory,
    /// Sent at once, in order: usually one `Attach` or `OpenRecording`.
    pub requests: Vec<Request>,
}

/// All that the window keeps across restarts and reloads. Everything else is told anew by the engine.
///
/// Text that cannot be read (of another version, or damaged) is no error: that part begins anew.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    pub(crate) theme: ThemeChoice,
    /// Percent.
    pub(crate) text_size: Option<u16>,
    pub(crate) filter: String,
    pub(crate) filters: Filters,
    pub(crate) sort: Sort,
    /// Of the table, as chosen.
    pub(crate) columns: Option<Vec<Column>>,
    pub(crate) scope: Scope,
    pub(crate) page: Option<Page>,
    pub(crate) tab: Tab,
    /// Valid as long as the engine runs: for a reload of the page.
    pub(crate) source: Option<SourceId>,
    /// How the panes lie.
    pub(crate) layout: Layout,
    /// What is expected to differ between two runs.
    pub(crate) ignore: Ignore,
    /// Values that are followed from step to step.
    pub(crate) pins: Vec<Pin>,
    /// What closing the window does while something is recorded; `None`: it asks.
    pub(crate) on_close: Option<Reply>,
}

impl Memory {
    /// The host's storage keeps it under this name.
    pub const KEY: &'static str = "window";

    /// Nothing remembered but the theme.
    pub fn with_theme(theme: ThemeChoice) -> Self {
        Self { theme, ..Self::default() }
    }

    /// Reads what [`Memory::to_text`] wrote.
    pub fn from_text(text: &str) -> Self {
        let Ok(parts @ Value::Object(_)) = serde_json::from_str(text) else { return Self::default() };
        Self {
            theme: part(&parts, "theme"),
            text_size: part::<Option<u16>>(&parts, "text_size").filter(|percent| super::act::TEXT_SIZES.contains(percent)),
            filter: part(&parts, "filter"),
            filters: Filters { saved: list(&parts["filters"]["saved"]), recent: list(&parts["filters"]["recent"]) },
            sort: part(&parts, "sort"),
            columns: part(&parts, "columns"),
            scope: part(&parts, "scope"),
            page: part(&parts, "page"),
            tab: part(&parts, "tab"),
            source: part(&parts, "source"),
            layout: part::<Layout>(&parts, "layout").repaired(),
            ignore: part(&parts, "ignore"),
            pins: list(&parts["pins"]),
            on_close: part::<Option<Reply>>(&parts, "on_close").filter(|reply| *reply != Reply::No),
        }
    }

    /// One line of JSON.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// One part of the memory; what cannot be read is as if it had never been written.
fn part<T: Default + DeserializeOwned>(parts: &Value, name: &str) -> T {
    T::deserialize(&parts[name]).unwrap_or_default()
}

/// What people made one by one: one that cannot be read does not take the others with it.
fn list<T: DeserializeOwned>(values: &Value) -> Vec<T> {
    values.as_array().into_iter().flatten().filter_map(|value| T::deserialize(value).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::layout::{Pane, Part, Place};
    use super::*;
    use crate::app::filters::SavedFilter;
    use crate::app::order::SortBy;

    #[test]
    fn memory_survives_being_written() {
        let shown = [Pane::Steps, Pane::Find].into_iter().collect();
        let memory = Memory {
            theme: ThemeChoice::Light,
            text_size: Some(150),
            filter: "kind:event \"x\"".into(),
            filters: Filters { saved: vec![SavedFilter { name: "slow".into(), text: "ms>9".into() }], recent: vec!["pay".into()] },
            sort: Sort { by: SortBy::Ms, descending: true },
            columns: Some(vec![Column::Number, Column::What, Column::User]),
            scope: Scope::View("sess-1".into(), Some("player".into())),
            page: Some(Page::Rate),
            tab: Tab::Sql,
            source: Some(SourceId(7)),
            layout: Layout {
                place: Place::Row(Pane::ALL.map(|pane| Part { points: Some(301.0), place: Place::Pane(pane) }).into()),
                shown,
            },
            ignore: Ignore { paths: vec!["*.updated_at".into()], times_and_ids: true },
            on_close: Some(Reply::Keep),
            pins: vec![
                serde_json::from_str(r#"{"view": "shop.views.CartView", "path": [{"Key": "rows"}, {"Row": "7"}, {"Index": 3}]}"#).unwrap(),
            ],
        };
        assert_eq!(Memory::from_text(&memory.to_text()), memory);
    }

    #[test]
    fn one_damaged_filter_or_pin_does_not_take_the_others_with_it() {
        let text = r#"{"filters": {"saved": [{"name": "slow", "text": "ms>9"}, {"name": 7}, null, {"name": "mine", "text": "user:ann"}], "recent": ["pay", 3]},
            "pins": [{"view": 5}, {"view": "shop.views.CartView", "path": [{"Key": "rows"}]}]}"#;
        let memory = Memory::from_text(text);
        assert_eq!(memory.filters.saved.iter().map(|saved| saved.name.as_str()).collect::<Vec<_>>(), ["slow", "mine"]);
        assert_eq!(memory.filters.recent, ["pay"]);
        assert_eq!(memory.pins.len(), 1);
    }

    /// Whatever becomes of the bytes, the window opens, and what it then remembers it can read again.
    #[test]
    fn a_memory_damaged_anywhere_is_read_as_far_as_it_goes() {
        let saved = vec![SavedFilter { name: "slow".into(), text: "ms>9".into() }];
        let memory = Memory { filters: Filters { saved, recent: vec!["pay".into()] }, text_size: Some(150), ..Memory::default() };
        let whole = memory.to_text().into_bytes();
        for at in 0..whole.len() {
            for change in [0x01, 0x20, 0x80] {
                let mut bytes = whole.clone();
                bytes[at] ^= change;
                for text in [String::from_utf8_lossy(&bytes), String::from_utf8_lossy(&bytes[..at])] {
                    let read = Memory::from_text(&text);
                    assert_eq!(Memory::from_text(&read.to_text()), read, "{text}");
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_read_begins_anew_and_the_rest_stays() {
        for text in ["", "null", "[]", "{", "{\"theme\": 7}", "{\"layout\": {\"place\": {\"row\": 7}}}", "{\"text_size\": 7}"] {
            assert_eq!(Memory::from_text(text), Memory::default(), "{text}");
        }
        let text = r#"{"theme": "dark", "tab": "no_such_tab", "page": {"a": 1}, "later": [1], "text_size": 110,
            "layout": {"place": {"row": [{"points": -1e30, "place": {"pane": "steps"}}, {"place": {"pane": "steps"}}]}, "shown": ["steps"]}}"#;
        let memory = Memory::from_text(text);
        assert_eq!((memory.theme, memory.text_size), (ThemeChoice::Dark, Some(110)));
        assert_eq!(memory.layout, memory.layout.clone().repaired(), "a layout that lacks panes has them");
    }
}
