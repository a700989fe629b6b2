//! Uncertainties of one figure, put together.

use std::ops::RangeInclusive;

use super::student::Student;
use super::undefined::Undefined;

/// Half-width h for which P(|a·U + s·T| ≤ h) = `level`, where U is uniform on −1…1 and T Student's with
/// `degrees` of freedom: the interval of a figure that has a bounded unknown (a gain somewhere within
/// ±5 %) and a random error. Adding the two as if both were normal would claim too much of the one and
/// too little of the other.
///
/// An infinite `degrees` means a normal error.
///
/// # Examples
/// ```
/// use perwatt::stats::half_width_of;
///
/// // 95 % of a rectangle of ±5 %, and of a normal error of 1 %.
/// assert!((half_width_of(0.05, 0.0, f64::INFINITY, 0.95) - 0.0475).abs() < 1e-9);
/// assert!((half_width_of(0.0, 0.01, f64::INFINITY, 0.95) - 0.0196).abs() < 1e-5);
/// ```
pub fn half_width_of(bound: f64, standard: f64, degrees: f64, level: f64) -> f64 {
    const STRIPS: u32 = 128;
    let (bound, standard) = (bound.abs(), standard.abs());
    if bound + standard <= 0.0 {
        return 0.0;
    }
    if !(bound + standard).is_finite() {
        return f64::INFINITY;
    }
    if standard <= 1e-9 * bound {
        return level * bound;
    }
    // Less than one degree of freedom is none; then nothing bounds the error.
    let Some(student) = Student::new(degrees.max(1.0)) else {
        return f64::INFINITY;
    };
    let inside = |h: f64| {
        let strips = if bound > 0.0 { STRIPS } else { 1 };
        (0..strips)
            .map(|strip| {
                let u = (2.0 * f64::from(strip) + 1.0) / f64::from(strips) - 1.0;
                let centre = bound * u;
                student.below((h - centre) / standard) - student.below((-h - centre) / standard)
            })
            .sum::<f64>()
            / f64::from(strips)
    };
    let mut low = 0.0;
    let mut high = bound + student.quantile(0.5 + level / 2.0) * standard * 1.01;
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if inside(middle) < level {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// Degrees of freedom of a sum of independent errors, each a standard uncertainty with its own degrees,
/// by Welch and Satterthwaite (GUM, G.4.1).
///
/// # Examples
/// ```
/// use perwatt::stats::effective_degrees;
///
/// assert!((effective_degrees(&[(1.0, 3.0), (1.0, 3.0)]) - 6.0).abs() < 1e-9);
/// ```
pub fn effective_degrees(terms: &[(f64, f64)]) -> f64 {
    let variance: f64 = terms.iter().map(|(u, _)| u * u).sum();
    let spent: f64 = terms.iter().map(|(u, degrees)| u.powi(4) / degrees).sum();
    if spent > 0.0 {
        variance * variance / spent
    } else {
        f64::INFINITY
    }
}

/// What points show of their error, beside a smooth course that is none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scatter {
    /// Variance about the smooth course.
    pub variance: f64,
    /// Degrees of freedom of that variance.
    pub degrees: f64,
}

/// Scatter of points (x, y) about a polynomial, for points of which only so many are independent of each
/// other. Of the polynomials of these degrees, beyond the first at most a quarter of the independent
/// points, the one with the smallest generalised cross-validation (Craven and Wahba 1979) says what is
/// smooth.
///
/// # Examples
/// ```
/// use perwatt::stats::scatter;
///
/// let line: Vec<(f64, f64)> = (0..40).map(|n| (f64::from(n), f64::from(2 * n))).collect();
/// assert!(scatter(&line, 1..=3, 40.0)?.variance < 1e-20);
/// assert!(scatter(&line[..2], 1..=3, 40.0).is_err());
/// # Ok::<(), perwatt::stats::Undefined>(())
/// ```
///
/// # Errors
/// Too few points, too few of them independent, or all at one place.
pub fn scatter(
    points: &[(f64, f64)],
    degrees: RangeInclusive<usize>,
    independent: f64,
) -> Result<Scatter, Undefined> {
    let (least, most) = degrees.into_inner();
    let free = |degree: usize| independent - degree as f64 - 1.0;
    let few = Undefined::FewSamples {
        count: points.len().min(independent as usize),
        needed: least + 3,
    };
    if points.len() < least + 3 || free(least) < 1.0 {
        return Err(few);
    }
    let count = points.len() as f64;
    let (first, last) = (points[0].0, points[points.len() - 1].0);
    let middle = f64::midpoint(first, last);
    let half = (last - first) / 2.0;
    if half <= 0.0 {
        return Err(few);
    }
    // Not negative and at most the number of points.
    let most = most.min((independent.min(count) / 4.0) as usize);
    let mut residual: Vec<f64> = points.iter().map(|(_, y)| *y).collect();
    // Polynomials orthogonal to each other on these points, each x times the one before it without what
    // that has of the others (Forsythe 1957), taken out in turn.
    let mut basis: Vec<Vec<f64>> = Vec::new();
    let mut best: Option<(f64, Scatter)> = None;
    for degree in 0..=most.max(least) {
        let mut vector: Vec<f64> = match basis.last() {
            None => vec![1.0; points.len()],
            Some(before) => points
                .iter()
                .zip(before)
                .map(|((x, _), v)| (x - middle) / half * v)
                .collect(),
        };
        for known in &basis {
            remove(&mut vector, known);
        }
        remove(&mut residual, &vector);
        basis.push(vector);
        if degree < least {
            continue;
        }
        let squares: f64 = residual.iter().map(|r| r * r).sum();
        let degrees = free(degree);
        let variance = squares / count * independent / degrees;
        let validation = variance * independent / degrees;
        if best.is_none_or(|(lowest, _)| validation < lowest) {
            best = Some((validation, Scatter { variance, degrees }));
        }
    }
    best.map(|(_, scatter)| scatter).ok_or(few)
}

/// Takes the part along `direction` out of a vector.
fn remove(vector: &mut [f64], direction: &[f64]) {
    let length: f64 = direction.iter().map(|d| d * d).sum();
    if length <= 0.0 {
        return;
    }
    let along: f64 = vector.iter().zip(direction).map(|(v, d)| v * d).sum();
    for (v, d) in vector.iter_mut().zip(direction) {
        *v -= along / length * d;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pure_cases_have_their_textbook_widths() {
        // A rectangle's central 95 %, the normal's 1.96, Student's 12.706 at one degree of freedom.
        assert!((half_width_of(5.0, 0.0, 1.0, 0.95) - 4.75).abs() < 1e-12);
        assert!((half_width_of(0.0, 1.0, f64::INFINITY, 0.95) - 1.959_964).abs() < 1e-4);
        assert!((half_width_of(0.0, 2.0, 1.0, 0.95) - 25.412_4).abs() < 1e-2);
        assert!(half_width_of(0.0, 0.0, 1.0, 0.95).abs() < 1e-300);
    }

    #[test]
    fn a_small_random_error_hardly_widens_a_rectangle() {
        let wide = half_width_of(5.0, 0.5, f64::INFINITY, 0.95);
        assert!(wide > 4.75 && wide < 4.95, "{wide}");
    }

    #[test]
    fn degrees_lie_between_the_smallest_and_the_sum() {
        let degrees = effective_degrees(&[(1.0, 3.0), (1.0, 5.0)]);
        assert!(degrees > 3.0 && degrees < 8.0, "{degrees}");
        assert!(effective_degrees(&[(1.0, f64::INFINITY)]).is_infinite());
    }

    #[test]
    fn scatter_sees_what_a_cubic_leaves() {
        let at = |i: i32| f64::from(i) / 10.0;
        let cubic = |x: f64| 3.0 - 2.0 * x + 0.5 * x * x + 0.1 * x.powi(3);
        let smooth: Vec<(f64, f64)> = (0..40).map(|i| (at(i), cubic(at(i)))).collect();
        assert!(scatter(&smooth, 3..=3, 40.0).unwrap().variance < 1e-20);
        // Alternating ±1 is orthogonal to any cubic but for what 40 points leave.
        let rough: Vec<(f64, f64)> = smooth
            .iter()
            .enumerate()
            .map(|(i, (x, y))| (*x, y + if i % 2 == 0 { 1.0 } else { -1.0 }))
            .collect();
        let seen = scatter(&rough, 3..=9, 40.0).unwrap();
        assert!((seen.variance - 40.0 / 36.0).abs() < 0.02, "{seen:?}");
        assert!(scatter(&rough, 3..=3, 4.5).is_err());
    }
}
