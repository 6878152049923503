//! Writes one start tag: what is left of it when it can only be looked at.

use crate::css;
use crate::lists::{AttributeKind, LINK_MARK, kind_of};
use crate::policy::StaticFiles;

/// Of one tag, so many attributes are looked at.
const MAX_ATTRIBUTES: usize = 128;

/// Stands in for a picture that was not recorded: the attributes or styles of its element give it its size.
const NO_PICTURE: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='32' height='32'%3E%3Crect width='100%25' \
                          height='100%25' fill='%23808080' fill-opacity='.25'/%3E%3Cpath d='M0 0l32 32M32 0L0 32' stroke='%23808080' \
                          stroke-opacity='.5'/%3E%3C/svg%3E";

/// A start tag as it was read. Reused from tag to tag.
#[derive(Default)]
pub struct Tag {
    /// Lower case.
    pub name: String,
    attributes: Vec<(String, String)>,
    count: usize,
}

impl Tag {
    /// Begins another tag.
    pub fn begin(&mut self, name: &str) {
        self.name.clear();
        self.name.push_str(name);
        self.attributes.clear();
        self.count = 0;
    }

    /// Another attribute.
    pub fn name_attribute(&mut self, name: &str) {
        self.count += 1;
        if self.count <= MAX_ATTRIBUTES {
            self.attributes.push((name.to_owned(), String::new()));
        }
    }

    /// The value of the last attribute.
    pub fn set_value(&mut self, value: &str) {
        if let (true, Some((_, last))) = (self.count <= MAX_ATTRIBUTES, self.attributes.last_mut()) {
            value.clone_into(last);
        }
    }

    /// The value of an attribute; of several with one name the first counts.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(of, _)| of == name).map(|(_, value)| value.as_str())
    }
}

/// Decides which addresses may stand.
pub struct Addresses {
    /// The server's static files, if they may be asked for.
    pub files: Option<StaticFiles>,
}

impl Addresses {
    /// An address of a picture.
    fn picture(&self, address: &str) -> Option<String> {
        let address = address.trim();
        if starts_with(address, "data:image/") {
            return Some(address.to_owned());
        }
        self.files.as_ref()?.resolve(None, address)
    }

    /// An address in the page's own styles, or in those of `sheet`.
    pub fn in_style(&self, sheet: Option<&str>, address: &str) -> Option<String> {
        if starts_with(address, "data:") || address.starts_with('#') {
            return Some(address.to_owned());
        }
        self.files.as_ref()?.resolve(sheet, address)
    }
}

/// Appends the tag as `name`, and says where its attributes begin.
pub fn write_start(tag: &Tag, name: &str, self_closing: bool, addresses: &Addresses, out: &mut String) -> usize {
    out.push('<');
    out.push_str(name);
    let spot = out.len();
    let mut replaced: &[&str] = &[];
    match name {
        "a" | "area" if tag.get("href").or_else(|| tag.get("xlink:href")).is_some() => write_attribute(out, LINK_MARK, ""),
        "img" => {
            let picture = tag.get("src").and_then(|source| addresses.picture(source));
            write_attribute(out, "src", picture.as_deref().unwrap_or(NO_PICTURE));
        }
        "image" => {
            if let Some(picture) = svg_address(tag).and_then(|source| addresses.picture(source)) {
                write_attribute(out, "href", &picture);
            }
        }
        "use" | "textpath" | "lineargradient" | "radialgradient" | "pattern" | "filter" => {
            if let Some(within) = svg_address(tag).map(str::trim).filter(|address| address.starts_with('#')) {
                write_attribute(out, "href", within);
            }
        }
        // Submitting to a dialog that is not there does nothing, in every browser, by the standard.
        "form" => write_attribute(out, "method", "dialog"),
        "button" => {
            replaced = &["type"];
            write_attribute(out, "type", "button");
        }
        "input" => replaced = write_input(tag, out),
        _ => {}
    }
    for (name, value) in &tag.attributes {
        if replaced.contains(&name.as_str()) {
            continue;
        }
        match kind_of(name) {
            AttributeKind::Plain => write_attribute(out, name, value),
            AttributeKind::Styled => {
                let mut style = String::with_capacity(value.len());
                css::harmless(value, &|address| addresses.in_style(None, address), &mut style);
                write_attribute(out, name, &style);
            }
            AttributeKind::Unwanted => {}
        }
    }
    out.push_str(if self_closing { "/>" } else { ">" });
    spot
}

/// Buttons that would submit become buttons, files cannot be chosen. The answer is which attributes were written here.
fn write_input(tag: &Tag, out: &mut String) -> &'static [&'static str] {
    let kind = tag.get("type").unwrap_or("").trim().to_ascii_lowercase();
    let label = match kind.as_str() {
        "submit" => tag.get("value").unwrap_or("Submit"),
        "reset" => tag.get("value").unwrap_or("Reset"),
        "image" => tag.get("alt").unwrap_or("Submit"),
        "file" => {
            write_attribute(out, "inert", "");
            return &["inert"];
        }
        _ => return &[],
    };
    write_attribute(out, "type", "button");
    write_attribute(out, "value", label);
    &["type", "value"]
}

fn svg_address(tag: &Tag) -> Option<&str> {
    tag.get("href").or_else(|| tag.get("xlink:href"))
}

/// Appends an attribute.
pub fn write_attribute(out: &mut String, name: &str, value: &str) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    write_escaped(out, value);
    out.push('"');
}

/// Appends text that means itself, as content and as a quoted value.
pub fn write_escaped(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '"', '\0']) {
        out.push_str(&rest[..at]);
        out.push_str(match rest.as_bytes()[at] {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            _ => "\u{fffd}",
        });
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
}

fn starts_with(text: &str, begin: &str) -> bool {
    text.get(..begin.len()).is_some_and(|own| own.eq_ignore_ascii_case(begin))
}
