# SPDX-License-Identifier: GPL-3.0-or-later
"""Teaching the model to stay with the names, things and numbers of a text.

A model of this size, trained for an hour, learns words and facts but not to
look back: the heroine of a story changes her name with every sentence. Two
attention heads in each of a few layers are therefore shown, for every name
that returns, where it stood before (pointing) and how to pass it on
(writing). Both are needed in training only; the finished model is a plain
Llama.
"""

import torch
from torch.nn import functional as F


def earlier_places(tokens):
    """For every target, the positions up to the current one that hold the same token."""
    inputs, targets = tokens[:, :-1], tokens[:, 1:]
    causal = torch.ones(inputs.shape[1], inputs.shape[1], dtype=torch.bool).tril()
    return (targets[:, :, None] == inputs[:, None, :]) & causal


def pointing_loss(looks, places, wanted):
    """How much attention of the copying heads misses the places that hold the
    next token, averaged over the ``wanted`` targets."""
    if not wanted.any():
        return torch.zeros(())
    causal = torch.ones(places.shape[-2:], dtype=torch.bool).tril()
    row, column = wanted.nonzero(as_tuple=True)
    total = 0.0
    for scores, _ in looks:
        picked = scores[row, :, column, :].masked_fill(~causal[column][:, None, :], -1e9)
        right = picked.masked_fill(~places[row, column][:, None, :], -1e9)
        total = total + (picked.logsumexp(-1) - right.logsumexp(-1)).mean()
    return total / len(looks)


def writing_loss(network, looks, tokens, slots):
    """How badly the token can be read from what a copying head writes of it."""
    total = 0.0
    for _, written in looks:
        total = total + F.cross_entropy(network.read(written[slots]).float(), tokens[slots])
    return total / len(looks) if slots.any() else torch.zeros(())


@torch.no_grad()
def add_copy_heads(network, layers, slots, seed):
    """Starts one key-value group of each of these layers anew, with an output
    projection that is the transpose of its value projection, in the directions
    in which the embeddings of ``slots`` differ most. Such a head writes what it
    reads: looking at a name makes that name more likely."""
    if not layers:
        return
    shape = network.shape
    generator = torch.Generator().manual_seed(seed)
    dim, group = shape.head_dim, shape.heads // shape.kv_heads
    embeddings = network.embedding.weight[list(slots)]
    basis = torch.linalg.svd(embeddings - embeddings.mean(dim=0), full_matrices=False)[2][:dim]
    for index in layers:
        layer = network.layers[index]
        kv = shape.kv_heads - 1
        heads = range(kv * group, (kv + 1) * group)
        rows = layer.qkv.weight
        value = slice((shape.heads + shape.kv_heads + kv) * dim, (shape.heads + shape.kv_heads + kv + 1) * dim)
        key = slice((shape.heads + kv) * dim, (shape.heads + kv + 1) * dim)
        scale = rows.norm(dim=1).mean()
        rows[value] = basis * scale
        rows[key] = torch.randn(dim, shape.hidden, generator=generator) * 0.02
        for head in heads:
            columns = slice(head * dim, (head + 1) * dim)
            rows[columns] = torch.randn(dim, shape.hidden, generator=generator) * 0.02
            layer.attention_out.weight[:, columns] = basis.T * layer.attention_out.weight.norm(dim=0).mean()
