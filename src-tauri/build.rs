//! Makes what Tauri needs at compile time: the permissions of our commands and the window's page.

use std::path::Path;

/// The commands of the border. Each becomes a permission, so that a window has them only by a capability.
const COMMANDS: [&str; 4] = ["connect", "send", "drain", "unlock"];

fn main() {
    let page = Path::new("../target/web");
    println!("cargo:rerun-if-changed={}", page.display());
    assert!(page.join("index.html").is_file(), "the window's page has not been made: run `cargo xtask wasm` first");
    let attributes = tauri_build::Attributes::new().app_manifest(tauri_build::AppManifest::new().commands(&COMMANDS));
    if let Err(error) = tauri_build::try_build(attributes) {
        panic!("the app's configuration cannot be used: {error:#}");
    }
}
