#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws the kernels under their roof: `espalierctl bench ops --jsonl` on standard input, an SVG on standard output.

Across: how many operations a kernel makes per byte it reads, over what the machine makes in the time it reads one; left
of 1 memory is the limit, right of 1 the multiply-adds. Up: the share of the multiply-add peak. Both come from the probes
beside each figure, so figures of different moments stand under one roof. Figures that are not steady are hollow.
"""
import json
import math
import sys
from xml.sax.saxutils import escape

WIDTH, HEIGHT, LEFT, TOP, SIDE = 1060, 560, 62, 30, 620
LOW_X, HIGH_X, LOW_Y, HIGH_Y = 1e-2, 1e3, 1e-2, 1.0  # the roof begins in the corner
COLOURS = {"f32": "#1b6ca8", "bf16": "#b5541c", "f16": "#6a3d9a", "q8_0": "#2c7a3f", "q4_0": "#a31545"}


def across(x):
    x = min(max(x, LOW_X), HIGH_X)
    return LEFT + (math.log10(x) - math.log10(LOW_X)) / (math.log10(HIGH_X) - math.log10(LOW_X)) * (SIDE - LEFT)


def down(y):
    y = min(max(y, LOW_Y), HIGH_Y)
    return TOP + (math.log10(HIGH_Y) - math.log10(y)) / (math.log10(HIGH_Y) - math.log10(LOW_Y)) * (HEIGHT - TOP - 50)


def text(x, y, content, size=11, anchor="start", colour="#333"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}">'
            f"{escape(content)}</text>")


def frame():
    out = []
    for exponent in range(int(math.log10(LOW_X)), int(math.log10(HIGH_X)) + 1):
        x = across(10.0 ** exponent)
        out.append(f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{down(LOW_Y):.1f}" stroke="#e4e4e4"/>')
        out.append(text(x, down(LOW_Y) + 16, f"{10.0 ** exponent:g}", anchor="middle"))
    for y in (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01):
        out.append(f'<line x1="{LEFT}" y1="{down(y):.1f}" x2="{SIDE}" y2="{down(y):.1f}" stroke="#e4e4e4"/>')
        out.append(text(LEFT - 6, down(y) + 4, f"{y:g}", anchor="end"))
    for share, dash in ((1.0, ""), (0.8, ' stroke-dasharray="4 4"')):
        points = [(LOW_Y / share, LOW_Y), (1.0, share), (HIGH_X, share)]
        path = " ".join(f"{across(x):.1f},{down(y):.1f}" for x, y in points)
        out.append(f'<polyline points="{path}" fill="none" stroke="#444"{dash}/>')
    out.append(text(SIDE, HEIGHT - 10, "operations per byte, over those at the ridge; dashed: 0.8 of the roof", anchor="end"))
    out.append(text(LEFT, TOP - 12, "share of the multiply-add peak"))
    return out


def main():
    rows = [json.loads(line) for line in sys.stdin if line.strip()]
    rows = [row for row in rows if row.get("op") in ("gemm", "attention") and row["share_of_peak"] > 0]
    if not rows:
        sys.exit("no product and no attention in these lines of `espalierctl bench ops --jsonl`")
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'] + frame()
    out.append(text(SIDE + 30, TOP - 12, "figure, and its share of the roof above it"))
    for number, row in enumerate(rows, 1):
        colour = COLOURS.get(row["dtype"], "#333")
        fill = colour if row["steady"] else "#fff"
        x, y = across(row["share_of_peak"] / row["share_of_bandwidth"]), down(row["share_of_peak"])
        of_roof = max(row["share_of_peak"], row["share_of_bandwidth"])
        out.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{fill}" stroke="{colour}"/>')
        out.append(text(x + 6, y - 4, str(number), 9, colour=colour))
        line = SIDE + 30, TOP + 6 + number * min(16.0, (HEIGHT - TOP - 20) / len(rows))
        name = f"{number}  {row['op']} {row['shape']} {row['dtype']}, {row['rows']} rows, in {row['mode']}"
        out.append(text(*line, name, 10, colour=colour))
        out.append(text(WIDTH - 14, line[1], f"{of_roof:.2f}", 10, "end", colour))
    out.append("</svg>")
    print("\n".join(out))


if __name__ == "__main__":
    main()
