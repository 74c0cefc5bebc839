#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the tiny GGUF models of this folder and what transformers computes from their dequantised weights.

Each folder holds one GGUF model (one file, or shards) and
  golden.json   prompt and 64 greedy tokens, the rows whose logits are stored, the smallest margin on the way
  logits.f32    [rows, vocabulary] float32, little endian; an encoder's hidden states instead, [rows, hidden]

Weights are drawn as blocks of their type (the gguf package can round to some types only); transformers gets what
gguf.quants.dequantize makes of them. Files are written by gguf.GGUFWriter, query and key rows of "llama" permuted as
llama.cpp's convert_hf_to_gguf.py does. Where transformers reads the file itself, its logits must agree as well.

Needs torch, transformers and gguf; their versions are written into golden.json.
"""
import importlib.metadata
import json
import shutil
import struct
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
import transformers
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFWriter, quants

HERE = Path(__file__).resolve().parent
PROMPT_TOKENS, GREEDY_TOKENS, LOGIT_ROWS = 37, 64, [0, 15, 16, 36]
MIN_MARGIN, MIN_DISTINCT = 5e-3, 12
LLAMA3 = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32)
SMALL = dict(vocab_size=97, hidden_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
             intermediate_size=96, max_position_embeddings=256, rms_norm_eps=1e-5, tie_word_embeddings=False,
             bos_token_id=1, eos_token_id=2)
WIDE = dict(SMALL, vocab_size=83, hidden_size=256, num_hidden_layers=1, num_key_value_heads=1, intermediate_size=256)
GPT2 = dict(vocab_size=97, n_embd=64, n_layer=2, n_head=4, n_positions=256, n_inner=96, bos_token_id=1, eos_token_id=2)
BERT = dict(vocab_size=97, hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=96,
            max_position_embeddings=128, type_vocab_size=2)

# attn_v of Q4_K_M files and half of their ffn_down are Q6_K, and their embedding is Q6_K when it serves as the output.
MIXED = {"attn_v": "q6_k", "ffn_down": "q6_k", "token_embd": "q6_k"}


def case(arch, dtype, config, rope=None, version=3, mixed=None, shards=1, **extra):
    return dict(arch=arch, dtype=dtype, config=config, rope=rope, version=version, mixed=mixed or {}, shards=shards, extra=extra)


CASES = {
    "llama-f32": case("llama", "f32", SMALL, version=2),
    "llama-f16": case("llama", "f16", SMALL, rope=LLAMA3),
    "llama-bf16": case("llama", "bf16", dict(SMALL, attention_bias=True, mlp_bias=True)),
    "llama-q8_0": case("llama", "q8_0", SMALL, version=2),
    "llama-q4_0": case("llama", "q4_0", SMALL, rope=dict(rope_type="linear", factor=4.0)),
    "llama-q4_1": case("llama", "q4_1", SMALL),
    "llama-q5_0": case("llama", "q5_0", dict(SMALL, num_key_value_heads=4)),
    "llama-q5_1-split": case("llama", "q5_1", SMALL, shards=3),
    "llama-q4_k": case("llama", "q4_k", WIDE),
    "llama-q5_k": case("llama", "q5_k", WIDE),
    "llama-q6_k": case("llama", "q6_k", WIDE),
    "qwen2-q8_0": case("qwen2", "q8_0", SMALL),
    "qwen3-q4_0-tied": case("qwen3", "q4_0", dict(SMALL, head_dim=32, tie_word_embeddings=True, vocab_size=113)),
    "gpt2-f16": case("gpt2", "f16", GPT2),
    "bert-q8_0": case("bert", "q8_0", BERT),
    "llama-q4_k_m": case("llama", "q4_k", WIDE, mixed=MIXED),
}


def qtype(name):
    return GGMLQuantizationType[name.upper()]


def centred_blocks(name, shape, std, rng):
    """Random blocks whose values have mean 0 and about this deviation."""
    values, size = GGML_QUANT_SIZES[qtype(name)]
    count = int(np.prod(shape)) // values
    blocks = rng.integers(0, 256, (count, size), dtype=np.uint8)
    put = lambda offset, x: blocks.__setitem__((slice(None), slice(offset, offset + 2)), x.astype(np.float16).view(np.uint8).reshape(count, 2))
    spread = rng.uniform(0.7, 1.3, count)
    if name == "q8_0":
        put(0, spread * std / 74)
    elif name in ("q4_0", "q5_0"):
        put(0, spread * std / (4.6 if name == "q4_0" else 9.2) * rng.choice([-1, 1], count))
    elif name in ("q4_1", "q5_1"):
        steps = 15 if name == "q4_1" else 31
        d = spread * std / (4.6 if name == "q4_1" else 9.2)
        put(0, d)
        put(2, -d * steps / 2)
    elif name in ("q4_k", "q5_k"):
        scales = rng.integers(24, 64, (count, 8))
        minima = np.clip(scales + rng.integers(-3, 4, (count, 8)), 0, 63)
        packed = np.zeros((count, 12), np.uint8)  # as ggml packs them
        packed[:, 0:4] = scales[:, :4] | (scales[:, 4:] >> 4 << 6)
        packed[:, 4:8] = minima[:, :4] | (minima[:, 4:] >> 4 << 6)
        packed[:, 8:12] = (scales[:, 4:] & 15) | ((minima[:, 4:] & 15) << 4)
        d = spread * std / ((4.6 if name == "q4_k" else 9.2) * 44)
        put(0, d)
        put(2, d * (7.5 if name == "q4_k" else 15.5))
        blocks[:, 4:16] = packed
    elif name == "q6_k":
        blocks[:, 192:208] = rng.integers(40, 128, (count, 16)).astype(np.uint8)
        put(208, spread * std / (18.5 * 84))
    return blocks.reshape(*shape[:-1], shape[-1] // values * size)


class Tensor:
    """Rows as stored, and what they are worth."""

    def __init__(self, shape, dtype, std, rng, mean=0.0):
        if dtype in ("f32", "f16", "bf16"):
            values = (mean + std * rng.standard_normal(shape)).astype(np.float32)
            self.stored = values if dtype == "f32" else quants.quantize(values, qtype(dtype))
        else:
            self.stored = centred_blocks(dtype, shape, std, rng)
        self.dtype = dtype
        self.values = torch.from_numpy(np.array(quants.dequantize(self.stored, qtype(dtype)), dtype=np.float32)).reshape(shape)


def permute(rows, heads):
    return rows.reshape(heads, 2, rows.shape[0] // heads // 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


NAMES = {
    "model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output",
    "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm",
    "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
    "transformer.wte": "token_embd", "transformer.wpe": "position_embd", "transformer.ln_f": "output_norm",
    "ln_1": "attn_norm", "attn.c_attn": "attn_qkv", "attn.c_proj": "attn_output", "ln_2": "ffn_norm", "mlp.c_fc": "ffn_up",
    "mlp.c_proj": "ffn_down",
    "embeddings.word_embeddings": "token_embd", "embeddings.position_embeddings": "position_embd",
    "embeddings.token_type_embeddings": "token_types", "embeddings.LayerNorm": "token_embd_norm",
    "attention.self.query": "attn_q", "attention.self.key": "attn_k", "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output", "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up", "output.dense": "ffn_down", "output.LayerNorm": "layer_output_norm",
}


def gguf_name(name):
    stem, suffix = name.rsplit(".", 1)
    for prefix in ("model.layers.", "transformer.h.", "encoder.layer."):
        if stem.startswith(prefix):
            layer, part = stem[len(prefix):].split(".", 1)
            return f"blk.{layer}.{NAMES[part]}.{suffix}"
    return f"{NAMES[stem]}.{suffix}"


def build(spec):
    config, rope = dict(spec["config"]), spec["rope"] or dict(rope_type="default")
    arch = spec["arch"]
    if arch == "gpt2":
        return transformers.GPT2LMHeadModel(transformers.GPT2Config(**config))
    if arch == "bert":
        return transformers.BertModel(transformers.BertConfig(**config), add_pooling_layer=False)
    kind = {"llama": "Llama", "qwen2": "Qwen2", "qwen3": "Qwen3"}[arch]
    config = getattr(transformers, kind + "Config")(**config, rope_parameters={**rope, "rope_theta": 10000.0})
    return getattr(transformers, kind + "ForCausalLM")(config)


def draw(spec, model, rng):
    """GGUF name -> Tensor; the model gets the values."""
    tensors, state = {}, model.state_dict()
    for name, old in state.items():
        if name == "lm_head.weight" and (spec["arch"] == "gpt2" or spec["config"].get("tie_word_embeddings")):
            continue
        if name not in dict(model.named_parameters()):
            continue
        stored = gguf_name(name)
        shape = list(old.shape)
        transposed = spec["arch"] == "gpt2" and len(shape) == 2 and not name.startswith("transformer.w")
        if transposed:
            shape.reverse()
        is_norm = "norm" in name.lower() or ".ln_" in name
        dtype = "f32" if len(shape) == 1 else spec["dtype"]
        if any(word in stored for word in ("position_embd", "token_types")):
            dtype = "f32"
        for part, other in spec["mixed"].items():
            if f"{part}.weight" in stored:
                dtype = other
        if name.endswith(".bias"):
            tensor = Tensor(shape, "f32", 0.3, rng)
        elif is_norm:
            tensor = Tensor(shape, "f32", 0.2, rng, mean=1.0)
        elif "embd" in stored or "token_types" in stored:
            tensor = Tensor(shape, dtype, 0.4 if spec["config"].get("tie_word_embeddings") or spec["arch"] == "gpt2" else 1.0, rng)
        else:
            tensor = Tensor(shape, dtype, (3 if stored == "output.weight" else 1.3) / shape[-1] ** 0.5, rng)
        state[name].copy_(tensor.values.T if transposed else tensor.values)
        if spec["arch"] == "llama" and (".attn_q." in stored or ".attn_k." in stored):
            config = spec["config"]
            tensor.stored = permute(tensor.stored, config["num_attention_heads" if ".attn_q." in stored else "num_key_value_heads"])
        tensors[stored] = tensor
    return tensors


def rope_factors(config, rope):
    """As the converter computes rope_freqs.weight."""
    dim = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    freqs = 1.0 / (10000.0 ** (np.arange(0, dim, 2, dtype=np.float32) / dim))
    low, high, old = rope["low_freq_factor"], rope["high_freq_factor"], rope["original_max_position_embeddings"]
    factors = []
    for freq in freqs:
        wavelength = 2 * np.pi / freq
        if wavelength < old / high:
            factors.append(1)
        elif wavelength > old / low:
            factors.append(rope["factor"])
        else:
            smooth = (old / wavelength - low) / (high - low)
            factors.append(1 / ((1 - smooth) / rope["factor"] + smooth))
    return np.array(factors, dtype=np.float32)


def write(folder, spec, tensors):
    config, arch = spec["config"], spec["arch"]
    writer = GGUFWriter(folder / "model.gguf", arch, split_max_tensors=(len(tensors) + spec["shards"] - 1) // spec["shards"] if spec["shards"] > 1 else 0)
    writer.add_name(folder.name)
    writer.add_license("cc0-1.0")
    get = lambda *names: next(config[n] for n in names if n in config)
    writer.add_vocab_size(config["vocab_size"])
    writer.add_context_length(get("max_position_embeddings", "n_positions"))
    writer.add_embedding_length(get("hidden_size", "n_embd"))
    writer.add_block_count(get("num_hidden_layers", "n_layer"))
    writer.add_feed_forward_length(get("intermediate_size", "n_inner"))
    writer.add_head_count(get("num_attention_heads", "n_head"))
    if arch in ("gpt2", "bert"):
        writer.add_layer_norm_eps(1e-5 if arch == "gpt2" else 1e-12)
    else:
        writer.add_head_count_kv(config["num_key_value_heads"])
        writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
        writer.add_rope_freq_base(10000.0)
        if "head_dim" in config:
            writer.add_key_length(config["head_dim"])
            writer.add_value_length(config["head_dim"])
        writer.add_rope_dimension_count(config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"])
    if arch == "bert":
        writer.add_causal_attention(False)
        writer.add_token_type_count(config["type_vocab_size"])
    if "bos_token_id" in config:
        writer.add_bos_token_id(config["bos_token_id"])
        writer.add_eos_token_id(config["eos_token_id"])
    if spec["rope"] and spec["rope"]["rope_type"] == "linear":
        writer.add_string(f"{arch}.rope.scaling.type", "linear")
        writer.add_float32(f"{arch}.rope.scaling.factor", spec["rope"]["factor"])
    if spec["rope"] and spec["rope"]["rope_type"] == "llama3":
        writer.add_tensor("rope_freqs.weight", rope_factors(config, spec["rope"]))
    for name, tensor in tensors.items():
        raw = None if tensor.dtype in ("f32", "f16") else qtype(tensor.dtype)
        writer.add_tensor(name, tensor.stored, raw_dtype=raw)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    for file in folder.glob("*.gguf"):
        if spec["version"] == 2:  # the same bytes but for the number
            data = bytearray(file.read_bytes())
            data[4:8] = struct.pack("<I", 2)
            file.write_bytes(data)


def forward(model, ids):
    output = model(torch.tensor([ids]))
    return (output.logits if hasattr(output, "logits") else output.last_hidden_state)[0]


def run(spec, model, prompt):
    rows = forward(model, prompt)[LOGIT_ROWS].clone()
    ids, margins = list(prompt), [1.0]
    for _ in range(0 if spec["arch"] == "bert" else GREEDY_TOKENS):
        best = torch.topk(forward(model, ids)[-1], 2)
        margins.append(float(best.values[0] - best.values[1]))
        ids.append(int(best.indices[0]))
    return rows, ids[len(prompt):], min(margins)


def check_with_their_reader(folder, spec, prompt, rows):
    if spec["arch"] in ("bert", "gpt2", "qwen3") or spec["shards"] > 1 or spec["rope"] or spec["config"].get("attention_bias"):
        return "not read"
    theirs = transformers.AutoModelForCausalLM.from_pretrained(folder, gguf_file="model.gguf", dtype=torch.float32, attn_implementation="eager").eval()
    difference = float((forward(theirs, prompt)[LOGIT_ROWS] - rows).abs().max())
    assert difference < 1e-4, difference
    return f"{difference:.1e}"


def make(name, spec):
    folder = HERE / name
    for seed in range(1, 200):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        model = build(spec).eval()
        model.config._attn_implementation = "eager"
        with torch.no_grad():
            rng = np.random.default_rng(seed)
            tensors = draw(spec, model, rng)
            prompt = rng.integers(0, spec["config"]["vocab_size"], PROMPT_TOKENS).tolist()
            rows, greedy, margin = run(spec, model, prompt)
        if spec["arch"] == "bert" or (margin >= MIN_MARGIN and len(set(greedy)) >= MIN_DISTINCT):
            break
    else:
        sys.exit(f"{name}: no seed gives a clear greedy continuation")
    write(folder, spec, tensors)
    rows.numpy().astype("<f4").tofile(folder / "logits.f32")
    golden = dict(prompt=prompt, greedy=greedy, logit_rows=LOGIT_ROWS, min_margin=margin, seed=seed)
    golden.update({package: importlib.metadata.version(package).split("+")[0] for package in ("torch", "transformers", "gguf")})
    (folder / "golden.json").write_text(json.dumps(golden) + "\n")
    with torch.no_grad():
        theirs = check_with_their_reader(folder, spec, prompt, rows)
    size = sum(f.stat().st_size for f in folder.iterdir())
    print(f"{name}: seed {seed}, smallest margin {margin:.4f}, {len(set(greedy))} distinct, logits up to {rows.abs().max():.1f}, "
          f"transformers' own reader: {theirs}; {size:,} bytes", flush=True)


def main():
    warnings.filterwarnings("ignore")
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(1)
    for name, spec in CASES.items():
        if len(sys.argv) < 2 or name in sys.argv[1:]:
            make(name, spec)


if __name__ == "__main__":
    main()
