//! Why a text is no document.

/// Why a text is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScanError {
    /// Longer than [`crate::LONGEST`].
    #[error("the state is larger than {} MB", crate::LONGEST >> 20)]
    TooLong,
    /// Nested deeper than [`crate::DEEPEST`].
    #[error("the state is nested deeper than {} levels", crate::DEEPEST)]
    TooDeep,
    /// Not JSON.
    #[error("the state is not JSON: {what} at byte {at}")]
    Syntax {
        /// What was found or missed.
        what: &'static str,
        /// Where.
        at: usize,
    },
}

impl ScanError {
    pub(crate) const fn syntax(what: &'static str, at: usize) -> Self {
        Self::Syntax { what, at }
    }
}
