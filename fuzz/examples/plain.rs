//! A target without libFuzzer: `plain TARGET FILE` runs one input, `plain TARGET --minutes N` blind changes of the corpus.

#![allow(clippy::print_stdout, reason = "it is run by people")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use inspector_fuzz::{Target, target};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        [name, "--minutes", minutes] => match (target(name), minutes.parse::<u64>()) {
            (Some(target), Ok(minutes)) => blind(target, Duration::from_secs(60 * minutes)),
            _ => Err("a target and a number of minutes are needed".into()),
        },
        [name, file] => match target(name) {
            Some(target) => std::fs::read(file).map(|data| (target.run)(&data)).map_err(Into::into),
            None => Err(format!("there is no target {name}").into()),
        },
        _ => Err("usage: plain TARGET FILE | plain TARGET --minutes N".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let error: Box<dyn std::error::Error> = error;
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Changes inputs at random until the time is over. An input that breaks something is left in `target/fuzz/failed`.
fn blind(target: &Target, how_long: Duration) -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders: Vec<PathBuf> = [format!("fuzz/corpus/{}", target.name)].iter().map(|folder| root.join(folder)).collect();
    let folders = folders.into_iter().chain(target.also.iter().map(|folder| root.join(folder)));
    let mut inputs = Vec::new();
    for folder in folders {
        for entry in std::fs::read_dir(folder)? {
            inputs.push(std::fs::read(entry?.path())?);
        }
    }
    let failed = root.join("target/fuzz/failed");
    std::fs::create_dir_all(&failed)?;
    let last = failed.join(format!("{}-last", target.name));
    let (begun, mut runs) = (Instant::now(), 0_u64);
    let first = u64::from(std::process::id()) << 32;
    while begun.elapsed() < how_long {
        let mut data = inputs[runs as usize % inputs.len()].clone();
        for round in 0..=runs % 4 {
            data = target.changed(&data, &inputs, first + runs * 4 + round);
        }
        // Left behind when it panics or is killed.
        std::fs::write(&last, &data)?;
        (target.run)(&data);
        runs += 1;
    }
    std::fs::remove_file(&last)?;
    println!("{}: {runs} runs in {} s, nothing broke", target.name, begun.elapsed().as_secs());
    Ok(())
}
