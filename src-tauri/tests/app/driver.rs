//! WebDriver's protocol, as far as these tests need it.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

/// Longer than the driver's own limits: it says better what went wrong.
const PATIENCE: Duration = Duration::from_mins(1);

/// A session: the app, with its main window's webview at the other end.
pub struct Driver {
    address: SocketAddr,
    session: String,
}

impl Driver {
    /// Starts `program` through the driver that listens at `address`.
    pub fn start(address: SocketAddr, program: &str, arguments: &[&str]) -> Result<Self, String> {
        let options = json!({"binary": program, "args": arguments});
        let answer = call(address, "POST", "/session", &json!({"capabilities": {"alwaysMatch": {"webkitgtk:browserOptions": options}}}))?;
        let session = answer["sessionId"].as_str().ok_or_else(|| format!("no session: {answer}"))?.to_owned();
        Ok(Self { address, session })
    }

    /// What a script's `return` gives.
    pub fn script(&self, script: &str) -> Result<Value, String> {
        self.post("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// What a script gives to `arguments[0]`, its callback.
    pub fn script_later(&self, script: &str) -> Result<Value, String> {
        self.post("/execute/async", &json!({"script": script, "args": []}))
    }

    /// Loads the page again.
    pub fn reload(&self) -> Result<(), String> {
        self.post("/refresh", &json!({})).map(drop)
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value, String> {
        call(self.address, "POST", &format!("/session/{}{path}", self.session), body)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = call(self.address, "DELETE", &format!("/session/{}", self.session), &json!({}));
    }
}

fn call(address: SocketAddr, method: &str, path: &str, body: &Value) -> Result<Value, String> {
    let wrong = |error: std::io::Error| format!("{method} {path}: {error}");
    let body = body.to_string();
    let mut stream = TcpStream::connect(address).map_err(wrong)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(wrong)?;
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).map_err(wrong)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).map_err(wrong)?;
    let answer = String::from_utf8_lossy(&answer);
    let (_, body) = answer.split_once("\r\n\r\n").ok_or_else(|| format!("{method} {path}: no answer"))?;
    let value: Value = serde_json::from_str(body).map_err(|error| format!("{method} {path}: {error}: {body}"))?;
    match value["value"]["error"].as_str() {
        Some(error) => Err(format!("{method} {path}: {error}: {}", value["value"]["message"])),
        None => Ok(value["value"].clone()),
    }
}
