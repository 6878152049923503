//! Subcommands on recordings: `list`, `show`, `diff`, `export`, `import`.

use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use inspector_diff::Options;
use inspector_engine::{MADE_PRIVATE, Places, SEALED};
use inspector_model::{
    ExportPreview, Op, RecordingId, Secret, SessionId, Side, StateAnswer, Status, Step, StepId, Value, find_bug_capture, parse_value,
};
use inspector_share::ShareError;
use inspector_store::{Opening, Reader, Store, StoreError};

use crate::arguments::{Diff, Export, Show};
use crate::live::listen_for_the_end;
use crate::passphrase;
use crate::terminal::{json, line, plain};

/// How wide a value may be on a terminal's line.
const VALUE_CHARS: usize = 100;

/// The library. Asks for its passphrase where it has one.
pub fn store(places: &Places) -> anyhow::Result<Store> {
    store_with(places, passphrase::of_library(places)?.as_ref())
}

/// The library, opened with this passphrase.
pub fn store_with(places: &Places, passphrase: Option<&Secret>) -> anyhow::Result<Store> {
    let mut opening = Opening { passphrase, ..Opening::default() };
    let told = AtomicBool::new(false);
    let tell = |_: u64, _: u64| {
        if !told.swap(true, Ordering::Relaxed) {
            eprintln!("The library of an earlier version is written anew, once …");
        }
        true
    };
    opening.progress = &tell;
    let (store, report) = Store::open_with(&places.data, &opening).context("the library cannot be opened")?;
    if let Some(path) = report.set_aside {
        eprintln!("The library was damaged and has been set aside, nothing of it was deleted: {}", path.display());
    }
    for (happened, words) in [(report.made_private, MADE_PRIVATE), (report.sealed, SEALED)] {
        if happened {
            eprintln!("{words}");
        }
    }
    Ok(store)
}

/// A recording by file, id, beginning of an id, or `latest`.
fn reader(places: &Places, name: &str) -> anyhow::Result<Reader> {
    let path = Path::new(name);
    if path.is_file() {
        let is_needed = |error: &StoreError| matches!(error, StoreError::PassphraseNeeded { .. });
        let reader =
            passphrase::with_file(places, is_needed, |passphrase| inspector_store::read_file_with(path, passphrase, &|_, _| true))?;
        if let Some(damage) = reader.damage() {
            eprintln!("The recording is damaged; what stands before the damage is shown: {}", line(damage));
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
        println!("{}", json(&recordings)?);
        return Ok(ExitCode::SUCCESS);
    }
    if recordings.is_empty() {
        eprintln!("No recordings yet; `djust-inspector run -- python manage.py runserver` makes one");
    }
    for info in recordings {
        println!(
            "{}  {:>7} steps  {:>9}  {:>3} pages  djust {}  {}{}",
            line(info.id.as_str()),
            info.steps,
            bytes(info.bytes),
            info.sessions,
            line(&info.djust),
            line(&info.title),
            if info.kept { "  kept" } else { "" }
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
            println!("{}", json(&serde_json::json!({"info": reader.info(), "steps": steps, "sessions": reader.sessions()?}))?);
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
            StateAnswer::Missing(why) => serde_json::json!({"missing": why}),
        };
        let whole = serde_json::json!({"step": step, "detail": detail, "before": state(&before), "after": state(&after)});
        println!("{}", json(&whole)?);
        return Ok(ExitCode::SUCCESS);
    }
    println!("{}", step_line(step));
    if let Some(params) = detail.raw_params.or(detail.params) {
        println!("params  {}", line(&params));
    }
    if let Some(error) = &detail.error {
        println!("error   {}", plain(error.traceback.as_deref().unwrap_or(&error.message)));
    }
    for query in &detail.sql {
        println!("sql     {:.2} ms  {}", query.ms, line(&query.sql));
    }
    for record in &detail.logs {
        println!("log     {} {}: {}", line(&record.level), line(&record.logger), plain(&record.message));
    }
    match after {
        StateAnswer::Full(text) => {
            if let Value::Map(assigns) = parse_value(&text)? {
                for (name, value) in assigns {
                    println!("state   {} = {}", line(&name), line(&value.summary(VALUE_CHARS)));
                }
            }
        }
        StateAnswer::Missing(why) => println!("state   missing: {}", line(&why)),
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
        println!("{}", json(&diff)?);
    } else {
        for change in &diff.changes {
            let path = line(&change.path.to_string());
            match &change.op {
                Op::Added(value) => println!("+ {path}  {}", line(&value.summary(VALUE_CHARS))),
                Op::Removed(value) => println!("- {path}  {}", line(&value.summary(VALUE_CHARS))),
                Op::Changed { before, after } => {
                    println!("~ {path}  {} -> {}", line(&before.summary(VALUE_CHARS)), line(&after.summary(VALUE_CHARS)));
                }
                Op::Text { before, after, hunks } => {
                    println!("~ {path}");
                    for hunk in hunks {
                        println!("    - {}", line(before.get(hunk.before.clone()).unwrap_or_default()));
                        println!("    + {}", line(after.get(hunk.after.clone()).unwrap_or_default()));
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

/// Writes a recording, or some of its steps, to a file; or says what that would hold and keep back.
pub fn export(places: &Places, export: &Export) -> anyhow::Result<ExitCode> {
    let reader = reader(places, &export.recording)?;
    let mut options = export.options(|name| session(&reader, name))?;
    if export.encrypt {
        options.passphrase = Some(passphrase::new(None)?);
    }
    let Some(file) = export.file.as_deref().filter(|_| !export.preview) else {
        let preview = inspector_share::preview(&reader, &options, &|_, _| true)?;
        if export.json {
            println!("{}", json(&preview)?);
        } else {
            print_preview(&preview, options.redaction.off);
        }
        return Ok(ExitCode::SUCCESS);
    };
    // Whoever stops it finds no part of it, and no folder that it was made in.
    let interrupted = listen_for_the_end(|| {})?;
    let done = inspector_share::export(&reader, &options, file, &|_, _| !interrupted())?;
    if export.json {
        println!("{}", json(&serde_json::json!({"bytes": done.bytes, "preview": done.preview}))?);
    } else {
        print_preview(&done.preview, options.redaction.off);
    }
    eprintln!("Written, {}: {}", bytes(done.bytes), file.display());
    Ok(ExitCode::SUCCESS)
}

fn print_preview(preview: &ExportPreview, off: bool) {
    let plural = |count: u64, what: &str| if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") };
    println!("{} of {}", plural(preview.steps, "step"), plural(preview.pages, "page"));
    if off {
        println!("Nothing is kept back: the redaction is switched off");
    } else if preview.kept_back.is_empty() {
        println!("Nothing in them looks like a secret");
    }
    for kept in &preview.kept_back {
        let examples: Vec<String> = kept.examples.iter().map(|example| line(example)).collect();
        println!(
            "{:>7} kept back  {:<20} {:<26} {} different  {}",
            kept.count,
            kept.place.label(),
            kept.rule.label(),
            kept.different,
            examples.join(", ")
        );
    }
}

/// A page of a recording by the beginning of its id.
fn session(reader: &Reader, name: &str) -> anyhow::Result<SessionId> {
    let sessions = reader.sessions()?;
    let matching: Vec<_> = sessions.iter().filter(|session| session.id.as_str().starts_with(name)).collect();
    match matching.as_slice() {
        [only] => Ok(only.id.clone()),
        [] => anyhow::bail!("the recording has no page whose id begins so; see `djust-inspector show RECORDING --json`: {name}"),
        several => anyhow::bail!("{} pages' ids begin so; give more of the id: {name}", several.len()),
    }
}

/// Takes a file or the text of a bug capture into the library.
pub fn import(places: &Places, what: &str, as_json: bool) -> anyhow::Result<ExitCode> {
    let store = store(places)?;
    let now = crate::now()?;
    let path = Path::new(what);
    let imported = if !path.is_file() && find_bug_capture(what).is_some() {
        inspector_share::import_text(what, &store, now)?
    } else {
        let is_needed = |error: &ShareError| matches!(error, ShareError::Store(StoreError::PassphraseNeeded { .. }));
        let import = |passphrase: Option<&Secret>| inspector_share::import_file_with(path, passphrase, &store, now, &|_, _| true);
        passphrase::with_file(places, is_needed, import)?
    };
    if as_json {
        println!("{}", json(&serde_json::json!({"id": imported.id, "steps": imported.steps, "damaged": imported.damaged}))?);
    } else {
        println!("{}", imported.id);
        eprintln!("{} steps imported", imported.steps);
    }
    if let Some(damage) = &imported.damaged {
        eprintln!("The file is damaged; what stands before the damage was imported: {}", line(damage));
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
        (status, Some(error)) => format!("  {}: {}", status.word(), line(error)),
        (status, None) => format!("  {}", status.word()),
    };
    let session = step.session.as_ref().map_or_else(|| "-".to_owned(), |session| line(session.as_str()).chars().take(8).collect());
    format!(
        "{:>6}  {session:<8}  {:<12}  {:<24}  {:>10}  {:>9}{status}",
        step.id,
        step.kind.word(),
        line(&what),
        step.changes.to_string(),
        ms
    )
}

/// A size in words.
pub fn bytes(count: u64) -> String {
    match count {
        0..1_000 => format!("{count} B"),
        1_000..1_000_000 => format!("{:.1} kB", count as f64 / 1e3),
        _ => format!("{:.1} MB", count as f64 / 1e6),
    }
}
