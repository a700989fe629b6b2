//! `transfer`: how fast data comes onto the device and back.

use std::fmt;

use crate::record::{Adapter, Counts, Resources, Verification};
use crate::workload::case::{Case, Suite};
use crate::workload::computation::{Computation, Families, KernelFamily};
use crate::workload::interface::{SuiteCases, Workload, suite};
use crate::workload::kit::checker::Checker;
use crate::workload::kit::dimensions::{dimensions, misshapen};
use crate::workload::kit::dtype::Dtype;
use crate::workload::kit::input::Input;
use crate::workload::kit::kernel::Kernel;
use crate::workload::kit::program::{Action, Buffer, Contents, Program};
use crate::workload::kit::units;
use crate::workload::kit::unsupported::Unsupported;

/// Uploads and downloads through wgpu's own staging.
#[derive(Debug)]
pub(crate) struct Transfer;

const NAME: &str = "transfer";
const FORM: &str = "BYTES, a multiple of 4";

impl Workload for Transfer {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "upload: a buffer written through the queue and waited for; download: copied to a staging\n\
         buffer, mapped and read. By the host's clock. FLOP: none. Bytes: the buffer's, once."
    }

    fn suites(&self) -> &'static [SuiteCases] {
        const {
            &[
                suite(&[Dtype::None], &["16777216"], &[Suite::Quick, Suite::Gpu]),
                suite(
                    &[Dtype::None],
                    &["134217728"],
                    &[Suite::Standard, Suite::Llm],
                ),
            ]
        }
    }

    fn small_cases(&self) -> &'static [&'static str] {
        &["-/4", "-/1048580"]
    }

    fn case(&self, dtype: Dtype, shape: &str) -> Result<Case, Unsupported> {
        let [bytes] = dimensions::<1>(shape, FORM)?;
        if dtype != Dtype::None {
            return Err(Unsupported::dtype(NAME, "only the dtype -", dtype));
        }
        if !bytes.is_multiple_of(4) {
            return Err(misshapen(shape, FORM, "is not a multiple of 4"));
        }
        Ok(Case::new(NAME, dtype, Moved(bytes)))
    }
}

/// Bytes that are moved.
#[derive(Clone, Copy, Debug)]
struct Moved(u32);

impl fmt::Display for Moved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Computation for Moved {
    const WORKLOAD: &'static str = NAME;

    fn families(&self) -> Families<Self> {
        vec![&TransferDirection::Upload, &TransferDirection::Download]
    }

    fn counts(&self) -> Counts {
        Counts {
            flop: 0,
            bytes: self.0.into(),
            tokens: None,
        }
    }

    fn resources(&self) -> Resources {
        Resources {
            arithmetic: units::ordinary(Dtype::None),
            // The bus, for which there is no roof.
            memory: None,
            measures: None,
        }
    }

    fn pilot(&self) -> Option<Self> {
        None
    }

    fn verify(&self, _kernel: &Kernel, program: &Program, outputs: &[Vec<u8>]) -> Verification {
        let words = u64::from(self.0 / 4);
        let mut checker = Checker::new(words);
        let want = program.buffers[0].input();
        match outputs.first() {
            Some(got) if got.len() == want.len() => {
                checker.compared(words);
                if let Some(at) = got.iter().zip(&want).position(|(got, want)| got != want) {
                    checker.fail(format!("byte {at} arrived changed"));
                }
            }
            _ => checker.fail("another number of bytes arrived".to_owned()),
        }
        checker.finish()
    }
}

/// Which way the bytes go; both are kernels in name only.
#[derive(Debug)]
enum TransferDirection {
    Upload,
    Download,
}

impl KernelFamily<Moved> for TransferDirection {
    fn name(&self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Download => "download",
        }
    }

    fn default_for(&self, _moved: &Moved, _adapter: &Adapter) -> Option<Kernel> {
        Some(Kernel::new(self.name(), &[]))
    }

    fn tuning_space(&self, _moved: &Moved) -> Vec<Kernel> {
        vec![Kernel::new(self.name(), &[])]
    }

    fn program(&self, moved: &Moved, _kernel: &Kernel, seed: u64) -> Result<Program, Unsupported> {
        Ok(Program {
            buffers: vec![Buffer {
                name: "data".into(),
                bytes: moved.0.into(),
                contents: Contents::Input(Input::Noise {
                    seed,
                    stream: 0,
                    mask: 0xff,
                }),
                texture: None,
            }],
            action: match self {
                Self::Upload => Action::Upload { buffer: 0 },
                Self::Download => Action::Download { buffer: 0 },
            },
        })
    }
}
