#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the golden models of this folder: tiny random folders of every family, of odd sizes, and what transformers
computes for them.

  make_golden.py [NAME...]    all of them, or those named

Each folder holds config.json, the weights, and golden.json, which of a decoder says
  prompt, 64 greedy tokens, the smallest margin between the best and the second-best logit on the way,
  logit_rows, whose logits are in logits.f32 [rows, vocabulary], and the inverse rope frequencies;
and of an encoder
  texts and token_types, whose last hidden states are in hidden.f32 [all tokens, hidden].
Numbers are float32, little endian, computed in float32 on the weights as they are stored, rounded to bf16 or f16 where a
case says so.

Needs torch, transformers and safetensors; the versions are written into golden.json.
"""
import json
import shutil
import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM

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
GPT2 = dict(vocab_size=89, n_embd=33, n_layer=2, n_head=3, n_positions=112, n_inner=None, layer_norm_epsilon=1e-5,
            activation_function="gelu_new", bos_token_id=0, eos_token_id=0)
BERT = dict(vocab_size=83, hidden_size=36, num_hidden_layers=2, num_attention_heads=3, intermediate_size=50,
            max_position_embeddings=48, type_vocab_size=2, layer_norm_eps=1e-12, hidden_act="gelu", pad_token_id=0)
ROBERTA = {**BERT, "max_position_embeddings": 50, "type_vocab_size": 1, "layer_norm_eps": 1e-5, "pad_token_id": 1}
DISTILBERT = dict(vocab_size=83, dim=36, n_layers=2, n_heads=3, hidden_dim=50, max_position_embeddings=48,
                  activation="gelu", pad_token_id=0)
ENCODERS = ("bert", "roberta", "xlm-roberta", "distilbert")
ENCODER_LENGTHS = [1, 2, 16, 17, 37]


def case(dtype="float32", spelling="new", shards=1, mixed=False, rope=None, theta=10000.0, family="llama", embedding=1.0, **config):
    return dict(embedding=embedding, dtype=dtype, spelling=spelling, shards=shards, mixed=mixed, rope=rope or dict(rope_type="default"),
                theta=theta, family=family, architecture=ARCHITECTURES[family], config={**BASE, **config})


def plain(family, base, dtype="float32", architecture=None, rename=None, extra=None, embedding=1.0, **config):
    """A family without rotation: config.json as given; `rename` and `extra` change the tensors of the file."""
    return dict(embedding=embedding, dtype=dtype, spelling="plain", shards=1, mixed=False, family=family, rename=rename, extra=extra,
                architecture=architecture or ARCHITECTURES[family], config={**base, **config})


def without_prefix(name):
    return name.removeprefix("transformer.")


def old_buffers(tensors):
    """What GPT-2 folders of 2019 hold beside the weights."""
    for i in range(GPT2["n_layer"]):
        tensors[f"h.{i}.attn.bias"] = torch.tril(torch.ones(1, 1, GPT2["n_positions"], GPT2["n_positions"]))
        tensors[f"h.{i}.attn.masked_bias"] = torch.tensor(-1e4)
    del tensors["lm_head.weight"]


def old_norm_names(name):
    name = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
    return "bert." + name


def roberta_name(name):
    return "roberta." + name


def masked_head(tensors):
    tensors["cls.predictions.bias"] = torch.zeros(BERT["vocab_size"])
    tensors["bert.embeddings.position_ids"] = torch.arange(BERT["max_position_embeddings"]).unsqueeze(0)
    for name in [n for n in tensors if "pooler" in n]:
        del tensors[name]


ARCHITECTURES = dict(llama="LlamaForCausalLM", mistral="MistralForCausalLM", qwen2="Qwen2ForCausalLM",
                     qwen3="Qwen3ForCausalLM", gpt2="GPT2LMHeadModel", bert="BertModel", roberta="RobertaModel",
                     distilbert="DistilBertModel", **{"xlm-roberta": "XLMRobertaModel"})
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
    "mistral-window9-bf16": case(family="mistral", dtype="bfloat16", num_key_value_heads=2, sliding_window=9),
    "mistral-headdim-f16": case(family="mistral", dtype="float16", num_key_value_heads=1, head_dim=14, spelling="old",
                                sliding_window=None, theta=1000000.0),
    "qwen2-tied-bf16": case(family="qwen2", dtype="bfloat16", num_key_value_heads=2, tie_word_embeddings=True,
                            embedding=0.4, spelling="old", sliding_window=8, use_sliding_window=False, max_window_layers=2),
    "qwen2-window21": case(family="qwen2", num_hidden_layers=3, hidden_size=24, intermediate_size=45, sliding_window=21,
                           use_sliding_window=True, max_window_layers=1),
    "qwen3-headdim16-f16": case(family="qwen3", dtype="float16", num_key_value_heads=2, head_dim=16),
    "qwen3-layertypes-bias-bf16": case(family="qwen3", dtype="bfloat16", num_attention_heads=5, num_key_value_heads=1,
                                       head_dim=10, attention_bias=True, use_sliding_window=True, sliding_window=16,
                                       layer_types=["sliding_attention", "full_attention"], tie_word_embeddings=True,
                                       embedding=0.4),
    "gpt2-odd": plain("gpt2", GPT2, embedding=0.4),
    "gpt2-old-names-f16": plain("gpt2", GPT2, embedding=0.4, dtype="float16", n_embd=40, n_head=4, n_inner=54, rename=without_prefix,
                                extra=old_buffers),
    "bert-f16": plain("bert", BERT, dtype="float16"),
    "bert-masked-old-names": plain("bert", BERT, architecture="BertForMaskedLM", hidden_size=30, num_attention_heads=2,
                                   intermediate_size=41, num_hidden_layers=3, rename=old_norm_names, extra=masked_head),
    "roberta-bf16": plain("roberta", ROBERTA, dtype="bfloat16"),
    "xlm-roberta-prefix": plain("xlm-roberta", ROBERTA, hidden_size=30, rename=roberta_name),
    "distilbert-f16": plain("distilbert", DISTILBERT, dtype="float16"),
}


def random_weights(model, seed, embedding):
    """Larger than usual initialisation, so that logits differ by whole units and greedy choices are clear."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            noise = torch.randn(p.shape, generator=generator)
            inputs = p.shape[0] if ".c_" in name else p.shape[-1]  # GPT-2 stores projections as [in, out]
            if name.endswith(("norm.weight", "LayerNorm.weight", "layer_norm.weight")) or ".ln_" in name and name.endswith(".weight"):
                p.copy_(1 + 0.2 * noise)
            elif name.endswith(".bias"):
                p.copy_((0.1 if ".h." in name or "ln_f" in name else 0.5) * noise)
            elif "wpe" in name or "position_embeddings" in name or "token_type" in name:
                p.copy_(0.5 * noise)
            elif "embed_tokens" in name or "wte" in name or "word_embeddings" in name:
                p.copy_(embedding * noise)
            elif "lm_head" in name:
                p.copy_(noise * 3 / inputs ** 0.5)
            else:
                p.copy_(noise * (2.0 if ".c_" in name else 1.3) / inputs ** 0.5)


def stored_type(spec, name):
    if not spec["mixed"]:
        return getattr(torch, spec["dtype"])
    if "norm" in name or "k_proj" in name:
        return torch.float32
    return torch.float16 if "mlp.up" in name else torch.bfloat16


def write_config(folder, spec, config):
    data = {"architectures": [spec["architecture"]], "model_type": spec["family"]}
    if spec["spelling"] != "plain":
        data["hidden_act"] = "silu"
    data.update(config)
    if spec["spelling"] == "plain":
        data["torch_dtype"] = spec["dtype"]
    elif spec["spelling"] == "new":
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
    tied = spec["config"].get("tie_word_embeddings", False)
    tensors = {n: p.detach().to(stored_type(spec, n)).contiguous() for n, p in model.state_dict().items()
               if not (tied and n == "lm_head.weight")}
    rename, extra = spec.get("rename"), spec.get("extra")
    if rename:
        tensors = {rename(n): t for n, t in tensors.items()}
    if spec["family"] == "gpt2" and not rename:
        del tensors["lm_head.weight"]
    if extra:
        extra(tensors)
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


def load(folder, spec, model):
    """The model as the folder says it: its config.json, the weights as stored."""
    config = AutoConfig.from_pretrained(folder, attn_implementation="eager")
    kind = AutoModel if spec["family"] in ENCODERS else AutoModelForCausalLM
    loaded = kind.from_config(config, attn_implementation="eager", dtype=torch.float32)
    stored = {n: p.detach().to(stored_type(spec, n)).float() for n, p in model.state_dict().items()}
    loaded.load_state_dict(stored)
    return loaded.eval()


def run(model, prompt):
    ids, margins = list(prompt), []
    with torch.no_grad():
        logits = model(torch.tensor([ids]), use_cache=False).logits[0]
        rows = logits[LOGIT_ROWS].clone()
        for _ in range(GREEDY_TOKENS):
            best = torch.topk(model(torch.tensor([ids]), use_cache=False).logits[0, -1], 2)
            margins.append(float(best.values[0] - best.values[1]))
            ids.append(int(best.indices[0]))
    rotary = getattr(getattr(model, "model", None), "rotary_emb", None)
    return rows, ids[len(prompt):], min(margins), rotary.inv_freq.tolist() if rotary else []


def write(folder, golden, values, file):
    golden |= dict(torch=torch.__version__.split("+")[0], transformers=transformers.__version__)
    (folder / "golden.json").write_text(json.dumps(golden) + "\n")
    values.numpy().astype("<f4").tofile(folder / file)
    size = sum(f.stat().st_size for f in folder.iterdir())
    print(f"{folder.name}: seed {golden['seed']}, values up to {values.abs().max():.1f}, {size:,} bytes")


def start(name, spec, seed):
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    write_config(folder, spec, dict(spec["config"]))
    config = AutoConfig.from_pretrained(folder)
    model = (AutoModel if spec["family"] in ENCODERS else AutoModelForCausalLM).from_config(config)
    random_weights(model, seed, spec["embedding"])
    write_weights(folder, spec, model)
    return folder, load(folder, spec, model)


def make_encoder(name, spec):
    folder, model = start(name, spec, 1)
    generator = torch.Generator().manual_seed(1001)
    vocabulary = spec["config"]["vocab_size"]
    # Padding ids are no text: RoBERTa does not count them.
    texts = [(2 + torch.randint(vocabulary - 2, (n,), generator=generator)).tolist() for n in ENCODER_LENGTHS]
    second = min(1, spec["config"].get("type_vocab_size", 1) - 1)
    types = [[0] * (n // 2) + [second] * (n - n // 2) for n in ENCODER_LENGTHS]
    types[-1] = [0] * ENCODER_LENGTHS[-1]  # what an embedding request sends
    with torch.no_grad():
        hidden = [model(torch.tensor([t]), **(dict(token_type_ids=torch.tensor([k])) if second else {}))
                  .last_hidden_state[0] for t, k in zip(texts, types)]
    write(folder, dict(texts=texts, token_types=types if second else [[] for _ in types], seed=1), torch.cat(hidden), "hidden.f32")


def make_decoder(name, spec):
    vocabulary = spec["config"]["vocab_size"]
    for seed in range(1, 200):
        folder, model = start(name, spec, seed)
        generator = torch.Generator().manual_seed(1000 + seed)
        prompt = torch.randint(vocabulary, (PROMPT_TOKENS,), generator=generator).tolist()
        rows, greedy, margin, inv_freq = run(model, prompt)
        if margin >= MIN_MARGIN and len(set(greedy)) >= MIN_DISTINCT:
            break
    else:
        sys.exit(f"{name}: no seed gives a clear greedy continuation")
    write(folder, dict(prompt=prompt, greedy=greedy, logit_rows=LOGIT_ROWS, min_margin=margin, inv_freq=inv_freq,
                       seed=seed), rows, "logits.f32")


def main():
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(1)
    for name in sys.argv[1:] or CASES:
        (make_encoder if CASES[name]["family"] in ENCODERS else make_decoder)(name, CASES[name])


if __name__ == "__main__":
    main()
