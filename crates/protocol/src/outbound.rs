//! What the inspector says.

use inspector_model::{JumpTarget, SessionId, Side, StepId, ViewId};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value as Json, json};

/// Where a broken stream shall go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Resume {
    /// The agent that it came from.
    pub agent: String,
    /// The last number taken in.
    pub seq: u64,
}

/// The first frame of a connection: how far it came with each worker that it knows. It asks to see all workers, and with `writes` to be
/// allowed commands that change something; the server decides.
pub fn hello(resume: &[Resume], writes: bool) -> String {
    let inspector = env!("CARGO_PKG_VERSION");
    json!({"t": "hello", "protocol": crate::PROTOCOL, "inspector": inspector, "resume": resume, "workers": true, "writes": writes})
        .to_string()
}

/// What shall be put back.
#[derive(Clone, Debug)]
pub struct Restore {
    /// The whole values of the assigns that shall change, a JSON object.
    pub set: Box<RawValue>,
    /// Assigns that were there as well but are not to be touched. With `None` nothing is said of those that were not there.
    pub unsent: Option<Vec<String>>,
    /// The values come from djust's own time travel, which has fewer types.
    pub untyped: bool,
}

/// A command to the agent.
#[derive(Clone, Debug)]
pub enum Command {
    /// Say what a jump would leave as it is.
    Preview {
        /// Which page.
        session: SessionId,
        /// Which view.
        view: Option<ViewId>,
        /// Only this component's fields.
        component: Option<String>,
        /// What would be put back.
        restore: Restore,
    },
    /// Put assigns back.
    Jump {
        /// Which page.
        session: SessionId,
        /// Which view.
        view: Option<ViewId>,
        /// Only this component's fields.
        component: Option<String>,
        /// What to put back.
        restore: Restore,
        /// What the step shall say that it went to.
        target: JumpTarget,
    },
    /// Put assigns back, then send an event.
    Replay {
        /// Which page.
        session: SessionId,
        /// Which view has the handler.
        view: Option<ViewId>,
        /// Which component has it.
        component: Option<String>,
        /// What to put back first.
        restore: Option<Restore>,
        /// The event.
        event: String,
        /// A JSON object.
        params: Box<RawValue>,
        /// The step that is replayed.
        step: StepId,
        /// Whether the parameters are other ones than recorded.
        edited: bool,
    },
    /// Send an event.
    Dispatch {
        /// Which page.
        session: SessionId,
        /// Which view has the handler.
        view: Option<ViewId>,
        /// Which component has it.
        component: Option<String>,
        /// The event.
        event: String,
        /// A JSON object.
        params: Box<RawValue>,
    },
    /// Read djust's ring.
    Ring {
        /// Which page.
        session: SessionId,
        /// Which view.
        view: Option<ViewId>,
    },
    /// Stop or restart ticks.
    Ticks {
        /// Which page.
        session: SessionId,
        /// Which view.
        view: Option<ViewId>,
        /// Stop them.
        paused: bool,
    },
    /// Let a page's address connect again.
    LiftCooldown {
        /// Which page.
        session: SessionId,
    },
    /// Send everything anew.
    Sync,
}

impl Command {
    /// The page that it is for.
    pub fn session(&self) -> Option<&SessionId> {
        match self {
            Self::Preview { session, .. }
            | Self::Jump { session, .. }
            | Self::Replay { session, .. }
            | Self::Dispatch { session, .. }
            | Self::Ring { session, .. }
            | Self::Ticks { session, .. }
            | Self::LiftCooldown { session } => Some(session),
            Self::Sync => None,
        }
    }

    /// The frame. `id` comes back in the answer, `worker` is the agent that has the page.
    pub fn encode(&self, id: u64, worker: Option<&str>) -> String {
        let mut frame = Map::new();
        frame.insert("t".into(), "command".into());
        frame.insert("id".into(), id.into());
        if let Some(worker) = worker {
            frame.insert("worker".into(), worker.into());
        }
        let mut put = |key: &str, value: Json| {
            frame.insert(key.to_owned(), value);
        };
        match self {
            Self::Preview { session, view, component, restore } => {
                put("do", "preview".into());
                put("session", session.as_str().into());
                put("view", json!(view));
                put("component", json!(component));
                restore.encode(&mut put);
            }
            Self::Jump { session, view, component, restore, target } => {
                put("do", "jump".into());
                put("session", session.as_str().into());
                put("view", json!(view));
                put("component", json!(component));
                restore.encode(&mut put);
                put("target", json!({"step": target.step, "side": target.side}));
            }
            Self::Replay { session, view, component, restore, event, params, step, edited } => {
                put("do", "replay".into());
                put("session", session.as_str().into());
                put("view", json!(view));
                put("component", json!(component));
                match restore {
                    Some(restore) => restore.encode(&mut put),
                    None => put("set", Json::Null),
                }
                put("event", event.as_str().into());
                put("params", json!(params));
                put("target", json!({"step": step, "side": Side::Before, "edited": edited}));
            }
            Self::Dispatch { session, view, component, event, params } => {
                put("do", "dispatch".into());
                put("session", session.as_str().into());
                put("view", json!(view));
                put("component", json!(component));
                put("event", event.as_str().into());
                put("params", json!(params));
            }
            Self::Ring { session, view } => {
                put("do", "ring".into());
                put("session", session.as_str().into());
                put("view", json!(view));
            }
            Self::Ticks { session, view, paused } => {
                put("do", "ticks".into());
                put("session", session.as_str().into());
                put("view", json!(view));
                put("paused", (*paused).into());
            }
            Self::LiftCooldown { session } => {
                put("do", "lift_cooldown".into());
                put("session", session.as_str().into());
            }
            Self::Sync => put("do", "sync".into()),
        }
        Json::Object(frame).to_string()
    }
}

impl Restore {
    fn encode(&self, mut put: impl FnMut(&str, Json)) {
        put("set", json!(self.set));
        if let Some(unsent) = &self.unsent {
            put("unsent", json!(unsent));
        }
        if self.untyped {
            put("untyped", true.into());
        }
    }
}
