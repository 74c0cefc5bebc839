#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the golden adapters of this folder: PEFT LoRA folders for the tiny models of ../models, and what PEFT computes
with them.

  make_golden.py [NAME...]    all of them, or those named

Each folder holds adapter_config.json and adapter_model.safetensors as PEFT saves them, and golden.json, which names the
base, and of a decoder says
  prompt, 64 greedy tokens, the smallest margin between the best and the second-best logit on the way,
  logit_rows, whose logits are in logits.f32 [rows, vocabulary], and how far they are from the base's;
and of an encoder
  texts, whose last hidden states are in hidden.f32 [all tokens, hidden].
Numbers are float32, little endian, computed in float32 on the weights as they are stored.

Needs torch, transformers, peft and safetensors; the versions are written into golden.json.
"""
import json
import shutil
import sys
from pathlib import Path

import peft
import torch
import transformers
from peft import LoraConfig, PeftModel, get_peft_model
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

ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"]
ALL = [*ATTENTION, "gate_proj", "up_proj", "down_proj"]


def case(base, dtype="float32", r=8, base_copies=False, **config):
    return dict(base=base, dtype=dtype, base_copies=base_copies,
                config=dict(r=r, lora_dropout=0.0, bias="none", **config))


CASES = {
    "llama-r1-query": case("mha", r=1, lora_alpha=2, target_modules=["q_proj"]),
    "llama-r3-all": case("gqa2-tied", r=3, lora_alpha=6, target_modules=ALL),
    "llama-r8-attention-bf16": case("gqa8-headdim-bf16", dtype="bfloat16", r=8, lora_alpha=16, target_modules=ATTENTION),
    "llama-r16-rslora": case("mha", r=16, lora_alpha=4, use_rslora=True, target_modules=ALL),
    "llama-patterns": case("deep-gqa4-tied-sharded", r=8, lora_alpha=8, target_modules=r".*\.(self_attn\.[qv]_proj|mlp\.(up|down)_proj)",
                           rank_pattern={r"layers\.1\.self_attn\.q_proj": 3, "up_proj": 9},
                           alpha_pattern={"down_proj": 20, r"model\.layers\.2\.self_attn\.v_proj": 1.5}),
    "llama-headless-names": case("gqa4-llama3", r=4, lora_alpha=8, target_modules=["v_proj", "o_proj", "gate_proj"]),
    "mistral-r2-excluded-f16": case("mistral-window9-bf16", dtype="float16", r=2, lora_alpha=5, target_modules=ALL,
                                    exclude_modules=["k_proj"]),
    "qwen2-r8-layer1-f16": case("qwen2-tied-bf16", dtype="float16", r=8, lora_alpha=16, target_modules=ALL,
                                layers_to_transform=[1]),
    "qwen2-r12-mlp": case("qwen2-window21", r=12, lora_alpha=12, target_modules=["gate_proj", "up_proj", "down_proj"]),
    "qwen3-r6-mixed": case("qwen3-headdim16-f16", dtype="mixed", r=6, lora_alpha=6, target_modules=["q_proj", "k_proj", "down_proj"]),
    "gpt2-r4-all": case("gpt2-odd", r=4, lora_alpha=8, target_modules=["c_attn", "c_proj", "c_fc"], fan_in_fan_out=True),
    "gpt2-r17-attention-bf16": case("gpt2-old-names-f16", dtype="bfloat16", r=17, lora_alpha=17, target_modules=["c_attn"],
                                    fan_in_fan_out=True),
    # The embedding and the head; PEFT by itself saves the base's weights of both beside what changes them.
    "llama-r5-head": case("mha", base_copies=True, r=5, lora_alpha=10, target_modules=["q_proj", "lm_head"]),
    "llama-r4-embedding-tied-bf16": case("gqa2-tied", dtype="bfloat16", r=4, lora_alpha=4, target_modules=["embed_tokens", "v_proj"]),
    "qwen2-ends-tied-rslora-f16": case("qwen2-tied-bf16", dtype="float16", r=6, lora_alpha=4, use_rslora=True,
                                       target_modules=["embed_tokens", "lm_head"],
                                       rank_pattern={"lm_head": 9, "embed_tokens": 3}, alpha_pattern={"lm_head": 6}),
    "mistral-r3-everything": case("mistral-window9-bf16", r=3, lora_alpha=3, target_modules=["embed_tokens", *ALL, "lm_head"]),
    "qwen3-r8-head-alone": case("qwen3-headdim16-f16", r=8, lora_alpha=8, target_modules=["lm_head"]),
    "gpt2-r7-wte-head": case("gpt2-odd", r=7, lora_alpha=7, target_modules=["wte", "c_attn", "lm_head"]),
    "bert-r4-word-embeddings": case("bert-f16", r=4, lora_alpha=8, target_modules=["word_embeddings", "query"]),
    "bert-r5-all": case("bert-f16", r=5, lora_alpha=10, target_modules=["query", "key", "value", "dense"]),
    "distilbert-r8": case("distilbert-f16", r=8, lora_alpha=8, target_modules=["q_lin", "v_lin", "lin1"]),
}


def is_encoder(base):
    return "bert" in base


def load_base(name):
    kind = AutoModel if is_encoder(name) else AutoModelForCausalLM
    return kind.from_pretrained(MODELS / name, attn_implementation="eager", dtype=torch.float32).eval()


def random_adapter(model, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "lora_" in name:
                width = 1 if "lora_embedding_A" in name else p.shape[1]  # of an embedding one column at a time is used
                p.copy_(torch.randn(p.shape, generator=generator) * (0.4 if "_B." in name else 1.0) / width ** 0.5)


def save(model, folder, name, spec):
    model.save_pretrained(folder, save_embedding_layers="auto" if spec["base_copies"] else False)
    (folder / "README.md").unlink(missing_ok=True)
    config = json.loads((folder / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = spec["base"]
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=1, sort_keys=True) + "\n")
    file = folder / "adapter_model.safetensors"
    tensors = load_file(file)
    if spec["dtype"] == "mixed":
        tensors = {n: t.to(torch.bfloat16 if "lora_A" in n else torch.float16) for n, t in tensors.items()}
    else:
        tensors = {n: t if "base_layer" in n else t.to(getattr(torch, spec["dtype"])) for n, t in tensors.items()}
    if name == "llama-headless-names":  # as when the model under it had no head
        tensors = {n.replace("base_model.model.model.", "base_model.model."): t for n, t in tensors.items()}
    save_file(tensors, file, metadata={"format": "pt"})


def load(folder, name, spec):
    base = load_base(spec["base"])
    if name == "llama-headless-names":
        base.model = PeftModel.from_pretrained(base.model, folder, torch_device="cpu").base_model.model
        return base.eval()
    return PeftModel.from_pretrained(base, folder, torch_device="cpu").eval()


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


def start(name, spec, seed):
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    model = get_peft_model(load_base(spec["base"]), LoraConfig(**spec["config"]))
    random_adapter(model, seed)
    save(model, folder, name, spec)
    return folder, load(folder, name, spec)


def write(folder, golden, values, file):
    golden |= dict(torch=torch.__version__.split("+")[0], transformers=transformers.__version__, peft=peft.__version__)
    (folder / "golden.json").write_text(json.dumps(golden) + "\n")
    values.numpy().astype("<f4").tofile(folder / file)
    size = sum(f.stat().st_size for f in folder.iterdir())
    print(f"{folder.name}: seed {golden['seed']}, changed by {golden['change']:.1f}, {size:,} bytes")


def make_encoder(name, spec):
    folder, model = start(name, spec, 1)
    base = load_base(spec["base"])
    generator = torch.Generator().manual_seed(1001)
    texts = [(2 + torch.randint(base.config.vocab_size - 2, (n,), generator=generator)).tolist() for n in TEXTS]
    with torch.no_grad():
        hidden = [model(input_ids=torch.tensor([t])).last_hidden_state[0] for t in texts]
        change = max(float((h - base(input_ids=torch.tensor([t])).last_hidden_state[0]).abs().max())
                     for h, t in zip(hidden, texts))
    assert change >= MIN_CHANGE, name
    write(folder, dict(base=spec["base"], texts=texts, change=change, seed=1), torch.cat(hidden), "hidden.f32")


def make_decoder(name, spec):
    base = load_base(spec["base"])
    for seed in range(1, 200):
        folder, model = start(name, spec, seed)
        generator = torch.Generator().manual_seed(1000 + seed)
        prompt = torch.randint(base.config.vocab_size, (PROMPT_TOKENS,), generator=generator).tolist()
        rows, greedy, margin, change = run(model, base, prompt)
        if margin >= MIN_MARGIN and len(set(greedy)) >= MIN_DISTINCT and change >= MIN_CHANGE:
            break
    else:
        sys.exit(f"{name}: no seed gives a clear greedy continuation")
    write(folder, dict(base=spec["base"], prompt=prompt, greedy=greedy, logit_rows=LOGIT_ROWS, min_margin=margin,
                       change=change, seed=seed), rows, "logits.f32")


def main():
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(1)
    for name in sys.argv[1:] or CASES:
        (make_encoder if is_encoder(CASES[name]["base"]) else make_decoder)(name, CASES[name])


if __name__ == "__main__":
    main()
