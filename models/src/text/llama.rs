//! The Llama family: SmolLM2, LLaMA 2 and 3.
//!
//! Reference: `transformers/models/llama/modeling_llama.py`; names of modules and configuration fields are those of
//! Hugging Face.

use std::sync::Arc;

use burn::tensor::{Device, Tensor, activation::silu};
use serde::Deserialize;

use super::{Block, BlockModel, BlockState, TextError};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::nn::attention_op::attention;
use crate::nn::{Embedding, KvCache, Linear, RmsNorm, RopeScaling, Rotary};

/// `config.json` of a Llama model; fields and defaults as in transformers.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct LlamaConfig {
    /// Width of the model, `d`.
    pub hidden_size: usize,
    /// Width inside the MLP.
    pub intermediate_size: usize,
    /// Blocks.
    pub num_hidden_layers: usize,
    /// Query heads, `h`.
    pub num_attention_heads: usize,
    /// Key and value heads, `h_kv`; as many as query heads if absent.
    pub num_key_value_heads: Option<usize>,
    /// Width of a head, `dh`; `hidden_size / num_attention_heads` if absent.
    pub head_dim: Option<usize>,
    /// Tokens.
    pub vocab_size: usize,
    /// Added under the root of the norms.
    #[serde(default = "default_eps")]
    pub rms_norm_eps: f64,
    /// Base of the rotary frequencies.
    #[serde(default = "default_theta")]
    pub rope_theta: f64,
    /// How rotary frequencies are stretched.
    pub rope_scaling: Option<RopeScaling>,
    /// Newer spelling of the two fields above.
    rope_parameters: Option<RopeParameters>,
    /// Positions.
    #[serde(default = "default_positions")]
    pub max_position_embeddings: usize,
    /// Whether the output head is the embedding.
    #[serde(default)]
    pub tie_word_embeddings: bool,
    /// Activation of the MLP; only `silu` is known.
    #[serde(default = "default_act")]
    pub hidden_act: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct RopeParameters {
    rope_theta: Option<f64>,
    #[serde(flatten)]
    scaling: RopeScaling,
}

fn default_eps() -> f64 {
    1e-6
}
fn default_theta() -> f64 {
    10_000.0
}
fn default_positions() -> usize {
    2048
}
fn default_act() -> String {
    "silu".into()
}

/// Widths beyond this are no model but a damaged or hostile file.
const LARGEST_WIDTH: usize = 1 << 20;
/// Positions beyond this get no rotary tables; longer texts do not fit a laptop's cache anyway.
const LARGEST_CONTEXT: usize = 32_768;

impl LlamaConfig {
    /// Reads the fields of a checkpoint's configuration and checks that they fit together.
    ///
    /// # Errors
    /// [`CheckpointError::Config`] says which field is wrong.
    pub fn from_checkpoint(checkpoint: &Checkpoint) -> Result<Self, CheckpointError> {
        let mut config: Self =
            Self::deserialize(&checkpoint.config).map_err(|e| CheckpointError::Config(e.to_string()))?;
        if let Some(rope) = config.rope_parameters.take() {
            config.rope_theta = rope.rope_theta.unwrap_or(config.rope_theta);
            config.rope_scaling = Some(rope.scaling);
        }
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), CheckpointError> {
        let wrong = |what: String| Err(CheckpointError::Config(what));
        let widths = [
            ("hidden_size", self.hidden_size),
            ("intermediate_size", self.intermediate_size),
            ("num_hidden_layers", self.num_hidden_layers),
            ("num_attention_heads", self.num_attention_heads),
            ("num_key_value_heads", self.kv_heads()),
            ("vocab_size", self.vocab_size),
            ("max_position_embeddings", self.max_position_embeddings),
            ("head_dim", self.head_dim()),
        ];
        if let Some((name, value)) = widths.iter().find(|(_, v)| !(1..=LARGEST_WIDTH).contains(v)) {
            return wrong(format!("{name} is {value}"));
        }
        if self.num_attention_heads % self.kv_heads() != 0 {
            let (h, kv) = (self.num_attention_heads, self.kv_heads());
            return wrong(format!("{h} query heads cannot share {kv} key-value heads"));
        }
        if self.head_dim() % 2 != 0 {
            return wrong(format!("head_dim is {}, but rotary embedding needs an even width", self.head_dim()));
        }
        if self.hidden_act != "silu" {
            return wrong(format!("hidden_act is {}, but only silu is known", self.hidden_act));
        }
        Ok(())
    }

    /// Key and value heads, `h_kv`.
    pub fn kv_heads(&self) -> usize {
        self.num_key_value_heads.unwrap_or(self.num_attention_heads)
    }

    /// Width of a head, `dh`.
    pub fn head_dim(&self) -> usize {
        self.head_dim.unwrap_or(self.hidden_size / self.num_attention_heads.max(1))
    }

    /// Positions that can be used.
    pub fn context(&self) -> usize {
        self.max_position_embeddings.min(LARGEST_CONTEXT)
    }

    fn rotary(&self, device: &Device) -> Rotary {
        let scaling = self.rope_scaling.clone().unwrap_or(RopeScaling::Default {});
        Rotary::new(self.head_dim(), self.rope_theta, &scaling, self.context(), device)
    }
}

/// Self-attention with grouped queries.
#[derive(Debug)]
struct LlamaAttention {
    q_proj: Linear,
    k_proj: Linear,
    v_proj: Linear,
    o_proj: Linear,
    head_dim: usize,
    rotary: Arc<Rotary>,
}

impl LlamaAttention {
    /// Everything between the normed input `x` `[b, t, d]` and the input of `o_proj`, `[b, t, h * dh]`.
    fn attend(&self, x: Tensor<3>, cache: &mut KvCache) -> Tensor<3> {
        let [b, t, _] = x.dims();
        let offset = cache.len();
        let heads = |y: Tensor<3>| {
            let h = y.dims()[2] / self.head_dim;
            y.reshape([b, t, h, self.head_dim]).swap_dims(1, 2)
        };
        let q = self.rotary.apply(heads(self.q_proj.forward(x.clone())), offset);
        let k = self.rotary.apply(heads(self.k_proj.forward(x.clone())), offset);
        let v = heads(self.v_proj.forward(x));
        let [k, v] = cache.append(k, v);
        let y = attention(q, k, v, offset);
        let h = y.dims()[1];
        y.swap_dims(1, 2).reshape([b, t, h * self.head_dim])
    }
}

/// Gated MLP.
#[derive(Debug)]
struct LlamaMlp {
    gate_proj: Linear,
    up_proj: Linear,
    down_proj: Linear,
}

/// One decoder block.
#[derive(Debug)]
pub struct LlamaBlock {
    input_layernorm: RmsNorm,
    self_attn: LlamaAttention,
    post_attention_layernorm: RmsNorm,
    mlp: LlamaMlp,
}

impl LlamaBlock {
    fn load(
        checkpoint: &Checkpoint,
        config: &LlamaConfig,
        rotary: Arc<Rotary>,
        block: usize,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        let prefix = format!("model.layers.{block}");
        let (d, intermediate, dh) = (config.hidden_size, config.intermediate_size, config.head_dim());
        let (q_width, kv_width) = (config.num_attention_heads * dh, config.kv_heads() * dh);
        let linear = |name: &str, from, to| Linear::load(checkpoint, &format!("{prefix}.{name}"), from, to, device);
        let norm =
            |name: &str| RmsNorm::load(checkpoint, &format!("{prefix}.{name}"), d, config.rms_norm_eps, device);
        Ok(Self {
            input_layernorm: norm("input_layernorm")?,
            self_attn: LlamaAttention {
                q_proj: linear("self_attn.q_proj", d, q_width)?,
                k_proj: linear("self_attn.k_proj", d, kv_width)?,
                v_proj: linear("self_attn.v_proj", d, kv_width)?,
                o_proj: linear("self_attn.o_proj", q_width, d)?,
                head_dim: dh,
                rotary,
            },
            post_attention_layernorm: norm("post_attention_layernorm")?,
            mlp: LlamaMlp {
                gate_proj: linear("mlp.gate_proj", d, intermediate)?,
                up_proj: linear("mlp.up_proj", d, intermediate)?,
                down_proj: linear("mlp.down_proj", intermediate, d)?,
            },
        })
    }
}

impl Block for LlamaBlock {
    fn begin(&self, x: Tensor<3>) -> BlockState {
        BlockState { input: self.input_layernorm.forward(x.clone()), residual: x }
    }

    fn advance(&self, stage: usize, BlockState { residual, input }: BlockState, cache: &mut KvCache) -> BlockState {
        match stage {
            0 => BlockState { residual, input: self.self_attn.attend(input, cache) },
            1 => {
                let residual = residual + self.self_attn.o_proj.forward(input);
                BlockState { input: self.post_attention_layernorm.forward(residual.clone()), residual }
            }
            2 => {
                let gate = silu(self.mlp.gate_proj.forward(input.clone()));
                BlockState { residual, input: gate * self.mlp.up_proj.forward(input) }
            }
            _ => BlockState { residual: residual + self.mlp.down_proj.forward(input.clone()), input },
        }
    }

    fn stages(&self) -> usize {
        4
    }

    fn linear_mut(&mut self, name: &str) -> Option<&mut Linear> {
        Some(match name {
            "self_attn.q_proj" => &mut self.self_attn.q_proj,
            "self_attn.k_proj" => &mut self.self_attn.k_proj,
            "self_attn.v_proj" => &mut self.self_attn.v_proj,
            "self_attn.o_proj" => &mut self.self_attn.o_proj,
            "mlp.gate_proj" => &mut self.mlp.gate_proj,
            "mlp.up_proj" => &mut self.mlp.up_proj,
            "mlp.down_proj" => &mut self.mlp.down_proj,
            _ => return None,
        })
    }
}

/// A Llama without its weights: loads and runs one block at a time.
#[derive(Debug)]
pub struct LlamaBlocks {
    config: LlamaConfig,
    rotary: Arc<Rotary>,
}

impl LlamaBlocks {
    /// Prepares to load blocks of `checkpoint` onto `device`.
    ///
    /// # Errors
    /// [`CheckpointError::Config`] if the configuration is wrong.
    pub fn new(checkpoint: &Checkpoint, device: &Device) -> Result<Self, CheckpointError> {
        let config = LlamaConfig::from_checkpoint(checkpoint)?;
        let rotary = Arc::new(config.rotary(device));
        Ok(Self { config, rotary })
    }

    /// The model's configuration.
    pub fn config(&self) -> &LlamaConfig {
        &self.config
    }
}

impl BlockModel for LlamaBlocks {
    fn num_blocks(&self) -> usize {
        self.config.num_hidden_layers
    }

    fn block_prefix(&self, block: usize) -> String {
        format!("model.layers.{block}")
    }

    fn stages(&self) -> Vec<Vec<(&'static str, usize, usize)>> {
        let (d, intermediate, dh) = (self.config.hidden_size, self.config.intermediate_size, self.config.head_dim());
        let (q_width, kv_width) = (self.config.num_attention_heads * dh, self.config.kv_heads() * dh);
        vec![
            vec![
                ("self_attn.q_proj", d, q_width),
                ("self_attn.k_proj", d, kv_width),
                ("self_attn.v_proj", d, kv_width),
            ],
            vec![("self_attn.o_proj", q_width, d)],
            vec![("mlp.gate_proj", d, intermediate), ("mlp.up_proj", d, intermediate)],
            vec![("mlp.down_proj", intermediate, d)],
        ]
    }

    fn load_block(
        &self,
        checkpoint: &Checkpoint,
        block: usize,
        device: &Device,
    ) -> Result<Box<dyn Block>, CheckpointError> {
        Ok(Box::new(LlamaBlock::load(checkpoint, &self.config, self.rotary.clone(), block, device)?))
    }

    fn embed(&self, checkpoint: &Checkpoint, tokens: &[u32], device: &Device) -> Result<Tensor<3>, CheckpointError> {
        let (vocab_size, d) = (self.config.vocab_size, self.config.hidden_size);
        if let Some(token) = tokens.iter().find(|&&t| t as usize >= vocab_size) {
            return Err(CheckpointError::Config(format!("token {token} is not in the vocabulary of {vocab_size}")));
        }
        let embedding = Embedding::load(checkpoint, "model.embed_tokens", vocab_size, d, false, device)?;
        Ok(embedding.gather(tokens, device).unsqueeze())
    }
}

/// A whole Llama.
#[derive(Debug)]
pub struct Llama {
    config: LlamaConfig,
    device: Device,
    embed_tokens: Embedding,
    layers: Vec<LlamaBlock>,
    norm: RmsNorm,
    /// `None` if the head is the embedding.
    lm_head: Option<Embedding>,
}

/// The KV caches of all layers.
#[derive(Debug, Clone)]
pub struct LlamaCache(Vec<KvCache>);

impl LlamaCache {
    /// Positions held.
    pub fn len(&self) -> usize {
        self.0.first().map_or(0, KvCache::len)
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all positions from `len` on: the encoded beginning of a text is kept for another continuation.
    pub fn truncate(&mut self, len: usize) {
        self.0.iter_mut().for_each(|cache| cache.truncate(len));
    }
}

impl Llama {
    /// Reads all weights of `checkpoint` onto `device`.
    ///
    /// # Errors
    /// [`CheckpointError`] if the configuration is wrong or a tensor is missing, of another shape, or damaged.
    pub fn load(checkpoint: &Checkpoint, device: &Device) -> Result<Self, CheckpointError> {
        let LlamaBlocks { config, rotary } = LlamaBlocks::new(checkpoint, device)?;
        let (vocab_size, d) = (config.vocab_size, config.hidden_size);
        let tied = config.tie_word_embeddings;
        let rows = |prefix, head| Embedding::load(checkpoint, prefix, vocab_size, d, head, device);
        let layers = (0..config.num_hidden_layers)
            .map(|block| LlamaBlock::load(checkpoint, &config, rotary.clone(), block, device))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            embed_tokens: rows("model.embed_tokens", tied)?,
            layers,
            norm: RmsNorm::load(checkpoint, "model.norm", d, config.rms_norm_eps, device)?,
            lm_head: if tied { None } else { Some(rows("lm_head", true)?) },
            device: device.clone(),
            config,
        })
    }

    /// The model's configuration.
    pub fn config(&self) -> &LlamaConfig {
        &self.config
    }

    /// The device the weights are on.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// An empty cache for [`Llama::forward`].
    pub fn cache(&self) -> LlamaCache {
        LlamaCache(vec![KvCache::default(); self.layers.len()])
    }

    /// Reads `tokens` behind what `cache` holds; the normed output of the last block, `[1, t, d]`.
    ///
    /// # Errors
    /// [`TextError`] if there is no token, one is not in the vocabulary, or the context is full.
    pub fn forward(&self, tokens: &[u32], cache: &mut LlamaCache) -> Result<Tensor<3>, TextError> {
        let (vocab_size, limit) = (self.config.vocab_size, self.config.context());
        if tokens.is_empty() {
            return Err(TextError::EmptyPrompt);
        }
        if let Some(&token) = tokens.iter().find(|&&t| t as usize >= vocab_size) {
            return Err(TextError::ForeignToken { token, vocab_size });
        }
        if cache.len() + tokens.len() > limit {
            return Err(TextError::TooLong { tokens: cache.len() + tokens.len(), limit });
        }
        let mut x: Tensor<3> = self.embed_tokens.gather(tokens, &self.device).unsqueeze();
        for (layer, cache) in self.layers.iter().zip(&mut cache.0) {
            x = layer.forward(x, cache);
        }
        Ok(self.norm.forward(x))
    }

    /// Logits `[b, t, vocab]` of outputs `hidden` `[b, t, d]` of [`Llama::forward`].
    pub fn logits(&self, hidden: Tensor<3>) -> Tensor<3> {
        let head = self.lm_head.as_ref().unwrap_or(&self.embed_tokens);
        head.head(hidden).expect("loaded as output head")
    }

    /// Logits of the token after the last of `hidden` `[1, t, d]`.
    ///
    /// # Errors
    /// [`TextError::Device`] if the device failed.
    pub fn next_logits(&self, hidden: Tensor<3>) -> Result<Vec<f32>, TextError> {
        let t = hidden.dims()[1];
        let logits = self.logits(hidden.narrow(1, t - 1, 1)).try_into_data();
        let logits = logits.map_err(|e| TextError::Device(format!("{e:?}")))?;
        logits.try_into_vec().map_err(|e| TextError::Device(format!("{e:?}")))
    }

    /// Bytes the weights take in memory, norms left out.
    pub fn bytes(&self) -> usize {
        let linears = |layer: &LlamaBlock| {
            let LlamaBlock { self_attn: a, mlp: m, .. } = layer;
            let all = [&a.q_proj, &a.k_proj, &a.v_proj, &a.o_proj, &m.gate_proj, &m.up_proj, &m.down_proj];
            all.iter().map(|l| l.bytes()).sum::<usize>()
        };
        let heads = self.embed_tokens.bytes() + self.lm_head.as_ref().map_or(0, Embedding::bytes);
        self.layers.iter().map(linears).sum::<usize>() + heads
    }
}
