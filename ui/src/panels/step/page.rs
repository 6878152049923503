//! The page as it was: its HTML as text, and the way to see it.

use egui::{RichText, Ui};
use inspector_model::Step;

use super::html_lines::{self, Line};
use super::{pulled, side_switch};
use crate::app::action::{Action, Cx};
use crate::app::model::SideKey;
use crate::commands::UiCommand;
use crate::format;
use crate::theme::{self, Tokens};
use crate::widgets::long_list::LongList;
use crate::widgets::{parts, rich};

/// Height of a line, points.
const LINE: f32 = 17.0;

/// What the tab remembers.
#[derive(Default)]
pub struct PageTab {
    /// The page that the lines are of.
    of: Option<SideKey>,
    lines: Vec<Line>,
    list: LongList,
}

/// Draws the tab.
pub fn ui(state: &mut PageTab, cx: &mut Cx<'_>, ui: &mut Ui, step: &Step) {
    let model = cx.model;
    let t = cx.t;
    ui.horizontal(|ui| {
        side_switch(cx, ui);
        let html = model.pulled.html.current().and_then(Option::as_ref);
        let show = parts::command_button(cx, ui, UiCommand::ShowPage);
        if let Some(place) = &model.desktop.shows_pages {
            show.on_hover_text(format!("It opens in {place}"));
        }
        parts::command_button(cx, ui, UiCommand::ComparePage);
        if html.is_some() && ui.button("Copy HTML").clicked() {
            cx.push(Action::Copy(html.cloned().unwrap_or_default(), "the HTML"));
        }
    });
    ui.add_space(6.0);
    pulled(ui, &model.pulled.html, |ui, key, html| {
        let Some(html) = html else {
            parts::empty(
                ui,
                "No page recorded",
                "No render of this view was seen at or before this step. Pages are recorded from the moment of attaching",
            );
            return;
        };
        let words = format!(
            "{} of HTML{}",
            format::bytes(html.len() as u64),
            if step.rendered { ", rendered by this step" } else { ", from an earlier render" }
        );
        ui.label(RichText::new(words).size(12.0).color(t.muted));
        if state.of != Some(*key) {
            (state.of, state.lines) = (Some(*key), html_lines::lines(html));
        }
        state.list.ui(ui, state.lines.len(), LINE, |ui, rect, nth| {
            let line = &state.lines[nth];
            let text = rich::one_line(&format::clip(&line.text, 600));
            let mut job = rich::line_job();
            tags(&mut job, t, &text);
            parts::placed_line(ui, rect, 2.0 + line.depth.min(40) as f32 * 12.0, &text, ("line", nth), job);
        });
    });
}

/// Tags in another colour than what stands between them.
fn tags(job: &mut egui::text::LayoutJob, t: &Tokens, text: &str) {
    let mut rest = text;
    while let Some(begin) = rest.find('<') {
        let end = rest[begin..].find('>').map_or(rest.len(), |end| begin + end + 1);
        rich::push(job, &rest[..begin], theme::mono(), t.strong);
        rich::push(job, &rest[begin..end], theme::mono(), t.muted);
        rest = &rest[end..];
    }
    rich::push(job, rest, theme::mono(), t.strong);
}
