//! `perwatt inspect`: compiler statistics and generated code of kernels.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use clap::Args;

use super::args::verdict::append;
use super::exit::Exit;
use super::support::output::{print, print_json, print_json_line, tell, width};
use super::support::survey::{again_without_broken_drivers, survey_vulkan};
use crate::bench::{Request, plan};
use crate::device::choose;
use crate::inspect::{
    ChildMessage, DriverSearch, InspectedShader, ListedDevice, ShaderSubject, Vulkan, VulkanDevice,
    device_type, examine, examine_family, find_driver, manifest,
};
use crate::process::ProgramImage;
use crate::record::{
    Adapter, CompiledShader, DeviceInfo, Inspection, MOST_SOURCE_BYTES, Reading, Target,
    read_within,
};
use crate::report;
use crate::workload::{CaseKernel, Kernel, Suite, registry};

/// Show compiler statistics of each kernel: registers, spills, occupancy, and the instructions of the
/// hottest loop.
///
/// Nothing is run or timed. With --target, Mesa's RADV compiles for AMD GPUs that need not be in the
/// machine. Without arguments: every kernel of every workload with the device's default parameters.
/// Two files written with --json can be given to `perwatt compare` and `perwatt gate`.
#[derive(Debug, Args)]
pub(super) struct Inspect {
    /// WGSL files to inspect, built-in or custom
    #[arg(value_name = "FILE.wgsl")]
    files: Vec<PathBuf>,

    /// Compile for an AMD GPU that need not be in the machine: navi31, navi21, mi200, gfx1201, vega10, …
    #[arg(long, value_name = "FAMILY", value_delimiter = ',')]
    target: Vec<String>,

    /// The RADV that compiles for --target: its manifest (radeon_icd*.json) or its library
    #[arg(long, value_name = "FILE", requires = "target")]
    driver: Option<PathBuf>,

    /// The device to compile for: index, part of the name, or PCI id [default: the best that reports statistics]
    #[arg(long, value_name = "SEL", conflicts_with = "target")]
    device: Option<String>,

    /// Cases to inspect, as in `perwatt run --case`; a case may be of any shape
    #[arg(long = "case", value_name = "GLOB")]
    cases: Vec<String>,

    /// Only kernels of this name
    #[arg(long = "kernel", value_name = "NAME")]
    kernels: Vec<String>,

    /// Only cases of this suite
    #[arg(long, value_name = "NAME")]
    suite: Option<String>,

    /// Kernel parameters instead of the defaults; several values give every combination
    #[arg(
        long = "set",
        value_name = "NAME=VALUE[,VALUE…]",
        conflicts_with = "all_parameters"
    )]
    set: Vec<String>,

    /// Every parameter set of the kernels' tuning spaces
    #[arg(long)]
    all_parameters: bool,

    /// The entry point of the WGSL files [default: all of them]
    #[arg(long, value_name = "NAME", requires = "files")]
    entry: Option<String>,

    /// Value of an override in the WGSL files
    #[arg(long = "override", value_name = "NAME=VALUE", requires = "files")]
    overrides: Vec<String>,

    /// Translate with wgpu's run-time checks, as `run --checked` does
    #[arg(long)]
    checked: bool,

    /// Print JSON
    #[arg(long)]
    json: bool,

    /// Write a Markdown table to a file
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,

    /// Write each shader's assembly to a file in this folder
    #[arg(long, value_name = "DIR")]
    assembly: Option<PathBuf>,

    /// This is the process for one family of --target
    #[arg(long, hide = true, value_name = "FAMILY")]
    as_target: Option<String>,

    /// Subjects that an earlier process for this family has done
    #[arg(long, hide = true, value_name = "N", default_value_t = 0)]
    skip: usize,
}

impl Inspect {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        if let Some(family) = &self.as_target {
            return self.be_child(family);
        }
        // Mistakes in what was asked for are the same for every target, and are reported once.
        self.suite()?;
        self.subjects_of_files()?;
        let program = ProgramImage::of_this_process()?;
        let targets = if self.target.is_empty() {
            let seen = survey_vulkan(&program)?;
            if let Some(exit) = again_without_broken_drivers(&program, &seen)? {
                return Ok(exit);
            }
            vec![self.look_here()?]
        } else {
            self.look_afar(&program)?
        };
        self.deliver(&Inspection::new(self.checked, targets))
    }

    /// Shows what was found and says how to exit.
    fn deliver(&self, inspection: &Inspection) -> anyhow::Result<Exit> {
        let mut devices = inspection.targets.iter().map(|target| &target.device);
        if self.json {
            print_json(inspection)?;
        } else if devices.any(|device| device.measured().is_some()) {
            // Of nothing but targets that cannot be asked, standard error says all there is.
            print(&report::inspection(inspection, width()))?;
        }
        if let Some(file) = &self.markdown {
            append(file, &report::inspection_markdown(inspection))?;
        }
        let mut exit = Exit::Done;
        for target in &inspection.targets {
            if let Some(reason) = target.device.reason() {
                tell(&format!("perwatt: {}: {reason}", target.target));
                exit = Exit::Usage;
            }
        }
        let mut shaders = inspection.targets.iter().flat_map(|target| &target.shaders);
        if exit == Exit::Done
            && !self.files.is_empty()
            && shaders.all(|shader| shader.figures.measured().is_none())
        {
            tell("perwatt: nothing of these files could be compiled; what stands above says why");
            exit = Exit::Usage;
        }
        Ok(exit)
    }

    /// Asks a device of this machine.
    fn look_here(&self) -> anyhow::Result<Target> {
        let vulkan = Vulkan::load().map_err(anyhow::Error::msg)?;
        let listed = vulkan.list().map_err(anyhow::Error::msg)?;
        let chosen = self.choose(&listed)?;
        let adapter = &chosen.adapter;
        let target = |device, shaders| Target {
            target: adapter.name.clone(),
            present: true,
            device,
            shaders,
        };
        if let Some(obstacle) = &chosen.obstacle {
            return Ok(target(
                Reading::unmeasured(format!(
                    "{obstacle} ({} {}). `--target navi31,navi21,mi200` asks Mesa's compiler about GPUs \
                     that are not there",
                    adapter.driver, adapter.driver_info
                )),
                Vec::new(),
            ));
        }
        let device = vulkan
            .open(chosen, self.checked)
            .map_err(|reason| anyhow!("{}: {reason}", adapter.name))?;
        let mut shaders = Vec::new();
        for subject in self.subjects(adapter)? {
            shaders.extend(self.examine(&device, &subject, &adapter.name)?);
        }
        Ok(target(Reading::Measured(sight(adapter)), shaders))
    }

    /// The device that is meant; without --device one that can be asked comes before one that cannot.
    fn choose<'l>(&self, listed: &'l [ListedDevice]) -> anyhow::Result<&'l ListedDevice> {
        let able = listed
            .iter()
            .filter(|l| l.obstacle.is_none() && !l.adapter.is_software());
        let able: Vec<&Adapter> = able.map(|l| &l.adapter).collect();
        let all: Vec<&Adapter> = listed.iter().map(|l| &l.adapter).collect();
        let among = if self.device.is_none() && !able.is_empty() {
            &able
        } else {
            &all
        };
        let index = choose(among, self.device.as_deref())?.index;
        listed
            .iter()
            .find(|l| l.adapter.index == index)
            .context("the chosen device is gone")
    }

    /// Asks RADV about every target, a process for each.
    fn look_afar(&self, program: &ProgramImage) -> anyhow::Result<Vec<Target>> {
        let (driver, _kept) = self.driver()?;
        let child = |family: &str, skip: usize| {
            let mut command = program.command();
            command
                .args(std::env::args_os().skip(1))
                .args(["--as-target", family])
                .args(["--skip", &skip.to_string()]);
            command
        };
        Ok(self
            .target
            .iter()
            .map(|family| examine_family(family, &driver, &|skip| child(family, skip)))
            .collect())
    }

    /// The manifest of the RADV to ask, and a temporary file that must live as long.
    fn driver(&self) -> anyhow::Result<(PathBuf, Option<tempfile::NamedTempFile>)> {
        let Some(given) = &self.driver else {
            return Ok((
                find_driver(&driver_search()).map_err(anyhow::Error::msg)?,
                None,
            ));
        };
        let path = given
            .canonicalize()
            .with_context(|| format!("--driver {}", given.display()))?;
        if path.extension().is_some_and(|e| e == "json") {
            return Ok((path, None));
        }
        let file = tempfile::Builder::new()
            .prefix("perwatt-")
            .suffix(".json")
            .tempfile()?;
        std::fs::write(file.path(), manifest(&path))?;
        Ok((file.path().to_owned(), Some(file)))
    }

    /// Is the process for one family: says what it finds line by line.
    fn be_child(&self, family: &str) -> anyhow::Result<Exit> {
        let say = |line: &ChildMessage| -> anyhow::Result<()> { print_json_line(line).map(drop) };
        match self.look_as_child(family, &say) {
            Ok(()) => Ok(Exit::Done),
            Err(error) => {
                say(&ChildMessage::Failed(format!("{error:#}")))?;
                Ok(Exit::Usage)
            }
        }
    }

    fn look_as_child(
        &self,
        family: &str,
        say: &dyn Fn(&ChildMessage) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let vulkan = Vulkan::load().map_err(anyhow::Error::msg)?;
        let mut listed = vulkan.list().map_err(anyhow::Error::msg)?;
        let found = listed.first_mut().context("the driver shows no device")?;
        if let Some(obstacle) = &found.obstacle {
            bail!("{obstacle}");
        }
        found.adapter.device_type = device_type(family);
        let device = vulkan
            .open(found, self.checked)
            .map_err(anyhow::Error::msg)?;
        let subjects = self.subjects(&found.adapter)?;
        say(&ChildMessage::Open {
            sight: sight(&found.adapter),
            subjects: subjects.iter().map(|s| s.name.clone()).collect(),
        })?;
        for subject in subjects.iter().skip(self.skip) {
            say(&ChildMessage::Found(
                self.examine(&device, subject, family)?,
            ))?;
        }
        Ok(())
    }

    /// Looks at one subject and keeps its assembly where that was asked for.
    fn examine(
        &self,
        device: &VulkanDevice<'_>,
        subject: &ShaderSubject,
        target: &str,
    ) -> anyhow::Result<Vec<CompiledShader>> {
        examine(device, subject, self.checked)
            .into_iter()
            .map(|finding| {
                self.keep_assembly(&finding, target)?;
                Ok(finding.examined)
            })
            .collect()
    }

    fn keep_assembly(&self, finding: &InspectedShader, target: &str) -> anyhow::Result<()> {
        let (Some(folder), Some(assembly)) = (&self.assembly, &finding.assembly) else {
            return Ok(());
        };
        let found = &finding.examined;
        let file = Path::new(&found.shader)
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy();
        let plain: String = format!("{target}-{}-{file}-{}", found.name, found.entry)
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || "-._=".contains(c) {
                    c
                } else {
                    '-'
                }
            })
            .collect();
        let path = folder.join(plain + ".s");
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&path, assembly))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// Everything to look at, on this device: the files, and kernels unless only files were given.
    fn subjects(&self, adapter: &Adapter) -> anyhow::Result<Vec<ShaderSubject>> {
        let mut subjects = Vec::new();
        let only_files = self.cases.is_empty() && self.kernels.is_empty() && self.suite.is_none();
        if self.files.is_empty() || !only_files {
            subjects.extend(self.subjects_of_kernels(adapter)?);
        }
        subjects.extend(self.subjects_of_files()?);
        Ok(subjects)
    }

    fn subjects_of_files(&self) -> anyhow::Result<Vec<ShaderSubject>> {
        let mut overrides = BTreeMap::new();
        for given in &self.overrides {
            let number = given
                .split_once('=')
                .and_then(|(name, value)| Some((name.to_owned(), value.parse::<f64>().ok()?)))
                .filter(|(name, value)| !name.is_empty() && value.is_finite());
            let (name, value) = number.with_context(|| {
                format!("--override {given}: write NAME=NUMBER with a finite number")
            })?;
            overrides.insert(name, value);
        }
        self.files
            .iter()
            .map(|file| {
                let name = file.display().to_string();
                let wgsl = read_within(file, MOST_SOURCE_BYTES)?;
                ShaderSubject::of_file(&name, wgsl, self.entry.as_deref(), overrides.clone())
                    .map_err(|reason| anyhow!("{name}: {reason}"))
            })
            .collect()
    }

    fn subjects_of_kernels(&self, adapter: &Adapter) -> anyhow::Result<Vec<ShaderSubject>> {
        let chosen = !self.cases.is_empty() || self.suite.is_some();
        let request = Request {
            suite: self.suite()?,
            cases: if chosen {
                self.cases.clone()
            } else {
                representative()
            },
            kernels: self.kernels.clone(),
            custom: Vec::new(),
        };
        let planned = plan(&request, adapter)?;
        let variants = self.variants(planned)?;
        let mut subjects = Vec::new();
        for planned in variants {
            let name = self.name(&planned);
            let made = ShaderSubject::of_kernel(&planned.case, &planned.kernel, &name, adapter);
            match made {
                Ok(made) => subjects.extend(made),
                // A combination that the kernel cannot have, among many that it can.
                Err(_) if self.all_parameters || self.set.iter().any(|s| s.contains(',')) => {}
                Err(reason) => bail!("{name}: {reason}"),
            }
        }
        Ok(subjects)
    }

    /// The name of a kernel in tables and files; parameters are part of it where they were chosen, so
    /// that each name is there once.
    fn name(&self, planned: &CaseKernel) -> String {
        if self.set.is_empty() && !self.all_parameters {
            return planned.id();
        }
        let parameters: Vec<String> = planned
            .kernel
            .parameters
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        format!("{} {}", planned.id(), parameters.join(" "))
    }

    /// The kernels with the parameters that were asked for.
    fn variants(&self, planned: Vec<CaseKernel>) -> anyhow::Result<Vec<CaseKernel>> {
        if self.all_parameters {
            let mut all = Vec::new();
            for p in planned {
                let space = p.case.tuning_space().into_iter();
                all.extend(
                    space
                        .filter(|kernel| kernel.name == p.kernel.name)
                        .map(|kernel| CaseKernel {
                            kernel,
                            ..p.clone()
                        }),
                );
            }
            return Ok(all);
        }
        let mut variants = planned;
        for given in &self.set {
            let (name, values) = parse_set(given)?;
            let has = |kernel: &Kernel| kernel.parameters.contains_key(&name);
            if !variants.iter().any(|p| has(&p.kernel)) {
                let mut known: Vec<&str> = variants
                    .iter()
                    .flat_map(|p| p.kernel.parameters.keys().map(String::as_str))
                    .collect();
                known.sort_unstable();
                known.dedup();
                bail!(
                    "--set {given}: none of the chosen kernels has a parameter {name:?}; they have {}",
                    known.join(", ")
                );
            }
            variants = variants
                .into_iter()
                // A kernel without the parameter is not what was asked for.
                .filter(|p| has(&p.kernel))
                .flat_map(|p| {
                    let name = name.clone();
                    values.clone().into_iter().map(move |value| {
                        let mut p = p.clone();
                        p.kernel.parameters.insert(name.clone(), value);
                        p
                    })
                })
                .collect();
        }
        Ok(variants)
    }

    fn suite(&self) -> anyhow::Result<Option<Suite>> {
        let Some(name) = &self.suite else {
            return Ok(None);
        };
        let all: Vec<&str> = Suite::ALL.iter().map(|suite| suite.name()).collect();
        Suite::parse(name)
            .map(Some)
            .with_context(|| format!("--suite {name}: there are {}", all.join(", ")))
    }
}

/// Where the Vulkan loader would look for a driver, by this process's environment.
fn driver_search() -> DriverSearch {
    let paths = |name: &str| -> Vec<PathBuf> {
        std::env::var_os(name)
            .map(|list| std::env::split_paths(&list).collect())
            .unwrap_or_default()
    };
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let data_home = std::env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        .or_else(|| home.map(|home| home.join(".local/share")));
    let system = match std::env::var_os("XDG_DATA_DIRS") {
        Some(list) => std::env::split_paths(&list).collect(),
        None => vec![
            PathBuf::from("/usr/local/share"),
            PathBuf::from("/usr/share"),
        ],
    };
    DriverSearch {
        named: [paths("VK_DRIVER_FILES"), paths("VK_ICD_FILENAMES")].concat(),
        folders: data_home
            .into_iter()
            .chain([PathBuf::from("/etc")])
            .chain(system)
            .chain([PathBuf::from("/run/opengl-driver/share")])
            .collect(),
    }
}

/// `NAME=VALUE[,VALUE…]`.
fn parse_set(given: &str) -> anyhow::Result<(String, Vec<u32>)> {
    let wrong = || format!("--set {given}: write NAME=NUMBER, or NAME=NUMBER,NUMBER");
    let (name, values) = given.split_once('=').with_context(wrong)?;
    let values: Result<Vec<u32>, _> = values.split(',').map(str::parse).collect();
    Ok((name.to_owned(), values.ok().with_context(wrong)?))
}

/// One case of each workload and dtype, of a size that fills a GPU: its kernels differ between sizes by
/// little more than constants.
fn representative() -> Vec<String> {
    let mut chosen = Vec::new();
    for workload in registry() {
        let cases = workload.cases();
        let mut dtypes = Vec::new();
        for case in &cases {
            if !dtypes.contains(&case.dtype) {
                dtypes.push(case.dtype);
            }
        }
        for dtype in dtypes {
            let of_dtype = || cases.iter().rev().filter(|case| case.dtype == dtype);
            let large = of_dtype().find(|case| case.suites.contains(&Suite::Standard));
            chosen.extend(large.or_else(|| of_dtype().next()).map(ToString::to_string));
        }
    }
    chosen
}

/// A device as the record holds it.
fn sight(adapter: &Adapter) -> DeviceInfo {
    DeviceInfo {
        name: adapter.name.clone(),
        device_type: adapter.device_type,
        driver: adapter.driver.clone(),
        driver_info: adapter.driver_info.clone(),
    }
}
