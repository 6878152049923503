//! Answers to what page windows ask for.

use std::sync::Arc;

use inspector_model::{PageAt, RecordedPage, Side};
use inspector_page::{Content, Options, Pane, Title, content_security_policy, document, frame_page};
use tauri::http::{Request, Response, StatusCode, header};
use tauri::{UriSchemeContext, UriSchemeResponder, Wry};

use super::address::{Document, SCHEME, sides};
use crate::shell::Shell;

/// The sandbox comes with the header: it holds for the document itself, however it was reached, and for all frames in it.
const SANDBOX: &str = "; frame-ancestors 'self' djust-page: http://djust-page.localhost; sandbox";

/// Answers one request of a page window. Reading a recording takes time: never on the main thread.
pub fn serve(context: &UriSchemeContext<'_, Wry>, shell: Option<Arc<Shell>>, request: &Request<Vec<u8>>, responder: UriSchemeResponder) {
    let (label, address) = (context.webview_label().to_owned(), request.uri().to_string());
    let get = request.method() == tauri::http::Method::GET;
    let found = shell.filter(|_| get).and_then(|shell| {
        let document = shell.pages.addresses.lock().document(&label, &address);
        Some((shell, document?))
    });
    let Some((shell, wanted)) = found else {
        return responder.respond(answer(StatusCode::NOT_FOUND, "There is nothing here", "default-src 'none'"));
    };
    tauri::async_runtime::spawn_blocking(move || {
        let options = Options { static_files: shell.settings().static_files, outline: true };
        responder.respond(match wanted {
            Document::Outer(at) => outer(&shell, &label, at, options),
            Document::Inner(at, side) => inner(&shell, at, side, options),
        });
    });
}

fn outer(shell: &Shell, label: &str, at: PageAt, options: Options) -> Response<Vec<u8>> {
    let pages: Vec<(Side, Result<RecordedPage, String>, String)> = sides(at)
        .into_iter()
        .map(|side| {
            let address = shell.pages.addresses.lock().inner(label, side).map(String::from).unwrap_or_default();
            (side, shell.page(at, side), address)
        })
        .collect();
    let panes: Vec<Pane<'_>> = pages
        .iter()
        .map(|(side, page, address)| match page {
            Ok(page) => Pane { side: *side, page: Some(page), content: Content::Address(address) },
            Err(why) => Pane { side: *side, page: None, content: Content::Nothing(why) },
        })
        .collect();
    let name = shell.step_name(at.source, at.step).unwrap_or_default();
    let text = frame_page(&Title { step: at.step, name: &name }, &panes, options);
    let policy =
        format!("default-src 'none'; style-src 'unsafe-inline'; frame-src {}; form-action 'none'; base-uri 'none'{SANDBOX}", frames());
    answer(StatusCode::OK, &text, &policy)
}

fn inner(shell: &Shell, at: PageAt, side: Side, options: Options) -> Response<Vec<u8>> {
    match shell.page(at, side) {
        Ok(page) => answer(StatusCode::OK, &document(&page, options), &format!("{}{SANDBOX}", content_security_policy(&page, options))),
        Err(_) => answer(StatusCode::NOT_FOUND, "There is no page here", "default-src 'none'"),
    }
}

/// Where the frames of the outer document are.
fn frames() -> String {
    if cfg!(windows) { format!("http://{SCHEME}.localhost") } else { format!("{SCHEME}:") }
}

fn answer(status: StatusCode, body: &str, policy: &str) -> Response<Vec<u8>> {
    let built = Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "text/html; charset=utf-8")
        .header(header::CONTENT_SECURITY_POLICY, policy)
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header(header::CACHE_CONTROL, "no-store")
        .header(header::REFERRER_POLICY, "no-referrer")
        .header("permissions-policy", "camera=(), display-capture=(), geolocation=(), microphone=(), payment=()")
        .body(body.as_bytes().to_vec());
    built.unwrap_or_else(|error| {
        tracing::error!("a page's answer could not be made: {error}");
        Response::new(Vec::new())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_is_locked_down_by_its_headers() {
        let page = RecordedPage::default();
        let options = Options::default();
        let answer = answer(StatusCode::OK, "x", &format!("{}{SANDBOX}", content_security_policy(&page, options)));
        let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert!(policy.ends_with("; sandbox"), "no word after it: nothing is allowed again: {policy}");
        assert!(!policy.contains("script-src") && !policy.contains("connect-src") && !policy.contains("http://127"), "{policy}");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("content-type"), "text/html; charset=utf-8");
    }
}
