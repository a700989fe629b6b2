//! A side of `ab` of which not all can be measured: what is broken costs its own case, and the others are judged.

use std::path::Path;

use crate::ab::PullRequest;
use crate::support::{has_device, perwatt};
use perwatt::compare::Pairing;

/// Three elements a thread, each `STEPS` times.
const SHADER: &str = "const STEPS = 1u;
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= arrayLength(&x) { return; }
    for (var step = 0u; step < STEPS; step++) { y[id.x] = 2.0 * x[id.x] + f32(step) * 0.0; }
}
";

/// No WGSL in line 5.
fn no_wgsl() -> String {
    SHADER.replace("{ return; }", "{ return }")
}

/// A workload of the doubled input with a shader of its own.
fn entry(kernel: &str, dispatch: &str, dtype: &str) -> String {
    format!(
        "[[workload]]
case = \"twice/f32/4096\"
kernel = \"{kernel}\"
bytes = 32768
[[workload.buffer]]
name = \"x\"
elements = 4096
uniform = [1, 4]
{dtype}
[[workload.buffer]]
name = \"y\"
elements = 4096
formula = \"2 * x[i]\"
relative = 1e-6
{dtype}
[[workload.dispatch]]
shader = \"{kernel}.wgsl\"
{dispatch}
"
    )
}

fn manifest() -> String {
    entry("one", "threads = 4096", "") + &entry("two", "threads = 4096", "")
}

/// A pull request of two kernels.
fn pull_request() -> PullRequest {
    let pull = PullRequest::new();
    for folder in ["", "base/"] {
        pull.write(&format!("{folder}kernels.toml"), &manifest());
        for kernel in ["one", "two"] {
            pull.write(&format!("{folder}{kernel}.wgsl"), SHADER);
        }
    }
    pull
}

fn read(pull: &PullRequest, file: &str) -> String {
    std::fs::read_to_string(pull.folder().join(file)).unwrap_or_default()
}

#[test]
fn a_broken_kernel_of_the_baseline_hides_no_other() {
    if !has_device() {
        return;
    }
    let pull = pull_request();
    pull.write("base/one.wgsl", &no_wgsl());
    pull.change("two.wgsl", "1u", "60u");
    let (exit, summary, log) = pull.job();
    assert_eq!(exit, 1, "{log}");
    assert!(log.contains("1 changed, 1 new"), "{log}");
    let headline = summary.lines().next().unwrap();
    assert!(
        headline.contains("1 REGRESSED") && headline.contains("1 NEW"),
        "{summary}"
    );
    assert!(
        log.contains("::error file=two.wgsl,title=REGRESSED"),
        "{log}"
    );
    assert!(summary.contains("the baseline failed: "), "{summary}");
}

#[test]
fn a_baseline_that_is_there_and_cannot_be_read_passes_nothing() {
    for (file, text, place) in [
        (
            "base/kernels.toml",
            "[[workload]\n",
            "file=base/kernels.toml,line=1",
        ),
        ("base/kernels.toml", "", "file=base/kernels.toml"),
        (
            "base/kernels.toml",
            &manifest().replacen("uniform", "uniformed", 1),
            "file=base/kernels.toml,line=8",
        ),
    ] {
        let pull = pull_request();
        pull.write(file, text);
        pull.change("two.wgsl", "1u", "60u");
        let (exit, summary, log) = pull.job();
        assert_eq!(exit, 2, "{text}: {log}");
        assert!(log.contains(&format!("::error {place}")), "{log}");
        assert!(summary.contains("could not judge"), "{summary}");
        assert!(summary.contains("the baseline"), "{summary}");
    }
}

#[test]
fn a_candidate_whose_shader_does_not_compile_is_broken_and_the_others_are_judged() {
    if !has_device() {
        return;
    }
    let typed = "type = \"f32\"";
    for (dispatch, dtype) in [
        ("threads = 4096", ""),
        ("workgroups = 64", ""),
        ("workgroups = 64", typed),
    ] {
        let pull = pull_request();
        let manifest = entry("one", dispatch, dtype) + &entry("two", dispatch, dtype);
        pull.write("kernels.toml", &manifest);
        pull.write("base/kernels.toml", &manifest);
        pull.write("one.wgsl", &no_wgsl());
        let (exit, summary, log) = pull.job();
        assert_eq!(exit, 1, "{dispatch}: {log}");
        assert!(
            log.contains("::error file=one.wgsl,line=5,title=BROKEN"),
            "{log}"
        );
        let headline = summary.lines().next().unwrap();
        assert!(
            headline.contains("1 BROKEN") && headline.contains("1 UNCHANGED"),
            "{summary}"
        );
        assert!(read(&pull, "outputs").contains("decision=failed"));
        assert!(read(&pull, "perwatt-reports/junit.xml").contains("BROKEN"));
        let sarif = read(&pull, "perwatt-reports/report.sarif");
        assert!(sarif.contains("one.wgsl") && sarif.contains("\"startLine\": 5"));
    }
}

#[test]
fn a_broken_kernel_costs_its_own_case_where_everything_is_measured_too() {
    if !has_device() {
        return;
    }
    let pull = pull_request();
    pull.write("one.wgsl", &no_wgsl());
    let output = perwatt()
        .args([
            "ab",
            "--gate",
            "--measure-unchanged",
            "--pairs",
            "3",
            "--budget",
            "0.2",
        ])
        .args(["--power", "none", "--base-workloads", "base/kernels.toml"])
        .args(["--candidate-workloads", "kernels.toml"])
        .current_dir(pull.folder())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(said.contains("BROKEN"), "{said}");
    let (pairing, baseline, _) = Pairing::load(&pull.folder().join("ab/pairing.json")).unwrap();
    assert_eq!(pairing.pairs.len(), 3);
    let two = baseline.cases.iter().find(|case| case.id.ends_with("@two"));
    assert_eq!(two.unwrap().invocations.len(), 3);
}

#[test]
fn a_candidate_that_cannot_be_read_is_explained_where_people_look() {
    for (file, text, place) in [
        (
            "kernels.toml",
            Some("[[workload]\n".to_owned()),
            "file=kernels.toml,line=1,",
        ),
        ("kernels.toml", Some(String::new()), "file=kernels.toml,"),
        (
            "kernels.toml",
            Some(manifest().replacen("uniform", "uniformed", 1)),
            "file=kernels.toml,line=8,",
        ),
        ("kernels.toml", None, "file=kernels.toml,"),
    ] {
        let pull = pull_request();
        match &text {
            Some(text) => pull.write(file, text),
            None => std::fs::remove_file(pull.folder().join(file)).unwrap(),
        }
        let (exit, summary, log) = pull.job();
        assert_eq!(exit, 2, "{text:?}: {log}");
        assert!(log.contains(&format!("::error {place}")), "{log}");
        assert!(summary.contains("could not judge"), "{summary}");
        assert!(summary.contains("kernels.toml"), "{summary}");
    }
}

#[test]
fn an_entry_that_is_wrong_breaks_its_own_case() {
    if !has_device() {
        return;
    }
    let pull = pull_request();
    pull.change(
        "kernels.toml",
        "shader = \"one.wgsl\"",
        "shader = \"gone.wgsl\"",
    );
    let (exit, summary, log) = pull.job();
    assert_eq!(exit, 1, "{log}");
    assert!(summary.contains("1 BROKEN, 1 UNCHANGED"), "{summary}");
    assert!(
        log.contains("::error file=kernels.toml,line=16,title=BROKEN"),
        "{log}"
    );
}

#[test]
fn a_kernel_that_fails_is_not_measured_again() {
    if !has_device() {
        return;
    }
    let pull = pull_request();
    pull.change("one.wgsl", "2.0 *", "2.5 *");
    let (exit, _, log) = pull.job();
    assert_eq!(exit, 1, "{log}");
    assert!(log.contains("::error file=one.wgsl,title=BROKEN"), "{log}");
    let (pairing, ..) = Pairing::load(&pull.folder().join("ab/pairing.json")).unwrap();
    assert_eq!(pairing.pairs.len(), 1);
    // What the baseline's figures lack decides nothing here.
    let mut lines = log.lines();
    let error = lines.find(|line| line.starts_with("::error")).unwrap();
    assert!(!error.contains("gap between two dispatches"), "{error}");
}

#[test]
fn what_one_side_lacks_hides_nothing_of_the_other() {
    if !has_device() {
        return;
    }
    let pull = pull_request();
    pull.write("base/kernels.toml", &entry("two", "threads = 4096", ""));
    let arguments = "\n--case\n*@one\n--case\n*@two\n";
    let (exit, summary, log) = pull.job_with(arguments);
    assert_eq!(exit, 0, "{log}");
    assert!(summary.contains("1 NEW, 1 UNCHANGED"), "{summary}");
    let (exit, summary, log) = pull.job_with("\n--case\n*@one\n--case\n*@three\n");
    assert_eq!(exit, 2, "{log}");
    assert!(summary.contains("three"), "{summary}");
}

#[test]
fn a_kernel_is_measured_though_another_of_its_file_is_broken() {
    if !has_device() {
        return;
    }
    let pull = pull_request();
    pull.write("one.wgsl", &no_wgsl());
    let run = |case: &str| {
        let mut command = perwatt();
        command
            .args([
                "run",
                "--invocations",
                "1",
                "--budget",
                "0.2",
                "--power",
                "none",
            ])
            .args([
                "--workloads",
                "kernels.toml",
                "--case",
                case,
                "--out",
                "r.json",
            ])
            .current_dir(pull.folder());
        command.output().unwrap()
    };
    let output = run("*@one");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("one.wgsl: it is no WGSL"), "{said}");
    assert!(!Path::new(&pull.folder().join("r.json")).exists());
    let output = run("*@two");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}
