//! Servers of several processes, as in production: behind an nginx with TLS, with a Redis for a channel layer.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::process::Command;

use inspector_engine::Target;
use inspector_model::{AttachOptions, JumpTarget, Request, SessionId, Side, Step, StepId, StepKind};
use inspector_test_support::{Browser, Certificate, DjustServer, Flavour, Nginx, Page, Redis, STEP_DEADLINE, ServerOptions, test_id};
use tokio::runtime::Runtime;

use crate::inspector::Inspector;
use crate::lab::Lab;

const WORKERS: u8 = 3;
/// Pages that are opened at most until each worker has one: where a connection goes is the system's choice.
const MOST_PAGES: usize = 40;

/// The server with all that is around it. Its parts are dropped in this order.
struct Site {
    browser: Browser,
    nginx: Nginx,
    server: DjustServer,
    _redis: Option<Redis>,
    authority: tempfile::TempDir,
    runtime: Runtime,
}

impl Site {
    fn start(flavour: Flavour, with_redis: bool) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let authority = tempfile::tempdir().expect("a temporary folder");
        let certificate = Certificate::of_authority(authority.path()).expect("a certificate");
        let (browser, nginx, server, redis) = runtime.block_on(async {
            let mut options = ServerOptions::injected(&Lab::token()).flavour(flavour);
            options = options.env("DEMO_DEBUG", "0").env("DJUST_INSPECTOR_WRITES", "1").env("DEMO_RATE", "loose");
            let redis = if with_redis { Some(Redis::start().await.expect("Redis starts")) } else { None };
            if let Some(redis) = &redis {
                options = options.env("DEMO_REDIS", &redis.url());
            }
            let server = DjustServer::start(options).await.expect("the server starts");
            let nginx = Nginx::start(server.address(), &certificate).await.expect("nginx starts");
            (Browser::launch_trusting().await.expect("the browser starts"), nginx, server, redis)
        });
        Self { browser, nginx, server, _redis: redis, authority, runtime }
    }

    fn attach(&self) -> Inspector {
        let authority = Some(self.authority.path().join("authority.pem"));
        let url = self.nginx.url("").trim_end_matches('/').to_owned();
        let mut inspector = Inspector::attach(Target::Address { url, token: Lab::token(), options: AttachOptions::default(), authority });
        inspector.attached();
        inspector
    }

    fn open(&self) -> Page {
        self.runtime.block_on(async {
            let page = self.browser.new_page().await.expect("a page");
            page.open_live(&self.nginx.url("/counter/")).await.expect("the page is live");
            page
        })
    }

    fn click(&self, page: &Page) {
        self.runtime.block_on(page.click(&test_id("increment"))).expect("a click");
    }

    fn shows(&self, page: &Page, count: &str) {
        self.runtime.block_on(page.wait_text(&test_id("count"), count, STEP_DEADLINE)).expect("the page's count");
    }

    /// Opens pages until all workers have one, and clicks each once: each page's session, and the process that it is connected to.
    fn on_all_workers(&self, inspector: &mut Inspector) -> Vec<(Page, SessionId, u32)> {
        let mut found: BTreeMap<u32, (Page, SessionId)> = BTreeMap::new();
        let mut after = StepId(0);
        for _ in 0..MOST_PAGES {
            let page = self.open();
            self.click(&page);
            let step = inspector.step_after(after, "a click", |step| step.kind == StepKind::Event && step.name == "increment");
            after = step.id;
            let session = step.session.expect("a page");
            let pid = inspector.timeline().sessions()[&session].pid.expect("its process");
            match found.entry(pid) {
                Entry::Vacant(place) => {
                    place.insert((page, session));
                }
                Entry::Occupied(_) => self.runtime.block_on(page.close()).expect("the page closes"),
            }
            if found.len() == usize::from(WORKERS) {
                return found.into_iter().map(|(pid, (page, session))| (page, session, pid)).collect();
            }
        }
        panic!("all of {MOST_PAGES} pages went to the workers {:?}", found.keys());
    }

    /// The words of the window about workers.
    fn words(inspector: &Inspector) -> Option<String> {
        inspector.timeline().source().server.as_ref()?.workers.words()
    }
}

fn all_are_seen_and_commanded(flavour: Flavour) {
    let site = Site::start(flavour, true);
    let mut inspector = site.attach();
    let pages = site.on_all_workers(&mut inspector);
    let words = format!("{WORKERS} workers");
    inspector.wait(&words, |inspector| (Site::words(inspector)? == words).then_some(()));
    for (page, session, _) in &pages {
        let clicks = |step: &Step| step.kind == StepKind::Event && step.name == "increment" && step.session.as_ref() == Some(session);
        let click = inspector.step("the page's click", clicks);
        assert_eq!(inspector.timeline().steps().iter().filter(|step| clicks(step)).count(), 1, "no step comes twice");
        assert_eq!(inspector.assign(click.id, "count"), "1");
        let source = inspector.id;
        inspector.command(Request::Jump { source, target: JumpTarget { step: click.id, side: Side::Before }, component: None });
        site.shows(page, "0");
        inspector.command(Request::Dispatch {
            source,
            session: session.clone(),
            view: None,
            component: None,
            event: "add".into(),
            params: r#"{"n":5}"#.into(),
        });
        site.shows(page, "5");
    }
    for step in inspector.timeline().steps().iter() {
        assert!(step.kind != StepKind::Gap, "{:?}", step.error);
    }
}

#[test]
fn all_workers_of_uvicorn_are_seen_and_commanded_through_one_attachment() {
    all_are_seen_and_commanded(Flavour::UvicornWorkers(WORKERS));
}

#[test]
fn all_workers_of_a_preloaded_gunicorn_are_seen_and_commanded_through_one_attachment() {
    all_are_seen_and_commanded(Flavour::GunicornPreload(WORKERS));
}

#[test]
fn a_killed_worker_is_told_and_its_page_recovers_on_another() {
    let site = Site::start(Flavour::UvicornWorkers(WORKERS), true);
    let mut inspector = site.attach();
    let pages = site.on_all_workers(&mut inspector);
    let main = inspector.timeline().source().server.as_ref().expect("the server").pid;

    let (page, session, killed) = pages.iter().find(|(_, _, pid)| *pid != main).expect("a page on another worker");
    site.server.kill_worker(*killed);
    let gap = inspector.step("the end of the worker", |step| step.kind == StepKind::Gap);
    assert_eq!(gap.error.as_deref(), Some("a worker of the server ended or cannot be reached"));
    for (_, other, _) in &pages {
        assert_eq!(inspector.timeline().sessions()[other].is_open(), other != session, "{other:?}");
    }
    let reason = inspector.timeline().sessions()[session].close.as_ref().and_then(|close| close.reason.clone());
    assert_eq!(reason.as_deref(), Some("Its worker ended or cannot be reached"));
    site.shows(page, "0");
    site.click(page);
    let click = inspector.step_after(gap.id, "a click on another worker", |step| step.kind == StepKind::Event);
    let again = click.session.clone().expect("a page");
    assert!(again != *session && inspector.timeline().sessions()[&again].pid != Some(*killed));
    assert_eq!(inspector.assign(click.id, "count"), "1");

    // The worker with the connection: it comes back through another, and the pages of those that live are still the same.
    site.server.kill_worker(main);
    inspector.wait("the loss", |inspector| (!inspector.timeline().source().is_attached()).then_some(()));
    inspector.attached();
    let second = inspector.step_after(click.id, "the end of the first worker", |step| step.kind == StepKind::Gap);
    assert_eq!(second.error.as_deref(), Some("a worker of the server ended or cannot be reached"));
    let (page, session, _) = pages.iter().find(|(_, _, pid)| pid != killed && *pid != main).expect("the page of the third worker");
    assert!(inspector.timeline().sessions()[session].is_open());
    site.click(page);
    let click =
        inspector.step_after(second.id, "a click there", |step| step.kind == StepKind::Event && step.session.as_ref() == Some(session));
    assert_eq!(inspector.assign(click.id, "count"), "2");
}

#[test]
fn without_a_shared_channel_layer_it_says_that_it_sees_one_worker_of_all() {
    let site = Site::start(Flavour::UvicornWorkers(WORKERS), false);
    let inspector = site.attach();
    let words = format!("1 of {WORKERS} workers");
    assert_eq!(Site::words(&inspector).as_ref(), Some(&words));
    let data = tempfile::tempdir().expect("a temporary folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_djust-inspector"));
    command.args(["doctor", site.nginx.url("").trim_end_matches('/'), "--ca"]).arg(site.authority.path().join("authority.pem"));
    command.env("DJUST_INSPECTOR_TOKEN", Lab::token()).env("DJUST_INSPECTOR_DATA_DIR", data.path());
    let output = command.output().expect("the program runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains(&words) && text.contains("channels_redis"), "{text}{}", String::from_utf8_lossy(&output.stderr));
}
