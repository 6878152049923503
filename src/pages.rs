//! Recorded pages as files for the user's browser.

use std::collections::VecDeque;
use std::io::Write as _;
use std::path::PathBuf;

use inspector_engine::Engine;
use inspector_model::{ErrorCode, Failure, PageAt, RecordedPage, Side};
use inspector_page::{Content, Options, Pane, Title, document, frame_page};
use parking_lot::Mutex;

/// So many pages are kept for the browser's reload and history; the oldest goes.
const KEPT: usize = 32;

/// A private folder of pages that goes with the program.
pub struct Pages {
    folder: tempfile::TempDir,
    written: Mutex<VecDeque<PathBuf>>,
}

impl Pages {
    /// Makes the folder. Only the user can look into it.
    pub fn new() -> std::io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("djust-inspector-pages-");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let folder = builder.tempdir()?;
        Ok(Self { folder, written: Mutex::default() })
    }

    /// Writes the page of a step, or both ends of it, into a file.
    pub fn write(&self, engine: &Engine, at: PageAt) -> Result<PathBuf, Failure> {
        let sides = if at.compare { vec![Side::Before, Side::After] } else { vec![at.side] };
        let pages: Vec<_> = sides.into_iter().map(|side| (side, engine.page(at.source, at.step, side))).collect();
        if let Some((_, Err(failure))) = pages.iter().find(|(_, page)| page.is_err())
            && pages.iter().all(|(_, page)| page.is_err())
        {
            return Err(failure.clone());
        }
        let name = engine.step(at.source, at.step).map(|step| step.name).unwrap_or_default();
        let text = together(at, &name, &pages);
        self.save(&text).map_err(|error| {
            Failure::new(ErrorCode::Io, format!("the page could not be written for the browser: {error}"))
                .hint("make room in the folder for temporary files, or name another one in TMPDIR")
        })
    }

    fn save(&self, text: &str) -> std::io::Result<PathBuf> {
        // Made with mode 0600 where there are modes.
        let mut file = tempfile::Builder::new().prefix("page-").suffix(".html").tempfile_in(self.folder.path())?;
        file.write_all(text.as_bytes())?;
        let (_, path) = file.keep().map_err(|error| error.error)?;
        let mut written = self.written.lock();
        written.push_back(path.clone());
        if written.len() > KEPT
            && let Some(oldest) = written.pop_front()
        {
            // What is left of it goes with the folder.
            std::fs::remove_file(oldest).ok();
        }
        Ok(path)
    }
}

/// One document with the pages in it.
fn together(at: PageAt, name: &str, pages: &[(Side, Result<RecordedPage, Failure>)]) -> String {
    // Offline: a file of a browser that goes where it likes must not ask the recorded server for anything.
    let options = Options { static_files: false, outline: true };
    let documents: Vec<Result<String, &str>> = pages
        .iter()
        .map(|(_, page)| page.as_ref().map(|page| document(page, options)).map_err(|failure| failure.message.as_str()))
        .collect();
    let panes: Vec<Pane<'_>> = pages
        .iter()
        .zip(&documents)
        .map(|((side, page), document)| Pane {
            side: *side,
            page: page.as_ref().ok(),
            content: match document {
                Ok(text) => Content::Document(text),
                Err(why) => Content::Nothing(why),
            },
        })
        .collect();
    frame_page(&Title { step: at.step, name }, &panes, options)
}

#[cfg(test)]
mod tests {
    use inspector_model::{SourceId, StepId};

    use super::*;

    const AT: PageAt = PageAt { source: SourceId(1), step: StepId(7), side: Side::After, compare: true };

    #[test]
    fn a_recorded_page_cannot_leave_its_frame() {
        let html = "\"></iframe><script>alert(1)</script>";
        let page = RecordedPage { html: html.into(), ..RecordedPage::default() };
        let text = together(AT, "</title><script>x", &[(Side::After, Ok(page))]);
        assert_eq!(text.matches("<script").count(), 0);
        assert_eq!(text.matches("</iframe>").count(), 1);
        assert!(text.contains("sandbox=\"\""));
    }

    #[test]
    fn a_missing_end_is_said_beside_the_other() {
        let missing = Failure::new(ErrorCode::Missing, "no render was seen");
        let text = together(AT, "add", &[(Side::Before, Err(missing)), (Side::After, Ok(RecordedPage::default()))]);
        assert!(text.contains("No render was seen.") && text.matches("<iframe").count() == 1, "{text}");
    }

    #[test]
    fn pages_are_private_and_do_not_pile_up() {
        let pages = Pages::new().unwrap();
        let paths: Vec<PathBuf> = (0..KEPT + 3).map(|_| pages.save("x").unwrap()).collect();
        assert_eq!(paths.iter().filter(|path| path.exists()).count(), KEPT);
        assert!(paths.last().unwrap().exists());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(paths.last().unwrap()), 0o600);
            assert_eq!(mode(pages.folder.path()), 0o700);
        }
        let folder = pages.folder.path().to_owned();
        drop(pages);
        assert!(!folder.exists());
    }
}
