//! A hostile recording in a real Chromium: whatever it tries, nothing arrives at the server that waits for it.
//!
//! Each document is opened as hosts show it and, harder, without its policy and without a sandbox: what was written must be
//! harmless by itself. The recording as it is, opened in the same way, is the proof that the trap works.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test stops where something is wrong")]

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use inspector_model::{PageShell, RecordedPage, Side, StepId, StyleSheet};
use inspector_page::{Content, Options, Pane, Title, document, frame_page};
use inspector_test_support::{Browser, Page, wait_until};
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A server that notes what is asked of it, and serves the documents under test.
struct Trap {
    origin: String,
    seen: Arc<Mutex<Vec<String>>>,
    documents: Arc<Mutex<HashMap<String, String>>>,
    serving: tokio::task::JoinHandle<()>,
}

impl Trap {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let (seen, documents) = (Arc::<Mutex<Vec<String>>>::default(), Arc::<Mutex<HashMap<String, String>>>::default());
        let (noted, served) = (seen.clone(), documents.clone());
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, noted.clone(), served.clone()));
            }
        });
        Self { origin, seen, documents, serving }
    }

    fn serve(&self, path: &str, text: String) -> String {
        self.documents.lock().insert(path.to_owned(), text);
        format!("{}{path}", self.origin)
    }

    /// Waits until all of these were asked for.
    async fn wait_for(&self, caught: &[&str]) {
        wait_until(Duration::from_secs(30), "the trap to catch the recording as it is", async || {
            let seen = self.seen.lock();
            let missing: Vec<_> = caught.iter().filter(|path| !seen.iter().any(|own| own == *path)).collect();
            if missing.is_empty() { Ok(()) } else { Err(format!("not caught: {missing:?}")) }
        })
        .await
        .unwrap();
    }

    /// What was asked for since the last call, up to now: a request made by hand comes after all that came before it.
    async fn take(&self, page: &Page) -> Vec<String> {
        page.open(&format!("{}/after", self.origin)).await.unwrap();
        wait_until(Duration::from_secs(30), "the last request", async || {
            self.seen.lock().iter().any(|path| path == "/after").then_some(()).ok_or_else(|| "it has not arrived".to_owned())
        })
        .await
        .unwrap();
        let seen = std::mem::take(&mut *self.seen.lock());
        // A browser asks for the icon of any site by itself.
        seen.into_iter().filter(|path| path != "/after" && path != "/favicon.ico").collect()
    }
}

impl Drop for Trap {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(mut stream: TcpStream, seen: Arc<Mutex<Vec<String>>>, documents: Arc<Mutex<HashMap<String, String>>>) {
    let mut head = Vec::new();
    let mut buffer = [0; 4096];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(read) => head.extend_from_slice(&buffer[..read]),
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let document = documents.lock().get(&path).cloned();
    if document.is_none() {
        seen.lock().push(path);
    }
    let body = document.unwrap_or_default();
    let text = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
    stream.write_all(text.as_bytes()).await.ok();
}

/// The recording: everything in it asks the trap for something, or says so in the title.
fn hostile(trap: &str, html_after: &str) -> RecordedPage {
    let before = r#"<!doctype html><html onclick="document.title='ran'"><head><title>quiet</title>
        <base href="TRAP/base/"><meta http-equiv="refresh" content="1;url=TRAP/refresh">
        <link rel="stylesheet" href="TRAP/link.css"><link rel="stylesheet" href="/static/app.css"><link rel="stylesheet" href="/static/late.css">
        <link rel="preload" as="image" href="TRAP/preload"><link rel="prefetch" href="TRAP/prefetch"><link rel="dns-prefetch" href="TRAP">
        <link rel="icon" href="TRAP/icon"><link rel="modulepreload" href="TRAP/module"><link rel="manifest" href="TRAP/manifest">
        <script>document.title='ran';fetch('TRAP/fetch',{mode:'no-cors'});new Image().src='TRAP/image'</script>
        <script src="TRAP/script"></script><script type="speculationrules">{"prefetch":[{"urls":["TRAP/rule"]}]}</script>
        <style>@import "TRAP/import";@import url(TRAP/import2);@\69mport 'TRAP/import3';
          @font-face{font-family:F;src:url(TRAP/font)}body{font-family:F;background:url(TRAP/body)}
          ul{background-image:image-set("TRAP/set" 1x)}p::before{content:u\72l('TRAP/before')}
          li{list-style:url("TRAP/list")}h1{background:cross-fade(url(TRAP/fade),url(TRAP/fade),50%)}
          a{b:'\
          ';background:url(TRAP/string)}div{--x:url(TRAP/var);background:var(--x)}</style></head><body onload="document.title='ran'">"#;
    let html = r#"<div dj-root><h1>Hostile</h1>
        <a id="js" href="javascript:document.title='ran'">js</a> <a id="away" href="TRAP/away" ping="TRAP/ping">away</a>
        <a id="blank" target="_blank" href="TRAP/blank">blank</a> <a id="odd" href="mailto:x@y">odd</a> <a id="data" href="data:text/html,x">data</a>
        <form id="form" action="TRAP/form"><input id="field" name="q" value="x"><input id="send" type="submit" value="send"></form>
        <form id="bare"><input id="only" name="q"></form><form action="TRAP/post" method="post"><button id="button" formaction="TRAP/button">go</button>
        <input id="picture" type="image" src="TRAP/input" alt="picture"></form>
        <p style="background:url(TRAP/style)" onmouseover="document.title='ran'" id="over">text</p><ul><li>item</li></ul>
        <img src="TRAP/img" onerror="document.title='ran'"><img srcset="TRAP/srcset 1x"><picture><source srcset="TRAP/source"><img></picture>
        <img src="/static/own.png"><img src="/admin/logout"><img src="/static/../admin/up"><img src="/static/%2e%2e/admin/up2">
        <iframe src="TRAP/iframe"></iframe><iframe srcdoc="<script>parent.document.title='ran'</script><img src=TRAP/srcdoc>"></iframe>
        <object data="TRAP/object"></object><embed src="TRAP/embed"><video src="TRAP/video" poster="TRAP/poster" autoplay></video>
        <audio src="TRAP/audio" autoplay></audio><table background="TRAP/table"><tr><td background="TRAP/cell">x</td></tr></table>
        <svg width="40" height="40"><script>document.title='ran'</script><image href="TRAP/svgimage" width="9" height="9"/><use href="TRAP/use#a"/>
          <rect width="9" height="9" fill="url(TRAP/fill#a)" filter="url(TRAP/filter#a)"/><a id="svga" href="TRAP/svga"><text y="20">svg</text></a>
          <style>rect{x:"&quot;;fill:url(TRAP/entity)"}</style><set attributeName="href" to="TRAP/set"/></svg>
        <math><mtext><table><mglyph><style><img src=x onerror="document.title='ran'"></style></mglyph></table></mtext></math>
        <noscript><img src="TRAP/noscript"></noscript><template shadowrootmode="open"><img src="TRAP/shadow"></template>
        <input autofocus onfocus="document.title='ran'"><details open ontoggle="document.title='ran'"><summary>d</summary>x</details>
        <xmp><img src="TRAP/xmp"></xmp><textarea></textarea><script>document.querySelector('#form').submit();window.open('TRAP/open')</script>
        <p id="end">end</p></div>"#;
    let fill = |text: &str| text.replace("TRAP", trap);
    let shell = PageShell {
        url: format!("{trap}/shop/"),
        before: fill(before),
        after: fill("<script>location='TRAP/location'</script></body></html>"),
        styles: vec![
            StyleSheet {
                href: "/static/app.css".into(),
                text: fill("@import 'TRAP/sheet';h1{background:url(own2.png),url(/admin/own3),url(TRAP/x)}"),
            },
            StyleSheet { href: "/static/late.css".into(), text: String::new() },
        ],
    };
    RecordedPage {
        html: format!("{}{html_after}", fill(html)).into(),
        shell: Some(Arc::new(shell)),
        server: Some(trap.to_owned()),
        changed: Vec::new(),
    }
}

fn raw(page: &RecordedPage) -> String {
    let shell = page.shell.as_ref().unwrap();
    format!("{}{}{}", shell.before, page.html, shell.after)
}

fn without_policy(document: &str) -> String {
    let from = document.find("<meta http-equiv").unwrap();
    let to = from + document[from..].find('>').unwrap() + 1;
    format!("{}{}", &document[..from], &document[to..])
}

fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    format!("file://{}", path.display())
}

/// Does what a person could do, and checks that the page is where it was and ran nothing.
async fn use_and_check(page: &Page, url: &str) {
    page.open(url).await.unwrap();
    for selector in ["#js", "#away", "#blank", "#odd", "#data", "#send", "#button", "#picture", "#svga", "#over"] {
        page.click(selector).await.unwrap();
    }
    for selector in ["#field", "#only"] {
        page.type_text(selector, "typed").await.unwrap();
        page.press("Enter").await.unwrap();
    }
    // Longer than the refresh of the recording would take; a timer of the browser, because the page has nothing to wait for.
    page.eval("new Promise(done => setTimeout(done, 1500))").await.unwrap();
    assert_eq!(page.url().await.unwrap(), url);
    assert_eq!(page.eval("document.title").await.unwrap(), "quiet");
    assert_eq!(page.eval("document.querySelector('#end').textContent").await.unwrap(), "end");
    assert_eq!(page.eval("[...document.querySelectorAll('script,iframe,object,embed,base,link[rel]')].length").await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_recording_asks_for_nothing_and_runs_nothing() {
    let (trap, browser, folder) = (Trap::start().await, Browser::launch().await.unwrap(), tempfile::tempdir().unwrap());
    let recorded = hostile(&trap.origin, "");

    // The recording as it is, without what leads away at once, so that all of it can try. In a browser of its own: it opens windows.
    let victim = Browser::launch().await.unwrap();
    let page = victim.new_page().await.unwrap();
    // A window that it opens would hide this tab, and what is hidden paints no backgrounds: that comes last.
    let tame = raw(&recorded).replace("location='", "void '").replace(".submit()", "").replace("window.open(", "window.later=()=>open(");
    page.open(&file(folder.path(), "raw.html", &tame)).await.unwrap();
    let caught = [
        "/fetch",
        "/script",
        "/link.css",
        "/import",
        "/import3",
        "/body",
        "/font",
        "/set",
        "/string",
        "/before",
        "/var",
        "/style",
        "/img",
        "/srcset",
        "/input",
        "/iframe",
        "/srcdoc",
        "/shadow",
        "/video",
        "/svgimage",
        "/preload",
        "/rule",
    ];
    trap.wait_for(&caught).await;
    page.eval("void later()").await.unwrap();
    trap.wait_for(&["/open"]).await;
    trap.take(&page).await;
    drop(victim);
    // What its end left behind.
    let page = browser.new_page().await.unwrap();
    trap.take(&page).await;

    let text = document(&recorded, Options::default());
    let bare = without_policy(&text);
    assert!(!bare.contains("Content-Security-Policy"));
    for url in [
        file(folder.path(), "document.html", &text),
        file(folder.path(), "bare.html", &bare),
        trap.serve("/page/document", text.clone()),
        trap.serve("/page/bare", bare),
    ] {
        use_and_check(&page, &url).await;
        let asked = trap.take(&page).await;
        assert!(asked.is_empty(), "{url}: {asked:?}");
    }

    // As the native program shows it.
    let pane = |side| Pane { side, page: Some(&recorded), content: Content::Document(&text) };
    let title = Title { step: StepId(7), name: "</title><script>document.title='ran'</script>" };
    let window = frame_page(&title, &[pane(Side::Before), pane(Side::After)], Options::default());
    let url = file(folder.path(), "window.html", &window);
    page.open(&url).await.unwrap();
    page.wait_for("document.querySelectorAll('iframe').length === 2").await.unwrap();
    page.eval("new Promise(done => setTimeout(done, 1500))").await.unwrap();
    assert_eq!(page.url().await.unwrap(), url);
    assert_eq!(page.eval("document.title").await.unwrap(), "Step 7", "nothing of what was recorded");
    assert_eq!(
        page.eval("[...document.querySelectorAll('iframe')].every(f => f.contentDocument === null)").await.unwrap(),
        true,
        "no origin in common"
    );
    let asked = trap.take(&page).await;
    assert!(asked.is_empty(), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_leave_only_static_files_are_asked_for() {
    let (trap, browser, folder) = (Trap::start().await, Browser::launch().await.unwrap(), tempfile::tempdir().unwrap());
    let recorded = hostile(&trap.origin, "");
    let page = browser.new_page().await.unwrap();
    let text = document(&recorded, Options { static_files: true, outline: true });
    for (name, text) in [("document.html", text.clone()), ("bare.html", without_policy(&text))] {
        page.open(&file(folder.path(), name, &text)).await.unwrap();
        let mut asked = trap.take(&page).await;
        asked.sort();
        asked.dedup();
        assert_eq!(asked, ["/static/late.css", "/static/own.png", "/static/own2.png"], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_hostile_megabytes_are_shown_in_part_and_do_nothing() {
    let (trap, browser, folder) = (Trap::start().await, Browser::launch().await.unwrap(), tempfile::tempdir().unwrap());
    let piece = format!("<p>{}<img src='{}/x' hidden><script>document.title='ran'</script></p>", "word ".repeat(2_000), trap.origin);
    let recorded = hostile(&trap.origin, &piece.repeat((50 << 20) / piece.len() + 1));
    let page = browser.new_page().await.unwrap();
    let text = document(&recorded, Options::default());
    let pane = Pane { side: Side::After, page: Some(&recorded), content: Content::Document(&text) };
    let window = frame_page(&Title { step: StepId(1), name: "big" }, &[pane], Options::default());
    page.open(&file(folder.path(), "bare.html", &without_policy(&text))).await.unwrap();
    assert_eq!(page.eval("document.title").await.unwrap(), "quiet");
    page.open(&file(folder.path(), "window.html", &window)).await.unwrap();
    let said = page.text("h2").await.unwrap().unwrap();
    assert!(said.contains("Only the beginning: the page has 50 MB, and 16 MB are shown"), "{said}");
    let asked = trap.take(&page).await;
    assert!(asked.is_empty(), "{:?}", &asked[..asked.len().min(9)]);
}
