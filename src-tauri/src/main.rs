//! The installed app: the one window of the inspector in a webview, over an engine in this process, and what a desktop adds to it.
//!
//! It hosts; it draws nothing. Start with `door.rs`, where it begins, and `shell.rs`, which holds everything together; `border.rs` is what the page sees of
//! it, `pages/` the windows that show recorded pages.

// No console window beside the app.
#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

mod arguments;
mod border;
mod commands;
mod desktop;
mod door;
mod fallback;
mod keychain;
mod links;
mod news;
mod pages;
mod picks;
mod questions;
mod server;
mod settings;
mod shell;
mod tray;
mod updates;
mod window;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Parser as _;
use inspector_engine::{Places, begin_log};
use tauri::{AppHandle, Manager as _, RunEvent};
use tauri_plugin_window_state::StateFlags;

use crate::arguments::{Arguments, Wish};
use crate::door::Start;
use crate::shell::Shell;

#[allow(clippy::print_stderr, reason = "a program that cannot start says why where it was started")]
fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("djust-inspector-app: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    prefer_safe_rendering();
    let places = Places::find(arguments.data_dir.as_deref())?;
    // A start from the desktop has no terminal that would show what is written to standard error.
    begin_log("djust-inspector-app", Some(&shell::log_file(&places)));
    let (wish, complaint) = match arguments.wish(&std::env::current_dir().unwrap_or_default()) {
        Ok(wish) => (wish, None),
        // Whoever clicked on a link sees no terminal.
        Err(error) if arguments.is_link() => (Wish::Show, Some(format!("{error:#}"))),
        Err(error) => return Err(error),
    };
    let start = Start { places, wish, complaint, background: arguments.background, fallback: arguments.fallback };
    let context = tauri::generate_context!();
    let mut builder = tauri::Builder::default();
    // First: a second start ends in it, before anything else has begun.
    if !arguments.stands_alone() {
        builder = builder.plugin(tauri_plugin_single_instance::init(|app, words, cwd| second_start(app, &words, &cwd)));
    }
    builder = builder
        .plugin(tauri_plugin_deep_link::init())
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_notification::init())
        .plugin(tauri_plugin_autostart::Builder::new().app_name("djust Inspector").arg("--background").build())
        .plugin(
            tauri_plugin_window_state::Builder::new()
                .with_state_flags(StateFlags::SIZE | StateFlags::POSITION | StateFlags::MAXIMIZED)
                .map_label(|label| if label.starts_with(pages::LABEL_PREFIX) { "page" } else { label })
                .build(),
        );
    if updates::are_configured(context.config()) {
        builder = builder.plugin(tauri_plugin_updater::Builder::new().build());
    }
    let app = builder
        .register_asynchronous_uri_scheme_protocol(pages::SCHEME, |context, request, responder| {
            let shell = context.app_handle().try_state::<Arc<Shell>>().map(|shell| shell.inner().clone());
            pages::serve(&context, shell, &request, responder);
        })
        .invoke_handler(tauri::generate_handler![commands::connect, commands::send, commands::drain, commands::unlock])
        .setup(move |app| Ok(door::enter(app.handle(), start)?))
        .build(context)
        .context("the app cannot start; without a browser engine there is the native program, djust-inspector")?;
    let code = app.run_return(event);
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

/// The program was started again: it hands over what it was asked for, and ends.
fn second_start(app: &AppHandle, words: &[String], cwd: &str) {
    let Some(shell) = app.try_state::<Arc<Shell>>().map(|shell| shell.inner().clone()) else {
        // The passphrase comes first.
        let _ = window::main_window(app).map(|window| window.set_focus());
        return;
    };
    shell.wish(match arguments::handed_over(words, cwd) {
        Ok(wish) => wish,
        Err(error) => {
            shell.border.message(inspector_model::Level::Error, format!("{error:#}"));
            Wish::Show
        }
    });
}

fn event(app: &AppHandle, event: RunEvent) {
    match event {
        // The tray goes on without windows; whoever closes the main window decides. With it, whoever does not know the passphrase.
        RunEvent::ExitRequested { code: None, api, .. } if app.try_state::<Arc<Shell>>().is_some() => api.prevent_exit(),
        RunEvent::Exit => {
            if let Some(shell) = app.try_state::<Arc<Shell>>() {
                shell.shut_down();
            }
        }
        // macOS hands files and links over like this, everyone else on the command line.
        #[cfg(target_os = "macos")]
        RunEvent::Opened { urls } => {
            for url in urls {
                let word = url.to_file_path().map_or_else(|()| url.to_string(), |path| path.to_string_lossy().into_owned());
                second_start(app, &["djust-inspector-app".to_owned(), word], "/");
            }
        }
        _ => {}
    }
}

/// WebKitGTK's way of sharing buffers with the graphics driver leaves windows blank with a good part of the drivers; without it
/// drawing costs a copy. Whoever has set the variable knows better.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "the environment may only be changed while there is one thread, and here there is one")]
fn prefer_safe_rendering() {
    const VARIABLE: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";
    if std::env::var_os(VARIABLE).is_none() {
        // SAFETY: called first in main, before anything has started a thread.
        unsafe { std::env::set_var(VARIABLE, "1") };
    }
}

#[cfg(not(target_os = "linux"))]
fn prefer_safe_rendering() {}
