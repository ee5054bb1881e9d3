"""Runs in the peer's environment: decodes with llama.cpp, greedily, through its C functions.

    python llama_cpp_decode.py MODEL.gguf THREADS NEW_TOKENS PROMPT      one JSON line: tokens and seconds
    python llama_cpp_decode.py --to-q4_0 MODEL.gguf OUT.gguf             quantizes (again) to Q4_0
"""
import ctypes
import json
import sys
import time

import llama_cpp as llama

# LLAMA_FTYPE_MOSTLY_Q4_0 of llama.h.
Q4_0 = 2


def quantize(source, out):
    parameters = llama.llama_model_quantize_default_params()
    parameters.ftype, parameters.allow_requantize, parameters.nthread = Q4_0, True, 0
    if llama.llama_model_quantize(source.encode(), out.encode(), ctypes.byref(parameters)) != 0:
        sys.exit(f"llama.cpp could not quantize {source}")


def decode(path, threads, new_tokens, prompt):
    """Reads the prompt in one batch, then times `new_tokens` single steps. The end-of-text token does not end it."""
    model = llama.Llama(path, n_ctx=1024, n_threads=threads, n_threads_batch=threads, n_gpu_layers=0, verbose=False)
    context, sampler = model.ctx, llama.llama_sampler_init_greedy()
    tokens = model.tokenize(prompt.encode(), add_bos=False)

    def step(ids):
        array = (llama.llama_token * len(ids))(*ids)
        if llama.llama_decode(context, llama.llama_batch_get_one(array, len(ids))) != 0:
            sys.exit("llama.cpp could not decode")
        return llama.llama_sampler_sample(sampler, context, -1)

    start = time.perf_counter()
    made = [step(tokens)]
    prefill = time.perf_counter() - start
    start = time.perf_counter()
    for _ in range(new_tokens - 1):
        made.append(step(made[-1:]))
    seconds = time.perf_counter() - start
    return {"prompt_tokens": len(tokens), "prefill_seconds": prefill, "tokens": new_tokens - 1, "decode_seconds": seconds,
            "text": model.detokenize(made).decode("utf-8", "replace")}


if __name__ == "__main__":
    if sys.argv[1] == "--to-q4_0":
        quantize(*sys.argv[2:])
    else:
        path, threads, new_tokens, prompt = sys.argv[1:]
        print(json.dumps(decode(path, int(threads), int(new_tokens), prompt)))
