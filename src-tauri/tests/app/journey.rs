//! A developer's way: attach, click in the browser, see it, look back.

use inspector_test_support::{Browser, DjustServer, ServerOptions, workspace_root};
use serde_json::{Value, json};

use crate::desk::{APP, Desk};
use crate::picture::Picture;

const TOKEN: &str = "the-token-of-the-app-tests-0123456789abcdef";
/// The part of the page that is compared: without the scroll bar, which only one of both may have.
const PAGE: (usize, usize) = (1168, 560);
/// Where the page may begin: below the window's own line or two.
const OWN_LINES: std::ops::Range<usize> = 24..110;
/// Left, top, width and height of the cart in the browser's picture.
const CART: (usize, usize, usize, usize) = (80, 630, 720, 176);
/// Two browsers' pictures of the same page differ by less.
const ALIKE: f64 = 4.0;

fn page(step: u64, side: &str, compare: bool) -> Value {
    json!({"source": 1, "step": step, "side": side, "compare": compare})
}

#[test]
fn what_a_browser_did_is_seen_and_its_page_can_be_looked_at_again() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (server, browser) = runtime.block_on(async {
        (
            DjustServer::start(ServerOptions::injected(TOKEN)).await.expect("the server starts"),
            Browser::launch().await.expect("the browser starts"),
        )
    });
    let url = server.url("");
    let desk = Desk::with_app(&["attach", url.trim_end_matches('/'), "--token", TOKEN]);
    desk.shows("No page yet");

    let photo = |name: &str, page: &inspector_test_support::Page| {
        let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        runtime.block_on(page.screenshot(&file)).unwrap();
        Picture::read(&file)
    };
    let live = runtime.block_on(async {
        let live = browser.new_page().await.expect("a page");
        live.open_live(&server.url("/shop/")).await.expect("the page is live");
        live
    });
    desk.shows("ShopView");
    let empty = photo("browser-then.png", &live);
    runtime.block_on(live.click("[data-test^=\"buy-\"]")).unwrap();
    runtime.block_on(live.wait_for("document.querySelectorAll('[data-test^=\"line-\"]').length === 1")).unwrap();
    desk.shows("add_to_cart");

    // The page of the mount, while the browser is elsewhere: as it looked, with its styles.
    desk.send(1_000_001, &json!({"desktop": {"show_page": page(1, "after", false)}}));
    let window = desk.window("Step 1");
    let now = photo("browser-now.png", &live);
    desk.wait("the page to look as it did", || {
        let shown = desk.picture(&window, "earlier-step");
        let whole = shown.best_difference(&empty.part(0, 0, PAGE.0, PAGE.1), (0, OWN_LINES));
        let cart = |browser: &Picture| {
            shown.best_difference(&browser.part(CART.0, CART.1, CART.2, CART.3), (CART.0, CART.1..CART.1 + OWN_LINES.end))
        };
        let (then, now) = (cart(&empty), cart(&now));
        let seen = format!("the page differs by {whole:.2}, its cart from then by {then:.2}, from now by {now:.2}");
        if whole < ALIKE && then < now * 0.7 { Ok(()) } else { Err(seen) }
    });

    // It follows the selection, and shows both ends beside each other.
    desk.send(1_000_002, &json!({"desktop": {"follow_page": page(2, "after", true)}}));
    desk.window("Step 2");

    // The page in the window holds nothing: loaded again, it shows the same.
    desk.reload();
    desk.shows("add_to_cart");

    // A second start hands its file over, which it names from its own folder, and ends.
    let second = desk.command(APP).arg("counter.djrec").current_dir(workspace_root().join("recordings")).output().unwrap();
    assert!(second.status.success(), "{}", String::from_utf8_lossy(&second.stderr));
    desk.shows("CounterView");
}
