//! Tokens a second of a language model on accelerators that exist: what does not fit does not run, weights are
//! shared by no more accelerators than there are, and sharing costs time on the link between them.
//!
//! A decoding step reads the weights that its tokens touch and the cache of all its sequences, does their
//! arithmetic, exchanges partial sums twice a layer where several accelerators share one, and has costs that do
//! not depend on its size. The batch is the largest that leaves each user the tokens per second that were
//! promised; the group is the one that writes most per accelerator. No speculative decoding.

use super::language_model::LanguageModel;
use crate::units::{BytesPerSecond, FlopPerSecond, Seconds, Tokens, TokensPerSecond};

/// Accelerators beyond which one copy of the weights is not spread unless it must be. [A]
const LARGEST_GROUP: f64 = 16.0;

/// The same for a mixture of experts, whose experts are spread over the cluster's network.
const LARGEST_EXPERT_GROUP: f64 = 64.0;

/// Bytes/s of the network between link domains, each way, for an accelerator: 400 Gb/s. [A]
const NETWORK: f64 = 50e9;

/// Bytes that a number of a token's width crosses the links with when its experts are elsewhere: eight experts,
/// one byte there and two back (DeepSeek-V3 report, section 3.4). [A] for other models.
const EXPERT_BYTES: f64 = 24.0;

/// How much longer than alone a user waits at most where the promise cannot be kept. [A]
const PATIENCE: f64 = 2.0;

/// Bytes of one activation on the link.
const ACTIVATION_BYTES: f64 = 2.0;

/// Starting an exchange between accelerators of one link domain. [A]
const EXCHANGE_S: f64 = 8e-6;

/// Parts of a layer after which partial sums are exchanged: attention and MLP.
const EXCHANGES: f64 = 2.0;

/// Bytes of memory that training needs for one parameter: weights and gradients in 16 bits, master weights
/// and two moments in 32 (Rajbhandari et al., ZeRO, 2020).
const TRAINING_BYTES: f64 = 16.0;

/// One kind of accelerator that serves a model, in base units.
#[derive(Clone, Copy, Debug)]
pub(super) struct Server<'a> {
    pub(super) model: &'a LanguageModel,
    /// Bytes of a weight, and of a number in the cache.
    pub(super) weight_bytes: f64,
    pub(super) cache_bytes: f64,
    /// Bytes of memory that weights and cache may fill.
    pub(super) memory: f64,
    /// Bytes/s that decoding reaches.
    pub(super) bandwidth: BytesPerSecond,
    /// FLOP/s that large products reach.
    pub(super) compute: FlopPerSecond,
    /// Bytes/s between accelerators, each way.
    pub(super) link: f64,
    /// Accelerators that such links connect.
    pub(super) domain: f64,
    /// Accelerators that there are.
    pub(super) count: f64,
    /// Tokens before the one that is written.
    pub(super) context: f64,
    /// The most sequences at once, per accelerator.
    pub(super) batch: f64,
    /// Tokens a second that each user is promised.
    pub(super) user_rate: f64,
    /// What a step costs whatever its size.
    pub(super) overhead: Seconds,
    /// What each of an accelerator's sequences costs in a step beside that.
    pub(super) sequence_overhead: Seconds,
    /// What a mixture of experts keeps of the rates of arithmetic and links: its products are small and uneven.
    pub(super) expert_share: f64,
    /// Tokens of prompts that the same accelerators read for each token written.
    pub(super) prompt_ratio: f64,
}

/// How a model is served.
#[derive(Clone, Copy, Debug)]
pub(super) struct Served {
    /// Accelerators that share one copy of the weights.
    pub(super) group: f64,
    /// Sequences decoded at once by that group.
    pub(super) batch: f64,
    /// Tokens a second that one accelerator writes.
    pub(super) decode: TokensPerSecond,
    /// Tokens a second that one accelerator reads.
    pub(super) prefill: TokensPerSecond,
}

impl Server<'_> {
    fn weights(&self) -> f64 {
        self.model.parameters * self.weight_bytes
    }

    /// Cache of one sequence.
    fn sequence(&self) -> f64 {
        cache_of_sequence(self.model, self.cache_bytes, self.context)
    }

    /// The fewest accelerators that hold the weights and one sequence.
    fn needed(&self) -> f64 {
        accelerators_needed(self.weights() + self.sequence(), self.memory)
    }

    /// The best way to serve; `None` where the accelerators that there are do not hold the model.
    pub(super) fn serve(&self) -> Option<Served> {
        let needed = self.needed();
        // A fraction of an accelerator is that share of one that exists.
        let there = self.count.floor().max(1.0);
        if needed.is_nan() || needed > there {
            return None;
        }
        let mut best: Option<Served> = None;
        let mut group = 1.0;
        let largest = if self.model.is_mixture() {
            LARGEST_EXPERT_GROUP
        } else {
            LARGEST_GROUP
        };
        let most = there.min(largest.max(self.domain).max(needed));
        while group <= most {
            if group >= needed {
                let served = self.with(group);
                if best.is_none_or(|best| served.decode > best.decode) {
                    best = Some(served);
                }
            }
            let next = group * 2.0;
            group = if group < most && next > most {
                most
            } else {
                next
            };
        }
        best
    }

    fn with(&self, group: f64) -> Served {
        let room = group * self.memory - self.weights();
        let fits = (room / self.sequence()).max(1.0);
        let most = fits.min(self.batch * group).max(1.0);
        let batch = self.for_user(group, most);
        Served {
            group,
            batch,
            decode: Tokens(batch / group) / self.step(group, batch),
            prefill: self.prefill(group),
        }
    }

    /// The largest batch that keeps the promise; where not even one sequence gets so many tokens, the one that
    /// halves what a sequence alone would get. Who waits for the next token also waits while others' prompts
    /// are read on the same accelerators.
    fn for_user(&self, group: f64, most: f64) -> f64 {
        let prompt = self.prompt_ratio / (self.prefill(group).get() * group);
        let wait = |batch: f64| self.step(group, batch).get() + prompt * batch;
        let longest = (1.0 / self.user_rate).max(PATIENCE * wait(1.0));
        if wait(most) <= longest {
            return most;
        }
        let (mut low, mut high) = (1.0, most);
        for _ in 0..24 {
            let middle = 0.5 * (low + high);
            if wait(middle) <= longest {
                low = middle;
            } else {
                high = middle;
            }
        }
        low
    }

    /// Time in which every sequence of a batch gets one token.
    ///
    /// Inside a link domain all accelerators work on one layer. Several domains are stages of a pipeline, each
    /// of which holds some layers: a part of the batch goes through all of them, one after another, while the
    /// other parts are in the other stages.
    fn step(&self, group: f64, batch: f64) -> Seconds {
        let stages = if self.model.is_mixture() {
            1.0
        } else {
            (group / self.domain).ceil().max(1.0)
        };
        let (group, batch) = (group / stages, (batch / stages).max(1.0));
        let bytes = self.touched(batch) * self.weight_bytes + self.sequence() * batch;
        let read = bytes / (group * self.bandwidth.get());
        let flop = self.model.decode_flop(self.context).get() * batch;
        let computed = flop / (group * self.compute());
        let managed = self.overhead.get() + self.sequence_overhead.get() * batch / group;
        Seconds(managed + read + computed + self.exchanged(group, batch, EXCHANGE_S))
    }

    /// Weights that some token of a batch passes: each chooses its experts by itself.
    fn touched(&self, batch: f64) -> f64 {
        let missed = 1.0 - self.model.active / self.model.parameters;
        self.model.parameters * (1.0 - libm::pow(missed, batch))
    }

    /// FLOP/s that the model's products reach.
    fn compute(&self) -> f64 {
        self.compute.get() * self.class()
    }

    /// What this class of model keeps of a dense one's rates.
    fn class(&self) -> f64 {
        if self.model.is_mixture() {
            self.expert_share
        } else {
            1.0
        }
    }

    /// Time that partial sums of these tokens take on the links.
    fn exchanged(&self, group: f64, tokens: f64, start: f64) -> f64 {
        if group <= 1.0 {
            return 0.0;
        }
        let width = self.model.hidden.unwrap_or(self.model.width);
        if self.model.is_mixture() {
            let link = if group > self.domain {
                self.link.min(NETWORK)
            } else {
                self.link
            };
            let bytes = tokens * width * EXPERT_BYTES / group;
            return self.model.layers * (EXCHANGES * start + bytes / link) / self.class();
        }
        let around = 2.0 * (group - 1.0) / group;
        let bytes = tokens * width * ACTIVATION_BYTES * around;
        self.model.layers * EXCHANGES * (start + bytes / self.link)
    }

    fn prefill(&self, group: f64) -> TokensPerSecond {
        let group = if self.model.is_mixture() {
            group
        } else {
            group.min(self.domain)
        };
        let flop = self.model.prefill_flop(self.context).get();
        let each = flop / (group * self.compute()) + self.exchanged(group, 1.0, 0.0);
        TokensPerSecond(1.0 / (each * group))
    }
}

/// Bytes of the cache of one sequence whose numbers have so many bytes.
pub(super) fn cache_of_sequence(model: &LanguageModel, cache_bytes: f64, context: f64) -> f64 {
    model.kv_bytes * (cache_bytes / 2.0) * context
}

/// The fewest accelerators of so many usable bytes that hold so many.
pub(super) fn accelerators_needed(bytes: f64, memory: f64) -> f64 {
    let needed = (bytes / memory).ceil();
    // The larger of no number and one is one: a model would fit wherever nobody knows the memory.
    if needed.is_nan() {
        needed
    } else {
        needed.max(1.0)
    }
}

/// Accelerators of this memory that hold a model while it is trained.
pub(super) fn needed_to_train(model: &LanguageModel, memory: f64) -> f64 {
    (model.parameters * TRAINING_BYTES / memory).ceil()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invest::catalog::catalog;

    fn server(model: &LanguageModel) -> Server<'_> {
        Server {
            model,
            weight_bytes: 2.0,
            cache_bytes: 2.0,
            memory: 72e9,
            bandwidth: BytesPerSecond(2.0e12),
            compute: FlopPerSecond(4e14),
            link: 450e9,
            domain: 8.0,
            count: 1000.0,
            context: 1000.0,
            batch: 1.0,
            user_rate: 1e-3,
            overhead: Seconds(0.0),
            sequence_overhead: Seconds(0.0),
            expert_share: 1.0,
            prompt_ratio: 0.0,
        }
    }

    fn model(id: &str) -> &'static LanguageModel {
        &catalog().unwrap().models[id]
    }

    #[test]
    fn one_user_gets_what_memory_gives_by_hand() {
        let small = server(model("llama-3.1-8b"));
        // One accelerator of 2 TB/s: 16.06 GB and 131 MB of cache are 8.0955 ms, 16.585 GFLOP 41.46 µs.
        let mut alone = small;
        alone.count = 1.0;
        let served = alone.serve().unwrap();
        let expected = 1.0 / (16.191_072e9 / 2e12 + (16.06e9 + 524.288e6) / 4e14);
        assert!(
            (served.decode.get() / expected - 1.0).abs() < 1e-9,
            "{served:?}"
        );
    }

    #[test]
    fn what_does_not_fit_does_not_run() {
        let mut large = server(model("llama-3.1-405b"));
        large.count = 11.0;
        assert!(large.serve().is_none());
        assert!((large.needed() - 12.0).abs() < 1e-9);
        large.count = 12.0;
        assert!((large.serve().unwrap().group - 12.0).abs() < 1e-9);
    }

    #[test]
    fn where_the_memory_is_not_known_nothing_is_said_to_fit() {
        let mut unknown = server(model("llama-3.1-8b"));
        unknown.memory = f64::NAN;
        assert!(unknown.serve().is_none());
    }

    #[test]
    fn few_tokens_touch_few_experts_and_many_touch_all() {
        let mixture = server(model("deepseek-v3"));
        // Two tokens of 37 of 671 each: 1 - (634/671)^2 of the weights.
        let share = mixture.touched(2.0) / 671e9;
        assert!((share - (1.0 - (634.0_f64 / 671.0).powi(2))).abs() < 1e-12);
        assert!(mixture.touched(1.0) <= 37e9 * (1.0 + 1e-12));
        assert!(mixture.touched(2000.0) > 0.999 * 671e9);
        let dense = server(model("llama-3.1-8b"));
        assert!((dense.touched(1.0) / 8.03e9 - 1.0).abs() < 1e-12);
    }

    #[test]
    fn more_memory_more_bandwidth_or_a_faster_link_never_writes_less() {
        for id in [
            "llama-3.1-8b",
            "llama-3.1-70b",
            "llama-3.1-405b",
            "deepseek-v3",
        ] {
            let mut base = server(model(id));
            base.batch = 256.0;
            base.user_rate = 20.0;
            let before = base.serve().unwrap().decode;
            for (name, better) in [
                (
                    "memory",
                    Server {
                        memory: 2.0 * base.memory,
                        ..base
                    },
                ),
                (
                    "bandwidth",
                    Server {
                        bandwidth: BytesPerSecond(4e12),
                        ..base
                    },
                ),
                (
                    "link",
                    Server {
                        link: 900e9,
                        ..base
                    },
                ),
                (
                    "compute",
                    Server {
                        compute: FlopPerSecond(8e14),
                        ..base
                    },
                ),
                (
                    "patience",
                    Server {
                        user_rate: 10.0,
                        ..base
                    },
                ),
            ] {
                let after = better.serve().unwrap().decode;
                // The promise is met to the tolerance of the search.
                let ratio = after.get() / before.get();
                assert!(ratio > 1.0 - 1e-6, "{id}, {name}: {ratio}");
            }
        }
    }
}
