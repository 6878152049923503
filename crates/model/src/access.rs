//! Attaching by address: what is asked of the server, and what it allowed.

use serde::{Deserialize, Serialize};

/// How a server is attached to whose address was given by hand. By default the careful way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AttachOptions {
    /// Ask the server to allow changes: jumps, replays and the like. On this machine it is asked for in any case.
    pub write: bool,
    /// Send the token, and receive states, without TLS also over a network, where others can read them.
    pub insecure: bool,
}

/// What the server allows an attachment, as its agent said in its greeting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Access {
    /// The name of the token that was used.
    pub token: String,
    /// Whether this attachment may change something.
    pub writes: bool,
    /// Whether the token may, if asked for.
    pub writes_allowed: bool,
    /// When the token expires, Unix seconds.
    pub expires: Option<f64>,
}

impl Access {
    /// Why this attachment may change nothing, and what to do about it; `None` when it may.
    pub fn read_only(&self) -> Option<String> {
        if self.writes {
            None
        } else if self.writes_allowed {
            Some("Read-only: changes were not asked for, attach again with “Allow changes on this server”".to_owned())
        } else {
            Some(format!(
                "Read-only: the server lets the token “{}” change nothing, allow writes for it in the server's settings",
                self.token
            ))
        }
    }
}

/// Whether an address is on this machine, so that what is sent to it stays here. What cannot be understood for certain is not.
pub fn is_loopback(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => (host, ""),
        Some((host, port)) => match port.strip_prefix(':') {
            Some(port) => (host, port),
            None => return false,
        },
        None => authority.split_once(':').unwrap_or((authority, "")),
    };
    // A user's name in front of the host would end in here, too: `127.0.0.1:80@example.com`.
    port.bytes().all(|byte| byte.is_ascii_digit())
        && (host.eq_ignore_ascii_case("localhost") || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback()))
}

/// Why a token is not sent to an address: it is plain `http://` to another machine, where others can read what travels. `None` when it is sent.
pub fn unprotected(url: &str) -> Option<String> {
    let scheme = url.split_once("://")?.0;
    ((scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("ws")) && !is_loopback(url)).then(|| {
        "the token and all states would travel unencrypted, because the address is plain http:// and not on this machine; use https://"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_address_on_this_machine_is_loopback() {
        let here =
            ["http://127.0.0.1:8000", "http://localhost", "https://LOCALHOST:1/x", "http://[::1]:80/", "http://[::1]", "ws://127.9.9.9/"];
        for url in here {
            assert!(is_loopback(url), "{url}");
        }
        for url in [
            "https://staging.example.com",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com:80",
            "http://user@127.0.0.1@x",
            "http://127.0.0.1:80@example.com",
            "http://localhost:@example.com",
            "http://[::1]@example.com",
            "http://[::1]example.com",
            "http://example.com\\@127.0.0.1",
            "http://10.0.0.1:127",
            "http://0.0.0.0:80",
            "http://[2001:db8::1]:80",
            "http://[::ffff:10.0.0.1]",
            "",
        ] {
            assert!(!is_loopback(url), "{url}");
        }
    }

    #[test]
    fn only_plain_addresses_of_other_machines_are_unprotected() {
        for url in ["http://staging.example.com", "WS://10.0.0.1:8000/ws/", "http://127.0.0.1:80@example.com"] {
            assert!(unprotected(url).is_some_and(|why| why.contains("https://")), "{url}");
        }
        for url in ["https://staging.example.com", "wss://10.0.0.1", "http://127.0.0.1:8000", "ws://[::1]:80", "http://localhost:8000"] {
            assert_eq!(unprotected(url), None, "{url}");
        }
    }

    #[test]
    fn read_only_says_whose_decision_it_is() {
        let access = |writes, writes_allowed| Access { token: "ann".into(), writes, writes_allowed, expires: None };
        assert_eq!(access(true, true).read_only(), None);
        assert!(access(false, true).read_only().unwrap().contains("not asked for"));
        assert!(access(false, false).read_only().unwrap().contains("token “ann”"));
    }
}
