#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every peer in one command: ours and theirs in turns, as lines for tests/bench/results.

    python tests/peers/compare.py --espalierctl build/release/bin/espalierctl --llama-server BIN/llama-server \
        --gguf 160m=DIR/160m-bf16.gguf --gguf 160m=DIR/160m-q8_0.gguf:int8 --gguf 1b=DIR/1b-bf16.gguf \
        --bert --vllm-python VENV/bin/python --vllm-model 160m=DIR/160m --machine "..." --out FILE.jsonl

llama.cpp runs for every --gguf SHAPE=FILE[:MODE] (mode bf16 unless said), PyTorch's bert-base with --bert (this
interpreter needs torch and transformers), vLLM for every --vllm-model SHAPE=FOLDER by the interpreter of --vllm-python.
A peer that is not there is named and left out. A line with no clean round is not written: it was not measured.
"""
import argparse
import datetime
import importlib.util
import json
import os
import pathlib
import subprocess
import sys

from turns import CLEAN

HERE = pathlib.Path(__file__).resolve().parent


def rows_of(command):
    """The JSON lines that a comparison prints; [] when it failed, after saying so."""
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        print(f"failed with {done.returncode}: {' '.join(map(str, command))}", file=sys.stderr)
        return []
    print(done.stdout, flush=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def line(target, what, rows, peer, unit, command, args, mode, note):
    rows = [row for row in rows if "ratio" in row]
    if not rows:
        return None
    joined = {key: " / ".join(f"{row[key]:,.4g}" if key != "ratio" else f"{row[key]:.2f}" for row in rows)
              for key in ("ours", peer, "ratio")}
    note = "; ".join(part for part in (f"medians of {min(row['clean'] for row in rows)} or more of {args.rounds} rounds that "
                                       f"left others at most {args.clean:.0%} of the machine", note, args.note) if part)
    return {"target": target, "what": what + ": " + " / ".join(row["what"] for row in rows), "value": joined["ratio"],
            "unit": "x", "reference": f"{joined['ours']} against {joined[peer]} {unit}", "mode": mode, "command": command,
            "note": note, "machine": args.machine, "commit": args.commit, "date": args.date}


def by_llama_cpp(args):
    for given in args.gguf:
        shape, _, rest = given.partition("=")
        file, _, mode = rest.partition(":")
        rows = rows_of([sys.executable, HERE / "llama_cpp.py", "--espalierctl", args.espalierctl, "--llama-server",
                        args.llama_server, "--gguf", file, "--compute", mode or "bf16", "--rounds", args.rounds, "--streams",
                        args.streams, "--clean", args.clean])
        name = pathlib.Path(file).stem
        command = "python tests/peers/compare.py --espalierctl build/release/bin/espalierctl --llama-server BIN/llama-server " \
                  f"--gguf {shape}={pathlib.Path(file).name}:{mode or 'bf16'}"
        prefill = [row for row in rows if row["what"].startswith("prefill")]
        rest = [row for row in rows if not row["what"].startswith("prefill")]
        note = "over HTTP, KV f16 on both sides"
        yield line("P2", f"{name} against llama-server", prefill, "llama_cpp", "tok/s", command, args, mode or "bf16", note)
        yield line("P1", f"{name} against llama-server, answers of 64 tokens", rest, "llama_cpp", "tok/s", command, args,
                   mode or "bf16", note)


def by_pytorch(args):
    missing = [name for name in ("torch", "transformers", "tokenizers") if not importlib.util.find_spec(name)]
    if missing:
        print(f"PyTorch: not measured, {sys.executable} has no {', '.join(missing)}", file=sys.stderr)
        return
    for mode in ("f32", "bf16"):
        rows = rows_of([sys.executable, HERE / "pytorch_bert.py", "--espalierctl", args.espalierctl, "--compute", mode,
                        "--rounds", args.rounds, "--clean", args.clean])
        yield line("L4", f"bert-base shape against PyTorch, {mode} weights", rows, "pytorch", "texts/s",
                   f"python tests/peers/pytorch_bert.py --espalierctl build/release/bin/espalierctl --compute {mode}", args,
                   mode, "ours over HTTP, theirs in process")


def by_vllm(args):
    found = args.vllm_python and subprocess.run([args.vllm_python, "-c", "import vllm"], stderr=subprocess.DEVNULL).returncode == 0
    if not found:
        print(f"vLLM: not measured, it is not installed in {args.vllm_python or 'any interpreter given (--vllm-python)'}",
              file=sys.stderr)
        return
    for given in args.vllm_model:
        shape, _, folder = given.partition("=")
        rows = rows_of([args.vllm_python, HERE / "vllm_base.py", "--espalierctl", args.espalierctl, "--model", folder,
                        "--rounds", args.rounds, "--streams", args.streams, "--clean", args.clean])
        yield line("P3", f"{shape} base against vLLM compiled", rows, "vllm", "tok/s",
                   "VLLM_PYTHON tests/peers/vllm_base.py --espalierctl build/release/bin/espalierctl --model FOLDER", args,
                   "bf16", "ours over HTTP, theirs in process, KV bf16")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--espalierctl", required=True)
    parser.add_argument("--llama-server")
    parser.add_argument("--gguf", action="append", default=[], metavar="SHAPE=FILE[:MODE]")
    parser.add_argument("--bert", action="store_true")
    parser.add_argument("--vllm-python")
    parser.add_argument("--vllm-model", action="append", default=[], metavar="SHAPE=FOLDER")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--streams", default="1,8,32")
    parser.add_argument("--clean", type=float, default=CLEAN)
    parser.add_argument("--machine", default="")
    parser.add_argument("--commit", default="0.1.0")
    parser.add_argument("--date", default=datetime.date.today().isoformat())
    parser.add_argument("--note", default="", help="what else ran")
    parser.add_argument("--out", type=pathlib.Path, help="lines are added at its end")
    args = parser.parse_args()
    args.espalierctl = str(pathlib.Path(args.espalierctl).resolve())
    if args.gguf and not (args.llama_server and os.access(args.llama_server, os.X_OK)):
        print(f"llama.cpp: not measured, there is no {args.llama_server or '--llama-server'}", file=sys.stderr)
        args.gguf = []
    for peer in (by_llama_cpp, by_pytorch if args.bert else lambda _: (), by_vllm):
        for made in peer(args):
            if made and args.out:
                with args.out.open("a") as out:
                    out.write(json.dumps(made) + "\n")


if __name__ == "__main__":
    main()
