//! A tree that looks like `/sys`, with writers that move its files.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The tree.
pub(crate) struct Tree {
    folder: TempDir,
}

impl Tree {
    pub(crate) fn new() -> Self {
        let tree = Self {
            folder: TempDir::new().unwrap(),
        };
        fs::create_dir(tree.root().join("class")).unwrap();
        tree
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file, the folders above it included; readers see the old text or the new.
    pub(crate) fn put(&self, path: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let file = self.root().join(path);
        write(&file, text.as_ref());
        file
    }

    pub(crate) fn link(&self, path: &str, target: &str) {
        let link = self.root().join(path);
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        symlink(self.root().join(target), link).unwrap();
    }

    /// A GPU as Linux shows it: a device on the bus, linked from `class/drm` and its hwmon folder from
    /// `class/hwmon`. Answers with the device's folder below the root.
    pub(crate) fn gpu(&self, number: u32, address: &str, driver: &str, id: (&str, &str)) -> String {
        let device = format!("devices/pci0000:00/{address}");
        self.put(&format!("{device}/vendor"), format!("0x{}\n", id.0));
        self.put(&format!("{device}/device"), format!("0x{}\n", id.1));
        self.put(&format!("{device}/class"), "0x030000\n");
        self.put(
            &format!("{device}/uevent"),
            format!("DRIVER={driver}\nPCI_SLOT_NAME={address}\n"),
        );
        self.put(
            &format!("{device}/hwmon/hwmon{number}/name"),
            format!("{driver}\n"),
        );
        self.link(&format!("{device}/hwmon/hwmon{number}/device"), &device);
        self.link(
            &format!("class/hwmon/hwmon{number}"),
            &format!("{device}/hwmon/hwmon{number}"),
        );
        self.link(&format!("devices/cards/card{number}/device"), &device);
        self.link(
            &format!("class/drm/card{number}"),
            &format!("devices/cards/card{number}"),
        );
        self.put(
            &format!("class/drm/card{number}-DP-1/status"),
            "connected\n",
        );
        device
    }
}

fn write(file: &Path, text: &[u8]) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    let new = file.with_added_extension("new");
    fs::write(&new, text).unwrap();
    fs::rename(new, file).unwrap();
}

/// A thread that keeps rewriting a file until it is dropped.
pub(crate) struct Mover {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Mover {
    /// Writes what `text` makes of the seconds since the start, every `period`.
    pub(crate) fn new(
        file: PathBuf,
        period: Duration,
        text: impl Fn(f64) -> Vec<u8> + Send + 'static,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        write(&file, &text(0.0));
        let thread = std::thread::spawn(move || {
            let start = Instant::now();
            while !stopped.load(Ordering::Relaxed) {
                std::thread::sleep(period);
                // A file that the test took away stays away.
                if !file.exists() {
                    return;
                }
                write(&file, &text(start.elapsed().as_secs_f64()));
            }
        });
        Self {
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for Mover {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}
