#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Seeds of fuzz_model_folder: small folders as that target reads them. Run by hand; writes corpus/model_folder."""
import json
import struct
from pathlib import Path

HERE = Path(__file__).parent
NAMES = ["config.json", "generation_config.json", "model.safetensors", "model.safetensors.index.json",
         "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.gguf",
         "model-00001-of-00002.gguf", "model-00002-of-00002.gguf", "tokenizer.json", "tokenizer_config.json",
         "tokenizer.model", "sentencepiece.bpe.model", "added_tokens.json", "chat_template.jinja", "pytorch_model.bin"]


def folder(files):
    packed = b""
    for name, content in files.items():
        content = content if isinstance(content, bytes) else json.dumps(content).encode()
        packed += bytes([NAMES.index(name)]) + struct.pack("<H", len(content)) + content
    return packed


def safetensors(**tensors):
    header, data = {}, b""
    for name, values in tensors.items():
        header[name] = {"dtype": "F32", "shape": [len(values)], "data_offsets": [len(data), len(data) + 4 * len(values)]}
        data += struct.pack(f"<{len(values)}f", *values)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def text(value):
    return struct.pack("<Q", len(value)) + value.encode()


def gguf(keys, tensors):
    """keys: name -> u32, u16 as (2, n), str, [str] or [float]; tensors: name -> sizes of f32, innermost first."""
    body, offset, infos = b"", 0, b""
    for name, value in keys.items():
        body += text(name)
        if isinstance(value, str):
            body += struct.pack("<I", 8) + text(value)
        elif isinstance(value, tuple):
            body += struct.pack("<IH", 2, value[1])
        elif isinstance(value, list) and isinstance(value[0], str):
            body += struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(text, value))
        elif isinstance(value, list):
            kind = (6, "f") if isinstance(value[0], float) else (5, "i")
            body += struct.pack("<IIQ", 9, kind[0], len(value)) + struct.pack(f"<{len(value)}{kind[1]}", *value)
        else:
            body += struct.pack("<II", 4, value)
    for name, sizes in tensors.items():
        count = 1
        for size in sizes:
            count *= size
        infos += text(name) + struct.pack("<I", len(sizes)) + struct.pack(f"<{len(sizes)}Q", *sizes)
        infos += struct.pack("<IQ", 0, offset)
        offset += (4 * count + 31) // 32 * 32
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(keys)) + body + infos
    return head + b"\0" * (-len(head) % 32 + offset)


LLAMA = {"general.architecture": "llama", "llama.embedding_length": 4, "llama.block_count": 1,
         "llama.attention.head_count": 1, "llama.feed_forward_length": 4, "llama.context_length": 16}
VOCABULARY = {"tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "gpt-2",
              "tokenizer.ggml.tokens": ["a", "b", "ab", "<end>"], "tokenizer.ggml.token_type": [1, 1, 1, 3],
              "tokenizer.ggml.merges": ["a b"], "tokenizer.ggml.eos_token_id": 3}
SCORED = {"tokenizer.ggml.model": "llama", "tokenizer.ggml.tokens": ["<unk>", "\u2581", "a", "\u2581a"],
          "tokenizer.ggml.token_type": [2, 1, 1, 1], "tokenizer.ggml.scores": [0.0, -2.0, -1.0, -0.5]}

SEEDS = {
    "shards": folder({
        "config.json": {"model_type": "llama"},
        "model.safetensors.index.json": {"weight_map": {"a": "model-00001-of-00002.safetensors",
                                                        "b": "model-00002-of-00002.safetensors"}},
        "model-00001-of-00002.safetensors": safetensors(a=[1.0, 2.0]),
        "model-00002-of-00002.safetensors": safetensors(b=[3.0])}),
    "pickle": folder({"config.json": {}, "pytorch_model.bin": b"x"}),
    "gguf": folder({"model.gguf": gguf({**LLAMA, **VOCABULARY}, {"token_embd.weight": [4, 4]})}),
    "gguf_scores": folder({"model.gguf": gguf({**LLAMA, **SCORED}, {"token_embd.weight": [4, 4]})}),
    "gguf_parts": folder({
        "model-00001-of-00002.gguf": gguf({**LLAMA, **VOCABULARY, "split.no": (2, 0), "split.count": (2, 2)},
                                          {"token_embd.weight": [4, 4]}),
        "model-00002-of-00002.gguf": gguf({"split.no": (2, 1), "split.count": (2, 2)},
                                          {"blk.0.attn_q.weight": [4, 4], "rope_freqs.weight": [2]})}),
    "tokenizer_json": folder({
        "tokenizer.json": {"added_tokens": [{"id": 3, "content": "<end>", "special": True}],
                           "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False},
                           "decoder": {"type": "ByteLevel"},
                           "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}},
        "tokenizer_config.json": {"eos_token": "<end>", "chat_template": "{{ messages[0].content }}"}}),
    "tokenizer_model": folder({
        "tokenizer.model": (HERE / "corpus/sentencepiece_model/unigram.model").read_bytes(),
        "added_tokens.json": {"<more>": 2000}}),
}

if __name__ == "__main__":
    target = HERE / "corpus/model_folder"
    target.mkdir(parents=True, exist_ok=True)
    for name, seed in SEEDS.items():
        (target / name).write_bytes(seed)
