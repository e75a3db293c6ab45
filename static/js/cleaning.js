// Beds to clean: a touch begins or ends a job, the list follows, and the focus stays where it was.
(function () {
  "use strict";
  const { keys } = window.flowboard;
  let busy = false;
  let goal = null; // the bed whose button is wanted once the list is drawn anew

  function say(text, wrong) {
    const note = document.getElementById("note");
    clearTimeout(say.timer);
    note.querySelector(".words").textContent = text;
    note.className = wrong ? "note is-wrong" : "note";
    note.hidden = !wrong;
    document.getElementById("news").textContent = text;
  }

  function buttons() {
    return [...document.querySelectorAll(".job-deed button")];
  }

  async function send(form) {
    if (busy) return;
    busy = true;
    const all = buttons();
    const at = all.findIndex((button) => form.contains(button));
    const next = all[at + 1] ?? all[at - 1];
    const body = new URLSearchParams(new FormData(form));
    const wasDone = body.get("deed") === "done";
    const own = form.querySelector("button");
    own.setAttribute("aria-disabled", "true");
    const url = new URL(form.getAttribute("action"), location.href);
    url.searchParams.set("fragment", "1");
    try {
      const answer = await fetch(url, { method: "POST", body, cache: "no-store" });
      if (answer.redirected) return location.reload(); // signed out
      const text = answer.ok || answer.status === 409 ? await answer.text() : "";
      say(text || "That did not work. Look at the list again.", !answer.ok);
      // Begun: the same bed is now to be done. Done: on to the next one.
      if (answer.ok) goal = wasDone || at < 0 ? next?.id : own.id;
      window.flowboard.refresh?.();
    } catch {
      say("No connection: nothing was recorded. Try again.", true);
    } finally {
      own.removeAttribute("aria-disabled");
      busy = false;
    }
  }

  function drawn() {
    if (goal === null) return;
    const lost = document.activeElement === document.body || !document.activeElement?.isConnected;
    const wanted = document.getElementById(goal) ?? buttons()[0];
    if (lost || document.activeElement.closest("#board")) wanted?.focus({ preventScroll: false });
    goal = null;
  }

  document.addEventListener("submit", (event) => {
    if (!event.target.closest("#board") || event.target.method !== "post") return;
    event.preventDefault();
    send(event.target);
  });
  document.addEventListener("flowboard:board", drawn);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-shut-note]")) document.getElementById("note").hidden = true;
  });
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !keys.on) return;
    if (window.flowboard.typing(event.target) || document.querySelector("dialog[open]")) return;
    if (event.key !== "z") return;
    event.preventDefault();
    document.getElementById("take-back")?.click();
  });
})();
