#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""P17: imports of one model beside cp of the same files, in turns, so that a busy disk slows both.

    import_speed.py path/to/espalierctl [--dir DIR] [--rounds 3]

Makes a random Llama of about 400 MB (bf16, two shards) and the same model as GGUF, and prints bytes per second of cp
(synced, as an import is), of import, of the GGUF import and of import --quantize q8_0. Needs numpy, safetensors, gguf.
"""
import argparse
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter
from safetensors.numpy import save_file

HIDDEN, LAYERS, HEADS, KV_HEADS, NEURONS, VOCABULARY = 1024, 16, 16, 4, 2816, 16384
KV_WIDTH = HIDDEN // HEADS * KV_HEADS
LAYER = {"self_attn.q_proj": (HIDDEN, HIDDEN), "self_attn.k_proj": (KV_WIDTH, HIDDEN), "self_attn.v_proj": (KV_WIDTH, HIDDEN),
         "self_attn.o_proj": (HIDDEN, HIDDEN), "mlp.gate_proj": (NEURONS, HIDDEN), "mlp.up_proj": (NEURONS, HIDDEN),
         "mlp.down_proj": (HIDDEN, NEURONS), "input_layernorm": (HIDDEN,), "post_attention_layernorm": (HIDDEN,)}
GGUF_NAMES = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
              "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm",
              "post_attention_layernorm": "ffn_norm", "model.embed_tokens": "token_embd", "model.norm": "output_norm"}


def tensors():
    rng = np.random.default_rng(1)
    shapes = {"model.embed_tokens": (VOCABULARY, HIDDEN), "model.norm": (HIDDEN,)}
    for layer in range(LAYERS):
        shapes.update({f"model.layers.{layer}.{name}": shape for name, shape in LAYER.items()})
    return {name: (rng.standard_normal(shape, dtype=np.float32) * 0.02).astype(np.float16) for name, shape in shapes.items()}


def write_folder(folder, weights):
    folder.mkdir()
    names, index = list(weights), {}
    for part in range(2):
        file = f"model-0000{part + 1}-of-00002.safetensors"
        mine = names[len(names) * part // 2:len(names) * (part + 1) // 2]
        save_file({name + ".weight": weights[name] for name in mine}, folder / file)
        index.update({name + ".weight": file for name in mine})
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    (folder / "config.json").write_text(json.dumps(dict(
        architectures=["LlamaForCausalLM"], model_type="llama", hidden_size=HIDDEN, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
        num_key_value_heads=KV_HEADS, intermediate_size=NEURONS, vocab_size=VOCABULARY, tie_word_embeddings=True, torch_dtype="float16")))


def write_gguf(file, weights):
    writer = GGUFWriter(file, "llama")
    for add, value in ((writer.add_embedding_length, HIDDEN), (writer.add_block_count, LAYERS), (writer.add_head_count, HEADS),
                       (writer.add_head_count_kv, KV_HEADS), (writer.add_feed_forward_length, NEURONS), (writer.add_context_length, 2048)):
        add(value)
    for name, values in weights.items():
        head, _, part = name.partition("layers.")
        stored = f"blk.{part.split('.', 1)[0]}.{GGUF_NAMES[part.split('.', 1)[1]]}" if part else GGUF_NAMES[name]
        writer.add_tensor(stored + ".weight", values if values.ndim == 2 else values.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def timed(work):
    os.sync()
    start = time.monotonic()
    work()
    return time.monotonic() - start


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("espalierctl")
    parser.add_argument("--dir", default=None)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.dir) as temporary:
        root = Path(temporary)
        weights = tensors()
        write_folder(root / "model", weights)
        write_gguf(root / "model.gguf", weights)
        del weights
        sizes = {"folder": sum(f.stat().st_size for f in (root / "model").iterdir()), "gguf": (root / "model.gguf").stat().st_size}
        imported = lambda *arguments: lambda: subprocess.run(
            [options.espalierctl, "--workspace", root / "workspace", "import", *arguments, "--quiet", "--json"], check=True,
            stdout=subprocess.DEVNULL)
        works = {"cp": (sizes["folder"], lambda: subprocess.run(f"cp -r {root}/model {root}/copy && sync {root}/copy/*", shell=True, check=True)),
                 "import": (sizes["folder"], imported(root / "model")), "import gguf": (sizes["gguf"], imported(root / "model.gguf")),
                 "import --quantize q8_0": (sizes["folder"], imported(root / "model", "--quantize", "q8_0"))}
        best = {}
        for _ in range(options.rounds):
            for name, (size, work) in works.items():
                seconds = timed(work)
                best[name] = max(best.get(name, 0), size / seconds)
                shutil.rmtree(root / "copy", ignore_errors=True)
                shutil.rmtree(root / "workspace", ignore_errors=True)
        for name, speed in best.items():
            print(json.dumps({"what": name, "mb_per_s": round(speed / 1e6), "of_cp": round(speed / best["cp"], 2)}))


if __name__ == "__main__":
    main()
