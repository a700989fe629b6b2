//! How much perwatt takes from a file: every limit in one place, far above what anybody measures and far
//! below what a machine can bear. docs/files.md lists them for readers.

/// Largest file of any kind: a record of a thousand cases is a tenth of it.
pub const MOST_FILE_BYTES: u64 = 256 << 20;

/// Largest file that a person writes: policies, workload files, shaders, scenarios.
pub const MOST_SOURCE_BYTES: u64 = 16 << 20;

/// Largest file of another tool's; as JSON values it takes sixteen times as much memory.
pub const MOST_IMPORT_BYTES: u64 = 64 << 20;

/// Most cases of a record.
pub const MOST_CASES: usize = 100_000;

/// Most invocations of all cases of a record together.
pub const MOST_INVOCATIONS: usize = 1_000_000;

/// Most invocations of one session.
pub const MOST_INVOCATIONS_OF_SESSION: u32 = 1000;

/// Most processes of all benchmarks of an import together: each becomes an invocation with all that a
/// record says of one.
pub const MOST_IMPORTED: usize = 30_000;

/// Longest time that may be given in seconds, a budget or a deadline say: more than eleven days. More would overflow an
/// `Instant` on some systems.
pub const LONGEST_S: f64 = 1e6;

/// Longest name: of a case, a kernel, a device, a driver.
pub const MOST_NAME_BYTES: usize = 4_096;

/// Longest glob over cases.
pub const MOST_GLOB_BYTES: usize = 1_024;
