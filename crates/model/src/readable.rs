//! What numbers and texts need to be read by people: days as dates, digits in groups, signs that nobody would see.

/// Year, month and day of a day number since 1970, by counting in 400-year eras that begin on 1 March.
pub const fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + (month <= 2) as i64, month, day)
}

/// Digits in groups of three: `12345` → `12,345` with a comma.
pub fn grouped(digits: &str, separator: char) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 * separator.len_utf8());
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(separator);
        }
        out.push(digit);
    }
    out
}

/// Whether a reader would not see what a sign does: controls, separators, marks of direction, fillers, tags.
pub fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}' | '\u{f0000}'..='\u{10ffff}')
}

/// A text in which everything can be seen: what is invisible is written as its number, but for what `keep` keeps. Signs that join
/// others stay where they join letters or emoji; between plain letters they only make one name look like another.
pub fn visible(text: &str, keep: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut before = None;
    while let Some(c) = chars.next() {
        let joins = |other: Option<char>| other.is_some_and(|other| !other.is_ascii() && !is_invisible(other));
        let is_part = matches!(c, '\u{200c}' | '\u{200d}') && joins(before) && joins(chars.peek().copied());
        if is_invisible(c) && !keep(c) && !is_part {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
        before = Some(c);
    }
    out
}

/// A text for menus, notifications and the titles of windows, which the desktop draws: one line of at most so many characters, where all is
/// seen and nothing is markup. A notification may show `<a href>` as a link.
pub fn for_desktop(text: &str, most: usize) -> String {
    let seen = visible(text, |_| false);
    let signs = seen.chars().map(|c| match c {
        '<' => '‹',
        '>' => '›',
        '&' => '＆',
        c => c,
    });
    if seen.chars().count() <= most { signs.collect() } else { signs.take(most.saturating_sub(1)).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_invisible_is_written_as_its_number() {
        for (text, expected) in [
            ("a\u{1b}[2J\u{7}", "a\\u{1b}[2J\\u{7}"),
            ("\u{9b}31m\u{85}", "\\u{9b}31m\\u{85}"),
            ("\u{202e}a\u{2066}b\u{2069}", "\\u{202e}a\\u{2066}b\\u{2069}"),
            ("ad\u{200d}min\u{200b}\u{feff}", "ad\\u{200d}min\\u{200b}\\u{feff}"),
            ("Grüße 👩\u{200d}🔬 می\u{200c}خواهم", "Grüße 👩\u{200d}🔬 می\u{200c}خواهم"),
        ] {
            assert_eq!(visible(text, |_| false), expected);
        }
        assert_eq!(visible("a\nb\r", |c| c == '\n'), "a\nb\\r");
    }

    #[test]
    fn what_the_desktop_draws_is_no_markup_and_short() {
        assert_eq!(for_desktop("<a href='//x'>y</a> & \u{202e}z\n", 80), "‹a href='//x'›y‹/a› ＆ \\u{202e}z\\n");
        assert_eq!(for_desktop(&"x".repeat(100), 10), format!("{}…", "x".repeat(9)));
    }
}
