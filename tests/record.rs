//! The committed result files can be read.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[test]
fn every_committed_record_loads() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/results");
    let mut records = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "json") {
            assert!(!perwatt::record::load(&path).unwrap().cases.is_empty());
            records += 1;
        }
    }
    assert!(records > 0);
}
