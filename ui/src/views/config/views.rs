//! The class attributes of one view: value, the class that sets it, what open pages have instead.

use egui::{RichText, Ui};
use inspector_model::{Session, Timeline, ViewAttribute, ViewConfig};

use super::{Wanted, advice_texts, facts, row, shown};
use crate::app::action::Cx;
use crate::format;
use crate::views::tally::Tally;
use crate::widgets::parts;

/// Over the section.
pub const TITLE: &str = "Per view";

/// The views that have what is looked for.
pub fn found<'a>(views: &'a [ViewConfig], wanted: &Wanted) -> Vec<&'a ViewConfig> {
    views.iter().filter(|view| !wanted.is_narrow() || rows(view, wanted).next().is_some()).collect()
}

/// Draws the section.
pub fn ui(
    class: &mut Option<String>,
    cx: &mut Cx<'_>,
    ui: &mut Ui,
    timeline: &Timeline,
    tally: &Tally,
    found: &[&ViewConfig],
    wanted: &Wanted,
) {
    // The chosen one, as long as it has what is looked for; then that of the selected step.
    let of_step = cx.model.step().and_then(|step| cx.model.view_of(&step)).map(|view| view.class.clone());
    let chosen = [class.clone(), of_step].into_iter().flatten().find_map(|class| found.iter().find(|view| view.class == class));
    let Some(view) = chosen.or(found.first()).copied() else {
        parts::card(ui, |ui| {
            ui.label(RichText::new("No view class is loaded yet: they are known when the first page was opened").color(cx.t.muted));
        });
        return;
    };
    parts::card(ui, |ui| {
        ui.horizontal_wrapped(|ui| {
            let text = RichText::new(format::clip(&view.class, 70)).monospace().color(cx.t.strong);
            let combo = egui::ComboBox::from_id_salt("view class").selected_text(text).width(300.0).height(320.0);
            let response = combo.show_ui(ui, |ui| {
                for other in found {
                    let advised = other.attributes.values().filter(|attribute| attribute.is_advised()).count();
                    let text = if advised > 0 { format!("{}  ({advised} with advice)", other.class) } else { other.class.clone() };
                    if ui.selectable_label(other.class == view.class, RichText::new(format::clip(&text, 90)).monospace()).clicked() {
                        *class = Some(other.class.clone());
                    }
                }
            });
            response.response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::ComboBox, true, "View class"));
            let open = facts::open_views(timeline).filter(|(_, other)| other.class == view.class);
            ui.label(
                RichText::new(format!("open on {}", format::plural(open.count() as u64, "page", "pages"))).size(12.5).color(cx.t.muted),
            );
            if let Some(file) = &view.file {
                let place = format!("{file}:{}", view.line.unwrap_or(1));
                parts::line_label(ui, RichText::new(&place).size(12.0).color(cx.t.muted)).on_hover_text(&place);
            }
        });
        let mut quiet = Vec::new();
        for (key, attribute) in rows(view, wanted) {
            if attribute.owner().is_none() && attribute.advice.is_empty() && attribute.instances.is_empty() {
                quiet.push(key);
                continue;
            }
            ui.separator();
            ui.push_id(key, |ui| one(cx, ui, view, key, attribute, timeline, tally));
        }
        if !quiet.is_empty() {
            ui.separator();
            let text = format!("As djust has it: {}", quiet.join(", "));
            ui.add(egui::Label::new(RichText::new(text).size(12.5).color(cx.t.muted)).wrap());
        }
    });
}

/// The attributes of a view that are looked for.
fn rows<'a>(view: &'a ViewConfig, wanted: &'a Wanted) -> impl Iterator<Item = (&'a str, &'a ViewAttribute)> {
    let all = view.attributes.iter().map(|(key, attribute)| (key.as_str(), attribute));
    all.filter(|(key, attribute)| {
        (!wanted.changed_only || attribute.owner().is_some() || !attribute.instances.is_empty())
            && (!wanted.advised_only || attribute.is_advised())
            && (wanted.finds([*key, view.class.as_str(), &attribute.source])
                || wanted.finds([attribute.value.to_string().as_str()])
                || wanted.finds(advice_texts(&attribute.advice)))
    })
}

fn one(cx: &mut Cx<'_>, ui: &mut Ui, view: &ViewConfig, key: &str, attribute: &ViewAttribute, timeline: &Timeline, tally: &Tally) {
    let t = cx.t;
    let owner = attribute.owner();
    row::columns(
        ui,
        |ui| {
            parts::line_label(ui, RichText::new(key).monospace().color(if owner.is_some() { t.strong } else { t.muted }));
            if let Some(owner) = owner.filter(|owner| *owner != view.class) {
                ui.label(RichText::new(format!("inherited from {}", format::short_class(owner))).size(12.0).color(t.muted));
            }
        },
        |ui| {
            let name = format!("{}.{key}", format::short_class(&view.class));
            let source = owner.map_or_else(|| "djust's default".to_owned(), |owner| format::short_class(owner).to_owned());
            let place = row::place(&source, attribute.file.as_deref(), attribute.line);
            row::value_line(cx, ui, &name, &attribute.value, owner.is_some(), &place);
            for instance in &attribute.instances {
                let session = instance.session.as_ref().and_then(|session| timeline.sessions().get(session));
                let who = session.map_or("a page", Session::user_name);
                let (text, _) = shown(&instance.value);
                let text = format!("{who} has {} on the instance, which hides the class's", format::clip(&text, 60));
                ui.add(egui::Label::new(RichText::new(text).size(12.5).color(t.changed)).wrap());
            }
            row::told(cx, ui, &name, &facts::of_view(&view.class, key, attribute, timeline, tally));
            row::advice(cx, ui, &attribute.advice);
        },
    );
}
