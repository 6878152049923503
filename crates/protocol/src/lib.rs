//! Frames between agent and inspector (`docs/PROTOCOL.md`): types, versions, lenient decoding. No IO.
//!
//! djust's and the agent's words appear here and in `agent/` only; the rest of the program speaks the model's.
//! Start with [`decode`]: it is total, what it cannot read comes back as [`Undecodable`] with the reason.

mod discovery;
mod inbound;
mod outbound;
mod patches;
mod state;

pub use discovery::{DISCOVERY_DIR_VARIABLE, Discovered, RUN_VARIABLE, TOKEN_VARIABLE};
pub use inbound::{AgentFrame, AgentStep, AnswerError, Body, CommandResult, RefusedReason, Seen, Undecodable, Welcome, WorkerSeen, decode};
pub use outbound::{Command, Restore, Resume, hello};
pub use patches::changed_nodes;
pub use state::{StateChange, StreamState};

/// The version that this inspector speaks.
pub const PROTOCOL: u32 = 1;

/// The path at which djust's scaffold routes its consumer.
pub const DEFAULT_WS_PATH: &str = "/ws/live/";

/// The query that hands a WebSocket to the agent.
pub const ATTACH_QUERY: &str = "djust_inspector=1";

/// The largest frame that is read from an agent, bytes. A state may be 64 MiB; its HTML and frames come on top.
pub const MAX_FRAME_BYTES: usize = 192 << 20;
