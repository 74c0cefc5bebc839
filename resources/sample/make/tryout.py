# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints what transformers generates from a finished model folder."""

import json

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


def try_out(folder, prompts_file, seed):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16).float().eval()
    for prompt in json.loads(prompts_file.read_text()):
        text = tokenizer.apply_chat_template(prompt["messages"], tokenize=False, add_generation_prompt=True)
        ids = tokenizer(text, add_special_tokens=False, return_tensors="pt")
        print(f"=== {prompt['title']}")
        for sample in (False, True):
            torch.manual_seed(seed)
            chosen = {"do_sample": True, "temperature": 0.7, "top_p": 0.9} if sample else {
                "do_sample": False, "temperature": None, "top_p": None}
            with torch.no_grad():
                out = model.generate(**ids, max_new_tokens=400, pad_token_id=tokenizer.eos_token_id, **chosen)
            answer = tokenizer.decode(out[0, ids["input_ids"].shape[1]:], skip_special_tokens=True)
            print(f"--- {'temperature 0.7' if sample else 'greedy'}\n{answer}")
