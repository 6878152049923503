//! Every sample opens, is whole, and holds what its README says. A change of format that breaks an old file fails here.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test stops where something is wrong")]

use std::path::PathBuf;

use inspector_diff::{Options, apply, diff};
use inspector_model::{Side, StateAnswer, Status, StepKind, parse_value};
use inspector_store::Reader;

fn samples() -> Vec<(String, Reader)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("recordings");
    let mut samples: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder")
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "djrec"))
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            let reader = inspector_store::read_file(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
            (name, reader)
        })
        .collect();
    samples.sort_by(|a, b| a.0.cmp(&b.0));
    samples
}

fn sample(name: &str) -> Reader {
    samples().into_iter().find(|(sample, _)| sample == name).unwrap_or_else(|| panic!("no sample {name}")).1
}

#[test]
fn all_samples_of_the_readme_are_there_and_whole() {
    let readme = std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("recordings/README.md")).expect("the README");
    let samples = samples();
    assert!(samples.len() >= 6);
    for (name, reader) in samples {
        assert!(readme.contains(&format!("`{name}.djrec`")), "the README does not speak of {name}");
        assert_eq!(reader.damage(), None, "{name}");
        assert!(reader.server().expect("readable").is_some(), "{name} has its server");
        assert_eq!(reader.config().expect("readable").expect("a configuration").keys.len(), 33, "{name}");
        assert!(!reader.sessions().expect("readable").is_empty(), "{name} has pages");
    }
}

#[test]
fn every_state_of_every_sample_is_read_and_every_diff_can_be_applied() {
    for (name, reader) in samples() {
        for step in reader.steps().expect("steps") {
            reader.detail(step.id).unwrap_or_else(|error| panic!("{name} {}: {error}", step.id));
            if !step.has_states() {
                continue;
            }
            let StateAnswer::Full(after) = reader.state(step.id, Side::After).expect("readable") else {
                panic!("{name}: no state after step {}", step.id)
            };
            let after = parse_value(&after).expect("a value");
            if let StateAnswer::Full(before) = reader.state(step.id, Side::Before).expect("readable") {
                let before = parse_value(&before).expect("a value");
                let found = diff(&before, &after, &Options::default());
                assert_eq!(found.counts, step.changes, "{name} step {}", step.id);
                let applied = apply(&before, &found).unwrap_or_else(|error| panic!("{name} step {}: {error}", step.id));
                assert!(diff(&applied, &after, &Options::default()).changes.is_empty(), "{name} step {}", step.id);
            }
        }
    }
}

#[test]
fn every_page_of_every_sample_can_be_shown_as_it_looked() {
    for (name, reader) in samples() {
        for step in reader.steps().expect("steps").iter().filter(|step| step.rendered) {
            let session = step.session.as_ref().expect("a rendered step has a page");
            let shell = reader.shell(session).expect("readable").unwrap_or_else(|| panic!("{name}: no surroundings of {session}"));
            let html = reader.html(step.id, Side::After).expect("readable").expect("a rendered step has HTML");
            assert!(shell.before.to_lowercase().starts_with("<!doctype html>"), "{name} step {}", step.id);
            assert!(shell.after.trim_end().ends_with("</html>"), "{name} step {}", step.id);
            assert!(!html.is_empty() && !html.contains("</html>"), "{name} step {}", step.id);
            assert!(shell.styles.iter().any(|style| style.text.contains("--page:")), "{name}: the project's stylesheet");
            for part in [&shell.before, &shell.after] {
                assert!(!part.contains("<script"), "{name} step {}", step.id);
            }
        }
    }
}

#[test]
fn samples_show_what_their_readme_says() {
    let kinds =
        |name: &str, kind: StepKind| sample(name).steps().expect("steps").into_iter().filter(|step| step.kind == kind).collect::<Vec<_>>();
    assert!(!kinds("counter", StepKind::Jump).is_empty() && !kinds("counter", StepKind::Replay).is_empty());
    assert!(kinds("form", StepKind::Event).iter().any(|step| step.status == Status::Raised && step.changes.added == 2));
    assert!(kinds("form", StepKind::Event).iter().any(|step| step.changes.moved == 1 && step.changes.total() == 1));
    assert!(!kinds("rate_limit", StepKind::RateLimited).is_empty() && !kinds("rate_limit", StepKind::Close).is_empty());
    assert_eq!(kinds("hvr", StepKind::Hvr).len(), 2);
    assert!(kinds("big_state", StepKind::Event).iter().any(|step| step.state_bytes > 200_000));
    assert!(sample("components").steps().expect("steps").iter().any(|step| step.view.is_some()));
    assert!(sample("components").steps().expect("steps").iter().any(|step| step.component.is_some()));
    assert_eq!(kinds("shop", StepKind::Event).last().expect("an event").status, Status::Raised);
}
