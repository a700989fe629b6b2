//! `tiled`: C = A·B by tiles of registers, in all its forms and parameters, for plain and packed
//! matrices.
//!
//! What is quick differs so much between devices that there are three forms (see [`TiledForm`]) and, across
//! all of them, a choice of how K is split and in what order the tiles of C are made.

use crate::record::{Adapter, DeviceType, Reading};
use crate::workload::computation::KernelFamily;
use crate::workload::kit::dimensions::grid;
use crate::workload::kit::input::Storage;
use crate::workload::kit::kernel::{Kernel, between};
use crate::workload::kit::program::{Buffer, Dispatch, Program};
use crate::workload::kit::quantized::BLOCK;
use crate::workload::kit::template::{Template, shader};
use crate::workload::kit::unsupported::Unsupported;

/// The kernel's name.
const TILED: &str = "tiled";

/// Threads of a workgroup of the pass that adds up pieces of K.
const SUM_THREADS: u32 = 64;

/// Most steps of K that a default writes out.
const LONGEST_BODY: u32 = 16;

/// Workgroups that keep a GPU busy by default; nothing tells how many cores it has.
const BUSY_TILES: u64 = 64;

/// Steps of K that a piece has at the least by default.
const SHORTEST_PIECE: u32 = 512;

/// Most workgroups that a search splits K for.
const MOST_SPLIT_TILES: u64 = 1024;

/// Fewest tiles that a search takes in strips.
const FEWEST_SWIZZLED: u64 = 64;

/// The kernel.
#[derive(Debug)]
pub(crate) struct Tiled;

/// A product that tiles can do.
pub(crate) trait ByTiles {
    /// The product as the shaders see it.
    fn product(&self) -> TiledProduct<impl Fn(Template) -> Template>;

    /// Its inputs and C.
    fn buffers(&self, seed: u64) -> Vec<Buffer>;

    /// Whether an adapter has a better kernel for it.
    fn has_better(&self, adapter: &Adapter) -> bool;
}

impl<P: ByTiles> KernelFamily<P> for Tiled {
    fn name(&self) -> &'static str {
        TILED
    }

    fn default_for(&self, product: &P, adapter: &Adapter) -> Option<Kernel> {
        (!product.has_better(adapter))
            .then(|| Tile::default_for(&product.product(), adapter).kernel())
    }

    fn tuning_space(&self, product: &P) -> Vec<Kernel> {
        Tile::space(&product.product())
    }

    fn program(&self, product: &P, kernel: &Kernel, seed: u64) -> Result<Program, Unsupported> {
        let (dispatches, sums) = Tile::of(kernel)?.dispatches(&product.product())?;
        let mut buffers = product.buffers(seed);
        buffers.extend(sums);
        Ok(Program::of(buffers, dispatches))
    }
}

/// Parameters of `tiled`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tile {
    form: TiledForm,
    threads_n: u32,
    threads_m: u32,
    /// Rows of a thread.
    tile_m: u32,
    /// Columns of a thread, in vectors of the form's width.
    vectors_n: u32,
    /// Steps of K that the shader writes out.
    unroll: u32,
    /// Pieces of K that workgroups of their own add up, at the most; a second pass adds the pieces. For
    /// shapes with fewer tiles than the device has cores.
    split_k: u32,
    /// Columns of tiles in a strip, in which workgroups go from top to bottom; 0: row by row.
    swizzle: u32,
}

/// Where the operands of a step come from; what `tiled` calls them in its parameters stands beside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TiledForm {
    /// vec4 straight from memory (`step_k` 0, `width` 4).
    Direct,
    /// Single elements straight from memory (`step_k` 0, `width` 1), those of A shared within a
    /// subgroup if `broadcast` is 1.
    Single { broadcast: bool },
    /// vec4 by way of workgroup memory, `step_k` steps of K at a time; with two `buffers` the next step's
    /// operands are fetched while this one's are multiplied.
    Shared { step_k: u32, buffers: u32 },
}

/// A product as the shaders see it.
#[derive(Debug)]
pub(crate) struct TiledProduct<F> {
    pub(crate) m: u32,
    pub(crate) n: u32,
    pub(crate) k: u32,
    /// Buffers that are read.
    pub(crate) inputs: usize,
    /// How operands lie in workgroup memory.
    pub(crate) operand: Storage,
    /// Elements of K in an operand.
    pub(crate) per_operand: u32,
    /// Elements in a word of B, where it lies packed along K.
    pub(crate) per_word: Option<u32>,
    /// How sums are kept between the two passes of a split K.
    pub(crate) sums: Storage,
    /// Gives a template the types `Element` and `Accumulator` and what else the operands need.
    pub(crate) fill: F,
}

impl<F> TiledProduct<F> {
    /// Whether rows of all three matrices can be read four elements at a time.
    fn vectors(&self) -> bool {
        self.n.is_multiple_of(4) && (self.packed() || self.k.is_multiple_of(4))
    }

    /// Elements between the columns of A in workgroup memory: 16 bytes, so that every column begins
    /// where the widest load can.
    fn pad(&self) -> u32 {
        // At most 4 bytes an operand, so the cast is exact.
        16 / self.operand.bytes() as u32
    }

    /// vec4 between the rows of B in workgroup memory: packed ones are written across them, and one more
    /// keeps that out of one memory bank.
    fn pad_b(&self) -> u32 {
        self.packed().into()
    }

    fn packed(&self) -> bool {
        self.per_word.is_some()
    }

    /// The shortest step of K that makes sense; a packed B comes in blocks.
    fn shortest_step(&self) -> u32 {
        if self.packed() { BLOCK } else { 16 }
    }
}

impl Tile {
    /// vec4 straight from memory.
    fn direct(threads: [u32; 2], tile_m: u32, vectors_n: u32) -> Self {
        Self::new(TiledForm::Direct, threads, tile_m, vectors_n)
    }

    /// Single elements straight from memory.
    fn single(threads_n: u32, tile_m: u32, vectors_n: u32, broadcast: bool) -> Self {
        Self::new(
            TiledForm::Single { broadcast },
            [threads_n, 1],
            tile_m,
            vectors_n,
        )
    }

    /// vec4 by way of workgroup memory.
    fn shared(threads: [u32; 2], tile_m: u32, vectors_n: u32, step_k: u32) -> Self {
        let form = TiledForm::Shared { step_k, buffers: 1 };
        Self::new(form, threads, tile_m, vectors_n)
    }

    fn new(form: TiledForm, [threads_n, threads_m]: [u32; 2], tile_m: u32, vectors_n: u32) -> Self {
        Self {
            form,
            threads_n,
            threads_m,
            tile_m,
            vectors_n,
            unroll: 4,
            split_k: 1,
            swizzle: 0,
        }
    }

    /// With so many steps of K written out.
    fn unrolled(self, unroll: u32) -> Self {
        Self { unroll, ..self }
    }

    /// With two buffers in workgroup memory, where there are any.
    fn double_buffered(self) -> Self {
        let form = match self.form {
            TiledForm::Shared { step_k, .. } => TiledForm::Shared { step_k, buffers: 2 },
            other => other,
        };
        Self { form, ..self }
    }

    /// What `run` takes on this adapter when nothing was tuned. `docs/notes/2026-11-25-codegen.md` and `docs/tuning.md`
    /// have the evidence.
    fn default_for<F>(product: &TiledProduct<F>, adapter: &Adapter) -> Self {
        let subgroups_of_8 = adapter.has("SUBGROUP")
            && matches!(adapter.subgroup_sizes, Reading::Measured((least, _)) if least >= 8);
        match adapter.device_type {
            // Workgroup memory is ordinary memory there, and barriers and every single load are dear.
            DeviceType::Software if subgroups_of_8 => Self::single(8, 16, 2, true).unrolled(8),
            DeviceType::Software => Self::direct([8, 1], 8, 2),
            _ if adapter.has_many_registers() => Self::of_roomy_gpu(product, adapter),
            _ => Self::of_other_gpu(product, adapter),
        }
        .split_for(product, adapter)
    }

    /// 8 × 8 sums a thread, which leaves a SIMD of AMD's enough registers for two waves; the large
    /// workgroup where there are enough tiles to keep a large GPU busy, and the longest K step that the
    /// workgroup memory has room for, since each step costs two barriers.
    fn of_roomy_gpu<F>(product: &TiledProduct<F>, adapter: &Adapter) -> Self {
        let steps = [32, product.shortest_step()];
        let small = steps.map(|step_k| Self::shared([8, 8], 8, 2, step_k));
        let large = steps.map(|step_k| Self::shared([16, 16], 8, 2, step_k));
        if large[0].tiles(product) < BUSY_TILES {
            return Self::first_fit(&small, product, adapter);
        }
        Self::first_fit(&[large, small].concat(), product, adapter)
    }

    /// 4 × 4 sums a thread, for which every GPU has the registers.
    fn of_other_gpu<F>(product: &TiledProduct<F>, adapter: &Adapter) -> Self {
        let step = product.shortest_step();
        let small = Self::shared([8, 8], 4, 1, step);
        let mut tiles = vec![Self::shared([16, 16], 4, 1, step), small];
        if product.m.min(product.n) <= 512 {
            tiles.remove(0);
        }
        Self::first_fit(&tiles, product, adapter)
    }

    /// The first that fits an adapter's workgroup memory and threads, or else 16 × 16 of C, which fits
    /// all, with as many steps of K written out as make sense.
    fn first_fit<F>(tiles: &[Self], product: &TiledProduct<F>, adapter: &Adapter) -> Self {
        let fits = |tile: &&Self| {
            tile.workgroup_bytes(product) <= u64::from(adapter.limits.max_workgroup_bytes)
                && tile.threads_n * tile.threads_m <= adapter.limits.max_workgroup_threads
        };
        let smallest = Self::shared([4, 4], 4, 1, product.shortest_step());
        let tile = tiles.iter().find(fits).copied().unwrap_or(smallest);
        let rows = match tile.form {
            TiledForm::Shared { step_k, .. } => step_k / product.per_operand,
            _ => tile.unroll,
        };
        tile.unrolled(rows.min(LONGEST_BODY))
    }

    /// With K split until a GPU, or the two cores of a small host, have something to do everywhere; a
    /// piece stays long enough to pay for its place in memory.
    fn split_for<F>(self, product: &TiledProduct<F>, adapter: &Adapter) -> Self {
        let wanted = if adapter.is_software() { 4 } else { BUSY_TILES };
        let mut tile = self;
        while tile.tiles(product) * u64::from(tile.split_k) < wanted
            && product.k / (2 * tile.split_k) >= SHORTEST_PIECE
        {
            tile.split_k *= 2;
        }
        tile
    }

    /// Every parameter set that makes sense somewhere for this product.
    fn space<F>(product: &TiledProduct<F>) -> Vec<Kernel> {
        let mut forms = Vec::new();
        if !product.packed() {
            for tile_m in [4, 8, 16] {
                for vectors_n in [1, 2, 4] {
                    for threads in [[8, 1], [16, 1], [64, 1], [8, 8]] {
                        forms.push(Self::direct(threads, tile_m, vectors_n));
                    }
                }
            }
            for tile_m in [4, 8, 12, 16, 24, 32] {
                for vectors_n in [1, 2, 3, 4] {
                    for threads_n in [8, 16, 64] {
                        for (unroll, broadcast) in [(4, false), (4, true), (8, true)] {
                            let tile = Self::single(threads_n, tile_m, vectors_n, broadcast);
                            forms.push(tile.unrolled(unroll));
                        }
                    }
                }
            }
        }
        let steps = if product.packed() {
            &[BLOCK][..]
        } else {
            &[8, 16, 32]
        };
        for tile_m in [4, 8] {
            for vectors_n in [1, 2] {
                for threads in [[8, 4], [8, 8], [16, 8], [16, 16]] {
                    for step_k in steps {
                        for unroll in [4, 8, 16] {
                            let tile = Self::shared(threads, tile_m, vectors_n, *step_k);
                            let tile = tile.unrolled(unroll);
                            forms.extend([tile, tile.double_buffered()]);
                        }
                    }
                }
            }
        }
        forms
            .into_iter()
            .flat_map(|form| form.variants(product))
            .map(Self::kernel)
            .collect()
    }

    /// A form with the splits and orders that may help a product: splits where there are few tiles and a
    /// long K, strips where there are tiles enough to go through the caches.
    fn variants<F>(self, product: &TiledProduct<F>) -> Vec<Self> {
        let mut variants = vec![self];
        let tiles = self.tiles(product);
        for split_k in [2, 4, 8, 16, 32] {
            if tiles * u64::from(split_k) <= MOST_SPLIT_TILES
                && product.k / split_k >= SHORTEST_PIECE / 2
            {
                variants.push(Self { split_k, ..self });
            }
        }
        for swizzle in [2, 4, 16] {
            if tiles >= FEWEST_SWIZZLED && self.groups(product.m, product.n)[0] > swizzle {
                variants.push(Self { swizzle, ..self });
            }
        }
        variants
    }

    /// Tiles of C.
    fn tiles<F>(self, product: &TiledProduct<F>) -> u64 {
        let [groups_n, groups_m] = self.groups(product.m, product.n);
        u64::from(groups_n) * u64::from(groups_m)
    }

    /// Workgroup memory, in bytes.
    fn workgroup_bytes<F>(self, product: &TiledProduct<F>) -> u64 {
        let TiledForm::Shared { step_k, buffers } = self.form else {
            return 0;
        };
        let [block_n, block_m] = self.block();
        let row = block_m + product.pad() + block_n + 4 * product.pad_b();
        u64::from(buffers * (step_k / product.per_operand) * row) * product.operand.bytes()
    }

    /// Columns and rows of C that a workgroup makes.
    fn block(self) -> [u32; 2] {
        [
            self.threads_n * self.vectors_n * self.width(),
            self.threads_m * self.tile_m,
        ]
    }

    /// Workgroups along N and M.
    fn groups(self, m: u32, n: u32) -> [u32; 2] {
        let [block_n, block_m] = self.block();
        [n.div_ceil(block_n), m.div_ceil(block_m)]
    }

    /// Elements of a vector.
    fn width(self) -> u32 {
        match self.form {
            TiledForm::Single { .. } => 1,
            TiledForm::Direct | TiledForm::Shared { .. } => 4,
        }
    }

    /// Steps of K in a piece and the number of pieces. A piece is whole rounds of the shader's loop.
    fn pieces(self, k: u32) -> [u32; 2] {
        let round = match self.form {
            TiledForm::Direct => 4,
            TiledForm::Single { .. } => self.unroll,
            TiledForm::Shared { step_k, .. } => step_k,
        };
        let piece = k.div_ceil(self.split_k).next_multiple_of(round);
        [piece, k.div_ceil(piece)]
    }

    /// The kernel with these parameters.
    fn kernel(self) -> Kernel {
        let (step_k, buffers, broadcast) = match self.form {
            TiledForm::Direct => (0, 0, false),
            TiledForm::Single { broadcast } => (0, 0, broadcast),
            TiledForm::Shared { step_k, buffers } => (step_k, buffers, false),
        };
        Kernel::new(
            TILED,
            &[
                ("threads_n", self.threads_n),
                ("threads_m", self.threads_m),
                ("tile_m", self.tile_m),
                ("vectors_n", self.vectors_n),
                ("width", self.width()),
                ("step_k", step_k),
                ("buffers", buffers),
                ("unroll", self.unroll),
                ("broadcast", u32::from(broadcast)),
                ("split_k", self.split_k),
                ("swizzle", self.swizzle),
            ],
        )
    }

    /// The parameters of a kernel.
    ///
    /// # Errors
    /// One is missing or out of its range, or they do not go together.
    fn of(kernel: &Kernel) -> Result<Self, Unsupported> {
        let number = |name: &str, least: u32, most: u32| between(kernel, name, least, most);
        let width = number("width", 1, 4)?;
        let step_k = number("step_k", 0, 128)?;
        let buffers = number("buffers", 0, 2)?;
        let broadcast = number("broadcast", 0, 1)? == 1;
        let form = match (width, step_k, buffers, broadcast) {
            (4, 0, 0, false) => TiledForm::Direct,
            (4, 1.., 1.., false) => TiledForm::Shared { step_k, buffers },
            (1, 0, 0, broadcast) => TiledForm::Single { broadcast },
            _ => {
                return Err(Unsupported::Combination(format!(
                    "there is no kernel for width = {width}, step_k = {step_k}, buffers = {buffers} and \
                     broadcast = {}",
                    u32::from(broadcast)
                )));
            }
        };
        let tile = Self {
            form,
            threads_n: number("threads_n", 1, 1024)?,
            threads_m: number("threads_m", 1, 1024)?,
            tile_m: number("tile_m", 1, 64)?,
            vectors_n: number("vectors_n", 1, 16)?,
            unroll: number("unroll", 1, 32)?,
            split_k: number("split_k", 1, 1024)?,
            swizzle: number("swizzle", 0, 1024)?,
        };
        match form {
            TiledForm::Shared { step_k, .. } if !step_k.is_multiple_of(4) => Err(
                Unsupported::Combination(format!("step_k = {step_k} is not a multiple of 4")),
            ),
            TiledForm::Single { .. } if tile.threads_m != 1 => {
                Err(Unsupported::combination("width = 1 needs threads_m = 1"))
            }
            TiledForm::Single { broadcast: true }
                if !tile.threads_n.is_multiple_of(tile.unroll) =>
            {
                Err(Unsupported::combination(
                    "broadcast needs threads_n to be a multiple of unroll",
                ))
            }
            _ => Ok(tile),
        }
    }

    /// The dispatches of a product and the working memory that they need. The buffers are the product's
    /// inputs, C, and the working memory, in this order.
    ///
    /// # Errors
    /// The parameters do not fit the product.
    fn dispatches<F: Fn(Template) -> Template>(
        self,
        product: &TiledProduct<F>,
    ) -> Result<(Vec<Dispatch>, Option<Buffer>), Unsupported> {
        let [piece_k, pieces] = self.pieces(product.k);
        let c = product.inputs;
        let (out, kept_as) = match pieces {
            1 => (c, "Element"),
            _ => (c + 1, "Accumulator"),
        };
        let template = self
            .template(product)?
            .alias("Out", kept_as)
            .constant("PIECES", pieces)
            .constant("PIECE_K", piece_k);
        let mut bindings: Vec<usize> = (0..product.inputs).collect();
        bindings.push(out);
        let [groups_n, groups_m] = self.groups(product.m, product.n);
        let bytes = self.workgroup_bytes(product);
        let mut first = Dispatch::new(&template, &bindings, 1)?
            .groups([groups_n, groups_m, pieces])
            .workgroup([self.threads_n, self.threads_m, 1], bytes);
        if self.form == (TiledForm::Single { broadcast: true }) {
            first = first.needs("SUBGROUP").subgroups_of(self.unroll);
        }
        if pieces == 1 {
            return Ok((vec![first], None));
        }
        let elements = u64::from(product.m) * u64::from(product.n);
        let sums = Buffer::scratch("sums", elements * u64::from(pieces), product.sums);
        Ok((vec![first, sum(product, pieces)?], Some(sums)))
    }

    /// The form's shader, filled in but for what becomes of its sums.
    fn template<F: Fn(Template) -> Template>(
        self,
        product: &TiledProduct<F>,
    ) -> Result<Template, Unsupported> {
        let template = match self.form {
            TiledForm::Direct => shader!("matmul/tiled/direct.wgsl"),
            TiledForm::Single { broadcast } => shader!("matmul/tiled/single.wgsl")
                .constant("BROADCAST", u32::from(broadcast))
                .constant("UNROLL", self.unroll)
                .constant("TAIL", product.k % self.unroll),
            TiledForm::Shared { step_k, buffers } => {
                self.shared_template(product, step_k, buffers)?
            }
        };
        let [groups_n, groups_m] = self.groups(product.m, product.n);
        Ok((product.fill)(template)
            .constant("M", product.m)
            .constant("N", product.n)
            .constant("K", product.k)
            .constant("VECTORS", product.vectors().into())
            .constant("THREADS_M", self.threads_m)
            .constant("THREADS_N", self.threads_n)
            .constant("TILE_M", self.tile_m)
            .constant("VECTORS_N", self.vectors_n)
            .constant("SWIZZLE", self.swizzle)
            .constant("GROUPS_N", groups_n)
            .constant("GROUPS_M", groups_m))
    }

    fn shared_template<F: Fn(Template) -> Template>(
        self,
        product: &TiledProduct<F>,
        step_k: u32,
        buffers: u32,
    ) -> Result<Template, Unsupported> {
        let rows = step_k / product.per_operand;
        if !rows.is_multiple_of(4) || !rows.is_multiple_of(self.unroll) {
            return Err(Unsupported::Combination(format!(
                "step_k = {step_k} makes {rows} rows in workgroup memory, no multiple of 4 and of unroll = {}",
                self.unroll
            )));
        }
        if product.packed() && !step_k.is_multiple_of(BLOCK) {
            return Err(Unsupported::Combination(format!(
                "step_k = {step_k} is not a multiple of a block, {BLOCK}"
            )));
        }
        let threads = self.threads_m * self.threads_n;
        let [block_n, block_m] = self.block();
        let items_a = block_m * rows / 4;
        // A word of each of four columns where B is packed, a vec4 of a row where it is not.
        let items_b = step_k / product.per_word.unwrap_or(1) * block_n / 4;
        let template = match product.per_word {
            Some(per_word) => shader!("matmul/tiled/shared.wgsl").constant("PER_WORD", per_word),
            None => shader!("matmul/tiled/shared.wgsl"),
        };
        Ok(template
            .constant("PACKED", product.packed().into())
            .constant("STEP_K", step_k)
            .constant("ROWS", rows)
            .constant("BUFFERS", buffers)
            .constant("PAD_A", product.pad())
            .constant("PAD_B", product.pad_b())
            .constant("UNROLL", self.unroll)
            .constant("ITEMS_A", items_a)
            .constant("ITEMS_B", items_b)
            .constant("LOADS_A", items_a.div_ceil(threads))
            .constant("LOADS_B", items_b.div_ceil(threads))
            .constant("EVEN_A", items_a.is_multiple_of(threads).into())
            .constant("EVEN_B", items_b.is_multiple_of(threads).into())
            .constant("K_TAIL", u32::from(!product.k.is_multiple_of(step_k))))
    }
}

/// The dispatch that adds up the pieces of a split K.
fn sum<F: Fn(Template) -> Template>(
    product: &TiledProduct<F>,
    pieces: u32,
) -> Result<Dispatch, Unsupported> {
    let elements = u64::from(product.m) * u64::from(product.n);
    let width: u32 = if elements.is_multiple_of(4) { 4 } else { 1 };
    let count = u32::try_from(elements / u64::from(width))
        .map_err(|_| Unsupported::combination("C is too large to be added up in pieces"))?;
    let groups = grid(count.div_ceil(SUM_THREADS).into());
    let template = (product.fill)(shader!("matmul/tiled/sum.wgsl"))
        .constant("WIDTH", width)
        .constant("COUNT", count)
        .constant("PIECES", pieces)
        .constant("WORKGROUP", SUM_THREADS)
        .constant("GROUPS_X", groups[0]);
    let c = product.inputs;
    Ok(Dispatch::new(&template, &[c + 1, c], 1)?
        .groups(groups)
        .workgroup([SUM_THREADS, 1, 1], 0))
}
