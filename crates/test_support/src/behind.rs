//! What stands around a server in production: an nginx with TLS in front of it, a Redis behind it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::process::{Output, ProcessGroup};
use crate::server::free_address;
use crate::{STEP_DEADLINE, TestError, wait_until};

/// A Redis of its own that keeps nothing on disk.
#[derive(Debug)]
pub struct Redis {
    address: SocketAddr,
    _process: ProcessGroup,
    // After the process: fields drop in order.
    _folder: TempDir,
}

impl Redis {
    /// Starts it and waits until it answers.
    ///
    /// # Errors
    /// A program that is missing or ends.
    pub async fn start() -> Result<Self, TestError> {
        let folder = temporary("redis-")?;
        let address = free_address()?;
        let output = Output::default();
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--port", &address.port().to_string(), "--save", "", "--appendonly", "no"]);
        let mut process = ProcessGroup::spawn("Redis", command.current_dir(folder.path()), &output)?;
        running(&mut process, &output, "Redis to answer", async || {
            let mut stream = TcpStream::connect(address).await?;
            stream.write_all(b"PING\r\n").await?;
            let mut answer = [0; 5];
            stream.read_exact(&mut answer).await.map(|_| answer == *b"+PONG")
        })
        .await?;
        Ok(Self { address, _process: process, _folder: folder })
    }

    /// For `CHANNEL_LAYERS`; the project takes it as `DEMO_REDIS`.
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }
}

/// An nginx that takes TLS off for one server, with the rule for sockets that its documentation gives.
#[derive(Debug)]
pub struct Nginx {
    address: SocketAddr,
    _process: ProcessGroup,
    _folder: TempDir,
}

impl Nginx {
    /// Starts it in front of `server` and waits until it listens.
    ///
    /// # Errors
    /// A program that is missing or ends.
    pub async fn start(server: SocketAddr, certificate: &Certificate) -> Result<Self, TestError> {
        let folder = temporary("nginx-")?;
        let address = free_address()?;
        // Started by root it would become another user, who cannot read this folder.
        let user = if rustix::process::geteuid().is_root() { "user root;" } else { "" };
        let (chain, key) = (certificate.chain.display(), certificate.key.display());
        let configuration = format!(
            "daemon off; {user} pid nginx.pid; error_log stderr; worker_processes 1;
            events {{ }}
            http {{
                access_log off;
                client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
                map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
                server {{
                    listen {address} ssl;
                    ssl_certificate {chain};
                    ssl_certificate_key {key};
                    location / {{
                        proxy_pass http://{server};
                        proxy_http_version 1.1;
                        proxy_set_header Host $http_host;
                        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
                        proxy_set_header X-Forwarded-Proto $scheme;
                        proxy_set_header Upgrade $http_upgrade;
                        proxy_set_header Connection $connection_upgrade;
                    }}
                }}
            }}"
        );
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, configuration).map_err(TestError::io("cannot write nginx's configuration"))?;
        let output = Output::default();
        let on_path = Path::new("/usr/sbin/nginx");
        let mut command = Command::new(if on_path.is_file() { on_path } else { Path::new("nginx") });
        command.arg("-e").arg("stderr").arg("-p").arg(folder.path()).arg("-c").arg(&file);
        let mut process = ProcessGroup::spawn("nginx", &mut command, &output)?;
        running(&mut process, &output, "nginx to listen", async || TcpStream::connect(address).await.map(|_| true)).await?;
        Ok(Self { address, _process: process, _folder: folder })
    }

    /// The address of a page, by the name in the certificate.
    pub fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.address.port())
    }

    /// Host and port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// A certificate for `localhost` with its key, in files.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The certificate, PEM.
    pub chain: PathBuf,
    /// Its key, PEM.
    pub key: PathBuf,
    /// The authority that signed it, PEM; itself where it signed itself.
    pub authority: PathBuf,
}

impl Certificate {
    /// Signed by an authority that is made with it, in `folder`.
    ///
    /// # Errors
    /// An openssl that is missing or does not do it.
    pub fn of_authority(folder: &Path) -> Result<Self, TestError> {
        Self::signed(folder, "20200101000000Z", "29990101000000Z")
    }

    /// The same, but its time is over.
    ///
    /// # Errors
    /// As [`Certificate::of_authority`].
    pub fn expired(folder: &Path) -> Result<Self, TestError> {
        Self::signed(folder, "20200101000000Z", "20210101000000Z")
    }

    /// Signed by nobody but itself.
    ///
    /// # Errors
    /// As [`Certificate::of_authority`].
    pub fn self_signed(folder: &Path) -> Result<Self, TestError> {
        let request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout own.key -out own.pem -days 2";
        openssl(folder, &format!("{request} -subj /CN=localhost -addext subjectAltName=DNS:localhost"))?;
        let chain = folder.join("own.pem");
        Ok(Self { authority: chain.clone(), chain, key: folder.join("own.key") })
    }

    fn signed(folder: &Path, from: &str, to: &str) -> Result<Self, TestError> {
        let authority = "[ca]\ndefault_ca=own\n[own]\ndatabase=index\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=any\n\
                         x509_extensions=names\n[any]\ncommonName=supplied\n[names]\nsubjectAltName=DNS:localhost\n";
        for (name, text) in [("authority.cnf", authority), ("index", ""), ("serial", "01\n")] {
            std::fs::write(folder.join(name), text).map_err(TestError::io("cannot write the authority's files"))?;
        }
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
        openssl(folder, &format!("req -x509 {key} -keyout authority.key -out authority.pem -subj /CN=authority -days 2"))?;
        openssl(folder, &format!("req {key} -keyout server.key -out server.csr -subj /CN=server"))?;
        let sign = "ca -batch -notext -config authority.cnf -cert authority.pem -keyfile authority.key -in server.csr -out server.pem";
        openssl(folder, &format!("{sign} -startdate {from} -enddate {to}"))?;
        let file = |name| folder.join(name);
        Ok(Self { chain: file("server.pem"), key: file("server.key"), authority: file("authority.pem") })
    }
}

fn openssl(folder: &Path, arguments: &str) -> Result<(), TestError> {
    let mut command = Command::new("openssl");
    let output = command.args(arguments.split(' ')).current_dir(folder).output().map_err(TestError::io("cannot start openssl"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(TestError::Command { command: format!("openssl {arguments}"), output: String::from_utf8_lossy(&output.stderr).into_owned() })
}

fn temporary(prefix: &str) -> Result<TempDir, TestError> {
    tempfile::Builder::new().prefix(prefix).tempdir().map_err(TestError::io("cannot make a temporary folder"))
}

/// Waits until a program that was started does what it is for.
async fn running(
    process: &mut ProcessGroup,
    output: &Output,
    what: &str,
    works: impl AsyncFn() -> std::io::Result<bool>,
) -> Result<(), TestError> {
    let mut ended = None;
    wait_until(STEP_DEADLINE, what, async || {
        if let Err(error) = process.expect_running(output) {
            ended = Some(error);
            return Ok(());
        }
        match tokio::time::timeout(Duration::from_secs(2), works()).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err("another answer".to_owned()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("no answer".to_owned()),
        }
    })
    .await?;
    ended.map_or(Ok(()), Err)
}
