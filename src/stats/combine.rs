//! Uncertainties of one figure, put together.

use std::ops::RangeInclusive;

use statrs::distribution::{ContinuousCDF, StudentsT};

/// Half-width h for which P(|a·U + s·T| ≤ h) = `level`, where U is uniform on −1…1 and T Student's with
/// `degrees` of freedom: the interval of a figure that has a bounded unknown (a gain somewhere within
/// ±5 %) and a random error. Adding the two as if both were normal would claim too much of the one and
/// too little of the other.
///
/// An infinite `degrees` means a normal error.
pub fn half_width_of(bound: f64, standard: f64, degrees: f64, level: f64) -> f64 {
    const STRIPS: u32 = 128;
    const NEARLY_NORMAL: f64 = 1e4;
    let (bound, standard) = (bound.abs(), standard.abs());
    if bound + standard <= 0.0 {
        return 0.0;
    }
    if standard <= 1e-9 * bound {
        return level * bound;
    }
    // Far out, statrs' Student is less exact than the normal distribution is near it.
    let normal = statrs::distribution::Normal::standard();
    let student = StudentsT::new(0.0, 1.0, degrees.clamp(1.0, NEARLY_NORMAL)).ok();
    let student = student.filter(|_| degrees < NEARLY_NORMAL);
    let cdf = |x: f64| student.as_ref().map_or_else(|| normal.cdf(x), |t| t.cdf(x));
    let quantile = |p: f64| {
        student
            .as_ref()
            .map_or_else(|| normal.inverse_cdf(p), |t| t.inverse_cdf(p))
    };
    let inside = |h: f64| {
        let strips = if bound > 0.0 { STRIPS } else { 1 };
        (0..strips)
            .map(|strip| {
                let u = (2.0 * f64::from(strip) + 1.0) / f64::from(strips) - 1.0;
                let centre = bound * u;
                cdf((h - centre) / standard) - cdf((-h - centre) / standard)
            })
            .sum::<f64>()
            / f64::from(strips)
    };
    let mut low = 0.0;
    let mut high = bound + quantile(0.5 + level / 2.0) * standard * 1.01;
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
/// smooth. `None` for too few of either.
pub fn scatter(
    points: &[(f64, f64)],
    degrees: RangeInclusive<usize>,
    independent: f64,
) -> Option<Scatter> {
    let (least, most) = degrees.into_inner();
    let free = |degree: usize| independent - degree as f64 - 1.0;
    if points.len() < least + 3 || free(least) < 1.0 {
        return None;
    }
    let count = points.len() as f64;
    let (first, last) = (points[0].0, points[points.len() - 1].0);
    let middle = f64::midpoint(first, last);
    let half = (last - first) / 2.0;
    if half <= 0.0 {
        return None;
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
    best.map(|(_, scatter)| scatter)
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
        assert_eq!(scatter(&rough, 3..=3, 4.5), None);
    }
}
