//! The vision networks' own CPU kernels.
//!
//! burn's Flex backend is two to ten times slower than onnxruntime on these networks, so on the CPU every block
//! ([`super::blocks`]) runs here instead; on a GPU it runs as plain burn operations, which are also what the tests
//! compare these kernels with.
//!
//! * Feature maps are channels-last, `[b, h, w, c]` ([`Map`]): a 1×1 convolution is a matrix product without any
//!   rearrangement, and a depthwise convolution is a sum of products of whole vectors of channels.
//! * Vectors come from `pulp`: AVX-512, AVX2, NEON or scalar code, chosen at run time from one source.
//! * [`gemm`] is the only matrix kernel; [`stem`], [`mixer`] and [`multi_scale`] run several layers in one pass, so that
//!   what lies between them stays in the cache.

pub(super) mod attention;
pub(super) mod conv;
pub(super) mod depthwise;
pub(super) mod elementwise;
pub(super) mod gemm;
mod map;
pub(super) mod mixer;
mod multi_scale;
pub(super) mod stem;

pub(super) use conv::DenseWeights;
pub(super) use depthwise::DepthwiseWeights;
pub(super) use map::Map;
pub(super) use multi_scale::MultiScaleWeights;

use crate::cpu::simd;
