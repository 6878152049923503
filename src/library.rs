//! Subcommands on recordings: `list`, `show`, `diff`, `export`, `import`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use inspector_diff::Options;
use inspector_engine::Places;
use inspector_model::{Op, RecordingId, Side, StateAnswer, Status, Step, StepId, Value, parse_value};
use inspector_store::{Reader, Store};
use serde_json::json;

use crate::arguments::{Diff, Show};

/// How wide a value may be on a terminal's line.
const VALUE_CHARS: usize = 100;

fn store(places: &Places) -> anyhow::Result<Store> {
    let (store, report) = Store::open(&places.data).context("the library cannot be opened")?;
    if let Some(path) = report.set_aside {
        eprintln!("The library was damaged and has been set aside, nothing of it was deleted: {}", path.display());
    }
    Ok(store)
}

/// A recording by file, id, beginning of an id, or `latest`.
fn reader(places: &Places, name: &str) -> anyhow::Result<Reader> {
    let path = Path::new(name);
    if path.is_file() {
        let reader = inspector_store::read_file(path)?;
        if let Some(damage) = reader.damage() {
            eprintln!("The recording is damaged; what stands before the damage is shown: {damage}");
        }
        return Ok(reader);
    }
    let store = store(places)?;
    let id = find(&store, name)?;
    Ok(store.read(&id)?)
}

/// An id by its beginning, or the latest.
pub fn find(store: &Store, name: &str) -> anyhow::Result<RecordingId> {
    let recordings = store.recordings()?;
    if name == "latest" {
        return recordings.first().map(|info| info.id.clone()).context("the library has no recordings yet");
    }
    let matching: Vec<_> = recordings.iter().filter(|info| info.id.as_str().starts_with(name)).collect();
    match matching.as_slice() {
        [only] => Ok(only.id.clone()),
        [] => anyhow::bail!("there is no file and no recording of this name; see `djust-inspector list`: {name}"),
        several => anyhow::bail!("{} recordings begin so; give more of the id: {name}", several.len()),
    }
}

/// Lists the library, newest first.
pub fn list(places: &Places, as_json: bool) -> anyhow::Result<ExitCode> {
    let recordings = store(places)?.recordings()?;
    if as_json {
        println!("{}", serde_json::to_string_pretty(&recordings)?);
        return Ok(ExitCode::SUCCESS);
    }
    if recordings.is_empty() {
        eprintln!("No recordings yet; `djust-inspector run -- python manage.py runserver` makes one");
    }
    for info in recordings {
        println!(
            "{}  {:>7} steps  {:>9}  {:>3} pages  djust {}  {}",
            info.id,
            info.steps,
            bytes(info.bytes),
            info.sessions,
            info.djust,
            plain(&info.title)
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Shows all steps, or one.
pub fn show(places: &Places, show: &Show) -> anyhow::Result<ExitCode> {
    let reader = reader(places, &show.recording)?;
    let steps = reader.steps()?;
    let Some(number) = show.step else {
        if show.json {
            println!("{}", serde_json::to_string_pretty(&json!({"info": reader.info(), "steps": steps, "sessions": reader.sessions()?}))?);
        } else {
            for step in &steps {
                println!("{}", step_line(step));
            }
        }
        return Ok(ExitCode::SUCCESS);
    };
    let step = steps.iter().find(|step| step.id == StepId(number)).with_context(|| format!("the recording has no step {number}"))?;
    let detail = reader.detail(step.id)?;
    let before = reader.state(step.id, Side::Before)?;
    let after = reader.state(step.id, Side::After)?;
    if show.json {
        let state = |answer: &StateAnswer| match answer {
            StateAnswer::Full(text) => serde_json::from_str(text).unwrap_or(serde_json::Value::Null),
            StateAnswer::Missing(why) => json!({"missing": why}),
        };
        let whole = json!({"step": step, "detail": detail, "before": state(&before), "after": state(&after)});
        println!("{}", serde_json::to_string_pretty(&whole)?);
        return Ok(ExitCode::SUCCESS);
    }
    println!("{}", step_line(step));
    if let Some(params) = detail.raw_params.or(detail.params) {
        println!("params  {}", plain(&params));
    }
    if let Some(error) = &detail.error {
        println!("error   {}", plain(error.traceback.as_deref().unwrap_or(&error.message)));
    }
    for query in &detail.sql {
        println!("sql     {:.2} ms  {}", query.ms, plain(&query.sql));
    }
    for record in &detail.logs {
        println!("log     {} {}: {}", record.level, record.logger, plain(&record.message));
    }
    match after {
        StateAnswer::Full(text) => {
            if let Value::Map(assigns) = parse_value(&text)? {
                for (name, value) in assigns {
                    println!("state   {} = {}", plain(&name), plain(&value.summary(VALUE_CHARS)));
                }
            }
        }
        StateAnswer::Missing(why) => println!("state   missing: {why}"),
    }
    Ok(ExitCode::SUCCESS)
}

/// Shows what differs.
pub fn diff(places: &Places, arguments: &Diff) -> anyhow::Result<ExitCode> {
    let reader = reader(places, &arguments.recording)?;
    let (from, to) = match arguments.to {
        None => ((arguments.from.0, Side::Before), (arguments.from.0, arguments.from.1.unwrap_or(Side::After))),
        Some(to) => ((arguments.from.0, arguments.from.1.unwrap_or(Side::After)), (to.0, to.1.unwrap_or(Side::After))),
    };
    let before = state(&reader, from)?;
    let after = state(&reader, to)?;
    let options = Options { deadline: std::time::Duration::from_secs(2), ..Options::default() };
    let diff = inspector_diff::diff(&before, &after, &options);
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&diff)?);
    } else {
        for change in &diff.changes {
            let path = plain(&change.path.to_string());
            match &change.op {
                Op::Added(value) => println!("+ {path}  {}", plain(&value.summary(VALUE_CHARS))),
                Op::Removed(value) => println!("- {path}  {}", plain(&value.summary(VALUE_CHARS))),
                Op::Changed { before, after } => {
                    println!("~ {path}  {} -> {}", plain(&before.summary(VALUE_CHARS)), plain(&after.summary(VALUE_CHARS)));
                }
                Op::Text { before, after, hunks } => {
                    println!("~ {path}");
                    for hunk in hunks {
                        println!("    - {}", plain(before.get(hunk.before.clone()).unwrap_or_default()));
                        println!("    + {}", plain(after.get(hunk.after.clone()).unwrap_or_default()));
                    }
                }
                Op::Moved { from } => println!("> {path}  from [{from}]"),
                Op::Reordered { order, .. } => println!("> {path}  {} elements in another order", order.len()),
            }
        }
        if diff.cut_short {
            eprintln!("Cut short: some places are shown as replaced whole");
        }
    }
    let differs = arguments.exit_code && !diff.changes.is_empty();
    Ok(if differs { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn state(reader: &Reader, (step, side): (StepId, Side)) -> anyhow::Result<Value> {
    match reader.state(step, side)? {
        StateAnswer::Full(text) => Ok(parse_value(&text)?),
        StateAnswer::Missing(why) => {
            anyhow::bail!("there is no state {} step {step}: {why}", if side == Side::Before { "before" } else { "after" })
        }
    }
}

/// Writes a recording to a file.
pub fn export(places: &Places, recording: &str, file: &Path) -> anyhow::Result<ExitCode> {
    let store = store(places)?;
    let id = find(&store, recording)?;
    let written = store.export(&id, file)?;
    eprintln!("Written, {}: {}", bytes(written), file.display());
    Ok(ExitCode::SUCCESS)
}

/// Takes a file into the library.
pub fn import(places: &Places, file: &Path, as_json: bool) -> anyhow::Result<ExitCode> {
    let imported = store(places)?.import(file)?;
    if as_json {
        println!("{}", json!({"id": imported.id, "steps": imported.steps, "damaged": imported.damaged}));
    } else {
        println!("{}", imported.id);
        eprintln!("{} steps imported", imported.steps);
    }
    if let Some(damage) = &imported.damaged {
        eprintln!("The file is damaged; what stands before the damage was imported: {damage}");
    }
    Ok(ExitCode::SUCCESS)
}

/// One step as a line.
pub fn step_line(step: &Step) -> String {
    let what = match &step.component {
        Some(component) => format!("{} ({component})", step.name),
        None => step.name.clone(),
    };
    let ms = step.duration_ms.map_or_else(String::new, |ms| format!("{ms:.1} ms"));
    let status = match (step.status, &step.error) {
        (Status::Ok, _) => String::new(),
        (status, Some(error)) => format!("  {}: {}", status.word(), plain(error)),
        (status, None) => format!("  {}", status.word()),
    };
    let session = step.session.as_ref().map_or("-", |session| session.as_str().get(..8).unwrap_or(session.as_str()));
    format!(
        "{:>6}  {session:<8}  {:<12}  {:<24}  {:>10}  {:>9}{status}",
        step.id,
        step.kind.word(),
        plain(&what),
        step.changes.to_string(),
        ms
    )
}

/// Recorded text on a terminal: control characters, which could be escape sequences, are shown and not sent.
pub fn plain(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() && c != '\n' { c.escape_default().collect::<Vec<_>>() } else { vec![c] }).collect()
}

fn bytes(count: u64) -> String {
    match count {
        0..1_000 => format!("{count} B"),
        1_000..1_000_000 => format!("{:.1} kB", count as f64 / 1e3),
        _ => format!("{:.1} MB", count as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_of_recorded_text_do_not_reach_the_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\u{7}"), "a\\u{1b}[2Jb\\u{7}");
        assert_eq!(plain("Grüße\n"), "Grüße\n");
    }
}
