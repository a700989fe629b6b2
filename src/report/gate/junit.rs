//! JUnit XML: what Jenkins, GitLab and most CI dashboards read.

use quick_junit::{
    NonSuccessKind, Property, Report, SerializeError, TestCase, TestCaseStatus, TestSuite,
};

use crate::compare::{Comparison, Verdict, VerdictRow};

/// The rows as test cases of one suite, named after the candidate's device: a regression is a failure,
/// a case that broke an error, and what could not be decided is skipped with its reason.
///
/// # Errors
/// The XML cannot be written.
pub fn junit(comparison: &Comparison) -> Result<String, SerializeError> {
    let device = comparison
        .candidate_environment
        .as_ref()
        .map_or("unknown device", |environment| environment.device.as_str());
    let mut suite = TestSuite::new(device);
    for row in comparison.rows.iter().filter(|row| row.gated) {
        suite.add_test_case(case(row));
    }
    let mut report = Report::new("perwatt");
    report.add_test_suite(suite);
    report.to_string()
}

/// One row.
fn case(row: &VerdictRow) -> TestCase {
    let mut case = TestCase::new(format!("{} {}", row.case, row.label()), status(row));
    case.set_classname(format!("perwatt.{}", row.metric));
    for (name, value) in properties(row) {
        case.properties.push(Property::new(name, value));
    }
    case
}

fn status(row: &VerdictRow) -> TestCaseStatus {
    let message = format!("{}: {}", row.verdict, row.reason);
    match row.verdict {
        Verdict::Pass | Verdict::Improved | Verdict::New | Verdict::Unchanged => {
            TestCaseStatus::success()
        }
        Verdict::Regressed => non_success(NonSuccessKind::Failure, row, message),
        Verdict::Broken => non_success(NonSuccessKind::Error, row, message),
        Verdict::Lost | Verdict::Incomparable | Verdict::Inconclusive | Verdict::Failing => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(message);
            status
        }
    }
}

fn non_success(kind: NonSuccessKind, row: &VerdictRow, message: String) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(message).set_type(row.verdict.name());
    status
}

/// The figures of a row.
fn properties(row: &VerdictRow) -> Vec<(&'static str, String)> {
    let mut properties = vec![("verdict", row.verdict.to_string())];
    let mut number = |name, value: Option<f64>| {
        if let Some(value) = value {
            properties.push((name, value.to_string()));
        }
    };
    number("baseline", row.baseline);
    number("candidate", row.candidate);
    number("ratio", row.ratio.map(|ratio| ratio.value));
    number("ratio_low", row.ratio.map(|ratio| ratio.interval.low));
    number("ratio_high", row.ratio.map(|ratio| ratio.interval.high));
    number("p_regressed", row.p_regressed);
    number("detectable", row.detectable);
    properties
}
