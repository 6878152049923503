//! Tokens of servers in the system's keychain: the Secret Service on Linux, Keychain on macOS, the Credential Manager on Windows.

use keyring::{Entry, Error};

use crate::links::Address;

const SERVICE: &str = "djust-inspector";

/// Why the keychain did not help. The user goes on without.
#[derive(Debug, thiserror::Error)]
#[error("the system's keychain does not answer ({0}); give the token by hand, it will not be remembered")]
pub struct KeychainError(String);

/// The remembered token of a server. Waits for the keychain, which may ask the user: not for the main thread.
pub fn token(address: &Address) -> Result<Option<String>, KeychainError> {
    match entry(address)?.get_password() {
        Ok(token) => Ok(Some(token)),
        Err(Error::NoEntry) => Ok(None),
        Err(error) => Err(failed(&error)),
    }
}

/// Remembers a token. Waits as [`token`] does.
pub fn remember(address: &Address, token: &str) -> Result<(), KeychainError> {
    entry(address)?.set_password(token).map_err(|error| failed(&error))
}

fn entry(address: &Address) -> Result<Entry, KeychainError> {
    if let Err(error) = Entry::store_status() {
        return Err(failed(error));
    }
    Entry::new(SERVICE, address.as_str()).map_err(|error| failed(&error))
}

/// Some of these errors hold the secret itself: only the ones that cannot are put into words.
fn failed(error: &Error) -> KeychainError {
    KeychainError(match error {
        Error::NoDefaultStore => "there is none".into(),
        Error::PlatformFailure(why) | Error::NoStorageAccess(why) => why.to_string(),
        Error::TooLong(what, limit) => format!("{what} may have {limit} characters"),
        _ => "it refused".into(),
    })
}
