#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes blocks/: what the gguf package makes of block-quantised weights and of floats.

  TYPE.blocks, TYPE.f32      random blocks (every byte random but for the f16 fields, which are finite) and their values
  rounding.f32               floats: normal, of many sizes, constant, zero, halfway cases
  rounding.q8_0, .q4_0       the blocks gguf.quants makes of them

Needs numpy and gguf; run it again and nothing changes.
"""
from pathlib import Path

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, quants

OUT = Path(__file__).resolve().parent / "blocks"
TYPES = {"q8_0": (0,), "q4_0": (0,), "q4_1": (0, 2), "q5_0": (0,), "q5_1": (0, 2), "q4_k": (0, 2), "q5_k": (0, 2), "q6_k": (208,)}


def qtype(name):
    return GGMLQuantizationType[name.upper()]


def random_blocks(name, rng, count):
    size = GGML_QUANT_SIZES[qtype(name)][1]
    blocks = rng.integers(0, 256, (count, size), dtype=np.uint8)
    for offset in TYPES[name]:
        scale = (rng.standard_normal(count) * 10.0 ** rng.integers(-7, 3, count)).astype(np.float16)
        blocks[:, offset:offset + 2] = scale.view(np.uint8).reshape(count, 2)
    return blocks


def floats(rng):
    blocks = [rng.standard_normal(32) * 10.0 ** exponent for exponent in range(-6, 5) for _ in range(8)]
    blocks += [np.zeros(32), np.full(32, 3.7), np.full(32, -0.01), np.arange(-16, 16), np.arange(32) / 2.0]
    blocks += [rng.integers(-254, 255, 32) / 2.0 for _ in range(16)]  # halfway between two steps of 127
    blocks += [rng.integers(-16, 17, 32) / 2.0 for _ in range(16)]    # and of 8
    blocks += [np.where(rng.random(32) < 0.1, rng.standard_normal(32) * 100, rng.standard_normal(32) * 0.01) for _ in range(8)]
    return np.concatenate(blocks).astype(np.float32)


def main():
    OUT.mkdir(exist_ok=True)
    rng = np.random.default_rng(1)
    for name in TYPES:
        values, _ = GGML_QUANT_SIZES[qtype(name)]
        blocks = random_blocks(name, rng, 2048 // values)
        blocks.tofile(OUT / f"{name}.blocks")
        quants.dequantize(blocks, qtype(name)).astype("<f4").tofile(OUT / f"{name}.f32")
    values = floats(rng)
    values.astype("<f4").tofile(OUT / "rounding.f32")
    for name in ("q8_0", "q4_0"):
        quants.quantize(values, qtype(name)).tofile(OUT / f"rounding.{name}")


if __name__ == "__main__":
    main()
