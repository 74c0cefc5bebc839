#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The official openai client against a running daemon on the sample workspace.

    python tests/peers/openai_client.py --espalierctl build/release/bin/espalierctl

Each function below is one thing that users of the client rely on. Exit code 0 when all hold.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import openai


def lists_models(client, model):
    assert model in [entry.id for entry in client.models.list()]
    assert client.models.retrieve(model).object == "model"


def chats(client, model):
    answer = client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": "Tell me something."}], max_tokens=12, temperature=0
    )
    choice = answer.choices[0]
    assert choice.message.role == "assistant" and choice.finish_reason in ("stop", "length")
    assert answer.usage.completion_tokens <= 12
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def streams_what_it_answers(client, model):
    call = dict(
        model=model, messages=[{"role": "user", "content": "Tell me something."}], max_tokens=16, seed=3, temperature=0.8
    )
    whole = client.chat.completions.create(**call)
    text, usage = "", None
    for chunk in client.chat.completions.create(**call, stream=True, stream_options={"include_usage": True}):
        usage = chunk.usage or usage
        if chunk.choices:
            text += chunk.choices[0].delta.content or ""
    assert text == whole.choices[0].message.content
    assert usage.completion_tokens == whole.usage.completion_tokens


def gives_logprobs(client, model):
    chat = client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": "Hi"}], max_tokens=4, temperature=0, logprobs=True, top_logprobs=3
    )
    for token in chat.choices[0].logprobs.content:
        assert token.logprob <= 0 and len(token.top_logprobs) == 3
        assert token.logprob == max(top.logprob for top in token.top_logprobs)
        assert bytes(token.bytes).decode(errors="replace") == token.token
    text = client.completions.create(model=model, prompt="The sea", max_tokens=4, temperature=0, logprobs=2)
    logprobs = text.choices[0].logprobs
    assert len(logprobs.tokens) == len(logprobs.token_logprobs) == len(logprobs.top_logprobs)


def completes_text_and_ids(client, model):
    answer = client.completions.create(model=model, prompt=["The sea", "A man"], max_tokens=8, temperature=0)
    assert [choice.index for choice in answer.choices] == [0, 1]
    ids = client.completions.create(model=model, prompt=[5, 6, 7], max_tokens=8, temperature=0)
    assert ids.usage.prompt_tokens == 3
    call = dict(model=model, prompt="The sea", max_tokens=32, temperature=0)
    whole = client.completions.create(**call).choices[0].text
    mark = whole[len(whole) // 2 :][:3]
    assert len(whole) > 8 and len(mark) == 3
    stopped = client.completions.create(**call, stop=[mark]).choices[0]
    assert stopped.text == whole[: whole.index(mark)] and stopped.finish_reason == "stop"


def repeats_with_a_seed_and_varies_over_choices(client, model):
    call = dict(model=model, prompt="Once upon a time", max_tokens=12, temperature=1.0, seed=11, n=3)
    first = [choice.text for choice in client.completions.create(**call).choices]
    again = [choice.text for choice in client.completions.create(**call).choices]
    assert first == again and len(set(first)) > 1


def embeds(client, model):
    plain = client.embeddings.create(model=model, input=["one", "two words"], encoding_format="float")
    packed = client.embeddings.create(model=model, input=["one", "two words"])  # the client asks for base64
    assert len(plain.data) == 2 and len(plain.data[0].embedding) == len(packed.data[0].embedding)
    for a, b in zip(plain.data[1].embedding, packed.data[1].embedding):
        assert abs(a - b) < 1e-6


def raises_what_the_client_documents(client, model):
    def raised(kind, **call):
        try:
            client.chat.completions.create(**call)
        except kind as error:
            return error
        raise AssertionError(f"{kind.__name__} was expected")

    hello = [{"role": "user", "content": "Hi"}]
    raised(openai.NotFoundError, model="no-such-model", messages=hello)
    error = raised(
        openai.BadRequestError, model=model, messages=hello, tools=[{"type": "function", "function": {"name": "f"}}]
    )
    assert error.param == "tools"
    error = raised(openai.BadRequestError, model=model, messages=[{"role": "user", "content": "word " * 100_000}])
    assert error.code == "context_length_exceeded"
    stranger = openai.OpenAI(base_url=str(client.base_url), api_key="not-the-key", max_retries=0)
    try:
        stranger.models.list()
        raise AssertionError("AuthenticationError was expected")
    except openai.AuthenticationError:
        pass


CHECKS = [
    lists_models,
    chats,
    streams_what_it_answers,
    gives_logprobs,
    completes_text_and_ids,
    repeats_with_a_seed_and_varies_over_choices,
    embeds,
    raises_what_the_client_documents,
]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--espalierctl", required=True, help="the program to test")
    parser.add_argument("--workspace", help="a workspace with a chat model (default: a new sample workspace)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        workspace = options.workspace or str(pathlib.Path(folder) / "sample")
        if not options.workspace:
            subprocess.run([options.espalierctl, "sample", workspace, "--quiet"], check=True, stdout=subprocess.DEVNULL)
        daemon = subprocess.Popen(
            [options.espalierctl, "--workspace", workspace, "serve", "--port", "0", "--json"], stdout=subprocess.PIPE
        )
        try:
            facts = json.loads(daemon.stdout.readline())
            key = pathlib.Path(facts["admin_key_file"]).read_text().strip()
            client = openai.OpenAI(base_url=facts["url"] + "/v1", api_key=key, max_retries=0, timeout=120)
            model = client.models.list().data[0].id
            for check in CHECKS:
                check(client, model)
                print(f"ok  {check.__name__.replace('_', ' ')}", flush=True)
        finally:
            daemon.terminate()
            status = daemon.wait(60)
    assert status == 0, f"the daemon ended with {status}"
    print(f"openai {openai.__version__}: {len(CHECKS)} checks, all hold")
    return 0


if __name__ == "__main__":
    sys.exit(main())
