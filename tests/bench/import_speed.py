#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""P17: imports of one model, each between two copies of the same files by cp, so that a busy machine slows both.

    import_speed.py path/to/espalierctl [--dir DIR] [--rounds 5] [--layers 48]

Makes a random Llama of about 1.1 GB (f16, two shards) and the same model as GGUF, and prints for import, import --link,
the GGUF import and import --quantize: bytes read per second in the best round, the ratio to cp (synced, as an import is) of
the best rounds and the median ratio to the two copies around it, processor seconds and peak memory. Into an existing, empty
workspace. Needs numpy, safetensors, gguf.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter
from safetensors.numpy import save_file

HIDDEN, HEADS, KV_HEADS, NEURONS, VOCABULARY = 1024, 16, 4, 2816, 16384
KV_WIDTH = HIDDEN // HEADS * KV_HEADS
LAYER = {"self_attn.q_proj": (HIDDEN, HIDDEN), "self_attn.k_proj": (KV_WIDTH, HIDDEN), "self_attn.v_proj": (KV_WIDTH, HIDDEN),
         "self_attn.o_proj": (HIDDEN, HIDDEN), "mlp.gate_proj": (NEURONS, HIDDEN), "mlp.up_proj": (NEURONS, HIDDEN),
         "mlp.down_proj": (HIDDEN, NEURONS), "input_layernorm": (HIDDEN,), "post_attention_layernorm": (HIDDEN,)}
GGUF_NAMES = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
              "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm",
              "post_attention_layernorm": "ffn_norm", "model.embed_tokens": "token_embd", "model.norm": "output_norm"}


def tensors(layers):
    pool = (np.random.default_rng(1).standard_normal(1 << 25, dtype=np.float32) * 0.02).astype(np.float16)
    shapes = {"model.embed_tokens": (VOCABULARY, HIDDEN), "model.norm": (HIDDEN,)}
    for layer in range(layers):
        shapes.update({f"model.layers.{layer}.{name}": shape for name, shape in LAYER.items()})
    made, at = {}, 0
    for name, shape in shapes.items():
        count = int(np.prod(shape))
        at = (at + 977) % (pool.size - count)
        made[name] = pool[at:at + count].reshape(shape)
    return made


def write_folder(folder, weights, layers):
    folder.mkdir()
    names, index = list(weights), {}
    for part in range(2):
        file = f"model-0000{part + 1}-of-00002.safetensors"
        mine = names[len(names) * part // 2:len(names) * (part + 1) // 2]
        save_file({name + ".weight": weights[name] for name in mine}, folder / file)
        index.update({name + ".weight": file for name in mine})
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    (folder / "config.json").write_text(json.dumps(dict(
        architectures=["LlamaForCausalLM"], model_type="llama", hidden_size=HIDDEN, num_hidden_layers=layers, num_attention_heads=HEADS,
        num_key_value_heads=KV_HEADS, intermediate_size=NEURONS, vocab_size=VOCABULARY, tie_word_embeddings=True, torch_dtype="float16")))


def write_gguf(file, weights, layers):
    writer = GGUFWriter(file, "llama")
    for add, value in ((writer.add_embedding_length, HIDDEN), (writer.add_block_count, layers), (writer.add_head_count, HEADS),
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


def peak_bytes(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) << 10
    return 0  # it has ended


def timed(command, size):
    """Wall and processor seconds and peak bytes. A virtual machine may have to ask its host for memory that nobody used
    lately, which would slow whoever comes first: so that memory is touched before."""
    os.sync()
    np.ones(size // 4, dtype=np.float32)
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peak = 0  # as the process itself has it: what wait4 gives counts the memory of this script too
    while True:
        pid, status, used = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        peak = max(peak, peak_bytes(process.pid))
        time.sleep(0.005)
    seconds = time.monotonic() - start
    if status != 0:
        raise SystemExit(f"{command}: status {status}")
    return seconds, used.ru_utime + used.ru_stime, peak


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("espalierctl")
    parser.add_argument("--dir", default=None)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--layers", type=int, default=48)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.dir) as temporary:
        root = Path(temporary)
        weights = tensors(options.layers)
        write_folder(root / "model", weights, options.layers)
        write_gguf(root / "model.gguf", weights, options.layers)
        del weights
        size = sum(f.stat().st_size for f in (root / "model").iterdir())
        ctl = [options.espalierctl, "--workspace", root / "workspace"]
        imported = {"import": [root / "model"], "import --link": [root / "model", "--link"], "import of GGUF": [root / "model.gguf"],
                    "import --quantize q8_0": [root / "model", "--quantize", "q8_0"],
                    "import --quantize q4_0": [root / "model", "--quantize", "q4_0"]}

        def copy():
            seconds = timed(["sh", "-c", f"cp -r {root}/model {root}/copy && sync {root}/copy/*"], size)[0]
            shutil.rmtree(root / "copy")
            return seconds

        runs = {name: [] for name in imported}
        for _ in range(options.rounds):
            before = copy()
            for name, arguments in imported.items():
                subprocess.run([*ctl, "models", "--json"], check=True, stdout=subprocess.DEVNULL)
                run = timed([*ctl, "import", *arguments, "--quiet", "--json"], size)
                shutil.rmtree(root / "workspace")
                after = copy()
                runs[name].append((before, after, *run))
                before = after
        best_copy = min(min(before, after) for rows in runs.values() for before, after, *_ in rows)
        print(json.dumps({"what": "cp", "mb_per_s": round(size / best_copy / 1e6)}))
        for name, rows in runs.items():
            best = min(row[2] for row in rows)
            print(json.dumps({
                "what": name, "mb_per_s": round(size / best / 1e6), "of_cp": round(best_copy / best, 2),
                "of_cp_median": round(statistics.median((before + after) / 2 / wall for before, after, wall, *_ in rows), 2),
                "processor_s": round(min(row[3] for row in rows), 2), "peak_mb": round(max(row[4] for row in rows) / 1e6, 1)}))


if __name__ == "__main__":
    main()
