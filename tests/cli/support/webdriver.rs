//! A headless Chromium, driven through chromedriver by the W3C protocol: as much of it as the tests of pages need.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use ureq::Agent;

/// A browser with one page.
pub(crate) struct Browser {
    driver: Child,
    session: String,
    agent: Agent,
}

impl Browser {
    /// Starts a browser; without one on this machine the calling test says so and is skipped.
    pub(crate) fn start() -> Option<Self> {
        let driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut driver) = driver else {
            assert!(
                std::env::var_os("PERWATT_TEST_ALL").is_none(),
                "no chromedriver here, and PERWATT_TEST_ALL allows no skipping"
            );
            eprintln!("SKIPPED: no chromedriver here (Debian: chromium, chromium-driver)");
            return None;
        };
        let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port: u16 = lines
            .map_while(Result::ok)
            .find_map(|line| {
                let (_, port) = line.split_once("successfully on port ")?;
                port.trim_end_matches('.').parse().ok()
            })
            .expect("chromedriver says its port");
        let agent: Agent = Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(120)))
            .http_status_as_error(false)
            .build()
            .into();
        let mut browser = Self {
            driver,
            session: format!("http://127.0.0.1:{port}/session"),
            agent,
        };
        let options = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
            "goog:chromeOptions": { "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"
            ] },
        } } });
        let session = browser.post("", &options)["sessionId"].clone();
        browser.session += "/";
        browser.session += session.as_str().expect("a session");
        Some(browser)
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let mut answer = self
            .agent
            .post(format!("{}{path}", self.session))
            .header("content-type", "application/json")
            .send(body.to_string())
            .expect("chromedriver answers");
        let text = answer.body_mut().read_to_string().expect("an answer");
        let answer: Value = serde_json::from_str(&text).expect("JSON");
        assert!(answer["value"]["error"].is_null(), "{path}: {answer}");
        answer["value"].clone()
    }

    /// A command of Chrome's own protocol.
    pub(crate) fn command(&self, name: &str, parameters: &Value) -> Value {
        self.post(
            "/goog/cdp/execute",
            &json!({ "cmd": name, "params": parameters }),
        )
    }

    /// Opens a page from disk in so many columns, light or dark, and waits until it is drawn.
    pub(crate) fn open(&self, file: &Path, width: u32, scheme: &str) {
        let size =
            json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.command("Emulation.setDeviceMetricsOverride", &size);
        let scheme = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.command("Emulation.setEmulatedMedia", &scheme);
        self.post(
            "/url",
            &json!({ "url": format!("file://{}", file.display()) }),
        );
        self.wait_for("document.documentElement.hasAttribute('data-ready')");
        self.wait_for(
            "[...document.querySelectorAll('.plot')].every((plot) => plot.querySelector('svg'))",
        );
    }

    /// The value of an expression; of a promise, what it comes to.
    pub(crate) fn eval(&self, expression: &str) -> Value {
        let asked =
            json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let answer = self.command("Runtime.evaluate", &asked);
        assert!(
            answer["exceptionDetails"].is_null(),
            "{expression:.200}: {answer}"
        );
        answer["result"]["value"].clone()
    }

    /// Waits until an expression is true.
    pub(crate) fn wait_for(&self, expression: &str) {
        for _ in 0..600 {
            if self.eval(expression) == json!(true) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("never true: {expression}");
    }

    /// Presses a key where the focus is.
    pub(crate) fn press(&self, key: &str) {
        for kind in ["keyDown", "keyUp"] {
            self.command(
                "Input.dispatchKeyEvent",
                &json!({ "type": kind, "key": key, "code": key }),
            );
        }
    }

    /// Moves the pointer.
    pub(crate) fn point_at(&self, x: f64, y: f64) {
        self.command(
            "Input.dispatchMouseEvent",
            &json!({ "type": "mouseMoved", "x": x, "y": y }),
        );
    }

    /// What the console said since the last question.
    pub(crate) fn console(&self) -> Vec<String> {
        let entries = self.post("/se/log", &json!({ "type": "browser" }));
        let entries = entries.as_array().unwrap().iter();
        entries.map(|entry| entry["message"].to_string()).collect()
    }

    /// Addresses that were asked for since the last question, other than the page itself and what it holds.
    pub(crate) fn requests(&self) -> Vec<String> {
        let entries = self.post("/se/log", &json!({ "type": "performance" }));
        let entries = entries.as_array().unwrap().iter();
        entries
            .filter_map(|entry| {
                let message: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
                let message = &message["message"];
                let sent = message["method"] == "Network.requestWillBeSent";
                let address = message["params"]["request"]["url"].as_str()?;
                let inside = ["file:", "data:", "blob:"];
                let outside = !inside.iter().any(|scheme| address.starts_with(scheme));
                (sent && outside).then(|| address.to_owned())
            })
            .collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Ends the browser; its driver would leave it behind.
        let _ = self.agent.delete(&self.session).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
