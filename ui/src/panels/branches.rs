//! The pane of branches: where a page was put back and went on from there, as a tree.

use std::ops::Range;

use egui::{Frame, Margin, Rect, RichText, Stroke, Ui, pos2, vec2};
use inspector_model::{SourceId, Stream, Timeline};

use super::layout;
use crate::app::action::{Action, Cx};
use crate::app::branches::{Branch, Edge, Fork, Spot, Tree};
use crate::format;
use crate::theme::{self, Tokens};
use crate::widgets::icons::{self, Icon};
use crate::widgets::long_list::LongList;
use crate::widgets::{parts, rich};

/// Width of a level of the tree, points. Deeper ones than [`LEVELS`] are drawn like these.
const LEVEL: f32 = 16.0;
const LEVELS: usize = 10;

/// What the pane remembers.
#[derive(Default)]
pub struct BranchesPanel {
    list: LongList,
    listed: Listed,
}

/// The branches as they are listed, until there are other ones.
#[derive(Default)]
struct Listed {
    /// Of which view, after how many turns and steps.
    of: Option<(Option<SourceId>, Stream, usize, usize)>,
    /// Branches, and how deep they are.
    order: Vec<(usize, usize)>,
    /// The steps of each branch.
    runs: Vec<Vec<Range<usize>>>,
}

/// What the rows are drawn from.
struct Shown<'a> {
    timeline: &'a Timeline,
    stream: &'a Stream,
    tree: &'a Tree,
    positions: &'a [u32],
}

/// What is said of a branch.
struct Words {
    /// Where it forked.
    from: String,
    /// What was done other than before.
    edge: String,
    /// Whether that is known to be other.
    other: bool,
    /// Which steps it has, and when.
    steps: String,
    live: Option<&'static str>,
}

/// Draws the pane.
pub fn ui(state: &mut BranchesPanel, cx: &mut Cx<'_>, ui: &mut Ui) {
    let model = cx.model;
    let Some(timeline) = model.timeline() else { return };
    let stream = model.step().and_then(|step| Some((step.session?, step.view)));
    let tree = stream.as_ref().and_then(|stream| model.branches.tree(stream)).filter(|tree| !tree.is_linear());
    Frame::new().inner_margin(Margin::symmetric(8, 5)).show(ui, |ui| {
        ui.horizontal(|ui| {
            layout::grip(cx, ui);
            ui.label(RichText::new("Branches").color(cx.t.strong));
            if let Some(tree) = tree {
                ui.label(RichText::new(format::count(tree.branches().len() as u64)).size(12.0).color(cx.t.muted));
            }
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                layout::hide(cx, ui);
                if let Some(stream) = &stream {
                    parts::line_label(ui, RichText::new(page(timeline, stream)).size(12.0).color(cx.t.muted));
                }
            });
        });
    });
    let (Some(stream), Some(tree)) = (&stream, tree) else {
        nothing(cx, ui, timeline, stream.as_ref());
        return;
    };
    let shown = Shown { timeline, stream, tree, positions: timeline.stream(stream) };
    rows(state, cx, ui, &shown);
}

/// The user and path of a page, and its view.
fn page(timeline: &Timeline, (session, view): &Stream) -> String {
    let page = timeline.sessions().get(session);
    let path = page.and_then(|page| page.path.as_deref()).unwrap_or(session.as_str());
    let user = page.map_or("", |page| page.user_name());
    let view = view.as_ref().map_or_else(String::new, |view| format!(" {}", view.as_str()));
    format!("{} {}{}", format::clip(user, 24), format::clip(path, 40), format::clip(&view, 24))
}

/// Why there is no tree, and how one is made; and the pages that have one.
fn nothing(cx: &mut Cx<'_>, ui: &mut Ui, timeline: &Timeline, stream: Option<&Stream>) {
    let why = if stream.is_some() { "This page went on in one line" } else { "No page is selected" };
    parts::empty(ui, why, "Jump it back to an earlier step (J) or replay an event (R): what follows becomes a branch from there");
    let forked = cx.model.branches.forked();
    ui.vertical_centered(|ui| {
        for other in forked.into_iter().take(5) {
            let first = timeline.stream(other).first().and_then(|position| timeline.steps().id(*position as usize));
            if let Some(first) = first
                && ui.button(format!("Branches of {}", page(timeline, other))).clicked()
            {
                cx.push(Action::Select(first));
            }
        }
    });
}

fn rows(state: &mut BranchesPanel, cx: &mut Cx<'_>, ui: &mut Ui, shown: &Shown<'_>) {
    let t = cx.t;
    let tree = shown.tree;
    let of = Some((cx.model.current, shown.stream.clone(), tree.turns(), shown.positions.len()));
    if state.listed.of != of {
        state.listed = Listed { of, order: tree.rows(), runs: tree.runs(shown.positions.len()) };
    }
    let Listed { order, runs, .. } = &state.listed;
    let id = |index: usize| shown.positions.get(index).and_then(|position| shown.timeline.steps().id(*position as usize));
    let selected = cx
        .model
        .selected
        .and_then(|step| shown.timeline.steps().position(step))
        .and_then(|position| shown.positions.binary_search(&(position as u32)).ok())
        .map(|index| tree.branch_of(index));
    let mut clicked = None;
    let mut wanted = None;
    state.list.ui(ui, order.len(), theme::ROW, |ui, rect, row| {
        let (nth, depth) = order[row];
        let branch = tree.branches()[nth];
        let edge = edge_of(cx, shown, &branch);
        if let Some(edge) = edge.filter(|edge| cx.model.edges.is_new(*edge)) {
            wanted = Some(edge);
        }
        let words = words(cx, shown, &branch, &runs[nth], nth, edge);
        let indent = 10.0 + LEVEL * depth.min(LEVELS) as f32;
        let mut job = rich::line_job();
        rich::push(&mut job, &words.from, theme::text(13.0), t.text);
        if !words.edge.is_empty() {
            rich::push(&mut job, "   ", theme::text(13.0), t.text);
            if words.other {
                rich::push_marked(&mut job, &format!(" {} ", words.edge), t.changed, t.changed_bg, false);
            } else {
                rich::push(&mut job, &words.edge, theme::text(12.0), t.muted);
            }
        }
        rich::push(&mut job, &format!("   {}", words.steps), theme::text(12.0), t.muted);
        if let Some(live) = words.live {
            rich::push(&mut job, &format!("   ● {live}"), theme::text(12.0), t.added);
        }
        let name = [Some(words.from.as_str()), Some(words.edge.as_str()).filter(|edge| !edge.is_empty()), Some(&words.steps), words.live];
        let name = format!("Branch {}: {}", nth + 1, name.into_iter().flatten().collect::<Vec<_>>().join(", "));
        let response = parts::list_line(ui, rect, ("branch", nth), selected == Some(nth), &name, rich::line_job());
        lines(ui, t, rect, indent, order, row, &branch);
        parts::paint_line(ui, rect, indent + 14.0, job);
        if response.on_hover_text("Go to its first step").clicked() {
            clicked = id(branch.first);
        }
    });
    if let Some(edge) = wanted {
        cx.push(Action::SeeEdge(edge));
    }
    if let Some(step) = clicked {
        cx.push(Action::Select(step));
    }
}

/// The edge of a branch whose parameters were other ones.
fn edge_of(cx: &Cx<'_>, shown: &Shown<'_>, branch: &Branch) -> Option<Edge> {
    let replay = branch.fork?.replay.filter(|replay| replay.edited)?;
    let id = |index: usize| shown.timeline.steps().id(*shown.positions.get(index)? as usize);
    Some(Edge { source: cx.model.current?, recorded: id(replay.of?)?, replay: id(replay.step)? })
}

fn words(cx: &Cx<'_>, shown: &Shown<'_>, branch: &Branch, runs: &[Range<usize>], nth: usize, edge: Option<Edge>) -> Words {
    let step = |index: usize| shown.positions.get(index).and_then(|position| shown.timeline.steps().get(*position as usize));
    let id = |index: usize| step(index).map_or_else(|| "?".to_owned(), |step| step.id.to_string());
    let from = match branch.fork {
        None => "From the beginning".to_owned(),
        Some(Fork { replay: Some(replay), .. }) => {
            let name = step(replay.step).map_or_else(String::new, |step| format::clip(&step.name, 40));
            match replay.of {
                Some(of) => format!("{name} again, in place of step {}", id(of)),
                None => format!("{name} again"),
            }
        }
        Some(Fork { spot: Spot::After(after), .. }) => {
            let name = step(after).map_or_else(String::new, |step| format::clip(&step.name, 40));
            format!("Back after step {} {name}", id(after))
        }
        Some(Fork { spot: Spot::Start, .. }) => "Back before the first step".to_owned(),
        Some(Fork { spot: Spot::Unknown, .. }) => "Back to a step that is not here".to_owned(),
    };
    let known = edge.map(|edge| cx.model.edges.get(edge));
    let edge_changes = known.flatten().and_then(|changes| changes.as_ref().ok());
    let edge = match (branch.fork.and_then(|fork| fork.replay), known) {
        (None, _) => String::new(),
        (Some(replay), None) if !replay.edited => "same parameters".to_owned(),
        (Some(_), Some(Some(Ok(changes)))) if changes.is_empty() => "same parameters".to_owned(),
        (Some(_), Some(Some(Ok(changes)))) => {
            let more = changes.len().saturating_sub(3);
            let shown = changes[..changes.len() - more].join(", ");
            if more > 0 { format!("{shown} and {more} more") } else { shown }
        }
        (Some(_), Some(Some(Err(why)))) => format::clip(why, 60),
        (Some(_), Some(None) | None) => "other parameters".to_owned(),
    };
    let other = edge_changes.is_some_and(|changes| !changes.is_empty());
    let count: usize = runs.iter().map(std::iter::ExactSizeIterator::len).sum();
    let last = runs.last().map_or(branch.first, |run| run.end.saturating_sub(1));
    let begun = step(branch.first).map_or(0.0, |step| step.started);
    let ended = step(last).map_or(begun, |step| step.started);
    let to = if last == branch.first { String::new() } else { format!(" to {}", id(last)) };
    let count = format::plural(count as u64, "step", "steps");
    let steps = format!("{count} · {}{to} · {} for {}", id(branch.first), format::clock(begun), format::short_span(ended - begun));
    let open = shown.timeline.sessions().get(&shown.stream.0).is_some_and(inspector_model::Session::is_open);
    let here = nth == shown.tree.current();
    let live = here.then(|| if open && shown.timeline.source().is_attached() { "live now" } else { "ended here" });
    Words { from, edge, other, steps, live }
}

/// From the branch that was left to this one.
fn lines(ui: &Ui, t: &Tokens, rect: Rect, indent: f32, order: &[(usize, usize)], row: usize, branch: &Branch) {
    let depth = order[row].1;
    // Whether another branch of that level comes below.
    let goes_on =
        |level: usize| order[row + 1..].iter().find(|(_, below)| *below <= level + 1).is_some_and(|(_, below)| *below == level + 1);
    let stroke = Stroke::new(1.2, t.border);
    let painter = ui.painter_at(rect);
    for level in 0..depth.min(LEVELS) {
        let x = rect.left() + 16.0 + LEVEL * level as f32;
        if goes_on(level) {
            painter.vline(x, rect.y_range(), stroke);
        } else if level + 1 == depth {
            painter.vline(x, rect.top()..=rect.center().y, stroke);
        }
    }
    let dot = pos2(rect.left() + indent + 6.0, rect.center().y);
    if depth == 0 && order.len() > 1 {
        painter.vline(dot.x, dot.y..=rect.bottom(), stroke);
    }
    if depth > 0 {
        painter.hline(dot.x - LEVEL..=dot.x - 3.0, dot.y, stroke);
    }
    let icon = match branch.fork {
        None => Icon::Dot,
        Some(Fork { replay: Some(_), .. }) => Icon::Kind(inspector_model::StepKind::Replay),
        Some(_) => Icon::Fork,
    };
    let ink = if branch.fork.is_some() { t.moved } else { t.lane_event };
    icons::paint(&painter, Rect::from_center_size(dot, vec2(11.0, 11.0)), icon, ink);
}
