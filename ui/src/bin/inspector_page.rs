//! The window in a page. `cargo xtask wasm` builds it, together with what is in `ui/web`.

#[cfg(target_arch = "wasm32")]
fn main() {
    inspector_ui::web::start();
}

#[cfg(not(target_arch = "wasm32"))]
compile_error!("the page is built for wasm32-unknown-unknown: cargo xtask wasm");
