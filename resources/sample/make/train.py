# SPDX-License-Identifier: GPL-3.0-or-later
"""Training and evaluation of the network."""

import math
import random
import time
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from .batches import PAD, PackedRows, WholeDocuments, drill
from .copying import add_copy_heads, earlier_places, pointing_loss, writing_loss
from .network import next_token_loss


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
    row_tokens: int | None    # length of packed rows; None keeps documents apart
    steps: int
    peak: float               # highest learning rate
    end: float = 1.0          # share of the cosine that is run through
    slices: int = 3           # slices of about 2048 tokens in a step
    drills: float = 0.0       # share of the stage that has repetition drills
    slot_weight: float = 1.0  # weight in the loss of a name, thing or number when it returns
    copy_heads: tuple = ()    # layers that get new copying heads at the start
    pointing: float = 0.0     # weight of the loss that shows these heads where to look
    writing: float = 0.0      # weight of the loss that shows them what to write
    average: bool = False     # end with the mean of the weights before and after the stage


class Step:
    """Adds the gradients of the slices of one step and keeps their losses."""

    def __init__(self, network, stage, is_slot):
        self.network, self.stage, self.is_slot = network, stage, is_slot
        self.bf16 = torch.backends.cpu.get_cpu_capability().startswith("AVX512")

    def run(self, slices):
        """Returns the mean loss of a token over the slices of text."""
        places = [earlier_places(s) for s in slices]
        real = [s[:, 1:] != PAD for s in slices]
        wanted = [p.any(-1) & self.is_slot[s[:, 1:]] & r for s, p, r in zip(slices, places, real)]
        weights = [r + w * (self.stage.slot_weight - 1) for r, w in zip(real, wanted)]
        scale = sum(w.sum().item() for w in weights)
        total = count = 0.0
        for index, part in enumerate(slices):
            loss, losses = self._slice(part, weights[index] / scale, places[index], wanted[index], len(slices))
            loss.backward()
            if index < self.stage.slices:
                total += losses.sum().item()
                count += real[index].sum().item()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        return total / count

    def _slice(self, part, weights, places, wanted, share):
        stage, looks = self.stage, []
        inputs, targets = part[:, :-1].clamp(min=0), part[:, 1:].flatten()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            logits = self.network(inputs, stage.copy_heads, looks).flatten(0, 1)
            writing = writing_loss(self.network, looks, inputs, self.is_slot[inputs]) if looks else 0.0
        losses = F.cross_entropy(logits.float(), targets, ignore_index=PAD, reduction="none")
        loss = (losses * weights.flatten()).sum()
        if looks:
            loss = loss + (stage.pointing * pointing_loss(looks, places, wanted) + stage.writing * writing) / share
        return loss, losses


def train(network, documents, stages, seed, checkpoint, slots=(), minutes=None, every=100, report=print):
    """Runs the stages and returns the loss curve and the seconds.

    ``slots`` are the tokens that carry names, things and numbers: few, but
    they decide whether a text stays consistent. With ``minutes`` every stage
    is shortened on a slow or busy machine so that it ends in time; the result
    then depends on the machine. Checkpoints leave a usable model behind when a
    run is stopped.
    """
    shape = network.shape
    is_slot = torch.zeros(shape.vocab_size, dtype=torch.bool)
    is_slot[list(slots)] = True
    all_steps = sum(s.steps for s in stages)
    curve, start, seen, earlier_steps = [], time.time(), 0, 0
    for number, stage in enumerate(stages, 1):
        rng = random.Random(f"{seed}/stage/{number}")
        source = (PackedRows(documents, rng, stage.row_tokens) if stage.row_tokens
                  else WholeDocuments(documents, rng, shape.positions))
        before = {name: value.clone() for name, value in network.state_dict().items()}
        add_copy_heads(network, stage.copy_heads, slots, seed)
        optims, one_step = optimizers(network, stage.peak), Step(network, stage, is_slot)
        step, done, recent, began = 0, 0.0, [], time.time()
        while done < 1:
            for group in (g for o in optims for g in o.param_groups):
                group["lr"] = stage.peak * rate(step, done * stage.end)
            slices = [source.take() for _ in range(stage.slices)]
            if done < stage.drills:
                slices.append(drill(rng, slots))
            recent.append(one_step.run(slices))
            for optim in optims:
                optim.step()
                optim.zero_grad(set_to_none=True)
            step += 1
            seen += sum(s.numel() for s in slices)
            done = step / stage.steps
            if minutes:
                done = max(done, (time.time() - began) / (60 * minutes * stage.steps / all_steps))
            if step % 20 == 0 or done >= 1:
                curve.append({"stage": number, "step": earlier_steps + step, "tokens": seen,
                              "loss": round(sum(recent) / len(recent), 4)})
                seconds = time.time() - start
                report(f"stage {number} step {step} ({done:.1%}) loss {curve[-1]['loss']:.4f} "
                       f"{seen / seconds:.0f} tokens/s {seconds:.0f} s")
                recent = []
            if done >= 1 and stage.average:
                network.load_state_dict({name: (value + before[name]) / 2 for name,
                                         value in network.state_dict().items()})
            if step % every == 0 or done >= 1:
                torch.save({"network": network.state_dict(), "curve": curve}, checkpoint)
        earlier_steps += step
    return curve, time.time() - start
