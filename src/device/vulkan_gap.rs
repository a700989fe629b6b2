//! What lies between a GPU in the machine and Vulkan: what containers of servers leave out.
//!
//! Such a container brings NVIDIA's driver and neither what loads it nor where it is, and all that is left then is
//! OpenGL, or a driver in software.

use std::fmt;
use std::path::{Path, PathBuf};

use super::driver_files::vulkan_manifests;

/// Something that keeps Vulkan from a driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VulkanGap {
    /// The library that loads drivers is not installed.
    NoLoader,
    /// A driver's manifest lies where the loader does not look.
    NotLookedAt(PathBuf),
    /// The loader reads NVIDIA's manifest, and its driver shows nothing.
    Silent(PathBuf),
}

impl fmt::Display for VulkanGap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLoader => write!(
                f,
                "the Vulkan loader ({LOADER}) is not installed; on Debian and Ubuntu: apt-get install libvulkan1"
            ),
            Self::NotLookedAt(manifest) => write!(
                f,
                "a driver is there and not where Vulkan looks; set VK_DRIVER_FILES={}",
                manifest.display()
            ),
            Self::Silent(manifest) => write!(
                f,
                "Vulkan reads {} and that driver shows no GPU; it needs libX11.so.6 and libXext.so.6 (on Debian and \
                 Ubuntu: apt-get install libx11-6 libxext6), and in a container \
                 NVIDIA_DRIVER_CAPABILITIES=compute,utility,graphics",
                manifest.display()
            ),
        }
    }
}

/// The library that loads drivers.
const LOADER: &str = "libvulkan.so.1";

/// Where container platforms and some systems put manifests without telling the loader.
const ELSEWHERE: [&str; 3] = [
    "usr/local/nvidia/share/vulkan/icd.d",
    "opt/nvidia/share/vulkan/icd.d",
    "run/opengl-driver/share/vulkan/icd.d",
];

/// What keeps Vulkan from drivers on this machine, as far as can be seen; nothing on other systems than Linux.
pub fn vulkan_gaps() -> Vec<VulkanGap> {
    if !cfg!(target_os = "linux") {
        return Vec::new();
    }
    let libraries = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&libraries).collect();
    gaps(Path::new("/"), &folders, &vulkan_manifests())
}

/// The same below a root, with the folders that libraries are sought in first and the manifests that the loader reads.
fn gaps(root: &Path, libraries: &[PathBuf], read: &[PathBuf]) -> Vec<VulkanGap> {
    let mut gaps = Vec::new();
    if loader_is_missing(root, libraries) {
        gaps.push(VulkanGap::NoLoader);
    }
    let is_nvidias = |manifest: &&PathBuf| {
        let name = manifest.file_name().unwrap_or_default().to_string_lossy();
        name.contains("nvidia") && manifest.exists()
    };
    if let Some(manifest) = read.iter().find(is_nvidias) {
        // Without a loader nothing was read.
        if gaps.is_empty() {
            gaps.push(VulkanGap::Silent(manifest.clone()));
        }
        return gaps;
    }
    let elsewhere = ELSEWHERE
        .iter()
        .filter_map(|folder| std::fs::read_dir(root.join(folder)).ok());
    let mut manifests: Vec<PathBuf> = elsewhere
        .flat_map(|files| files.flatten().map(|file| file.path()))
        .filter(|file| {
            file.extension()
                .is_some_and(|extension| extension == "json")
        })
        .filter(|file| !read.contains(file))
        .collect();
    manifests.sort();
    gaps.extend(manifests.into_iter().next().map(VulkanGap::NotLookedAt));
    gaps
}

/// Whether the dynamic linker's list is there and has no Vulkan loader, nor the folders that it seeks in first.
fn loader_is_missing(root: &Path, libraries: &[PathBuf]) -> bool {
    let Ok(list) = std::fs::read(root.join("etc/ld.so.cache")) else {
        return false;
    };
    let listed = list
        .windows(LOADER.len())
        .any(|window| window == LOADER.as_bytes());
    !listed && !libraries.iter().any(|folder| folder.join(LOADER).exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(file: &Path, contents: &str) {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, contents).unwrap();
    }

    #[test]
    fn what_a_container_leaves_out_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let none: [PathBuf; 0] = [];
        // A system whose linker has no list, as with musl, says nothing.
        assert_eq!(gaps(root, &none, &none), []);
        let list = root.join("etc/ld.so.cache");
        write(&list, "glibc-ld.so.cache1.1\0/lib/libc.so.6\0");
        assert_eq!(gaps(root, &none, &none), [VulkanGap::NoLoader]);
        let manifest = root.join("usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json");
        write(&manifest, "{}");
        let elsewhere = VulkanGap::NotLookedAt(manifest.clone());
        assert_eq!(
            gaps(root, &none, &none),
            [VulkanGap::NoLoader, elsewhere.clone()]
        );
        write(&list, "\0/usr/lib/x86_64-linux-gnu/libvulkan.so.1\0");
        assert_eq!(gaps(root, &none, &none), [elsewhere]);
        // Once it is named, its driver can still lack something.
        let silent = VulkanGap::Silent(manifest.clone());
        assert_eq!(gaps(root, &none, &[manifest]), [silent]);
        write(&list, "");
        let libraries = root.join("own");
        write(&libraries.join(LOADER), "");
        let other = root.join("usr/share/vulkan/icd.d/lvp_icd.json");
        let found = gaps(root, &[libraries], &[other]);
        assert!(!found.contains(&VulkanGap::NoLoader), "{found:?}");
    }
}
