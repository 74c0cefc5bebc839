#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the golden bottleneck adapters of this folder: what the `adapters` library (AdapterHub) saves for the tiny models of
../models, and what it computes with them.

  make_bottleneck.py [NAME...]    all of them, or those named

Each folder holds adapter_config.json and adapter.safetensors as the library saves them, and golden.json with logits.f32 or
hidden.f32 as make_golden.py describes. Needs adapters 1.3, which wants another transformers than make_golden.py: use an
environment of its own. The versions are written into golden.json.
"""
import json
import shutil
import sys
from pathlib import Path

import adapters
import torch
import transformers
from adapters import BnConfig, DoubleSeqBnConfig, SeqBnConfig
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoModelForCausalLM

HERE = Path(__file__).resolve().parent
MODELS = HERE.parent / "models"
PROMPT_TOKENS = 37
GREEDY_TOKENS = 64
LOGIT_ROWS = [0, 15, 16, 36]
MIN_MARGIN = 5e-3  # fifty times the tolerance of the comparison
MIN_DISTINCT = 12
MIN_CHANGE = 0.5   # an adapter that changes nothing would show nothing
TEXTS = [1, 2, 16, 17, 37]
NAME = "golden"

CASES = {
    "bert-houlsby": ("bert-f16", "float32", DoubleSeqBnConfig(reduction_factor=4)),
    "bert-pfeiffer-bf16": ("bert-f16", "bfloat16", SeqBnConfig(reduction_factor=3, scaling=1.5)),
    "bert-pfeiffer-layer0-gelu": ("bert-f16", "float32", SeqBnConfig(reduction_factor={"0": 2, "default": 6}, non_linearity="gelu", leave_out=[1])),
    "distilbert-houlsby-gelu-new": ("distilbert-f16", "float32", DoubleSeqBnConfig(reduction_factor=4, non_linearity="gelu_new")),
    "gpt2-houlsby": ("gpt2-odd", "float32", DoubleSeqBnConfig(reduction_factor=3)),
    "llama-pfeiffer": ("mha", "float32", SeqBnConfig(reduction_factor=4)),
    "llama-pfeiffer-learned": ("mha", "float32", SeqBnConfig(reduction_factor=4, scaling="learned")),
    "bert-houlsby-learned-bf16": ("bert-f16", "bfloat16", DoubleSeqBnConfig(reduction_factor=6, scaling="learned")),
    "llama-attention-f16": ("mha", "float16", BnConfig(mh_adapter=True, output_adapter=False, reduction_factor=8, non_linearity="relu",
                                                      original_ln_before=True)),
}


def is_encoder(base):
    return "bert" in base


def load_base(name):
    kind = AutoModel if is_encoder(name) else AutoModelForCausalLM
    return kind.from_pretrained(MODELS / name, attn_implementation="eager", torch_dtype=torch.float32).eval()


def randomize(model, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if f".{NAME}." not in name:
                continue
            if name.endswith(".scaling"):  # a learned one begins at 1
                p.copy_(0.6 + torch.rand(p.shape, generator=generator))
                continue
            width = p.shape[1] if p.dim() == 2 else 1
            strength = 0.5 if name.endswith("bias") else 1.0 if "adapter_down" in name else 0.8
            p.copy_(torch.randn(p.shape, generator=generator) * strength / width ** 0.5)


def start(name, seed):
    base, dtype, config = CASES[name]
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    model = load_base(base)
    adapters.init(model)
    model.add_adapter(NAME, config=config)
    randomize(model, seed)
    model.save_adapter(str(folder), NAME, with_head=False, use_safetensors=True)
    for file in folder.iterdir():
        if file.name not in ("adapter_config.json", "adapter.safetensors"):
            file.unlink()
    saved = json.loads((folder / "adapter_config.json").read_text())
    saved["model_name"] = base
    (folder / "adapter_config.json").write_text(json.dumps(saved, indent=1, sort_keys=True) + "\n")
    file = folder / "adapter.safetensors"
    save_file({n: t.to(getattr(torch, dtype)) for n, t in load_file(file).items()}, file, metadata={"format": "pt"})
    fresh = load_base(base)
    adapters.init(fresh)
    fresh.load_adapter(str(folder), set_active=True, use_safetensors=True)
    return folder, fresh.eval()


def run(model, base, prompt):
    ids, margins = list(prompt), []
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0]
        change = float((logits - base(input_ids=torch.tensor([ids]), use_cache=False).logits[0]).abs().max())
        for _ in range(GREEDY_TOKENS):
            best = torch.topk(model(input_ids=torch.tensor([ids]), use_cache=False).logits[0, -1], 2)
            margins.append(float(best.values[0] - best.values[1]))
            ids.append(int(best.indices[0]))
    return logits[LOGIT_ROWS].clone(), ids[len(prompt):], min(margins), change


def write(folder, golden, values, file):
    golden |= dict(torch=torch.__version__.split("+")[0], transformers=transformers.__version__, adapters=adapters.__version__)
    (folder / "golden.json").write_text(json.dumps(golden) + "\n")
    values.numpy().astype("<f4").tofile(folder / file)
    size = sum(f.stat().st_size for f in folder.iterdir())
    print(f"{folder.name}: seed {golden['seed']}, changed by {golden['change']:.1f}, {size:,} bytes")


def make_encoder(name):
    base = load_base(CASES[name][0])
    folder, model = start(name, 1)
    generator = torch.Generator().manual_seed(1001)
    texts = [(2 + torch.randint(base.config.vocab_size - 2, (n,), generator=generator)).tolist() for n in TEXTS]
    with torch.no_grad():
        hidden = [model(input_ids=torch.tensor([t])).last_hidden_state[0] for t in texts]
        change = max(float((h - base(input_ids=torch.tensor([t])).last_hidden_state[0]).abs().max())
                     for h, t in zip(hidden, texts))
    assert change >= MIN_CHANGE, name
    write(folder, dict(base=CASES[name][0], texts=texts, change=change, seed=1), torch.cat(hidden), "hidden.f32")


def make_decoder(name):
    base = load_base(CASES[name][0])
    for seed in range(1, 200):
        folder, model = start(name, seed)
        generator = torch.Generator().manual_seed(1000 + seed)
        prompt = torch.randint(base.config.vocab_size, (PROMPT_TOKENS,), generator=generator).tolist()
        rows, greedy, margin, change = run(model, base, prompt)
        if margin >= MIN_MARGIN and len(set(greedy)) >= MIN_DISTINCT and change >= MIN_CHANGE:
            break
    else:
        sys.exit(f"{name}: no seed gives a clear greedy continuation")
    write(folder, dict(base=CASES[name][0], prompt=prompt, greedy=greedy, logit_rows=LOGIT_ROWS, min_margin=margin,
                       change=change, seed=seed), rows, "logits.f32")


def main():
    transformers.utils.logging.set_verbosity_error()
    torch.set_num_threads(1)
    for name in sys.argv[1:] or CASES:
        (make_encoder if is_encoder(CASES[name][0]) else make_decoder)(name)


if __name__ == "__main__":
    main()
