//! Packed folders: parts, assembly, GPTQ v1 and v2, 8-bit rows.

use std::fs;
use std::path::{Path, PathBuf};

use half::f16;
use serde_json::{Value, json};
use sightread_models::checkpoint::{
    Checkpoint, CheckpointError, FloatType, FolderOptions, PackedFolderWriter, QuantizationConfig, StoredType,
    TensorData, write_part,
};
use sightread_models::int4::{PackedLinear, PackedShape};

use crate::{fixture, open};

const Q_PROJ: &str = "model.layers.0.self_attn.q_proj";
const DOWN_PROJ: &str = "model.layers.0.mlp.down_proj";

/// A layer with codes, zero points and scales that are all different, in act-order.
fn layer(in_features: usize, out_features: usize, group_size: usize, bias: bool) -> PackedLinear {
    let shape = PackedShape { in_features, out_features, group_size };
    let grid = shape.groups() * out_features;
    let codes: Vec<u8> = (0..in_features * out_features).map(|i| (i * 7 % 16) as u8).collect();
    let zeros: Vec<u8> = (0..grid).map(|i| (i * 5 % 15) as u8).collect();
    let scales: Vec<f16> = (0..grid).map(|i| f16::from_f32(0.01 + i as f32 / 512.0)).collect();
    let g_idx: Vec<i32> = (0..in_features).map(|i| (i % shape.groups()) as i32).collect();
    let bias: Option<Vec<f32>> = bias.then(|| (0..out_features).map(|i| i as f32 / 4.0).collect());
    PackedLinear::from_codes(shape, &codes, &scales, &zeros, Some(&g_idx), bias.as_deref()).expect("valid")
}

fn writer() -> PackedFolderWriter {
    PackedFolderWriter {
        quantization: QuantizationConfig::gptq_v2(Some(16), true, false),
        options: FolderOptions::default(),
    }
}

/// A model of which two layers are packed, written from two parts.
fn packed_folder(writer: &PackedFolderWriter) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("folder");
    let parts = [(Q_PROJ, layer(32, 32, 16, true)), (DOWN_PROJ, layer(64, 32, 16, false))].map(|(prefix, layer)| {
        let path = folder.path().join(format!("{prefix}.part"));
        write_part(&path, &TensorData::packed(prefix, &layer).expect("valid")).expect("writes");
        path
    });
    let out = folder.path().join("model");
    let extra = [TensorData::float("extra.weight", &[2], &[1.0, 2.0], FloatType::F32).expect("fits")];
    writer.assemble(&open(fixture("qwen2.gguf")), &parts, &extra, &out).expect("assembles");
    (folder, out)
}

#[test]
fn packed_layers_come_back_as_they_were() {
    let (_folder, out) = packed_folder(&writer());
    let model = open(&out);
    assert_eq!(model.packed(Q_PROJ, 32, 32).expect("reads"), Some(layer(32, 32, 16, true)));
    assert_eq!(model.packed(DOWN_PROJ, 64, 32).expect("reads"), Some(layer(64, 32, 16, false)));
    assert_eq!(model.packed("model.layers.0.mlp.up_proj", 32, 64).expect("reads"), None);
    assert!(matches!(model.packed(Q_PROJ, 64, 32), Err(CheckpointError::Shape { .. })));
    assert!(matches!(model.packed(Q_PROJ, 36, 32), Err(CheckpointError::Packed { .. })));

    let config = model.quantization_config().expect("typed").expect("packed");
    assert_eq!(config, writer().quantization);
    let expected = json!({
        "quant_method": "gptq", "bits": 4, "group_size": 16, "desc_act": true, "sym": false,
        "checkpoint_format": "gptq_v2", "lm_head": false,
    });
    assert_eq!(model.config["quantization_config"], expected);
    assert_eq!(model.config["torch_dtype"], "float16");
}

#[test]
fn everything_that_is_not_packed_is_taken_over() {
    let (_folder, out) = packed_folder(&writer());
    let (source, model) = (open(fixture("qwen2.gguf")), open(&out));
    let packed = |name: &str| name == format!("{Q_PROJ}.weight") || name == format!("{DOWN_PROJ}.weight");
    for name in source.tensors.names() {
        if packed(&name) {
            assert_eq!(model.tensors.info(&name), None, "{name}");
        } else if name == format!("{Q_PROJ}.bias") {
            assert_eq!(model.tensor(&name, &[32]).expect("reads")[3], 0.75, "the part's bias replaces the source's");
        } else {
            let exact = source.tensors.read_f32(&name).expect("reads");
            let halves: Vec<f32> = exact.iter().map(|&v| f16::from_f32(v).to_f32()).collect();
            assert!(model.tensors.read_f32(&name).expect("reads") == halves, "{name}");
        }
    }
    assert_eq!(model.tensor("extra.weight", &[2]).expect("reads"), [1.0, 2.0]);
    assert!(model.tokenizer.is_some() && model.chat_template.is_some());
}

#[test]
fn a_packed_folder_can_be_saved_again_without_loss() {
    let (folder, out) = packed_folder(&writer());
    let again = folder.path().join("again");
    let options = FolderOptions { float: FloatType::BF16, shard_bytes: Some(20_000), ..FolderOptions::default() };
    open(&out).save_hf(&again, &options).expect("saves");
    assert_eq!(open(&again).packed(Q_PROJ, 32, 32).expect("reads"), Some(layer(32, 32, 16, true)));
    assert_eq!(open(&again).tensors.info("model.norm.weight").expect("there").stored, StoredType::BF16);
}

/// Rewrites a packed folder's `quantization_config`.
fn with_config(out: &Path, change: impl FnOnce(&mut Value)) -> Checkpoint {
    let path = out.join("config.json");
    let mut config: Value = serde_json::from_slice(&fs::read(&path).expect("reads")).expect("JSON");
    change(&mut config["quantization_config"]);
    fs::write(path, config.to_string()).expect("writes");
    open(out)
}

#[test]
fn version_1_zero_points_are_brought_to_version_2() {
    let (_folder, out) = packed_folder(&writer());
    let remove_format = |q: &mut Value| drop(q.as_object_mut().expect("object").remove("checkpoint_format"));
    let model = with_config(&out, remove_format);
    let (v1, v2) = (model.packed(Q_PROJ, 32, 32).expect("reads").expect("packed"), layer(32, 32, 16, true));
    let plus_one: Vec<u8> = v2.zeros().iter().map(|z| z + 1).collect();
    assert_eq!(v1.zeros(), plus_one);
    assert_eq!(v1.codes(), v2.codes());
    assert_eq!(
        with_config(&out, |q| q["checkpoint_format"] = json!("gptq")).packed(Q_PROJ, 32, 32).expect("reads"),
        Some(v1)
    );
}

#[test]
fn other_quantizations_are_refused_by_name() {
    let (_folder, out) = packed_folder(&writer());
    let refused = |change: fn(&mut Value)| {
        let model = with_config(&out, change);
        (model.packed(Q_PROJ, 32, 32).expect_err("refused"), model.quantization_config().expect_err("refused")).0
    };
    let unsupported = refused(|q| q["bits"] = json!(3));
    assert!(unsupported.to_string().contains("3-bit quantization is not supported"), "{unsupported}");
    assert!(matches!(refused(|q| (q["bits"], q["group_size"]) = (json!(4), json!(0))), CheckpointError::Config(_)));
    assert!(matches!(refused(|q| q["group_size"] = json!("many")), CheckpointError::Config(_)));
    assert!(matches!(
        refused(|q| (q["group_size"], q["checkpoint_format"]) = (json!(16), json!("marlin"))),
        CheckpointError::Config(_)
    ));
    assert!(matches!(refused(|q| q["quant_method"] = json!("awq")), CheckpointError::Unsupported { .. }));
    let missing = with_config(&out, |q| *q = Value::Null);
    assert!(matches!(missing.packed(Q_PROJ, 32, 32), Err(CheckpointError::Config(_))));
}

#[test]
fn per_channel_scales_are_one_group() {
    let folder = tempfile::tempdir().expect("folder");
    let shape = PackedShape { in_features: 32, out_features: 32, group_size: 32 };
    let one = PackedLinear::from_codes(shape, &[3; 1024], &[f16::ONE; 32], &[8; 32], None, None).expect("valid");
    let out = folder.path().join("model");
    let writer = PackedFolderWriter { quantization: QuantizationConfig::gptq_v2(None, false, true), ..writer() };
    let tensors = TensorData::packed(Q_PROJ, &one).expect("valid");
    let without_g_idx = &tensors[..3];
    writer.assemble(&open(fixture("llama-gpt2.gguf")), &[], without_g_idx, &out).expect("assembles");
    let model = open(&out);
    assert_eq!(model.config["quantization_config"]["group_size"], -1);
    assert_eq!(model.packed(Q_PROJ, 32, 32).expect("reads"), Some(one));
}

#[test]
fn rows_of_8_bit_look_like_the_weight() {
    let embeddings = "model.embed_tokens";
    let writer = PackedFolderWriter {
        options: FolderOptions { rows_i8: vec![embeddings.into()], ..FolderOptions::default() },
        ..writer()
    };
    let (_folder, out) = packed_folder(&writer);
    let (source, model) = (open(fixture("qwen2.gguf")), open(&out));
    let name = format!("{embeddings}.weight");
    let info = model.tensors.info(&name).expect("there");
    assert_eq!((info.shape.as_slice(), info.stored), (&[360, 32][..], StoredType::RowsI8));
    assert!(model.tensors.names().contains(&name) && !model.tensors.names().iter().any(|n| n.contains("q8")));
    assert_eq!(model.quantization_config().expect("typed").expect("packed").embeddings.as_deref(), Some("i8_rows"));

    let exact = source.tensor(&name, &[360, 32]).expect("reads");
    let read = model.tensor(&name, &[360, 32]).expect("reads");
    let (codes, scales) = model.rows_i8(embeddings, 360, 32).expect("reads").expect("8 bit");
    for (row, scale) in scales.iter().enumerate() {
        for i in row * 32..(row + 1) * 32 {
            assert_eq!(read[i], f32::from(codes[i]) * scale);
            assert!((read[i] - exact[i]).abs() <= scale * 0.5001, "row {row}");
        }
        assert_eq!(codes[row * 32..][..32].iter().map(|c| c.unsigned_abs()).max(), Some(127), "the range is used");
    }
    assert_eq!(model.rows_i8("model.norm", 1, 32).expect("plain"), None);
    let plain = packed_folder(&self::writer());
    let config = open(&plain.1).config;
    assert_eq!(config["quantization_config"].get("embeddings"), None, "off unless asked for");
}

#[test]
fn values_out_of_range_are_refused() {
    let shape = [2];
    assert!(matches!(
        TensorData::float("x", &shape, &[1.0, f32::NAN], FloatType::F32),
        Err(CheckpointError::NotFinite { .. })
    ));
    assert!(matches!(
        TensorData::float("x", &shape, &[1.0, 7e4], FloatType::F16),
        Err(CheckpointError::Unsupported { .. })
    ));
    assert!(TensorData::float("x", &shape, &[1.0, 7e4], FloatType::BF16).is_ok());
    assert!(matches!(TensorData::i32("x", &[3], &[1, 2]), Err(CheckpointError::Shape { .. })));
    assert!(matches!(TensorData::rows_i8("x", 1, 2, &[1.0, f32::NAN]), Err(CheckpointError::Packed { .. })));
    let mut broken = layer(32, 32, 16, false);
    broken.qzeros.pop();
    assert!(matches!(TensorData::packed("x", &broken), Err(CheckpointError::Packed { .. })));
}
