# SPDX-License-Identifier: GPL-3.0-or-later
"""What the comparisons with an adapter per request share: random adapters of a model, and our daemon with all of them."""
import contextlib
import json
import pathlib
import subprocess
import threading

import torch
from safetensors import safe_open
from safetensors.torch import save_file

import turns
from turns import call

PROMPT = 32
REST = 0.5  # seconds: threads of PyTorch go on spinning for a while after their work
PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def matrices_of(model):
    """Shapes of the two-dimensional tensors of a Hugging Face folder, by name."""
    shapes = {}
    for path in sorted(pathlib.Path(model).glob("*.safetensors")):
        with safe_open(path, framework="pt") as file:
            shapes |= {name: file.get_slice(name).get_shape() for name in file.keys()}
    return {name: shape for name, shape in shapes.items() if len(shape) == 2}


def bytes_of_step(model):
    """What a decode step of the base in bf16 reads: every matrix, of a table of embeddings that is no lm_head a few rows."""
    matrices = matrices_of(model)
    if "lm_head.weight" in matrices:
        matrices = {name: shape for name, shape in matrices.items() if "embed_tokens" not in name}
    return sum(rows * columns * 2 for rows, columns in matrices.values())


def write_adapters(model, folder, count, rank):
    """`count` PEFT folders of bf16 LoRA on every projection of `model`."""
    shapes = {name.removesuffix(".weight"): shape for name, shape in matrices_of(model).items()
              if name.removesuffix(".weight").endswith(PROJECTIONS)}
    paths = []
    for i in range(count):
        torch.manual_seed(i)
        tensors = {}
        for name, (outputs, inputs) in shapes.items():
            for part, shape, spread in (("lora_A", (rank, inputs), inputs ** -0.5), ("lora_B", (outputs, rank), 0.02)):
                tensors[f"base_model.model.{name}.{part}.weight"] = (torch.randn(shape) * spread).to(torch.bfloat16)
        path = folder / f"a{i:02}"
        path.mkdir(parents=True)
        save_file(tensors, path / "adapter_model.safetensors")
        (path / "adapter_config.json").write_text(json.dumps(
            {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": rank, "lora_alpha": rank, "bias": "none",
             "target_modules": list(PROJECTIONS)}))
        paths.append(path)
    return paths


class Ours(turns.Ours):
    def __init__(self, program, model, adapters, compute, threads, answer, folder, kv="f16"):
        super().__init__(program, model, compute, threads, folder, kv)
        self.tokens, self.names = answer, [path.name for path in adapters]
        subprocess.run([program, "--workspace", str(folder / "workspace"), "--quiet", "adapter", "import", str(adapters[0].parent),
                        "--all", "--model", "peer"], check=True, stdout=subprocess.DEVNULL)

    def answer(self, i, ids, adapted):
        model = f"peer:{self.names[i]}" if adapted else "peer"
        got = call(self.port, "/v1/completions", {"model": model, "prompt": ids, "max_tokens": self.tokens, "temperature": 0,
                                                  "ignore_eos": True}, self.key)
        assert got["usage"]["completion_tokens"] == self.tokens, got["usage"]


def at_once(server, prompts, adapted=True):
    threads = [threading.Thread(target=server.answer, args=(i, ids, adapted)) for i, ids in enumerate(prompts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
