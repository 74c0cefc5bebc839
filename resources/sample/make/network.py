# SPDX-License-Identifier: GPL-3.0-or-later
"""The Llama decoder used for training.

It computes what transformers' LlamaForCausalLM computes, with the query, key
and value projections fused and the gate and up projections fused, which is
markedly faster on a CPU. ``hf_tensors`` gives the weights in the published
layout.
"""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F


@dataclass
class Shape:
    vocab_size: int = 4096
    hidden: int = 256
    layers: int = 5
    heads: int = 8
    kv_heads: int = 4
    head_dim: int = 32
    intermediate: int = 640
    positions: int = 1024
    rope_theta: float = 10000.0
    norm_eps: float = 1e-5


def rotary_table(shape):
    step = torch.arange(0, shape.head_dim, 2, dtype=torch.float32) / shape.head_dim
    angles = torch.arange(shape.positions).float()[:, None] / shape.rope_theta ** step[None, :]
    angles = torch.cat([angles, angles], dim=-1)
    return angles.cos(), angles.sin()


def rotate(x, cos, sin):
    half = x.shape[-1] // 2
    turned = torch.cat([-x[..., half:], x[..., :half]], dim=-1)
    return x * cos + turned * sin


class Layer(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        rows = (shape.heads + 2 * shape.kv_heads) * shape.head_dim
        self.attention_norm = nn.RMSNorm(shape.hidden, eps=shape.norm_eps)
        self.qkv = nn.Linear(shape.hidden, rows, bias=False)
        self.attention_out = nn.Linear(shape.heads * shape.head_dim, shape.hidden, bias=False)
        self.mlp_norm = nn.RMSNorm(shape.hidden, eps=shape.norm_eps)
        self.gate_up = nn.Linear(shape.hidden, 2 * shape.intermediate, bias=False)
        self.down = nn.Linear(shape.intermediate, shape.hidden, bias=False)

    def forward(self, x, cos, sin, looks=None):
        """``looks`` collects what the last key-value group looks at and writes: its
        attention scores, and its output for full attention on each position."""
        shape = self.shape
        batch, length, _ = x.shape
        sizes = [shape.heads, shape.kv_heads, shape.kv_heads]
        qkv = self.qkv(self.attention_norm(x)).view(batch, length, -1, shape.head_dim).transpose(1, 2)
        q, k, v = qkv.split(sizes, dim=1)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        groups = shape.heads // shape.kv_heads
        if looks is not None:
            scores = q[:, -groups:].float() @ k[:, -1:].float().transpose(-1, -2) * shape.head_dim ** -0.5
            columns = self.attention_out.weight[:, -groups * shape.head_dim:]
            looks.append((scores, F.linear(v[:, -1].repeat(1, 1, groups), columns)))
        k, v = (t.repeat_interleave(groups, dim=1) for t in (k, v))
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.attention_out(mixed.transpose(1, 2).reshape(batch, length, -1))
        gate, up = self.gate_up(self.mlp_norm(x)).chunk(2, dim=-1)
        return x + self.down(F.silu(gate) * up)


class Network(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(shape.vocab_size, shape.hidden)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = nn.RMSNorm(shape.hidden, eps=shape.norm_eps)
        cos, sin = rotary_table(shape)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        deep = (2 * shape.layers) ** -0.5
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                quiet = deep if name.endswith(("attention_out.weight", "down.weight")) else 1.0
                nn.init.normal_(weight, std=0.02 * quiet)

    def forward(self, tokens, watched=(), looks=None):
        length = tokens.shape[1]
        x = self.embedding(tokens)
        cos, sin = self.cos[:length].to(x.dtype), self.sin[:length].to(x.dtype)
        for index, layer in enumerate(self.layers):
            x = layer(x, cos, sin, looks if index in watched else None)
        return self.read(x)

    def read(self, x):
        """The logits of the tokens that the vectors stand for."""
        return F.linear(self.norm(x), self.embedding.weight)


def next_token_loss(network, tokens, ignore=-100):
    """Mean cross-entropy of every token given the ones before it."""
    logits = network(tokens[:, :-1])
    return F.cross_entropy(logits.flatten(0, 1).float(), tokens[:, 1:].flatten(), ignore_index=ignore)


def hf_tensors(network):
    """The weights under the names and in the layout of LlamaForCausalLM."""
    shape = network.shape
    out = {"model.embed_tokens.weight": network.embedding.weight, "model.norm.weight": network.norm.weight}
    q_rows, kv_rows = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    for index, layer in enumerate(network.layers):
        prefix = f"model.layers.{index}."
        q, k, v = layer.qkv.weight.split([q_rows, kv_rows, kv_rows])
        gate, up = layer.gate_up.weight.chunk(2)
        out.update({
            prefix + "input_layernorm.weight": layer.attention_norm.weight,
            prefix + "self_attn.q_proj.weight": q,
            prefix + "self_attn.k_proj.weight": k,
            prefix + "self_attn.v_proj.weight": v,
            prefix + "self_attn.o_proj.weight": layer.attention_out.weight,
            prefix + "post_attention_layernorm.weight": layer.mlp_norm.weight,
            prefix + "mlp.gate_proj.weight": gate,
            prefix + "mlp.up_proj.weight": up,
            prefix + "mlp.down_proj.weight": layer.down.weight,
        })
    return {name: tensor.detach().clone().contiguous() for name, tensor in out.items()}
