//! The model as a WebAssembly module that a page calls, without generated glue.
//!
//! The caller asks for room with [`perwatt_room`], writes JSON there, and calls [`perwatt_open`] with a question or
//! [`perwatt_answer`] with the inputs that are moved, a name and a text each. Both return where the answer lies, and
//! [`perwatt_length`] how long it is: `{"answer": …}`, or `{"error": "in words"}`. It stays until the next call.
//! `scripts/build-invest-wasm` builds the module; there is one thread, so nothing here can be called twice at once.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use super::live::{LiveAnswer, LiveModel, LiveQuestion};
use crate::error::{Error, Result};

/// What stays between calls.
struct ModuleState {
    /// What the caller writes.
    room: Vec<u8>,
    /// What it reads.
    answer: Vec<u8>,
    model: Option<LiveModel>,
}

static STATE: Mutex<ModuleState> = Mutex::new(ModuleState {
    room: Vec::new(),
    answer: Vec::new(),
    model: None,
});

/// What the caller reads.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum ModuleAnswer {
    Answer(LiveAnswer),
    Error(String),
}

fn state() -> MutexGuard<'static, ModuleState> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes room for so many bytes, and says where.
#[unsafe(no_mangle)]
pub extern "C" fn perwatt_room(length: usize) -> *mut u8 {
    let mut state = state();
    state.room = vec![0; length];
    state.room.as_mut_ptr()
}

/// Takes the question that lies in the room, and answers it with nothing moved.
#[unsafe(no_mangle)]
pub extern "C" fn perwatt_open() -> *const u8 {
    state().reply(|state, json| {
        state.model = None;
        let question: LiveQuestion = read(json)?;
        let model = LiveModel::new(question)?;
        let answer = model.answer(&BTreeMap::new())?;
        state.model = Some(model);
        Ok(answer)
    })
}

/// Answers the open question with the inputs moved that lie in the room.
#[unsafe(no_mangle)]
pub extern "C" fn perwatt_answer() -> *const u8 {
    state().reply(|state, json| {
        let moved: BTreeMap<String, String> = read(json)?;
        let model = state.model.as_ref();
        model
            .ok_or_else(|| Error::usage("perwatt_answer", "no question is open"))?
            .answer(&moved)
    })
}

/// How long the last answer is, in bytes.
#[unsafe(no_mangle)]
pub extern "C" fn perwatt_length() -> usize {
    state().answer.len()
}

impl ModuleState {
    fn reply(&mut self, answer: impl FnOnce(&mut Self, &[u8]) -> Result<LiveAnswer>) -> *const u8 {
        let json = std::mem::take(&mut self.room);
        let reply = match answer(self, &json) {
            Ok(answer) => ModuleAnswer::Answer(answer),
            Err(error) => ModuleAnswer::Error(error.to_string()),
        };
        // Numbers and texts alone: there is nothing in it that JSON cannot say.
        self.answer = serde_json::to_vec(&reply).unwrap_or_default();
        self.answer.as_ptr()
    }
}

fn read<'a, T: serde::Deserialize<'a>>(json: &'a [u8]) -> Result<T> {
    serde_json::from_slice(json).map_err(|e| Error::usage("the question", e.to_string()))
}
