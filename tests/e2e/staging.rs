//! A staging server: DEBUG off, a token of `token new`, TLS in front with a certificate of an authority of its own.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use inspector_engine::Target;
use inspector_model::{Answer, AttachOptions, JumpTarget, Request, Side};
use inspector_test_support::{AgentMode, Browser, Certificate, DjustServer, Nginx, STEP_DEADLINE, ServerOptions, test_id};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::inspector::Inspector;

/// The server, its certificates, and the port that speaks TLS.
struct Staging {
    folder: tempfile::TempDir,
    server: DjustServer,
    tls: SocketAddr,
    token: String,
    runtime: Runtime,
}

impl Staging {
    /// With a token for `ann`, made by the program and put into the settings as it says.
    fn start(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let certificate = Certificate::of_authority(folder.path()).expect("a certificate");
        let made = token(options);
        let runtime = Runtime::new().expect("a runtime");
        let (server, tls) = runtime.block_on(async {
            let options = ServerOptions { agent: AgentMode::Installed, ..ServerOptions::default() }.env("DEMO_DEBUG", "0");
            let mut server = DjustServer::start(options).await.expect("the server starts");
            let settings = server.project_dir().join("config/settings.py");
            let text = std::fs::read_to_string(&settings).expect("the settings") + "\n" + made["settings"].as_str().expect("settings");
            std::fs::write(settings, text).expect("the settings are written");
            server.restart().await.expect("the server starts with its token");
            let tls = terminate(&certificate, server.address()).await.expect("TLS in front of it");
            (server, tls)
        });
        Self { folder, server, tls, token: made["token"].as_str().expect("a token").to_owned(), runtime }
    }

    fn authority(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }

    /// The name in the certificate.
    fn url(&self) -> String {
        format!("https://localhost:{}", self.tls.port())
    }

    fn attach(&self, url: &str, authority: Option<PathBuf>, options: AttachOptions) -> Inspector {
        Inspector::attach(Target::Address { url: url.to_owned(), token: self.token.clone(), options, authority })
    }
}

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_djust-inspector"));
    command.env_remove("DJUST_INSPECTOR_TOKEN").env_remove("DJUST_INSPECTOR_CA");
    command
}

fn token(options: &[&str]) -> Value {
    let output = program().args(["token", "new", "--json", "--name", "ann"]).args(options).output().expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// What a proxy does: takes TLS off.
async fn terminate(certificate: &Certificate, server: SocketAddr) -> io::Result<SocketAddr> {
    let chain = CertificateDer::pem_file_iter(&certificate.chain).expect("a certificate").map(|one| one.expect("a certificate"));
    let key = PrivateKeyDer::from_pem_file(&certificate.key).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|config| config.with_no_client_auth().with_single_cert(chain.collect(), key))
        .expect("a configuration");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut client = acceptor.accept(client).await?;
                let mut server = TcpStream::connect(server).await?;
                tokio::io::copy_bidirectional(&mut client, &mut server).await
            });
        }
    });
    Ok(address)
}

#[test]
fn only_a_server_that_an_authority_vouches_for_is_sent_the_token() {
    let staging = Staging::start(&["--expires", "2999-01-01"]);
    let careful = AttachOptions::default();

    let why = staging.attach(&staging.url(), None, careful).ended();
    assert!(why.contains("no authority") && why.contains("token was not sent") && why.contains("--ca"), "{why}");

    let other_name = format!("https://127.0.0.1:{}", staging.tls.port());
    let why = staging.attach(&other_name, Some(staging.authority()), careful).ended();
    assert!(why.contains("another host name") && why.contains("token was not sent"), "{why}");

    let not_tls = staging.server.url("").replace("http://", "https://");
    let why = staging.attach(&not_tls, Some(staging.authority()), AttachOptions { insecure: true, ..careful }).ended();
    assert!(why.contains("does not speak TLS"), "{why}");

    let mut inspector = staging.attach(&staging.url(), Some(staging.authority()), careful);
    inspector.attached();
    let access = inspector.timeline().source().access.clone().expect("what is allowed");
    assert_eq!((access.token.as_str(), access.writes_allowed), ("ann", false));
    assert!(access.expires.is_some_and(|at| at > 32e9), "{access:?}");
}

#[test]
fn behind_nginx_a_certificate_of_nobody_and_one_whose_time_is_over_are_refused() {
    let staging = Staging::start(&[]);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let behind =
        |certificate: &Certificate| staging.runtime.block_on(Nginx::start(staging.server.address(), certificate)).expect("nginx starts");
    let attach = |nginx: &Nginx, authority| staging.attach(nginx.url("").trim_end_matches('/'), authority, AttachOptions::default());

    let own = Certificate::self_signed(folder.path()).expect("a certificate");
    let why = attach(&behind(&own), None).ended();
    assert!(why.contains("signed itself") && why.contains("token was not sent"), "{why}");

    let expired = Certificate::expired(folder.path()).expect("a certificate");
    let why = attach(&behind(&expired), Some(expired.authority.clone())).ended();
    assert!(why.contains("has expired") && why.contains("token was not sent"), "{why}");

    let good = Certificate::of_authority(folder.path()).expect("a certificate");
    attach(&behind(&good), Some(good.authority.clone())).attached();
}

#[test]
fn the_program_takes_the_authority_from_its_arguments_or_the_environment() {
    let staging = Staging::start(&[]);
    let authority = staging.authority();
    let doctor = |arguments: &[&str], env: &[(&str, &Path)]| {
        let mut command = program();
        command.args(["doctor", &staging.url()]).args(arguments).env("DJUST_INSPECTOR_TOKEN", &staging.token).envs(env.iter().copied());
        let output = command.env("DJUST_INSPECTOR_DATA_DIR", staging.folder.path()).output().expect("the program runs");
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (done, why) = doctor(&[], &[]);
    assert!(!done && why.contains("no authority"), "{why}");
    let (done, why) = doctor(&["--ca", authority.to_str().expect("a path")], &[]);
    assert!(done, "{why}");
    let (done, why) = doctor(&[], &[("DJUST_INSPECTOR_CA", &authority)]);
    assert!(done, "{why}");
}

#[test]
fn a_plain_address_over_a_network_is_refused_by_the_program() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = program()
        .args(["record", "--url", "http://192.0.2.1:8000"])
        .env("DJUST_INSPECTOR_TOKEN", "t")
        .env("DJUST_INSPECTOR_DATA_DIR", folder.path())
        .output()
        .expect("the program runs");
    let why = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && why.contains("unencrypted") && why.contains("--insecure"), "{why}");
}

#[test]
fn a_token_that_may_write_changes_pages_and_another_does_not() {
    for (options, may) in [(&[][..], false), (&["--writes"][..], true)] {
        let staging = Staging::start(options);
        let options = AttachOptions { write: true, ..AttachOptions::default() };
        let mut inspector = staging.attach(&staging.url(), Some(staging.authority()), options);
        inspector.attached();
        assert_eq!(inspector.timeline().source().read_only().is_some(), !may);
        let page = staging.runtime.block_on(async {
            let browser = Browser::launch().await.expect("the browser starts");
            let page = browser.new_page().await.expect("a page");
            page.open_live(&staging.server.url("/counter/")).await.expect("the page is live");
            page.click(&test_id("increment")).await.expect("a click");
            (browser, page)
        });
        let step = inspector.event("increment", 1).id;
        let target = JumpTarget { step, side: Side::Before };
        let source = inspector.id;
        let answer = inspector.ask(Request::Jump { source, target, component: None });
        let shown = if may { "0" } else { "1" };
        staging.runtime.block_on(page.1.wait_text(&test_id("count"), shown, STEP_DEADLINE)).expect("the page's count");
        match answer {
            Answer::Command(_) => assert!(may),
            Answer::Failed(failure) => assert!(!may && failure.message.contains("may only read"), "{failure:?}"),
            other => panic!("{other:?}"),
        }
    }
}
