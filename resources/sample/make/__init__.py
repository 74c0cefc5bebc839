# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the sample model: corpus, tokenizer, weights and model folder."""
