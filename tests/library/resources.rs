//! What limits a case: stated by files of version 1.1, and derived from names for those of version 1.0, which
//! must come to the same for everything that version 1.0 could hold.

use std::path::Path;

use perwatt::record::parse;
use perwatt::workload::{CaseKernel, registry};

use crate::records::record;

#[test]
fn a_file_of_version_1_0_gets_the_resources_that_its_kernels_declare() {
    let mut new = record("resources");
    for workload in registry() {
        for case in workload.cases() {
            let mut kernels = case.tuning_space();
            kernels.dedup_by(|a, b| a.name == b.name);
            let planned = kernels
                .into_iter()
                .map(|kernel| CaseKernel::built_in(case.clone(), kernel).pending_result());
            new.cases.extend(planned);
        }
    }
    let mut old = serde_json::to_value(&new).unwrap();
    old["schema_version"] = "1.0.0".into();
    for case in old["cases"].as_array_mut().unwrap() {
        case.as_object_mut().unwrap().remove("resources").unwrap();
    }
    let old = parse(Path::new("old.json"), &old.to_string()).unwrap();
    assert_eq!(old.cases.len(), new.cases.len());
    for (old, new) in old.cases.iter().zip(&new.cases) {
        assert_eq!(old.resources, None);
        assert_eq!(old.resources(), new.resources(), "{}", new.id());
    }
}
