//! A list of rows of one height, however many there are.
//!
//! Where it stands is kept in rows, not in points: points are `f32`, and some 600,000 rows of 27 points are more than those tell apart.

use egui::{Key, Rect, Sense, Ui, UiBuilder, Vec2, pos2, vec2};

/// Width of the scroll bar.
const BAR: f32 = 10.0;
const LEAST_THUMB: f32 = 28.0;

/// Where a list stands.
#[derive(Clone, Copy, Debug, Default)]
pub struct LongList {
    /// The row at the top, with its part that is above.
    top: f64,
    reveal: Option<usize>,
    /// Where in the thumb it was taken.
    grip: f32,
    /// The rows that were drawn last, but for one that is cut at the end.
    first: usize,
    end: usize,
}

impl LongList {
    /// Brings a row into sight when it is drawn next.
    pub fn reveal(&mut self, row: usize) {
        self.reveal = Some(row);
    }

    /// The rows that were in sight last.
    pub fn shown(&self) -> std::ops::Range<usize> {
        self.first..self.end
    }

    /// Goes on as if so many rows had been added above, or with a negative number taken away: what is in sight stays there.
    pub fn shift(&mut self, rows: isize) {
        self.top += rows as f64;
    }

    /// Draws the rows that are in sight, in all of the room that is left.
    pub fn ui(&mut self, ui: &mut Ui, rows: usize, height: f32, mut draw: impl FnMut(&mut Ui, Rect, usize)) {
        let (rect, _) = ui.allocate_exact_size(ui.available_size().max(Vec2::splat(1.0)), Sense::hover());
        let inside = f64::from(rect.height() / height);
        let most = (rows as f64 - inside).max(0.0);
        if ui.rect_contains_pointer(rect) {
            let typing = ui.ctx().egui_wants_keyboard_input();
            let (scroll, pages) = ui.input(|input| {
                let pages = input.num_presses(Key::PageDown) as f64 - input.num_presses(Key::PageUp) as f64;
                (input.smooth_scroll_delta().y, if typing { 0.0 } else { pages })
            });
            self.top += pages * (inside - 1.0).max(1.0) - f64::from(scroll / height);
        }
        if let Some(row) = self.reveal.take() {
            let row = row as f64;
            self.top = self.top.min(row).max(row + 1.0 - inside);
        }
        let scrolls = most > 0.0;
        if scrolls {
            self.bar(ui, Rect::from_min_max(pos2(rect.right() - BAR, rect.top()), rect.max), rows as f64, inside, most);
        }
        self.top = self.top.clamp(0.0, most);
        let width = rect.width() - if scrolls { BAR } else { 0.0 };
        let mut list = ui.new_child(UiBuilder::new().max_rect(rect));
        list.shrink_clip_rect(rect);
        let first = self.top as usize;
        let last = ((self.top + inside).ceil() as usize).min(rows);
        (self.first, self.end) = (first, ((self.top + inside) as usize).min(rows));
        for row in first..last {
            let y = rect.top() + ((row as f64 - self.top) * f64::from(height)) as f32;
            draw(&mut list, Rect::from_min_size(pos2(rect.left(), y.round()), vec2(width, height)), row);
        }
    }

    fn bar(&mut self, ui: &Ui, bar: Rect, rows: f64, inside: f64, most: f64) {
        let response = ui.interact(bar, ui.scope_id().with("scroll bar"), Sense::click_and_drag());
        let thumb = ((inside / rows) as f32 * bar.height()).max(LEAST_THUMB).min(bar.height());
        let room = (bar.height() - thumb).max(1.0);
        let at = bar.top() + (self.top.clamp(0.0, most) / most) as f32 * room;
        if let Some(pointer) = response.interact_pointer_pos() {
            if response.drag_started() || response.clicked() {
                // Beside the thumb it is taken in its middle: the list goes there.
                let inside = (at..=at + thumb).contains(&pointer.y);
                self.grip = if inside { pointer.y - at } else { thumb * 0.5 };
            }
            let part = ((pointer.y - self.grip - bar.top()) / room).clamp(0.0, 1.0);
            self.top = f64::from(part) * most;
        }
        let at = bar.top() + (self.top.clamp(0.0, most) / most) as f32 * room;
        let visuals = if response.dragged() || response.hovered() { ui.visuals().widgets.hovered } else { ui.visuals().widgets.inactive };
        let width = if response.dragged() || response.hovered() { BAR - 3.0 } else { BAR - 5.0 };
        let shape = Rect::from_min_size(pos2(bar.right() - width - 1.0, at), vec2(width, thumb));
        ui.painter().rect_filled(shape, width * 0.5, visuals.fg_stroke.color.gamma_multiply(0.35));
    }
}
