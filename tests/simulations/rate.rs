//! A share with its Monte-Carlo error.

/// A share of what was simulated.
#[derive(Clone, Copy)]
pub(crate) struct Rate {
    pub(crate) hits: u32,
    pub(crate) of: u32,
}

impl Rate {
    pub(crate) fn value(&self) -> f64 {
        f64::from(self.hits) / f64::from(self.of.max(1))
    }

    /// Half-width of the 95 % interval, with at least one hit's worth of doubt.
    pub(crate) fn error(&self) -> f64 {
        let p = (f64::from(self.hits) + 1.0) / (f64::from(self.of) + 2.0);
        1.96 * (p * (1.0 - p) / f64::from(self.of.max(1))).sqrt()
    }

    pub(crate) fn at_most(&self, bound: f64, what: &str) {
        self.show(what);
        assert!(
            self.value() - 1.5 * self.error() <= bound,
            "{what}: {:.3} ± {:.3} is above {bound}",
            self.value(),
            self.error()
        );
    }

    pub(crate) fn at_least(&self, bound: f64, what: &str) {
        self.show(what);
        assert!(
            self.value() + 1.5 * self.error() >= bound,
            "{what}: {:.3} ± {:.3} is below {bound}",
            self.value(),
            self.error()
        );
    }

    #[allow(
        clippy::print_stdout,
        reason = "the full run's figures are for reading"
    )]
    pub(crate) fn show(&self, what: &str) {
        println!(
            "{what}: {:.1} % ± {:.1} ({} of {})",
            100.0 * self.value(),
            100.0 * self.error(),
            self.hits,
            self.of
        );
    }
}
