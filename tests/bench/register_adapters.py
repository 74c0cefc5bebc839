#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast a daemon registers thousands of adapters, and that it then serves any of them.

    python tests/bench/register_adapters.py --espalierctl build/release/bin/espalierctl --model FOLDER [--count 10000]

FOLDER is a small Llama in safetensors. Every adapter is a PEFT folder of its own with its own values, registered by
POST /v1/load_lora_adapter over --connections connections: checked, copied into the workspace, written to the catalog.
Prints one JSON line: adapters a second of the whole and of its last tenth, and of plain copies of the same files with
the same syncs. Exit code 1 when an adapter is missing afterwards or cannot be served.
"""
import argparse
import http.client
import json
import os
import pathlib
import struct
import sys
import tempfile
import threading
import time

from sse_clients import Daemon, write_adapter

RANK = 4


def write_variants(folder, config, count):
    """The first adapter's files, with one value changed for each of the others."""
    write_adapter(folder / "v0", config, RANK, 1)
    weights = bytearray((folder / "v0" / "adapter_model.safetensors").read_bytes())
    text = (folder / "v0" / "adapter_config.json").read_text()
    for i in range(1, count):
        weights[-4:] = struct.pack("<f", i / count)
        path = folder / f"v{i}"
        path.mkdir()
        (path / "adapter_model.safetensors").write_bytes(weights)
        (path / "adapter_config.json").write_text(text)


def register(daemon, folder, numbers, times, errors):
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=600)
    for i in numbers:
        body = json.dumps({"lora_name": f"v{i}", "lora_path": str(folder / f"v{i}")})
        connection.request("POST", "/v1/load_lora_adapter", body,
                           {"Content-Type": "application/json", "Authorization": "Bearer " + daemon.admin})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            errors.append(f"v{i}: {answer.status} {text[:300]}")
            return
        times.append(time.perf_counter())


def copies_per_second(folder, count):
    """As many files, copied and synced one by one: what the disk allows."""
    start = time.perf_counter()
    for i in range(count):
        target = folder / "copies" / str(i)
        target.mkdir(parents=True)
        for name in ("adapter_model.safetensors", "adapter_config.json"):
            with open(target / name, "wb") as file:
                file.write((folder / f"v{i}" / name).read_bytes())
                file.flush()
                os.fsync(file.fileno())
    return count / (time.perf_counter() - start)


def call(daemon, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=600)
    connection.request(method, path, json.dumps(body) if body else None,
                       {"Content-Type": "application/json", "Authorization": "Bearer " + daemon.admin})
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != 200:
        sys.exit(f"{path}: {answer.status} {text[:300]}")
    return json.loads(text)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--espalierctl", required=True)
    options.add_argument("--model", required=True)
    options.add_argument("--count", type=int, default=10000)
    options.add_argument("--connections", type=int, default=2)
    options.add_argument("--quick", action="store_true", help="300 adapters")
    args = options.parse_args()
    if args.quick:
        args.count = min(args.count, 300)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        daemon = Daemon(args.espalierctl, args.model, folder, 0, 0)
        try:
            config = json.loads((pathlib.Path(args.model) / "config.json").read_text())
            write_variants(folder, config, args.count)
            copies = copies_per_second(folder, min(args.count, 300))
            times, errors = [], []
            start = time.perf_counter()
            threads = [threading.Thread(target=register, args=(daemon, folder, range(i, args.count, args.connections), times, errors))
                       for i in range(args.connections)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            if errors:
                sys.exit(errors[0])
            times.sort()
            tenth = max(1, args.count // 10)
            listed = sum(1 for model in call(daemon, "GET", "/v1/models")["data"] if model["id"].startswith("m:v"))
            served = [call(daemon, "POST", "/v1/completions", {"model": f"m:v{i}", "prompt": [5, 6, 7], "max_tokens": 4,
                                                               "temperature": 0})["usage"]["completion_tokens"]
                      for i in (0, args.count // 2, args.count - 1)]
            row = {"bench": "register_adapters", "count": args.count, "connections": args.connections,
                   "per_s": round(args.count / (times[-1] - start), 1),
                   "per_s_last_tenth": round(tenth / (times[-1] - times[-tenth - 1]), 1) if args.count > tenth else None,
                   "copies_per_s": round(copies, 1), "listed": listed, "resident_mb": round(daemon.resident_mb(), 1)}
        finally:
            daemon.end()
    print(json.dumps(row))
    sys.exit(0 if listed == args.count and all(served) else 1)


if __name__ == "__main__":
    main()
