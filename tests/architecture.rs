//! The arrows of ARCHITECTURE.md, read from `cargo metadata`: this fails when one turns round.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test stops where something is wrong")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// For each package of ours: which others of ours it may use.
const ALLOWED: [(&str, &[&str]); 14] = [
    ("inspector-model", &[]),
    ("inspector-protocol", &["inspector-model"]),
    ("inspector-tape", &["inspector-model"]),
    ("inspector-diff", &["inspector-model", "inspector-tape"]),
    ("inspector-store", &["inspector-model", "inspector-tape"]),
    ("inspector-page", &["inspector-model"]),
    ("inspector-share", &["inspector-model", "inspector-tape", "inspector-diff", "inspector-store", "inspector-page"]),
    (
        "inspector-engine",
        &["inspector-model", "inspector-protocol", "inspector-tape", "inspector-diff", "inspector-store", "inspector-share"],
    ),
    ("inspector-ui", &["inspector-model"]),
    ("inspector-app", &["inspector-model", "inspector-page", "inspector-engine"]),
    ("inspector-test-support", &[]),
    (
        "inspector-fuzz",
        &[
            "inspector-model",
            "inspector-tape",
            "inspector-store",
            "inspector-page",
            "inspector-share",
            "inspector-engine",
            "inspector-ui",
            "inspector-test-support",
        ],
    ),
    ("inspector-soak", &["inspector-model", "inspector-engine", "inspector-test-support"]),
    ("inspector-bench", &["inspector-model", "inspector-tape", "inspector-diff", "inspector-store", "inspector-engine"]),
];

/// Libraries that only one package of ours may know.
const OWNED: [(&str, &[&str]); 5] = [
    ("sled", &["inspector-store", "inspector-bench"]),
    // Of the tests it is what takes pictures.
    ("egui", &["inspector-ui", "inspector-test-support"]),
    ("wasm-bindgen", &["inspector-ui"]),
    ("tauri", &["inspector-app"]),
    ("tokio-tungstenite", &["inspector-engine", "inspector-test-support", "inspector-bench", "inspector-soak"]),
];

fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO")).args(["metadata", "--format-version", "1", "--no-deps"]).output().expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    packages
        .iter()
        .map(|package| {
            // What only tests use does not shape the program.
            let used = package["dependencies"].as_array().expect("dependencies").iter().filter(|used| used["kind"] != "dev");
            let names = used.filter_map(|used| used["name"].as_str()).map(str::to_owned).collect();
            (package["name"].as_str().expect("a name").to_owned(), names)
        })
        .collect()
}

#[test]
fn packages_use_only_what_they_may() {
    let dependencies = dependencies();
    for (package, allowed) in ALLOWED {
        let used = dependencies.get(package).unwrap_or_else(|| panic!("{package} is not in the workspace"));
        let ours: Vec<&String> = used.iter().filter(|name| name.starts_with("inspector-")).collect();
        assert!(ours.iter().all(|name| allowed.contains(&name.as_str())), "{package} uses {ours:?}, allowed: {allowed:?}");
    }
}

#[test]
fn libraries_stay_with_their_owner() {
    for (package, used) in dependencies() {
        for (library, owners) in OWNED {
            assert!(!used.contains(library) || owners.contains(&package.as_str()), "{package} must not know {library}");
        }
    }
}
