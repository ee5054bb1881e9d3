//! Blocks shared by networks: norms, rotary embedding, attention with a KV cache, sampling.

pub mod attention_op;
