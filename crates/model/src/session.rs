//! A session: one browser page.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::SessionId;

/// How far a page is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The socket is open, no view yet.
    #[default]
    Connected,
    /// A view is mounted.
    Mounted,
    /// The page is gone.
    Closed,
}

/// One browser page. A reload makes a new session that *succeeds* the old one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// djust's `session_id`.
    #[serde(rename = "session")]
    pub id: SessionId,
    /// How far it is.
    #[serde(default)]
    pub phase: Phase,
    /// The browser's address.
    #[serde(default)]
    pub client: Option<String>,
    /// The user's name; `None` is anonymous.
    #[serde(default)]
    pub user: Option<String>,
    /// Equal for pages of one browser: a pseudonym of Django's session key.
    #[serde(default)]
    pub django_session: Option<String>,
    /// The browser.
    #[serde(default)]
    pub user_agent: Option<String>,
    /// The page's path.
    #[serde(default)]
    pub path: Option<String>,
    /// The root view.
    #[serde(default)]
    pub view: Option<View>,
    /// Sticky and embedded child views.
    #[serde(default, deserialize_with = "crate::limited::deserialize_list")]
    pub children: Vec<View>,
    /// The server process that it is connected to, where the agent says so.
    #[serde(default)]
    pub pid: Option<u32>,
    /// When it connected, Unix seconds.
    #[serde(default)]
    pub opened: f64,
    /// How it ended.
    #[serde(default)]
    pub close: Option<Close>,
    /// The page that this one came after.
    #[serde(default)]
    pub succeeds: Option<SessionId>,
    /// How its messages travel.
    #[serde(default, skip_serializing_if = "crate::step::is_default")]
    pub transport: Transport,
}

/// How the messages of a page travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Over a WebSocket of its own.
    #[default]
    Websocket,
    /// The server's as Server-Sent Events, the browser's as requests.
    Sse,
    /// As one request for each event: djust's HTTP fallback.
    Http,
    /// In a way that this version does not know.
    #[serde(other)]
    Unknown,
}

impl Transport {
    /// In words, where it is not the usual one.
    pub const fn label(self) -> Option<&'static str> {
        match self {
            Self::Websocket => None,
            Self::Sse => Some("Server-Sent Events"),
            Self::Http => Some("HTTP fallback"),
            Self::Unknown => Some("unknown transport"),
        }
    }
}

/// Why a page was closed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Close {
    /// WebSocket close code.
    pub code: Option<u16>,
    /// In words.
    pub reason: Option<String>,
}

/// A mounted view.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct View {
    /// The child's id; `None` for the root view.
    pub id: Option<String>,
    /// Dotted class path.
    pub class: String,
    /// Template name.
    pub template: Option<String>,
    /// Whether it is a sticky child.
    pub sticky: bool,
    /// Whether djust's own time travel is on.
    pub time_travel: bool,
    /// djust's ring.
    pub ring: Option<RingInfo>,
    /// `tick_interval`, milliseconds.
    pub tick_ms: Option<f64>,
    /// Ticks were stopped by an inspector.
    pub ticks_paused: bool,
    /// Assigns that are reset after each render.
    #[serde(deserialize_with = "crate::limited::deserialize_list")]
    pub temporary_assigns: Vec<String>,
    /// Assigns that are sent to the renderer once.
    #[serde(deserialize_with = "crate::limited::deserialize_list")]
    pub static_assigns: Vec<String>,
    /// The state lives in a Rust actor: it cannot be put back.
    pub use_actors: bool,
    /// Components, nested ones too.
    #[serde(deserialize_with = "crate::limited::deserialize_list")]
    pub components: Vec<Component>,
    /// What a browser may call.
    #[serde(deserialize_with = "crate::limited::deserialize_list")]
    pub handlers: Arc<[HandlerInfo]>,
    /// Source file.
    pub file: Option<String>,
    /// Line of the class in it.
    pub line: Option<u32>,
}

/// A component of a view.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Component {
    /// `component_id`.
    pub id: String,
    /// Dotted class path.
    pub class: String,
}

/// How full djust's own ring is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RingInfo {
    /// Entries.
    pub len: u32,
    /// Capacity.
    pub max: u32,
}

/// An event handler.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HandlerInfo {
    /// Event name.
    pub name: String,
    /// Parameters in order.
    #[serde(deserialize_with = "crate::limited::deserialize_list")]
    pub params: Vec<Param>,
    /// The component that has it; `None` is the view.
    pub component: Option<String>,
    /// First line of its docstring.
    pub doc: Option<String>,
}

/// A handler's parameter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Param {
    /// Name.
    pub name: String,
    /// Annotation as text.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Whether it has no default.
    pub required: bool,
}

/// Rate-limit levels of a session.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rate {
    /// The socket's bucket for all messages.
    pub global: Option<Bucket>,
    /// The socket's bucket for upload frames.
    pub upload: Option<Bucket>,
    /// Warnings so far.
    pub warnings: u32,
    /// The page is closed at this many.
    pub max_warnings: u32,
    /// Buckets of `@rate_limit` handlers of this caller.
    #[serde(deserialize_with = "crate::limited::deserialize_list")]
    pub handlers: Vec<HandlerBucket>,
    /// The address.
    pub ip: Option<IpStatus>,
}

/// A token bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Bucket {
    /// Tokens left.
    pub tokens: f64,
    /// Capacity.
    pub burst: f64,
    /// Tokens a second.
    pub rate: f64,
}

/// The bucket of one handler and caller.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HandlerBucket {
    /// The handler.
    pub handler: String,
    /// `user:1`, `session:…` or `ip:…`.
    pub caller: String,
    /// Its bucket.
    #[serde(flatten)]
    pub bucket: Bucket,
}

/// What is known about a client address.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct IpStatus {
    /// The address.
    pub address: Option<String>,
    /// Open connections.
    pub connections: u32,
    /// How many are allowed.
    pub max: u32,
    /// Seconds until it may connect again; 0 when it may.
    pub cooldown: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_transport_is_written_where_it_is_not_the_usual_one() {
        let of = |transport: &str| serde_json::from_str::<Session>(&format!(r#"{{"session":"a"{transport}}}"#)).unwrap();
        for (text, transport, label) in [
            ("", Transport::Websocket, None),
            (r#","transport":"sse""#, Transport::Sse, Some("Server-Sent Events")),
            (r#","transport":"http""#, Transport::Http, Some("HTTP fallback")),
            (r#","transport":"quic""#, Transport::Unknown, Some("unknown transport")),
        ] {
            let session = of(text);
            assert_eq!((session.transport, session.transport.label()), (transport, label));
            let written = serde_json::to_string(&session).unwrap();
            assert_eq!(written.contains("transport"), transport != Transport::Websocket);
        }
    }
}
