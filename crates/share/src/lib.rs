//! Steps of a recording for others: recording files, JSON, reports, tests and djust's bug captures, without secrets.
//!
//! Everything goes the same way. An [`Excerpt`](excerpt::Excerpt) gives the selected steps one after the other, cleaned by the
//! [`Redactor`]; a format writes them; the finished file is opened again and looked through before it gets its name. [`preview`]
//! goes the same way without writing. `docs/SHARING.md` says what is kept back and what is refused.
//!
//! Reads a recording through `inspector-store`, knows no engine and no window.

mod bug_capture;
mod error;
mod excerpt;
mod json;
mod markup;
mod names;
mod paths;
mod patterns;
mod pytest;
mod python;
mod recording;
mod redact;
mod report;
mod scan;

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use inspector_model::{ExportFormat, ExportOptions, ExportPreview, StepKind};
use inspector_store::{Progress, Reader};

pub use bug_capture::{import_file, import_file_with, import_text};
pub use error::ShareError;
pub use excerpt::{connections, shell};

use excerpt::{Excerpt, Part};
use redact::Redactor;

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// Bytes of the file.
    pub bytes: u64,
    /// What is in it, and what was kept back.
    pub preview: ExportPreview,
}

/// Learning, writing, looking at what was written.
const PARTS: u64 = 3;
const LEARNING: Part = Part { number: 0, of: PARTS };
const WRITING: Part = Part { number: 1, of: PARTS };
const LOOKING: Part = Part { number: 2, of: PARTS };

/// Says what an export would hold and keep back, without writing anything.
pub fn preview(reader: &Reader, options: &ExportOptions, progress: Progress<'_>) -> Result<ExportPreview, ShareError> {
    let excerpt = Excerpt::new(reader, options, progress)?;
    suits(&excerpt, options)?;
    let mut redactor = Redactor::new(&options.redaction)?;
    if !redactor.is_off() {
        excerpt.learn(&mut redactor, Part { number: 0, of: 2 })?;
        excerpt.look(&mut redactor, Part { number: 1, of: 2 })?;
    }
    Ok(about(&excerpt, &redactor))
}

/// Writes an export to a file, which is replaced if there is one. Only whoever writes it may read it. After an error,
/// also when it was cancelled, nothing is left of it.
pub fn export(reader: &Reader, options: &ExportOptions, path: &Path, progress: Progress<'_>) -> Result<Exported, ShareError> {
    let excerpt = Excerpt::new(reader, options, progress)?;
    suits(&excerpt, options)?;
    let mut redactor = Redactor::new(&options.redaction)?;
    if !redactor.is_off() {
        excerpt.learn(&mut redactor, LEARNING)?;
    }
    // In the folder that it is for: a rename is whole or not at all, and there is the space that it needs.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".djust-inspector-export-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    let work = builder.tempdir_in(folder)?;
    let part = work.path().join("export");
    write(&excerpt, &mut redactor, options.format, work.path(), &part)?;
    let findings = scan::scan(&part, options.format, &redactor, &|done, total| excerpt.goes_on(LOOKING, done, total))?;
    if !findings.is_empty() {
        return Err(ShareError::Leak { findings });
    }
    let (done, bytes) = match &options.passphrase {
        Some(passphrase) => {
            let sealed = work.path().join("sealed");
            let bytes = inspector_store::seal_file(&part, &sealed, passphrase)?;
            (sealed, bytes)
        }
        None => (part.clone(), part.metadata()?.len()),
    };
    std::fs::rename(&done, path)?;
    Ok(Exported { bytes, preview: about(&excerpt, &redactor) })
}

/// Whether the steps can be written so, as far as their lines tell.
fn suits(excerpt: &Excerpt<'_>, options: &ExportOptions) -> Result<(), ShareError> {
    let unsuited = |why: String| Err(ShareError::Unsuited(why));
    if options.passphrase.is_some() && options.format != ExportFormat::Recording {
        return unsuited("only a recording file can be encrypted; export it as a .djrec".to_owned());
    }
    let format = options.format;
    match (format, excerpt.steps()) {
        (ExportFormat::BugCapture, [step]) if !step.has_states() => {
            unsuited(format!("step {} has no states to capture; select one that has", step.id))
        }
        (ExportFormat::BugCapture, [_]) => Ok(()),
        (ExportFormat::BugCapture, steps) => {
            unsuited(format!("a bug capture holds one step, {} are selected; select one that has states", steps.len()))
        }
        (ExportFormat::Pytest, steps) if !steps.iter().any(|step| step.session.is_some() && is_sent(step.kind)) => {
            unsuited("no test can be made of these steps: none is an event of a page; select others".to_owned())
        }
        (ExportFormat::Recording | ExportFormat::Json | ExportFormat::Html | ExportFormat::Pytest, _) => Ok(()),
    }
}

fn write(excerpt: &Excerpt<'_>, redactor: &mut Redactor, format: ExportFormat, work: &Path, path: &Path) -> Result<(), ShareError> {
    if format == ExportFormat::Recording {
        recording::write(excerpt, redactor, &work.join("database"), path, WRITING)?;
        private(&File::open(path)?)?;
        return Ok(());
    }
    let file = File::create(path)?;
    private(&file)?;
    let mut out = BufWriter::new(file);
    match format {
        ExportFormat::Json => json::write(excerpt, redactor, &mut out, WRITING)?,
        ExportFormat::Html => report::write(excerpt, redactor, &mut out, WRITING)?,
        ExportFormat::Pytest => pytest::write(excerpt, redactor, &mut out, WRITING)?,
        ExportFormat::BugCapture => bug_capture::write(excerpt, redactor, &mut out, WRITING)?,
        ExportFormat::Recording => {}
    }
    out.flush()?;
    out.get_ref().sync_all()?;
    Ok(())
}

/// States are private data.
fn private(file: &File) -> std::io::Result<()> {
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}

/// Whether a step is an event that can be sent again.
const fn is_sent(kind: StepKind) -> bool {
    matches!(kind, StepKind::Event | StepKind::Replay)
}

fn about(excerpt: &Excerpt<'_>, redactor: &Redactor) -> ExportPreview {
    let pages: HashSet<_> = excerpt.steps().iter().filter_map(|step| step.session.as_ref()).collect();
    ExportPreview { steps: excerpt.steps().len() as u64, pages: pages.len() as u64, kept_back: redactor.kept_back() }
}
