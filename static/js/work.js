// A list of work by keys: done in one, everything else in the drawer of the step.
(function () {
  "use strict";
  const { keys } = window.flowboard;
  const FOLDS = { c: "contact", h: "hand", e: "escalate", t: "due" };
  const undo = () => document.getElementById("undo-done");
  let last = null; // the barrier done last, and what its form needs to be sent again

  function tiles() {
    return [...document.querySelectorAll("[data-tile]")].filter((tile) => tile.checkVisibility());
  }

  function here() {
    const tile = document.activeElement.closest("li")?.querySelector("[data-tile]");
    return tile ?? document.querySelector("[data-tile].is-open");
  }

  function step(by) {
    const all = tiles();
    const at = all.indexOf(here());
    const goal = all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + by))];
    goal?.focus();
    goal?.scrollIntoView({ block: "nearest" });
  }

  async function unfold(tile, name) {
    await window.flowboard.openTile(tile);
    const deed = document.getElementById(`deed-${name}`);
    if (!deed) return;
    deed.open = true;
    deed.querySelector("select, input:not([type=hidden]), textarea")?.focus();
  }

  async function post(address, body) {
    const url = new URL(address, location.href);
    url.searchParams.set("fragment", "1");
    try {
      const answer = await fetch(url, { method: "POST", body, cache: "no-store" });
      if (answer.redirected) location.reload(); // signed out
      return answer;
    } catch {
      window.flowboard.say("No connection: nothing was recorded. Try again.", true);
      return null;
    }
  }

  async function done(form) {
    const body = new URLSearchParams(new FormData(form));
    const all = tiles();
    const at = all.findIndex((tile) => tile.closest("li").contains(form));
    const answer = await post(form.getAttribute("action"), body);
    if (!answer) return;
    if (!answer.ok) {
      window.flowboard.say("That did not work: somebody has changed it. Look again.", true);
      window.flowboard.refresh?.();
      return;
    }
    last = { address: form.getAttribute("action"), token: body.get("csrfmiddlewaretoken") };
    form.closest("li").remove();
    (all[at + 1] ?? all[at - 1])?.focus();
    window.flowboard.say(await answer.text(), false);
    undo().hidden = false;
    window.flowboard.refresh?.();
  }

  async function takeBack() {
    if (!last) return;
    const { address, token } = last;
    last = null;
    undo().hidden = true;
    const body = new URLSearchParams({ deed: "reopen", note: "", csrfmiddlewaretoken: token });
    const answer = await post(address, body);
    if (!answer) return;
    window.flowboard.say(answer.ok ? await answer.text() : "That cannot be undone any more.", !answer.ok);
    window.flowboard.refresh?.();
  }

  function pressed(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !keys.on) return;
    if (window.flowboard.typing(event.target) || document.querySelector("dialog[open]")) return;
    const tile = here();
    const deeds = {
      j: () => step(1),
      k: () => step(-1),
      z: takeBack,
      d: () => tile?.closest("li").querySelector("form.done")?.requestSubmit(),
    };
    const fold = FOLDS[event.key];
    const deed = fold ? () => tile && unfold(tile, fold) : deeds[event.key];
    if (!deed) return;
    event.preventDefault();
    deed();
  }

  document.addEventListener("keydown", pressed);
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form.done")) return;
    event.preventDefault();
    done(event.target);
  });
  undo()?.addEventListener("click", takeBack);
})();
