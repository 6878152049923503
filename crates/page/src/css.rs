//! Style text without a way out: every address in it is decided on, and what would load by other means is renamed to nothing.
//!
//! The text is taken apart into the tokens of CSS Syntax 3 and written anew, so that what the browser reads is what was
//! decided on here: no escape, comment or unclosed string can hide a `url(`. The result has no `<` that a tag could begin with.

use std::fmt::Write as _;

/// Where an unwanted address points instead: at nothing, without a request.
const NOWHERE: &str = "data:,";

/// Functions whose arguments are addresses in other forms than `url(…)`, or worse. Renamed, they make their declaration invalid.
const UNWANTED: [&str; 7] = ["src", "image", "image-set", "-webkit-image-set", "expression", "paint", "-moz-element"];

/// Appends `css` without addresses that leave. `decide` gets each address, decoded, and says what stands in its place.
pub fn harmless(css: &str, decide: &dyn Fn(&str) -> Option<String>, out: &mut String) {
    let mut scanner = Scanner { rest: css, out };
    while let Some(first) = scanner.rest.bytes().next() {
        match first {
            b'/' if scanner.rest.starts_with("/*") => scanner.comment(),
            b'"' | b'\'' => {
                let text = scanner.string();
                scanner.push_string(&text);
            }
            b'@' => {
                scanner.skip(1);
                match scanner.identifier() {
                    Some(name) if name.eq_ignore_ascii_case("import") => scanner.out.push_str("@removed"),
                    Some(name) => {
                        scanner.out.push('@');
                        scanner.push_identifier(&name);
                    }
                    None => scanner.out.push('@'),
                }
            }
            b':' if !scanner.out.ends_with(':') => scanner.colon(),
            b'<' => scanner.less_than(),
            b'&' => scanner.ampersand(),
            _ => match scanner.identifier() {
                Some(name) if scanner.rest.starts_with('(') => {
                    scanner.skip(1);
                    let lower = name.to_ascii_lowercase();
                    if lower == "url" {
                        let address = scanner.address();
                        scanner.out.push_str("url(");
                        scanner.push_string(decide(address.trim()).as_deref().unwrap_or(NOWHERE));
                        scanner.out.push(')');
                    } else if UNWANTED.contains(&lower.as_str()) {
                        scanner.out.push_str("removed(");
                    } else {
                        scanner.push_identifier(&name);
                        scanner.out.push('(');
                    }
                }
                Some(name) => scanner.push_identifier(&name),
                None => scanner.other(),
            },
        }
    }
}

struct Scanner<'a, 'o> {
    rest: &'a str,
    out: &'o mut String,
}

impl Scanner<'_, '_> {
    fn skip(&mut self, bytes: usize) {
        self.rest = &self.rest[bytes..];
    }

    fn comment(&mut self) {
        let end = self.rest[2..].find("*/").map_or(self.rest.len(), |at| at + 4);
        self.skip(end);
        // A comment ends the word before it, as a space would, but is none.
        self.out.push_str("/**/");
    }

    /// A link has no address any more, so it is told by the mark that it got instead.
    fn colon(&mut self) {
        self.skip(1);
        for name in ["link", "any-link"] {
            let matches = self.rest.get(..name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name));
            let ends = matches && !self.rest[name.len()..].starts_with(|next: char| is_name(next) || next == '\\' || next == '(');
            if ends {
                self.skip(name.len());
                self.out.push('[');
                self.out.push_str(crate::lists::LINK_MARK);
                self.out.push(']');
                return;
            }
        }
        self.out.push(':');
    }

    fn less_than(&mut self) {
        if self.rest.starts_with("<!--") {
            self.skip(4);
            self.out.push(' ');
            return;
        }
        self.skip(1);
        self.out.push('<');
        if !self.rest.starts_with([' ', '=', '\n', '\t']) {
            self.out.push(' ');
        }
    }

    /// The parent of a nested rule. In a style element inside SVG it would begin a character reference.
    fn ampersand(&mut self) {
        self.skip(1);
        self.out.push('&');
        if self.rest.starts_with(|next: char| next == '#' || next.is_ascii_alphanumeric()) {
            self.out.push_str("/**/");
        }
    }

    /// A character that is no part of anything here.
    fn other(&mut self) {
        let Some(next) = self.rest.chars().next() else { return };
        self.skip(next.len_utf8());
        // A lone backslash (at the end, before a line break) must not escape what is written next.
        self.out.push(if next == '\\' || next == '\0' { ' ' } else { next });
    }

    /// Reads a string with its quotes and gives what it says. An unclosed one ends with its line, as in the browser.
    fn string(&mut self) -> String {
        let quote = self.rest.chars().next().unwrap_or('"');
        self.skip(1);
        let mut text = String::new();
        loop {
            let plain = self.rest.find([quote, '\\', '\n', '\r', '\u{c}']).unwrap_or(self.rest.len());
            text.push_str(&self.rest[..plain]);
            self.skip(plain);
            match self.rest.chars().next() {
                Some('\\') => self.escape_in_string(&mut text),
                Some(end) if end == quote => {
                    self.skip(1);
                    return text;
                }
                // The end of the line stays for whoever comes next.
                _ => return text,
            }
        }
    }

    fn escape_in_string(&mut self, text: &mut String) {
        for line_break in ["\\\r\n", "\\\n", "\\\r", "\\\u{c}"] {
            if self.rest.starts_with(line_break) {
                self.skip(line_break.len());
                return;
            }
        }
        match self.escape() {
            Some(character) => text.push(character),
            None => self.skip(1),
        }
    }

    /// Reads what stands between `url(` and its `)`, decoded.
    fn address(&mut self) -> String {
        let blank = self.rest.len() - self.rest.trim_start_matches([' ', '\t', '\n', '\r', '\u{c}']).len();
        self.skip(blank);
        let quoted = self.rest.starts_with(['"', '\'']);
        let mut text = if quoted { self.string() } else { String::new() };
        loop {
            let plain = self.rest.find([')', '\\']).unwrap_or(self.rest.len());
            if !quoted {
                text.push_str(&self.rest[..plain]);
            }
            self.skip(plain);
            match self.rest.chars().next() {
                Some('\\') => match self.escape() {
                    Some(character) if !quoted => text.push(character),
                    Some(_) => {}
                    None => self.skip(1),
                },
                Some(_) => {
                    self.skip(1);
                    return text;
                }
                None => return text,
            }
        }
    }

    /// Reads an identifier and gives it decoded, or reads nothing.
    fn identifier(&mut self) -> Option<String> {
        let mut characters = self.rest.chars();
        let starts = match characters.next()? {
            '-' => characters.next().is_some_and(|next| is_name_start(next) || next == '-' || next == '\\'),
            '\\' => characters.next().is_some_and(|next| !matches!(next, '\n' | '\r' | '\u{c}')),
            first => is_name_start(first),
        };
        if !starts {
            return None;
        }
        let mut name = String::new();
        loop {
            let plain = self.rest.find(|next| !is_name(next)).unwrap_or(self.rest.len());
            name.push_str(&self.rest[..plain]);
            self.skip(plain);
            if !self.rest.starts_with('\\') {
                break;
            }
            match self.escape() {
                Some(character) => name.push(character),
                None => break,
            }
        }
        (!name.is_empty()).then_some(name)
    }

    /// Reads a backslash and what it escapes, unless that is the end or a line break.
    fn escape(&mut self) -> Option<char> {
        let after = self.rest.strip_prefix('\\')?;
        let first = after.chars().next().filter(|next| !matches!(next, '\n' | '\r' | '\u{c}'))?;
        let digits = after.bytes().take(6).take_while(u8::is_ascii_hexdigit).count();
        if digits == 0 {
            self.skip(1 + first.len_utf8());
            return Some(first);
        }
        let number = u32::from_str_radix(&after[..digits], 16).unwrap_or(0);
        self.skip(1 + digits);
        if self.rest.starts_with("\r\n") {
            self.skip(2);
        } else if self.rest.starts_with([' ', '\t', '\n', '\r', '\u{c}']) {
            self.skip(1);
        }
        Some(char::from_u32(number).filter(|character| *character != '\0').unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn push_string(&mut self, text: &str) {
        self.out.push('"');
        for character in text.chars() {
            match character {
                '"' | '\\' | '<' | '&' | '\0'..='\x1f' | '\x7f' => self.push_escaped(character),
                _ => self.out.push(character),
            }
        }
        self.out.push('"');
    }

    fn push_identifier(&mut self, name: &str) {
        for (at, character) in name.chars().enumerate() {
            let second_of_dash = at == 1 && name.starts_with('-');
            if !is_name(character) || (character.is_ascii_digit() && (at == 0 || second_of_dash)) || (character == '-' && name.len() == 1) {
                self.push_escaped(character);
            } else {
                self.out.push(character);
            }
        }
    }

    fn push_escaped(&mut self, character: char) {
        // Writing to a string does not fail.
        write!(self.out, "\\{:x} ", u32::from(character)).ok();
    }
}

fn is_name_start(character: char) -> bool {
    character.is_ascii_alphabetic() || character == '_' || !character.is_ascii()
}

fn is_name(character: char) -> bool {
    is_name_start(character) || character.is_ascii_digit() || character == '-'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn harmless_of(css: &str) -> String {
        let mut out = String::new();
        harmless(css, &|address| address.starts_with("data:").then(|| address.to_owned()), &mut out);
        out
    }

    #[test]
    fn ordinary_styles_stay_as_they_are() {
        for css in [
            "p>a,b~c::before{color:#fff;margin:-1px 1e3px 10%;content:\"x\"}",
            "@media (400px <= width) and (height > 2px){.a\\:b,.\\31 0{--x:{a:b};color:var(--x)}}",
            "@font-face{font-family:X;src:url(\"data:font/woff2;base64,AA==\")}",
            ".a{&:hover{top:calc(1px + (2 * 3px))}& .b{--été:1}}",
            "@supports (display:grid){@layer base{a{transition:all .2s cubic-bezier(0,0,.2,1)}}}",
        ] {
            assert_eq!(harmless_of(css).replace("\\3a ", "\\:"), css);
        }
    }

    #[test]
    fn no_address_leaves_however_it_is_written() {
        for css in [
            "a{b:url(//evil)}",
            "a{b:URL( '//evil' )}",
            "a{b:u\\72l(//evil)}",
            "a{b:\\75\\72\\6c(//evil)}",
            "a{b:url(\\2f/evil)}",
            "a{b:url(/**///evil)}",
            "a{b:url('//evil",
            "a{b:url(//evil",
            "@import '//evil';",
            "@\\69mport url(//evil);",
            "@IMPORT \"//evil\";",
            "a{b:image-set('//evil' 1x)}",
            "a{b:-webkit-image-set(url(//evil) 1x)}",
            "a{b:src('//evil')}",
            "a{b:image('//evil')}",
            "a{b:'\\\n';c:url(//evil)}",
            "a{b:'x\nc:url(//evil)}",
            "a{b:\"x\\\"y\";c:url(//evil)}",
            "a{b:'/*';c:url(//evil);d:'*/'}",
            "/*'*/a{c:url(//evil)}/*'*/",
            "a{b:url(\0//evil)}",
            "a{b:cross-fade(url(//evil),url(//evil))}",
            "a{--x:url(//evil);b:var(--x)}",
        ] {
            let out = harmless_of(css);
            // An address may stand only where it is none: in a string that is no argument.
            let loads = ["url(\"//", "@import", "image-set(", "src(", "image("].iter().any(|way| out.to_ascii_lowercase().contains(way));
            assert!(
                !loads && !out.contains("url(/") && !out.contains('\\') || out == "a{b:\"x\\22 y\";c:url(\"data:,\")}",
                "{css:?}: {out:?}"
            );
        }
    }

    #[test]
    fn no_tag_and_no_character_reference_can_begin_in_it() {
        for css in [
            "a{b:'</style><script>'}",
            "</style><script>",
            "<!--<p>-->",
            "\\3c script",
            "a\\<script{}",
            "a{b:'&quot;;c:url(//evil)'}",
            "&#x22;",
        ] {
            let out = harmless_of(css);
            let after = |mark: char| {
                out.split(mark).skip(1).any(|rest| rest.starts_with(|next: char| next.is_ascii_alphanumeric() || "/!?#".contains(next)))
            };
            assert!(!after('<'), "{css:?}: {out:?}");
            assert!(
                !out.split('&').skip(1).any(|rest| rest.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '#')),
                "{css:?}: {out:?}"
            );
        }
    }

    #[test]
    fn links_are_told_by_their_mark() {
        assert_eq!(
            harmless_of("a:link,a:ANY-LINK:hover,a:linked,a::link{}"),
            "a[data-djust-inspector-link],a[data-djust-inspector-link]:hover,a:linked,a::link{}"
        );
    }

    #[test]
    fn it_is_linear_in_hostile_styles() {
        for css in [
            "\\".repeat(3_000_000),
            "url(".repeat(1_000_000),
            "/*".repeat(1_500_000),
            "'".repeat(3_000_000),
            "((((".repeat(800_000),
            "@".repeat(3_000_000),
        ] {
            assert!(harmless_of(&css).len() < css.len() * 8);
        }
    }
}
