#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast a daemon registers thousands of adapters, and that it then serves any of them.

    python tests/bench/register_adapters.py --espalierctl build/release/bin/espalierctl --model FOLDER [--count 10000]

FOLDER is a small Llama in safetensors. Every adapter is a PEFT folder of its own with its own values: checked, copied
into the workspace, written to the catalog. First --single of them one by one, by POST /v1/load_lora_adapter over
--connections connections; then --count by `espalierctl adapter import --all`, while the daemon serves. Prints one JSON
line: adapters a second either way, and of plain copies of the same files with two syncs each. Exit code 1 when an adapter
is missing afterwards or cannot be served.
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


def write_variants(folder, config, first, end):
    """The first adapter's files, with one value changed for each of the others."""
    write_adapter(folder / f"v{first}", config, RANK, 1)
    weights = bytearray((folder / f"v{first}" / "adapter_model.safetensors").read_bytes())
    text = (folder / f"v{first}" / "adapter_config.json").read_text()
    count = end
    for i in range(first + 1, end):
        weights[-4:] = struct.pack("<f", (i + 1) / count)
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
    options.add_argument("--single", type=int, default=300)
    options.add_argument("--connections", type=int, default=2)
    options.add_argument("--quick", action="store_true", help="100 and 500 adapters")
    args = options.parse_args()
    if args.quick:
        args.single, args.count = min(args.single, 100), min(args.count, 500)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        daemon = Daemon(args.espalierctl, args.model, folder, 0, 0)
        try:
            config = json.loads((pathlib.Path(args.model) / "config.json").read_text())
            every = args.single + args.count
            write_variants(folder / "single", config, 0, args.single)
            write_variants(folder / "all", config, args.single, every)
            copies = copies_per_second(folder / "single", args.single)
            times, errors = [], []
            start = time.perf_counter()
            threads = [threading.Thread(target=register,
                                        args=(daemon, folder / "single", range(i, args.single, args.connections), times, errors))
                       for i in range(args.connections)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            if errors:
                sys.exit(errors[0])
            single_s = max(times) - start
            start = time.perf_counter()
            imported = daemon.run("adapter", "import", str(folder / "all"), "--all", "--model", "m")
            all_s = time.perf_counter() - start
            listed = sum(1 for model in call(daemon, "GET", "/v1/models")["data"] if model["id"].startswith("m:v"))
            served = [call(daemon, "POST", "/v1/completions", {"model": f"m:v{i}", "prompt": [5, 6, 7], "max_tokens": 4,
                                                               "temperature": 0})["usage"]["completion_tokens"]
                      for i in (0, args.single + args.count // 2, every - 1)]
            row = {"bench": "register_adapters", "single": args.single, "connections": args.connections,
                   "single_per_s": round(args.single / single_s, 1), "copies_per_s": round(copies, 1),
                   "count": len(imported["imported"]), "per_s": round(args.count / all_s, 1), "listed": listed,
                   "resident_mb": round(daemon.resident_mb(), 1)}
        finally:
            daemon.end()
    print(json.dumps(row))
    sys.exit(0 if listed == every and all(served) else 1)


if __name__ == "__main__":
    main()
