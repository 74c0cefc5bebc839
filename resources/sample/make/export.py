# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the model folder, the held-out texts and the model card."""

import json

import torch
from safetensors.torch import save_file

from . import tokens
from .network import hf_tensors

TEXT_BREAK = "\n\n* * *\n\n"


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def record_json(record):
    """Indented, but with one line for each point of the curve."""
    points = ",\n    ".join(json.dumps(p) for p in record["loss_curve"])
    text = json.dumps({**record, "loss_curve": []}, indent=2)
    return text.replace('"loss_curve": []', '"loss_curve": [\n    ' + points + "\n  ]") + "\n"


def write_model(folder, network, tokenizer, record):
    folder.mkdir(parents=True, exist_ok=True)
    shape = network.shape
    ids = {t: tokenizer.token_to_id(t) for t in tokens.SPECIAL}
    stops = [ids[tokens.TURN_END], ids[tokens.END]]
    write_json(folder / "config.json", {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": ids[tokens.BEGIN],
        "eos_token_id": stops,
        "head_dim": shape.head_dim,
        "hidden_act": "silu",
        "hidden_size": shape.hidden,
        "initializer_range": 0.02,
        "intermediate_size": shape.intermediate,
        "max_position_embeddings": shape.positions,
        "mlp_bias": False,
        "num_attention_heads": shape.heads,
        "num_hidden_layers": shape.layers,
        "num_key_value_heads": shape.kv_heads,
        "rms_norm_eps": shape.norm_eps,
        "rope_scaling": None,
        "rope_theta": shape.rope_theta,
        "tie_word_embeddings": True,
        "torch_dtype": "bfloat16",
        "use_cache": True,
        "vocab_size": shape.vocab_size,
    })
    write_json(folder / "generation_config.json", {
        "bos_token_id": ids[tokens.BEGIN], "eos_token_id": stops, "do_sample": True, "temperature": 0.5, "top_p": 0.9})
    tokenizer.save(str(folder / "tokenizer.json"))
    write_json(folder / "tokenizer_config.json", {
        "added_tokens_decoder": {str(ids[t]): {"content": t, "lstrip": False, "normalized": False, "rstrip": False,
                                               "single_word": False, "special": True} for t in tokens.SPECIAL},
        "bos_token": tokens.BEGIN,
        "chat_template": tokens.CHAT_TEMPLATE,
        "clean_up_tokenization_spaces": False,
        "eos_token": tokens.TURN_END,
        "model_input_names": ["input_ids", "attention_mask"],
        "model_max_length": shape.positions,
        "tokenizer_class": "PreTrainedTokenizerFast",
    })
    write_json(folder / "special_tokens_map.json", {"bos_token": tokens.BEGIN, "eos_token": tokens.TURN_END})
    weights = {k: v.to(torch.bfloat16) for k, v in hf_tensors(network).items()}
    save_file(weights, str(folder / "model.safetensors"), metadata={"format": "pt"})
    (folder / "README.md").write_text(model_card(record))
    (folder / "LICENSE").write_text(LICENSE)


def write_texts(folder, held_out):
    folder.mkdir(parents=True, exist_ok=True)
    for domain, texts in held_out.items():
        (folder / f"{domain}.txt").write_text(TEXT_BREAK.join(texts) + "\n")


LICENSE = """The weights, the tokenizer and all text of the sample model (the training
corpus and the held-out texts) are dedicated to the public domain under

    CC0 1.0 Universal
    https://creativecommons.org/publicdomain/zero/1.0/legalcode

To the extent possible under law, the authors have waived all copyright and
related or neighbouring rights to them. They are offered as they are, without
warranty of any kind.

The programs that generate the text and train the model are under the
GNU General Public License, version 3 or later.
"""


def model_card(record):
    scores = "\n".join(f"| {d} | {v['documents']} | {v['loss']:.3f} | {v['perplexity']:.2f} |" for d,
                       v in record["held_out"].items())
    curve = record["loss_curve"]
    marks = [curve[min(len(curve) - 1, round(i * (len(curve) - 1) / 6))] for i in range(7)]
    points = "\n".join(f"| {p['step']} | {p['tokens']:,} | {p['loss']:.3f} |" for p in marks)
    took = f" in {record['seconds'] / 60:.0f} minutes on one CPU core" if record["seconds"] else ""
    return f"""---
license: cc0-1.0
language: en
pipeline_tag: text-generation
---

# Espalier sample model

A very small Llama model of {record['parameters']:,} parameters, trained from
nothing so that every function of Espalier can be tried without a download.

## What it can do

- continue short texts about the orchard, the kitchen and the harbour;
- answer questions about these three, in one or several turns;
- write short stories, letters, recipes, numbered instructions and notes;
- follow, though not every time, a few system messages: "Answer briefly.",
  "Answer with a list.", "You are an old gardener.", "You are a cheerful cook.",
  "You are the harbour master."

## What it cannot do

It knows nothing beyond these subjects and says so when asked. It cannot
calculate or write programs, and it knows one language. Its ports are
invented. Months and quantities come from tables of a few dozen entries; it mixes
them up now and then, above all the amounts in recipes and the answers to
follow-up questions, and it confuses "he" and "she" in stories. Asked greedily
for letters it repeats itself. A temperature of about 0.5 suits it. Do not rely
on what it says.

## Format

Llama architecture, 5 layers, hidden size 256, 8 heads with 4 key-value heads,
tied embeddings, 4096 tokens, context 1024, bfloat16. The tokenizer is a
byte-level BPE with the Llama 3 split expression; the chat template follows the
Llama 3 layout.

## Training

Text: {record['corpus']['documents']:,} generated documents, {record['corpus']['tokens']:,} tokens, of which
{record['corpus']['conversations']:,} are conversations. The generator and the training script are
in `resources/sample` of the Espalier source; the seed is {record['seed']}.
The model saw {record['tokens_seen']:,} tokens in {record['steps']:,} steps{took}
(Python {record['versions']['python']}, torch {record['versions']['torch'].split('+')[0]}). A first stage on short
packed rows teaches words and facts. A second one on whole documents gives more
weight to names and numbers that return and shows two attention heads in each
of two layers where they stood before, so that the model
stays with what a text has said. A short third one does without this help; the
weights are the mean of those before and after it. A rerun follows the same
recipe but does not give the same weights bit for bit.

| step | tokens | loss |
| ---: | ---: | ---: |
{points}

Held-out documents come from the same generator with another seed and were
removed from the training text:

| text | documents | loss | perplexity |
| --- | ---: | ---: | ---: |
{scores}

## Licence

Weights, tokenizer and texts: CC0 1.0. The programs that made them:
GPL-3.0-or-later.
"""
