//! From what the vision tower sees to what the language model reads.

use burn::tensor::{Device, Tensor};

use super::{CogVlmConfig, VISION};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::int4::Precision;
use crate::nn::{FusedLinear, LayerNorm, Linear, gelu, load, swiglu};
use crate::text::TensorShape;
use crate::vlm::pixel_shuffle::pixel_shuffle;

/// Patches in each direction that become one position.
const SQUARE: usize = 2;
/// Of the norm; the published code takes torch's own.
const EPS: f64 = 1e-5;

/// Names of the connector's linear layers in the checkpoint, its convolution left out.
pub const LINEARS: [&str; 4] = [
    "model.vision.linear_proj.linear_proj",
    "model.vision.linear_proj.gate_proj",
    "model.vision.linear_proj.dense_h_to_4h",
    "model.vision.linear_proj.dense_4h_to_h",
];

/// Every tensor of the connector.
pub(super) fn tensors(config: &CogVlmConfig) -> Vec<TensorShape> {
    let (v, d, inner) = (config.vision_config.hidden_size, config.hidden_size, config.intermediate_size);
    let [proj, gate, up, down] = LINEARS;
    let linears = [(proj, [d, v]), (gate, [inner, d]), (up, [inner, d]), (down, [d, inner])];
    let mut tensors: Vec<TensorShape> = linears.map(|(name, shape)| (format!("{name}.weight"), shape.to_vec())).into();
    let others = [
        ("conv.weight", vec![v, v, SQUARE, SQUARE]),
        ("conv.bias", vec![v]),
        ("linear_proj.norm1.weight", vec![d]),
        ("linear_proj.norm1.bias", vec![d]),
        ("boi", vec![1, 1, d]),
        ("eoi", vec![1, 1, d]),
    ];
    tensors.extend(others.map(|(name, shape)| (format!("{VISION}.{name}"), shape)));
    tensors
}

/// A convolution that makes one position of four patches, a projection, a gated MLP, and a mark at either end.
#[derive(Debug)]
pub struct Connector {
    /// From the four patches of a square, one after the other.
    conv: Linear,
    linear_proj: Linear,
    norm1: LayerNorm,
    /// `gate_proj` and `dense_h_to_4h`.
    gate_up: FusedLinear<2>,
    dense_4h_to_h: Linear,
    /// Begins a picture, `[1, 1, d]`.
    boi: Tensor<3>,
    /// Ends a picture, `[1, 1, d]`.
    eoi: Tensor<3>,
}

impl Connector {
    /// Reads the connector.
    ///
    /// # Errors
    /// [`CheckpointError`] if a tensor is missing, of another shape, or damaged.
    pub fn load(
        checkpoint: &Checkpoint,
        config: &CogVlmConfig,
        precision: Precision,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        let (v, d, inner) = (config.vision_config.hidden_size, config.hidden_size, config.intermediate_size);
        let name = |tensor: &str| format!("{VISION}.{tensor}");
        let [proj, gate, up, down] = LINEARS;
        let linear = |name, from, to| Linear::load(checkpoint, name, from, to, device);
        let gate_up = [gate, up].map(String::from);
        Ok(Self {
            conv: load_conv(checkpoint, v, device)?,
            linear_proj: linear(proj, v, d)?.with_precision(precision),
            norm1: LayerNorm::load(checkpoint, &name("linear_proj.norm1"), d, EPS, device)?,
            gate_up: FusedLinear::load_joined(checkpoint, gate_up, d, [inner; 2], device)?.with_precision(precision),
            dense_4h_to_h: linear(down, inner, d)?.with_precision(precision),
            boi: load(checkpoint, &name("boi"), [1, 1, d], device)?,
            eoi: load(checkpoint, &name("eoi"), [1, 1, d], device)?,
        })
    }

    /// What the tower sees in a picture, `[1, 1 + side², d_vision]` with the class token, to the positions of a prompt,
    /// `[1, (side / 2)² + 2, d]`.
    pub fn forward(&self, seen: Tensor<3>) -> Tensor<3> {
        let patches = seen.dims()[1] - 1;
        let squares = self.conv.forward(pixel_shuffle(seen.narrow(1, 1, patches), SQUARE));
        let x = gelu(self.norm1.forward(self.linear_proj.forward(squares)));
        let [gate, up] = self.gate_up.forward(x);
        let x = self.dense_4h_to_h.forward(swiglu(gate, up));
        Tensor::cat(vec![self.boi.clone(), x, self.eoi.clone()], 1)
    }

    /// Bytes the linear layers take in memory.
    pub fn bytes(&self) -> usize {
        let linears = [&self.conv, &self.linear_proj, &self.dense_4h_to_h];
        linears.into_iter().map(Linear::bytes).sum::<usize>() + self.gate_up.bytes()
    }
}

/// The convolution `[out, in, 2, 2]` as a product with the four patches of a square.
fn load_conv(checkpoint: &Checkpoint, d: usize, device: &Device) -> Result<Linear, CheckpointError> {
    let kernel = checkpoint.tensor(&format!("{VISION}.conv.weight"), &[d, d, SQUARE, SQUARE])?;
    let bias = checkpoint.tensor(&format!("{VISION}.conv.bias"), &[d])?;
    let area = SQUARE * SQUARE;
    let row = |out: &[f32]| (0..area * d).map(|n| out[n % d * area + n / d]).collect::<Vec<_>>();
    let weight = kernel.chunks_exact(area * d).flat_map(row).collect();
    Ok(Linear::from_rows(weight, d, Some(bias), device))
}
