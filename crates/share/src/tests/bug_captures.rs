//! Bug captures, written, read and hostile.

use super::*;

#[test]
fn a_bug_capture_holds_one_step_and_comes_back() {
    let sample = six();
    let refused = sample.export(&options(ExportFormat::BugCapture)).unwrap_err().to_string();
    assert!(refused.contains("6 are selected"), "{refused}");
    let before = preview(&sample.reader, &options(ExportFormat::BugCapture), &|_, _| true).unwrap_err().to_string();
    assert_eq!(before, refused, "the preview says so before anything is written");
    let selection = Selection { first: Some(StepId(4)), last: Some(StepId(4)), session: None };
    let path = sample.export(&ExportOptions { format: ExportFormat::BugCapture, selection, ..ExportOptions::default() }).unwrap();
    let blob = std::fs::read_to_string(&path).unwrap();
    let capture = read_bug_capture(&blob).unwrap();
    assert_eq!(
        (capture.event.as_str(), capture.before.get("count"), capture.after.get("count")),
        ("add", Some(&Value::Number(3.into())), Some(&Value::Number(4.into())))
    );

    let (store, _) = Store::open(&sample.folder.path().join("other")).unwrap();
    let address = format!("http://localhost/__djust__/replay/{}/?a=b", blob.trim());
    let all = [
        import_text(&blob, &store, 5.0).unwrap(),
        import_text(&address, &store, 6.0).unwrap(),
        import_file(&path, &store, 7.0, &|_, _| true).unwrap(),
    ];
    assert!(all.iter().all(|imported| *imported == all[0]), "one capture is one recording: {all:?}");
    assert_eq!(store.recordings().unwrap().len(), 1);
    for imported in all {
        let reader = store.read(&imported.id).unwrap();
        let steps = reader.steps().unwrap();
        assert_eq!(
            (steps.len(), steps[0].name.as_str(), steps[0].changes.changed, steps[0].changed.as_slice()),
            (1, "add", 1, ["count".to_owned()].as_slice())
        );
        let StateAnswer::Full(after) = reader.state(StepId(1), Side::After).unwrap() else { panic!("a state") };
        assert_eq!(parse_value(&after).unwrap(), capture.after);
    }
    let recording = sample.export(&ExportOptions::default()).unwrap();
    assert_eq!(import_file(&recording, &store, 5.0, &|_, _| true).unwrap().steps, 6, "a recording is still a recording");
    let absent = import_file(&sample.folder.path().join("absent"), &store, 5.0, &|_, _| true).unwrap_err().to_string();
    assert!(absent.starts_with("reading the recording failed"), "{absent}");
}

#[test]
fn a_capture_that_was_deleted_can_be_taken_in_again_and_another_is_another() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let capture =
        |n: u32| blob(&format!(r#"{{"v":"djbug1","event_name":"x","state_before":{{}},"state_after":{{"n":{n}}},"vdom_patches":[]}}"#));
    let one = import_text(&capture(1), &store, 1.0).unwrap();
    assert_ne!(import_text(&capture(2), &store, 1.0).unwrap().id, one.id);
    store.delete(&one.id).unwrap();
    assert_eq!(import_text(&capture(1), &store, 2.0).unwrap(), one);
    assert_eq!(store.read(&one.id).unwrap().steps().unwrap().len(), 1);
}

#[test]
fn what_is_secret_in_a_bug_capture_is_left_out_and_named() {
    let sample = secretive();
    let path = sample.export(&fitting(ExportFormat::BugCapture)).unwrap();
    let capture = read_bug_capture(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(capture.scrubbed, ["password", "pem"]);
    assert_eq!(capture.after.get("password"), None);
}

pub fn blob(json: &str) -> String {
    format!("{BUG_CAPTURE_PREFIX}{}", base64::engine::general_purpose::URL_SAFE.encode(json))
}

#[test]
fn hostile_bug_captures_are_refused_with_a_reason() {
    let good = r#"{"v":"djbug1","state_before":{},"state_after":{},"vdom_patches":[]}"#;
    assert!(read_bug_capture(&blob(good)).is_ok(), "padding is djust's to read");
    let deep = format!(
        r#"{{"v":"djbug1","state_before":{{}},"state_after":{{"a":{}1{}}},"vdom_patches":[]}}"#,
        "[".repeat(5000),
        "]".repeat(5000)
    );
    for (text, reason) in [
        ("djbug1.store.AAAAAAAAAAAAAAAAAAAAAA".to_owned(), "reference to a store"),
        ("djbug2.e30".to_owned(), "does not begin"),
        ("djbug1.!!!".to_owned(), "not base64"),
        ("djbug1.".to_owned(), "not JSON"),
        (blob("\u{0}"), "not JSON"),
        (blob("[]"), "not a JSON object"),
        (blob(r#"{"v":"djbug9"}"#), "another version"),
        (blob(r#"{"v":"djbug1","state_before":{},"state_after":[],"vdom_patches":[]}"#), "state_after"),
        (blob(r#"{"v":"djbug1","state_before":{},"state_after":{},"vdom_patches":{}}"#), "vdom_patches"),
        (blob(&deep), "nested too deeply"),
        ("djbug1.".to_owned() + &"A".repeat(17 << 20), "larger than 16 MB"),
    ] {
        let told = read_bug_capture(&text).unwrap_err().to_string();
        assert!(told.contains(reason), "{told}");
    }
}

#[test]
fn a_bug_capture_says_what_json_cannot() {
    let text = r#"{"v":"djbug1","event_name":"x","state_before":{},"vdom_patches":[],"state_after":{"a":NaN,"b":[-Infinity,Infinity],
        "c":{"__djust_decimal__":"1.50"},"d":"NaN","e":{"$t":"set","v":1},"f":{"__djust_component__":"a.B","state":{"n":1}}}}"#;
    let after = read_bug_capture(&blob(text)).unwrap().after;
    let expected = concat!(
        r#"{"a":{"$t":"float","v":"nan"},"b":[{"$t":"float","v":"-inf"},{"$t":"float","v":"inf"}],"c":{"$t":"decimal","v":"1.50"},"d":"NaN","#,
        r#""e":{"$t":"dict","v":[["$t","set"],["v",1]]},"f":{"$t":"component","class":"a.B","v":{"n":1}}}"#
    );
    assert_eq!(after.to_json(), expected);
}
