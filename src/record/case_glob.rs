//! A glob over written cases: `matmul/*`, `*@tiled`.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::case_name::CaseName;
use super::limits::MOST_GLOB_BYTES;
use crate::error::Error;

/// A glob that fits a case, or a case with its kernel.
#[derive(Clone, Debug)]
pub struct CaseGlob(GlobSet);

/// Why a text is no glob.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadGlob {
    /// It is longer than any that is needed.
    #[error("it is longer than {MOST_GLOB_BYTES} bytes; write several, or a wider one")]
    TooLong,
    /// Its signs do not go together.
    #[error("{0}")]
    Malformed(globset::ErrorKind),
    /// Its regular expression would be too large.
    #[error("it is too large or too deeply nested")]
    TooLarge,
}

impl CaseGlob {
    /// Compiles a glob; `*` crosses the slashes, since a case's parts are no folders. A bare word is the whole case or
    /// the workload of it: `matmul` is all of `matmul/*`, and `matmul@tiled` all of `matmul/*@tiled`.
    ///
    /// # Errors
    /// It is malformed, or its regular expression would be too large or too deeply nested. globset's own
    /// `compile_matcher` panics in that case; its builder of sets says so.
    pub fn new(text: &str) -> Result<Self, BadGlob> {
        if text.len() > MOST_GLOB_BYTES {
            return Err(BadGlob::TooLong);
        }
        let glob = |text: &str| {
            GlobBuilder::new(text)
                .literal_separator(false)
                .build()
                .map_err(|e| BadGlob::Malformed(e.kind().clone()))
        };
        let mut globs = GlobSetBuilder::new();
        globs.add(glob(text)?);
        let (word, kernel) = match text.split_once('@') {
            Some((word, kernel)) => (word, format!("@{kernel}")),
            None => (text, String::new()),
        };
        if !word.is_empty() && !word.contains(['/', '*', '?', '[', '{']) {
            globs.add(glob(&format!("{word}/*{kernel}"))?);
        }
        globs.build().map(Self).map_err(|_| BadGlob::TooLarge)
    }

    /// As [`CaseGlob::new`], of a glob that an option gives.
    ///
    /// # Errors
    /// As [`CaseGlob::new`], with the option and the glob.
    pub fn of_option(option: &str, text: &str) -> Result<Self, Error> {
        Self::new(text)
            .map_err(|why| Error::usage(option, format!("no valid glob {text:?}: {why}")))
    }

    /// Whether it fits a case, given as `case@kernel`.
    pub fn fits(&self, id: &str) -> bool {
        self.0.is_match(CaseName::split_kernel(id).0) || self.0.is_match(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_fits_with_and_without_the_kernel() {
        let fits = |glob: &str| {
            CaseGlob::new(glob)
                .unwrap()
                .fits("matmul/f32/64x64x64@tiled")
        };
        assert!(fits("matmul/*") && fits("*@tiled") && fits("matmul/f32/64x64x64"));
        assert!(!fits("gemv/*") && !fits("*@naive"));
        assert!(
            fits("matmul@tiled")
                && fits("matmul@t*")
                && !fits("matmul@naive")
                && !fits("gemv@tiled")
        );
        assert!(fits("matmul") && !fits("mat") && !fits("f32") && !fits(""));
    }

    #[test]
    fn what_is_too_large_or_too_deep_is_refused() {
        let braces = "{".repeat(250) + "a" + &"}".repeat(250);
        let class = format!("[{}]", "a".repeat(2 * MOST_GLOB_BYTES));
        let many = "{a,b}".repeat(200);
        for glob in [braces, class, "[".to_owned(), "{{a".to_owned()] {
            assert!(CaseGlob::new(&glob).is_err(), "{glob}");
        }
        // Whatever it says, it says it without a panic.
        let _ = CaseGlob::new(&many);
    }
}
