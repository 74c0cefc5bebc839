#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes the icons the workbench uses, and no others, from the Python package `lucide` (ISC) and writes icons.qrc.

Usage: make_icons.py        (needs `pip install lucide`)
"""
import pathlib
import re
import zipfile

import lucide

ICONS = """
house box activity message-square-text settings sprout
circle-play circle-check circle-pause circle-x circle-minus clock rotate-ccw triangle-alert check
plus minus x search copy pencil trash-2 download import play pause square undo-2 refresh-cw send-horizontal
zoom-in zoom-out table-2 map eye eye-off flag
flask-conical plug chevron-down chevron-right chevrons-up-down arrow-up arrow-down list-checks scroll-text cpu memory-stick hard-drive
bookmark-plus sliders-horizontal
users key-round ban clock-alert shield-check
scan-search corner-down-right
""".split()


def main() -> None:
    here = pathlib.Path(__file__).parent
    archive = zipfile.ZipFile(pathlib.Path(lucide.__file__).parent / "lucide.zip")
    names = {pathlib.PurePosixPath(name).name: name for name in archive.namelist()}
    for old in here.glob("*.svg"):
        old.unlink()
    for icon in ICONS:
        svg = archive.read(names[f"{icon}.svg"]).decode()
        svg = re.sub(r'\s*class="[^"]*"', "", re.sub(r"<!--.*?-->\s*", "", svg, flags=re.S))
        (here / f"{icon}.svg").write_text(svg.strip() + "\n")
    files = "\n".join(f"        <file>{icon}.svg</file>" for icon in ICONS)
    (here / "icons.qrc").write_text(f"""<!-- SPDX-License-Identifier: GPL-3.0-or-later; the icons are under LICENSE -->
<RCC>
    <qresource prefix="/icons">
{files}
    </qresource>
</RCC>
""")
    print(f"{len(ICONS)} icons")


if __name__ == "__main__":
    main()
