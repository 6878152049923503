//! Just enough HTTP to ask a test server for a page.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A page must answer within this time.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// What a server answered.
#[derive(Clone, Debug)]
pub struct HttpAnswer {
    /// The status code, for example 200.
    pub status: u16,
    /// The header lines as sent, without the status line.
    pub head: String,
    /// The body as text; bytes that are not UTF-8 are replaced.
    pub body: String,
}

/// Asks for `path`. HTTP 1.0, so that the body comes unchunked and ends with the connection.
pub async fn get(address: SocketAddr, path: &str) -> Result<HttpAnswer, String> {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await?;
        let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await?;
        std::io::Result::Ok(bytes)
    };
    let bytes = match timeout(ANSWER_WITHIN, exchange).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(error)) => return Err(error.to_string()),
        Err(_) => return Err(format!("no answer within {ANSWER_WITHIN:?}")),
    };
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(|| format!("not an HTTP answer: {text:.200}"))?;
    let (status_line, head) = head.split_once("\r\n").unwrap_or((head, ""));
    let status = status_line.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(|| format!("no status in {status_line:?}"))?;
    Ok(HttpAnswer { status, head: head.to_owned(), body: body.to_owned() })
}
