//! How time and memory grow with a fleet. `PERWATT_FLEET_RECORDS` says of how many records, `PERWATT_FLEET_FOLDER` where
//! the files are kept.

use std::path::PathBuf;
use std::time::Instant;

use perwatt::fleet::table::ParquetFolder;

use super::generator::{FleetSpec, records};

/// Machines of eight GPUs, measured on as many days as make 100 records of a card at most.
#[test]
#[ignore = "writes a large layout; docs/fleet.md has its figures"]
fn a_layout_of_many_records() {
    let wanted: usize =
        std::env::var("PERWATT_FLEET_RECORDS").map_or(1_000, |text| text.parse().unwrap());
    let days: usize = std::env::var("PERWATT_FLEET_DAYS").map_or(1, |text| text.parse().unwrap());
    let folder: PathBuf = std::env::var_os("PERWATT_FLEET_FOLDER").unwrap().into();
    let cards = wanted / days;
    let begun = Instant::now();
    let mut layout = ParquetFolder::open(&folder).unwrap();
    // A rack at a time, so that the generator itself needs no memory to speak of.
    for rack in 0..cards.div_ceil(400) {
        let spec = FleetSpec {
            cards: 400.min(cards - rack * 400),
            cases: 100,
            records: days,
            gpus: 8,
            seed: rack as u64 + 1,
            ..FleetSpec::default()
        };
        let slow = |card: usize| card == 3 && rack % 5 == 0;
        for mut record in records(&spec, &|card, _, _| {
            (if slow(card) { 0.1 } else { 0.0 }, 0.0)
        }) {
            record.head.node = format!("r{rack:03}-{}", record.head.node);
            record.head.file = format!("r{rack:03}-{}", record.head.file);
            layout.add(&record).unwrap();
        }
    }
    println!(
        "{:?} in {:.1} s",
        layout.finish().unwrap(),
        begun.elapsed().as_secs_f64()
    );
}
