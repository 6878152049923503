//! TLS to a server: who is believed to vouch for it, and what is said when nobody does.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use inspector_store::waiting::waits;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{CertificateError, ClientConfig, RootCertStore};
use tokio_tungstenite::Connector;

/// Names a file with certificates of authorities that are believed beside the platform's.
const AUTHORITY: &str = "DJUST_INSPECTOR_CA";

/// Believes the platform's authorities and those in the file `authority`, or else in the file that the environment names.
pub fn connector(authority: Option<&Path>) -> Result<Connector, String> {
    waits();
    let mut roots = RootCertStore::empty();
    let platform = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(platform.certs);
    let named = std::env::var_os(AUTHORITY).filter(|name| !name.is_empty()).map(PathBuf::from);
    if let Some(file) = authority.or(named.as_deref()) {
        add(&mut roots, file)?;
    }
    if roots.is_empty() {
        let why = platform.errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
        return Err(format!(
            "this machine knows no certificate authority{why}, so no server can be verified; install its package of CA certificates, or give a file \
             with --ca or {AUTHORITY}"
        ));
    }
    // Named, as two libraries of one program may bring a provider each, and rustls then chooses none.
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS cannot be set up: {error}"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Connector::Rustls(Arc::new(config)))
}

fn add(roots: &mut RootCertStore, file: &Path) -> Result<(), String> {
    let wrong = |why: &dyn std::fmt::Display| {
        format!("the file of --ca or {AUTHORITY} cannot be used: {}: {why}; name one with certificates in PEM format", file.display())
    };
    let certificates = CertificateDer::pem_file_iter(file).map_err(|error| wrong(&error))?;
    let before = roots.len();
    for certificate in certificates {
        roots.add(certificate.map_err(|error| wrong(&error))?).map_err(|error| wrong(&error))?;
    }
    if roots.len() == before { Err(wrong(&"it has no certificate")) } else { Ok(()) }
}

/// Why TLS did not come about, if that is what failed. The token has not been sent then.
pub fn explain(error: &io::Error, url: &str) -> Option<String> {
    let why = match error.get_ref()?.downcast_ref::<rustls::Error>()? {
        rustls::Error::InvalidCertificate(error) => match error {
            CertificateError::UnknownIssuer | CertificateError::BadSignature => format!(
                "its certificate is from no authority that this machine knows; give the authority's certificate with --ca FILE or {AUTHORITY}"
            ),
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "its certificate is for another host name; attach by the name that it is for".to_owned()
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "its certificate has expired; have it renewed, or set this machine's clock".to_owned()
            }
            // What `openssl req -x509` makes: an authority's own, which vouches for nobody else's server either.
            CertificateError::Other(error) if error.to_string().contains("CaUsedAsEndEntity") => format!(
                "its certificate has signed itself; have one made that an authority signs, and give the authority's with --ca FILE or {AUTHORITY}"
            ),
            other => format!("its certificate is not valid: {other}; have it replaced"),
        },
        rustls::Error::InvalidMessage(_) => {
            "it does not speak TLS at this port; give the port that does, or put a proxy with TLS in front of it".to_owned()
        }
        other => format!("TLS failed: {other}; have its configuration checked"),
    };
    Some(format!("{url} cannot be verified, so the token was not sent: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_authorities_that_cannot_be_used_is_told_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing.pem");
        let empty = folder.path().join("empty.pem");
        std::fs::write(&empty, "no certificate").unwrap();
        let broken = folder.path().join("broken.pem");
        std::fs::write(&broken, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
        for file in [missing, empty, broken] {
            let why = connector(Some(&file)).err().unwrap();
            assert!(why.contains(file.to_str().unwrap()), "{why}");
        }
    }

    #[test]
    fn an_error_of_the_network_is_none_of_tls() {
        assert_eq!(explain(&io::Error::from(io::ErrorKind::ConnectionRefused), "https://x"), None);
    }
}
