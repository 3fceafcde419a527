//! The certificate with which the server answers: reading it, making one, until when it is good.
//!
//! **Trust:** files of the centre's own. **Invariants:** an error of a key's parser is never told: it may quote the file. Making new
//! ones replaces both files, the key first: a crash between the two leaves a pair that does not fit, which `serve` refuses by name.

use std::path::Path;

use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use shared::{
    problem::{Code, Problem},
    time::Second,
};
use x509_parser::prelude::{FromDer as _, X509Certificate};
use zeroize::Zeroizing;

use crate::{durable, settings::Settings};

fn unusable(why: impl Into<String>) -> Problem {
    Problem::new(Code::TlsUnusable, why)
}

fn file(path: &Path) -> Result<Vec<u8>, Problem> {
    let bytes = durable::read(path).map_err(durable::problem("TLS"))?;
    bytes.ok_or_else(|| unusable(format!("{} is not there", path.display())))
}

fn chain(settings: &Settings) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let chain = CertificateDer::pem_slice_iter(&file(&settings.tls_cert())?).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(|e| unusable(format!("certificate: {e}")))?;
    if chain.is_empty() { Err(unusable("no certificate in its file")) } else { Ok(chain) }
}

/// What the server answers with.
pub fn config(settings: &Settings) -> Result<rustls::ServerConfig, Problem> {
    let chain = chain(settings)?;
    let key = Zeroizing::new(file(&settings.tls_key())?);
    let key = PrivateKeyDer::from_pem_slice(&key).map_err(|_| unusable("no private key in its file"))?;
    let config = rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key);
    let mut config = config.map_err(|e| unusable(e.to_string()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Until when each certificate of the chain is good (RFC 5280, `notAfter`): the first that ends.
pub fn ends(settings: &Settings) -> Result<Second, Problem> {
    let end = |der: &CertificateDer<'_>| {
        let (_, certificate) = X509Certificate::from_der(der).map_err(|_| unusable("no X.509 certificate"))?;
        Ok(Second::from_unix(certificate.validity().not_after.timestamp()))
    };
    let ends = chain(settings)?.iter().map(end).collect::<Result<Vec<_>, Problem>>()?;
    ends.into_iter().min().ok_or_else(|| unusable("no certificate in its file"))
}

/// Makes a key and a certificate for the centre's name and this machine: PEM of both.
pub fn make(settings: &Settings) -> Result<(Zeroizing<String>, String), Problem> {
    let mut names = vec![settings.file.centre.to_string(), "localhost".into(), "127.0.0.1".into(), "::1".into()];
    if let Some(host) = settings.file.url.as_deref().and_then(host)
        && !names.contains(&host)
    {
        names.push(host);
    }
    let made = rcgen::generate_simple_self_signed(names).map_err(|e| Problem::new(Code::ConfigInvalid, e.to_string()))?;
    Ok((Zeroizing::new(made.signing_key.serialize_pem()), made.cert.pem()))
}

/// Puts new ones in the place of those that are lost.
pub fn replace(settings: &Settings) -> Result<(), Problem> {
    let (key, certificate) = make(settings)?;
    for (path, bytes) in [(settings.tls_key(), key.as_bytes()), (settings.tls_cert(), certificate.as_bytes())] {
        durable::write(&path, bytes).map_err(durable::problem("TLS"))?;
    }
    Ok(())
}

/// The host of a URL: what stands between `//` and the port or path.
fn host(url: &str) -> Option<String> {
    let rest = url.split_once("//")?.1;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next()?,
        None => authority.split(':').next()?,
    };
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::File;

    #[test]
    fn hosts_of_urls() {
        for (url, expected) in [
            ("https://registry.example:8443", Some("registry.example")),
            ("https://Registry.example/x", Some("registry.example")),
            ("https://[2001:db8::1]:8443/", Some("2001:db8::1")),
            ("https://10.0.0.7", Some("10.0.0.7")),
            ("registry.example", None),
            ("https://", None),
        ] {
            assert_eq!(host(url).as_deref(), expected, "{url}");
        }
    }

    #[test]
    fn what_is_made_is_read_and_what_is_not_there_is_named() {
        let dir = tempfile::tempdir().expect("a folder");
        let settings = Settings { data: dir.path().to_owned(), file: File::of("registry.example".parse().expect("a name")) };
        durable::folder(&settings.keys()).expect("made");
        let told = |problem: Problem| (problem.code, problem.detail);
        let (code, detail) = ends(&settings).map(drop).map_err(told).expect_err("nothing there");
        assert!(code == Code::TlsUnusable && detail.ends_with("tls.crt is not there"), "{detail}");
        replace(&settings).expect("made");
        assert!(ends(&settings).expect("read").unix() > 32_503_680_000, "one that we make does not end in anybody's time");
        for bytes in [&b""[..], b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            durable::write(&settings.tls_cert(), bytes).expect("written");
            assert_eq!(ends(&settings).err().map(|p| p.code), Some(Code::TlsUnusable));
        }
    }
}
