//! CTranslate2's names of Whisper's variables, in the words of Hugging Face.

/// The tensors that a variable holds one after the other; none if no network needs it, `None` for a part nobody needs.
pub(super) fn translate(name: &str) -> Vec<Option<String>> {
    let whole = |name: &str| vec![Some(name.to_string())];
    let Some((side @ ("encoder" | "decoder"), rest)) = name.split_once('/') else { return Vec::new() };
    match rest {
        "embeddings/weight" => return whole(&format!("model.{side}.embed_tokens.weight")),
        "projection/weight" => return whole("proj_out.weight"),
        "position_encodings/encodings" => return whole(&format!("model.{side}.embed_positions.weight")),
        _ => {}
    }
    let Some((path, leaf)) = rest.rsplit_once('/') else { return Vec::new() };
    let leaf = match leaf {
        "weight" | "gamma" => "weight",
        "bias" | "beta" => "bias",
        _ => return Vec::new(),
    };
    if let "conv1" | "conv2" | "layer_norm" = path {
        return whole(&format!("model.{side}.{path}.{leaf}"));
    }
    let Some((layer, module)) = path.strip_prefix("layer_").and_then(|path| path.split_once('/')) else {
        return Vec::new();
    };
    let modules: &[&str] = match module {
        "self_attention/layer_norm" => &["self_attn_layer_norm"],
        "self_attention/linear_0" => &["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"],
        "self_attention/linear_1" => &["self_attn.out_proj"],
        "attention/layer_norm" => &["encoder_attn_layer_norm"],
        "attention/linear_0" => &["encoder_attn.q_proj"],
        "attention/linear_1" => &["encoder_attn.k_proj", "encoder_attn.v_proj"],
        "attention/linear_2" => &["encoder_attn.out_proj"],
        "ffn/layer_norm" => &["final_layer_norm"],
        "ffn/linear_0" => &["fc1"],
        "ffn/linear_1" => &["fc2"],
        _ => &[],
    };
    // Whisper's keys have no bias; a fused layer holds zeros in its place.
    let needed = |module: &&str| !(leaf == "bias" && module.ends_with("k_proj"));
    let name = |module: &str| format!("model.{side}.layers.{layer}.{module}.{leaf}");
    modules.iter().map(|module| needed(module).then(|| name(module))).collect()
}

#[cfg(test)]
mod tests {
    use super::translate;

    fn names(name: &str) -> Vec<String> {
        translate(name).into_iter().map(Option::unwrap_or_default).collect()
    }

    #[test]
    fn names_of_all_kinds() {
        assert_eq!(names("encoder/conv1/bias"), ["model.encoder.conv1.bias"]);
        assert_eq!(names("decoder/layer_norm/gamma"), ["model.decoder.layer_norm.weight"]);
        assert_eq!(names("decoder/position_encodings/encodings"), ["model.decoder.embed_positions.weight"]);
        assert_eq!(names("decoder/layer_11/ffn/linear_1/bias"), ["model.decoder.layers.11.fc2.bias"]);
        assert_eq!(
            names("encoder/layer_0/self_attention/linear_0/bias"),
            ["model.encoder.layers.0.self_attn.q_proj.bias", "", "model.encoder.layers.0.self_attn.v_proj.bias",]
        );
        assert_eq!(
            names("decoder/layer_0/attention/linear_1/weight"),
            ["model.decoder.layers.0.encoder_attn.k_proj.weight", "model.decoder.layers.0.encoder_attn.v_proj.weight",]
        );
        for other in ["decoder/num_heads", "x", "", "/", "decoder/layer_0/weight_scale", "encoder/layer_/a/weight"] {
            assert!(translate(other).is_empty(), "{other}");
        }
    }
}
