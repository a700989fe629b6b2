//! Whatever was measured, every command shows it: no panic, and nothing that is no number.

use crate::arbitrary::{arbitrary_record, no_number};
use crate::support::perwatt;

use perwatt::record::save;
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

#[test]
fn whatever_was_measured_every_command_shows_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = Pcg64Mcg::seed_from_u64(14);
    for number in 0..8 {
        for side in ["a", "b"] {
            let record = arbitrary_record(&format!("{side}{number}"), &mut random);
            save(&record, folder.path().join(format!("{side}.json"))).unwrap();
        }
        for words in [
            &["show", "a.json", "b.json"][..],
            &["compare", "a.json", "b.json"],
            &["compare", "--json", "a.json", "b.json"],
            &["compare", "--csv", "--sort", "ratio", "a.json", "b.json"],
            &["compare", "--metric", "energy", "a.json", "b.json"],
            &["compare", "--verdicts", "a.json", "b.json"],
            &["compare", "--verdicts", "--json", "a.json", "b.json"],
            &["compare", "--at-scale", "article-155bn", "a.json", "b.json"],
            &[
                "gate",
                "--github",
                "--baseline",
                "a.json",
                "--candidate",
                "b.json",
            ],
            &[
                "gate",
                "--json",
                "--baseline",
                "a.json",
                "--candidate",
                "b.json",
            ],
            &["export", "--format", "csv", "a.json"],
            &["export", "--format", "bencher", "a.json"],
            &[
                "export",
                "--format",
                "github-action-benchmark",
                "--direction",
                "larger",
                "a.json",
            ],
            &["calibrate-noise", "--out", "n.json", "a.json", "b.json"],
            &["invest", "a.json"],
            &["invest", "--json", "a.json"],
            &["invest", "a.json", "--against", "b.json"],
        ] {
            let output = perwatt()
                .args(words)
                .current_dir(folder.path())
                .output()
                .unwrap();
            let said = [&output.stdout[..], &output.stderr].concat();
            let said = String::from_utf8(said).unwrap();
            assert!(
                matches!(output.status.code(), Some(0..=3)),
                "{words:?}: {said}"
            );
            assert_eq!(no_number(&said), None, "{number} {words:?}: {said}");
        }
    }
}
