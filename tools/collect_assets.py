"""Copies what pages load, and the typeface of PDFs, from `node_modules` to `static/npm`, made to
stand on its own.

The design system's style sheet asks another host for its typeface, which is not ours to use, and
looks for its pictures at the root of the site. Both are put right here, and nothing that would
still ask elsewhere is let through.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import Final

BASE: Final = Path(__file__).resolve().parent.parent
MODULES: Final = BASE / "node_modules"
TARGET: Final = BASE / "static" / "npm"

FILES: Final = {
    "nhsuk-frontend/dist/nhsuk/nhsuk-frontend.min.css": "nhsuk-frontend/nhsuk-frontend.min.css",
    "idiomorph/dist/idiomorph.min.js": "idiomorph/idiomorph.min.js",
    "plotly.js-cartesian-dist-min/plotly-cartesian.min.js": "plotly/plotly-cartesian.min.js",
}
TYPEFACES: Final = {
    f"dejavu-fonts-ttf/ttf/{name}.ttf": f"dejavu/{name}.ttf"
    for name in ("DejaVuSans", "DejaVuSans-Bold")
}
PICTURES: Final = "nhsuk-frontend/dist/nhsuk/assets/images"

_TYPEFACE = re.compile(r"@font-face\s*\{[^}]*\}")
_TYPEFACE_NAME = re.compile(r"Frutiger W01,\s*")
_ROOT_PICTURE = re.compile(r"url\(([\"']?)/assets/images/")
_MAP = re.compile(r"(/\*|//)# sourceMappingURL=[^\s*]*(\s*\*/)?")
_ELSEWHERE = re.compile(r"url\(\s*[\"']?(?:https?:)?//|@import\s+[\"'](?:https?:)?//")


def standing_alone(name: str, text: str) -> str:
    """`text` of an asset without its source map, and a style sheet without outside addresses."""
    text = _MAP.sub("", text)
    if name.endswith(".css"):
        text = _TYPEFACE_NAME.sub("", _TYPEFACE.sub("", text))
        text = _ROOT_PICTURE.sub(r"url(\1images/", text)
        if found := _ELSEWHERE.search(text):
            sys.exit(f"{name} would load from elsewhere: {text[found.start() :][:80]}")
    return text


def main() -> None:
    """Collect everything anew."""
    draft = TARGET.with_name("npm.new")
    shutil.rmtree(draft, ignore_errors=True)
    for source, target in FILES.items():
        place = draft / target
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(standing_alone(source, (MODULES / source).read_text("utf-8")), "utf-8")
    for source, target in TYPEFACES.items():
        place = draft / target
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(MODULES / source, place)
    style = (draft / "nhsuk-frontend" / "nhsuk-frontend.min.css").read_text("utf-8")
    (draft / "nhsuk-frontend" / "images").mkdir()
    for picture in sorted(set(re.findall(r"url\([\"']?images/([^)\"']+)", style))):
        shutil.copy2(MODULES / PICTURES / picture, draft / "nhsuk-frontend" / "images" / picture)
    shutil.rmtree(TARGET, ignore_errors=True)
    draft.rename(TARGET)


if __name__ == "__main__":
    main()
