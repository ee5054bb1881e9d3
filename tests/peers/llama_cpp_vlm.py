"""Runs in the peer's environment: looks at a picture and answers with llama.cpp's mtmd, through its C functions.

    python llama_cpp_vlm.py MODEL.gguf MMPROJ.gguf THREADS NEW_TOKENS ROUNDS       one JSON line: seconds, the best of all rounds

The picture is a square of one tile. llama.cpp tiles every picture as the stock processor does, so that it becomes several tiles; a tile
is one of its image chunks.
"""
import ctypes
import json
import sys
import time

import llama_cpp as llama
from llama_cpp import mtmd_cpp as mtmd

SIDE = 512
QUESTION = "What is the total?"


def timed(function):
    start = time.perf_counter()
    result = function()
    return result, time.perf_counter() - start


def check(code, what):
    if code != 0:
        sys.exit(f"llama.cpp could not {what}")


def picture():
    """Slopes and stripes; what is in it makes no difference to the time."""
    pixels = bytes((x * 3 + y * 5 + c * 60) % 256 for y in range(SIDE) for x in range(SIDE) for c in range(3))
    return mtmd.mtmd_bitmap_init(SIDE, SIDE, (ctypes.c_uint8 * len(pixels)).from_buffer_copy(pixels))


def measure(model_path, mmproj_path, threads, new_tokens, rounds):
    model = llama.Llama(model_path, n_ctx=2048, n_batch=1024, n_ubatch=1024, n_threads=threads, n_threads_batch=threads, n_gpu_layers=0,
                        verbose=False)
    context, sampler = model.ctx, llama.llama_sampler_init_greedy()
    parameters = mtmd.mtmd_context_params_default()
    parameters.use_gpu, parameters.print_timings, parameters.n_threads, parameters.warmup = False, False, threads, True
    vision = mtmd.mtmd_init_from_file(mmproj_path.encode(), model.model, parameters)
    if not vision:
        sys.exit(f"llama.cpp cannot read {mmproj_path}")

    chunks, bitmap = mtmd.mtmd_input_chunks_init(), picture()
    prompt = f"<|im_start|>User:{mtmd.mtmd_default_marker().decode()}{QUESTION}<end_of_utterance>\nAssistant:".encode()
    text = mtmd.mtmd_input_text(prompt, len(prompt), False, True)
    bitmaps = (mtmd.mtmd_bitmap_p_ctypes * 1)(bitmap)
    _, cutting = timed(lambda: check(mtmd.mtmd_tokenize(vision, chunks, ctypes.byref(text), bitmaps, 1), "cut the picture"))
    parts = [mtmd.mtmd_input_chunks_get(chunks, n) for n in range(mtmd.mtmd_input_chunks_size(chunks))]
    tiles = [part for part in parts if mtmd.mtmd_input_chunk_get_type(part) == mtmd.MTMD_INPUT_CHUNK_TYPE_IMAGE]
    positions = mtmd.mtmd_input_chunk_get_n_tokens(tiles[0])
    look = [timed(lambda: check(mtmd.mtmd_encode_chunk(vision, tiles[0]), "look at a tile"))[1] for _ in range(rounds + 1)]

    memory = llama.llama_get_memory(context)

    def step(ids):
        array = (llama.llama_token * len(ids))(*ids)
        check(llama.llama_decode(context, llama.llama_batch_get_one(array, len(ids))), "decode")
        return llama.llama_sampler_sample(sampler, context, -1)

    def read(count):
        llama.llama_memory_clear(memory, True)
        return timed(lambda: step([100] * count))[1]

    def answer(read_before):
        llama.llama_memory_clear(memory, True)
        token = step([100] * read_before)

        def go_on():
            last = token
            for _ in range(new_tokens):
                last = step([last])

        return timed(go_on)[1] / new_tokens

    short, long = 80, 878
    return {"tile_seconds": min(look), "tiles_of_a_picture": len(tiles), "tile_positions": positions, "cutting_seconds": cutting,
            "prompt_seconds": {count: min(read(count) for _ in range(rounds + 1)) for count in (short, long)},
            "token_seconds": min(answer(short) for _ in range(rounds))}


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))))
