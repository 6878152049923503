//! Paths that a person names: `cart.owner`, `rows[*].note`, `*.phone`.

use inspector_model::Segment;

use crate::ShareError;

/// One part of a named path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Key(String),
    AnyKey,
    Index(usize),
    AnyIndex,
}

/// A path with stars.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPattern(Vec<Part>);

impl PathPattern {
    /// Reads one.
    pub fn parse(text: &str) -> Result<Self, ShareError> {
        let wrong = || ShareError::Path(text.to_owned());
        let mut parts = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            if let Some(inside) = rest.strip_prefix('[') {
                let quoted = inside.strip_prefix('"').and_then(|key| key.split_once("\"]"));
                let (part, after) = if let Some((key, after)) = quoted {
                    (Part::Key(key.to_owned()), after)
                } else {
                    let (index, after) = inside.split_once(']').ok_or_else(wrong)?;
                    (if index == "*" { Part::AnyIndex } else { Part::Index(index.parse().map_err(|_| wrong())?) }, after)
                };
                parts.push(part);
                rest = after;
            } else {
                let name = if parts.is_empty() { rest } else { rest.strip_prefix('.').ok_or_else(wrong)? };
                let end = name.find(['.', '[']).unwrap_or(name.len());
                match &name[..end] {
                    "" => return Err(wrong()),
                    "*" => parts.push(Part::AnyKey),
                    key => parts.push(Part::Key(key.to_owned())),
                }
                rest = &name[end..];
            }
        }
        if parts.is_empty() { Err(wrong()) } else { Ok(Self(parts)) }
    }

    /// Whether it names this place.
    pub fn is(&self, path: &[Segment]) -> bool {
        self.0.len() == path.len()
            && self.0.iter().zip(path).all(|(part, segment)| match (part, segment) {
                (Part::AnyKey, Segment::Key(_)) | (Part::AnyIndex, Segment::Index(_)) => true,
                (Part::Key(wanted), Segment::Key(key)) => wanted == key,
                (Part::Index(wanted), Segment::Index(index)) => wanted == index,
                _ => false,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_one_part() {
        let path = |parts: &[&str]| -> Vec<Segment> {
            parts.iter().map(|part| part.parse().map_or_else(|_| Segment::Key((*part).to_owned()), Segment::Index)).collect()
        };
        let pattern = PathPattern::parse("rows[*].note").unwrap();
        assert!(pattern.is(&path(&["rows", "3", "note"])));
        assert!(!pattern.is(&path(&["rows", "3", "title"])) && !pattern.is(&path(&["rows", "3"])));
        assert!(PathPattern::parse("*.phone").unwrap().is(&path(&["user", "phone"])));
        assert!(PathPattern::parse("a[2]").unwrap().is(&path(&["a", "2"])));
        assert!(PathPattern::parse("a[\"b c\"]").unwrap().is(&path(&["a", "b c"])));
        for wrong in ["", " ", "a.", "a..b", "a[", "a[x]", ".a", "a]b["] {
            assert!(PathPattern::parse(wrong).is_err(), "{wrong}");
        }
    }
}
