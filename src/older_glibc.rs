//! Functions of glibc that got a new version lately, so that a program built here starts on a system that has only the
//! old one: glibc 2.35 gave `hypot` and `hypotf` another, and RHEL 9 has 2.34. Nothing else needs more than that.
//!
//! The linker takes a function of the program itself before one of a shared library.

// SAFETY: the name is the C library's, with its signature and its meaning: the square root of x² + y² without overflow
// on the way. It reads and writes no memory.
#[unsafe(no_mangle)]
extern "C" fn hypot(x: f64, y: f64) -> f64 {
    libm::hypot(x, y)
}

// SAFETY: as `hypot`.
#[unsafe(no_mangle)]
extern "C" fn hypotf(x: f32, y: f32) -> f32 {
    libm::hypotf(x, y)
}
