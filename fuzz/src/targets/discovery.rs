//! Discovery files: whatever one says, it leads to this machine, or nowhere.

use std::net::IpAddr;

use inspector_engine::fuzzing::discovered;
use url::{Host, Url};

pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Some((server, address)) = discovered(&text) else { return };
    let Ok(address) = address else { return };
    // Another reader of addresses than the one that decided.
    let url = Url::parse(&address).unwrap_or_else(|error| panic!("{address} of {server:?}: {error}"));
    let here = match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(ip)) => IpAddr::from(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::from(ip).is_loopback(),
        None => false,
    };
    assert!(here, "{address} of {server:?}");
    assert!(matches!(url.scheme(), "ws" | "wss") && url.username().is_empty() && url.password().is_none(), "{address}");
    assert_eq!(url.query(), Some("djust_inspector=1"), "{address}");
}
