//! `djust-inspector://` links: what any page of any browser can make this app do, so as little as possible.
//!
//! A link opens a recording that is already in the library, by its id, or proposes to attach to an address, which the user
//! is asked about first. It never names a file, a program or a token.

use inspector_model::RecordingId;
use url::Url;

/// The links' scheme.
pub const SCHEME: &str = "djust-inspector";
/// No honest link is longer, and a dialog has to show the address in it.
const MAX_LENGTH: usize = 1_024;
const MAX_ID: usize = 64;

/// What a link asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// `djust-inspector://open?recording=ID`
    Open(RecordingId),
    /// `djust-inspector://attach?url=…`. Asked about before it is done.
    Attach(Address),
}

/// Why a link is not followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Neither form.
    #[error("the link is not one of djust-inspector://open?recording=… and djust-inspector://attach?url=…")]
    Unknown,
    /// No id of the library looks like this.
    #[error("the link names no recording of the library")]
    NotARecording,
    /// The address is refused.
    #[error(transparent)]
    Address(#[from] AddressError),
}

/// The address of a server: `http` or `https`, a host, perhaps a port and a path, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address(Url);

/// Why an address is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is no address at all, or one of something else.
    #[error("a server's address begins with http:// or https:// and names a host")]
    NotHttp,
    /// It carries a name, a password, a query or a fragment: places where a token could hide.
    #[error("a server's address has no user name, no query and no fragment; a token is given apart from it")]
    TooMuch,
}

impl Address {
    /// Reads an address.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let url = Url::parse(text).map_err(|_| AddressError::NotHttp)?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
            return Err(AddressError::NotHttp);
        }
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
            return Err(AddressError::TooMuch);
        }
        Ok(Self(url))
    }

    /// As text, in its one normal form, without a slash at its end.
    pub fn as_str(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }

    /// Whether the server is on this machine.
    pub fn is_loopback(&self) -> bool {
        match self.0.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
            Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
            None => false,
        }
    }
}

/// Whether this is meant as a link, well-formed or not: then it is never taken for a file's name.
pub fn is_link(text: &str) -> bool {
    text.get(..=SCHEME.len()).is_some_and(|head| head.eq_ignore_ascii_case("djust-inspector:"))
}

/// Reads a link.
pub fn parse(text: &str) -> Result<Link, LinkError> {
    if text.len() > MAX_LENGTH {
        return Err(LinkError::Unknown);
    }
    let url = Url::parse(text).map_err(|_| LinkError::Unknown)?;
    let plain = url.scheme() == SCHEME
        && url.username().is_empty()
        && url.password().is_none()
        && url.port().is_none()
        && url.fragment().is_none()
        && matches!(url.path(), "" | "/");
    if !plain {
        return Err(LinkError::Unknown);
    }
    let mut pairs = url.query_pairs();
    let (Some((name, value)), None) = (pairs.next(), pairs.next()) else { return Err(LinkError::Unknown) };
    match (url.host_str(), &*name) {
        (Some("open"), "recording") => Ok(Link::Open(recording(&value).ok_or(LinkError::NotARecording)?)),
        (Some("attach"), "url") => Ok(Link::Attach(Address::parse(&value)?)),
        _ => Err(LinkError::Unknown),
    }
}

/// An id as the library gives them: nothing that could be a path.
fn recording(text: &str) -> Option<RecordingId> {
    let fine =
        !text.is_empty() && text.len() <= MAX_ID && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    fine.then(|| text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        assert_eq!(parse("djust-inspector://open?recording=20261123-1200_ab"), Ok(Link::Open("20261123-1200_ab".into())));
        let Ok(Link::Attach(address)) = parse("djust-inspector://attach?url=https%3A%2F%2Fstaging.example.com%2F") else {
            panic!("an attach link")
        };
        assert_eq!(address.as_str(), "https://staging.example.com");
        assert!(!address.is_loopback());
        assert!(parse("DJUST-inspector://attach/?url=http://127.0.0.1:8000").is_ok());
    }

    #[test]
    fn a_link_names_no_path_and_no_token() {
        for text in [
            "djust-inspector://open?recording=../../etc/passwd",
            "djust-inspector://open?recording=%2Fetc%2Fpasswd",
            "djust-inspector://open?recording=",
            "djust-inspector://open?file=/etc/passwd",
            "djust-inspector://open/etc/passwd?recording=a",
            "djust-inspector://open?recording=a&token=b",
            "djust-inspector://user:secret@open?recording=a",
            "djust-inspector://open:80?recording=a",
            "djust-inspector://open?recording=a#b",
            "djust-inspector://run?command=sh",
            "djust-inspector:open?recording=a",
            "djust-inspector://",
            "https://open?recording=a",
            "djust-inspector://attach?url=http://127.0.0.1:8000&token=t",
            "djust-inspector://attach?url=http://127.0.0.1:8000%3Ftoken=t",
            "djust-inspector://attach?url=http://127.0.0.1:8000%23token",
            "djust-inspector://attach?url=http://name:secret@host",
            "djust-inspector://attach?url=file:///etc/passwd",
            "djust-inspector://attach?url=javascript:alert(1)",
            "djust-inspector://attach?url=http://",
            "djust-inspector://attach?url=staging",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert_eq!(parse(&format!("djust-inspector://open?recording={}", "a".repeat(65))), Err(LinkError::NotARecording));
        assert_eq!(parse(&format!("djust-inspector://attach?url=http://{}", "a".repeat(2_000))), Err(LinkError::Unknown));
    }

    #[test]
    fn what_looks_like_a_link_is_no_file() {
        assert!(is_link("djust-inspector://open?recording=a") && is_link("DJUST-INSPECTOR:x"));
        assert!(!is_link("cart.djrec") && !is_link("./djust-inspector:x") && !is_link("dj") && !is_link("djust-inspector"));
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for (text, expected) in [
            ("http://localhost:8000", true),
            ("http://127.9.9.9", true),
            ("http://[::1]:8000", true),
            ("http://localhost.example.com", false),
            ("http://10.0.0.1", false),
        ] {
            assert_eq!(Address::parse(text).map(|address| address.is_loopback()), Ok(expected), "{text}");
        }
    }
}
