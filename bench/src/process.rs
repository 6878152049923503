//! What the system says of this process. Linux only: elsewhere zero.

use std::fs;
use std::time::Duration;

/// CPU time so far, of all threads.
pub fn cpu_time() -> Duration {
    // Ticks are a hundredth of a second on every Linux there is.
    const TICK: Duration = Duration::from_millis(10);
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // After the name, which may have anything in it, user and system time are the 12th and 13th.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    TICK * fields.filter_map(|field| field.parse::<u32>().ok()).sum::<u32>()
}

/// The most memory that it ever had, in bytes.
pub fn peak_memory() -> u64 {
    status("VmHWM:")
}

/// The memory that it has, in bytes.
pub fn memory() -> u64 {
    status("VmRSS:")
}

fn status(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kb = status.lines().find_map(|line| line.strip_prefix(name)?.trim().split(' ').next()?.parse::<u64>().ok());
    kb.unwrap_or_default() << 10
}
