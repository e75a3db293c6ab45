// Moving over a board by keys, and the drawer that opens beside it.
(function () {
  "use strict";
  const drawer = () => document.getElementById("drawer");
  let opened = null; // what the drawer shows: its address, the tile and what the tile said then

  // --- from tile to tile ----------------------------------------------------------------------
  const directions = {
    ArrowLeft: (from, to) => [from.left - to.right, Math.abs(middle(from).y - middle(to).y)],
    ArrowRight: (from, to) => [to.left - from.right, Math.abs(middle(from).y - middle(to).y)],
    ArrowUp: (from, to) => [from.top - to.bottom, Math.abs(middle(from).x - middle(to).x)],
    ArrowDown: (from, to) => [to.top - from.bottom, Math.abs(middle(from).x - middle(to).x)],
  };

  function middle(box) {
    return { x: (box.left + box.right) / 2, y: (box.top + box.bottom) / 2 };
  }

  function nearest(current, measure) {
    const from = current.getBoundingClientRect();
    let best = null;
    let least = Infinity;
    for (const tile of document.querySelectorAll("[data-tile]")) {
      if (tile === current) continue;
      const [ahead, aside] = measure(from, tile.getBoundingClientRect());
      if (ahead < -4) continue;
      // Straight ahead counts for more than near: to the side weighs three times.
      const distance = Math.max(0, ahead) + 3 * aside;
      if (distance < least) [best, least] = [tile, distance];
    }
    return best;
  }

  function arrows(event) {
    const measure = directions[event.key];
    if (!measure || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea, dialog, .drawer, .menu, .chart")) return;
    const current = document.activeElement.closest("[data-tile]");
    const next = current ? nearest(current, measure) : null;
    const first = current ? null : document.querySelector("[data-tile]");
    const goal = next || first;
    if (!goal || (!current && document.activeElement !== document.body &&
        !document.activeElement.matches("main"))) return;
    event.preventDefault();
    goal.focus();
    goal.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  // --- the drawer -----------------------------------------------------------------------------
  async function into(address, options) {
    const answer = await fetch(address, { cache: "no-store", ...options });
    if (answer.redirected) {
      location.reload(); // signed out: the page itself knows the way to the sign-in and back
      return null;
    }
    return answer;
  }

  function withFragment(address) {
    const url = new URL(address, location.href);
    url.searchParams.set("fragment", "1");
    return url;
  }

  async function open(link) {
    const address = link.getAttribute("href");
    let answer;
    try {
      answer = await into(withFragment(address));
    } catch {
      location.assign(address);
      return;
    }
    if (!answer) return;
    if (!answer.ok) {
      location.assign(address);
      return;
    }
    draw(await answer.text());
    mark(null);
    opened = { address, tile: link.id, fact: link.dataset.fact };
    mark(link);
    drawer().querySelector("h2")?.focus();
  }

  function draw(html) {
    drawer().innerHTML = html;
    drawer().hidden = false;
    document.body.classList.add("has-drawer");
    window.flowboard.tick(drawer());
  }

  function mark(tile) {
    document.querySelectorAll(".is-open").forEach((one) => one.classList.remove("is-open"));
    if (tile) tile.classList.add("is-open");
  }

  function shut() {
    if (!drawer() || drawer().hidden) return false;
    drawer().hidden = true;
    drawer().innerHTML = "";
    document.body.classList.remove("has-drawer");
    const tile = opened && document.getElementById(opened.tile);
    opened = null;
    mark(null);
    if (tile) tile.focus();
    return true;
  }

  async function send(form, button) {
    const body = new URLSearchParams(new FormData(form));
    if (button?.name) body.set(button.name, button.value);
    let answer;
    try {
      answer = await into(withFragment(form.action), { method: "POST", body });
    } catch {
      say("No connection: nothing was recorded. What you typed is still here.", true);
      return;
    }
    if (!answer) return;
    const text = await answer.text();
    const type = answer.headers.get("Content-Type") || "";
    if (answer.ok && type.startsWith("text/plain")) {
      shut();
      say(text, false);
      window.flowboard.refresh?.();
    } else if (answer.ok || answer.status === 422 || answer.status === 409) {
      draw(text);
      (drawer().querySelector(".nhsuk-error-summary") || drawer().querySelector("h2"))?.focus();
    } else {
      say(`That did not work (${answer.status}): nothing was recorded. Try again.`, true);
    }
  }

  function say(text, wrong) {
    const note = document.getElementById("note");
    note.textContent = text;
    note.className = wrong ? "note is-wrong" : "note";
    note.hidden = false;
    clearTimeout(say.timer);
    say.timer = setTimeout(() => (note.hidden = true), wrong ? 15000 : 7000);
  }

  /** The board has changed: does the drawer still tell the truth about its tile? */
  function compare() {
    if (!opened || drawer().hidden) return;
    const tile = document.getElementById(opened.tile);
    mark(tile);
    const same = tile && tile.dataset.fact === opened.fact;
    const notice = drawer().querySelector("[data-outdated]");
    if (notice) notice.hidden = Boolean(same);
  }

  function clicked(event) {
    const link = event.target.closest("a[data-opens-drawer]");
    if (link && drawer() && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      if (opened && opened.tile === link.id && !drawer().contains(link)) shut();
      else open(link);
      return;
    }
    if (event.target.closest("[data-shut]")) {
      event.preventDefault();
      shut();
    }
    const again = event.target.closest("[data-reload]");
    if (again && opened) {
      event.preventDefault();
      const tile = document.getElementById(opened.tile);
      if (tile) open(tile);
      else shut();
    }
  }

  function submitted(event) {
    if (!drawer() || !drawer().contains(event.target)) return;
    event.preventDefault();
    const form = event.target;
    if (form.method === "get") {
      const url = new URL(form.action);
      for (const [name, value] of new FormData(form)) url.searchParams.set(name, value);
      into(withFragment(url)).then(async (answer) => answer && draw(await answer.text()));
      return;
    }
    if (form.dataset.sending) return;
    form.dataset.sending = "yes";
    send(form, event.submitter).finally(() => delete form.dataset.sending);
  }

  function start() {
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.defaultPrevented && !document.querySelector("dialog[open]")) {
        if (shut()) event.preventDefault();
      }
      arrows(event);
    });
    document.addEventListener("click", clicked);
    document.addEventListener("submit", submitted);
    document.addEventListener("change", (event) => {
      if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
    });
    document.addEventListener("flowboard:board", compare);
    document.addEventListener("flowboard:out", shut);
  }

  start(); // deferred: the page has been read
})();
