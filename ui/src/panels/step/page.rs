//! The page as it was: its HTML as text, and the way to see it.

use egui::{RichText, ScrollArea, Ui};
use inspector_model::Step;

use super::{pulled, side_switch};
use crate::app::action::{Action, Cx};
use crate::commands::UiCommand;
use crate::format;
use crate::theme;
use crate::widgets::{parts, rich};

/// Lines of HTML that are looked at; the browser shows the rest.
const MAX_LINES: usize = 5_000;

/// Draws the tab.
pub fn ui(cx: &mut Cx<'_>, ui: &mut Ui, step: &Step) {
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
    pulled(ui, &model.pulled.html, |ui, _, html| {
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
        let lines: Vec<&str> = html.lines().take(MAX_LINES).collect();
        ScrollArea::vertical().id_salt("html").auto_shrink(false).show_rows(ui, 17.0, lines.len(), |ui, range| {
            ui.spacing_mut().item_spacing.y = 0.0;
            for line in &lines[range] {
                let mut job = rich::line_job();
                rich::push(&mut job, &rich::one_line(&format::clip(line, 400)), theme::mono(), t.text);
                parts::exact_line(ui, 17.0, line, job);
            }
        });
    });
}
