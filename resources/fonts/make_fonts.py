#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the three cuts of "Espalier Sans" from Inter 4 (Debian package fonts-inter, SIL OFL 1.1).

Inter's default figures are proportional and Qt 6.4 cannot switch font features, so the tabular figures (feature
`tnum`) become the default glyphs of the digits. The family is renamed as the licence asks of a modified version.
Needs fontTools. Usage: make_fonts.py [FOLDER OF Inter-*.otf]
"""
import pathlib
import sys

from fontTools import subset
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.ttLib import TTFont

FAMILY = "Espalier Sans"
CUTS = [("Regular", 400), ("Medium", 500), ("SemiBold", 600)]
# Latin with its extensions, Greek, Cyrillic, punctuation, currency, arrows and the mathematical signs the interface uses.
RANGES = [(0x20, 0x7E), (0xA0, 0x24F), (0x2B0, 0x2FF), (0x370, 0x3FF), (0x400, 0x4FF),
          (0x2000, 0x206F), (0x2070, 0x209F), (0x20A0, 0x20BF), (0x2100, 0x214F), (0x2190, 0x2199), (0x2200, 0x226F),
          (0x25A0, 0x25CF), (0x2713, 0x2717)]


def tabular_figures(font: TTFont) -> dict[str, str]:
    """The single substitutions of the feature `tnum`: default glyph -> tabular glyph."""
    gsub = font["GSUB"].table
    found: dict[str, str] = {}
    for record in gsub.FeatureList.FeatureRecord:
        if record.FeatureTag != "tnum":
            continue
        for index in record.Feature.LookupListIndex:
            for table in gsub.LookupList.Lookup[index].SubTable:
                table = getattr(table, "ExtSubTable", table)
                found.update(getattr(table, "mapping", {}))
    return found


def rename(font: TTFont, style: str) -> None:
    names = font["name"]
    for record in list(names.names):
        if record.nameID in (1, 2, 3, 4, 6, 16, 17, 18, 20, 21, 22, 25):
            names.removeNames(nameID=record.nameID)
    plain = style == "Regular"
    values = {1: FAMILY if plain else f"{FAMILY} {style}", 2: "Regular", 3: f"{FAMILY} {style} 1.0",
              4: f"{FAMILY} {style}", 6: f"EspalierSans-{style}", 16: FAMILY, 17: style}
    for name_id, value in values.items():
        names.setName(value, name_id, 3, 1, 0x409)
    if "CFF " in font:
        cff = font["CFF "].cff
        cff.fontNames[0] = f"EspalierSans-{style}"
        top = cff.topDictIndex[0]
        top.FamilyName, top.FullName = FAMILY, f"{FAMILY} {style}"


def even_digits(font: TTFont) -> None:
    """Interpolation leaves the tabular digits of a cut up to two units apart: the widest decides."""
    cmap, metrics, glyphs = font.getBestCmap(), font["hmtx"], font.getGlyphSet()
    names = [cmap[ord(digit)] for digit in "0123456789"]
    width = max(metrics[name][0] for name in names)
    top = font["CFF "].cff.topDictIndex[0]
    for name in names:
        if metrics[name][0] != width:
            pen = T2CharStringPen(width, glyphs)
            glyphs[name].draw(pen)
            old = top.CharStrings[name]
            top.CharStrings[name] = pen.getCharString(private=old.private, globalSubrs=old.globalSubrs)
            metrics[name] = (width, metrics[name][1])


def main() -> None:
    source = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/fonts/opentype/inter")
    here = pathlib.Path(__file__).parent
    for style, weight in CUTS:
        font = TTFont(source / f"Inter-{style}.otf")
        mapping = tabular_figures(font)
        for table in font["cmap"].tables:
            for code in range(ord("0"), ord("9") + 1):
                if code in table.cmap:
                    table.cmap[code] = mapping.get(table.cmap[code], table.cmap[code])
        options = subset.Options()
        options.layout_features = ["kern", "mark", "mkmk", "ccmp", "locl"]
        options.name_IDs = ["*"]
        options.hinting = False
        subsetter = subset.Subsetter(options)
        subsetter.populate(unicodes=[code for low, high in RANGES for code in range(low, high + 1)])
        subsetter.subset(font)
        rename(font, style)
        font["OS/2"].usWeightClass = weight
        even_digits(font)
        widths = {font["hmtx"][font.getBestCmap()[ord(digit)]][0] for digit in "0123456789"}
        assert len(widths) == 1, f"digits of {style} have widths {widths}"
        path = here / f"EspalierSans-{style}.otf"
        font.save(path)
        print(f"{path.name}: {path.stat().st_size} bytes, digits {widths.pop()} units wide")


if __name__ == "__main__":
    main()
