//! Attention, the other half of a language model: `attention-prefill` reads a prompt, many queries at
//! once; `attention-decode` writes one token, one query against everything before it.

mod coop;
mod decode;
mod flash;
mod heads;
mod prefill;
mod reference;

pub(crate) use decode::Decode;
pub(crate) use prefill::Prefill;
pub(crate) use reference::AttentionQuery;
