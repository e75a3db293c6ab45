"""Whether a screen that runs for weeks takes more and more memory.

    python -m bench.screen_weeks --address http://127.0.0.1:8000 --secret … [--turns 20000]

Opens a paired screen (its cookie `flowboard_screen`) in headless Chromium, turns its playlist as
often as a screen does in weeks, and prints what the page holds on the way: heap after garbage
collection, nodes, listeners. A playlist of two pages of 30 seconds turns 20,160 times a week.
"""

from __future__ import annotations

import argparse
import os
import shutil

from playwright.sync_api import CDPSession, sync_playwright

COOKIE = "flowboard_screen"
TURNS = """(turns) => new Promise((done) => {
  let left = turns;
  const turn = () => document.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight" }));
  const seen = () => {
    left -= 1;
    if (left > 0) return setTimeout(turn, 0);
    document.removeEventListener("flowboard:shown", seen);
    done();
  };
  document.addEventListener("flowboard:shown", seen);
  turn();
})"""


def weight(tools: CDPSession) -> dict[str, float]:
    """What the page holds once everything that can be let go has been."""
    for _ in range(2):
        tools.send("HeapProfiler.collectGarbage")
    found = {one["name"]: one["value"] for one in tools.send("Performance.getMetrics")["metrics"]}
    return {name: found[name] for name in ("JSHeapUsedSize", "Nodes", "JSEventListeners")}


def main() -> None:
    """Turn and print."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--address", required=True)
    reader.add_argument("--secret", required=True)
    reader.add_argument("--turns", type=int, default=20_000)
    asked = reader.parse_args()
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as play:
        options = ["--no-sandbox", "--disable-gpu", "--no-first-run"]
        browser = play.chromium.launch(executable_path=program, args=options)
        context = browser.new_context(viewport={"width": 1920, "height": 1080})
        context.add_cookies([{"name": COOKIE, "value": asked.secret, "url": asked.address}])
        page = context.new_page()
        page.goto(f"{asked.address}/screen/")
        page.wait_for_selector("#wall > article")
        tools = context.new_cdp_session(page)
        tools.send("Performance.enable")
        step = max(1, asked.turns // 10)
        for turned in range(0, asked.turns + 1, step):
            held = weight(tools)
            heap = held["JSHeapUsedSize"] / 1024
            print(f"{turned:>7} turns {heap:>8.0f} kB {held['Nodes']:>6.0f} nodes "
                  f"{held['JSEventListeners']:>4.0f} listeners", flush=True)  # fmt: skip
            if turned < asked.turns:
                page.evaluate(TURNS, step)
        browser.close()


if __name__ == "__main__":
    main()
