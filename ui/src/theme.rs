//! The look: every colour, size and font of the window. Nothing else may name a colour.
//!
//! Two tables of tokens, dark and light, chosen by what they mean. Widgets ask [`tokens`] and never for black or white.

use egui::{Color32, Context, CornerRadius, FontFamily, FontId, Margin, Shadow, Stroke, Style, TextStyle, Theme, Ui, Vec2, Visuals};
use inspector_model::{Level, Status, StepKind};

/// Height of a table or list row, points.
pub const ROW: f32 = 24.0;
/// Height of a row of values in trees and diffs, points.
pub const VALUE_ROW: f32 = 21.0;
/// Corner of cards and buttons.
pub const CORNER: u8 = 5;
/// Name of the monospace style for small values.
pub const MONO_SMALL: &str = "mono small";
/// Name of the style of titles of whole views.
pub const TITLE: &str = "title";

/// The colours of one theme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// Behind everything, and behind values.
    pub ground: Color32,
    /// Side panels and bars.
    pub panel: Color32,
    /// Cards, inputs, headers.
    pub raised: Color32,
    /// Under the pointer.
    pub hover: Color32,
    /// Selected rows.
    pub selected: Color32,
    /// Lines between things.
    pub line: Color32,
    /// Borders of inputs.
    pub border: Color32,
    /// Names and values that matter.
    pub strong: Color32,
    /// Ordinary text.
    pub text: Color32,
    /// Secondary text. At least 4.5:1 on every ground.
    pub muted: Color32,
    /// Marks without meaning: tree lines, placeholders.
    pub faint: Color32,
    /// What can be pressed, the playhead, the focus.
    pub accent: Color32,
    /// Text on [`Tokens::accent`].
    pub on_accent: Color32,
    /// New, fine, connected.
    pub added: Color32,
    /// Gone, failed.
    pub removed: Color32,
    /// Other value, warnings.
    pub changed: Color32,
    /// At another place.
    pub moved: Color32,
    /// Behind added text.
    pub added_bg: Color32,
    /// Behind removed text.
    pub removed_bg: Color32,
    /// Behind changed text and warnings.
    pub changed_bg: Color32,
    /// Behind facts and hints.
    pub info_bg: Color32,
    /// Strings in values.
    pub string: Color32,
    /// Numbers in values.
    pub number: Color32,
    /// Types and keywords in values.
    pub keyword: Color32,
    /// Events.
    pub lane_event: Color32,
    /// Ticks, pushes, async results.
    pub lane_server: Color32,
    /// Reloads.
    pub lane_reload: Color32,
}

const DARK: Tokens = Tokens {
    ground: Color32::from_rgb(17, 19, 24),
    panel: Color32::from_rgb(23, 26, 32),
    raised: Color32::from_rgb(31, 35, 43),
    hover: Color32::from_rgb(37, 42, 51),
    selected: Color32::from_rgb(30, 52, 86),
    line: Color32::from_rgb(40, 45, 55),
    border: Color32::from_rgb(58, 65, 78),
    strong: Color32::from_rgb(242, 245, 250),
    text: Color32::from_rgb(214, 220, 229),
    muted: Color32::from_rgb(152, 162, 178),
    faint: Color32::from_rgb(96, 106, 122),
    accent: Color32::from_rgb(96, 165, 250),
    on_accent: Color32::from_rgb(10, 20, 36),
    added: Color32::from_rgb(82, 200, 142),
    removed: Color32::from_rgb(248, 120, 113),
    changed: Color32::from_rgb(232, 184, 88),
    moved: Color32::from_rgb(178, 152, 252),
    added_bg: Color32::from_rgb(20, 49, 38),
    removed_bg: Color32::from_rgb(62, 29, 31),
    changed_bg: Color32::from_rgb(56, 44, 22),
    info_bg: Color32::from_rgb(25, 41, 64),
    string: Color32::from_rgb(152, 205, 152),
    number: Color32::from_rgb(126, 184, 250),
    keyword: Color32::from_rgb(204, 164, 240),
    lane_event: Color32::from_rgb(96, 165, 250),
    lane_server: Color32::from_rgb(94, 190, 196),
    lane_reload: Color32::from_rgb(240, 150, 90),
};

const LIGHT: Tokens = Tokens {
    ground: Color32::from_rgb(255, 255, 255),
    panel: Color32::from_rgb(246, 247, 249),
    raised: Color32::from_rgb(236, 239, 243),
    hover: Color32::from_rgb(229, 233, 239),
    selected: Color32::from_rgb(215, 230, 252),
    line: Color32::from_rgb(222, 226, 232),
    border: Color32::from_rgb(190, 197, 207),
    strong: Color32::from_rgb(13, 17, 23),
    text: Color32::from_rgb(38, 44, 54),
    muted: Color32::from_rgb(86, 96, 110),
    faint: Color32::from_rgb(142, 151, 164),
    accent: Color32::from_rgb(25, 98, 213),
    on_accent: Color32::from_rgb(255, 255, 255),
    added: Color32::from_rgb(19, 119, 70),
    removed: Color32::from_rgb(195, 45, 42),
    changed: Color32::from_rgb(142, 94, 0),
    moved: Color32::from_rgb(107, 67, 204),
    added_bg: Color32::from_rgb(219, 244, 230),
    removed_bg: Color32::from_rgb(253, 228, 226),
    changed_bg: Color32::from_rgb(252, 240, 210),
    info_bg: Color32::from_rgb(225, 237, 254),
    string: Color32::from_rgb(22, 104, 52),
    number: Color32::from_rgb(18, 84, 186),
    keyword: Color32::from_rgb(118, 54, 168),
    lane_event: Color32::from_rgb(25, 98, 213),
    lane_server: Color32::from_rgb(10, 116, 124),
    lane_reload: Color32::from_rgb(180, 82, 14),
};

/// The tokens of the theme that `ui` is drawn in.
pub fn tokens(ui: &Ui) -> &'static Tokens {
    of(ui.visuals().dark_mode)
}

/// The tokens of a theme.
pub const fn of(dark: bool) -> &'static Tokens {
    if dark { &DARK } else { &LIGHT }
}

impl Tokens {
    /// The colour of a kind's mark.
    pub const fn kind(&self, kind: StepKind) -> Color32 {
        match kind {
            StepKind::Mount | StepKind::Event | StepKind::Message | StepKind::UrlChange => self.lane_event,
            StepKind::Tick | StepKind::Push | StepKind::Async => self.lane_server,
            StepKind::Jump | StepKind::Replay => self.moved,
            StepKind::Reload | StepKind::HotReload | StepKind::Hvr => self.lane_reload,
            StepKind::Outside | StepKind::RateLimited | StepKind::Gap => self.changed,
            StepKind::Error => self.removed,
            StepKind::Close => self.muted,
        }
    }

    /// The colour of a status word.
    pub const fn status(&self, status: Status) -> Color32 {
        match status {
            Status::Ok => self.muted,
            Status::Raised | Status::Failed => self.removed,
            Status::Refused | Status::Invalid | Status::Limited => self.changed,
        }
    }

    /// Text and ground of a message.
    pub const fn level(&self, level: Level) -> (Color32, Color32) {
        match level {
            Level::Info => (self.accent, self.info_bg),
            Level::Warning => (self.changed, self.changed_bg),
            Level::Error => (self.removed, self.removed_bg),
        }
    }
}

/// The monospace font of values.
pub fn mono() -> FontId {
    FontId::new(12.0, FontFamily::Monospace)
}

/// The proportional font at `size`.
pub fn text(size: f32) -> FontId {
    FontId::new(size, FontFamily::Proportional)
}

/// Installs fonts and both styles.
pub fn install(ctx: &Context) {
    let mut fonts = egui::FontDefinitions::default();
    // Arrows and signs that the proportional font lacks come from the monospace one.
    if let Some(family) = fonts.families.get_mut(&FontFamily::Proportional)
        && !family.iter().any(|name| name == "Hack")
    {
        family.insert(family.len().min(1), "Hack".to_owned());
    }
    ctx.set_fonts(fonts);
    ctx.set_style_of(Theme::Dark, style(true));
    ctx.set_style_of(Theme::Light, style(false));
    // Commands of the window do that.
    ctx.options_mut(|options| options.zoom_with_keyboard = false);
}

fn style(dark: bool) -> Style {
    let text_styles = [
        (TextStyle::Small, text(11.5)),
        (TextStyle::Body, text(13.5)),
        (TextStyle::Button, text(13.5)),
        (TextStyle::Heading, text(16.0)),
        (TextStyle::Monospace, mono()),
        (TextStyle::Name(MONO_SMALL.into()), FontId::new(11.0, FontFamily::Monospace)),
        (TextStyle::Name(TITLE.into()), text(21.0)),
    ]
    .into();
    let mut style = Style { text_styles, ..Style::default() };
    let spacing = &mut style.spacing;
    spacing.item_spacing = Vec2::new(8.0, 4.0);
    spacing.button_padding = Vec2::new(8.0, 3.0);
    spacing.interact_size = Vec2::new(24.0, 22.0);
    spacing.indent = 16.0;
    spacing.menu_margin = Margin::same(6);
    spacing.window_margin = Margin::same(12);
    spacing.tooltip_width = 420.0;
    spacing.scroll = egui::style::ScrollStyle { floating: true, bar_width: 8.0, ..egui::style::ScrollStyle::thin() };
    style.interaction.tooltip_delay = 0.35;
    style.interaction.selectable_labels = false;
    style.animation_time = 0.0;
    style.visuals = visuals(dark);
    style
}

fn visuals(dark: bool) -> Visuals {
    let t = of(dark);
    let mut visuals = if dark { Visuals::dark() } else { Visuals::light() };
    let corner = CornerRadius::same(CORNER);
    visuals.panel_fill = t.panel;
    visuals.window_fill = t.panel;
    visuals.window_stroke = Stroke::new(1.0, t.border);
    visuals.window_corner_radius = CornerRadius::same(8);
    visuals.menu_corner_radius = CornerRadius::same(6);
    let shade = Color32::from_black_alpha(if dark { 110 } else { 40 });
    visuals.window_shadow = Shadow { offset: [0, 8], blur: 28, spread: 0, color: shade };
    visuals.popup_shadow = Shadow { offset: [0, 4], blur: 14, spread: 0, color: shade };
    visuals.extreme_bg_color = t.ground;
    visuals.faint_bg_color = t.raised;
    visuals.code_bg_color = t.raised;
    visuals.text_edit_bg_color = Some(t.ground);
    visuals.hyperlink_color = t.accent;
    visuals.warn_fg_color = t.changed;
    visuals.error_fg_color = t.removed;
    visuals.weak_text_color = Some(t.muted);
    visuals.selection.bg_fill = t.selected;
    visuals.selection.stroke = Stroke::new(1.0, t.strong);
    visuals.striped = false;
    visuals.indent_has_left_vline = false;
    visuals.disabled_alpha = 0.5;
    visuals.text_cursor.blink = false;

    let widgets = &mut visuals.widgets;
    widgets.noninteractive.bg_stroke = Stroke::new(1.0, t.line);
    widgets.noninteractive.fg_stroke = Stroke::new(1.0, t.text);
    widgets.noninteractive.bg_fill = t.panel;
    widgets.noninteractive.weak_bg_fill = t.panel;
    for (widget, fill, border, ink) in [
        (&mut widgets.inactive, t.raised, t.line, t.text),
        (&mut widgets.hovered, t.hover, t.border, t.strong),
        (&mut widgets.active, t.selected, t.accent, t.strong),
        (&mut widgets.open, t.hover, t.border, t.strong),
    ] {
        widget.weak_bg_fill = fill;
        widget.bg_fill = fill;
        widget.bg_stroke = Stroke::new(1.0, border);
        widget.fg_stroke = Stroke::new(1.0, ink);
        widget.corner_radius = corner;
        widget.expansion = 0.0;
    }
    widgets.noninteractive.corner_radius = corner;
    visuals
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(color: Color32) -> f32 {
        let part = |value: u8| {
            let value = f32::from(value) / 255.0;
            if value <= 0.03928 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(color.r()) + 0.7152 * part(color.g()) + 0.0722 * part(color.b())
    }

    #[test]
    fn text_can_be_read_on_every_ground() {
        for t in [&DARK, &LIGHT] {
            for ground in [t.ground, t.panel, t.raised, t.selected] {
                for ink in [t.strong, t.text, t.muted, t.removed, t.changed, t.added] {
                    let (a, b) = (luminance(ground) + 0.05, luminance(ink) + 0.05);
                    let contrast = a.max(b) / a.min(b);
                    assert!(contrast >= 3.9, "{ink:?} on {ground:?}: {contrast:.2}");
                }
            }
        }
    }
}
