#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trains the adapters of the sample workspace on top of the finished sample model.

    python make_adapters.py           all of them, about two minutes each on one free CPU core
    python make_adapters.py cook      this one
    python make_adapters.py --try     answers two questions with each

The text is the generator's: conversations whose system message asks for one manner of speaking, without that message.
So an adapter speaks in its manner unasked, which is easy to see beside the base model. Needs torch, transformers, peft
and safetensors; reads resources/sample/model and no other data.
"""

import argparse
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from make.manner import Manner  # noqa: E402

SEED = 20261122
ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"]
# Ranks and targets differ on purpose: requests of different adapters share the steps of a server.
ADAPTERS = {
    "gardener": Manner("gardener", rank=8, targets=ATTENTION, about="speaks like an old gardener"),
    "cook": Manner("cook", rank=8, targets=ATTENTION, about="speaks like a cheerful cook"),
    "harbour-master": Manner("master", rank=16, targets=["q_proj", "v_proj"], about="speaks like a harbour master"),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(ADAPTERS))
    parser.add_argument("--out", type=pathlib.Path, default=HERE / "adapters")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--try", dest="try_out", action="store_true")
    options = parser.parse_args()

    import torch
    from make import manner
    torch.set_num_threads(options.threads)
    base = HERE / "model"
    for name in options.names or ADAPTERS:
        if options.try_out:
            manner.try_out(base, options.out / name, SEED)
            continue
        record = manner.train(ADAPTERS[name], base, options.out / name, SEED, lambda line: print(line, flush=True))
        print(json.dumps(record))


if __name__ == "__main__":
    main()
