//! Texts that may be djust's bug captures. One without the prefix is taken for what stands inside of one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use inspector_model::{BUG_CAPTURE_PREFIX, ExportFormat, ExportOptions, Redaction};
use inspector_share::{ShareError, export, import_file, import_text};

use super::in_library;
use crate::look::look;

pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let text =
        if text.contains(BUG_CAPTURE_PREFIX) { text.into_owned() } else { format!("{BUG_CAPTURE_PREFIX}{}", URL_SAFE_NO_PAD.encode(data)) };
    in_library(|store, folder| {
        let (file, again) = (folder.join("hostile.djbug1"), folder.join("again.djbug1"));
        std::fs::write(&file, &text).expect("the file is written");
        let from_file = import_file(&file, store, 1.0, &|_, _| true);
        let imported = match import_text(&text, store, 1.0) {
            Ok(imported) => imported,
            Err(error) => return assert!(!error.to_string().is_empty() && from_file.is_err(), "{error}"),
        };
        assert_eq!(from_file.expect("a file is as good as its text").id, imported.id);
        let reader = store.read(&imported.id).expect("what was imported can be read");
        look(&reader);
        assert_eq!(reader.info().steps, 1);
        let redaction = Redaction { off: true, ..Redaction::default() };
        let options = ExportOptions { format: ExportFormat::BugCapture, redaction, ..ExportOptions::default() };
        match export(&reader, &options, &again, &|_, _| true) {
            Ok(_) => {
                let twice = import_file(&again, store, 1.0, &|_, _| true).expect("what was written is a capture");
                let _ = store.delete(&twice.id);
            }
            Err(error) => assert!(matches!(error, ShareError::Unsuited(_)), "{error}"),
        }
        let _ = store.delete(&imported.id);
    });
}
