//! Which stored parameters a planned kernel gets: those of its own case, of its parts, or of a similar case.
//!
//! An entry is only as good as what it was measured with. So it is used only by the same perwatt, on the
//! same driver, and while the shader that its parameters give is still the same.

use super::shader_hash::{hash_with, shader_hash};
use super::tuning_file::{Entry, Objective, Tuning};
use crate::record::{Adapter, CaseName};
use crate::workload::{Case, CaseKernel, Kernel, find_case, is_known};

/// Most that a dimension may differ between two cases of which one takes the other's parameters, in
/// doublings.
const MOST_DOUBLINGS: f64 = 2.0;

/// How much better than the default parameters must be to be transferred to another case: a smaller gain
/// says nothing about the other case.
const WORTH_TRANSFERRING: f64 = 1.05;

/// What became of the planned kernels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Kernels that got tuned parameters.
    pub tuned: usize,
    /// Kernels that got those of a similar case.
    pub transferred: usize,
    /// `case@kernel` of entries that the program or its shaders have outgrown.
    pub stale: Vec<String>,
}

impl Entry {
    /// How many times better than the default it is at what it was chosen for, as far as that is known.
    fn gain(&self) -> Option<f64> {
        let (default, own) = match self.objective {
            Objective::Time => (self.default_time_ns.measured()?, self.time_ns),
            Objective::Energy => (
                self.default_energy_j.measured()?,
                *self.energy_j.measured()?,
            ),
        };
        Some(default / own)
    }

    /// Whether this perwatt gives the same shaders for it.
    fn is_current(&self, case: &Case, kernel: &Kernel, adapter: &Adapter) -> bool {
        self.perwatt_version == env!("CARGO_PKG_VERSION")
            && shader_hash(case, kernel, adapter).as_ref() == Some(&self.shader_hash)
    }

    /// What a record says of where its parameters come from.
    fn provenance(&self) -> String {
        let by = self.sensor.as_ref();
        let by = by.map_or(String::new(), |sensor| format!(" by {sensor}"));
        format!("tuned {} for {}{by}", self.tuned_utc, self.objective)
    }
}

impl Tuning {
    /// Gives planned kernels the parameters that were found for them or, failing that, for the most
    /// similar case.
    pub fn apply(
        &self,
        planned: &mut [CaseKernel],
        adapter: &Adapter,
        objective: Objective,
    ) -> Applied {
        let mut applied = Applied::default();
        for planned in planned {
            if planned.custom.is_some() {
                self.apply_to_custom(planned, adapter, objective, &mut applied);
            } else if let Some(entry) = self.entry(&planned.case, &planned.kernel, objective) {
                let kernel = with_parameters(&planned.kernel, entry);
                if !entry.is_current(&planned.case, &kernel, adapter) {
                    applied.stale.push(planned.id());
                    continue;
                }
                planned.kernel = kernel;
                planned.parameters_from = entry.provenance();
                applied.tuned += 1;
            } else if let Some(entry) = self.similar(planned, adapter, objective) {
                planned.kernel = with_parameters(&planned.kernel, entry);
                planned.parameters_from =
                    format!("{}, transferred from {}", entry.provenance(), entry.case);
                applied.transferred += 1;
            } else {
                self.apply_to_parts(planned, adapter, objective, &mut applied);
            }
        }
        applied
    }

    /// Gives a custom kernel the parameters that were found for it; those of other cases mean nothing to it.
    fn apply_to_custom(
        &self,
        planned: &mut CaseKernel,
        adapter: &Adapter,
        objective: Objective,
        applied: &mut Applied,
    ) {
        if planned.variants.is_empty() {
            return;
        }
        let Some(entry) = self.entry(&planned.case, &planned.kernel, objective) else {
            return;
        };
        let kernel = with_parameters(&planned.kernel, entry);
        let known = planned
            .variants
            .iter()
            .any(|variant| variant.kernel == kernel);
        let current = entry.perwatt_version == env!("CARGO_PKG_VERSION")
            && hash_with(planned, &kernel, adapter).as_ref() == Some(&entry.shader_hash);
        if !(known && current) {
            applied.stale.push(planned.id());
            return;
        }
        *planned = CaseKernel {
            parameters_from: entry.provenance(),
            ..planned.with_kernel(kernel)
        };
        applied.tuned += 1;
    }

    /// The entry of this very case and kernel.
    fn entry(&self, case: &Case, kernel: &Kernel, objective: Objective) -> Option<&Entry> {
        let case = case.to_string();
        self.entries.iter().find(|entry| {
            entry.case == case && entry.kernel == kernel.name && entry.objective == objective
        })
    }

    /// Gives the parts of a composed kernel the parameters that were found for them by themselves.
    fn apply_to_parts(
        &self,
        planned: &mut CaseKernel,
        adapter: &Adapter,
        objective: Objective,
        applied: &mut Applied,
    ) {
        let mut tuned = Vec::new();
        for part in planned.case.parts(&planned.kernel) {
            let work = &part;
            let Some(entry) = self.entry(&work.case, &work.kernel, objective) else {
                continue;
            };
            let kernel = with_parameters(&work.kernel, entry);
            if !entry.is_current(&work.case, &kernel, adapter) {
                applied
                    .stale
                    .push(CaseName::with_kernel(&work.case, &work.kernel.name));
                continue;
            }
            for (name, value) in &entry.parameters {
                let name = format!("{}.{name}", part.name);
                planned.kernel.parameters.insert(name, *value);
            }
            tuned.push(format!("{} {}", part.name, entry.provenance()));
        }
        if !tuned.is_empty() {
            planned.parameters_from = format!("{}; the rest default", tuned.join(", "));
            applied.tuned += 1;
        }
    }

    /// The entry of the most similar case that gained something and can do this one.
    fn similar(
        &self,
        planned: &CaseKernel,
        adapter: &Adapter,
        objective: Objective,
    ) -> Option<&Entry> {
        let case = planned.case.to_string();
        let similar = self.entries.iter().filter_map(|entry| {
            let alike = entry.kernel == planned.kernel.name
                && entry.objective == objective
                && entry.gain()? >= WORTH_TRANSFERRING;
            let distance = alike.then(|| distance(&entry.case, &case))??;
            let kernel = with_parameters(&planned.kernel, entry);
            let tuned = find_case(&entry.case).ok()?;
            let usable = entry.is_current(&tuned, &kernel, adapter)
                && is_known(&planned.case, &kernel, adapter)
                && shader_hash(&planned.case, &kernel, adapter).is_some();
            usable.then_some((distance, entry))
        });
        similar
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, entry)| entry)
    }
}

/// A kernel with the parameters of an entry.
fn with_parameters(kernel: &Kernel, entry: &Entry) -> Kernel {
    Kernel {
        name: kernel.name.clone(),
        parameters: entry.parameters.clone(),
    }
}

/// How far two written cases of one workload and dtype are apart, in doublings of their dimensions;
/// none where they are no neighbours. A dimension that is a multiple of 4 in one case only is none:
/// vectors or no vectors are two kernels.
fn distance(a: &str, b: &str) -> Option<f64> {
    let (name_a, name_b) = (CaseName::parse_case(a)?, CaseName::parse_case(b)?);
    let (a, b) = (Dimensions::of(name_a.shape), Dimensions::of(name_b.shape));
    let alike = (name_a.workload, name_a.dtype) == (name_b.workload, name_b.dtype);
    if !alike || a.words != b.words {
        return None;
    }
    let mut sum = 0.0;
    for (a, b) in a.numbers.iter().zip(&b.numbers) {
        let doublings = (*a as f64 / *b as f64).log2().abs();
        if doublings > MOST_DOUBLINGS || (a % 4 == 0) != (b % 4 == 0) {
            return None;
        }
        sum += doublings;
    }
    Some(sum)
}

/// A written shape taken apart.
struct Dimensions {
    numbers: Vec<u64>,
    /// What is between the numbers.
    words: Vec<String>,
}

impl Dimensions {
    fn of(shape: &str) -> Self {
        let numbers = shape
            .split(|c: char| !c.is_ascii_digit())
            .filter_map(|number| number.parse().ok())
            .collect();
        let words = shape
            .split(|c: char| c.is_ascii_digit())
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect();
        Self { numbers, words }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::plan::{Request, plan};
    use crate::bench::tune::Store;
    use crate::record::{DeviceType, Limits, Reading};

    fn adapter() -> Adapter {
        Adapter {
            index: 0,
            group: 0,
            name: "Card, (TM) 9000".to_owned(),
            backend: "vulkan".to_owned(),
            device_type: DeviceType::DiscreteGpu,
            vendor_id: 1,
            device_id: 2,
            pci_id: Reading::unmeasured("none"),
            driver: "driver".to_owned(),
            driver_info: "1.2.3".to_owned(),
            subgroup_sizes: Reading::Measured((32, 32)),
            features: vec!["SHADER_F16".to_owned(), "SUBGROUP".to_owned()],
            coop_matrix: Vec::new(),
            limits: Limits {
                max_buffer_bytes: 1 << 30,
                max_binding_bytes: 1 << 30,
                max_workgroup_bytes: 1 << 16,
                max_workgroup_threads: 1024,
                max_workgroup_x: 1024,
                max_workgroups: 65535,
                max_storage_buffers: 8,
            },
            subgroup_width: None,
            robust_buffer_access: None,
            refused: Vec::new(),
        }
    }

    fn planned() -> Vec<CaseKernel> {
        planned_for("matmul/f32/256x256x256@tiled")
    }

    fn planned_for(case: &str) -> Vec<CaseKernel> {
        let request = Request {
            cases: vec![case.to_owned()],
            ..Request::default()
        };
        plan(&request, &adapter()).unwrap()
    }

    fn entry(kernel: &Kernel, planned: &CaseKernel) -> Entry {
        Entry {
            case: planned.case.to_string(),
            kernel: kernel.name.to_string(),
            objective: Objective::Time,
            parameters: kernel.parameters.clone(),
            shader_hash: shader_hash(&planned.case, kernel, &adapter()).unwrap(),
            perwatt_version: env!("CARGO_PKG_VERSION").to_owned(),
            tuned_utc: "2026-01-01T00:00:00Z".to_owned(),
            time_ns: 1.0,
            default_time_ns: Reading::Measured(2.0),
            energy_j: Reading::unmeasured("no sensor"),
            energy_half_width_j: Reading::unmeasured("no sensor"),
            default_energy_j: Reading::unmeasured("no sensor"),
            sensor: None,
            measured: 3,
            complete: true,
        }
    }

    fn other_than(planned: &CaseKernel) -> Kernel {
        let space = planned.case.tuning_space();
        space
            .into_iter()
            .find(|k| k.name == "tiled" && *k != planned.kernel)
            .unwrap()
    }

    #[test]
    fn what_was_stored_is_used_and_named_for_its_objective_only() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        let mut tuning = store.load(&adapter()).unwrap();
        let mut plan = planned();
        let chosen = other_than(&plan[0]);
        tuning.put(entry(&chosen, &plan[0]));
        store.save(&tuning).unwrap();

        let tuning = store.load(&adapter()).unwrap();
        let energy = tuning.apply(&mut plan, &adapter(), Objective::Energy);
        assert_eq!(energy, Applied::default());
        assert_eq!(plan[0].parameters_from, "default");
        assert_eq!(
            tuning.apply(&mut plan, &adapter(), Objective::Time).tuned,
            1
        );
        assert_eq!(plan[0].kernel, chosen);
        assert!(plan[0].parameters_from.contains("2026-01-01"));
    }

    #[test]
    fn another_shader_program_or_driver_makes_it_stale() {
        let plan = planned();
        let chosen = other_than(&plan[0]);
        let sound = entry(&chosen, &plan[0]);
        for spoil in [(|e| e.shader_hash.push('0')) as fn(&mut Entry), |e| {
            e.perwatt_version = "0.0.1".to_owned();
        }] {
            let mut spoilt = sound.clone();
            spoil(&mut spoilt);
            let mut tuning = Tuning::new(&adapter());
            tuning.put(spoilt);
            let mut plan = planned();
            let applied = tuning.apply(&mut plan, &adapter(), Objective::Time);
            assert_eq!((applied.tuned, applied.stale.len()), (0, 1));
            assert_eq!(plan[0].kernel, planned()[0].kernel);
        }
        let mut newer = adapter();
        newer.driver_info = "1.2.4".to_owned();
        let store = Store::new("/nowhere");
        assert_ne!(
            store.path(&(&newer).into()),
            store.path(&(&adapter()).into())
        );
        let mut moved = adapter();
        moved.index = 3;
        moved.pci_id = Reading::Measured("0000:09:00.0".to_owned());
        assert_eq!(
            store.path(&(&moved).into()),
            store.path(&(&adapter()).into())
        );
    }

    #[test]
    fn a_composed_kernel_takes_what_was_tuned_for_its_parts() {
        let request = Request {
            cases: vec!["llama-layer/f32/77x96x6x2x160-decode".to_owned()],
            ..Request::default()
        };
        let mut planned = plan(&request, &adapter()).unwrap();
        let parts = planned[0].case.parts(&planned[0].kernel);
        let projection = &parts[0];
        let mut parameters = projection.kernel.parameters.clone();
        parameters.insert("rows".to_owned(), 8);
        let kernel = Kernel {
            name: projection.kernel.name.clone(),
            parameters: parameters.clone(),
        };
        let mut tuning = Tuning::new(&adapter());
        tuning.put(Entry {
            case: projection.case.to_string(),
            kernel: kernel.name.to_string(),
            objective: Objective::Time,
            parameters,
            shader_hash: shader_hash(&projection.case, &kernel, &adapter()).unwrap(),
            perwatt_version: env!("CARGO_PKG_VERSION").to_owned(),
            tuned_utc: "2026-01-01T00:00:00Z".to_owned(),
            time_ns: 1.0,
            default_time_ns: Reading::Measured(2.0),
            energy_j: Reading::unmeasured("none"),
            energy_half_width_j: Reading::unmeasured("none"),
            default_energy_j: Reading::unmeasured("none"),
            sensor: None,
            measured: 1,
            complete: true,
        });
        assert_eq!(
            tuning
                .apply(&mut planned, &adapter(), Objective::Time)
                .tuned,
            1
        );
        assert_eq!(planned[0].kernel.parameters["projection.rows"], 8);
        let from = &planned[0].parameters_from;
        assert!(
            from.contains("projection") && from.contains("default"),
            "{from}"
        );
        assert!(!from.contains("attention"), "{from}");
    }

    #[test]
    fn a_newer_entry_replaces_an_older_one() {
        let plan = planned();
        let mut tuning = Tuning::new(&adapter());
        tuning.put(entry(&plan[0].kernel, &plan[0]));
        tuning.put(entry(&other_than(&plan[0]), &plan[0]));
        assert_eq!(tuning.entries.len(), 1);
        assert_ne!(tuning.entries[0].parameters, plan[0].kernel.parameters);
    }

    #[test]
    fn a_similar_case_takes_what_gained_something_and_names_where_it_is_from() {
        let tuned = planned();
        let chosen = other_than(&tuned[0]);
        let take = |spoil: fn(&mut Entry), case: &str| {
            let mut tuning = Tuning::new(&adapter());
            let mut known = entry(&chosen, &tuned[0]);
            spoil(&mut known);
            tuning.put(known);
            let mut plan = planned_for(case);
            let applied = tuning.apply(&mut plan, &adapter(), Objective::Time);
            assert_eq!((applied.tuned, applied.stale.len()), (0, 0), "{case}");
            (applied.transferred, plan.remove(0))
        };
        let (transferred, taken) = take(|_| {}, "matmul/f32/512x512x1024@tiled");
        assert_eq!(transferred, 1);
        assert_eq!(taken.kernel, chosen);
        assert!(
            taken
                .parameters_from
                .contains("transferred from matmul/f32/256x256x256"),
            "{}",
            taken.parameters_from
        );
        // Too far, single elements for vectors, another dtype, another kernel.
        for case in [
            "matmul/f32/2048x256x256@tiled",
            "matmul/f32/256x255x256@tiled",
            "matmul/f16/256x256x256@tiled",
            "matmul/f32/512x512x512@naive",
        ] {
            let (transferred, left) = take(|_| {}, case);
            assert_eq!((transferred, left.parameters_from.as_str()), (0, "default"));
        }
        // Nothing gained, and another shader.
        for spoil in [
            (|e| e.default_time_ns = Reading::Measured(1.01)) as fn(&mut Entry),
            |e| e.shader_hash.push('0'),
        ] {
            assert_eq!(take(spoil, "matmul/f32/512x512x512@tiled").0, 0);
        }
    }

    #[test]
    fn of_several_similar_cases_the_nearest_counts() {
        let near = planned_for("matmul/f32/512x512x512@tiled");
        let far = planned_for("matmul/f32/256x256x256@tiled");
        let chosen = other_than(&near[0]);
        let mut tuning = Tuning::new(&adapter());
        tuning.put(entry(&far[0].kernel, &far[0]));
        tuning.put(entry(&chosen, &near[0]));
        let mut plan = planned_for("matmul/f32/768x768x768@tiled");
        tuning.apply(&mut plan, &adapter(), Objective::Time);
        assert_eq!(plan[0].kernel, chosen);
    }

    #[test]
    fn the_most_efficient_parameters_name_their_sensor() {
        let mut plan = planned();
        let chosen = other_than(&plan[0]);
        let mut tuning = Tuning::new(&adapter());
        tuning.put(entry(&plan[0].kernel, &plan[0]));
        tuning.put(Entry {
            objective: Objective::Energy,
            energy_j: Reading::Measured(3.0),
            energy_half_width_j: Reading::Measured(0.1),
            default_energy_j: Reading::Measured(4.0),
            sensor: Some("simulated:fast".to_owned()),
            ..entry(&chosen, &plan[0])
        });
        tuning.apply(&mut plan, &adapter(), Objective::Energy);
        assert_eq!(plan[0].kernel, chosen);
        let from = &plan[0].parameters_from;
        assert!(from.contains("for energy by simulated:fast"), "{from}");
    }
}
