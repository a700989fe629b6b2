//! Tokens a second of a language model on accelerators that exist: what does not fit does not run, weights are
//! shared by no more accelerators than there are, and sharing costs time on the link between them.
//!
//! A decoding step reads the weights that its tokens touch, the cache of all its sequences and what passes from
//! kernel to kernel, does their arithmetic, exchanges partial sums twice a layer where several accelerators share
//! one, and has costs that do not depend on its size: a layer is a dozen kernels, each of which starts and ends,
//! and one program manages all sequences of a copy of the weights. The batch is the largest that leaves each user
//! the tokens per second that were promised; the group is the one that writes most per accelerator. A step may
//! try tokens that were drafted for it (speculative decoding), of which some are accepted.
//!
//! A step's time is kept by what the device does in it, because it draws differently while it waits, reads and
//! computes.

use std::cmp::Ordering;

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
const PATIENCE: f64 = 1.25;

/// Bytes of one activation on the link.
const ACTIVATION_BYTES: f64 = 2.0;

/// Starting an exchange between accelerators of one link domain, and of several. [A]
const EXCHANGE_S: f64 = 8e-6;
const NETWORK_EXCHANGE_S: f64 = 30e-6;

/// How often a token's activations of a layer pass through memory, in widths of what goes from layer to layer:
/// norms, residuals, positions, the MLP's gate and the input and output of each product. [A]
const ACTIVATION_PASSES: f64 = 24.0;

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
    /// What each layer of a step costs whatever its size, and each layer of experts beside that.
    pub(super) layer_overhead: Seconds,
    pub(super) expert_overhead: Seconds,
    /// What each sequence costs in a step: one process manages those of a copy of the weights.
    pub(super) sequence_overhead: Seconds,
    /// What each token costs in a layer of experts beside reading and arithmetic.
    pub(super) routing: Seconds,
    /// The share of a mixture's sequences that accelerators and processes divide; the rest each sees all of.
    pub(super) split_tokens: f64,
    /// What a mixture of experts keeps of the rate of arithmetic: its products are small and uneven.
    pub(super) expert_share: f64,
    /// Tokens of prompts that are read for each token written.
    pub(super) prompt_ratio: f64,
    /// The share of them that other accelerators read, so that nobody's next token waits for them.
    pub(super) prompts_apart: f64,
    /// Tokens that are drafted for each sequence of a step, and the share of which each is accepted after the one
    /// before it was.
    pub(super) drafted: f64,
    pub(super) accepted: f64,
}

/// A time by what the device does in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Phases {
    /// Starts and ends of kernels, exchanges, and the serving program.
    pub(super) waiting: Seconds,
    /// Weights, cache and activations pass through memory.
    pub(super) reading: Seconds,
    /// Matrix products.
    pub(super) computing: Seconds,
}

impl Phases {
    /// All of it.
    pub(super) fn total(&self) -> Seconds {
        self.waiting + self.reading + self.computing
    }

    const ABSENT: Self = Self {
        waiting: Seconds(f64::NAN),
        reading: Seconds(f64::NAN),
        computing: Seconds(f64::NAN),
    };
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
    /// One step of decoding, and a group's time for one token of a prompt.
    pub(super) step: Phases,
    pub(super) prompt: Phases,
}

impl Served {
    /// Of a model that does not fit.
    pub(super) const ABSENT: Self = Self {
        group: f64::NAN,
        batch: f64::NAN,
        decode: TokensPerSecond(f64::NAN),
        prefill: TokensPerSecond(f64::NAN),
        step: Phases::ABSENT,
        prompt: Phases::ABSENT,
    };
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
        let groups = self.groups(needed, there);
        let alone = groups.iter().map(|group| self.wait(*group, 1.0));
        let longest = (1.0 / self.user_rate).max(PATIENCE * alone.fold(f64::INFINITY, f64::min));
        groups
            .into_iter()
            .filter(|group| {
                let order = self.wait(*group, 1.0).partial_cmp(&longest);
                order != Some(Ordering::Greater)
            })
            .map(|group| self.with(group, longest))
            .reduce(|best, served| {
                if served.decode > best.decode {
                    served
                } else {
                    best
                }
            })
    }

    /// The numbers of accelerators that may share the weights.
    fn groups(&self, needed: f64, there: f64) -> Vec<f64> {
        let largest = if self.model.is_mixture() {
            LARGEST_EXPERT_GROUP
        } else {
            LARGEST_GROUP
        };
        let most = there.min(largest.max(self.domain).max(needed));
        let doubled = std::iter::successors(Some(1.0), |group| Some(group * 2.0));
        doubled
            .take_while(|group| *group < most)
            .chain([most])
            .filter(|group| *group >= needed)
            .collect()
    }

    /// What a user waits for the next token, also while others' prompts are read on the same accelerators.
    fn wait(&self, group: f64, batch: f64) -> f64 {
        let read_here = self.prompt_ratio * (1.0 - self.prompts_apart);
        let prompt = read_here * self.prompt(group).total().get();
        self.step(group, batch).total().get() / self.written() + prompt * batch
    }

    /// A group with the largest batch in which no user waits longer than this.
    fn with(&self, group: f64, longest: f64) -> Served {
        let room = group * self.memory - self.weights();
        let fits = (room / (self.sequence() * self.copies(group))).max(1.0);
        let most = fits.min(self.batch * group).max(1.0);
        let batch = self.largest(group, most, longest);
        let step = self.step(group, batch);
        let prompt = self.prompt(group);
        Served {
            group,
            batch,
            decode: Tokens(batch * self.written() / group) / step.total(),
            prefill: Tokens(1.0 / group) / prompt.total(),
            step,
            prompt,
        }
    }

    fn largest(&self, group: f64, most: f64, longest: f64) -> f64 {
        if self.wait(group, most) <= longest {
            return most;
        }
        let (mut low, mut high) = (1.0, most);
        for _ in 0..24 {
            let middle = 0.5 * (low + high);
            if self.wait(group, middle) <= longest {
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
    fn step(&self, group: f64, batch: f64) -> Phases {
        let stages = if self.model.is_mixture() {
            1.0
        } else {
            (group / self.domain).ceil().max(1.0)
        };
        let sequences = batch;
        let (group, batch) = (group / stages, (batch / stages).max(1.0));
        let tokens = batch * (1.0 + self.drafted);
        let bytes = self.touched(tokens) * self.weight_bytes
            + self.sequence() * batch * self.copies(group)
            + self.activations() * tokens;
        let flop = self.model.decode_flop(self.context).get() * tokens;
        // A draft is a pass of its own through one layer.
        let managed = self.overhead.get() * (1.0 + self.drafted)
            + (self.model.layers + self.drafted) * self.layer()
            + self.sequence_overhead.get() * sequences * self.shared(group);
        Phases {
            waiting: Seconds(managed + self.exchanged(group, tokens, self.start(group))),
            reading: Seconds(bytes / (group * self.bandwidth.get()) + self.routed(group) * tokens),
            computing: Seconds(flop / (group * self.compute())),
        }
    }

    /// Tokens that a step writes for each sequence: one, and of those that were drafted all before the first that
    /// is not accepted.
    fn written(&self) -> f64 {
        let (mut written, mut share, mut left) = (1.0, self.accepted, self.drafted);
        while left > 0.0 {
            written += share * left.min(1.0);
            share *= self.accepted;
            left -= 1.0;
        }
        written
    }

    /// What a layer costs whatever the size of a step.
    fn layer(&self) -> f64 {
        if self.model.is_mixture() {
            self.layer_overhead.get() + self.expert_overhead.get()
        } else {
            self.layer_overhead.get()
        }
    }

    /// What each token of a step costs in all layers of experts: it is sent to some of them, and its parts are put
    /// together again.
    fn routed(&self, group: f64) -> f64 {
        if !self.model.is_mixture() {
            return 0.0;
        }
        self.model.layers * self.routing.get() * self.shared(group)
    }

    /// How often a sequence's cache lies in a group. Where all heads share one latent, each accelerator of a
    /// tensor-parallel group has it whole.
    fn copies(&self, group: f64) -> f64 {
        if self.model.latent_cache {
            (1.0 - self.split_tokens) * group.min(LARGEST_GROUP) + self.split_tokens
        } else {
            1.0
        }
    }

    /// The part of a batch that one accelerator, and one process, has to do with. With attention by tensor
    /// parallelism that is what its tensor-parallel group has. With attention by data parallelism, which is for
    /// mixtures of experts, each has its own sequences.
    fn shared(&self, group: f64) -> f64 {
        if !self.model.is_mixture() {
            return 1.0;
        }
        let tensor_parallel = group.min(LARGEST_GROUP) / group;
        (1.0 - self.split_tokens) * tensor_parallel + self.split_tokens / group
    }

    /// Bytes of one token's activations that pass through memory.
    fn activations(&self) -> f64 {
        self.model.layers * self.width() * ACTIVATION_BYTES * ACTIVATION_PASSES
    }

    /// Numbers of a token that go from layer to layer.
    fn width(&self) -> f64 {
        self.model.hidden.unwrap_or(self.model.width)
    }

    /// Starting an exchange in a group of this size.
    fn start(&self, group: f64) -> f64 {
        if group > self.domain {
            NETWORK_EXCHANGE_S
        } else {
            EXCHANGE_S
        }
    }

    /// Weights that some token of a batch passes: each chooses its experts by itself, and takes one row of the
    /// table of tokens.
    fn touched(&self, batch: f64) -> f64 {
        let missed = 1.0 - self.model.active / self.model.parameters;
        self.model.parameters * (1.0 - libm::pow(missed, batch)) - self.model.embedding
    }

    /// FLOP/s that the model's products reach.
    fn compute(&self) -> f64 {
        if self.model.is_mixture() {
            self.compute.get() * self.expert_share
        } else {
            self.compute.get()
        }
    }

    /// Time that partial sums of these tokens take on the links.
    fn exchanged(&self, group: f64, tokens: f64, start: f64) -> f64 {
        if group <= 1.0 {
            return 0.0;
        }
        let link = if group > self.domain && self.model.is_mixture() {
            self.link.min(NETWORK)
        } else {
            self.link
        };
        let sums = |group: f64| {
            let around = 2.0 * (group - 1.0) / group;
            EXCHANGES * self.width() * ACTIVATION_BYTES * around
        };
        let bytes = if self.model.is_mixture() {
            // Sums of what a tensor-parallel group shares, or each token to its experts and back.
            let shared = group.min(LARGEST_GROUP);
            (1.0 - self.split_tokens) * sums(shared) * shared / group
                + self.split_tokens * self.width() * EXPERT_BYTES / group
        } else {
            sums(group)
        };
        self.model.layers * (EXCHANGES * start + tokens * bytes / link)
    }

    /// A group's time for one token of a prompt, of which many are read at once.
    fn prompt(&self, group: f64) -> Phases {
        let stages = if self.model.is_mixture() {
            1.0
        } else {
            (group / self.domain).max(1.0)
        };
        let each = group / stages;
        let flop = self.model.prefill_flop(self.context).get();
        let reading = self.activations() / (each * self.bandwidth.get()) + self.routed(each);
        Phases {
            waiting: Seconds(self.exchanged(each, 1.0, 0.0) / stages),
            reading: Seconds(reading / stages),
            computing: Seconds(flop / (group * self.compute())),
        }
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
            layer_overhead: Seconds(0.0),
            expert_overhead: Seconds(0.0),
            sequence_overhead: Seconds(0.0),
            routing: Seconds(0.0),
            split_tokens: 1.0,
            expert_share: 1.0,
            prompt_ratio: 0.0,
            prompts_apart: 0.0,
            drafted: 0.0,
            accepted: 0.5,
        }
    }

    fn model(id: &str) -> &'static LanguageModel {
        &catalog().unwrap().models[id]
    }

    #[test]
    fn one_user_gets_what_memory_gives_by_hand() {
        let small = server(model("llama-3.1-8b"));
        // One accelerator of 2 TB/s: 15.01 GB (7.505 G weights without the table of tokens), 131 MB of cache and
        // 6.29 MB of activations (32 layers, 24 times 4096 numbers of two bytes) are 7.57 ms, 15.53 GFLOP 38.8 µs.
        let mut alone = small;
        alone.count = 1.0;
        let served = alone.serve().unwrap();
        let expected = 1.0 / (15.147_363_456e9 / 2e12 + (15.01e9 + 524.288e6) / 4e14);
        assert!(
            (served.decode.get() / expected - 1.0).abs() < 1e-9,
            "{served:?}"
        );
        // 1 ms for the step, 50 µs for each of 32 layers and 20 µs for the one sequence.
        alone.overhead = Seconds(1e-3);
        alone.layer_overhead = Seconds(50e-6);
        alone.sequence_overhead = Seconds(20e-6);
        let slower = 1.0 / alone.serve().unwrap().decode.get();
        assert!((slower - 1.0 / expected - 2.62e-3).abs() < 1e-12);
    }

    #[test]
    fn a_program_manages_the_sequences_of_all_that_share_a_copy() {
        let mut shared = server(model("llama-3.1-8b"));
        let step = |server: &Server<'_>, group| server.step(group, 64.0).waiting.get();
        let before = [step(&shared, 1.0), step(&shared, 8.0)];
        shared.sequence_overhead = Seconds(1e-3);
        for (group, before) in [1.0, 8.0].into_iter().zip(before) {
            assert!((step(&shared, group) - before - 64e-3).abs() < 1e-12);
        }
    }

    #[test]
    fn tokens_are_routed_by_each_or_divided() {
        let mut mixture = server(model("deepseek-v3"));
        mixture.context = 0.0;
        let read = |server: &Server<'_>| server.step(8.0, 100.0).reading.get();
        let before = read(&mixture);
        mixture.routing = Seconds(1e-6);
        // 61 layers of 100 tokens, an eighth of which each accelerator has.
        assert!((read(&mixture) - before - 61.0 * 100.0 / 8.0 * 1e-6).abs() < 1e-12);
        mixture.split_tokens = 0.0;
        assert!((read(&mixture) - before - 61.0 * 100.0 * 1e-6).abs() < 1e-12);
        let mut dense = server(model("llama-3.1-8b"));
        let before = read(&dense);
        dense.routing = Seconds(1.0);
        assert!((read(&dense) - before).abs() < 1e-15);
    }

    #[test]
    fn drafts_that_are_accepted_are_written_and_all_are_computed() {
        let mut plain = server(model("llama-3.1-8b"));
        plain.count = 1.0;
        let alone = plain.serve().unwrap();
        let mut drafting = Server {
            drafted: 3.0,
            accepted: 0.0,
            ..plain
        };
        // Four tokens are computed and one is written.
        let none = drafting.serve().unwrap();
        let [before, after] = [alone, none].map(|served| served.step.computing.get());
        assert!((after / before - 4.0).abs() < 1e-12);
        assert!(none.decode < alone.decode);
        // 1 + 0.8 + 0.64 + 0.512 in the same time.
        drafting.accepted = 0.8;
        let some = drafting.serve().unwrap();
        assert!((some.decode.get() / none.decode.get() - 2.952).abs() < 1e-12);
    }

    #[test]
    fn a_promise_is_kept_by_a_larger_group_before_more_is_written_by_a_smaller_one() {
        let mut base = server(model("llama-3.1-70b"));
        base.batch = 512.0;
        for user_rate in [5.0, 20.0, 50.0, 75.0] {
            base.user_rate = user_rate;
            let served = base.serve().unwrap();
            let each = served.decode.get() * served.group / served.batch;
            assert!(each > user_rate * (1.0 - 1e-6), "{each} of {user_rate}");
        }
        // Eight of 2 TB/s cannot: 139 GB are 8.7 ms. A user waits a quarter longer than alone.
        base.count = 8.0;
        base.user_rate = 1000.0;
        let served = base.serve().unwrap();
        let alone = 1.0 / base.step(served.group, 1.0).total().get();
        let each = served.decode.get() * served.group / served.batch;
        assert!((each / alone - 0.8).abs() < 1e-3);
    }

    #[test]
    fn a_latent_lies_whole_with_each_that_shares_attention() {
        let mut mixture = server(model("deepseek-v3"));
        let read = |server: &Server<'_>| server.step(8.0, 100.0).reading.get();
        let before = read(&mixture);
        mixture.split_tokens = 0.0;
        // 70,272 B for each of 1000 tokens of 100 sequences, seven times more, at 16 TB/s.
        let more = 7.0 * 70_272.0 * 1000.0 * 100.0 / 16e12;
        assert!((read(&mixture) - before - more).abs() < 1e-12);
    }

    #[test]
    fn nobody_waits_for_prompts_that_others_read() {
        let mut base = server(model("llama-3.1-70b"));
        base.batch = 512.0;
        base.user_rate = 20.0;
        base.prompt_ratio = 8.0;
        let before = base.serve().unwrap();
        base.prompts_apart = 1.0;
        let after = base.serve().unwrap();
        assert!(after.batch / after.group > before.batch / before.group);
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
        let table = 0.927e9;
        let share = (mixture.touched(2.0) + table) / 671e9;
        assert!((share - (1.0 - (634.0_f64 / 671.0).powi(2))).abs() < 1e-12);
        assert!(mixture.touched(1.0) <= 37e9);
        assert!(mixture.touched(2000.0) > 0.998 * 671e9);
        let dense = server(model("llama-3.1-8b"));
        assert!((dense.touched(1.0) / 7.505e9 - 1.0).abs() < 1e-12);
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
