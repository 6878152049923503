//! Buttons, chips, cards, empty states, meters.

use egui::{
    Button, Color32, Context, Frame, Id, Key, Margin, Modal, ModalResponse, ModifierNames, Response, RichText, Role, Sense, Stroke, Ui,
    Vec2, WidgetInfo, WidgetText, vec2,
};
use inspector_model::{Bucket, Level};

use super::icons::{self, Icon};
use crate::app::action::{Action, Cx};
use crate::commands::UiCommand;
use crate::format;
use crate::theme::{self, Tokens};

/// The tooltip of a command: what it does, and its key.
pub fn command_tip(ui: &Ui, command: UiCommand) -> String {
    match key_words(ui.ctx(), command) {
        Some(keys) => format!("{}   {keys}", command.tooltip()),
        None => command.tooltip().to_owned(),
    }
}

/// The key of a command as it is written on a keyboard: `Ctrl+K`, `→`, `[`.
pub fn key_words(ctx: &Context, command: UiCommand) -> Option<String> {
    let shortcut = command.shortcut()?;
    let is_mac = ctx.os().is_mac();
    let names = if is_mac { ModifierNames::SYMBOLS } else { ModifierNames::NAMES };
    let key = match shortcut.logical_key {
        Key::ArrowLeft => "←",
        Key::ArrowRight => "→",
        Key::ArrowUp => "↑",
        Key::ArrowDown => "↓",
        key => key.symbol_or_name(),
    };
    let modifiers = names.format(&shortcut.modifiers, is_mac);
    let between = if modifiers.is_empty() { "" } else { names.concat };
    Some(format!("{modifiers}{between}{key}"))
}

/// A text button for a command; disabled it says why.
pub fn command_button(cx: &mut Cx<'_>, ui: &mut Ui, command: UiCommand) -> Response {
    let enabled = command.enabled(cx.model);
    let tip = command_tip(ui, command);
    let mut response = ui.add_enabled(enabled.is_ok(), Button::new(command.text())).on_hover_text(tip);
    if let Err(why) = enabled {
        response = response.on_disabled_hover_text(why);
    }
    if response.clicked() {
        cx.run(command);
    }
    response
}

/// An icon button for a command.
pub fn command_icon(cx: &mut Cx<'_>, ui: &mut Ui, command: UiCommand, icon: Icon, on: bool) -> Response {
    let enabled = command.enabled(cx.model);
    let tip = match &enabled {
        Ok(()) => format!("{} — {}", command.text(), command_tip(ui, command)),
        Err(why) => format!("{}: {why}", command.text()),
    };
    let response = icons::toggle(ui, icon, command.text(), enabled.is_ok(), on).on_hover_text(tip);
    if response.clicked() {
        cx.run(command);
    }
    response
}

/// The one thing to do on a page.
pub fn primary(ui: &mut Ui, text: &str) -> Response {
    let t = theme::tokens(ui);
    ui.add(Button::new(RichText::new(text).color(t.on_accent)).fill(t.accent).stroke(Stroke::NONE))
}

/// A word on a tinted ground.
pub fn chip(ui: &mut Ui, text: &str, ink: Color32, ground: Color32) -> Response {
    let galley = ui.painter().layout_no_wrap(text.to_owned(), theme::text(11.5), ink);
    let size = galley.size() + vec2(10.0, 3.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    ui.painter().rect_filled(rect, 4.0, ground);
    ui.painter().galley(rect.center() - galley.size() * 0.5, galley, ink);
    response
}

/// A heading of a section: small, muted.
pub fn section(ui: &mut Ui, text: &str) {
    let t = theme::tokens(ui);
    ui.label(RichText::new(text).size(12.0).color(t.muted));
}

/// A dialog over the window. It stands in its middle, where its size of the last frame puts it: a new size needs one more frame, or
/// its buttons would move when they are pressed.
pub fn dialog<R>(ctx: &Context, id: Id, frame: Option<Frame>, add: impl FnOnce(&mut Ui) -> R) -> ModalResponse<R> {
    let size = || ctx.memory(|memory| memory.area_rect(id)).map(|rect| rect.size());
    let before = size();
    let mut modal = Modal::new(id);
    if let Some(frame) = frame {
        modal = modal.frame(frame);
    }
    let response = modal.show(ctx, add);
    if size() != before {
        ctx.request_repaint();
    }
    response
}

/// A card.
pub fn card<R>(ui: &mut Ui, add: impl FnOnce(&mut Ui) -> R) -> R {
    let t = theme::tokens(ui);
    Frame::new()
        .fill(t.ground)
        .stroke(Stroke::new(1.0, t.line))
        .corner_radius(7)
        .inner_margin(Margin::same(12))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            add(ui)
        })
        .inner
}

/// The sign of a level and its word.
pub const fn level_words(level: Level) -> (Icon, &'static str) {
    match level {
        Level::Info => (Icon::Info, "Note"),
        Level::Warning => (Icon::Warning, "Warning"),
        Level::Error => (Icon::Cross, "Error"),
    }
}

/// The sign of a level, beside a message's first line.
pub fn level(ui: &mut Ui, level: Level) {
    let (ink, _) = theme::tokens(ui).level(level);
    let (icon, word) = level_words(level);
    icons::show(ui, icon, 14.0, ink).on_hover_text(word);
}

/// A message in the flow, with its sign.
pub fn note(ui: &mut Ui, level: Level, text: &str) {
    let t = theme::tokens(ui);
    let (ink, ground) = t.level(level);
    Frame::new().fill(ground).corner_radius(5).inner_margin(Margin::symmetric(8, 5)).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal_top(|ui| {
            let (rect, _) = ui.allocate_exact_size(Vec2::new(14.0, 18.0), Sense::hover());
            icons::paint(
                ui.painter(),
                egui::Rect::from_center_size(rect.center(), Vec2::splat(14.0)),
                if level == Level::Info { Icon::Info } else { Icon::Warning },
                ink,
            );
            ui.add(egui::Label::new(RichText::new(text).color(t.text)).wrap().selectable(true));
        });
    });
}

/// Why there is nothing, and what to do.
pub fn empty(ui: &mut Ui, title: &str, hint: &str) {
    let t = theme::tokens(ui);
    ui.add_space((ui.available_height() * 0.22).clamp(12.0, 120.0));
    ui.vertical_centered(|ui| {
        ui.set_max_width(380.0);
        ui.label(RichText::new(title).size(14.5).color(t.text));
        ui.add_space(2.0);
        ui.add(egui::Label::new(RichText::new(hint).color(t.muted)).wrap());
    });
}

/// A line to paste, with a button that copies it.
pub fn paste_line(cx: &mut Cx<'_>, ui: &mut Ui, line: &str) {
    let t = cx.t;
    Frame::new().fill(t.raised).corner_radius(5).inner_margin(Margin::symmetric(10, 5)).show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.add(egui::Label::new(RichText::new(line).monospace().color(t.strong)).selectable(true));
            if icons::button(ui, Icon::Copy, "Copy the line", true).on_hover_text("Copy the line").clicked() {
                cx.push(Action::Copy(line.to_owned(), "the line"));
            }
        });
    });
}

/// A level between 0 and 1 with its words inside the accessible name.
pub fn meter(ui: &mut Ui, part: f32, width: f32, color: Color32, name: &str) -> Response {
    let t = theme::tokens(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(width, 8.0), Sense::hover());
    response.widget_info(|| WidgetInfo { value: Some(f64::from(part)), ..WidgetInfo::labeled(Role::Meter, true, name) });
    ui.painter().rect_filled(rect, 4.0, t.line);
    let mut filled = rect;
    filled.set_width(rect.width() * part.clamp(0.0, 1.0));
    ui.painter().rect_filled(filled, 4.0, color);
    response.on_hover_text(name)
}

/// How full a bucket of the rate limit is: the colour warns before it is empty.
pub fn bucket_meter(ui: &mut Ui, bucket: Bucket, width: f32, name: &str) -> Response {
    let t = theme::tokens(ui);
    let level = if bucket.burst > 0.0 { bucket.tokens / bucket.burst } else { 0.0 };
    meter(ui, level as f32, width, left_color(t, level, t.added), name)
}

/// The colour of what is left of something, from 0 to 1: it warns before there is nothing.
pub const fn left_color(t: &Tokens, left: f64, enough: Color32) -> Color32 {
    if left < 0.2 {
        t.removed
    } else if left < 0.5 {
        t.changed
    } else {
        enough
    }
}

/// The title of a section of a view, and how many things are in it.
pub fn heading(t: &Tokens, ui: &mut Ui, title: &str, number: usize) -> Response {
    ui.add_space(14.0);
    let row = ui.horizontal(|ui| {
        ui.label(RichText::new(title).size(14.5).color(t.strong));
        ui.label(RichText::new(format::count(number as u64)).size(12.0).color(t.muted));
    });
    ui.add_space(2.0);
    row.response
}

/// A label of one line that ends in an ellipsis when there is no room.
pub fn line_label(ui: &mut Ui, text: impl Into<WidgetText>) -> Response {
    ui.add(egui::Label::new(text).truncate())
}

/// A row of a list that can be selected, as wide as there is room. Returns its rectangle to paint into.
pub fn list_row(ui: &mut Ui, height: f32, selected: bool, label: &str) -> (egui::Rect, Response) {
    let t = theme::tokens(ui);
    let (rect, response) = ui.allocate_exact_size(Vec2::new(ui.available_width(), height), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::ListItem, true, selected, label));
    row_ground(ui, t, rect, selected, response.hovered(), response.has_focus());
    (rect, response)
}

/// A line of a list whose rows are placed by the list, for instance by a [`super::long_list::LongList`].
pub fn list_line(
    ui: &mut Ui,
    rect: egui::Rect,
    id: impl egui::AsIdSalt,
    selected: bool,
    label: &str,
    job: egui::text::LayoutJob,
) -> Response {
    let t = theme::tokens(ui);
    let response = ui.interact(rect, ui.scope_id().with(id), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::ListItem, true, selected, label));
    row_ground(ui, t, rect, selected, response.hovered(), response.has_focus());
    paint_line(ui, rect, 8.0, job);
    response
}

/// A line of text in a list whose rows are placed by the list.
pub fn placed_line(ui: &Ui, rect: egui::Rect, indent: f32, text: &str, id: impl egui::AsIdSalt, job: egui::text::LayoutJob) {
    let response = ui.interact(rect, ui.scope_id().with(id), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    paint_line(ui, rect, indent, job);
}

/// The menu of a row: by the right button anywhere on it, and by a button at its right end, which the keyboard reaches too.
pub fn row_menu(ui: &mut Ui, rect: egui::Rect, row: &Response, name: &str, mut add: impl FnMut(&mut Ui)) {
    row.context_menu(&mut add);
    let place = egui::Rect::from_center_size(egui::pos2(rect.right() - 12.0, rect.center().y), vec2(22.0, rect.height() - 2.0));
    let button = ui.interact(place, row.id.with("menu"), Sense::click());
    button.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Menu of {name}")));
    let open = egui::Popup::menu(&button).show(&mut add).is_some();
    if open || row.hovered() || button.hovered() || button.has_focus() {
        let t = theme::tokens(ui);
        ui.painter().rect_filled(place, theme::CORNER, if button.hovered() || open { t.raised } else { t.hover });
        icons::paint(ui.painter(), egui::Rect::from_center_size(place.center(), Vec2::splat(14.0)), Icon::More, t.text);
    }
    if button.has_focus() {
        let t = theme::tokens(ui);
        ui.painter().rect_stroke(place, theme::CORNER, Stroke::new(1.0, t.accent), egui::StrokeKind::Inside);
    }
}

/// Paints one line of text into a row, cut at its right end.
pub fn paint_line(ui: &Ui, rect: egui::Rect, indent: f32, mut job: egui::text::LayoutJob) {
    job.wrap.max_width = (rect.width() - indent - 4.0).max(10.0);
    let galley = ui.painter().layout_job(job);
    let at = egui::pos2(rect.left() + indent, rect.center().y - galley.size().y * 0.5);
    ui.painter_at(rect).galley(at, galley, ui.visuals().text_color());
}

/// A line of exactly this height, as virtual lists need it.
pub fn exact_line(ui: &mut Ui, height: f32, text: &str, job: egui::text::LayoutJob) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    paint_line(ui, rect, 0.0, job);
    response
}

/// The ground of a row.
pub fn row_ground(ui: &Ui, t: &Tokens, rect: egui::Rect, selected: bool, hovered: bool, focused: bool) {
    if selected {
        ui.painter().rect_filled(rect, 4.0, t.selected);
    } else if hovered {
        ui.painter().rect_filled(rect, 4.0, t.hover);
    }
    if focused {
        ui.painter().rect_stroke(rect, 4.0, Stroke::new(1.0, t.accent), egui::StrokeKind::Inside);
    }
}

/// A choice of few, drawn as joined buttons. Returns the new choice.
pub fn segmented<T: PartialEq + Copy>(ui: &mut Ui, current: T, options: &[(T, &str)]) -> Option<T> {
    let t = theme::tokens(ui);
    let mut chosen = None;
    Frame::new().fill(t.raised).corner_radius(5).inner_margin(Margin::same(2)).show(ui, |ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        ui.spacing_mut().button_padding = vec2(8.0, 1.0);
        ui.horizontal(|ui| {
            for (value, text) in options {
                let on = *value == current;
                let button = Button::new(RichText::new(*text).size(12.0).color(if on { t.strong } else { t.muted }))
                    .fill(if on { t.ground } else { t.raised })
                    .stroke(Stroke::NONE)
                    .selected(false);
                let response = ui.add(button);
                response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, on, text));
                if response.clicked() {
                    chosen = Some(*value);
                }
            }
        });
    });
    chosen
}
