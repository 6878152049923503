//! An encrypted library.

use inspector_store::Store;

use crate::desk::Desk;

const PASSPHRASE: &str = "correct horse";

#[test]
fn an_encrypted_library_is_opened_with_a_passphrase_that_is_typed() {
    let desk = Desk::empty();
    let (store, _) = Store::open(&desk.home().join("library")).unwrap();
    drop(store.create("Of last week", 1.0, "1.2.6").unwrap());
    store.set_passphrase(None, Some(&PASSPHRASE.into())).unwrap();
    drop(store);

    let desk = desk.driving(&[]);
    desk.shows("The library is encrypted");
    let drain =
        "const done = arguments[0]; window.__TAURI_INTERNALS__.invoke('drain', {maxSteps: 9}).then(() => done(0), () => done('refused'))";
    assert_eq!(desk.script_later(drain), "refused", "there is nothing to be had yet");
    let window = desk.window("djust inspector");
    desk.picture(&window, "locked");
    desk.xdotool(&["windowfocus", "--sync", &window]);
    let give = |passphrase: &str| {
        desk.xdotool(&["type", passphrase]);
        desk.xdotool(&["key", "Return"]);
    };
    give("battery staple");
    desk.shows("This is not the passphrase that it was encrypted with");
    give(PASSPHRASE);
    desk.shows("Of last week");
    desk.connected(1);
    // It is open, and a page that is loaded again is not asked again.
    desk.reload();
    desk.shows("Of last week");
}
