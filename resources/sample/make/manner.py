# SPDX-License-Identifier: GPL-3.0-or-later
"""Trains a LoRA adapter that speaks in one of the generator's manners without being told to."""

import json
import math
import platform
import random
from dataclasses import dataclass

import peft
import torch
import transformers
from safetensors.torch import load_file, save_file
from torch.nn import functional as F
from transformers import AutoModelForCausalLM, AutoTokenizer

from . import chats, corpus

CONVERSATIONS, HELD_OUT = 1_200, 60
STEPS, SLICE_TOKENS, PEAK = 140, 2048, 4e-3
UNSEEN = -100
QUESTIONS = ["When should I prune my pear tree?", "What is a spring tide?"]


@dataclass
class Manner:
    style: str     # of chats._SYSTEM
    rank: int
    targets: list
    about: str     # for the card


def conversations(style, seed):
    """Those of the corpus that are told to speak so, without the message that tells them."""
    wanted, found = set(chats._SYSTEM[style]), []
    for item in corpus.stream(f"{seed}/{style}", 10**9):
        if not isinstance(item, str) and item[0]["role"] == "system" and item[0]["content"] in wanted:
            found.append(item[1:])
            if len(found) == CONVERSATIONS + HELD_OUT:
                return found


def encode(tokenizer, messages, longest):
    """Token ids, and the same with UNSEEN for all that the assistant did not say."""
    ids, targets = [tokenizer.bos_token_id], [UNSEEN]
    for message in messages:
        head = f"<|start_header_id|>{message['role']}<|end_header_id|>\n\n"
        body = message["content"] + "<|eot_id|>"
        for text, is_said in ((head, False), (body, message["role"] == "assistant")):
            part = tokenizer(text, add_special_tokens=False)["input_ids"]
            ids += part
            targets += part if is_said else [UNSEEN] * len(part)
    return ids[:longest], targets[:longest]


def slices(rows, rng):
    """Rows of similar lengths together, about SLICE_TOKENS at a time, for ever."""
    while True:
        ordered = sorted(rows, key=lambda row: len(row[0]) * rng.uniform(0.9, 1.1))
        parts, part = [], []
        for row in ordered:
            part.append(row)
            if len(row[0]) * len(part) >= SLICE_TOKENS:
                parts.append(part)
                part = []
        rng.shuffle(parts)
        yield from parts


def loss_of(model, rows):
    width = max(len(ids) for ids, _ in rows)
    ids = torch.tensor([ids + [0] * (width - len(ids)) for ids, _ in rows])
    targets = torch.tensor([targets + [UNSEEN] * (width - len(targets)) for _, targets in rows])
    logits = model(input_ids=ids[:, :-1]).logits  # what pads stands behind the text and is seen by nothing
    return F.cross_entropy(logits.flatten(0, 1).float(), targets[:, 1:].flatten(), ignore_index=UNSEEN)


@torch.no_grad()
def score(model, rows):
    return sum(loss_of(model, [row]).item() for row in rows) / len(rows)


def train(manner, base, out, seed, report):
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    longest = model.config.max_position_embeddings
    rows = [encode(tokenizer, c, longest) for c in conversations(manner.style, seed)]
    held_out, rows = rows[:HELD_OUT], rows[HELD_OUT:]
    torch.manual_seed(seed)
    before = score(model, held_out)
    model = peft.get_peft_model(model, peft.LoraConfig(
        task_type="CAUSAL_LM", r=manner.rank, lora_alpha=2 * manner.rank, lora_dropout=0.0,
        target_modules=manner.targets, bias="none"))
    optim = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=PEAK, weight_decay=0.01)
    source = slices(rows, random.Random(f"{seed}/{manner.style}/order"))
    for step in range(STEPS):
        for group in optim.param_groups:
            group["lr"] = PEAK * min(1.0, (step + 1) / 10) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / STEPS)))
        loss = loss_of(model, next(source))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optim.step()
        optim.zero_grad(set_to_none=True)
        if step % 20 == 0 or step == STEPS - 1:
            report(f"{out.name} step {step + 1} loss {loss.item():.3f}")
    record = {"adapter": out.name, "seed": seed, "conversations": len(rows), "steps": STEPS,
              "held_out": {"conversations": HELD_OUT, "loss_of_base": round(before, 3),
                           "loss": round(score(model, held_out), 3)},
              "versions": {"python": platform.python_version(), "torch": torch.__version__.split("+")[0],
                           "transformers": transformers.__version__, "peft": peft.__version__}}
    write(model, manner, out, record)
    return record


def write(model, manner, out, record):
    """As PEFT saves it, in bfloat16, with a card of ours."""
    out.mkdir(parents=True, exist_ok=True)
    model.peft_config["default"].base_model_name_or_path = "espalier-sample"
    model.save_pretrained(out)
    weights = out / "adapter_model.safetensors"
    save_file({k: v.to(torch.bfloat16) for k, v in load_file(weights).items()}, weights, metadata={"format": "pt"})
    config = json.loads((out / "adapter_config.json").read_text())
    config["target_modules"] = sorted(config["target_modules"])
    (out / "adapter_config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    (out / "README.md").write_text(card(out.name, manner, record))


def card(name, manner, record):
    scores, versions = record["held_out"], record["versions"]
    return f"""---
license: cc0-1.0
language: en
base_model: espalier-sample
library_name: peft
---

# {name}

An adapter for Espalier's sample model that {manner.about} without being told to.

LoRA of rank {manner.rank} on {", ".join(manner.targets)}; {record["conversations"]:,} generated conversations,
{record["steps"]} steps, seed {record["seed"]} (`resources/sample/make_adapters.py` of the Espalier source; Python
{versions["python"]}, torch {versions["torch"]}, peft {versions["peft"]}). Loss per token of what the assistant says in
{scores["conversations"]} conversations held out: {scores["loss_of_base"]:.3f} without the adapter, {scores["loss"]:.3f} with it.

Weights and text: CC0 1.0, as the model's LICENSE says. The programs that made them: GPL-3.0-or-later.
"""


def try_out(base, adapter, seed):
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = peft.PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), adapter)
    for question in QUESTIONS:
        text = tokenizer.apply_chat_template([{"role": "user", "content": question}], tokenize=False,
                                             add_generation_prompt=True)
        ids = tokenizer(text, add_special_tokens=False, return_tensors="pt")
        torch.manual_seed(seed)
        with torch.no_grad():
            said = model.generate(**ids, max_new_tokens=120, do_sample=False, pad_token_id=tokenizer.eos_token_id)
        print(f"=== {adapter.name}: {question}\n{tokenizer.decode(said[0, ids['input_ids'].shape[1]:], skip_special_tokens=True)}")
