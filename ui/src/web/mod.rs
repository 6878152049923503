//! The window in a page: WebAssembly on a canvas, the engine behind Tauri's commands.
//!
//! Start at [`start`], which the module's `main` calls. [`border`] is all that the page knows of the program around it.

mod border;
mod page;

pub use page::start;

/// Waits on the page's own timer.
async fn pause(milliseconds: i32) {
    let promise = js_sys::Promise::new(&mut |resolve, _| {
        if let Some(window) = web_sys::window() {
            window.set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, milliseconds).ok();
        }
    });
    wasm_bindgen_futures::JsFuture::from(promise).await.ok();
}

/// An exception in words.
fn words(error: &wasm_bindgen::JsValue) -> String {
    error.as_string().unwrap_or_else(|| String::from(js_sys::Object::from(error.clone()).to_string()))
}
