//! What the app tells the desktop: notifications, the log, a tray that is not there.

use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::sync::Arc;

use inspector_test_support::{Browser, DjustServer, ServerOptions, workspace_root};
use parking_lot::Mutex;
use zbus::blocking::{Connection, connection};
use zbus::zvariant::OwnedValue;

use crate::desk::{Desk, app};

const TOKEN: &str = "the-token-of-the-app-tests-0123456789abcdef";
const NAME: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";

/// A notification server that shows nothing and keeps what it was told: titles and actions.
#[derive(Clone, Default)]
struct Notifications(Arc<Mutex<Vec<Shown>>>);

/// A notification's title and actions.
type Shown = (String, Vec<String>);

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Notifications {
    #[expect(clippy::too_many_arguments, reason = "so the desktop's specification has it")]
    fn notify(
        &self,
        app: String,
        replaces: u32,
        icon: String,
        title: String,
        body: String,
        actions: Vec<String>,
        hints: HashMap<String, OwnedValue>,
        timeout: i32,
    ) -> u32 {
        drop((app, replaces, icon, body, hints, timeout));
        let mut all = self.0.lock();
        all.push((title, actions));
        u32::try_from(all.len()).unwrap()
    }
}

impl Notifications {
    fn on(desk: &Desk) -> (Self, Connection) {
        let server = Self::default();
        let builder = connection::Builder::address(desk.bus().as_str()).unwrap();
        let connection = builder.name(NAME).unwrap().serve_at(PATH, server.clone()).unwrap().build().unwrap();
        (server, connection)
    }
}

#[test]
fn a_click_on_a_notification_leads_to_its_step() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (server, browser) = runtime.block_on(async {
        (
            DjustServer::start(ServerOptions::injected(TOKEN)).await.expect("the server starts"),
            Browser::launch().await.expect("the browser starts"),
        )
    });
    let desk = Desk::empty();
    let library = desk.home().join("library");
    std::fs::create_dir_all(&library).unwrap();
    std::fs::write(library.join("desktop.json"), r#"{"notify": ["errors"]}"#).unwrap();
    let (notifications, connection) = Notifications::on(&desk);
    let url = server.url("");
    let desk = desk.driving(&["attach", url.trim_end_matches('/'), "--token", TOKEN]);
    desk.shows("No page yet");
    let live = runtime.block_on(async {
        let live = browser.new_page().await.expect("a page");
        live.open_live(&server.url("/counter/")).await.expect("the page is live");
        live
    });
    desk.shows("CounterView");
    runtime.block_on(live.click("[data-test=\"boom\"]")).unwrap();
    let (title, actions) = desk.wait("a notification", || notifications.0.lock().first().cloned().ok_or_else(|| "none".to_owned()));
    assert!(title.ends_with("a handler raised"), "{title}");
    assert!(actions.iter().any(|action| action == "default"), "it can be clicked on: {actions:?}");

    // The window looks at something else.
    let second = desk.command(app()).arg("shop.djrec").current_dir(workspace_root().join("recordings")).output().unwrap();
    assert!(second.status.success(), "{}", String::from_utf8_lossy(&second.stderr));
    desk.shows("ShopView");
    desk.lacks("Event boom");
    connection.emit_signal(None::<&str>, PATH, NAME, "ActionInvoked", &(1_u32, "default")).unwrap();
    desk.shows("Event boom");
}

#[test]
fn the_app_keeps_a_private_log_and_does_without_a_tray() {
    let desk = Desk::with_app(&["--background"]);
    let libraries = Command::new("ldconfig").arg("-p").output().unwrap();
    if !String::from_utf8_lossy(&libraries.stdout).contains("appindicator3.so") {
        desk.shows("The window is shown because there is no tray");
        assert!(desk.output.all().contains("there is no tray: the library that it needs is not installed"), "{}", desk.output.tail());
    }
    assert!(!desk.output.all().contains("a failure inside the inspector"), "{}", desk.output.tail());
    let file = desk.home().join("library").join("app.log");
    let log = std::fs::read_to_string(&file).unwrap();
    assert!(log.contains("a page has connected"), "{log}");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}
