//! The ratios of a column to the first, by the same comparison that judges.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::cautions::boundaries_differ;
use super::columns::SessionColumn;
use super::description::SectionMean;
use crate::compare::environment::Aspect;
use crate::compare::judge::compare;
use crate::compare::metric::{Cost, Metric};
use crate::compare::policy::Policy;
use crate::compare::ratio::Ratio;
use crate::compare::session::{Session, SessionCase};
use crate::compare::sides::Sides;
use crate::record::{CaseName, Reading};

/// A column's ratios to the first in one section.
pub(super) struct SectionRatios {
    /// By case; why there is none, where both columns have a value and no ratio follows.
    pub(super) by_case: HashMap<String, Reading<Ratio>>,
    /// Their geometric mean.
    pub(super) mean: Option<SectionMean>,
}

/// The ratios of the cases that both columns have, by case, and their geometric mean.
pub(super) fn ratios(
    first: &SessionColumn<'_>,
    other: &SessionColumn<'_>,
    cases: &[&str],
    metric: Metric,
) -> SectionRatios {
    let unlike = match metric.cost() {
        Cost::Time => None,
        Cost::Energy => boundaries_differ(first, other),
    };
    if let Some(reason) = unlike {
        let none = |case: &&str| ((*case).to_owned(), Reading::unmeasured(reason.as_str()));
        return SectionRatios {
            by_case: cases.iter().map(none).collect(),
            mean: None,
        };
    }
    let policy = Policy {
        metrics: vec![metric],
        // What differs is the question. Different work or data under one name is no ratio of speeds.
        across: Aspect::ALL
            .into_iter()
            .filter(|aspect| !matches!(aspect, Aspect::Work | Aspect::Data))
            .collect(),
        ..Policy::default()
    };
    let (baseline, candidate) = (
        reduced(first, cases, metric, "first"),
        reduced(other, cases, metric, "other"),
    );
    let comparison = compare(
        Sides::Sessions {
            baseline: &baseline.iter().collect::<Vec<_>>(),
            candidate: &candidate.iter().collect::<Vec<_>>(),
            noise: None,
        },
        &policy,
    );
    let mut ratios = HashMap::new();
    for row in &comparison.rows {
        let ratio = row.ratio.ok_or_else(|| row.reason.to_string());
        ratios.insert(row.case.clone(), Reading::from(ratio));
    }
    let mean = comparison.geomeans.iter().max_by_key(|mean| mean.cases);
    let mean = mean.filter(|mean| mean.cases > 1).and_then(|mean| {
        Some(SectionMean {
            ratio: mean.ratio?,
            cases: mean.cases,
        })
    });
    SectionRatios {
        by_case: ratios,
        mean,
    }
}

/// A column's sessions with nothing but the best kernel of each case, under the case's name alone, so that two kernels
/// are held against each other. `side` keeps a session that stands in both columns from being one and the same.
fn reduced(column: &SessionColumn<'_>, cases: &[&str], metric: Metric, side: &str) -> Vec<Session> {
    let wanted: HashSet<&str> = cases.iter().copied().collect();
    let chosen = |case: &SessionCase| {
        let name = CaseName::row(&case.id);
        wanted.contains(name)
            && column
                .best
                .get(name)
                .and_then(|best| best.by(metric.cost()))
                .is_some_and(|best| best.case().id == case.id)
    };
    let renamed = |case: &SessionCase| SessionCase {
        id: CaseName::row(&case.id).to_owned(),
        parameters: BTreeMap::new(),
        program: None,
        ..case.clone()
    };
    let sessions = column.sessions.iter();
    sessions
        .map(|session| Session {
            id: format!("{} {side}", session.id),
            fingerprint: None,
            cases: session
                .cases
                .iter()
                .filter(|c| chosen(c))
                .map(renamed)
                .collect(),
            ..(*session).clone()
        })
        .collect()
}
