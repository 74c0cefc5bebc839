#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A model of the shape of Llama 3.2 1B with random weights (bf16, one file of 2.5 GB, no tokenizer), to import.

    make_model.py FOLDER [--layers 16]

Every stored number is finite and of the size of trained weights; which they are does not matter to an import. Needs the
standard library alone.
"""
import argparse
import json
import random
import struct
from pathlib import Path

HIDDEN, HEADS, KV_HEADS, NEURONS, VOCABULARY = 2048, 32, 8, 8192, 128_256
KV_WIDTH = HIDDEN // HEADS * KV_HEADS
LAYER = {"self_attn.q_proj": (HIDDEN, HIDDEN), "self_attn.k_proj": (KV_WIDTH, HIDDEN), "self_attn.v_proj": (KV_WIDTH, HIDDEN),
         "self_attn.o_proj": (HIDDEN, HIDDEN), "mlp.gate_proj": (NEURONS, HIDDEN), "mlp.up_proj": (NEURONS, HIDDEN),
         "mlp.down_proj": (HIDDEN, NEURONS), "input_layernorm": (HIDDEN,), "post_attention_layernorm": (HIDDEN,)}
POOL = 1 << 24  # numbers that every tensor takes a stretch of


def shapes(layers):
    named = {"model.embed_tokens.weight": (VOCABULARY, HIDDEN), "model.norm.weight": (HIDDEN,)}
    for layer in range(layers):
        named.update({f"model.layers.{layer}.{name}.weight": shape for name, shape in LAYER.items()})
    return named


def pool():
    """bf16 of magnitude 2^-7 to 2^-5, either sign."""
    numbers = random.Random(1)
    high = bytes((byte & 0x80) | 0x3C | (byte & 0x01) for byte in range(256))
    made = bytearray(2 * POOL)
    made[0::2] = numbers.randbytes(POOL)
    made[1::2] = numbers.randbytes(POOL).translate(high)
    return memoryview(bytes(made))


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path)
    options.add_argument("--layers", type=int, default=16)
    chosen = options.parse_args()
    named = shapes(chosen.layers)
    header, at = {}, 0
    for name, shape in named.items():
        size = 2 * shape[0] * (shape[1] if len(shape) > 1 else 1)
        header[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    chosen.folder.mkdir(parents=True)
    numbers = pool()
    with open(chosen.folder / "model.safetensors", "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        start = 0
        for entry in header.values():
            left = entry["data_offsets"][1] - entry["data_offsets"][0]
            while left > 0:
                piece = numbers[start:start + left]
                out.write(piece)
                left -= len(piece)
                start = (start + len(piece)) % len(numbers)
    (chosen.folder / "config.json").write_text(json.dumps(dict(
        architectures=["LlamaForCausalLM"], model_type="llama", hidden_size=HIDDEN, num_hidden_layers=chosen.layers,
        num_attention_heads=HEADS, num_key_value_heads=KV_HEADS, intermediate_size=NEURONS, vocab_size=VOCABULARY,
        max_position_embeddings=131_072, rms_norm_eps=1e-5, rope_theta=500_000.0, tie_word_embeddings=True,
        torch_dtype="bfloat16"), indent=1))


if __name__ == "__main__":
    main()
