//! Rotary position embedding (RoPE), halves rotated as Hugging Face does it.

use std::f64::consts::PI;

use burn::tensor::{Device, Tensor, TensorData};
use serde::Deserialize;

/// `rope_scaling` of a Hugging Face configuration: how frequencies are stretched for longer contexts.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "rope_type", rename_all = "lowercase")]
pub enum RopeScaling {
    /// Not stretched.
    Default {},
    /// All frequencies divided by `factor`.
    Linear {
        /// How many times longer the context is.
        factor: f64,
    },
    /// LLaMA 3.1: low frequencies divided, high ones kept, a smooth passage between.
    Llama3 {
        /// How many times longer the context is.
        factor: f64,
        /// Wavelengths above `original / low_freq_factor` are divided by `factor`.
        low_freq_factor: f64,
        /// Wavelengths below `original / high_freq_factor` are kept.
        high_freq_factor: f64,
        /// Context the model was first trained with.
        original_max_position_embeddings: usize,
    },
}

impl RopeScaling {
    /// The stretched form of one inverse frequency.
    fn apply(&self, inv_freq: f64) -> f64 {
        match *self {
            RopeScaling::Default {} => inv_freq,
            RopeScaling::Linear { factor } => inv_freq / factor,
            RopeScaling::Llama3 { factor, low_freq_factor, high_freq_factor, original_max_position_embeddings } => {
                let original = original_max_position_embeddings as f64;
                let wavelength = 2.0 * PI / inv_freq;
                if wavelength > original / low_freq_factor {
                    inv_freq / factor
                } else if wavelength < original / high_freq_factor {
                    inv_freq
                } else {
                    let smooth = (original / wavelength - low_freq_factor) / (high_freq_factor - low_freq_factor);
                    (1.0 - smooth) * inv_freq / factor + smooth * inv_freq
                }
            }
        }
    }
}

/// Tables of cosines and sines for every position of the context.
#[derive(Debug, Clone)]
pub struct Rotary {
    /// `[positions, dh]`
    cos: Tensor<2>,
    /// `[positions, dh]`, the first half negated: `rotate_half(x) * sin == swap_halves(x) * signed_sin`.
    signed_sin: Tensor<2>,
}

impl Rotary {
    /// Tables for heads of width `head_dim` and positions below `positions`.
    pub fn new(head_dim: usize, theta: f64, scaling: &RopeScaling, positions: usize, device: &Device) -> Self {
        let half = head_dim / 2;
        let inv_freqs: Vec<f64> =
            (0..half).map(|i| scaling.apply(theta.powf(-2.0 * i as f64 / head_dim as f64))).collect();
        let mut cos = Vec::with_capacity(positions * head_dim);
        let mut signed_sin = Vec::with_capacity(positions * head_dim);
        for position in 0..positions {
            // The reference multiplies position and frequency in f32.
            let angles = inv_freqs.iter().map(|&f| f64::from(position as f32 * f as f32));
            let (sines, cosines): (Vec<f32>, Vec<f32>) =
                angles.map(|a| (a.sin() as f32, a.cos() as f32)).unzip();
            cos.extend(cosines.iter().chain(&cosines));
            signed_sin.extend(sines.iter().map(|s| -s).chain(sines.iter().copied()));
        }
        let table = |values| Tensor::from_data(TensorData::new(values, [positions, head_dim]), device);
        Self { cos: table(cos), signed_sin: table(signed_sin) }
    }

    /// Rotates `x` `[b, h, t, dh]`, whose first row stands at position `offset`.
    pub fn apply(&self, x: Tensor<4>, offset: usize) -> Tensor<4> {
        let [_, _, t, dh] = x.dims();
        let rows = |table: &Tensor<2>| table.clone().slice([offset..offset + t]).unsqueeze::<4>();
        let swapped = Tensor::cat(
            vec![x.clone().narrow(3, dh / 2, dh / 2), x.clone().narrow(3, 0, dh / 2)],
            3,
        );
        x * rows(&self.cos) + swapped * rows(&self.signed_sin)
    }

    /// How many positions there are tables for.
    pub fn positions(&self) -> usize {
        self.cos.dims()[0]
    }
}
