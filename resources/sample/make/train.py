# SPDX-License-Identifier: GPL-3.0-or-later
"""Training and evaluation of the network."""

import math
import random
import time
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from .network import next_token_loss

# A token id that is never predicted and so marks padding.
PAD = -100


def pack(documents, length, rng):
    """Rows of ``length + 1`` tokens. Every row starts with a new document and
    the document that does not fit is cut, so that the opening token stands at
    position 0 just as it does in use."""
    order = list(range(len(documents)))
    rng.shuffle(order)
    rows, row = [], []
    for index in order:
        row.extend(documents[index])
        if len(row) > length:
            rows.append(row[:length + 1])
            row = []
    return torch.tensor(rows, dtype=torch.int32)


class PackedRows:
    """Slices of rows with ``length`` tokens, reshuffled after every pass."""

    def __init__(self, documents, rng, length, slice_tokens=2048):
        self.documents, self.rng, self.length = documents, rng, length
        self.count = slice_tokens // length
        self.rows, self.at = [], 0

    def take(self):
        if self.at + self.count > len(self.rows):
            self.rows, self.at = pack(self.documents, self.length, self.rng), 0
        self.at += self.count
        return self.rows[self.at - self.count:self.at].long()


class WholeDocuments:
    """Slices with one whole document in a row, of similar lengths, padded.

    Nothing stands before a document here, so that a name in it can only refer
    to the same document.
    """

    def __init__(self, documents, rng, longest, slice_tokens=2048):
        self.documents = sorted((d[:longest] for d in documents), key=lambda d: len(d) * rng.uniform(0.9, 1.1))
        self.rng, self.slices, self.at = rng, [], 0
        begin, width = 0, 0
        for index, document in enumerate(self.documents):
            width = max(width, len(document))
            if width * (index + 1 - begin) >= slice_tokens:
                self.slices.append((begin, index + 1))
                begin, width = index + 1, 0
        rng.shuffle(self.slices)

    def take(self):
        if self.at == len(self.slices):
            self.rng.shuffle(self.slices)
            self.at = 0
        begin, end = self.slices[self.at]
        self.at += 1
        rows = self.documents[begin:end]
        width = max(map(len, rows))
        return torch.tensor([r + [PAD] * (width - len(r)) for r in rows])


def drill(rng, vocab_size, rows=8, length=128):
    """Rows in which a run of random tokens repeats. They teach the model to
    look up what followed a token the last time, long before the text does."""
    out = []
    for _ in range(rows):
        run = [rng.randrange(vocab_size) for _ in range(rng.randint(8, 48))]
        out.append((run * (length // len(run) + 1))[:length])
    return torch.tensor(out)


def rate(step, done, warmup=40):
    """Linear warm-up, then cosine down to a fiftieth."""
    return min(1.0, (step + 1) / warmup) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))


def optimizers(network, peak):
    """Muon for the matrices inside the layers, AdamW for the rest."""
    matrices = [p for n, p in network.named_parameters() if p.dim() == 2 and n.startswith("layers.")]
    others = [p for n, p in network.named_parameters() if not (p.dim() == 2 and n.startswith("layers."))]
    return [torch.optim.Muon(matrices, lr=peak, momentum=0.95, weight_decay=0.05, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(others, lr=peak, betas=(0.9, 0.95), weight_decay=0.0, eps=1e-8)]


@torch.no_grad()
def perplexity(network, tokenizer, texts, begin, end):
    """Loss per token over whole documents, each scored from its first token."""
    total, count = 0.0, 0
    for text in texts:
        ids = tokenizer.encode(text, add_special_tokens=False).ids[:network.shape.positions - 2]
        tokens = torch.tensor([[begin, *ids, end]])
        total += next_token_loss(network, tokens).item() * (tokens.shape[1] - 1)
        count += tokens.shape[1] - 1
    return total / count, math.exp(total / count)


@dataclass
class Stage:
    """``row_tokens`` packs rows of this length; None keeps documents apart."""
    row_tokens: int | None
    steps: int
    peak: float
    end: float = 1.0        # share of the cosine that is run through
    slices: int = 3         # slices of about 2048 tokens in a step
    drills: float = 0.0     # share of the stage that has repetition drills
    slot_weight: float = 1.0  # weight of names, things and numbers in the loss


def train(network, documents, stages, seed, checkpoint, slots=(), minutes=None, every=100, report=print):
    """Runs the stages and returns the loss curve and the seconds.

    ``slots`` are the tokens that carry names, things and numbers: few, but
    they decide whether a text stays consistent. With ``minutes`` every stage
    is shortened on a slow or busy machine so that it ends in time; the result
    then depends on the machine. Checkpoints leave a usable model behind when a
    run is stopped.
    """
    shape = network.shape
    bf16 = torch.cpu.is_available() and torch.backends.cpu.get_cpu_capability().startswith("AVX512")
    curve, start, seen, total_steps = [], time.time(), 0, 0
    for number, stage in enumerate(stages, 1):
        rng = random.Random(f"{seed}/stage/{number}")
        source = (PackedRows(documents, rng, stage.row_tokens) if stage.row_tokens
                  else WholeDocuments(documents, rng, shape.positions))
        weights = torch.ones(shape.vocab_size)
        weights[list(slots)] = stage.slot_weight
        optims = optimizers(network, stage.peak)
        step, done, recent, began = 0, 0.0, [], time.time()
        while done < 1:
            for optim in optims:
                for group in optim.param_groups:
                    group["lr"] = stage.peak * rate(step, done * stage.end)
            slices = [source.take() for _ in range(stage.slices)]
            plain_count = sum((s[:, 1:] != PAD).sum().item() for s in slices)
            if done < stage.drills:
                slices.append(drill(rng, shape.vocab_size))
            scale = sum(weights[s[:, 1:]].mul(s[:, 1:] != PAD).sum().item() for s in slices)
            plain_sum = drill_sum = 0.0
            for index, part in enumerate(slices):
                targets = part[:, 1:].flatten()
                with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                    logits = network(part[:, :-1].clamp(min=0)).flatten(0, 1)
                losses = F.cross_entropy(logits.float(), targets, ignore_index=PAD, reduction="none")
                (losses * weights[targets]).sum().div(scale).backward()
                if index < stage.slices:
                    plain_sum += losses.sum().item()
                else:
                    drill_sum = losses.mean().item()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            for optim in optims:
                optim.step()
                optim.zero_grad(set_to_none=True)
            step += 1
            done = step / stage.steps
            if minutes:
                done = max(done, (time.time() - began) / (60 * minutes * stage.steps / sum(s.steps for s in stages)))
            seen += sum(s.numel() for s in slices)
            recent.append(plain_sum / plain_count)
            if step % 20 == 0 or done >= 1:
                curve.append({"stage": number, "step": total_steps + step, "tokens": seen,
                              "loss": round(sum(recent) / len(recent), 4)})
                seconds = time.time() - start
                report(f"stage {number} step {step} ({done:.1%}) loss {curve[-1]['loss']:.4f}"
                       + (f" drill {drill_sum:.2f}" if drill_sum else "")
                       + f" {seen / seconds:.0f} tokens/s {seconds:.0f} s")
                recent = []
            if step % every == 0 or done >= 1:
                torch.save({"network": network.state_dict(), "curve": curve}, checkpoint)
        total_steps += step
    return curve, time.time() - start
