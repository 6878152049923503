//! What `deny.toml` excepts is said until when, and is still true.

#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use std::fs;
use std::path::Path;

fn file(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

#[test]
fn exceptions_are_dated_and_about_something_that_is_built_on() {
    let (policy, lock) = (file("deny.toml"), file("Cargo.lock"));
    let exceptions: Vec<&str> = policy.lines().map(str::trim).filter(|line| line.starts_with("{ id = ")).collect();
    assert!(!exceptions.is_empty());
    for exception in exceptions {
        let (_, reason) = exception.split_once("reason = \"until ").unwrap_or_else(|| panic!("no date: {exception}"));
        let (day, why) = reason.split_once(": ").unwrap_or_else(|| panic!("no reason: {exception}"));
        let form: String = day.chars().map(|sign| if sign.is_ascii_digit() { '0' } else { sign }).collect();
        assert_eq!(form, "0000-00-00", "{exception}");
        // The reason begins with the name of the crate.
        let name = why.split_whitespace().next().unwrap();
        assert!(lock.contains(&format!("name = \"{name}\"\n")), "nothing is built on {name} any more: {exception}");
    }
}

#[test]
fn every_crate_of_the_lock_file_has_a_checksum() {
    let lock = file("Cargo.lock");
    for package in lock.split("[[package]]").skip(1).filter(|package| package.contains("\nsource = ")) {
        assert!(package.contains("source = \"registry+https://github.com/rust-lang/crates.io-index\""), "{package}");
        assert!(package.contains("\nchecksum = \""), "{package}");
    }
}

#[test]
fn every_python_package_of_the_tests_has_a_hash() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/project/locks");
    let locks: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).collect();
    assert_eq!(locks.len(), 3);
    for lock in locks {
        let lines: Vec<&str> = lock.lines().collect();
        for pair in lines.windows(2).filter(|pair| pair[0].contains("==")) {
            assert!(pair[1].trim().starts_with("--hash=sha256:"), "{}", pair[0]);
        }
        // What the tests ask for is what the lock file has, where names are written in one way.
        for wanted in file("tests/project/requirements.txt").lines().filter(|line| line.contains("==")) {
            let locked = format!("{} ", wanted.to_lowercase().replace('_', "-"));
            assert!(lines.iter().any(|line| line.starts_with(&locked)), "{wanted}");
        }
    }
}
