//! What the inspector knows, as plain data: sessions, steps, timelines, values, diffs, and the border of the engine.
//!
//! Pure: no IO, no clock, no threads. The engine and the window hold the same types and fold the same changes, so
//! that what is drawn is what was recorded. Start with [`Step`], then [`Timeline`], then [`Request`] and [`Notice`].

mod access;
mod border;
mod compare;
mod condition;
mod config;
mod cost;
mod desktop;
mod diff;
mod ids;
mod limited;
mod limiter;
mod page;
mod query;
mod readable;
mod secret;
mod server;
mod session;
mod share;
mod step;
mod steps;
mod suspect;
mod timeline;
mod value;

pub use access::{Access, AttachOptions, is_loopback, unprotected};
pub use border::{
    Answer, CommandDone, ErrorCode, Failure, FoundServer, Handle, JumpPreview, JumpTarget, Keep, LOCKED, Level, NotRestored, Notice,
    RecorderStatus, RecordingInfo, RemoteCursor, Request, Source, SourceKind, SourceState, StateAnswer, Work,
};
pub use compare::{CompareRow, Comparison, Ignore, PairStates, SourceEnd, SourceStream};
pub use condition::{Breakpoint, Condition, Facts};
pub use config::{AdviceLevel, ConfigKey, Configuration, InstanceValue, KeyAdvice, ViewAttribute, ViewConfig};
pub use cost::{AssignCost, AssignCosts};
pub use desktop::{
    DesktopInfo, DesktopQuestion, DesktopRequest, DesktopSetting, Drag, NotifyAbout, PageAt, Reply, Update, UpdateState, UpdateStep,
};
pub use diff::{Change, ChangeCounts, Diff, Note, Op, Path, Segment, TextHunk};
pub use ids::{RecordingId, RequestId, SessionId, SourceId, StepId, ViewId, WorkId};
pub use limited::{LONGEST_ID, LONGEST_WORDS, MOST_LISTED, bounded_id, cut, deserialize_list};
pub use limiter::{Limits, Played, TokenBucket};
pub use page::{ChangedNode, PageShell, RecordedPage, StyleSheet};
pub use query::{Found, Glimpse, Hit, Holder, PathHistory, PathValue, Scope, SearchOptions, ValueAt};
pub use readable::{civil, for_desktop, grouped, is_invisible, visible};
pub use secret::Secret;
pub use server::{Advice, HotReloadStatus, MissingHook, ServerInfo, Workers};
pub use session::{Bucket, Close, Component, HandlerBucket, HandlerInfo, IpStatus, Param, Phase, Rate, RingInfo, Session, Transport, View};
pub use share::{
    BUG_CAPTURE_PREFIX, ExportFormat, ExportOptions, ExportPlace, ExportPreview, KeptBack, Redaction, RedactionRule, Selection,
    find_bug_capture,
};
pub use step::{Cause, ErrorDetail, Frame, LogRecord, Side, SqlQuery, Status, Step, StepDetail, StepKind, Timing};
pub use steps::{Block, Changed, Counted, Name, Steps, Stream, Whose};
pub use suspect::{By, Sure, Suspect};
pub use timeline::Timeline;
pub use value::{Kind, Value, ValueError, parse_value};
