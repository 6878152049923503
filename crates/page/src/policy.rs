//! Which addresses a shown page may ask for: none, or the recorded server's own static files.

use inspector_model::RecordedPage;
use url::{Origin, Url};

use crate::Options;

/// The recorded server's static files: its origin, and the folders that its recorded stylesheets are in.
pub struct StaticFiles {
    origin: Origin,
    /// `http://127.0.0.1:8000`, safe to write into a policy.
    origin_text: String,
    /// The page itself, at the server's origin.
    base: Url,
    /// The origin that the browser knew it by, if that is another.
    alias: Option<Origin>,
    /// Paths with a slash at both ends.
    folders: Vec<String>,
}

impl StaticFiles {
    /// What `page` may ask for, if anything.
    pub fn of(page: &RecordedPage) -> Option<Self> {
        let shell = page.shell.as_ref()?;
        let server = Url::parse(page.server.as_deref()?).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
        let origin = server.origin();
        let origin_text = origin.ascii_serialization();
        if !origin_text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".:-/[]".contains(&byte)) {
            return None;
        }
        let recorded = Url::parse(&shell.url).ok();
        let alias = recorded.as_ref().map(Url::origin).filter(|alias| *alias != origin);
        let path = recorded.as_ref().map_or(shell.url.as_str(), |url| url.path());
        let base = server.join(path).ok().filter(|url| url.origin() == origin)?;
        let mut files = Self { origin, origin_text, base, alias, folders: Vec::new() };
        for style in &shell.styles {
            let folder = files.own(&files.base, &style.href).and_then(|url| folder(url.path()));
            files.folders.extend(folder);
        }
        files.folders.sort_unstable();
        files.folders.dedup();
        (!files.folders.is_empty()).then_some(files)
    }

    /// The address of a static file that `href` names in the page, or in the stylesheet `sheet` of the page.
    pub fn resolve(&self, sheet: Option<&str>, href: &str) -> Option<String> {
        let base = match sheet {
            Some(sheet) => self.own(&self.base, sheet)?,
            None => self.base.clone(),
        };
        let mut url = self.own(&base, href)?;
        url.set_fragment(None);
        let path = url.path().to_ascii_lowercase();
        // A server that decodes these would go elsewhere than the policy allows.
        let hidden = ["%2f", "%5c", "%2e", "%25", "%00"].iter().any(|code| path.contains(code));
        let inside = self.folders.iter().any(|folder| url.path().starts_with(folder.as_str()));
        (inside && !hidden).then(|| url.to_string())
    }

    /// `href` as an address of this server, if it is one.
    fn own(&self, base: &Url, href: &str) -> Option<Url> {
        let url = base.join(href).ok()?;
        let url = if self.alias.as_ref() == Some(&url.origin()) { self.base.join(&url[url::Position::BeforePath..]).ok()? } else { url };
        (url.origin() == self.origin && url.username().is_empty() && url.password().is_none()).then_some(url)
    }
}

/// The first folder of a path. A stylesheet at the top has none: that would be the whole server.
fn folder(path: &str) -> Option<String> {
    let (first, _) = path.strip_prefix('/')?.split_once('/')?;
    let plain = !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte));
    plain.then(|| format!("/{first}/"))
}

/// The content security policy of a page's document. It is in the document too; a host that serves it sends it as a header as
/// well, with `; sandbox` added, which no document can say of itself.
pub fn content_security_policy(page: &RecordedPage, options: Options) -> String {
    let files = options.static_files.then(|| StaticFiles::of(page)).flatten();
    policy(files.as_ref())
}

/// The policy for a page that may ask for `files`.
pub fn policy(files: Option<&StaticFiles>) -> String {
    let mut own = String::new();
    if let Some(files) = files {
        for folder in &files.folders {
            own.push(' ');
            own.push_str(&files.origin_text);
            own.push_str(folder);
        }
    }
    format!(
        "default-src 'none'; style-src 'unsafe-inline'{own}; img-src data:{own}; font-src data:{own}; form-action 'none'; base-uri 'none'"
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use inspector_model::{PageShell, StyleSheet};

    use super::*;

    fn page(server: &str, url: &str, styles: &[&str]) -> RecordedPage {
        let styles = styles.iter().map(|href| StyleSheet { href: (*href).to_owned(), text: String::new() }).collect();
        let shell = PageShell { url: url.to_owned(), styles, ..PageShell::default() };
        RecordedPage { shell: Some(Arc::new(shell)), server: Some(server.to_owned()), ..RecordedPage::default() }
    }

    #[test]
    fn only_the_folders_of_recorded_stylesheets_are_allowed() {
        let files =
            StaticFiles::of(&page("http://127.0.0.1:8000", "http://localhost:8000/shop/cart/?a=1", &["/static/css/shop.css"])).unwrap();
        let resolve = |href: &str| files.resolve(None, href);
        assert_eq!(resolve("/static/a.png").as_deref(), Some("http://127.0.0.1:8000/static/a.png"));
        assert_eq!(resolve("../../static/a.png?v=2#x").as_deref(), Some("http://127.0.0.1:8000/static/a.png?v=2"));
        assert_eq!(resolve("http://localhost:8000/static/a.png").as_deref(), Some("http://127.0.0.1:8000/static/a.png"));
        assert_eq!(files.resolve(Some("/static/css/shop.css"), "../a.png").as_deref(), Some("http://127.0.0.1:8000/static/a.png"));
        for href in [
            "/admin/logout/",
            "/static/../admin/",
            "/static/%2e%2e/admin/",
            "/static/..%2fadmin/",
            "/static/%252e%252e/admin",
            "/static\\..\\admin",
            "//evil.example/static/a.png",
            "http://127.0.0.1:8001/static/a.png",
            "https://127.0.0.1:8000/static/a.png",
            "http://user:word@127.0.0.1:8000/static/a.png",
            "javascript:alert(1)",
            "static/a.png",
            "/staticelse/a.png",
        ] {
            assert_eq!(resolve(href), None, "{href}");
        }
    }

    #[test]
    fn a_policy_cannot_be_widened_by_what_was_recorded() {
        for (server, style) in [
            ("http://a;script-src *", "/static/a.css"),
            ("http://a;script-src", "/static/a.css"),
            ("file:///", "/static/a.css"),
            ("http://127.0.0.1:8000", "/a.css"),
            ("http://127.0.0.1:8000", "/; script-src */a.css"),
            ("http://127.0.0.1:8000", "https://cdn.example/static/a.css"),
        ] {
            assert!(StaticFiles::of(&page(server, "/", &[style])).is_none(), "{server} {style}");
        }
    }

    #[test]
    fn without_leave_nothing_may_be_asked_for() {
        let page = page("http://127.0.0.1:8000", "/", &["/static/a.css"]);
        assert!(!content_security_policy(&page, Options::default()).contains("http"));
        let allowed = content_security_policy(&page, Options { static_files: true, ..Options::default() });
        assert!(allowed.contains("img-src data: http://127.0.0.1:8000/static/;"), "{allowed}");
    }
}
