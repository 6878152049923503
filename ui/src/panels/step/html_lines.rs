//! HTML as lines that a person reads: one element a line, indented by how deep it is.

/// Lines that are made at most; a browser shows the rest.
const MOST: usize = 20_000;
/// A text that is no longer than this stays on the line of its element.
const SHORT: usize = 60;

/// Elements that never have an end.
const VOID: [&str; 14] = ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Elements around it.
    pub depth: usize,
    /// What it says.
    pub text: String,
}

enum Token<'a> {
    Open(&'a str),
    Close(&'a str),
    /// Comments, doctypes, elements without an end.
    Single(&'a str),
    Text(&'a str),
}

/// The lines of a piece of HTML. Broken HTML gives odd indentation and loses nothing.
pub fn lines(html: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut depth = 0_usize;
    let mut rest = html;
    // The line of the element that was opened last, while nothing but one short text came after it.
    let mut fresh: Option<usize> = None;
    while let Some((token, after)) = next(rest) {
        rest = after;
        if lines.len() >= MOST {
            break;
        }
        let line = |depth: usize, text: &str| Line { depth, text: text.to_owned() };
        match token {
            Token::Open(tag) => {
                lines.push(line(depth, tag));
                depth += 1;
                fresh = Some(lines.len() - 1);
            }
            Token::Close(tag) => {
                depth = depth.saturating_sub(1);
                match fresh.take() {
                    Some(opened) if opened + 1 == lines.len() => lines[opened].text.push_str(tag),
                    _ => lines.push(line(depth, tag)),
                }
            }
            Token::Single(tag) => {
                lines.push(line(depth, tag));
                fresh = None;
            }
            Token::Text(text) => match fresh {
                Some(opened) if opened + 1 == lines.len() && text.len() <= SHORT => lines[opened].text.push_str(text),
                _ => lines.push(line(depth, text)),
            },
        }
    }
    lines
}

/// The next part, and what follows it. White space between elements is passed over.
fn next(html: &str) -> Option<(Token<'_>, &str)> {
    let html = html.trim_start();
    if html.is_empty() {
        return None;
    }
    if !html.starts_with('<') {
        let end = html.find('<').unwrap_or(html.len());
        return Some((Token::Text(html[..end].trim_end()), &html[end..]));
    }
    if html.starts_with("<!--") {
        let end = html.find("-->").map_or(html.len(), |end| end + 3);
        return Some((Token::Single(&html[..end]), &html[end..]));
    }
    let (tag, rest) = html.split_at(end_of_tag(html));
    let name = tag[1..].trim_start_matches('/').split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next().unwrap_or_default();
    let token = if tag.starts_with("</") {
        Token::Close(tag)
    } else if tag.starts_with("<!") || tag.ends_with("/>") || VOID.iter().any(|void| name.eq_ignore_ascii_case(void)) {
        Token::Single(tag)
    } else {
        Token::Open(tag)
    };
    Some((token, rest))
}

/// Behind the `>` that ends the tag at the beginning; one inside quotes does not.
fn end_of_tag(html: &str) -> usize {
    let mut quote = None;
    for (at, byte) in html.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return at + 1,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    html.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(html: &str) -> Vec<String> {
        lines(html).into_iter().map(|line| format!("{}{}", "  ".repeat(line.depth), line.text)).collect()
    }

    #[test]
    fn elements_stand_on_lines_of_their_own_and_short_texts_beside_them() {
        let html = r#"<div a="1 > 0"><p>One</p><br><ul><li>A</li><li><b>B</b> c</li></ul><!-- x --></div>"#;
        let expected = [
            r#"<div a="1 > 0">"#,
            "  <p>One</p>",
            "  <br>",
            "  <ul>",
            "    <li>A</li>",
            "    <li>",
            "      <b>B</b>",
            "      c",
            "    </li>",
            "  </ul>",
            "  <!-- x -->",
            "</div>",
        ];
        assert_eq!(shown(html), expected);
    }

    #[test]
    fn broken_html_loses_nothing() {
        for html in ["</p></p><", "<div", "<p a='>", "<!-- open", "text only", "<é>ü</é>", ""] {
            let kept: String = lines(html).into_iter().map(|line| line.text).collect();
            let bare = |text: &str| text.split_whitespace().collect::<String>();
            assert_eq!(bare(&kept), bare(html), "{html}");
        }
    }
}
