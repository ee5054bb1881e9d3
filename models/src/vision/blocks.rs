//! Blocks shared by the vision networks. Feature maps are channels-last, `[b, h, w, c]`.
//!
//! Every block has one definition in burn operations; on the CPU the hot ones run in [`super::cpu`] instead.

use burn::tensor::{Tensor, TensorData, activation};

use super::conv::{Activation, Conv, Geometry, Ops};
use super::cpu::{self, Map, mixer::Pair};
use super::weights::Weights;
use crate::checkpoint::CheckpointError;

/// Squeeze-and-excitation: a factor per channel from the channels' means.
///
/// `gate = clamp(slope · expand(relu(reduce(mean(x)))) + 1/2, 0, 1)`
pub(super) struct SqueezeExcite {
    reduce: Conv,
    expand: Conv,
    slope: f32,
}

impl SqueezeExcite {
    /// PP-LCNetV4's slope of the hard sigmoid; PaddleOCR's older blocks have 0.2.
    pub const SLOPE_LCNET: f32 = 1.0 / 6.0;
    pub const SLOPE_PADDLE: f32 = 0.2;

    pub fn load(weights: &mut Weights, name: &str, channels: usize, slope: f32) -> Result<Self, CheckpointError> {
        let narrow = channels / 4;
        let reduce = Geometry::pointwise(channels, narrow);
        let expand = Geometry::pointwise(narrow, channels);
        Ok(Self {
            reduce: Conv::load(weights, &format!("{name}.reduce"), reduce, Activation::Relu)?,
            expand: Conv::load(weights, &format!("{name}.expand"), expand, Activation::None)?,
            slope,
        })
    }

    /// `[b, h, w, c]` → `[b, 1, 1, c]`
    pub fn gate(&self, x: Tensor<4>) -> Tensor<4> {
        let means = match self.reduce.dense() {
            Some(_) => {
                let map = Map::from_tensor(x);
                let mut means = Map::zeros([map.shape[0], 1, 1, map.shape[3]]);
                means.data_mut().copy_from_slice(&cpu::elementwise::channel_means(&map));
                means.into_tensor()
            }
            None => x.mean_dim(1).mean_dim(2),
        };
        let y = self.expand.forward(self.reduce.forward(means));
        (y * self.slope + 0.5).clamp(0.0, 1.0)
    }

    /// `x · gate(x)`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let gate = self.gate(x.clone());
        self.scale(x, gate)
    }

    /// `x + x · gate(x)`
    pub fn forward_residual(&self, x: Tensor<4>) -> Tensor<4> {
        let gate = self.gate(x.clone()) + 1.0;
        self.scale(x, gate)
    }

    fn scale(&self, x: Tensor<4>, gate: Tensor<4>) -> Tensor<4> {
        match self.reduce.dense() {
            Some(_) => {
                let (x, gate) = (Map::from_tensor(x), Map::from_tensor(gate));
                cpu::elementwise::scale_channels(&x, gate.data()).into_tensor()
            }
            None => x * gate,
        }
    }
}

/// A block of PP-LCNetV4: a depthwise 3×3 mixes neighbours, then two 1×1 with a GELU between them mix channels.
pub(super) struct LcNetBlock {
    depthwise: Conv,
    squeeze: Option<SqueezeExcite>,
    expand: Conv,
    compress: Conv,
    residual: bool,
}

/// What distinguishes one block from another.
#[derive(Debug, Clone, Copy)]
pub(super) struct LcNetBlockConfig {
    pub channels_in: usize,
    pub channels_out: usize,
    pub stride: [usize; 2],
    pub squeeze: bool,
}

impl LcNetBlock {
    pub fn load(weights: &mut Weights, name: &str, config: LcNetBlockConfig) -> Result<Self, CheckpointError> {
        let LcNetBlockConfig { channels_in, channels_out, stride, squeeze } = config;
        // Twice the input, less the channels that the recipe found dead.
        let hidden = weights.rows(&format!("{name}.expand.weight"))?;
        let mut conv =
            |part: &str, geometry, activation| Conv::load(weights, &format!("{name}.{part}"), geometry, activation);
        let depthwise = conv("depthwise", Geometry::depthwise(channels_in, [3, 3], stride), Activation::None)?;
        let expand = conv("expand", Geometry::pointwise(channels_in, hidden), Activation::Gelu)?;
        let compress = conv("compress", Geometry::pointwise(hidden, channels_out), Activation::None)?;
        let squeeze = squeeze
            .then(|| SqueezeExcite::load(weights, &format!("{name}.squeeze"), channels_in, SqueezeExcite::SLOPE_LCNET))
            .transpose()?;
        let residual = channels_in == channels_out && stride == [1, 1];
        Ok(Self { depthwise, squeeze, expand, compress, residual })
    }

    /// `[b, h, w, in]` → `[b, h', w', out]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let pair = self.expand.dense().zip(self.compress.dense()).map(|(first, second)| Pair {
            first,
            between: Activation::Gelu,
            second,
            after: Activation::None,
            residual: self.residual,
        });
        if let (Some(pair), None, Some(depthwise)) = (&pair, &self.squeeze, self.depthwise.depthwise_weights()) {
            return pair.forward_after(depthwise, &Map::from_tensor(x)).into_tensor();
        }
        let x = self.depthwise.forward(x);
        let gate = self.squeeze.as_ref().map(|s| s.gate(x.clone()));
        if let Some(pair) = pair {
            let gate = gate.map(Map::from_tensor);
            return pair.forward(&Map::from_tensor(x), gate.as_ref().map(Map::data)).into_tensor();
        }
        let x = match gate {
            Some(gate) => x * gate,
            None => x,
        };
        let y = self.compress.forward(self.expand.forward(x.clone()));
        if self.residual { x + y } else { y }
    }
}

/// The first layers of PP-LCNetV4: to a quarter of the size in two strides, with a pooled side branch.
pub(super) struct Stem {
    conv1: Conv,
    conv2a: Conv,
    conv2b: Conv,
    conv3: Conv,
    conv4: Conv,
}

impl Stem {
    pub fn load(weights: &mut Weights, name: &str, mid: usize, out: usize) -> Result<Self, CheckpointError> {
        let mut conv =
            |part: &str, geometry| Conv::load(weights, &format!("{name}.{part}"), geometry, Activation::Relu);
        Ok(Self {
            conv1: conv("conv1", Geometry::dense(3, mid, 3, [2, 2]))?,
            conv2a: conv("conv2a", Geometry::dense_2x2(mid, mid / 2))?,
            conv2b: conv("conv2b", Geometry::dense_2x2(mid / 2, mid))?,
            conv3: conv("conv3", Geometry::dense(2 * mid, mid, 3, [2, 2]))?,
            conv4: conv("conv4", Geometry::pointwise(mid, out))?,
        })
    }

    /// `[b, h, w, 3]` → `[b, h / 4, w / 4, out]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        if let [Some(conv1), Some(conv2a), Some(conv2b), Some(conv3), Some(conv4)] =
            [&self.conv1, &self.conv2a, &self.conv2b, &self.conv3, &self.conv4].map(Conv::dense)
        {
            let stem = cpu::stem::Stem { conv1, conv2a, conv2b, conv3, conv4 };
            return stem.forward(&Map::from_tensor(x)).into_tensor();
        }
        let x = self.conv1.forward(x);
        let convolved = self.conv2b.forward(self.conv2a.forward(x.clone()));
        let joined = Tensor::cat(vec![max_of_2x2(x), convolved], 3);
        self.conv4.forward(self.conv3.forward(joined))
    }
}

/// Maximum of every pixel and its right, lower and lower right neighbours; values are not negative, so that 0 stands in
/// for neighbours outside.
fn max_of_2x2(x: Tensor<4>) -> Tensor<4> {
    let [_, h, w, _] = x.dims();
    let padded = x.pad([(0, 1), (0, 1), (0, 0)], burn::tensor::ops::PadMode::Constant(0.0));
    let part = |y: usize, x: usize| padded.clone().slice([0..padded.dims()[0], y..y + h, x..x + w]);
    part(0, 0).max_pair(part(0, 1)).max_pair(part(1, 0).max_pair(part(1, 1)))
}

/// Layer norm over the channels.
pub(super) struct LayerNorm {
    gain: Vec<f32>,
    shift: Vec<f32>,
    epsilon: f32,
    tensors: Option<(Tensor<4>, Tensor<4>)>,
}

impl LayerNorm {
    pub fn load(weights: &mut Weights, name: &str, width: usize, epsilon: f32) -> Result<Self, CheckpointError> {
        let gain = weights.take(&format!("{name}.weight"), &[width])?;
        let shift = weights.take(&format!("{name}.bias"), &[width])?;
        let device = &weights.device;
        let tensor = |v: &[f32]| Tensor::from_data(TensorData::new(v.to_vec(), [1, 1, 1, width]), device);
        let tensors = (weights.ops == Ops::Burn).then(|| (tensor(&gain), tensor(&shift)));
        Ok(Self { gain, shift, epsilon, tensors })
    }

    /// `[b, h, w, c]` → the same shape.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        match &self.tensors {
            None => {
                cpu::attention::layer_norm(&Map::from_tensor(x), &self.gain, &self.shift, self.epsilon).into_tensor()
            }
            Some((gain, shift)) => {
                let centred = x.clone() - x.mean_dim(3);
                let variance = (centred.clone() * centred.clone()).mean_dim(3);
                centred / (variance + self.epsilon).sqrt() * gain.clone() + shift.clone()
            }
        }
    }
}

/// A transformer block over time steps, norm before each half (SVTR's "global mixing").
pub(super) struct SvtrBlock {
    norm1: LayerNorm,
    qkv: Conv,
    proj: Conv,
    norm2: LayerNorm,
    fc1: Conv,
    fc2: Conv,
    heads: usize,
    ops: Ops,
}

impl SvtrBlock {
    pub fn load(weights: &mut Weights, name: &str, width: usize, heads: usize) -> Result<Self, CheckpointError> {
        const EPSILON: f32 = 1e-5;
        let linear = |weights: &mut Weights, part: &str, shape, activation| {
            Conv::load_linear(weights, &format!("{name}.{part}"), shape, activation)
        };
        Ok(Self {
            norm1: LayerNorm::load(weights, &format!("{name}.norm1"), width, EPSILON)?,
            qkv: linear(weights, "qkv", [width, 3 * width], Activation::None)?,
            proj: linear(weights, "proj", [width, width], Activation::None)?,
            norm2: LayerNorm::load(weights, &format!("{name}.norm2"), width, EPSILON)?,
            fc1: linear(weights, "mlp.fc1", [width, 2 * width], Activation::Silu)?,
            fc2: linear(weights, "mlp.fc2", [2 * width, width], Activation::None)?,
            heads,
            ops: weights.ops,
        })
    }

    /// `[b, 1, t, d]` → the same shape.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let attended = self.attention(self.qkv.forward(self.norm1.forward(x.clone())));
        let x = self.proj.forward_add(attended, x);
        let widened = self.fc1.forward(self.norm2.forward(x.clone()));
        self.fc2.forward_add(widened, x)
    }

    /// `[b, 1, t, 3 · d]` → `[b, 1, t, d]`
    fn attention(&self, qkv: Tensor<4>) -> Tensor<4> {
        if self.ops == Ops::CpuKernels {
            return cpu::attention::attention(&Map::from_tensor(qkv), self.heads).into_tensor();
        }
        let [b, _, t, width] = qkv.dims();
        let (d, h) = (width / 3, self.heads);
        let e = d / h;
        let qkv: Tensor<5> = qkv.reshape([b, t, 3, h, e]).permute([2, 0, 3, 1, 4]);
        let part = |i: usize| -> Tensor<4> { qkv.clone().narrow(0, i, 1).squeeze_dim(0) };
        let scores = part(0).matmul(part(1).transpose()) * (1.0 / (e as f32).sqrt());
        let y = activation::softmax(scores, 3).matmul(part(2));
        y.permute([0, 2, 1, 3]).reshape([b, 1, t, d])
    }
}

/// Mean of blocks of `kh` × `kw` pixels; what does not fill a block at the lower and right edge is left out.
pub(super) fn average_pool(x: Tensor<4>, [kh, kw]: [usize; 2], ops: Ops) -> Tensor<4> {
    if ops == Ops::CpuKernels {
        return cpu::elementwise::average_pool(&Map::from_tensor(x), [kh, kw]).into_tensor();
    }
    let [b, h, w, c] = x.dims();
    let (out_h, out_w) = (h / kh, w / kw);
    let x = x.slice([0..b, 0..out_h * kh, 0..out_w * kw]).reshape([b, out_h, kh, out_w, kw, c]);
    x.mean_dim(2).mean_dim(4).reshape([b, out_h, out_w, c])
}
