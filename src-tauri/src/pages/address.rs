//! The addresses of page windows: which window may ask for what.

use std::collections::HashMap;

use inspector_model::{PageAt, Side, SourceId};
use tauri::Url;
use uuid::Uuid;

/// The scheme that page windows are served on.
pub const SCHEME: &str = "djust-page";

/// All labels of page windows begin so. No capability names them: they have no commands.
pub const LABEL_PREFIX: &str = "page-";

/// The label of a source's page window.
pub fn label(source: SourceId) -> String {
    format!("{LABEL_PREFIX}{source}")
}

/// A document of a page window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Document {
    /// The one around the pages.
    Outer(PageAt),
    /// A page.
    Inner(PageAt, Side),
}

/// What each open page window shows. An address is good for one window and one showing of it.
#[derive(Debug, Default)]
pub struct Addresses {
    windows: HashMap<String, Shown>,
}

#[derive(Debug)]
struct Shown {
    /// Random: what another window, or a page, cannot know.
    nonce: String,
    /// Grows with each showing.
    turn: u64,
    at: PageAt,
}

impl Addresses {
    /// The address at which `label` shows `at` from now on. The one before is not served any more.
    pub fn show(&mut self, label: &str, at: PageAt) -> Url {
        let shown =
            self.windows.entry(label.to_owned()).or_insert_with(|| Shown { nonce: Uuid::new_v4().simple().to_string(), turn: 0, at });
        shown.turn += 1;
        shown.at = at;
        shown.outer()
    }

    /// The window is closed.
    pub fn close(&mut self, label: &str) {
        self.windows.remove(label);
    }

    /// The address of a page in the document that `label` shows.
    pub fn inner(&self, label: &str, side: Side) -> Option<Url> {
        self.windows.get(label).map(|shown| shown.inner(side))
    }

    /// The document that `label` may have at `address`. Compared as a whole: nothing of the address is interpreted.
    pub fn document(&self, label: &str, address: &str) -> Option<Document> {
        let shown = self.windows.get(label)?;
        if address == shown.outer().as_str() {
            return Some(Document::Outer(shown.at));
        }
        let side = shown.sides().into_iter().find(|side| address == shown.inner(*side).as_str())?;
        Some(Document::Inner(shown.at, side))
    }
}

impl Shown {
    fn outer(&self) -> Url {
        address(&format!("{}/{}", self.nonce, self.turn))
    }

    fn inner(&self, side: Side) -> Url {
        let side = match side {
            Side::Before => "before",
            Side::After => "after",
        };
        address(&format!("{}/{}/{side}", self.nonce, self.turn))
    }

    /// The pages in the document.
    fn sides(&self) -> Vec<Side> {
        sides(self.at)
    }
}

/// The ends of the step that are shown.
pub fn sides(at: PageAt) -> Vec<Side> {
    if at.compare { vec![Side::Before, Side::After] } else { vec![at.side] }
}

#[expect(clippy::expect_used, reason = "made of a constant, hexadecimal digits and a number")]
fn address(path: &str) -> Url {
    // WebView2 knows no other schemes than HTTP's: there a custom one is a host.
    let base = if cfg!(windows) { format!("http://{SCHEME}.localhost") } else { format!("{SCHEME}://localhost") };
    Url::parse(&format!("{base}/{path}")).expect("a valid address")
}

#[cfg(test)]
mod tests {
    use inspector_model::StepId;

    use super::*;

    fn at(step: u64, compare: bool) -> PageAt {
        PageAt { source: SourceId(1), step: StepId(step), side: Side::After, compare }
    }

    #[test]
    fn a_window_has_what_it_shows_and_nothing_else() {
        let mut addresses = Addresses::default();
        let first = addresses.show("page-1", at(5, false));
        let inner = addresses.inner("page-1", Side::After).unwrap();
        assert_eq!(addresses.document("page-1", first.as_str()), Some(Document::Outer(at(5, false))));
        assert_eq!(addresses.document("page-1", inner.as_str()), Some(Document::Inner(at(5, false), Side::After)));
        let before = addresses.inner("page-1", Side::Before).unwrap();
        assert_eq!(addresses.document("page-1", before.as_str()), None, "not shown");

        addresses.show("page-1", at(6, true));
        assert_eq!(addresses.document("page-1", first.as_str()), None, "shown no more");
        let before = addresses.inner("page-1", Side::Before).unwrap();
        assert_eq!(addresses.document("page-1", before.as_str()), Some(Document::Inner(at(6, true), Side::Before)));
    }

    #[test]
    fn windows_cannot_have_each_others_documents() {
        let mut addresses = Addresses::default();
        let (one, two) = (addresses.show("page-1", at(5, false)), addresses.show("page-2", at(5, false)));
        assert_ne!(one, two);
        assert_eq!(addresses.document("page-2", one.as_str()), None);
        assert_eq!(addresses.document("main", one.as_str()), None);
        addresses.close("page-1");
        assert_eq!(addresses.document("page-1", one.as_str()), None);
        assert_ne!(addresses.show("page-1", at(5, false)), one, "a new window has a new secret");
    }

    #[test]
    fn addresses_are_not_interpreted() {
        let mut addresses = Addresses::default();
        let address = addresses.show("page-1", at(5, false)).to_string();
        for odd in [
            format!("{address}/"),
            format!("{address}?a=b"),
            format!("{address}#a"),
            format!("{address}/after/.."),
            address.to_uppercase(),
            address.replace("localhost", "elsewhere"),
            "djust-page://localhost/".to_owned(),
            "about:blank".to_owned(),
            String::new(),
        ] {
            assert_eq!(addresses.document("page-1", &odd), None, "{odd}");
        }
    }
}
