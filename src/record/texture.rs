//! Textures and samplers of custom kernels, as a workload file declares them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CustomDtype;

/// What a texture is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CustomTexture {
    /// How a texel is stored.
    pub format: TexelFormat,
    /// Texels along each dimension; layers come last.
    pub size: [u32; 3],
    /// Which dimensions it has.
    pub dimension: TextureDimension,
    /// How many mip levels it has: itself, and smaller ones after it. Since version 1.8.
    #[serde(default = "one_level", skip_serializing_if = "is_one_level")]
    pub levels: u32,
}

const fn one_level() -> u32 {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
const fn is_one_level(levels: &u32) -> bool {
    *levels == 1
}

impl CustomTexture {
    /// Bytes of all texels of all levels, nothing between the rows; none where they are more than a number holds.
    pub fn bytes(&self) -> Option<u64> {
        self.each_level().try_fold(0_u64, |all, level| {
            let texels = level
                .size
                .iter()
                .try_fold(1_u64, |all, n| all.checked_mul(u64::from(*n)))?;
            let numbers = texels.checked_mul(self.format.channels())?;
            all.checked_add(numbers.checked_mul(self.format.dtype().bytes())?)
        })
    }

    /// The most levels that a texture of this size can have: down to one texel.
    pub fn most_levels(&self) -> u32 {
        let [width, height, last] = self.size;
        let longest = match self.dimension {
            // WebGPU gives these one.
            TextureDimension::D1 => 1,
            TextureDimension::D3 => width.max(height).max(last),
            _ => width.max(height),
        };
        longest.max(1).ilog2() + 1
    }

    /// Each level as a texture of its own.
    pub fn each_level(&self) -> impl Iterator<Item = Self> {
        let texture = *self;
        // A journal that was changed may say any number.
        (0..self.levels.min(self.most_levels())).map(move |level| {
            let half = |length: u32| (length >> level).max(1);
            let [width, height, last] = texture.size;
            let last = match texture.dimension {
                TextureDimension::D3 => half(last),
                // Layers are as many on each.
                _ => last,
            };
            Self {
                size: [half(width), half(height), last],
                levels: 1,
                ..texture
            }
        })
    }

    /// Bytes of one row of texels of the first level.
    pub fn row_bytes(&self) -> u64 {
        u64::from(self.size[0]) * self.format.channels() * self.format.dtype().bytes()
    }

    /// Bytes from one row to the next in a buffer that the texture is copied to.
    pub fn row_pitch(&self) -> u64 {
        /// What WebGPU has rows begin at multiples of.
        const ROW_ALIGNMENT: u64 = 256;
        self.row_bytes().next_multiple_of(ROW_ALIGNMENT)
    }

    /// Bytes of such a buffer for the first level, which is the largest.
    pub fn read_back_bytes(&self) -> u64 {
        self.row_pitch().saturating_mul(self.rows())
    }

    /// Rows of all layers of the first level together.
    pub fn rows(&self) -> u64 {
        u64::from(self.size[1]) * u64::from(self.size[2])
    }
}

/// Which dimensions a texture has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TextureDimension {
    /// `texture_1d`.
    #[serde(rename = "1d")]
    D1,
    /// `texture_2d`.
    #[serde(rename = "2d")]
    D2,
    /// `texture_2d_array`.
    #[serde(rename = "2d-array")]
    D2Array,
    /// `texture_3d`.
    #[serde(rename = "3d")]
    D3,
    /// `texture_cube`: six layers.
    #[serde(rename = "cube")]
    Cube,
    /// `texture_cube_array`: six layers for each.
    #[serde(rename = "cube-array")]
    CubeArray,
}

impl TextureDimension {
    /// Numbers of a size.
    pub const fn lengths(self) -> usize {
        match self {
            Self::D1 => 1,
            Self::D2 => 2,
            Self::D2Array | Self::D3 | Self::Cube | Self::CubeArray => 3,
        }
    }

    /// Whether one texture can be seen in both dimensions: layers, each of two dimensions, can.
    pub const fn shares_texels_with(self, other: Self) -> bool {
        const fn form(dimension: TextureDimension) -> u8 {
            match dimension {
                TextureDimension::D1 => 1,
                TextureDimension::D3 => 3,
                _ => 2,
            }
        }
        form(self) == form(other)
    }

    /// WGSL's name.
    pub const fn wgsl(self) -> &'static str {
        match self {
            Self::D1 => "texture_1d",
            Self::D2 => "texture_2d",
            Self::D2Array => "texture_2d_array",
            Self::D3 => "texture_3d",
            Self::Cube => "texture_cube",
            Self::CubeArray => "texture_cube_array",
        }
    }

    /// Whether its layers are faces of cubes.
    pub const fn is_cube(self) -> bool {
        matches!(self, Self::Cube | Self::CubeArray)
    }

    /// Whether a view of these dimensions shows all of so many layers.
    pub const fn shows(self, layers: u32) -> bool {
        match self {
            Self::D1 | Self::D2 => layers == 1,
            Self::D2Array | Self::D3 => true,
            Self::Cube => layers == 6,
            Self::CubeArray => layers > 0 && layers.is_multiple_of(6),
        }
    }
}

/// The texel formats with their names, channels and the form of one channel.
macro_rules! texel_formats {
    ($($variant:ident $name:literal $channels:literal $dtype:ident,)*) => {
        /// How a texel is stored, by WebGPU's names.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[allow(missing_docs, reason = "WebGPU's specification says what each is")]
        pub enum TexelFormat {
            $(#[serde(rename = $name)] $variant,)*
        }

        impl TexelFormat {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// WebGPU's name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Numbers of a texel.
            pub const fn channels(self) -> u64 {
                match self { $(Self::$variant => $channels,)* }
            }

            /// Whether it holds depths, which no shader of ours writes.
            pub const fn is_depth(self) -> bool {
                matches!(self, Self::Depth16Unorm | Self::Depth32Float)
            }

            /// How each is stored.
            pub const fn dtype(self) -> CustomDtype {
                match self { $(Self::$variant => CustomDtype::$dtype,)* }
            }
        }
    };
}

texel_formats! {
    R8Unorm "r8unorm" 1 Unorm8,
    R8Snorm "r8snorm" 1 Snorm8,
    R8Uint "r8uint" 1 U8,
    R8Sint "r8sint" 1 I8,
    R16Uint "r16uint" 1 U16,
    R16Sint "r16sint" 1 I16,
    R16Float "r16float" 1 F16,
    Rg8Unorm "rg8unorm" 2 Unorm8,
    Rg8Snorm "rg8snorm" 2 Snorm8,
    Rg8Uint "rg8uint" 2 U8,
    Rg8Sint "rg8sint" 2 I8,
    R32Uint "r32uint" 1 U32,
    R32Sint "r32sint" 1 I32,
    R32Float "r32float" 1 F32,
    Rg16Uint "rg16uint" 2 U16,
    Rg16Sint "rg16sint" 2 I16,
    Rg16Float "rg16float" 2 F16,
    Rgba8Unorm "rgba8unorm" 4 Unorm8,
    Rgba8Snorm "rgba8snorm" 4 Snorm8,
    Rgba8Uint "rgba8uint" 4 U8,
    Rgba8Sint "rgba8sint" 4 I8,
    Bgra8Unorm "bgra8unorm" 4 Unorm8,
    Rg32Uint "rg32uint" 2 U32,
    Rg32Sint "rg32sint" 2 I32,
    Rg32Float "rg32float" 2 F32,
    Rgba16Uint "rgba16uint" 4 U16,
    Rgba16Sint "rgba16sint" 4 I16,
    Rgba16Float "rgba16float" 4 F16,
    Rgba32Uint "rgba32uint" 4 U32,
    Rgba32Sint "rgba32sint" 4 I32,
    Rgba32Float "rgba32float" 4 F32,
    Depth16Unorm "depth16unorm" 1 Unorm16,
    Depth32Float "depth32float" 1 F32,
}

/// A sampler.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CustomSampler {
    /// The name of its variable, or the one that `bind` uses.
    pub name: String,
    /// How it reads between texels.
    pub filter: SamplerFilter,
    /// What it reads beyond the edges.
    pub address: SamplerAddress,
    /// What a `sampler_comparison` holds of a reference and a depth. Since version 1.7.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare: Option<SamplerComparison>,
}

/// When a comparison of a reference with a depth is true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names say what each is")]
pub enum SamplerComparison {
    Never,
    Less,
    Equal,
    LessEqual,
    Greater,
    NotEqual,
    GreaterEqual,
    Always,
}

/// How a sampler reads between texels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SamplerFilter {
    /// The next texel.
    #[default]
    Nearest,
    /// The mean of those around.
    Linear,
}

/// What a sampler reads beyond the edges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SamplerAddress {
    /// The texel at the edge.
    #[default]
    Clamp,
    /// The texture again from the other edge.
    Repeat,
    /// The texture again from the same edge.
    Mirror,
}
