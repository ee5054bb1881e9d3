//! Language models, and CogVLM2, of any width with random weights: to measure what quantizing takes where the weights themselves do not matter.

use std::collections::BTreeMap;
use std::path::PathBuf;

use burn::tensor::Device;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use sightread_models::checkpoint::{Checkpoint, CheckpointError, StoredType, TensorInfo, TensorSource};
use sightread_models::text::text_blocks;
use sightread_models::vlm::cogvlm::{BEGIN, CogVlmBlocks, CogVlmConfig, PAD};
use tokenizers::Tokenizer;

/// Configurations that are known by name, with the fields of the published models.
const KNOWN: [(&str, &str); 3] = [
    ("opt-6.7b", include_str!("random_model/opt-6.7b.json")),
    ("llama-3.1-8b", include_str!("random_model/llama-3.1-8b.json")),
    ("cogvlm2-19b", include_str!("random_model/cogvlm2-19b.json")),
];
/// Standard deviation of linear weights, embeddings and biases, and of norms around 1: what such models start training with.
const SPREAD: f32 = 0.02;
/// Values that one thread makes at a time, from a seed of their own: the number of threads changes nothing.
const PART: usize = 1 << 16;

/// The configuration of a published model.
pub fn known_config(name: &str) -> Option<Value> {
    KNOWN.iter().find(|(known, _)| *known == name).and_then(|(_, text)| serde_json::from_str(text).ok())
}

/// Names for [`known_config`].
pub fn known_names() -> impl Iterator<Item = &'static str> {
    KNOWN.iter().map(|(name, _)| *name)
}

/// `config` with other numbers of blocks: those of the language model and of a vision tower, if there is one.
pub fn with_layers(mut config: Value, layers: usize) -> Value {
    if let Some(vision) = config.get_mut("vision_config").and_then(Value::as_object_mut) {
        vision.insert("num_hidden_layers".into(), layers.into());
    }
    config["num_hidden_layers"] = layers.into();
    config
}

/// A language model or a CogVLM2 with random weights and a tokenizer of the words `w1`, `w2`, …; `path` is where it is said to come
/// from.
///
/// # Errors
/// [`CheckpointError`] if the configuration is wrong or of an unknown architecture.
pub fn random_model(config: Value, seed: u64, path: PathBuf) -> Result<Checkpoint, CheckpointError> {
    let tensors = Box::new(RandomTensors { seed, shapes: BTreeMap::new() });
    let empty = Checkpoint { path, config, tensors, tokenizer: None, chat_template: None };
    let device = Device::flex();
    let (tensors, tokenizer) = if CogVlmConfig::is_cogvlm(&empty) {
        let blocks = CogVlmBlocks::new(&empty, &device)?;
        let CogVlmConfig { vocab_size, bos_token_id, pad_token_id, .. } = blocks.config;
        (blocks.tensors(), word_tokenizer(vocab_size, &[(BEGIN, bos_token_id), (PAD, pad_token_id)])?)
    } else {
        let blocks = text_blocks(&empty, &device)?;
        (blocks.tensors(), word_tokenizer(blocks.sizes().vocab_size, &[])?)
    };
    let shapes = tensors.into_iter().collect();
    Ok(Checkpoint { tensors: Box::new(RandomTensors { seed, shapes }), tokenizer: Some(tokenizer), ..empty })
}

/// One word for each token of the vocabulary, but for `special` ones.
fn word_tokenizer(vocab_size: usize, special: &[(&str, u32)]) -> Result<Tokenizer, CheckpointError> {
    let word = |i: usize| match special.iter().find(|(_, id)| *id as usize == i) {
        Some((token, _)) => token.to_string(),
        None if i == 0 => "[UNK]".to_string(),
        None => format!("w{i}"),
    };
    let vocab: Map<String, Value> = (0..vocab_size).map(|i| (word(i), i.into())).collect();
    let added = special.iter().map(|(content, id)| {
        json!({
            "id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
            "special": true,
        })
    });
    let added: Vec<Value> = added.collect();
    let tokenizer = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": added, "normalizer": null,
        "pre_tokenizer": {"type": "WhitespaceSplit"}, "post_processor": null, "decoder": null,
        "model": {"type": "WordLevel", "vocab": vocab, "unk_token": "[UNK]"},
    });
    Tokenizer::from_bytes(tokenizer.to_string()).map_err(|e| CheckpointError::Config(format!("the vocabulary, {e}")))
}

/// `count` random words of a vocabulary of `vocab_size`, as calibration text.
pub fn random_words(vocab_size: usize, count: usize, seed: u64) -> String {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let words: Vec<String> = (0..count).map(|_| format!("w{}", rng.random_range(1..vocab_size.max(2)))).collect();
    words.join(" ")
}

/// Tensors that are made whenever they are read, always the same.
struct RandomTensors {
    seed: u64,
    shapes: BTreeMap<String, Vec<usize>>,
}

impl TensorSource for RandomTensors {
    fn names(&self) -> Vec<String> {
        self.shapes.keys().cloned().collect()
    }

    fn info(&self, name: &str) -> Option<TensorInfo> {
        self.shapes.get(name).map(|shape| TensorInfo { shape: shape.clone(), stored: StoredType::F32 })
    }

    fn read_f32(&self, name: &str) -> Result<Vec<f32>, CheckpointError> {
        let shape = self.shapes.get(name).ok_or_else(|| CheckpointError::MissingTensor { name: name.into() })?;
        let mean = if shape.len() == 1 && name.ends_with(".weight") { 1.0 } else { 0.0 };
        let mut values = vec![0.0; shape.iter().product()];
        values.par_chunks_mut(PART).enumerate().for_each(|(part, values)| {
            let mut rng = ChaCha8Rng::from_seed(self.seed_of(name, part));
            values.iter_mut().for_each(|value| *value = mean + SPREAD * near_normal(&mut rng));
        });
        Ok(values)
    }

    fn read_i32(&self, name: &str) -> Result<Vec<i32>, CheckpointError> {
        Err(match self.info(name) {
            Some(info) => CheckpointError::Type { name: name.into(), found: info.stored, wanted: "I32" },
            None => CheckpointError::MissingTensor { name: name.into() },
        })
    }
}

impl RandomTensors {
    fn seed_of(&self, name: &str, part: usize) -> [u8; 32] {
        let digest = Sha256::new().chain_update(self.seed.to_le_bytes()).chain_update((part as u64).to_le_bytes());
        digest.chain_update(name).finalize().into()
    }
}

/// Mean 0, variance 1, nearly normal: the sum of four uniform numbers of 16 bit.
fn near_normal(rng: &mut impl Rng) -> f32 {
    const MEAN: f32 = 4.0 * 32_767.5;
    /// `sqrt(4 (2^32 - 1) / 12)`
    const DEVIATION: f32 = 37_837.227;
    let bits = rng.next_u64();
    let sum: u32 = (0..4).map(|n| (bits >> (16 * n)) as u32 & 0xffff).sum();
    (sum as f32 - MEAN) / DEVIATION
}

#[cfg(test)]
mod tests {
    use sightread_models::checkpoint::FolderOptions;
    use sightread_models::text::TextModel;

    use super::*;

    #[test]
    fn what_is_known_by_name_has_a_configuration_that_can_be_read() {
        for name in known_names() {
            let model = random_model(known_config(name).expect("JSON"), 0, "nowhere".into()).expect("known");
            let elements = |name: &String| model.tensors.info(name).map_or(0, |i| i.shape.iter().product::<usize>());
            let billions = model.tensors.names().iter().map(elements).sum::<usize>() as f64 / 1e9;
            assert!(
                name.ends_with(&format!("{:.0}b", billions.floor())) || name.contains(&format!("{billions:.1}")),
                "{billions}"
            );
        }
        assert!(known_config("gpt-5").is_none());
    }

    #[test]
    fn cogvlm2_has_the_tensors_that_its_index_counts() {
        let model = random_model(known_config("cogvlm2-19b").expect("JSON"), 0, "nowhere".into()).expect("known");
        let names = model.tensors.names();
        let elements = |name: &String| model.tensors.info(name).map_or(0, |i| i.shape.iter().product::<usize>());
        // In `model.safetensors.index.json`: 1,221 names, 39,006,214,656 bytes. One name in each block are its 64 frequencies.
        assert_eq!(names.len() + 32, 1221);
        assert_eq!(2 * (names.iter().map(elements).sum::<usize>() + 32 * 64), 39_006_214_656);
        let tokenizer = model.tokenizer.as_ref().expect("made");
        assert_eq!((tokenizer.token_to_id(BEGIN), tokenizer.token_to_id(PAD)), (Some(128_000), Some(128_002)));
    }

    #[test]
    fn a_small_one_is_written_in_shards_and_runs() {
        let mut config = known_config("opt-6.7b").expect("JSON");
        let sizes = [("hidden_size", 32), ("word_embed_proj_dim", 16), ("ffn_dim", 64), ("num_attention_heads", 4)];
        let more = [("num_hidden_layers", 2), ("vocab_size", 50), ("max_position_embeddings", 40)];
        sizes.into_iter().chain(more).for_each(|(field, value)| config[field] = value.into());
        let folder = tempfile::tempdir().expect("temporary folder");
        let out = folder.path().join("model");
        let random = random_model(config, 1, out.join("config.json")).expect("known");
        let options = FolderOptions { shard_bytes: Some(20_000), ..FolderOptions::default() };
        random.save_hf(&out, &options).expect("written");
        assert!(out.join("model.safetensors.index.json").exists());

        let written = Checkpoint::open(&out).expect("opens");
        assert_eq!(written.tensors.names(), random.tensors.names());
        let name = "model.decoder.layers.1.fc1.weight";
        let values = written.tensors.read_f32(name).expect("reads");
        let deviation = (values.iter().map(|v| v * v).sum::<f32>() / values.len() as f32).sqrt();
        assert!((deviation / SPREAD - 1.0).abs() < 0.1, "{deviation}");
        let model = TextModel::load(&written, &Device::flex()).expect("loads");
        let words = random_words(50, 12, 3);
        let tokens = written.tokenizer.as_ref().expect("written").encode(words, false).expect("encodes");
        assert_eq!(tokens.get_ids().len(), 12);
        let hidden = model.forward(tokens.get_ids(), &mut model.cache()).expect("reads");
        assert!(model.logit_values(hidden).expect("computes").iter().all(|l| l.is_finite()));
    }
}
