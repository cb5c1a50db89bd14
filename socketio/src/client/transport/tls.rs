//! TLS: rustls with the roots of Mozilla and those that the user adds.
//!
//! The one file that knows the TLS library's settings.

use crate::client::manager::ConnectError;
use std::sync::Arc;
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, pem::PemObject as _},
    },
};

/// A connector that trusts Mozilla's roots and `pem`, certificates in PEM form.
///
/// # Errors
/// `pem` holds no certificate, or a broken one.
pub(in crate::client) fn connector(pem: &[Vec<u8>]) -> Result<TlsConnector, ConnectError> {
    let wrong = |error: &dyn std::fmt::Display| ConnectError::Setting(format!("a root certificate cannot be used: {error}"));
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for pem in pem {
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            roots.add(certificate.map_err(|error| wrong(&error))?).map_err(|error| wrong(&error))?;
        }
        if roots.len() == before {
            return Err(wrong(&"there is none in the PEM text"));
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider())).with_safe_default_protocol_versions();
    let mut config = config.map_err(|error| wrong(&error))?.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_certificates() {
        assert!(connector(&[]).is_ok());
        let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for pem in [&b""[..], b"no certificate", broken] {
            assert!(matches!(connector(&[pem.to_vec()]), Err(ConnectError::Setting(_))));
        }
    }
}
