//! Frequencies of rotary embedding and how models stretch them to longer texts.

use std::f32::consts::PI;

use serde::Deserialize;

use crate::checkpoint::CheckpointError;

/// `rope_parameters` of `config.json` (transformers 5), or its `rope_scaling` (before).
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub struct RopeParameters {
    /// Base of the frequencies; transformers 5 keeps it here.
    pub rope_theta: Option<f64>,
    /// "default", "linear", "llama3" or "yarn".
    pub rope_type: Option<String>,
    /// Older name of `rope_type`.
    pub r#type: Option<String>,
    /// How many times longer texts may be.
    pub factor: Option<f64>,
    /// The context the model was trained with before it was stretched.
    pub original_max_position_embeddings: Option<usize>,
    /// llama3: wavelengths above `original context / low_freq_factor` are stretched in full.
    pub low_freq_factor: Option<f64>,
    /// llama3: wavelengths below `original context / high_freq_factor` stay.
    pub high_freq_factor: Option<f64>,
    /// yarn: scale of cos and sin.
    pub attention_factor: Option<f64>,
    /// yarn: turns over the original context above which a frequency stays.
    pub beta_fast: Option<f64>,
    /// yarn: turns below which it is stretched in full.
    pub beta_slow: Option<f64>,
    /// yarn: see `mscale_all_dim`.
    pub mscale: Option<f64>,
    /// yarn: where both are given, the scale of cos and sin is the quotient of theirs.
    pub mscale_all_dim: Option<f64>,
    /// yarn: whether the bounds of the ramp are whole numbers.
    pub truncate: Option<bool>,
    /// Share of a head that is rotated; only 1 is supported.
    pub partial_rotary_factor: Option<f64>,
}

/// What a rotary embedding is made of.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Frequencies {
    /// `[head_dim / 2]`, radians per position.
    pub inv_freq: Vec<f32>,
    /// Scale of cos and sin.
    pub attention_factor: f32,
}

impl RopeParameters {
    /// The kind of scaling.
    fn kind(&self) -> &str {
        self.rope_type.as_deref().or(self.r#type.as_deref()).unwrap_or("default")
    }

    /// Frequencies of a head of `head_dim`, in `f32` in the order of transformers, so that positions far out agree too.
    ///
    /// `context` is `max_position_embeddings`.
    pub(super) fn frequencies(
        &self,
        rope_theta: f64,
        head_dim: usize,
        context: usize,
    ) -> Result<Frequencies, CheckpointError> {
        let theta = self.rope_theta.unwrap_or(rope_theta);
        if !(theta.is_finite() && theta > 1.0) {
            return Err(CheckpointError::Config(format!("rope_theta cannot be {theta}")));
        }
        if self.partial_rotary_factor.is_some_and(|share| share != 1.0) {
            return Err(CheckpointError::unsupported("rotating only a part of each head", "use another model"));
        }
        let plain: Vec<f32> =
            (0..head_dim / 2).map(|i| 1.0 / (theta as f32).powf((2 * i) as f32 / head_dim as f32)).collect();
        let attention_factor = 1.0;
        match self.kind() {
            "default" => Ok(Frequencies { inv_freq: plain, attention_factor }),
            "linear" => {
                let factor = self.positive("factor", self.factor)?;
                Ok(Frequencies { inv_freq: plain.into_iter().map(|f| f / factor).collect(), attention_factor })
            }
            "llama3" => Ok(Frequencies { inv_freq: self.llama3(plain)?, attention_factor }),
            "yarn" => self.yarn(plain, theta, context),
            other => Err(CheckpointError::unsupported(
                format!("rotary scaling of the kind {other}"),
                "use a model with linear, llama3 or yarn scaling, or with none",
            )),
        }
    }

    fn positive(&self, name: &str, value: Option<f64>) -> Result<f32, CheckpointError> {
        match value {
            Some(v) if v.is_finite() && v > 0.0 => Ok(v as f32),
            Some(v) => Err(CheckpointError::Config(format!("{name} of the {} scaling cannot be {v}", self.kind()))),
            None => Err(CheckpointError::Config(format!("the {} scaling lacks its {name}", self.kind()))),
        }
    }

    fn original_context(&self) -> Option<f64> {
        self.original_max_position_embeddings.map(|n| n as f64)
    }

    /// LLaMA 3.1: long wavelengths are stretched, short ones stay, those between are mixed.
    fn llama3(&self, plain: Vec<f32>) -> Result<Vec<f32>, CheckpointError> {
        let factor = self.positive("factor", self.factor)?;
        let low = self.positive("low_freq_factor", self.low_freq_factor)?;
        let high = self.positive("high_freq_factor", self.high_freq_factor)?;
        let context = self.positive("original_max_position_embeddings", self.original_context())?;
        if high <= low {
            return Err(CheckpointError::Config(format!("high_freq_factor {high} is not above low_freq_factor {low}")));
        }
        let stretch = |f: f32| {
            let wavelength = 2.0 * PI / f;
            if wavelength < context / high {
                f
            } else if wavelength > context / low {
                f / factor
            } else {
                let smooth = (context / wavelength - low) / (high - low);
                (1.0 - smooth) * f / factor + smooth * f
            }
        };
        Ok(plain.into_iter().map(stretch).collect())
    }

    /// YaRN (Peng et al., 2023): a ramp over the dimensions between frequencies that stay and those that are stretched.
    fn yarn(&self, plain: Vec<f32>, theta: f64, context: usize) -> Result<Frequencies, CheckpointError> {
        let factor = self.positive("factor", self.factor)?;
        let context = self.original_context().unwrap_or(context as f64);
        let head_dim = 2.0 * plain.len() as f64;
        // The dimension whose frequency makes so many turns over the original context.
        let dimension = |turns: f64| head_dim * (context / (turns * std::f64::consts::TAU)).ln() / (2.0 * theta.ln());
        let (mut low, mut high) = (dimension(self.beta_fast.unwrap_or(32.0)), dimension(self.beta_slow.unwrap_or(1.0)));
        if self.truncate.unwrap_or(true) {
            (low, high) = (low.floor(), high.ceil());
        }
        let (low, mut high) = (low.max(0.0) as f32, high.min(head_dim - 1.0) as f32);
        if low == high {
            high += 0.001;
        }
        let inv_freq = plain.into_iter().enumerate().map(|(i, f)| {
            let stretched = ((i as f32 - low) / (high - low)).clamp(0.0, 1.0);
            f / factor * stretched + f * (1.0 - stretched)
        });
        let magnitude = |scale: f64| if factor <= 1.0 { 1.0 } else { 0.1 * scale * f64::from(factor).ln() + 1.0 };
        let attention_factor = match (self.attention_factor, self.mscale, self.mscale_all_dim) {
            (Some(given), ..) => given,
            (None, Some(scale), Some(all)) if scale != 0.0 && all != 0.0 => magnitude(scale) / magnitude(all),
            _ => magnitude(1.0),
        };
        Ok(Frequencies { inv_freq: inv_freq.collect(), attention_factor: attention_factor as f32 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// LLaMA 3.1 8B; the values are transformers' `LlamaRotaryEmbedding.inv_freq`.
    #[test]
    fn llama_3_1_stretches_as_transformers_does() {
        let parameters = RopeParameters {
            rope_type: Some("llama3".into()),
            factor: Some(8.0),
            low_freq_factor: Some(1.0),
            high_freq_factor: Some(4.0),
            original_max_position_embeddings: Some(8192),
            ..RopeParameters::default()
        };
        let frequencies = parameters.frequencies(500_000.0, 128, 131_072).expect("known");
        assert_eq!((frequencies.inv_freq.len(), frequencies.attention_factor), (64, 1.0));
        for (i, expected) in [
            (0, 1.0),
            (1, 0.814_617_2),
            (20, 0.016_560_44),
            (28, 0.003_211_446),
            (29, 0.002_166_570_6),
            (31, 0.000_856_751_46),
            (34, 0.000_178_507_8),
            (35, 9.556_212e-5),
            (36, 7.784_655e-5),
            (40, 3.428_102_4e-5),
            (63, 3.068_926e-7),
        ] {
            let found = frequencies.inv_freq[i];
            assert!((found / expected - 1.0f32).abs() < 1e-5, "frequency {i}: {found}, not {expected}");
        }
    }
}
