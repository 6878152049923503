//! Whether a document only shows something: what the pages of a recording are held to.

use html5ever::tendril::TendrilSink as _;
use html5ever::tree_builder::TreeBuilderOpts;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};

/// Elements that only a document of this crate may have, and what they may say.
fn may_stand(name: &str, attribute: &dyn Fn(&str) -> Option<String>) -> bool {
    match name {
        "meta" => match (attribute("http-equiv"), attribute("charset"), attribute("name")) {
            (Some(kind), None, None) => kind == "Content-Security-Policy",
            (None, Some(_), None) => true,
            (None, None, Some(name)) => name == "viewport" || name == "color-scheme",
            _ => false,
        },
        "form" => attribute("method").as_deref() == Some("dialog"),
        "button" => attribute("type").as_deref() == Some("button"),
        "input" => !matches!(attribute("type").unwrap_or_default().to_lowercase().trim(), "submit" | "image" | "reset"),
        "script" | "iframe" | "frame" | "frameset" | "object" | "embed" | "applet" | "base" | "link" | "noscript" | "param" | "source"
        | "track" | "animate" | "set" | "animatemotion" | "animatetransform" | "feimage" | "portal" | "fencedframe" | "noembed"
        | "plaintext" => false,
        _ => true,
    }
}

fn attribute_may_stand(name: &str, value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    match name {
        "src" => value.starts_with("data:image/"),
        "href" | "xlink:href" => value.starts_with('#') || value.starts_with("data:image/"),
        "action" | "formaction" | "srcset" | "srcdoc" | "ping" | "poster" | "background" | "data" | "target" | "autofocus" | "autoplay"
        | "contenteditable" | "is" | "manifest" | "xml:base" | "shadowrootmode" | "popovertarget" | "command" => false,
        "style" | "fill" | "filter" | "mask" => addresses(&value).iter().all(|rest| rest.starts_with("\"data:") || rest.starts_with("\"#")),
        _ => !name.starts_with("on"),
    }
}

/// What follows each `url(` of a style that is no part of a string.
fn addresses(style: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut quote, mut escaped, mut before) = (None, false, ' ');
    for (at, c) in style.char_indices() {
        match quote {
            _ if escaped => escaped = false,
            _ if c == '\\' => escaped = true,
            Some(open) if c == open || c == '\n' => quote = None,
            Some(_) => {}
            None if matches!(c, '"' | '\'') => quote = Some(c),
            // Within a longer name it is another function.
            None if before.is_alphanumeric() || matches!(before, '-' | '_') || !before.is_ascii() => {}
            None => found.extend(style[at..].strip_prefix("url(")),
        }
        before = c;
    }
    found
}

/// Reads a document with the parser that browsers agree on, with script or without, and names the first element or attribute that
/// would do something: run, load, leave, or be sent.
pub fn what_acts(html: &str, scripting: bool) -> Option<String> {
    let options = ParseOpts { tree_builder: TreeBuilderOpts { scripting_enabled: scripting, ..Default::default() }, ..Default::default() };
    let dom = parse_document(RcDom::default(), options).one(html);
    // Without recursion: the tree may be deep.
    let mut waiting: Vec<Handle> = vec![dom.document.clone()];
    while let Some(node) = waiting.pop() {
        waiting.extend(node.children.borrow().iter().cloned());
        let NodeData::Element { name, attrs, template_contents, .. } = &node.data else { continue };
        waiting.extend(template_contents.borrow().clone());
        let attrs = attrs.borrow();
        let attribute = |wanted: &str| attrs.iter().find(|own| &*own.name.local == wanted).map(|own| own.value.to_string());
        let element = name.local.to_ascii_lowercase();
        if !may_stand(&element, &attribute) {
            return Some(format!("<{element}>"));
        }
        for own in attrs.iter() {
            let prefix = own.name.prefix.as_ref().map(|prefix| format!("{prefix}:")).unwrap_or_default();
            let whole = format!("{prefix}{}", own.name.local).to_ascii_lowercase();
            if !attribute_may_stand(&whole, &own.value) {
                return Some(format!("<{element} {whole}={:?}>", &*own.value));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_act_is_named() {
        for acts in [
            "<script>x</script>",
            "<p onclick=x>",
            "<a href='//e'>",
            "<p style='background:url(//e)'>",
            "<p style='a:\"x\";b:url(//e)'>",
            "<p style='a:\"x\nurl(//e)'>",
            "<svg><use href='//e'/></svg>",
        ] {
            assert!(what_acts(acts, true).is_some(), "{acts}");
        }
        for quiet in [
            "<p style='a:\"url(//e)\"'>x</p>",
            "<p style='a:url(\"data:,\")'>",
            "<p style='a:curl(//e)'>",
            "<img src='DATA:image/png;base64,AA'>",
            "<svg><use href='#a'/></svg>",
        ] {
            assert_eq!(what_acts(quiet, true), None, "{quiet}");
        }
    }
}
