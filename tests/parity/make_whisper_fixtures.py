#!/usr/bin/env python3
"""Writes the reference outputs that tests/tests/whisper_parity.rs compares with, under tests/fixtures/whisper.

Random tiny Whisper models, one folder each: config.json, model.safetensors (weights in float16) and expected.safetensors, computed by
transformers in f32: `mel` [bins, frames], `encoded` [positions, d], `encoded_cut` (the first positions alone, of the first frames),
`ids` [t], `logits` [t, vocab] and `logits_cut`. Two more folders hold the first model in CTranslate2's format, as ctranslate2's own
converter writes it: ct2_float16 and ct2_int8.

mel.safetensors: a generated sound (`samples`, i16) and its spectrograms by WhisperFeatureExtractor.

With --base FOLDER and --tiny-en FOLDER (CTranslate2 folders, see models/recipes/fetch_whisper.py) and --question WAV (16 kHz, mono) it
also writes question.safetensors and question.json: what CTranslate2 understands.

    pip install torch transformers safetensors ctranslate2
    python3 tests/parity/make_whisper_fixtures.py [--base FOLDER --tiny-en FOLDER --question WAV]
"""
import argparse
import json
import wave
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file as save_arrays
from safetensors.torch import save_file
from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

OUT = Path(__file__).resolve().parents[1] / "fixtures" / "whisper"
TINY = dict(vocab_size=96, d_model=32, num_mel_bins=80, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4, decoder_attention_heads=4,
            encoder_ffn_dim=56, decoder_ffn_dim=56, max_source_positions=48, max_target_positions=24, init_std=0.2,
            pad_token_id=0, bos_token_id=1, eos_token_id=2, decoder_start_token_id=3, suppress_tokens=None, begin_suppress_tokens=None)
CONFIGS = {
    "even": {},
    "uneven": dict(encoder_layers=1, decoder_layers=3, encoder_attention_heads=2, encoder_ffn_dim=40, decoder_ffn_dim=72, num_mel_bins=128),
}
CUT = 20
TOKENS = 11


def tiny_fixtures():
    for seed, (name, extra) in enumerate(CONFIGS.items()):
        torch.manual_seed(seed)
        model = WhisperForConditionalGeneration(WhisperConfig(**{**TINY, **extra})).eval()
        for parameter_name, parameter in model.named_parameters():
            if parameter_name.endswith("bias") or "layer_norm" in parameter_name:
                torch.nn.init.normal_(parameter, mean=float(parameter_name.endswith("norm.weight")), std=0.2)
            if "embed_positions" in parameter_name:
                torch.nn.init.normal_(parameter, std=0.2)
        # What is stored is what is computed with.
        model = model.half().float()
        folder = OUT / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text(json.dumps(model.config.to_dict(), indent=2, sort_keys=True) + "\n", encoding="utf-8")
        weights = {n: w.half().contiguous() for n, w in model.state_dict().items() if n != "proj_out.weight"}
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
        save_file(expected(model), folder / "expected.safetensors")
        if name == "even":
            for quantization in ["float16", "int8"]:
                save_ctranslate2(model, quantization)


def expected(model):
    config = model.config
    mel = torch.randn(1, config.num_mel_bins, 2 * config.max_source_positions)
    ids = torch.randint(0, config.vocab_size, (1, TOKENS))
    with torch.no_grad():
        encoded = model.model.encoder(mel).last_hidden_state
        logits = model(mel, decoder_input_ids=ids).logits
        cut = cut_model(model)
        mel_cut = mel[:, :, : 2 * CUT]
        encoded_cut = cut.model.encoder(mel_cut).last_hidden_state
        logits_cut = cut(mel_cut, decoder_input_ids=ids).logits
    tensors = dict(mel=mel, encoded=encoded, encoded_cut=encoded_cut, ids=ids, logits=logits, logits_cut=logits_cut)
    return {name: tensor[0].contiguous() for name, tensor in tensors.items()}


def cut_model(model):
    """The same model with fewer positions, which is what a cut context means."""
    cut = WhisperForConditionalGeneration(WhisperConfig(**{**model.config.to_dict(), "max_source_positions": CUT})).eval()
    weights = model.state_dict()
    weights["model.encoder.embed_positions.weight"] = weights["model.encoder.embed_positions.weight"][:CUT]
    cut.load_state_dict(weights)
    return cut


def save_ctranslate2(model, quantization):
    from ctranslate2.converters.transformers import WhisperLoader

    spec = WhisperLoader().get_model_spec(model)
    spec.register_vocabulary([f"t{i}" for i in range(model.config.vocab_size)])
    spec.validate()
    spec.optimize(quantization=quantization)
    folder = OUT / f"ct2_{quantization}"
    folder.mkdir(parents=True, exist_ok=True)
    spec.save(str(folder))
    for file in folder.glob("vocabulary.*"):
        file.unlink()
    print(folder.name, sorted(file.name for file in folder.iterdir()))


def mel_fixture():
    """A tone that rises and fades, with a little noise: 1.2 s."""
    rate, seconds = 16_000, 1.2
    t = np.arange(int(rate * seconds)) / rate
    noise = np.random.default_rng(0).normal(size=t.size)
    sound = 0.5 * np.sin(2 * np.pi * (100 + 2500 * t) * t) * np.exp(-2 * t) + 0.003 * noise
    samples = np.round(32767 * sound).astype(np.int16)
    floats = samples.astype(np.float32) / 32768
    # Frames behind the sound are silence; a window that is shorter than the sound cuts it.
    whole = WhisperFeatureExtractor(feature_size=80)(floats, sampling_rate=rate, return_tensors="np").input_features[0]
    short = WhisperFeatureExtractor(feature_size=128, chunk_length=1)(floats, sampling_rate=rate, return_tensors="np").input_features[0]
    assert whole.shape == (80, 3000) and short.shape == (128, 100) and np.ptp(whole[:, 130:]) == 0
    save_arrays({"samples": samples, "window_30s": np.ascontiguousarray(whole[:, :130]), "window_1s": np.ascontiguousarray(short)}, OUT / "mel.safetensors")


def question_fixture(folders, question):
    """CTranslate2's own Whisper, which faster-whisper calls, on the spectrogram of transformers: faster-whisper pads the spectrogram and not
    the sound, so that its probabilities are a little different."""
    import ctranslate2
    from tokenizers import Tokenizer

    with wave.open(str(question)) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (16_000, 1, 2)
        samples = np.frombuffer(sound.readframes(sound.getnframes()), dtype="<i2")
    save_arrays({"samples": samples.copy()}, OUT / "question.safetensors")
    mel = WhisperFeatureExtractor(feature_size=80)(samples.astype(np.float32) / 32768, sampling_rate=16_000, return_tensors="np").input_features
    features = ctranslate2.StorageView.from_array(np.ascontiguousarray(mel))
    rows = []
    for name, folder in folders.items():
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        model = ctranslate2.models.Whisper(str(folder), device="cpu", compute_type="float32", intra_threads=2)
        language, probability = ("<|en|>", 1.0) if name.endswith(".en") else model.detect_language(features)[0][0]
        prompt = ["<|startoftranscript|>", *([] if name.endswith(".en") else [language, "<|transcribe|>"]), "<|notimestamps|>"]
        for beam in [1, 5]:
            result = model.generate(features, [[tokenizer.token_to_id(token) for token in prompt]], beam_size=beam, return_scores=True,
                                    return_no_speech_prob=True)[0]
            tokens = result.sequences_ids[0]
            rows.append({"model": name, "beam": beam, "text": tokenizer.decode(tokens).strip(), "tokens": tokens, "language": language[2:-2],
                         "language_probability": probability, "avg_logprob": result.scores[0] * len(tokens) / (len(tokens) + 1),
                         "no_speech_prob": result.no_speech_prob})
            print(rows[-1])
    (OUT / "question.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base", type=Path, metavar="FOLDER")
    parser.add_argument("--tiny-en", type=Path, metavar="FOLDER")
    parser.add_argument("--question", type=Path, metavar="WAV")
    args = parser.parse_args()
    tiny_fixtures()
    mel_fixture()
    if args.question:
        question_fixture({"base": args.base, "tiny.en": args.tiny_en}, args.question)
