#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the golden models of this folder: tiny random Llama folders of odd sizes and what transformers computes for them.

Each folder holds config.json, the weights, and
  golden.json   prompt and 64 greedy tokens, the rows whose logits are stored, the inverse rope frequencies, the smallest
                margin between the best and the second-best logit on the way
  logits.f32    [rows, vocabulary] float32, little endian
Everything is computed in float32 on the weights as they are stored, rounded to bf16 or f16 where a case says so.

Needs torch, transformers and safetensors; the versions are written into golden.json.
"""
import json
import shutil
import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM

HERE = Path(__file__).resolve().parent
PROMPT_TOKENS = 37
GREEDY_TOKENS = 64
LOGIT_ROWS = [0, 15, 16, 36]
MIN_MARGIN = 5e-3  # fifty times the tolerance of the comparison
MIN_DISTINCT = 12  # greedy text of a random model may fall into a loop; such seeds show little

LLAMA3 = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32)
BASE = dict(vocab_size=97, hidden_size=40, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=4,
            intermediate_size=56, max_position_embeddings=256, rms_norm_eps=1e-5, tie_word_embeddings=False,
            bos_token_id=1, eos_token_id=2)


def case(dtype="float32", spelling="new", shards=1, mixed=False, rope=None, theta=10000.0, **config):
    return dict(dtype=dtype, spelling=spelling, shards=shards, mixed=mixed, rope=rope or dict(rope_type="default"),
                theta=theta, config={**BASE, **config})


CASES = {
    "mha": case(spelling="old"),
    "gqa2-tied": case(num_key_value_heads=2, tie_word_embeddings=True, vocab_size=101),
    "gqa4-llama3": case(hidden_size=48, num_attention_heads=8, num_key_value_heads=2, rope=LLAMA3, theta=500000.0),
    "gqa8-headdim-bf16": case(hidden_size=48, num_attention_heads=8, num_key_value_heads=1, head_dim=10, dtype="bfloat16",
                              rope=LLAMA3, spelling="old"),
    "onehead-linear-f16": case(num_attention_heads=1, num_key_value_heads=1, dtype="float16", spelling="old",
                               rope=dict(rope_type="linear", factor=4.0)),
    "bias-sharded-bf16": case(num_attention_heads=2, num_key_value_heads=2, attention_bias=True, mlp_bias=True,
                              dtype="bfloat16", shards=3),
    "deep-gqa4-tied-sharded": case(num_hidden_layers=3, hidden_size=24, num_key_value_heads=1, head_dim=14, vocab_size=199,
                                   intermediate_size=35, tie_word_embeddings=True, rope=LLAMA3, shards=2),
    "gelu-mixed-dtypes": case(num_key_value_heads=2, hidden_act="gelu", mixed=True, intermediate_size=33),
}


def random_weights(model, seed):
    """Larger than usual initialisation, so that logits differ by whole units and greedy choices are clear."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            noise = torch.randn(p.shape, generator=generator)
            if name.endswith("norm.weight"):
                p.copy_(1 + 0.2 * noise)
            elif name.endswith(".bias"):
                p.copy_(0.5 * noise)
            elif "embed_tokens" in name:
                p.copy_(noise)
            elif "lm_head" in name:
                p.copy_(noise * 3 / p.shape[1] ** 0.5)
            else:
                p.copy_(noise * 1.3 / p.shape[1] ** 0.5)


def stored_type(spec, name):
    if not spec["mixed"]:
        return getattr(torch, spec["dtype"])
    if "norm" in name or "k_proj" in name:
        return torch.float32
    return torch.float16 if "mlp.up" in name else torch.bfloat16


def write_config(folder, spec, config):
    data = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", **config}
    if spec["spelling"] == "new":
        data["dtype"] = spec["dtype"]
        data["rope_parameters"] = {**spec["rope"], "rope_theta": spec["theta"]}
    else:
        data["torch_dtype"] = spec["dtype"]
        data["rope_theta"] = spec["theta"]
        kind = spec["rope"]["rope_type"]
        data["rope_scaling"] = None if kind == "default" else dict(spec["rope"])
        if kind == "linear":  # the oldest spelling of all
            data["rope_scaling"] = {"type": "linear", "factor": spec["rope"]["factor"]}
    (folder / "config.json").write_text(json.dumps(data, indent=1) + "\n")


def write_weights(folder, spec, model):
    tied = spec["config"]["tie_word_embeddings"]
    tensors = {n: p.detach().to(stored_type(spec, n)).contiguous() for n, p in model.state_dict().items()
               if not (tied and n == "lm_head.weight")}
    names = list(tensors)
    if spec["shards"] == 1:
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
        return
    count, index = spec["shards"], {}
    for i in range(count):
        file = f"model-{i + 1:05}-of-{count:05}.safetensors"
        part = names[len(names) * i // count:len(names) * (i + 1) // count]
        save_file({n: tensors[n] for n in part}, folder / file, metadata={"format": "pt"})
        index.update({n: file for n in part})
    total = sum(t.numel() * t.element_size() for t in tensors.values())
    (folder / "model.safetensors.index.json").write_text(
        json.dumps({"metadata": {"total_size": total}, "weight_map": index}, indent=1) + "\n")


def run(folder, prompt):
    model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    ids, margins = list(prompt), []
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0]
        rows = logits[LOGIT_ROWS].clone()
        for _ in range(GREEDY_TOKENS):
            best = torch.topk(model(torch.tensor([ids])).logits[0, -1], 2)
            margins.append(float(best.values[0] - best.values[1]))
            ids.append(int(best.indices[0]))
    return rows, ids[len(prompt):], min(margins), model.model.rotary_emb.inv_freq.tolist()


def make(name, spec):
    folder = HERE / name
    for seed in range(1, 200):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        config = dict(spec["config"])
        model = LlamaForCausalLM(LlamaConfig(**config, rope_parameters={**spec["rope"], "rope_theta": spec["theta"]}))
        random_weights(model, seed)
        write_config(folder, spec, config)
        write_weights(folder, spec, model)
        generator = torch.Generator().manual_seed(1000 + seed)
        prompt = torch.randint(config["vocab_size"], (PROMPT_TOKENS,), generator=generator).tolist()
        rows, greedy, margin, inv_freq = run(folder, prompt)
        if margin >= MIN_MARGIN and len(set(greedy)) >= MIN_DISTINCT:
            break
    else:
        sys.exit(f"{name}: no seed gives a clear greedy continuation")
    rows.numpy().astype("<f4").tofile(folder / "logits.f32")
    golden = dict(prompt=prompt, greedy=greedy, logit_rows=LOGIT_ROWS, min_margin=margin, inv_freq=inv_freq, seed=seed,
                  torch=torch.__version__.split("+")[0], transformers=transformers.__version__)
    (folder / "golden.json").write_text(json.dumps(golden) + "\n")
    size = sum(f.stat().st_size for f in folder.iterdir())
    print(f"{name}: seed {seed}, smallest margin {margin:.4f}, {len(set(greedy))} distinct greedy tokens, "
          f"logits up to {rows.abs().max():.1f}, {size:,} bytes")


def main():
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(1)
    for name, spec in CASES.items():
        make(name, spec)


if __name__ == "__main__":
    main()
