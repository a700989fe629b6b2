//! How a case is written, `WORKLOAD/DTYPE/SHAPE`, and a kernel with it, `WORKLOAD/DTYPE/SHAPE@KERNEL`:
//! the one place that takes these names apart and puts them together.

use std::fmt;

/// The parts of a written case; none has been checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaseName<'a> {
    /// Name of the workload: `matmul`.
    pub workload: &'a str,
    /// Type of the data: `f32`.
    pub dtype: &'a str,
    /// The shape, which may hold slashes: `1024x1024x1024`.
    pub shape: &'a str,
    /// Name of the kernel, where one is given.
    pub kernel: Option<&'a str>,
}

impl<'a> CaseName<'a> {
    /// The parts of `WORKLOAD/DTYPE/SHAPE`; `None` where there are fewer.
    pub fn parse_case(case: &'a str) -> Option<Self> {
        let mut parts = case.splitn(3, '/');
        Some(Self {
            workload: parts.next()?,
            dtype: parts.next()?,
            shape: parts.next()?,
            kernel: None,
        })
    }

    /// The parts of `WORKLOAD/DTYPE/SHAPE@KERNEL`, with or without the kernel.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (case, kernel) = Self::split_kernel(text);
        Some(Self {
            kernel,
            ..Self::parse_case(case)?
        })
    }

    /// The workload of a written case, and its dtype and shape; the names of other tools, which may have
    /// fewer parts, are taken apart likewise.
    pub fn split_workload(case: &str) -> (&str, &str) {
        case.split_once('/').unwrap_or((case, ""))
    }

    /// The second part of a written case, where it has one.
    pub fn dtype_of(case: &str) -> Option<&str> {
        case.split('/').nth(1)
    }

    /// What stands before and after the last `@`, be it a name or a pattern of names.
    pub fn split_kernel(text: &'a str) -> (&'a str, Option<&'a str>) {
        text.rsplit_once('@')
            .map_or((text, None), |(case, kernel)| (case, Some(kernel)))
    }

    /// The name of the row that stands for a case with a kernel where each case has one: the case's, or the whole name
    /// where the kernels of a workload do different things, so that none is better than another.
    pub fn row(id: &'a str) -> &'a str {
        /// Uploads and downloads.
        const APART: [&str; 1] = ["transfer"];
        let (case, _) = Self::split_kernel(id);
        match APART.contains(&Self::split_workload(case).0) {
            true => id,
            false => case,
        }
    }

    /// `CASE@KERNEL` for a case that is written already.
    pub fn with_kernel(case: impl fmt::Display, kernel: &str) -> String {
        format!("{case}@{kernel}")
    }
}

impl fmt::Display for CaseName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let case = format!("{}/{}/{}", self.workload, self.dtype, self.shape);
        match self.kernel {
            Some(kernel) => f.pad(&Self::with_kernel(case, kernel)),
            None => f.pad(&case),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::CaseName;

    #[test]
    fn a_name_is_written_as_it_was_read() {
        for text in [
            "matmul/f32/8x8x8",
            "matmul/f32/8x8x8@tiled",
            "mine/-/a/b@k",
            "a//",
        ] {
            assert_eq!(CaseName::parse(text).unwrap().to_string(), text);
        }
        let name = CaseName::parse("mine/f32/a/b@k").unwrap();
        assert_eq!((name.shape, name.kernel), ("a/b", Some("k")));
        assert_eq!(CaseName::parse("matmul/f32"), None);
        assert_eq!(CaseName::split_kernel("matmul*"), ("matmul*", None));
    }
}
