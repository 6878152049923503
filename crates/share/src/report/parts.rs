//! The parts of a step in the report.

use std::fmt::Write as _;

use inspector_model::{Change, Note, Op, Status, Step, StepKind, Value, civil, grouped, is_invisible, parse_value};

use crate::excerpt::{End, Item};
use crate::json::difference;
use crate::redact::escape_html;

/// Characters of one value.
const LONGEST_VALUE: usize = 1_500;
/// Characters of a traceback, a query or a message.
const LONGEST_TEXT: usize = 20_000;
/// Changes, queries and records of one step.
const MOST_ROWS: usize = 300;
/// Places of one text.
const MOST_HUNKS: usize = 40;
/// Characters around a place of a text.
const AROUND: usize = 40;

/// Recorded text in HTML. What cannot be seen, or turns the reading direction, is shown as what it is.
pub fn shown(text: &str) -> String {
    if !text.chars().any(is_hidden) {
        return escape_html(text);
    }
    let visible: String = text.chars().fold(String::with_capacity(text.len() + 16), |mut out, c| {
        if is_hidden(c) {
            let _ = write!(out, "\\u{{{:x}}}", c as u32);
        } else {
            out.push(c);
        }
        out
    });
    escape_html(&visible)
}

/// Line ends and tabs are as they are; what joins letters and emoji is a part of them.
fn is_hidden(c: char) -> bool {
    is_invisible(c) && !matches!(c, '\n' | '\t' | '\u{200c}' | '\u{200d}' | '\u{ad}')
}

/// `12345` → `12,345`.
pub fn count(number: u64) -> String {
    grouped(&number.to_string(), ',')
}

/// Unix seconds as a date and time of day in UTC.
pub fn utc(seconds: f64) -> String {
    if !seconds.is_finite() || !(0.0..4e12).contains(&seconds) {
        return "at an unknown time".to_owned();
    }
    let whole = seconds as i64;
    let (year, month, day) = civil(whole.div_euclid(86_400));
    let of_day = whole.rem_euclid(86_400);
    format!("{year}-{month:02}-{day:02} {:02}:{:02}:{:02} UTC", of_day / 3600, of_day / 60 % 60, of_day % 60)
}

/// Seconds since the first step.
pub fn elapsed(seconds: f64) -> String {
    let seconds = seconds.max(0.0);
    if seconds < 2.0 {
        format!("{seconds:.2} s")
    } else if seconds < 10.0 {
        format!("{seconds:.1} s")
    } else if seconds < 120.0 {
        format!("{seconds:.0} s")
    } else if seconds < 7200.0 {
        format!("{:.0} min", seconds / 60.0)
    } else {
        format!("{:.1} h", seconds / 3600.0)
    }
}

/// What a person calls a step.
pub fn name(step: &Step) -> String {
    let name = if step.name.is_empty() { step.kind.label() } else { step.name.as_str() };
    match &step.component {
        Some(component) => format!("{} ({})", shown(name), shown(component)),
        None => shown(name),
    }
}

/// One step with everything about it.
pub fn article(out: &mut String, item: &Item, note: Option<&str>, page: Option<usize>) {
    begin(out, item, note);
    error(out, item);
    changes(out, item);
    params(out, item);
    sql(out, item);
    logs(out, item);
    traceback(out, item);
    if let Some(page) = page {
        let _ = writeln!(
            out,
            "<h3>Page after it</h3>\n<figure class=\"page\"><iframe sandbox=\"\" referrerpolicy=\"no-referrer\" data-page=\"{page}\" title=\"Page after \
             step {}\"></iframe></figure>",
            item.step.id
        );
    }
    out.push_str("</article>\n");
}

/// One step, of which there is no room for more.
pub fn cut_article(out: &mut String, item: &Item, note: Option<&str>) {
    begin(out, item, note);
    out.push_str(
        "<p class=\"note\">Its details were left out: the report would be too large. Export fewer steps, or JSON.</p>\n</article>\n",
    );
}

fn begin(out: &mut String, item: &Item, note: Option<&str>) {
    let step = &item.step;
    let id = step.id;
    let _ = write!(
        out,
        "<article id=\"step-{id}\" aria-labelledby=\"head-{id}\" tabindex=\"-1\">\n<header><h2 id=\"head-{id}\"><span>{id}</span> {}</h2><span \
         class=\"tag\">{}</span>",
        name(step),
        step.kind.label()
    );
    if step.status != Status::Ok {
        let _ = write!(out, "<span class=\"tag bad\">{}</span>", step.status.word());
    }
    if let Some(ms) = step.duration_ms {
        let _ = write!(out, "<span class=\"hint\">{ms:.1} ms</span>");
    }
    let _ = write!(out, "<span class=\"hint\">{}</span>", utc(step.started));
    if let Some(session) = &step.session {
        let short: String = session.as_str().chars().take(8).collect();
        let _ = write!(out, "<span class=\"hint\">page {}</span>", shown(&short));
    }
    out.push_str(
        "<span class=\"steps-nav\"><button type=\"button\" data-go=\"-1\" aria-label=\"Step before\">↑</button><button type=\"button\" data-go=\"1\" \
         aria-label=\"Next step\">↓</button></span></header>\n",
    );
    if let Some(note) = note {
        let note = if note.is_empty() { "Marked".to_owned() } else { format!("Marked: {}", shown(note)) };
        let _ = writeln!(out, "<p class=\"note\">{note}</p>");
    }
}

fn error(out: &mut String, item: &Item) {
    if let Some(error) = &item.detail.error {
        let _ = write!(out, "<h3>Error</h3>\n<pre class=\"bad\">{}", shown(&error.kind));
        if !error.message.is_empty() {
            let _ = write!(out, ": {}", cut(&error.message, LONGEST_TEXT));
        }
        out.push_str("</pre>\n");
    } else if let Some(error) = &item.step.error {
        let _ = writeln!(out, "<h3>Error</h3>\n<pre class=\"bad\">{}</pre>", cut(error, LONGEST_TEXT));
    }
}

fn traceback(out: &mut String, item: &Item) {
    if let Some(traceback) = item.detail.error.as_ref().and_then(|error| error.traceback.as_ref()) {
        let _ = writeln!(out, "<h3>Traceback</h3>\n<pre tabindex=\"0\">{}</pre>", cut(traceback, LONGEST_TEXT));
    }
}

fn changes(out: &mut String, item: &Item) {
    let Some(diff) = difference(item) else {
        let why = match (&item.before, &item.after) {
            (_, End::Missing(why)) | (End::Missing(why), End::State(_)) => Some(why.as_str()),
            _ => None,
        };
        if let End::State(state) = &item.after {
            initial(out, state, item.step.kind);
        } else if let Some(why) = why {
            let _ = writeln!(out, "<h3>Changes</h3>\n<p class=\"empty\">Not known: {}.</p>", shown(why));
        }
        return;
    };
    if diff.changes.is_empty() {
        out.push_str("<h3>Changes</h3>\n<p class=\"empty\">It changed nothing.</p>\n");
        return;
    }
    let _ = writeln!(out, "<h3>Changes <span class=\"hint\">{}</span></h3>\n<ol class=\"diff\">", diff.counts);
    for change in diff.changes.iter().take(MOST_ROWS) {
        row(out, change);
    }
    out.push_str("</ol>\n");
    rest(out, diff.changes.len(), "changes");
    if diff.cut_short {
        out.push_str("<p class=\"empty\">Some places are shown as replaced whole that a longer look would have split.</p>\n");
    }
}

/// The state that a mount made.
fn initial(out: &mut String, state: &Value, kind: StepKind) {
    let Value::Map(entries) = state else { return };
    let heading = if kind == StepKind::Mount { "State at the beginning" } else { "State after it" };
    let _ = writeln!(out, "<h3>{heading}</h3>");
    if entries.is_empty() {
        out.push_str("<p class=\"empty\">It is empty.</p>\n");
        return;
    }
    out.push_str("<ol class=\"diff plain\">\n");
    for (name, value) in entries.iter().take(MOST_ROWS) {
        let _ = writeln!(out, "<li><span class=\"path\">{}</span><span class=\"val\">{}</span></li>", shown(name), summary(value));
    }
    out.push_str("</ol>\n");
    rest(out, entries.len(), "values");
}

fn row(out: &mut String, change: &Change) {
    let path = shown(&change.path.to_string());
    let path = if path.is_empty() { "the whole state".to_owned() } else { path };
    // A sign for the eye, a word for the ear.
    let (class, sign, word) = match &change.op {
        Op::Added(_) => ("add", "+", "added"),
        Op::Removed(_) => ("rem", "−", "removed"),
        Op::Changed { .. } | Op::Text { .. } => ("chg", "~", "changed"),
        Op::Moved { .. } | Op::Reordered { .. } => ("mov", "⇅", "moved"),
    };
    let _ = write!(
        out,
        "<li class=\"{class}\"><span class=\"sign\" role=\"img\" aria-label=\"{word}\">{sign}</span><span class=\"path\">{path}</span><span class=\"val\">"
    );
    match &change.op {
        Op::Added(value) => {
            let _ = write!(out, "<ins>{}</ins>", summary(value));
        }
        Op::Removed(value) => {
            let _ = write!(out, "<del>{}</del>", summary(value));
        }
        Op::Changed { before, after } => {
            let _ = write!(out, "<del>{}</del><span class=\"arrow\">→</span><ins>{}</ins>", summary(before), summary(after));
        }
        Op::Text { before, after, hunks } => {
            for hunk in hunks.iter().take(MOST_HUNKS) {
                let (old, new) = (before.get(hunk.before.clone()).unwrap_or_default(), after.get(hunk.after.clone()).unwrap_or_default());
                let lead: String = {
                    let lead: Vec<char> = after.get(..hunk.after.start).unwrap_or_default().chars().rev().take(AROUND).collect();
                    lead.into_iter().rev().collect()
                };
                let tail: String = after.get(hunk.after.end..).unwrap_or_default().chars().take(AROUND).collect();
                let _ = write!(out, "<span class=\"hint\">…</span>{}", shown(&lead));
                if !old.is_empty() {
                    let _ = write!(out, "<del>{}</del>", cut(old, LONGEST_VALUE));
                }
                if !new.is_empty() {
                    let _ = write!(out, "<ins>{}</ins>", cut(new, LONGEST_VALUE));
                }
                let _ = writeln!(out, "{}<span class=\"hint\">…</span>", shown(&tail));
            }
            if hunks.len() > MOST_HUNKS {
                let _ = write!(out, "<span class=\"hint\">and {} more places</span>", hunks.len() - MOST_HUNKS);
            }
        }
        Op::Moved { from } => {
            let _ = write!(out, "<span class=\"hint\">from [{from}]</span>");
        }
        Op::Reordered { order, .. } => {
            let _ = write!(out, "<span class=\"hint\">{} elements in another order</span>", order.len());
        }
    }
    if let Some(note) = change.note {
        let note = match note {
            Note::TemporaryReset => "a temporary assign, reset after each render",
            Note::StaticAssign => "a static assign: the page does not see it",
            Note::TypeChanged => "its type changed",
        };
        let _ = write!(out, " <span class=\"hint\">{note}</span>");
    }
    out.push_str("</span></li>\n");
}

fn params(out: &mut String, item: &Item) {
    let Some(text) = item.detail.params.as_deref().or(item.detail.raw_params.as_deref()) else { return };
    let shown_text = match parse_value(text) {
        Ok(Value::Map(entries)) if entries.is_empty() => return,
        Ok(Value::Null) => return,
        Ok(Value::Map(entries)) => {
            out.push_str("<h3>Parameters</h3>\n<table>");
            for (name, value) in entries.iter().take(MOST_ROWS) {
                let _ =
                    write!(out, "<tr><th scope=\"row\" class=\"mono\">{}</th><td class=\"mono\">{}</td></tr>", shown(name), summary(value));
            }
            out.push_str("</table>\n");
            return;
        }
        Ok(value) => summary(&value),
        Err(_) => cut(text, LONGEST_TEXT),
    };
    let _ = writeln!(out, "<h3>Parameters</h3>\n<pre>{shown_text}</pre>");
}

fn sql(out: &mut String, item: &Item) {
    let queries = &item.detail.sql;
    if queries.is_empty() {
        return;
    }
    let ms: f64 = queries.iter().map(|query| query.ms).sum();
    let _ = write!(out, "<h3>SQL <span class=\"hint\">{} · {ms:.1} ms</span></h3>\n<table>", count(queries.len() as u64));
    for query in queries.iter().take(MOST_ROWS) {
        let _ = write!(out, "<tr><td class=\"num\">{:.2} ms</td><td><code>{}</code>", query.ms, cut(&query.sql, LONGEST_TEXT));
        if let Some(params) = query.params.as_ref().filter(|params| !["[]", "()", "None", "null"].contains(&params.as_str())) {
            let _ = write!(out, "<br><code class=\"hint\">{}</code>", cut(params, LONGEST_VALUE));
        }
        out.push_str("</td></tr>");
    }
    out.push_str("</table>\n");
    rest(out, queries.len(), "queries");
}

fn logs(out: &mut String, item: &Item) {
    let records = &item.detail.logs;
    if records.is_empty() {
        return;
    }
    out.push_str("<h3>Log</h3>\n<table>");
    for record in records.iter().take(MOST_ROWS) {
        let _ = write!(
            out,
            "<tr><th scope=\"row\">{} {}</th><td><code>{}</code>",
            shown(&record.level),
            shown(&record.logger),
            cut(&record.message, LONGEST_TEXT)
        );
        if let Some(traceback) = &record.traceback {
            let _ = write!(out, "<pre tabindex=\"0\">{}</pre>", cut(traceback, LONGEST_TEXT));
        }
        out.push_str("</td></tr>");
    }
    out.push_str("</table>\n");
    rest(out, records.len(), "records");
}

fn rest(out: &mut String, len: usize, what: &str) {
    if len > MOST_ROWS {
        let _ = writeln!(out, "<p class=\"empty\">And {} more {what}.</p>", count((len - MOST_ROWS) as u64));
    }
}

fn summary(value: &Value) -> String {
    shown(&value.summary(LONGEST_VALUE))
}

/// Text, or its beginning with a word about the rest.
fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        None => shown(text),
        Some((at, _)) => {
            format!("{}<span class=\"hint\">… and {} more characters</span>", shown(&text[..at]), count(text[at..].chars().count() as u64))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        assert_eq!(utc(0.0), "1970-01-01 00:00:00 UTC");
        assert_eq!(utc(951_782_399.9), "2000-02-28 23:59:59 UTC");
        assert_eq!(utc(951_782_400.0), "2000-02-29 00:00:00 UTC");
        assert_eq!(utc(1_795_410_214.19), "2026-11-23 05:03:34 UTC");
        assert_eq!(utc(f64::NAN), "at an unknown time");
    }

    #[test]
    fn recorded_text_is_text() {
        assert_eq!(shown("</script><script>"), "&lt;/script&gt;&lt;script&gt;");
        assert_eq!(shown("a\u{1b}[2J\u{202e}b\n"), "a\\u{1b}[2J\\u{202e}b\n");
        assert_eq!(shown("👩\u{200d}🔬"), "👩\u{200d}🔬");
        assert_eq!(count(1_234_567), "1,234,567");
    }
}
