//! GPUs that are not in the machine: Mesa's RADV compiles for any AMD GPU that it knows, on hardware that
//! runs nothing.
//!
//! Up to Mesa 25 `RADV_FORCE_FAMILY` names the GPU. Mesa 26.1 has no such variable any more; there, Mesa's
//! DRM shim stands in for the kernel's driver when it is loaded first, and `AMDGPU_GPU_ID` names one of the
//! dozen GPUs whose answers it knows. Both are read once, so every family needs a process of its own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::record::DeviceType;

/// The names of one GPU in RADV's versions: chips' names since Mesa 23, LLVM's before.
const NAMES: [&[&str]; 12] = [
    &["navi31", "gfx1100"],
    &["navi32", "gfx1101"],
    &["navi33", "gfx1102"],
    &["phoenix", "gfx1103", "gfx1103_r1"],
    &["gfx1200", "navi44"],
    &["gfx1201", "navi48"],
    &["mi100", "arcturus"],
    &["mi200", "aldebaran"],
    &["gfx940", "mi300"],
    &["rembrandt", "yellow_carp"],
    &["raphael_mendocino", "gfx1036"],
    &["vega20", "gfx906"],
];

/// Families that are part of a processor. RADV's null hardware takes every family it knows no PCI id of
/// for one, MI200 among them.
const INTEGRATED: [&str; 19] = [
    "kaveri",
    "kabini",
    "carrizo",
    "stoney",
    "raven",
    "raven2",
    "renoir",
    "vangogh",
    "rembrandt",
    "yellow_carp",
    "raphael_mendocino",
    "gfx1036",
    "phoenix",
    "phoenix2",
    "gfx1103",
    "gfx1150",
    "gfx1151",
    "gfx1152",
    "gfx1153",
];

/// What kind of device a family is.
pub fn device_type(family: &str) -> DeviceType {
    let family = family.to_lowercase();
    let part_of_a_processor = INTEGRATED
        .iter()
        .any(|name| family == *name || family.starts_with(&format!("{name}_")));
    if part_of_a_processor {
        DeviceType::IntegratedGpu
    } else {
        DeviceType::DiscreteGpu
    }
}

/// Every name under which a driver may know a family, the given one first.
pub(super) fn names(family: &str) -> Vec<String> {
    let family = family.to_lowercase();
    let others = NAMES
        .iter()
        .find(|names| names.contains(&family.as_str()))
        .into_iter()
        .flat_map(|names| names.iter())
        .filter(|name| **name != family)
        .map(|name| (*name).to_owned());
    std::iter::once(family.clone()).chain(others).collect()
}

/// What makes RADV believe in a GPU that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pretence {
    /// RADV's own variable, up to Mesa 25.
    Forced,
    /// Mesa's library that answers in the kernel's place.
    Shim(PathBuf),
}

/// The library's file.
const SHIM: &str = "libamdgpu_noop_drm_shim.so";

/// The ways to try, in order.
pub(super) fn pretences(driver: &Path) -> Vec<Pretence> {
    let found = shim_folders(driver)
        .into_iter()
        .map(|folder| folder.join(SHIM))
        .find(|file| file.is_file());
    std::iter::once(Pretence::Forced)
        .chain(found.map(Pretence::Shim))
        .collect()
}

/// Where the shim would be: beside the driver's library, which a manifest may name with or without its
/// folder.
fn shim_folders(manifest: &Path) -> Vec<PathBuf> {
    let library = std::fs::read(manifest)
        .ok()
        .and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok())
        .and_then(|json| Some(PathBuf::from(json["ICD"]["library_path"].as_str()?)));
    let named = library.as_deref().and_then(Path::parent);
    match named.filter(|folder| !folder.as_os_str().is_empty()) {
        // A relative path counts from the manifest; joining leaves an absolute one as it is.
        Some(folder) => vec![manifest.with_file_name("").join(folder)],
        None => {
            let multiarch = format!("/usr/lib/{}-linux-gnu", std::env::consts::ARCH);
            [&multiarch, "/usr/lib64", "/usr/lib"]
                .map(PathBuf::from)
                .to_vec()
        }
    }
}

/// The environment in which RADV pretends that a GPU is there.
pub(super) fn environment(
    pretence: &Pretence,
    family: &str,
    driver: &Path,
) -> Vec<(&'static str, OsString)> {
    let mut environment = match pretence {
        Pretence::Forced => vec![("RADV_FORCE_FAMILY", family.into())],
        Pretence::Shim(file) => vec![
            ("LD_PRELOAD", file.into()),
            ("AMDGPU_GPU_ID", family.into()),
        ],
    };
    environment.extend([
        ("VK_DRIVER_FILES", driver.into()),
        // The same by its name before Vulkan loader 1.3.207.
        ("VK_ICD_FILENAMES", driver.into()),
        ("VK_LOADER_LAYERS_DISABLE", "~all~".into()),
        // A cached pipeline would come without its texts, and would outlive an update of the driver.
        ("MESA_SHADER_CACHE_DISABLE", "1".into()),
    ]);
    environment
}

/// Whether a device is of the family: where the shim fails to load, a GPU that is really there is seen.
pub(super) fn is_of(family: &str, device: &str) -> bool {
    let device = device.to_lowercase();
    names(family).iter().any(|name| device.contains(name))
}

/// Where the Vulkan loader looks for drivers' manifests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DriverSearch {
    /// Manifests that the environment names.
    pub named: Vec<PathBuf>,
    /// Data folders, the user's first.
    pub folders: Vec<PathBuf>,
}

/// RADV's manifest, as far as the Vulkan loader would find one.
///
/// # Errors
/// There is none; the message says what to install.
pub fn find_driver(search: &DriverSearch) -> Result<PathBuf, String> {
    let listed = search.folders.iter().filter_map(|folder| {
        let mut files: Vec<PathBuf> = std::fs::read_dir(folder.join("vulkan/icd.d"))
            .ok()?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .collect();
        files.sort_unstable();
        Some(files)
    });
    search
        .named
        .iter()
        .cloned()
        .chain(listed.flatten())
        .find(|file| is_radv(file) && file.is_file())
        .ok_or_else(|| {
            "Mesa's Vulkan driver for AMD GPUs (RADV) is not installed; scripts/setup --all or \
             `apt-get install mesa-vulkan-drivers` installs it, or name its manifest with --driver"
                .to_owned()
        })
}

/// Whether a manifest is RADV's: `radeon_icd.json`, `radeon_icd.x86_64.json`; not the i686 one.
fn is_radv(file: &Path) -> bool {
    let name = file
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let foreign = cfg!(target_arch = "x86_64") && name.contains("i686");
    name.starts_with("radeon_icd") && name.ends_with(".json") && !foreign
}

/// A manifest for a driver that is given by its library: `libvulkan_radeon.so`.
pub fn manifest(library: &Path) -> String {
    let value = serde_json::json!({
        "file_format_version": "1.0.0",
        "ICD": { "library_path": library, "api_version": "1.3.0" },
    });
    value.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_found_by_any_of_its_names() {
        assert_eq!(names("Navi31"), ["navi31", "gfx1100"]);
        assert_eq!(names("gfx1100"), ["gfx1100", "navi31"]);
        assert_eq!(names("vega10"), ["vega10"]);
    }

    #[test]
    fn cards_are_cards_whatever_null_hardware_says() {
        assert_eq!(device_type("MI200"), DeviceType::DiscreteGpu);
        assert_eq!(device_type("gfx1201"), DeviceType::DiscreteGpu);
        assert_eq!(device_type("gfx1103_r1"), DeviceType::IntegratedGpu);
    }

    #[test]
    fn the_shim_is_looked_for_beside_the_drivers_library() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("radeon_icd.json");
        let library = folder.path().join("libvulkan_radeon.so");
        std::fs::write(&file, manifest(&library)).unwrap();
        assert_eq!(pretences(&file), [Pretence::Forced]);
        let shim = folder.path().join(SHIM);
        std::fs::write(&shim, "").unwrap();
        assert_eq!(
            pretences(&file),
            [Pretence::Forced, Pretence::Shim(shim.clone())]
        );
        std::fs::create_dir(folder.path().join("share")).unwrap();
        let relative = folder.path().join("share/radeon_icd.json");
        std::fs::write(&relative, manifest(Path::new("../libvulkan_radeon.so"))).unwrap();
        assert_eq!(pretences(&relative).len(), 2);
        std::fs::write(&file, manifest(Path::new("libvulkan_radeon.so"))).unwrap();
        let usual = shim_folders(&file);
        assert!(usual.contains(&PathBuf::from("/usr/lib64")), "{usual:?}");
    }

    #[test]
    fn one_way_of_pretending_does_not_get_into_the_others() {
        let driver = Path::new("/a/radeon_icd.json");
        let shim = Pretence::Shim("/a/shim.so".into());
        let is_set = |pretence: &Pretence, name: &str| {
            environment(pretence, "gfx1201", driver)
                .iter()
                .any(|(n, _)| *n == name)
        };
        // Mesa 26.1 refuses to start where its former variable is set.
        assert!(!is_set(&shim, "RADV_FORCE_FAMILY"));
        assert!(is_set(&shim, "AMDGPU_GPU_ID") && is_set(&shim, "LD_PRELOAD"));
        assert!(!is_set(&Pretence::Forced, "LD_PRELOAD"));
    }

    #[test]
    fn a_gpu_that_is_there_is_not_taken_for_the_one_asked_for() {
        assert!(is_of("navi48", "AMD Radeon RX 9070 XT (RADV GFX1201)"));
        assert!(is_of("gfx1100", "AMD Radeon RX 7900 XTX (RADV NAVI31)"));
        assert!(!is_of("navi21", "AMD Radeon RX 7900 XTX (RADV NAVI31)"));
    }

    #[test]
    fn a_named_manifest_comes_before_the_folders_and_the_users_folder_before_the_systems() {
        let home = tempfile::tempdir().unwrap();
        let system = tempfile::tempdir().unwrap();
        let manifest_in = |folder: &Path| {
            let drivers = folder.join("vulkan/icd.d");
            std::fs::create_dir_all(&drivers).unwrap();
            let file = drivers.join("radeon_icd.json");
            std::fs::write(&file, "{}").unwrap();
            file
        };
        let (first, second) = (manifest_in(home.path()), manifest_in(system.path()));
        let mut search = DriverSearch {
            named: Vec::new(),
            folders: vec![home.path().to_owned(), system.path().to_owned()],
        };
        assert_eq!(find_driver(&search), Ok(first));
        search.named = vec!["/nowhere/radeon_icd.json".into(), second.clone()];
        assert_eq!(find_driver(&search), Ok(second));
        assert!(find_driver(&DriverSearch::default()).is_err());
    }

    #[test]
    fn only_radvs_manifest_is_taken() {
        assert!(is_radv(Path::new("/a/radeon_icd.x86_64.json")));
        assert!(!is_radv(Path::new("/a/lvp_icd.json")));
    }
}
