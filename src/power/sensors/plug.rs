//! Plugs that measure what a whole machine draws: Shelly (Gen2 and later) and Tasmota, over HTTP.
//!
//! They are asked by a thread of their own, since an answer may take as long as it likes. The value is
//! stamped in the middle of the question and its answer.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use ureq::Agent;

use super::super::plausible::ClassBounds;
use super::super::{Fault, PowerSource, Quantity, Sample};
use super::background::{Handle, LatestValue};
use super::candidate::{Candidate, Opened, Owner, no_limits};
use super::family::Family;
use super::no_sensor::NoSensor;
use crate::record::{self, Boundary, EnergyProvenance, PowerSetup, Resolution};
use crate::units::{Seconds, Watts};

/// How long one answer may take.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Time between two questions. Plugs have a new value about once a second, and are small computers.
const PAUSE: Duration = Duration::from_millis(200);

/// Age at which a value says nothing of the present.
const OLDEST: Duration = Duration::from_secs(6);

/// Failures in a row after which a plug is gone.
const LAST_FAILURE: u32 = 3;

/// Longest answer that is read.
const LONGEST_BYTES: u64 = 64 * 1024;

/// More than goes through one plug.
const MOST: Watts = Watts(1e4);

/// Plugs that answer over HTTP.
pub(super) struct Plug;

impl Family for Plug {
    fn prefixes(&self) -> &'static [&'static str] {
        &["shelly", "tasmota"]
    }

    fn meters(&self) -> &'static [&'static str] {
        &["shelly:HOST", "tasmota:HOST"]
    }

    fn meter(&self, prefix: &str, rest: &str) -> Result<Candidate, NoSensor> {
        let make = if prefix == Make::Shelly.name() {
            Make::Shelly
        } else {
            Make::Tasmota
        };
        candidate(make, rest)
    }
}

/// Makes of plugs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Make {
    Shelly,
    Tasmota,
}

impl Make {
    fn name(self) -> &'static str {
        match self {
            Self::Shelly => "shelly",
            Self::Tasmota => "tasmota",
        }
    }

    /// Where the power is asked, below `http://HOST`; each is tried until one is known to the plug.
    fn questions(self, channel: u32) -> Vec<String> {
        match self {
            // A meter without a switch answers to the second.
            Self::Shelly => vec![
                format!("/rpc/Switch.GetStatus?id={channel}"),
                format!("/rpc/PM1.GetStatus?id={channel}"),
            ],
            Self::Tasmota => vec!["/cm?cmnd=Status%208".to_owned()],
        }
    }
}

/// The sensor of a plug at `HOST[:PORT][/CHANNEL]`.
///
/// # Errors
/// The address cannot be one.
fn candidate(make: Make, address: &str) -> Result<Candidate, NoSensor> {
    let name = make.name();
    let place = address.trim_start_matches("http://").trim_end_matches('/');
    let (host, channel) = place.split_once('/').unwrap_or((place, "0"));
    let channel: u32 = channel.parse().map_err(|_| {
        NoSensor::BadName(format!(
            "{name}:{address}: a plug is named {name}:HOST, {name}:HOST:PORT or {name}:HOST/CHANNEL"
        ))
    })?;
    if host.is_empty() || host.contains([' ', '?', '#', '@']) {
        return Err(NoSensor::BadName(format!(
            "{name}:{address}: not a host name; try {name}:192.168.1.20"
        )));
    }
    let mut setup = PowerSetup::new(
        format!("{name}:{place}"),
        format!("{name}-plug"),
        EnergyProvenance::IntegratedPower,
        Boundary::Wall,
    );
    setup.resolution = record::Reading::Measured(match make {
        Make::Shelly => Resolution::Watts(0.1),
        Make::Tasmota => Resolution::Watts(1.0),
    });
    setup.notes.push(
        "everything behind the plug: the power supply's loss, the rest of the machine, its screens"
            .to_owned(),
    );
    let host = host.to_owned();
    Ok(Candidate {
        device: format!("plug at {host}"),
        setup,
        owner: Owner::Named,
        caution: None,
        folder: None,
        bounds: ClassBounds::up_to(MOST),
        limits: no_limits(),
        open: Box::new(move |setup| open(setup, make, &host, channel)),
    })
}

/// Asks the plug once, then starts the thread that goes on asking.
fn open(setup: PowerSetup, make: Make, host: &str, channel: u32) -> Opened {
    let who = format!("the plug at {host}");
    let agent = agent();
    let urls: Vec<String> = make
        .questions(channel)
        .iter()
        .map(|question| format!("http://{host}{question}"))
        .collect();
    let mut url = urls.first().cloned().unwrap_or_default();
    let mut first = ask(&agent, make, channel, &url);
    for other in &urls[1..] {
        if !matches!(first, Err(Refusal::Unknown(_))) {
            break;
        }
        if let answer @ Ok(_) = ask(&agent, make, channel, other) {
            (first, url) = (answer, other.clone());
        }
    }
    let (value, at) = first.map_err(|refusal| refusal.fault(&who))?;
    let latest = Arc::new(LatestValue::default());
    latest.put(value, at);
    let meter = PlugMeter {
        setup,
        latest: Handle(Arc::clone(&latest)),
        who: who.clone(),
    };
    thread::Builder::new()
        .name("plug".to_owned())
        .spawn(move || {
            let mut failures = 0;
            while !latest.is_stopped() && failures < LAST_FAILURE {
                latest.pause(PAUSE);
                match ask(&agent, make, channel, &url) {
                    Ok((value, at)) => {
                        failures = 0;
                        latest.put(value, at);
                    }
                    Err(refusal) => {
                        failures += 1;
                        latest.fail(refusal.fault(&who));
                        if failures == LAST_FAILURE {
                            let why = refusal.text();
                            latest.fail(Fault::Gone(format!(
                                "{who} failed {LAST_FAILURE} times in a row, lastly: {why}"
                            )));
                        }
                    }
                }
            }
        })
        .map_err(|e| Fault::Unusable(format!("no thread can be started for a plug: {e}")))?;
    Ok(Box::new(meter))
}

/// A plug that is asked in the background.
struct PlugMeter {
    setup: PowerSetup,
    latest: Handle,
    who: String,
}

impl PowerSource for PlugMeter {
    fn setup(&self) -> &PowerSetup {
        &self.setup
    }

    fn read(&mut self, now: Seconds) -> Result<Sample, Fault> {
        self.latest.0.read(now, OLDEST, &self.who)
    }
}

/// A client that trusts the local network only: no proxy, no redirects elsewhere, no waiting for ever.
fn agent() -> Agent {
    Agent::config_builder()
        .timeout_global(Some(TIMEOUT))
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .user_agent("perwatt")
        .build()
        .into()
}

/// Why a plug gave no value.
enum Refusal {
    /// It does not know the question.
    Unknown(String),
    /// Anything else.
    Other(String),
}

impl Refusal {
    fn text(&self) -> &str {
        match self {
            Self::Unknown(text) | Self::Other(text) => text,
        }
    }

    fn fault(&self, who: &str) -> Fault {
        Fault::Unusable(format!("{who}: {}", self.text()))
    }
}

/// Asks for the power once.
fn ask(agent: &Agent, make: Make, channel: u32, url: &str) -> Result<(Quantity, Instant), Refusal> {
    let asked = Instant::now();
    let answer = agent
        .get(url)
        .call()
        .map_err(|e| Refusal::Other(plain(&e)))?;
    let status = answer.status();
    let body = answer
        .into_body()
        .into_with_config()
        .limit(LONGEST_BYTES)
        .read_to_string()
        .map_err(|e| Refusal::Other(plain(&e)))?;
    let at = asked + asked.elapsed() / 2;
    match status.as_u16() {
        200 => {}
        401 | 403 => {
            return Err(Refusal::Other(
                "it wants a password, which perwatt does not send; switch its authentication off while \
                 measuring"
                    .to_owned(),
            ));
        }
        404 => {
            return Err(Refusal::Unknown(format!(
                "it does not know {url}; is it a {} (Gen2 or later), and is the channel right?",
                make.name()
            )));
        }
        other => {
            return Err(Refusal::Other(format!(
                "it answered {url} with HTTP {other}"
            )));
        }
    }
    let watts = watts(make, channel, &body).map_err(Refusal::Other)?;
    Ok((Quantity::Power(watts), at))
}

/// A client's error in a user's words.
fn plain(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(_) => format!("no answer within {}", Seconds(TIMEOUT.as_secs_f64())),
        ureq::Error::HostNotFound => "no such host; check its name or use its address".to_owned(),
        ureq::Error::Io(error) => error.to_string(),
        other => other.to_string(),
    }
}

/// Takes the power out of an answer.
///
/// # Errors
/// The answer is not what such a plug says; the message quotes it.
fn watts(make: Make, channel: u32, body: &str) -> Result<Watts, String> {
    let quoted: String = body.chars().take(80).collect();
    let strange = |what: &str| format!("{what}; it answered `{}`", quoted.trim());
    let answer: Value = serde_json::from_str(body)
        .map_err(|_| strange(&format!("this is not how a {} answers", make.name())))?;
    let power = match make {
        Make::Shelly => {
            if answer.get("output") == Some(&Value::Bool(false)) {
                return Err("it is switched off, so the machine is not behind it".to_owned());
            }
            answer.get("apower")
        }
        Make::Tasmota => {
            if let Some(warning) = answer.get("WARNING") {
                return Err(format!(
                    "it refuses: {warning}; switch its web password off while measuring"
                ));
            }
            let power = answer
                .pointer("/StatusSNS/ENERGY/Power")
                .or_else(|| answer.pointer("/ENERGY/Power"));
            match power {
                // Plugs with several channels list them.
                Some(Value::Array(channels)) => channels.get(channel as usize),
                power => power,
            }
        }
    };
    let watts = power
        .and_then(|power| power.as_f64().or_else(|| power.as_str()?.parse().ok()))
        .ok_or_else(|| strange("it does not say its power; is it a model that measures?"))?;
    if watts.is_finite() && watts >= 0.0 {
        return Ok(Watts(watts));
    }
    Err(format!(
        "it says {watts} W: is it wired the wrong way round?"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_both_makes_are_read() {
        let shelly = r#"{"id":0,"source":"init","output":true,"apower":87.3,"voltage":229.9,"aenergy":{"total":10.1}}"#;
        assert_eq!(watts(Make::Shelly, 0, shelly), Ok(Watts(87.3)));
        let tasmota =
            r#"{"StatusSNS":{"Time":"2026-01-01T00:00:00","ENERGY":{"Total":3.185,"Power":54}}}"#;
        assert_eq!(watts(Make::Tasmota, 0, tasmota), Ok(Watts(54.0)));
        let two = r#"{"StatusSNS":{"ENERGY":{"Power":[54,7]}}}"#;
        assert_eq!(watts(Make::Tasmota, 1, two), Ok(Watts(7.0)));
    }

    #[test]
    fn an_answer_without_a_power_is_no_zero() {
        for (make, body) in [
            (Make::Shelly, r#"{"id":0,"output":false,"apower":0.0}"#),
            (Make::Shelly, r#"{"id":0,"output":true}"#),
            (Make::Shelly, r#"{"id":0,"apower":null}"#),
            (Make::Shelly, r#"{"apower":-3}"#),
            (Make::Shelly, "<html>hello</html>"),
            (Make::Shelly, ""),
            (
                Make::Tasmota,
                r#"{"WARNING":"Need user=<username>&password=<password>"}"#,
            ),
            (Make::Tasmota, r#"{"StatusSNS":{"Time":"x"}}"#),
        ] {
            assert!(watts(make, 0, body).is_err(), "{body}");
        }
    }

    #[test]
    fn an_address_is_checked_before_anybody_is_asked() {
        for address in [
            "10.0.0.7",
            "plug.local:8080",
            "http://10.0.0.7/",
            "10.0.0.7/2",
        ] {
            assert!(candidate(Make::Shelly, address).is_ok(), "{address}");
        }
        for address in ["", "10.0.0.7/relay", "a b", "user@host"] {
            assert!(candidate(Make::Tasmota, address).is_err(), "{address}");
        }
    }
}
