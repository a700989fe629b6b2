//! Which of a node's GPUs a task is to measure, from what the scheduler gave it.
//!
//! A driver for graphics shows all GPUs that the process may open, whatever `CUDA_VISIBLE_DEVICES` says. So what the
//! scheduler gave is looked up among them: by the maker's number where it gave that, else by place in the order of the
//! bus, which is the scheduler's order too.

use std::fmt;

/// A GPU that the node shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeenGpu {
    /// Its number among the adapters.
    pub index: u32,
    /// Its place on the bus, in a form that sorts.
    pub pci: Option<String>,
    /// The maker's own number.
    pub uuid: Option<String>,
    /// Whether it is a software driver.
    pub software: bool,
}

/// What a scheduler gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    /// GPUs by their makers' numbers.
    ByUuid(Vec<String>),
    /// GPUs by their places in the order of the bus.
    ByPlace(Vec<usize>),
    /// It did not say.
    Unsaid,
}

/// Why a task has no GPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoGpu {
    /// No GPU has this number.
    UnknownUuid(String),
    /// The node shows fewer.
    Fewer {
        /// Which was given, from 0.
        place: usize,
        /// How many there are.
        seen: usize,
    },
    /// The node shows none.
    None,
}

impl fmt::Display for NoGpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownUuid(uuid) => write!(
                f,
                "the scheduler gave GPU {uuid}, and perwatt sees none of that number; see `perwatt devices` on the node"
            ),
            Self::Fewer { place, seen } => write!(
                f,
                "the scheduler gave GPU {place} of the node, and perwatt sees {seen} (numbers from 0); see `perwatt \
                 devices` on the node, where a graphics driver may be missing"
            ),
            Self::None => f.write_str(
                "perwatt sees no GPU on the node; see `perwatt devices` there, where a graphics driver may be missing",
            ),
        }
    }
}

impl Given {
    /// What the environment of a task says: the variables that schedulers set, the more particular first.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        const VARIABLES: [&str; 6] = [
            "SLURM_STEP_GPUS",
            "CUDA_VISIBLE_DEVICES",
            "ROCR_VISIBLE_DEVICES",
            "NVIDIA_VISIBLE_DEVICES",
            "ZE_AFFINITY_MASK",
            "GPU_DEVICE_ORDINAL",
        ];
        let said = VARIABLES.into_iter().filter_map(variable);
        said.map(|value| Self::parse(&value))
            .find(|given| *given != Self::Unsaid)
            .unwrap_or(Self::Unsaid)
    }

    fn parse(value: &str) -> Self {
        let words: Vec<&str> = value
            .split(',')
            .map(str::trim)
            .filter(|word| !word.is_empty())
            .collect();
        let places: Option<Vec<usize>> = words.iter().map(|word| word.parse().ok()).collect();
        match places {
            Some(places) if !places.is_empty() => Self::ByPlace(places),
            _ if !words.is_empty() && words.iter().all(|word| word.contains('-')) => {
                Self::ByUuid(words.into_iter().map(str::to_owned).collect())
            }
            // `all`, `void`, `none`, `NoDevFiles`.
            _ => Self::Unsaid,
        }
    }
}

/// The GPU of a task; `slot` is its number among the tasks of its node.
///
/// # Errors
/// What was given is not there.
pub fn gpu_of_task<'a>(
    gpus: &'a [SeenGpu],
    given: &Given,
    slot: usize,
) -> Result<&'a SeenGpu, NoGpu> {
    let hardware: Vec<&SeenGpu> = gpus.iter().filter(|gpu| !gpu.software).collect();
    if hardware.is_empty() {
        // A software driver stands for as many as one likes.
        return gpus.first().ok_or(NoGpu::None);
    }
    let mut ordered = hardware;
    ordered.sort_by(|a, b| (&a.pci, a.index).cmp(&(&b.pci, b.index)));
    let at = |place: usize| {
        let seen = ordered.len();
        ordered
            .get(place)
            .copied()
            .ok_or(NoGpu::Fewer { place, seen })
    };
    match given {
        Given::ByUuid(uuids) => {
            let uuid = uuids.get(slot).or(uuids.first()).ok_or(NoGpu::None)?;
            let same = |known: &str| known.starts_with(uuid.as_str());
            let named = ordered
                .iter()
                .find(|gpu| gpu.uuid.as_deref().is_some_and(same));
            match (named, ordered.as_slice()) {
                (Some(gpu), _) => Ok(gpu),
                // The others are hidden from the task, and this one's number is not known.
                (None, [only]) if only.uuid.is_none() => Ok(only),
                (None, _) => Err(NoGpu::UnknownUuid(uuid.clone())),
            }
        }
        // Where the others are hidden, the place still counts them.
        Given::ByPlace(places) if places.len() == 1 && ordered.len() == 1 => at(0),
        Given::ByPlace(places) => match places.as_slice() {
            [one] => at(*one),
            several if several.len() == ordered.len() => at(slot),
            several => at(several.get(slot).copied().unwrap_or(slot)),
        },
        Given::Unsaid => at(slot),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node() -> Vec<SeenGpu> {
        // The driver's order is not the bus's.
        [(0, "0000:81:00.0", "GPU-bb"), (1, "0000:41:00.0", "GPU-aa")]
            .map(|(index, pci, uuid)| SeenGpu {
                index,
                pci: Some(pci.to_owned()),
                uuid: Some(uuid.to_owned()),
                software: false,
            })
            .to_vec()
    }

    fn given(value: &str) -> Given {
        Given::parse(value)
    }

    #[test]
    fn what_was_given_is_found_whatever_the_drivers_order() {
        let node = node();
        let index = |value: &str, slot| gpu_of_task(&node, &given(value), slot).unwrap().index;
        assert_eq!(index("0", 1), 1);
        assert_eq!(index("1", 0), 0);
        assert_eq!(index("GPU-bb", 0), 0);
        assert_eq!(index("GPU-aa,GPU-bb", 1), 0);
        assert_eq!(index("all", 0), 1);
        assert_eq!(index("0,1", 1), 0);
        let one = &node[..1];
        // cgroups hide the other, and the place still counts it.
        assert_eq!(gpu_of_task(one, &given("1"), 1).unwrap().index, 0);
    }

    #[test]
    fn what_is_not_there_is_not_replaced_by_another() {
        let node = node();
        assert_eq!(
            gpu_of_task(&node, &given("GPU-cc"), 0),
            Err(NoGpu::UnknownUuid("GPU-cc".to_owned()))
        );
        assert_eq!(
            gpu_of_task(&node, &Given::Unsaid, 2),
            Err(NoGpu::Fewer { place: 2, seen: 2 })
        );
        assert_eq!(gpu_of_task(&node[..1], &given("GPU-aa"), 0).ok(), None);
        assert_eq!(gpu_of_task(&[], &Given::Unsaid, 0), Err(NoGpu::None));
    }

    #[test]
    fn a_software_driver_stands_for_any() {
        let software = SeenGpu {
            software: true,
            ..SeenGpu::default()
        };
        assert!(gpu_of_task(&[software], &given("3"), 3).is_ok());
    }
}
