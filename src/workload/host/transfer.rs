//! `transfer`: how fast data comes onto the device and back.

use crate::record::{Adapter, Counts, Verification};
use crate::workload::case::{Case, Dtype, Suite};
use crate::workload::interface::Workload;
use crate::workload::kit::checker::Checker;
use crate::workload::kit::dimensions::dimensions;
use crate::workload::kit::input::Input;
use crate::workload::kit::kernel::Kernel;
use crate::workload::kit::program::{Action, Buffer, Contents, Program};

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

    fn cases(&self) -> Vec<Case> {
        let case = |bytes: u32| Case::new(NAME, Dtype::None, bytes);
        vec![
            case(16 << 20).of(&[Suite::Quick]),
            case(128 << 20).of(&[Suite::Standard, Suite::Llm]),
        ]
    }

    fn case(&self, dtype: Dtype, shape: &str) -> Result<Case, String> {
        let [bytes] = dimensions::<1>(shape, FORM)?;
        if dtype != Dtype::None || !bytes.is_multiple_of(4) {
            return Err(format!("cases are written {NAME}/-/{FORM}"));
        }
        Ok(Case::new(NAME, dtype, shape))
    }

    fn counts(&self, case: &Case) -> Counts {
        Counts {
            flop: 0,
            bytes: bytes(case),
            tokens: None,
        }
    }

    fn kernels(&self, case: &Case, _adapter: &Adapter) -> Vec<Kernel> {
        self.tuning_space(case)
    }

    fn tuning_space(&self, _case: &Case) -> Vec<Kernel> {
        vec![Kernel::new("upload", &[]), Kernel::new("download", &[])]
    }

    fn pilot(&self, _case: &Case) -> Option<Case> {
        None
    }

    fn program(&self, case: &Case, kernel: &Kernel, seed: u64) -> Result<Program, String> {
        let action = match &*kernel.name {
            "upload" => Action::Upload { buffer: 0 },
            "download" => Action::Download { buffer: 0 },
            other => return Err(format!("{NAME} has no kernel {other:?}")),
        };
        Ok(Program {
            buffers: vec![Buffer {
                name: "data".into(),
                bytes: bytes(case),
                contents: Contents::Input(Input::Noise {
                    seed,
                    stream: 0,
                    mask: 0xff,
                }),
            }],
            action,
        })
    }

    fn verify(
        &self,
        case: &Case,
        _kernel: &Kernel,
        program: &Program,
        outputs: &[Vec<u8>],
    ) -> Verification {
        let mut checker = Checker::new(bytes(case) / 4);
        let want = program.buffers[0].input();
        match outputs.first() {
            Some(got) if got.len() == want.len() => {
                checker.compared(bytes(case) / 4);
                if let Some(at) = got.iter().zip(&want).position(|(got, want)| got != want) {
                    checker.fail(format!("byte {at} arrived changed"));
                }
            }
            _ => checker.fail("another number of bytes arrived".to_owned()),
        }
        checker.finish()
    }
}

/// Bytes that a case moves.
fn bytes(case: &Case) -> u64 {
    dimensions::<1>(&case.shape, FORM).map_or(0, |[bytes]| bytes.into())
}
