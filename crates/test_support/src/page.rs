//! One tab, driven as a person would: with the mouse and the keyboard.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cdp::Connection;
use crate::{STEP_DEADLINE, TestError, wait_until};

/// The selector of an element of the example project, which marks them with `data-test`.
pub fn test_id(name: &str) -> String {
    format!("[data-test=\"{name}\"]")
}

/// A tab. Dropping it leaves the tab open until the browser goes; [`Page::close`] closes it, as a person leaving would.
#[derive(Debug)]
pub struct Page {
    connection: Arc<Connection>,
    session_id: String,
    target_id: String,
}

impl Page {
    pub(crate) async fn create(connection: Arc<Connection>, context_id: &str) -> Result<Self, TestError> {
        let target = connection.call(None, "Target.createTarget", json!({"url": "about:blank", "browserContextId": context_id})).await?;
        let target_id = target["targetId"].as_str().unwrap_or_default().to_owned();
        let attached = connection.call(None, "Target.attachToTarget", json!({"targetId": target_id, "flatten": true})).await?;
        let session_id = attached["sessionId"].as_str().unwrap_or_default().to_owned();
        let page = Self { connection, session_id, target_id };
        page.call("Page.enable", json!({})).await?;
        page.call("Runtime.enable", json!({})).await?;
        Ok(page)
    }

    /// Goes to an address and waits until the document is loaded.
    pub async fn open(&self, url: &str) -> Result<(), TestError> {
        let answer = self.call("Page.navigate", json!({"url": url})).await?;
        if let Some(message) = answer["errorText"].as_str() {
            return Err(TestError::Browser { method: format!("going to {url}"), message: message.to_owned() });
        }
        self.wait_for("document.readyState === 'complete'").await
    }

    /// Goes to a djust page and waits until its view is mounted over the socket, so that clicks reach the server.
    pub async fn open_live(&self, url: &str) -> Result<(), TestError> {
        self.open(url).await?;
        self.wait_mounted().await
    }

    /// Waits until djust's client says that the view is mounted, for example after a reload.
    pub async fn wait_mounted(&self) -> Result<(), TestError> {
        self.wait_for("Boolean(window.djust?.liveViewInstance?.viewMounted)").await
    }

    /// Loads the page again, as F5 does.
    pub async fn reload(&self) -> Result<(), TestError> {
        // A mark in the old document tells when it is gone.
        self.eval("void (window.beforeReload = true)").await?;
        self.call("Page.reload", json!({})).await?;
        self.wait_for("!window.beforeReload && document.readyState === 'complete'").await
    }

    /// Clicks the middle of the first element that matches, with real mouse events.
    ///
    /// Waits until the element is there and nothing covers it. djust's error overlay covers everything after a handler raised:
    /// [`Page::dismiss_error_overlay`] closes it.
    ///
    /// # Errors
    /// [`TestError::Deadline`] that says whether the element is missing or what covers it.
    pub async fn click(&self, selector: &str) -> Result<(), TestError> {
        let script = format!(
            "(() => {{ const element = document.querySelector({});
               if (!element) return 'no such element';
               element.scrollIntoView({{block: 'center', behavior: 'instant'}});
               const box = element.getBoundingClientRect();
               if (!box.width || !box.height) return 'the element has no size';
               const x = box.x + box.width / 2, y = box.y + box.height / 2;
               const top = document.elementFromPoint(x, y);
               if (!top || !(top === element || element.contains(top) || top.contains(element)))
                 return 'covered by ' + (top ? top.outerHTML.slice(0, 120) : 'nothing');
               return [x, y]; }})()",
            json!(selector)
        );
        let (x, y) = wait_until(STEP_DEADLINE, &format!("{selector} to be clickable"), async || {
            let seen = self.eval(&script).await.map_err(|error| error.to_string())?;
            match (seen[0].as_f64(), seen[1].as_f64()) {
                (Some(x), Some(y)) => Ok((x, y)),
                _ => Err(seen.to_string()),
            }
        })
        .await?;
        self.click_at(x, y).await
    }

    /// Clicks a place of the page, in CSS pixels.
    pub async fn click_at(&self, x: f64, y: f64) -> Result<(), TestError> {
        self.call("Input.dispatchMouseEvent", json!({"type": "mouseMoved", "x": x, "y": y})).await?;
        for kind in ["mousePressed", "mouseReleased"] {
            self.call("Input.dispatchMouseEvent", json!({"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1})).await?;
        }
        Ok(())
    }

    /// Turns the mouse wheel at a place, down by this many CSS pixels.
    pub async fn wheel(&self, x: f64, y: f64, down: f64) -> Result<(), TestError> {
        let params = json!({"type": "mouseWheel", "x": x, "y": y, "deltaX": 0, "deltaY": down});
        self.call("Input.dispatchMouseEvent", params).await.map(|_| ())
    }

    /// Presses any key: its name, its code, its number, and the text that it types. Modifiers are bits: Alt 1, Ctrl 2, Meta 4, Shift 8.
    pub async fn press_key(&self, (key, code, number, text): (String, String, u32, String), modifiers: u32) -> Result<(), TestError> {
        // With Alt, Ctrl or Meta a letter is a command and types nothing.
        let types = [1, 2, 4].iter().all(|bit| modifiers & bit == 0);
        for kind in ["keyDown", "keyUp"] {
            let mut params = json!({"type": kind, "key": key, "code": code, "windowsVirtualKeyCode": number, "modifiers": modifiers});
            if kind == "keyDown" && !text.is_empty() && types {
                params["text"] = json!(text);
            }
            self.call("Input.dispatchKeyEvent", params).await?;
        }
        Ok(())
    }

    /// Types into the focused element, as an input method would.
    pub async fn insert_text(&self, text: &str) -> Result<(), TestError> {
        self.call("Input.insertText", json!({"text": text})).await.map(|_| ())
    }

    /// Runs script in each new document of the tab before any of its own.
    pub async fn before_scripts(&self, script: &str) -> Result<(), TestError> {
        self.call("Page.addScriptToEvaluateOnNewDocument", json!({"source": script})).await.map(|_| ())
    }

    /// Gives the tab this many CSS pixels.
    pub async fn set_size(&self, width: u32, height: u32) -> Result<(), TestError> {
        let params = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", params).await.map(|_| ())
    }

    /// Waits for djust's full-screen error and closes it with its own button. It appears in DEBUG after a handler raised.
    pub async fn dismiss_error_overlay(&self) -> Result<(), TestError> {
        self.click("#djust-error-overlay .djust-eo-close").await?;
        self.wait_for("!document.querySelector('#djust-error-overlay')").await
    }

    /// Clicks a field, selects what is in it, and types `text` over it. An empty text clears the field.
    pub async fn type_text(&self, selector: &str, text: &str) -> Result<(), TestError> {
        self.click(selector).await?;
        self.eval(&format!("document.querySelector({}).select?.()", json!(selector))).await?;
        if text.is_empty() { self.press("Backspace").await } else { self.call("Input.insertText", json!({"text": text})).await.map(|_| ()) }
    }

    /// Presses a key in the focused element: `Enter`, `Escape`, `Backspace` or `Tab`.
    pub async fn press(&self, key: &str) -> Result<(), TestError> {
        let (code, text) = match key {
            "Enter" => (13, "\r"),
            "Escape" => (27, ""),
            "Backspace" => (8, ""),
            "Tab" => (9, ""),
            _ => return Err(TestError::Browser { method: "press".to_owned(), message: format!("unknown key {key}") }),
        };
        for kind in ["keyDown", "keyUp"] {
            let mut params = json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code});
            if kind == "keyDown" && !text.is_empty() {
                params["text"] = json!(text);
            }
            self.call("Input.dispatchKeyEvent", params).await?;
        }
        Ok(())
    }

    /// Runs script in the page and returns its value; a promise is awaited.
    ///
    /// # Errors
    /// [`TestError::Script`] when it throws.
    pub async fn eval(&self, script: &str) -> Result<Value, TestError> {
        let params = json!({"expression": script, "returnByValue": true, "awaitPromise": true, "userGesture": true});
        let mut answer = self.call("Runtime.evaluate", params).await?;
        if let Some(details) = answer.get("exceptionDetails") {
            let message = details["exception"]["description"].as_str().or(details["text"].as_str()).unwrap_or("?").to_owned();
            return Err(TestError::Script { script: script.to_owned(), message });
        }
        Ok(answer["result"]["value"].take())
    }

    /// The visible text of the first element that matches, without surrounding space; `None` when there is no such element.
    pub async fn text(&self, selector: &str) -> Result<Option<String>, TestError> {
        let value = self.eval(&format!("document.querySelector({})?.innerText ?? null", json!(selector))).await?;
        Ok(value.as_str().map(|text| text.trim().to_owned()))
    }

    /// Waits until an element's text is `expected`.
    pub async fn wait_text(&self, selector: &str, expected: &str, deadline: Duration) -> Result<(), TestError> {
        let what = format!("{selector} to say {expected:?}");
        let waited = wait_until(deadline, &what, async || match self.text(selector).await {
            Ok(Some(text)) if text == expected => Ok(()),
            Ok(Some(text)) => Err(format!("{text:?}")),
            Ok(None) => Err("no such element".to_owned()),
            // While the page is being replaced there is nothing to run script in.
            Err(error) => Err(error.to_string()),
        });
        self.with_console(waited.await)
    }

    /// Waits until a script's value is truthy.
    pub async fn wait_for(&self, condition: &str) -> Result<(), TestError> {
        let waited = wait_until(STEP_DEADLINE, condition, async || match self.eval(&format!("Boolean({condition})")).await {
            Ok(Value::Bool(true)) => Ok(()),
            Ok(value) => Err(value.to_string()),
            Err(error) => Err(error.to_string()),
        });
        self.with_console(waited.await)
    }

    /// Errors and warnings on the page's console so far.
    pub fn console(&self) -> Vec<String> {
        self.connection.console(&self.session_id)
    }

    /// The address that the tab shows now.
    pub async fn url(&self) -> Result<String, TestError> {
        Ok(self.eval("location.href").await?.as_str().unwrap_or_default().to_owned())
    }

    /// Writes a PNG picture of what is visible.
    pub async fn screenshot(&self, path: &Path) -> Result<(), TestError> {
        let answer = self.call("Page.captureScreenshot", json!({"format": "png"})).await?;
        let bytes = decode_base64(answer["data"].as_str().unwrap_or_default());
        std::fs::write(path, bytes).map_err(TestError::io(format!("cannot write {}", path.display())))
    }

    /// Closes the tab, which closes its socket.
    pub async fn close(self) -> Result<(), TestError> {
        self.connection.call(None, "Target.closeTarget", json!({"targetId": self.target_id})).await.map(|_| ())
    }

    async fn call(&self, method: &str, params: Value) -> Result<Value, TestError> {
        self.connection.call(Some(&self.session_id), method, params).await
    }

    /// Adds what the console says to a failed wait; that is where djust's client reports errors.
    fn with_console<T>(&self, waited: Result<T, TestError>) -> Result<T, TestError> {
        waited.map_err(|error| match error {
            TestError::Deadline { what, waited, last_seen } => {
                let console = self.console();
                let latest = console[console.len().saturating_sub(5)..].join("\n  ");
                TestError::Deadline { what, waited, last_seen: format!("{last_seen}; console:\n  {latest}") }
            }
            other => other,
        })
    }
}

/// Decodes standard base64, which is how the browser sends pictures. Foreign characters are skipped.
fn decode_base64(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for character in text.bytes() {
        let value = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => continue,
        };
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_decoded_with_any_padding() {
        for (text, expected) in [("", &b""[..]), ("Zg==", b"f"), ("Zm8=", b"fo"), ("Zm9v", b"foo"), ("iVBORw0KGgo=", b"\x89PNG\r\n\x1a\n")]
        {
            assert_eq!(decode_base64(text), expected, "{text}");
        }
    }

    #[test]
    fn a_test_id_is_an_attribute_selector() {
        assert_eq!(test_id("add-7"), "[data-test=\"add-7\"]");
    }
}
