//! Whether the system ended processes because memory ran out: a process that gets signal 9 cannot say why.

/// What the system's counters say at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MemoryKills(Option<u64>);

impl MemoryKills {
    /// So many until now.
    pub(super) fn count() -> Self {
        let machine = read("/proc/vmstat");
        let group = own_group().and_then(|file| read(&file));
        Self(match (machine, group) {
            (None, None) => None,
            (machine, group) => Some(machine.unwrap_or(0).saturating_add(group.unwrap_or(0))),
        })
    }

    /// Whether there were more since then.
    pub(super) fn happened_since(self) -> bool {
        matches!((self.0, Self::count().0), (Some(then), Some(now)) if now > then)
    }
}

/// The counter of kills in a file of counters.
fn read(file: &str) -> Option<u64> {
    counter(&std::fs::read_to_string(file).ok()?)
}

fn counter(text: &str) -> Option<u64> {
    text.lines()
        .find_map(|line| line.strip_prefix("oom_kill "))
        .and_then(|count| count.trim().parse().ok())
}

/// The counters of this process's control group.
fn own_group() -> Option<String> {
    let groups = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    Some(format!("/sys/fs/cgroup{}/memory.events", path.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_counters_are_read_from_either_file() {
        assert_eq!(
            counter("low 0\noom 2\noom_kill 1\noom_group_kill 9\n"),
            Some(1)
        );
        assert_eq!(counter("pgfault 5\noom_kill 12\nnuma_hit 3\n"), Some(12));
        assert_eq!(counter("oom_killer 3\n"), None);
        assert!(!MemoryKills(None).happened_since());
        assert!(!MemoryKills(Some(u64::MAX)).happened_since());
    }
}
