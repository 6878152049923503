//! How the window looks, how much is kept of recordings, and what the desktop does on its own.

use egui::{DragValue, RichText, Role, Slider, Ui, WidgetInfo};
use inspector_model::{DesktopSetting, Keep, NotifyAbout, Reply, Request};

use super::page;
use super::passphrase::{self, Passphrase};
use crate::app::act::TEXT_SIZES;
use crate::app::action::{Action, Cx};
use crate::app::startup::ThemeChoice;
use crate::format;
use crate::widgets::parts;

/// What the page remembers.
#[derive(Default)]
pub struct Settings {
    /// Numbers that were changed and not yet applied.
    keep: Option<Keep>,
    passphrase: Passphrase,
}

const MB: u64 = 1 << 20;

/// What whoever lets recordings expire begins with.
const PROPOSED_DAYS: u32 = 30;

/// Draws the page.
pub fn ui(state: &mut Settings, cx: &mut Cx<'_>, ui: &mut Ui) {
    page(ui, "Settings", "They hold for every source, and are remembered", 720.0, |ui| {
        ui.spacing_mut().item_spacing.y = 6.0;
        parts::section(ui, "Look");
        parts::card(ui, |ui| look(cx, ui));
        ui.add_space(12.0);
        parts::section(ui, "Recordings");
        parts::card(ui, |ui| recordings(state, cx, ui));
        ui.add_space(12.0);
        parts::section(ui, "Encryption");
        parts::card(ui, |ui| passphrase::ui(&mut state.passphrase, cx, ui));
        desktop(cx, ui);
        closing(cx, ui);
        log(cx, ui);
    });
}

fn look(cx: &mut Cx<'_>, ui: &mut Ui) {
    ui.horizontal(|ui| {
        ui.label("Theme");
        let options = [(ThemeChoice::System, "As the system is"), (ThemeChoice::Dark, "Dark"), (ThemeChoice::Light, "Light")];
        if let Some(choice) = parts::segmented(ui, cx.theme, &options) {
            cx.push(Action::Theme(choice));
        }
    });
    ui.horizontal(|ui| {
        let label = ui.label("Text size");
        let mut percent = cx.text_size;
        let slider = Slider::new(&mut percent, TEXT_SIZES).step_by(10.0).suffix(" %").update_while_editing(false);
        let response = ui.add(slider).labelled_by(label.id);
        // While it is dragged the slider must not change its own size under the pointer.
        if percent != cx.text_size && !response.dragged() {
            cx.push(Action::TextSize(percent));
        }
    });
}

fn recordings(state: &mut Settings, cx: &mut Cx<'_>, ui: &mut Ui) {
    let t = cx.t;
    let now = cx.model.keep;
    let mut keep = state.keep.unwrap_or(now);
    let (mut one, mut all) = (keep.recording_bytes / MB, keep.library_bytes / MB);
    ui.label(
        RichText::new(
            "Beyond these sizes the middle of a recording is thinned: what each step changed stays, whole states go. \
             Steps that went wrong, were slow or are marked keep theirs.",
        )
        .color(t.muted),
    );
    ui.add_space(4.0);
    let number = |ui: &mut Ui, text: &str, value: &mut u64| {
        ui.horizontal(|ui| {
            let field = ui.add(DragValue::new(value).range(8..=1_000_000).speed(8.0).suffix(" MB"));
            let label = ui.label(text);
            field.labelled_by(label.id);
        });
    };
    number(ui, "for one recording", &mut one);
    number(ui, "for all of them together", &mut all);
    ui.horizontal(|ui| {
        let field = ui.add(DragValue::new(&mut keep.slow_ms).range(1.0..=600_000.0).speed(5.0).suffix(" ms"));
        let label = ui.label("from here on a step is slow");
        field.labelled_by(label.id);
    });
    expiry(&mut keep.expire_days, ui);
    keep = Keep { recording_bytes: one * MB, library_bytes: all * MB, ..keep };
    state.keep = (keep != now).then_some(keep);
    ui.horizontal(|ui| {
        let changed = state.keep.is_some();
        if ui.add_enabled(changed, egui::Button::new("Apply")).on_disabled_hover_text("Nothing was changed").clicked() {
            cx.push(Action::Send(Box::new(Request::Keep(keep))));
        }
        let used: u64 = cx.model.recordings.iter().map(|recording| recording.bytes).sum();
        let count = cx.model.recordings.len() as u64;
        let words = format!("{} {} now", format::plural(count, "recording takes", "recordings take"), format::bytes(used));
        ui.label(RichText::new(words).size(12.5).color(t.muted));
    });
}

/// From what age on recordings are deleted.
fn expiry(days: &mut u32, ui: &mut Ui) {
    ui.horizontal(|ui| {
        let mut on = *days > 0;
        if ui.checkbox(&mut on, "Delete recordings that are older than").changed() {
            *days = if on { PROPOSED_DAYS } else { 0 };
        }
        let mut age = if on { *days } else { PROPOSED_DAYS };
        let suffix = if age == 1 { " day" } else { " days" };
        let field = ui.add_enabled(on, DragValue::new(&mut age).range(1..=Keep::MOST_DAYS).suffix(suffix));
        field.widget_info(|| WidgetInfo::labeled(Role::TextInput, on, "Days until a recording is deleted"));
        if on {
            *days = age;
            ui.label("but not those that are kept or have bookmarks");
        }
    });
}

/// What the desktop around the window does on its own, as far as there is one.
fn desktop(cx: &mut Cx<'_>, ui: &mut Ui) {
    let info = &cx.model.desktop;
    // A text, whether it is on, and what turns it.
    let mut switches: Vec<(&str, bool, DesktopSetting)> = Vec::new();
    if let Some(notifications) = &info.notifications {
        for (text, about) in [
            ("Notify when a handler raises", NotifyAbout::Errors),
            ("Notify when HVR refuses to swap a view", NotifyAbout::RefusedSwaps),
            ("Notify when a page is closed for too many messages", NotifyAbout::RateLimitCloses),
            ("Notify when a breakpoint is hit", NotifyAbout::Breakpoints),
        ] {
            let on = notifications.contains(&about);
            switches.push((text, on, DesktopSetting::Notify(about, !on)));
        }
    }
    if let Some(on) = info.autostart {
        switches.push(("Start with the desktop", on, DesktopSetting::Autostart(!on)));
    }
    if let Some(on) = info.static_files {
        switches.push(("Let page windows load the recorded server's static files", on, DesktopSetting::StaticFiles(!on)));
    }
    if switches.is_empty() {
        return;
    }
    ui.add_space(12.0);
    parts::section(ui, "Desktop");
    parts::card(ui, |ui| {
        // The mark moves when the desktop says that it is so.
        for (text, mut on, turn) in switches {
            if ui.checkbox(&mut on, text).changed() {
                cx.push(Action::Set(turn));
            }
        }
    });
}

/// What closing the window does, once it was said for good.
fn closing(cx: &mut Cx<'_>, ui: &mut Ui) {
    let Some(reply) = cx.model.on_close else { return };
    ui.add_space(12.0);
    parts::section(ui, "Closing the window while something is recorded");
    parts::card(ui, |ui| {
        ui.horizontal(|ui| {
            let keeps = reply == Reply::Keep;
            ui.label(if keeps { "goes on recording in the tray" } else { "ends the recording" });
            if ui.button("Ask again").clicked() {
                cx.push(Action::AskOnClose);
            }
        });
    });
}

/// Where the program writes its log.
fn log(cx: &mut Cx<'_>, ui: &mut Ui) {
    let Some(file) = &cx.model.desktop.log else { return };
    let file = file.display().to_string();
    ui.add_space(12.0);
    parts::section(ui, "Log");
    parts::card(ui, |ui| {
        parts::paste_line(cx, ui, &file);
        ui.label(RichText::new("Nothing of what is recorded is in it").color(cx.t.muted));
    });
}
