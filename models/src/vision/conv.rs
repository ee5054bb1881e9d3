//! Convolutions with what follows them, the layer all vision networks are made of. Feature maps are channels-last, `[b, h, w, c]`.
//!
//! One definition in burn operations; on the CPU the hot forms run in [`super::cpu`] instead.

use burn::tensor::{Device, Tensor, TensorData, activation, module, ops::ConvOptions};

use super::cpu::{self, DenseWeights, DepthwiseWeights, Map, mixer::Pair};
use super::weights::Weights;
use crate::checkpoint::CheckpointError;

/// How blocks compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ops {
    /// Our kernels; the device must be Flex.
    CpuKernels,
    /// burn's operations, on any device.
    Burn,
}

impl Ops {
    /// Our kernels on the CPU, burn's operations elsewhere.
    pub fn for_device(device: &Device) -> Self {
        let probe = Tensor::<1>::zeros([1], device);
        match probe.try_into_primitive::<burn::backend::Flex>() {
            Ok(_) => Ops::CpuKernels,
            Err(_) => Ops::Burn,
        }
    }
}

/// What follows a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Activation {
    None,
    Relu,
    Gelu,
    Silu,
    HardSwish,
    Sigmoid,
}

impl Activation {
    fn apply(self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Activation::None => x,
            Activation::Relu => activation::relu(x),
            Activation::Gelu => activation::gelu(x),
            Activation::Silu => activation::silu(x),
            Activation::HardSwish => activation::hard_swish(x),
            Activation::Sigmoid => activation::sigmoid(x),
        }
    }
}

/// Shape of a convolution; pairs are vertical, horizontal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Geometry {
    pub channels_in: usize,
    pub channels_out: usize,
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    /// `[[top, bottom], [left, right]]`
    pub padding: [[usize; 2]; 2],
    /// Every channel by itself.
    pub depthwise: bool,
}

impl Geometry {
    /// 1×1.
    pub fn pointwise(channels_in: usize, channels_out: usize) -> Self {
        Self::dense(channels_in, channels_out, 1, [1, 1])
    }

    /// k×k over all channels, k odd, padded to keep the size (before the stride).
    pub fn dense(channels_in: usize, channels_out: usize, kernel: usize, stride: [usize; 2]) -> Self {
        let padding = [[kernel / 2; 2]; 2];
        Self { channels_in, channels_out, kernel: [kernel; 2], stride, padding, depthwise: false }
    }

    /// 2×2, padded with one row below and one column to the right ("same").
    pub fn dense_2x2(channels_in: usize, channels_out: usize) -> Self {
        Self { padding: [[0, 1]; 2], ..Self::dense(channels_in, channels_out, 2, [1, 1]) }
    }

    /// kh×kw, odd, every channel by itself.
    pub fn depthwise(channels: usize, kernel: [usize; 2], stride: [usize; 2]) -> Self {
        let padding = kernel.map(|k| [k / 2; 2]);
        Self { channels_in: channels, channels_out: channels, kernel, stride, padding, depthwise: true }
    }

    pub fn is_pointwise(&self) -> bool {
        self.kernel == [1, 1] && self.stride == [1, 1] && self.padding == [[0; 2]; 2]
    }

    /// `[out, in / groups, kh, kw]`
    fn weight_shape(&self) -> [usize; 4] {
        let per_group = if self.depthwise { 1 } else { self.channels_in };
        [self.channels_out, per_group, self.kernel[0], self.kernel[1]]
    }

    /// Height and width after the convolution.
    pub fn output_size(&self, input: [usize; 2]) -> [usize; 2] {
        std::array::from_fn(|i| {
            (input[i] + self.padding[i][0] + self.padding[i][1] - self.kernel[i]) / self.stride[i] + 1
        })
    }
}

/// A convolution with bias and activation.
pub(super) struct Conv {
    geometry: Geometry,
    activation: Activation,
    form: Form,
}

enum Form {
    Burn { weight: Tensor<4>, bias: Option<Tensor<1>> },
    Dense(DenseWeights),
    Depthwise(DepthwiseWeights),
}

impl Conv {
    /// Loads `{name}.weight [out, in / groups, kh, kw]` and, if there is one, `{name}.bias`.
    pub fn load(
        weights: &mut Weights,
        name: &str,
        geometry: Geometry,
        activation: Activation,
    ) -> Result<Self, CheckpointError> {
        let weight = weights.take(&format!("{name}.weight"), &geometry.weight_shape())?;
        let bias = weights.take_optional(&format!("{name}.bias"), &[geometry.channels_out])?;
        Ok(Self::new(&weight, bias.as_deref(), geometry, activation, weights.ops, &weights.device))
    }

    /// A linear layer, `{name}.weight [out, in]`: a 1×1 convolution.
    pub fn load_linear(
        weights: &mut Weights,
        name: &str,
        [channels_in, channels_out]: [usize; 2],
        activation: Activation,
    ) -> Result<Self, CheckpointError> {
        let weight = weights.take(&format!("{name}.weight"), &[channels_out, channels_in])?;
        let bias = weights.take_optional(&format!("{name}.bias"), &[channels_out])?;
        let geometry = Geometry::pointwise(channels_in, channels_out);
        Ok(Self::new(&weight, bias.as_deref(), geometry, activation, weights.ops, &weights.device))
    }

    pub fn new(
        weight: &[f32],
        bias: Option<&[f32]>,
        geometry: Geometry,
        activation: Activation,
        ops: Ops,
        device: &Device,
    ) -> Self {
        let form = match ops {
            Ops::CpuKernels if geometry.depthwise => Form::Depthwise(DepthwiseWeights::pack(weight, bias, geometry)),
            Ops::CpuKernels => Form::Dense(DenseWeights::pack(weight, bias, geometry)),
            Ops::Burn => Form::Burn {
                weight: Tensor::from_data(TensorData::new(weight.to_vec(), geometry.weight_shape()), device),
                bias: bias.map(|b| Tensor::from_data(TensorData::new(b.to_vec(), [b.len()]), device)),
            },
        };
        Self { geometry, activation, form }
    }

    /// `[b, h, w, in]` → `[b, h', w', out]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        match &self.form {
            Form::Dense(conv) => conv.forward(&Map::from_tensor(x), None, self.activation).into_tensor(),
            Form::Depthwise(conv) => conv.forward(&Map::from_tensor(x), self.activation).into_tensor(),
            Form::Burn { weight, bias } => {
                let Geometry { stride, padding, depthwise, channels_in, .. } = self.geometry;
                let groups = if depthwise { channels_in } else { 1 };
                let mut options = ConvOptions::new(stride, [0, 0], [1, 1], groups);
                options.padding = padding.map(|[before, after]| (before, after));
                let y = module::conv2d(to_channels_first(x), weight.clone(), bias.clone(), options);
                self.activation.apply(to_channels_last(y))
            }
        }
    }

    /// `forward(x) + residual`, for 1×1 convolutions without activation.
    pub fn forward_add(&self, x: Tensor<4>, residual: Tensor<4>) -> Tensor<4> {
        match &self.form {
            Form::Dense(conv) => {
                let residual = Map::from_tensor(residual);
                conv.forward(&Map::from_tensor(x), Some(&residual), self.activation).into_tensor()
            }
            _ => self.forward(x) + residual,
        }
    }

    /// `second(first(x))` of two 1×1 convolutions, in one pass on the CPU.
    pub fn forward_pair(first: &Conv, second: &Conv, x: Tensor<4>) -> Tensor<4> {
        match (first.dense(), second.dense()) {
            (Some(a), Some(b)) => {
                let pair =
                    Pair { first: a, between: first.activation, second: b, after: second.activation, residual: false };
                pair.forward(&Map::from_tensor(x), None).into_tensor()
            }
            _ => second.forward(first.forward(x)),
        }
    }

    /// `fine + coarse`, `coarse` enlarged twice by repeating pixels.
    pub fn add_upsampled(&self, fine: Tensor<4>, coarse: Tensor<4>) -> Tensor<4> {
        match self.dense() {
            Some(_) => {
                let (fine, coarse) = (Map::from_tensor(fine), Map::from_tensor(coarse));
                cpu::elementwise::add_upsampled(&fine, &coarse).into_tensor()
            }
            None => fine + repeat_pixels(coarse, 2),
        }
    }

    /// The packed weights, if this is a depthwise convolution on the CPU.
    pub fn depthwise_weights(&self) -> Option<&DepthwiseWeights> {
        match &self.form {
            Form::Depthwise(conv) => Some(conv),
            _ => None,
        }
    }

    pub fn dense(&self) -> Option<&DenseWeights> {
        match &self.form {
            Form::Dense(conv) => Some(conv),
            _ => None,
        }
    }
}

fn to_channels_first(x: Tensor<4>) -> Tensor<4> {
    x.permute([0, 3, 1, 2])
}

fn to_channels_last(x: Tensor<4>) -> Tensor<4> {
    x.permute([0, 2, 3, 1])
}

/// Every pixel `factor` × `factor` times: `[b, h, w, c]` → `[b, h · factor, w · factor, c]`.
pub(super) fn repeat_pixels(x: Tensor<4>, factor: usize) -> Tensor<4> {
    let [b, h, w, c] = x.dims();
    x.reshape([b, h, 1, w, 1, c]).expand([b, h, factor, w, factor, c]).reshape([b, h * factor, w * factor, c])
}
