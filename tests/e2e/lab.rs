//! A server, a browser and an inspector, ready to be clicked.

use std::time::Duration;

use inspector_engine::Target;
use inspector_test_support::{Browser, DjustServer, Page, STEP_DEADLINE, ServerOptions, test_id};
use tokio::runtime::Runtime;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::inspector::Inspector;

const TOKEN: &str = "the-token-of-the-tests-0123456789abcdef";

/// Everything that a test clicks on. Its parts are dropped, and so ended, in this order.
pub struct Lab {
    pub inspector: Inspector,
    browser: Browser,
    pub server: DjustServer,
    runtime: Runtime,
}

impl Lab {
    /// On the newest djust, attached.
    pub fn start() -> Self {
        Self::with_env(&[])
    }

    /// With further environment for the server.
    pub fn with_env(env: &[(&str, &str)]) -> Self {
        let mut lab = Self::start_detached(env);
        lab.attach();
        lab
    }

    /// On another djust.
    pub fn on_version(version: &str) -> Self {
        let mut lab = Self::with_options(ServerOptions::injected(TOKEN).djust(version));
        lab.attach();
        lab
    }

    /// Before the inspector attaches: it is pointed at an address where nobody listens.
    pub fn start_detached(env: &[(&str, &str)]) -> Self {
        let options = env.iter().fold(ServerOptions::injected(TOKEN), |options, (name, value)| options.env(name, value));
        Self::with_options(options)
    }

    fn with_options(options: ServerOptions) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let (server, browser) = runtime.block_on(async {
            (DjustServer::start(options).await.expect("the server starts"), Browser::launch().await.expect("the browser starts"))
        });
        let inspector = Inspector::attach(Target::address("http://127.0.0.1:9", TOKEN));
        Self { inspector, browser, server, runtime }
    }

    /// Attaches and waits until that is so.
    pub fn attach(&mut self) {
        self.inspector = Inspector::attach(Target::address(self.url(), TOKEN));
        self.inspector.attached();
    }

    /// The server's address.
    pub fn url(&self) -> String {
        self.server.url("").trim_end_matches('/').to_owned()
    }

    /// The agent's token.
    pub fn token() -> String {
        TOKEN.to_owned()
    }

    /// Opens a page and waits until it is live.
    pub fn open(&self, path: &str) -> Page {
        self.runtime.block_on(async {
            let page = self.browser.new_page().await.expect("a page");
            page.open_live(&self.server.url(path)).await.expect("the page is live");
            page
        })
    }

    /// Opens a page in a browser context of its own: other cookies, another person.
    pub fn open_as_another_user(&self, path: &str) -> Page {
        self.runtime.block_on(async {
            let context = self.browser.new_context().await.expect("a context");
            let page = context.new_page().await.expect("a page");
            page.open_live(&self.server.url(path)).await.expect("the page is live");
            page
        })
    }

    /// Clicks what has this `data-test`.
    pub fn click(&self, page: &Page, name: &str) {
        self.runtime.block_on(page.click(&test_id(name))).unwrap_or_else(|error| panic!("click {name}: {error}"));
    }

    /// Types into what has this `data-test`.
    pub fn type_text(&self, page: &Page, name: &str, text: &str) {
        self.runtime.block_on(page.type_text(&test_id(name), text)).unwrap_or_else(|error| panic!("type into {name}: {error}"));
    }

    /// Waits for a text in the page.
    pub fn wait_text(&self, page: &Page, name: &str, expected: &str) {
        self.runtime.block_on(page.wait_text(&test_id(name), expected, STEP_DEADLINE)).unwrap_or_else(|error| panic!("{name}: {error}"));
    }

    /// What a script in the page comes to.
    pub fn eval(&self, page: &Page, script: &str) -> serde_json::Value {
        self.runtime.block_on(page.eval(script)).unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Closes a page.
    pub fn close(&self, page: Page) {
        self.runtime.block_on(page.close()).expect("the page closes");
    }

    /// Saves an edit of a project file.
    pub fn edit(&self, file: &str, from: &str, to: &str) {
        self.server.edit(file, from, to).expect("the edit is saved");
    }

    /// Ends the server without warning.
    pub fn kill_server(&mut self) {
        self.server.kill9();
    }

    /// Starts it again on the same port.
    pub fn restart_server(&mut self) {
        self.runtime.block_on(self.server.restart()).expect("the server starts again");
    }

    /// What a handshake with this origin and token comes to.
    pub fn handshake(&self, origin: &str, token: Option<&str>) -> &'static str {
        let url = format!("{}/ws/live/?djust_inspector=1", self.url().replace("http://", "ws://"));
        let mut request = url.into_client_request().expect("a request");
        request.headers_mut().insert("Origin", origin.parse().expect("an origin"));
        if let Some(token) = token {
            request.headers_mut().insert("Authorization", format!("Bearer {token}").parse().expect("a header"));
        }
        let connected = self.runtime.block_on(async {
            tokio::time::timeout(Duration::from_secs(20), tokio_tungstenite::connect_async(request)).await.expect("an answer")
        });
        if connected.is_ok() { "accepted" } else { "refused" }
    }
}
