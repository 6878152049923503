//! Memory of processes over time.

use std::fs;

use serde::{Deserialize, Serialize};

/// What a process took at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Seconds since the beginning.
    pub at: f64,
    /// What is counted: events, or pages.
    pub count: u64,
    /// Resident memory, bytes.
    pub bytes: u64,
}

/// Resident memory of a process, bytes; 0 where the system does not tell.
pub fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes: u64 = line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0);
    kilobytes * 1024
}

/// Bytes by which it grows with each thing that is counted, by the straight line that fits best (least squares) after the
/// first part was left out, in which caches fill: `warm_up` of 1.
pub fn growth(samples: &[Sample], warm_up: f64) -> f64 {
    let skipped = (samples.len() as f64 * warm_up) as usize;
    let samples = samples.get(skipped..).unwrap_or_default();
    let number = samples.len() as f64;
    let mean = |of: fn(&Sample) -> f64| samples.iter().map(of).sum::<f64>() / number;
    let (x, y) = (mean(|sample| sample.count as f64), mean(|sample| sample.bytes as f64));
    let (mut over, mut under) = (0.0, 0.0);
    for sample in samples {
        let dx = sample.count as f64 - x;
        over += dx * (sample.bytes as f64 - y);
        under += dx * dx;
    }
    if under > 0.0 { over / under } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_that_after_the_warm_up() {
        let sample = |count| Sample { at: 0.0, count, bytes: if count < 50 { 1_000 * count } else { 50_000 + 7 * (count - 50) } };
        let samples: Vec<Sample> = (0..100).map(sample).collect();
        assert!((growth(&samples, 0.5) - 7.0).abs() < 1e-6);
        assert!(growth(&samples, 0.0) > 100.0);
        assert!(growth(&[], 0.3).abs() < 1e-9);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_takes_memory() {
        assert!(resident(std::process::id()) > 1 << 20);
    }
}
