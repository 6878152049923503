//! `token new`: a token for a staging server, and the settings that know it by its hash only.

use std::process::ExitCode;

use anyhow::{bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use inspector_model::civil;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::arguments::NewToken;

/// What every token begins with: scanners of secrets find a leaked one by it.
const PREFIX: &str = "djins_";
/// Seconds.
const DAY: f64 = 86_400.0;
/// Names that the agent gives to tokens which are not in `tokens`.
const OWN_NAMES: [&str; 3] = ["environment", "settings", "development"];

/// Makes a token and says how the server knows it. It is kept nowhere.
pub fn new(wish: &NewToken) -> anyhow::Result<ExitCode> {
    check_name(&wish.name)?;
    if let Some(expires) = &wish.expires {
        check_expiry(expires, crate::now()?)?;
    }
    let token = random()?;
    let hash = hash(&token);
    let settings = settings(&wish.name, &hash, wish.expires.as_deref(), wish.writes);
    if wish.json {
        let made = json!({
            "name": wish.name, "token": token, "hash": hash, "expires": wish.expires, "writes": wish.writes, "settings": settings,
        });
        println!("{made}");
        return Ok(ExitCode::SUCCESS);
    }
    println!("Token, for whoever attaches. It is not shown again and kept nowhere: copy it now\n\n    {token}\n");
    println!("Its hash, for the server\n\n    {hash}\n");
    println!("In the server's settings\n\n{settings}");
    println!("Then attach with\n\n    DJUST_INSPECTOR_TOKEN=… djust-inspector attach https://…");
    Ok(ExitCode::SUCCESS)
}

/// 256 bits of the operating system's randomness, as text.
fn random() -> anyhow::Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("the operating system gives no random numbers: {error}"))?;
    Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

/// What stands in the settings for a token.
fn hash(token: &str) -> String {
    use std::fmt::Write as _;

    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(token.as_bytes()) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The settings block, in Python. Name and expiry have been checked: neither has a quote.
fn settings(name: &str, hash: &str, expires: Option<&str>, writes: bool) -> String {
    let expires = expires.map(|expires| format!(", \"expires\": \"{expires}\"")).unwrap_or_default();
    let writes = if writes { ", \"writes\": True" } else { "" };
    format!("DJUST_INSPECTOR = {{\n    \"tokens\": {{\n        \"{name}\": {{\"hash\": \"{hash}\"{expires}{writes}}},\n    }},\n}}\n")
}

/// The agent's own rule.
fn check_name(name: &str) -> anyhow::Result<()> {
    let plain = name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "._@-".contains(c));
    ensure!(plain, "the agent takes no token of this name; use at most 64 letters, digits and . _ @ -, a letter or digit first");
    ensure!(!OWN_NAMES.contains(&name), "{name} is a name of the agent's own; choose another with --name");
    Ok(())
}

/// A date or a time in UTC that is still to come, as the agent reads it.
fn check_expiry(text: &str, now: f64) -> anyhow::Result<()> {
    let Some(at) = moment(text) else {
        bail!("{text:?} is no date or time; write 2027-01-31 or 2027-01-31T18:00:00Z, in UTC");
    };
    let (today, second) = (civil((now / DAY).floor() as i64), (now % DAY) as u32);
    ensure!(at > (today, second), "the token would have expired already; give --expires a moment that is still to come: {text}");
    Ok(())
}

/// Year, month and day, and the second of it. Only what every Python of the agent reads.
fn moment(text: &str) -> Option<((i64, i64, i64), u32)> {
    let (date, time) = text.split_once('T').map_or((text, None), |(date, time)| (date, Some(time)));
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    let second = match time.map(|time| time.strip_suffix('Z').unwrap_or(time)) {
        None => 0,
        Some(time) => {
            let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
            (hour < 24 && minute < 60 && second < 60).then_some(hour * 3600 + minute * 60 + second)?
        }
    };
    (year > 0 && (1..=days).contains(&day)).then_some(((year.into(), month.into(), day.into()), second))
}

/// Three numbers with exactly so many digits.
fn numbers(text: &str, separator: char, digits: [usize; 3]) -> Option<[u32; 3]> {
    let parts: Vec<&str> = text.split(separator).collect();
    let parts: [&str; 3] = parts.try_into().ok()?;
    let mut out = [0; 3];
    for ((part, digits), out) in parts.into_iter().zip(digits).zip(&mut out) {
        if part.len() != digits || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *out = part.parse().ok()?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-24T18:00:00Z.
    const NOW: f64 = 1_795_543_200.0;

    #[test]
    fn a_token_has_256_bits_and_no_two_are_the_same() {
        let token = random().unwrap();
        let bits = token.strip_prefix("djins_").unwrap();
        assert_eq!(bits.len(), 43);
        assert_eq!(URL_SAFE_NO_PAD.decode(bits).unwrap().len(), 32);
        assert_ne!(token, random().unwrap());
    }

    #[test]
    fn the_hash_is_sha_256_in_lower_case() {
        assert_eq!(hash("abc"), "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn only_names_that_the_agent_takes_are_taken() {
        for name in ["ann", "a", "ann@example.com", "ci-2", &"n".repeat(64)] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in ["", "settings", "environment", "development", "-a", "a b", "a\"b", "ä", "a\n", &"n".repeat(65)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn an_expiry_is_a_moment_to_come() {
        for text in ["2027-01-31", "2028-02-29", "2026-11-24T18:00:01Z", "2026-11-24T18:00:01"] {
            check_expiry(text, NOW).unwrap();
        }
        for text in ["2026-11-24", "2026-11-24T18:00:00Z", "1999-01-01"] {
            assert!(check_expiry(text, NOW).unwrap_err().to_string().contains("expired"), "{text}");
        }
        for text in ["", "tomorrow", "2027-02-29", "2027-13-01", "2027-1-31", "2027-01-31T24:00:00Z", "2027-01-31\"", "31.01.2027"] {
            assert!(check_expiry(text, NOW).unwrap_err().to_string().contains("no date or time"), "{text}");
        }
    }
}
