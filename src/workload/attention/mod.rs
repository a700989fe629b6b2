//! Attention, the other half of a language model: `attention-prefill` reads a prompt, many queries at
//! once; `attention-decode` writes one token, one query against everything before it.

mod coop;
mod decode;
mod flash;
mod heads;
mod naive;
mod prefill;
mod prompt;
mod reference;

pub(crate) use decode::{Decode, SPLIT_KV, decode_case};
pub(crate) use flash::FLASH;
pub(crate) use heads::Heads;
pub(crate) use prefill::{Prefill, for_projection, prefill_case};
pub(crate) use prompt::Prompt;
pub(crate) use reference::AttentionQuery;
