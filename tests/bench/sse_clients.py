#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A thousand clients of event streams at once against one daemon: nothing lost, nothing mixed up, nothing leaked.

    python tests/bench/sse_clients.py --espalierctl build/release/bin/espalierctl --model FOLDER [--clients 1000 --seconds 300]

FOLDER is a small Llama in safetensors (make one with tests/peers, or take resources/sample/model). A daemon is started on a
workspace of its own with that model, adapters with random values and a few tenants. Every question is first asked alone.
Then each client asks questions one after the other as streams, with any adapter, for any tenant; some hang up in the
middle. An answer must be, token for token, the one that was given alone, with one usage and [DONE] at its end. When all
have gone, no page may belong to a request any more. Prints a table and one JSON line. Exit code 1 when anything was wrong.
"""
import argparse
import asyncio
import collections
import json
import pathlib
import random
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request

MODULES = {"q_proj": ("hidden", "hidden"), "v_proj": ("hidden", "kv"), "down_proj": ("ffn", "hidden")}


def write_adapter(folder, config, rank, seed):
    """A LoRA as PEFT saves it, f32, with values large enough to change what is answered."""
    noise = random.Random(seed)
    heads = config["num_attention_heads"]
    width = {"hidden": config["hidden_size"], "ffn": config["intermediate_size"]}
    width["kv"] = config["hidden_size"] // heads * config.get("num_key_value_heads", heads)
    header, data = {}, bytearray()
    for layer in range(config["num_hidden_layers"]):
        for module, (inputs, outputs) in MODULES.items():
            part = "mlp" if module == "down_proj" else "self_attn"
            name = f"base_model.model.model.layers.{layer}.{part}.{module}"
            for suffix, shape in (("lora_A", (rank, width[inputs])), ("lora_B", (width[outputs], rank))):
                values = [noise.gauss(0, 0.3) for _ in range(shape[0] * shape[1])]
                header[f"{name}.{suffix}.weight"] = {"dtype": "F32", "shape": shape,
                                                     "data_offsets": [len(data), len(data) + 4 * len(values)]}
                data += struct.pack(f"<{len(values)}f", *values)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    folder.mkdir(parents=True)
    (folder / "adapter_model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
    (folder / "adapter_config.json").write_text(json.dumps(
        {"peft_type": "LORA", "r": rank, "lora_alpha": rank, "bias": "none", "target_modules": list(MODULES)}))


class Daemon:
    def __init__(self, program, model, folder, adapters, tenants):
        self.options = [program, "--workspace", str(folder / "workspace"), "--quiet", "--json"]
        self.run("import", model, "--link", "--name", "m")
        config = json.loads((pathlib.Path(model) / "config.json").read_text())
        self.vocabulary = config["vocab_size"]
        for i in range(adapters):
            write_adapter(folder / f"a{i}", config, (4, 8, 16, 24)[i % 4], i)
            self.run("adapter", "import", str(folder / f"a{i}"), "--model", "m", "--name", f"a{i}")
        self.keys = [self.run("tenant", "create", f"t{i}")["key"] for i in range(tenants)]
        # A pool that holds a part of the adapters: they come and go while everybody asks.
        self.process = subprocess.Popen([*self.options, "serve", "--port", "0", "--model", "m", "--pool-mb", "24",
                                         "--host-cache-mb", "8"],
                                        stdout=subprocess.PIPE, text=True)
        facts = json.loads(self.process.stdout.readline())
        self.port = int(facts["url"].rsplit(":", 1)[1])
        self.pid = facts["pid"]
        self.admin = pathlib.Path(facts["admin_key_file"]).read_text().strip()

    def metrics(self):
        """By name and labels, without the prefix."""
        asked = urllib.request.Request(f"http://127.0.0.1:{self.port}/metrics", headers={"Authorization": "Bearer " + self.admin})
        lines = urllib.request.urlopen(asked, timeout=60).read().decode().splitlines()
        return {line.rsplit(" ", 1)[0].split(":", 1)[1]: float(line.rsplit(" ", 1)[1])
                for line in lines if line and not line.startswith("#") and ":" in line}

    def held(self):
        """What requests hold: themselves, pages of KV, pages of adapters in use or on their way."""
        metrics = self.metrics()
        names = ("num_requests_running", "num_requests_waiting", "kv_cache_usage_perc")
        held = {name: metrics[name] for name in names}
        held["adapter_pages"] = sum(value for name, value in metrics.items()
                                    if name.startswith("adapter_pages{") and '"idle"' not in name)
        return held

    def run(self, *arguments):
        done = subprocess.run([*self.options, *arguments], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{' '.join(arguments)}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout) if done.stdout.strip() else {}

    def resident_mb(self):
        text = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(text.split("VmRSS:")[1].split()[0]) / 1024

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(120)


class Refused(Exception):
    """Told at once to come back later: nothing was lost."""


async def ask(port, key, question, hang_up_after=None):
    """The ids of the answer, its finish reason and its usage; None when the client hung up. Errors are exceptions."""
    model, prompt, tokens = question
    body = json.dumps({"model": model, "prompt": prompt, "max_tokens": tokens, "temperature": 0, "ignore_eos": True,
                       "stream": True, "stream_options": {"include_usage": True}, "logprobs": 0}).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    try:
        writer.write(b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + key.encode() +
                     b"\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: " +
                     str(len(body)).encode() + b"\r\n\r\n" + body)
        await writer.drain()
        status = (await reader.readline()).split()
        if len(status) < 2:
            raise RuntimeError("the connection was closed before an answer")
        chunked = False
        while (line := (await reader.readline()).strip()):
            chunked = chunked or line.lower() == b"transfer-encoding: chunked"
        if status[1] in (b"429", b"503"):
            raise Refused(status[1].decode())
        if status[1] != b"200":
            raise RuntimeError(f"HTTP {status[1].decode()}: {(await reader.read())[:300]!r}")
        answer, finish, usage, done = [], None, None, 0
        async for event in events(reader, chunked):
            if event == b"[DONE]":
                done += 1
                continue
            assert done == 0, "an event after [DONE]"
            document = json.loads(event)
            if "error" in document:
                raise RuntimeError(str(document["error"]))
            usage = document.get("usage") or usage
            for choice in document["choices"]:
                answer += (choice.get("logprobs") or {}).get("tokens") or []
                answer.append(choice["text"])
                finish = choice["finish_reason"] or finish
            if hang_up_after is not None and len(answer) >= hang_up_after:
                return None
        assert done == 1, f"{done} times [DONE]"
        assert finish and usage and usage["completion_tokens"] == tokens, f"ends with {finish}, {usage}"
        assert usage["prompt_tokens"] == len(prompt)
        return "".join(answer), finish, usage["completion_tokens"]
    finally:
        writer.close()


async def events(reader, chunked):
    """The data of each server-sent event."""
    buffer = b""
    while True:
        if chunked:
            size = int((await reader.readline()).strip() or b"0", 16)
            piece = await reader.readexactly(size) if size else b""
            await reader.readline()
        else:
            piece = await reader.read(1 << 16)
        if not piece:
            assert not buffer.strip(), "the stream ended in the middle of an event"
            return
        buffer += piece
        while b"\n\n" in buffer:
            event, buffer = buffer.split(b"\n\n", 1)
            for line in event.splitlines():
                if line.startswith(b"data: "):
                    yield line[6:]


async def client(number, daemon, questions, alone, until, counts, waits):
    choice = random.Random(number)
    await asyncio.sleep(choice.random() * 2)
    while time.monotonic() < until:
        index = choice.randrange(len(questions))
        key = choice.choice(daemon.keys)
        hang_up = choice.randrange(1, 12) if choice.random() < 0.15 else None
        began = time.monotonic()
        try:
            answer = await ask(daemon.port, key, questions[index], hang_up)
        except Refused:
            counts["refused"] += 1
            await asyncio.sleep(0.5)
            continue
        except (RuntimeError, AssertionError, OSError, asyncio.IncompleteReadError, ValueError) as error:
            counts["failed"] += 1
            if counts["failed"] <= 5:
                print(f"client {number}: {error!r}", file=sys.stderr)
            continue
        if answer is None:
            counts["hung up"] += 1
            continue
        waits.append(time.monotonic() - began)
        counts["answered"] += 1
        if answer != alone[index]:
            counts["different"] += 1
            if counts["different"] <= 5:
                print(f"client {number}, {questions[index][0]}: {answer} instead of {alone[index]}", file=sys.stderr)


async def test(daemon, args):
    choice = random.Random(7)
    names = ["m"] + [f"m:a{i}" for i in range(args.adapters)]
    questions = [(names[i % len(names)], [choice.randrange(5, daemon.vocabulary) for _ in range(choice.randrange(4, 40))],
                  choice.randrange(4, 24)) for i in range(4 * len(names))]
    alone = [await ask(daemon.port, daemon.keys[0], question) for question in questions]
    differing = len({answer[0] for answer in alone})
    counts, waits = collections.Counter(), []
    until = time.monotonic() + args.seconds
    clients = [asyncio.create_task(client(i, daemon, questions, alone, until, counts, waits)) for i in range(args.clients)]
    most = 0.0
    while not all(task.done() for task in clients):
        await asyncio.sleep(1)
        most = max(most, daemon.resident_mb())
    for task in clients:
        task.result()
    return counts, waits, differing, len(questions), most


def left_behind(daemon):
    """What is still held when nobody asks any more; patience, because who hung up is noticed at the next chunk."""
    for _ in range(120):
        left = daemon.held()
        if not any(left.values()):
            break
        time.sleep(1)
    return left


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--espalierctl", required=True)
    options.add_argument("--model", required=True, help="folder of a small Llama")
    options.add_argument("--clients", type=int, default=1000)
    options.add_argument("--seconds", type=float, default=300)
    options.add_argument("--adapters", type=int, default=24)
    options.add_argument("--tenants", type=int, default=4)
    options.add_argument("--quick", action="store_true", help="100 clients for 10 seconds")
    args = options.parse_args()
    if args.quick:
        args.clients, args.seconds = min(args.clients, 100), min(args.seconds, 10)
    with tempfile.TemporaryDirectory() as folder:
        daemon = Daemon(args.espalierctl, args.model, pathlib.Path(folder), args.adapters, args.tenants)
        try:
            before = daemon.resident_mb()
            counts, waits, differing, questions, most = asyncio.run(test(daemon, args))
            left = left_behind(daemon)
        finally:
            daemon.end()
    wrong = counts["failed"] + counts["different"] + sum(left.values())
    row = {"bench": "sse_clients", "clients": args.clients, "seconds": args.seconds, "adapters": args.adapters,
           "tenants": args.tenants, "questions": questions, "different_answers": differing, "answered": counts["answered"],
           "hung_up": counts["hung up"], "refused": counts["refused"], "failed": counts["failed"], "mixed_up": counts["different"], "left": left,
           "answer_p50_s": round(statistics.median(waits), 3) if waits else None,
           "resident_mb_before": round(before, 1), "resident_mb_most": round(most, 1)}
    for name, value in row.items():
        print(f"{name:20} {value}")
    print(json.dumps(row))
    if differing < questions / 2 or not waits:
        sys.exit("the questions do not tell the answers apart: this shows nothing")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
