//! The engine as a window sees it: requests go in, notices come out.

use std::time::Instant;

use inspector_model::{Handle as _, Notice, RequestId};

use super::*;

mod live;

struct Bench {
    engine: Engine,
    window: Window,
    notices: Vec<Notice>,
    data: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let engine = Engine::start(&Settings::new(data.path())).unwrap();
        let window = engine.window();
        Self { engine, window, notices: Vec::new(), data }
    }

    /// The first notice that fits, which may take a moment.
    fn wait<T>(&mut self, fits: impl Fn(&Notice) -> Option<T>) -> T {
        let (wake, woken) = std::sync::mpsc::sync_channel(1);
        self.window.set_waker(Box::new(move || wake.try_send(()).unwrap_or_default()));
        let end = Instant::now() + Duration::from_secs(30);
        while Instant::now() < end {
            self.window.drain(1000, &mut self.notices);
            if let Some(found) = self.notices.iter().find_map(&fits) {
                return found;
            }
            woken.recv_timeout(Duration::from_millis(500)).ok();
        }
        panic!("it was never told; told was {:?}", self.notices);
    }

    fn answer(&mut self, id: u64) -> Answer {
        self.wait(|notice| match notice {
            Notice::Answer(RequestId(of), answer) if *of == id => Some(answer.clone()),
            _ => None,
        })
    }

    fn ask(&mut self, id: u64, request: Request) -> Answer {
        assert!(self.window.send(RequestId(id), request));
        self.answer(id)
    }
}

#[test]
fn long_work_is_told_and_stops_when_a_window_says_so() {
    let mut bench = Bench::new();
    let (shared, by) = (bench.engine.shared.clone(), bench.window.mailbox().clone());
    let task = bench.engine.inside.spawn(async move {
        let asker = Asker { by, id: RequestId(1) };
        let endless = |_: &Arc<Shared>, job: &Job| {
            while job.goes_on(1, 4) {
                std::thread::yield_now();
            }
            Err(Failure::new(ErrorCode::Cancelled, "it was cancelled"))
        };
        shared.work("Importing shop".into(), asker, endless).await
    });
    let work = bench.wait(|notice| if let Notice::Work(all) = notice { all.first().cloned() } else { None });
    assert_eq!((work.words.as_str(), work.part(), work.request), ("Importing shop", Some(0.25), Some(RequestId(1))));
    assert_eq!(bench.ask(2, Request::Cancel(work.id)), Answer::Done("Cancelled: Importing shop".into()));
    let ended = bench.engine.inside.block_on(task).unwrap();
    assert_eq!(ended.unwrap_err().code, ErrorCode::Cancelled);
    bench.wait(|notice| matches!(notice, Notice::Work(all) if all.is_empty()).then_some(()));
    assert!(matches!(bench.ask(3, Request::Cancel(work.id)), Answer::Failed(failure) if failure.code == ErrorCode::NotFound));
}

#[test]
fn a_bug_capture_is_opened_by_its_text_and_is_one_recording_however_often_it_comes() {
    let mut bench = Bench::new();
    // {"v":"djbug1","event_name":"pay","state_before":{"n":1},"state_after":{"n":2},"vdom_patches":[]}
    let text = "djbug1.eyJ2IjoiZGpidWcxIiwiZXZlbnRfbmFtZSI6InBheSIsInN0YXRlX2JlZm9yZSI6eyJuIjoxfSwic3RhdGVfYWZ0ZXIiOnsibiI6Mn0sInZkb21fcGF0Y2hlcyI6W119";
    let Answer::Opened(source) = bench.ask(1, Request::OpenText(text.into())) else { panic!("{:?}", bench.notices) };
    assert_eq!(bench.ask(2, Request::OpenText(format!("http://localhost/__djust__/replay/{text}/"))), Answer::Opened(source));
    assert_eq!(bench.engine.store().recordings().unwrap().len(), 1);
    assert_eq!(bench.engine.step(source, StepId(1)).unwrap().name, "pay");
    let wrong = bench.ask(3, Request::OpenText("djbug1.!".into()));
    assert!(matches!(&wrong, Answer::Failed(failure) if failure.message.contains("not base64")), "{wrong:?}");
}

#[test]
fn an_opened_recording_whose_reading_is_cancelled_is_closed() {
    let mut bench = Bench::new();
    let sample = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recordings/shop.djrec");
    let imported = bench.engine.store().import(&sample, &|_, _| true).unwrap();
    bench.engine.shared.works.end();
    let opened = bench.ask(1, Request::OpenRecording(imported.id));
    let Answer::Opened(source) = opened else { panic!("{opened:?}") };
    // Whether or not the window heard of it before.
    let end = Instant::now() + Duration::from_secs(30);
    while bench.engine.step(source, StepId(1)).is_some() && Instant::now() < end {
        std::thread::yield_now();
    }
    assert!(bench.engine.step(source, StepId(1)).is_none());
    bench.wait(|notice| matches!(notice, Notice::Recordings(all) if all.len() == 1).then_some(()));
}

#[test]
fn a_recording_beside_an_encrypted_library_is_encrypted_too() {
    let data = tempfile::tempdir().unwrap();
    let passphrase = Secret::from("correct horse");
    let settings = Settings { data_dir: data.path().to_owned(), passphrase: Some(passphrase.clone()) };
    let first = Engine::start(&settings).unwrap();
    assert!(!first.store().has_passphrase(), "a passphrase at hand encrypts nothing by itself");
    first.store().set_passphrase(None, Some(&passphrase)).unwrap();
    let second = Engine::start(&settings).unwrap();
    assert!(second.store().has_passphrase());
    assert!(Store::is_encrypted(&data.path().join("inspector-2")).unwrap());
    let Err(refused) = Engine::start(&Settings::new(data.path())) else { panic!("opened without its passphrase") };
    assert!(matches!(refused, EngineError::Store(StoreError::PassphraseNeeded { .. })), "{refused}");
}

#[test]
fn expired_recordings_are_deleted_at_the_start_and_it_is_said() {
    let data = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(data.path()).unwrap();
    let make = |started| store.create("", started, "").unwrap().id().clone();
    let (_, young) = (make(1.0), make(now()));
    store.set_setting(KEEP_SETTING, &inspector_model::Keep { expire_days: 7, ..Default::default() }).unwrap();
    drop(store);
    let engine = Engine::start(&Settings::new(data.path())).unwrap();
    let window = engine.window();
    let mut bench = Bench { engine, window, notices: Vec::new(), data };
    bench.wait(|notice| {
        matches!(notice, Notice::Message(_, text) if text == "1 recording was older than 7 days and was deleted").then_some(())
    });
    let left: Vec<_> = bench.engine.store().recordings().unwrap().into_iter().map(|info| info.id).collect();
    assert_eq!(left, [young]);
}
