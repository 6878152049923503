//! Values as coloured text.

use egui::text::{LayoutJob, TextFormat};
use egui::{Color32, FontId, Stroke};
use inspector_model::{ChangeCounts, Kind, Value};

use crate::theme::{self, Tokens};

/// The colour of a value.
pub fn ink(t: &Tokens, value: &Value) -> Color32 {
    match value {
        Value::Null | Value::Bool(_) => t.keyword,
        Value::Number(_) => t.number,
        Value::Text(_) => t.string,
        Value::List(_) | Value::Map(_) => t.text,
        Value::Typed { kind, .. } => match kind {
            Kind::Decimal | Kind::Int | Kind::Float => t.number,
            Kind::Str | Kind::Bytes => t.string,
            kind if kind.is_partial() => t.changed,
            _ => t.keyword,
        },
    }
}

/// Text in one colour, appended.
pub fn push(job: &mut LayoutJob, text: &str, font: FontId, color: Color32) {
    job.append(text, 0.0, TextFormat::simple(font, color));
}

/// Text on a ground, appended; removed text is struck through.
pub fn push_marked(job: &mut LayoutJob, text: &str, color: Color32, background: Color32, struck: bool) {
    let mut format = TextFormat::simple(theme::mono(), color);
    format.background = background;
    if struck {
        format.strikethrough = Stroke::new(1.0, color);
    }
    job.append(text, 0.0, format);
}

/// `+1 ~2 −1 ⇅1 `, each in its colour, without those that are none.
pub fn push_counts(job: &mut LayoutJob, t: &Tokens, counts: ChangeCounts, font: &FontId) {
    let ChangeCounts { added, removed, changed, moved } = counts;
    for (sign, count, color) in [("+", added, t.added), ("~", changed, t.changed), ("−", removed, t.removed), ("⇅", moved, t.moved)] {
        if count > 0 {
            push(job, &format!("{sign}{count} "), font.clone(), color);
        }
    }
}

/// A job of one line.
pub fn line_job() -> LayoutJob {
    let mut job = LayoutJob { break_on_newline: false, ..LayoutJob::default() };
    job.wrap.max_rows = 1;
    job.wrap.break_anywhere = true;
    job
}

/// A text's line breaks and control characters made visible, so that it stays on one line.
pub fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' => '↵',
            '\t' => '→',
            c if crate::format::is_misleading(c) => '·',
            c => c,
        })
        .collect()
}
