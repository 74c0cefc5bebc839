# SPDX-License-Identifier: GPL-3.0-or-later
"""Batches: packed rows, whole documents and repetition drills."""

import torch

# A token id that is never predicted and so marks padding.
PAD = -100


def pack(documents, length, rng):
    """Rows of ``length + 1`` tokens. Every row starts with a new document and
    the document that does not fit is cut, so that the opening token stands at
    position 0 just as it does in use."""
    order = list(range(len(documents)))
    rng.shuffle(order)
    rows, row = [], []
    for index in order:
        row.extend(documents[index])
        if len(row) > length:
            rows.append(row[:length + 1])
            row = []
    return torch.tensor(rows, dtype=torch.int32)


class PackedRows:
    """Slices of rows with ``length`` tokens, reshuffled after every pass."""

    def __init__(self, documents, rng, length, slice_tokens=2048):
        self.documents, self.rng, self.length = documents, rng, length
        self.count = slice_tokens // length
        self.rows, self.at = [], 0

    def take(self):
        if self.at + self.count > len(self.rows):
            self.rows, self.at = pack(self.documents, self.length, self.rng), 0
        self.at += self.count
        return self.rows[self.at - self.count:self.at].long()


class WholeDocuments:
    """Slices with one whole document in a row, of similar lengths, padded.

    Nothing stands before a document here, so that a name in it can only refer
    to the same document.
    """

    def __init__(self, documents, rng, longest, slice_tokens=2048):
        self.documents = sorted((d[:longest] for d in documents), key=lambda d: len(d) * rng.uniform(0.9, 1.1))
        self.rng, self.slices, self.at = rng, [], 0
        begin, width = 0, 0
        for index, document in enumerate(self.documents):
            width = max(width, len(document))
            if width * (index + 1 - begin) >= slice_tokens:
                self.slices.append((begin, index + 1))
                begin, width = index + 1, 0
        rng.shuffle(self.slices)

    def take(self):
        if self.at == len(self.slices):
            self.rng.shuffle(self.slices)
            self.at = 0
        begin, end = self.slices[self.at]
        self.at += 1
        rows = self.documents[begin:end]
        width = max(map(len, rows))
        return torch.tensor([r + [PAD] * (width - len(r)) for r in rows])


def drill(rng, words, rows=8, length=96):
    """Rows in which a few phrases of random words return in random order. They
    teach the model to look up what followed a word the last time, long before
    the text alone would."""
    out = []
    for _ in range(rows):
        phrases = [rng.sample(words, rng.randint(2, 4)) for _ in range(rng.randint(4, 9))]
        row = []
        while len(row) < length:
            row.extend(rng.choice(phrases))
        out.append(row[:length])
    return torch.tensor(out)
