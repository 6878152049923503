//! Numbers, times and sizes as people read them.

/// `12:03:01.120`, UTC of the day. Nonsense times become `—`.
pub fn clock(unix: f64) -> String {
    if !unix.is_finite() || unix <= 0.0 {
        return "—".to_owned();
    }
    let ms = (unix * 1000.0).round() as i64;
    let (secs, ms) = (ms.div_euclid(1000), ms.rem_euclid(1000));
    let day = secs.rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}.{ms:03}", day / 3600, day / 60 % 60, day % 60)
}

/// `2026-11-23 12:03`, UTC.
pub fn date(unix: f64) -> String {
    if !unix.is_finite() || unix <= 0.0 {
        return "—".to_owned();
    }
    let secs = unix as i64;
    let (year, month, day) = inspector_model::civil(secs.div_euclid(86_400));
    let of_day = secs.rem_euclid(86_400);
    format!("{year}-{month:02}-{day:02} {:02}:{:02}", of_day / 3600, of_day / 60 % 60)
}

/// `00:12:31`.
pub fn span(secs: f64) -> String {
    let secs = if secs.is_finite() { secs.max(0.0) as u64 } else { 0 };
    format!("{:02}:{:02}:{:02}", secs / 3600, secs / 60 % 60, secs % 60)
}

/// A short time for axes: `1.5 s`, `20 ms`, `3 min`.
pub fn short_span(secs: f64) -> String {
    let (value, unit) = if secs <= 0.0 {
        (0.0, "s")
    } else if secs < 0.001 {
        (secs * 1e6, "µs")
    } else if secs < 1.0 {
        (secs * 1e3, "ms")
    } else if secs < 120.0 {
        (secs, "s")
    } else if secs < 7200.0 {
        (secs / 60.0, "min")
    } else {
        (secs / 3600.0, "h")
    };
    let text = format!("{value:.1}");
    format!("{} {unit}", text.strip_suffix(".0").unwrap_or(&text))
}

/// `1.1 MB`.
pub fn bytes(count: u64) -> String {
    match count {
        0..=999 => format!("{count} B"),
        1000..=999_999 => format!("{:.1} KB", count as f64 / 1e3),
        1_000_000..=999_999_999 => format!("{:.1} MB", count as f64 / 1e6),
        _ => format!("{:.1} GB", count as f64 / 1e9),
    }
}

/// `4 211`, with thin spaces.
pub fn count(number: u64) -> String {
    inspector_model::grouped(&number.to_string(), '\u{2009}')
}

/// `3.4`, `120`, `—` when unknown.
pub fn millis(ms: Option<f64>) -> String {
    match ms {
        None => "—".to_owned(),
        Some(ms) if ms >= 100.0 => format!("{ms:.0}"),
        Some(ms) if ms >= 10.0 => format!("{ms:.1}"),
        Some(ms) => format!("{ms:.2}"),
    }
}

/// `1 step`, `2 steps`.
pub fn plural(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// At most `limit` characters of the first line, with an ellipsis when something was left out.
pub fn clip(text: &str, limit: usize) -> String {
    let mut out = String::new();
    for (index, c) in text.chars().enumerate() {
        if index >= limit || c == '\n' {
            out.push('…');
            break;
        }
        out.push(if is_misleading(c) { ' ' } else { c });
    }
    out
}

/// Whether a sign is not seen and is no part of one that is: it makes a name look like another one.
pub fn is_misleading(c: char) -> bool {
    inspector_model::is_invisible(c) && !matches!(c, '\u{200c}' | '\u{200d}')
}

/// `shop.views.CartView` → `CartView`.
pub fn short_class(dotted: &str) -> &str {
    dotted.rsplit('.').next().unwrap_or(dotted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_read_well() {
        assert_eq!(clock(43_381.12), "12:03:01.120");
        assert_eq!(clock(f64::NAN), "—");
        assert_eq!(date(1_795_435_200.0), "2026-11-23 12:00");
        assert_eq!(date(951_782_400.0), "2000-02-29 00:00");
        assert_eq!(span(751.0), "00:12:31");
        assert_eq!(bytes(1_100_000), "1.1 MB");
        assert_eq!(count(4211), "4\u{2009}211");
        assert_eq!(short_span(0.02), "20 ms");
        assert_eq!(millis(Some(3.42)), "3.42");
        assert_eq!(clip("abcdef", 3), "abc…");
        assert_eq!(clip("ab\ncd", 10), "ab…");
    }
}
