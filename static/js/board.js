// Moving over a board by keys, and the drawer that opens beside it.
//
// An open drawer is a step in the browser's history, so that Back closes it. On a wide screen it
// stands beside the board; on a narrower one it lies over the page, which is then out of reach.
(function () {
  "use strict";
  const drawer = () => document.getElementById("drawer");
  const inside = () => document.getElementById("drawer-in");
  const over = matchMedia("(max-width: 74.99em)"); // as in bedside.css
  const AGAIN = "You have signed in again since you wrote this. Nothing has been recorded.";
  const { typed } = window.flowboard;
  let opened = null; // what the drawer shows: its address, the tile and what the tile said then
  let asked = 0; // how many drawers have been asked for
  let sending = null; // the form that is on its way
  let back = null; // the tile that the focus went back to, and its neighbours, while it has it; after
  // a deed `until`: as long as the board may still be putting the tile elsewhere because of it
  let unsent = false; // what stands in the drawer was typed, and came back with a refusal
  let leaving = false; // we have asked for the step back ourselves

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
      if (tile === current || !tile.checkVisibility()) continue;
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
    const tiles = current ? [] : [...document.querySelectorAll("[data-tile]")];
    const first = tiles.find((tile) => tile.checkVisibility());
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
      keepTyped(sending);
      location.reload(); // signed out: the page itself knows the way to the sign-in and back
      return null;
    }
    return answer;
  }

  /** Keep what stands in the drawer until its writer has signed in again. */
  function keepTyped(form) {
    if (!opened || drawer().hidden) return;
    const where = { page: location.pathname, tile: opened.tile };
    typed.keep(form ?? typed.begun(inside()), where);
  }

  function withFragment(address) {
    const url = new URL(address, location.href);
    url.searchParams.set("fragment", "1");
    return url;
  }

  /** Open the drawer of a tile; `at`: another address than the tile's own, for a closer look. */
  async function open(link, inHistory, at) {
    const address = at ?? link.getAttribute("href");
    const mine = (asked += 1);
    let answer;
    try {
      answer = await into(withFragment(address));
    } catch {
      location.assign(address);
      return;
    }
    if (!answer) return;
    if (isOver(answer) && opened?.tile === link.id) {
      tellOver();
      return;
    }
    if (!answer.ok) {
      location.assign(address);
      return;
    }
    const html = await answer.text();
    if (mine !== asked) return; // another tile was chosen while this one was on its way
    draw(html);
    mark(null);
    opened = { address, tile: link.id, fact: link.dataset.fact, around: tiles() };
    mark(link);
    if (typed.refill(inside())) {
      say("What you typed before you signed in again is back. Nothing has been recorded.", true);
    }
    if (!inHistory) remember(link.id);
    link.scrollIntoView({ block: "nearest" }); // the board has become narrower
    if (!showPreview()) drawer().querySelector("h2")?.focus();
  }

  /** Focus the deed of a preview with all of the preview in sight; where it is longer than the
   * drawer its heading, from which the deed is the next stop. False where there is none. */
  function showPreview() {
    const preview = inside().querySelector(".preview");
    if (!preview) return false;
    const head = inside().querySelector(".drawer-head")?.offsetHeight ?? 0;
    const deed = preview.querySelector("[data-first]");
    const fits = preview.offsetHeight + head + 24 <= inside().clientHeight;
    (deed && fits ? deed : preview.querySelector("h3")).focus({ preventScroll: true });
    preview.scrollIntoView({ block: fits ? "nearest" : "start" });
    return true;
  }

  /** Show the drawer; `refused`: the form that comes back with why nothing was recorded. */
  function draw(html, refused = null) {
    unsent = refused !== null && (unsent || writtenIn(refused));
    inside().innerHTML = html;
    inside().scrollTop = 0;
    drawer().hidden = false;
    document.getElementById("veil").hidden = false;
    document.body.classList.add("has-drawer");
    isolate();
    window.flowboard.tick(drawer());
  }

  /** What lies under the drawer can be neither read nor reached while it does. */
  function isolate() {
    const covered = !drawer().hidden && over.matches;
    const free = "#drawer, #veil, #lost, #signed-out, #note, #news, dialog";
    for (const one of document.querySelectorAll(".skip, .head, .messages, #content > *")) {
      if (!one.matches(free)) one.inert = covered;
    }
    for (const [name, value] of [["role", "dialog"], ["aria-modal", "true"]]) {
      if (covered) drawer().setAttribute(name, value);
      else drawer().removeAttribute(name);
    }
  }

  // --- the drawer in the browser's history ----------------------------------------------------
  function remember(tile) {
    const state = { drawer: tile };
    if (history.state?.drawer) {
      history.replaceState(state, "");
    } else {
      history.scrollRestoration = "manual"; // closing is no reason to scroll the board
      history.pushState(state, "");
    }
  }

  async function travelled(event) {
    if (leaving) {
      leaving = false;
      history.scrollRestoration = "auto";
      return;
    }
    const tile = event.state?.drawer && document.getElementById(event.state.drawer);
    if (tile) {
      open(tile, true);
    } else if (drawer() && !drawer().hidden) {
      const kept = opened.tile;
      if (await mayLose()) shut();
      else history.pushState({ drawer: kept }, "");
    }
  }

  // --- closing it -----------------------------------------------------------------------------
  function writtenIn(root) {
    return [...root.querySelectorAll("input, select, textarea")].some(typed.changed);
  }

  /** Whether the drawer may go: at once, or after asking where something typed would be lost. */
  function mayLose() {
    // What comes back with an error message stands there as if it had been so from the start.
    if (!unsent && !writtenIn(inside())) return true;
    const dialog = document.getElementById("unsent");
    if (dialog.open) return false;
    dialog.showModal();
    return new Promise((resolve) => {
      // The dialog's own "close" event comes some time after it has closed, perhaps when it has
      // been opened again for another question: so the answer is taken from what gives it.
      const answers = new AbortController();
      const settle = (event) => {
        event.preventDefault();
        answers.abort();
        dialog.close();
        resolve(event.submitter?.value === "go");
      };
      for (const kind of ["submit", "cancel"]) {
        dialog.addEventListener(kind, settle, { signal: answers.signal });
      }
    });
  }

  /** Close the drawer because the reader wishes it. */
  async function close() {
    if (await mayLose()) shut();
  }

  /** Back to the list, of which something is over by now. */
  async function lookAgain() {
    await close();
    if (!drawer().hidden) return; // they go on looking at what they typed
    document.getElementById("note").hidden = true;
    window.flowboard.refresh?.();
  }

  function mark(tile) {
    document.querySelectorAll(".is-open").forEach((one) => one.classList.remove("is-open"));
    if (tile) tile.classList.add("is-open");
  }

  function shut() {
    if (!drawer() || drawer().hidden) return false;
    drawer().hidden = true;
    inside().innerHTML = "";
    document.getElementById("veil").hidden = true;
    document.getElementById("content").append(document.getElementById("note"));
    document.body.classList.remove("has-drawer");
    isolate();
    if (opened) {
      if (document.getElementById(opened.tile)) opened.around = tiles();
      giveBack(opened);
    }
    opened = null;
    mark(null);
    if (history.state?.drawer) {
      leaving = true;
      history.back();
    }
    return true;
  }

  /** The tiles in their order, by their ids. */
  function tiles() {
    return [...document.querySelectorAll("[data-tile]")].map((tile) => tile.id);
  }

  /** What stood after and before a tile, nearest first. */
  function neighbours({ tile, around }) {
    const at = around.indexOf(tile);
    return [around.slice(at + 1), around.slice(0, Math.max(0, at)).reverse()];
  }

  /** Give the focus to a tile; once that is gone, or stands elsewhere for what was done, to what
   * stands in its place now, else to the heading. */
  function giveBack({ tile, around }, elsewhere = false) {
    const order = [...(elsewhere ? [] : [tile]), ...neighbours({ tile, around }).flat()];
    const next = order.map((id) => document.getElementById(id)).find((one) => one?.checkVisibility());
    const goal = next ?? document.querySelector("#content h1");
    if (!next) goal.tabIndex = -1;
    goal.focus();
    back = { tile: goal.id, around };
  }

  /** Whether what was done has put the tile elsewhere: a list is gone through from its top. */
  function hasMoved({ tile, around, done }) {
    const order = tiles();
    const now = order.indexOf(tile);
    if (now < 0 || !done) return false;
    const [after, before] = neighbours({ tile, around }).map((ids) =>
      order.indexOf(ids.find((id) => order.includes(id))),
    );
    return (after >= 0 && after < now) || before > now;
  }

  /** A deed is done: until a board asked for after it is drawn, it may put its tile elsewhere. */
  function settle(around) {
    Object.assign(back, { around, done: Date.now() });
    if (hasMoved(back)) giveBack(back, true);
  }

  async function send(form, button) {
    const body = new URLSearchParams(new FormData(form));
    if (button?.name) body.set(button.name, button.value);
    const around = tiles(); // the board may hear of the deed before its answer is here
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
      if (back) settle(around);
      say(text, false);
      window.flowboard.refresh?.();
    } else if (answer.ok || answer.status === 422 || answer.status === 409) {
      draw(text, form);
      (drawer().querySelector(".nhsuk-error-summary") || drawer().querySelector("h2"))?.focus();
    } else if (answer.status === 403) {
      await renew(form);
    } else if (isOver(answer)) {
      tellOver();
    } else {
      say(`That did not work (${answer.status}): nothing was recorded. Try again.`, true);
    }
  }

  function isOver(answer) {
    return answer.status === 404 || answer.status === 410;
  }

  /** What the drawer is about is over or gone: to try again never helps, to look at the list does. */
  function tellOver() {
    say("This is over by now: nothing was recorded. Look at the list again.", true);
    document.getElementById("look-again").hidden = false;
    window.flowboard.refresh?.();
  }

  /** What was sent came from an old page: its writer has signed in again since, somebody else
   * has, or they may not do it any more. Fetch the drawer anew and keep what was typed. */
  async function renew(form) {
    keepTyped(form);
    const answer = await into(withFragment(form.action));
    if (!answer) return;
    const html = answer.ok ? await answer.text() : "";
    const fresh = new DOMParser().parseFromString(html, "text/html");
    const now = fresh.querySelector("[data-viewer]")?.dataset.viewer;
    if (now && now !== typed.viewer()) {
      typed.forget();
      shut();
      say("Somebody else has signed in here since. Nothing was recorded. Load the page again.", true);
      return;
    }
    if (!now) {
      typed.forget(); // it still stands in the drawer
      say("You may not do this here any more: nothing was recorded.", true);
      return;
    }
    draw(html);
    drawer().querySelector("h2")?.focus();
    if (typed.waiting()) wordOn(typed.refill(inside()));
    else say(`${AGAIN} Look again, then send it again.`, true);
  }

  /** Say what has become of what was typed before signing in again. */
  function wordOn(form) {
    if (form) {
      say(`${AGAIN} What you typed is still here: check it and send it again.`, true);
    } else if (typed.waiting()?.deed === "admit") {
      say(`${AGAIN} What you typed is kept: open a free bed to go on with it.`, true);
    } else if (typed.waiting()) {
      typed.forget();
      say(`${AGAIN} The bed has changed since, so what you typed for it is gone.`, true);
    }
  }

  /** After signing in again: open what was open and put back what was typed. */
  async function resume() {
    const kept = typed.waiting();
    if (!kept || kept.page !== location.pathname) return;
    const link = document.getElementById(kept.tile);
    if (link) await open(link);
    wordOn(link && !typed.waiting() ? inside().querySelector("form") : null);
  }

  /** A word on what has come of a deed, in the drawer while that is open. */
  function say(text, wrong) {
    const note = document.getElementById("note");
    (drawer().hidden ? document.getElementById("content") : drawer()).append(note);
    note.querySelector(".words").textContent = text;
    note.className = wrong ? "note is-wrong" : "note";
    note.hidden = false;
    const look = document.getElementById("look-again");
    if (look) look.hidden = true;
    document.getElementById("news").textContent = text;
    clearTimeout(say.timer);
    if (!wrong) say.timer = setTimeout(() => (note.hidden = true), 7000);
  }

  /** The board has changed: does the drawer still tell the truth about its tile? */
  function compare({ detail }) {
    if (back && hasMoved(back)) giveBack(back, true);
    else if (back && document.activeElement === document.body) giveBack(back);
    if (back?.done <= detail.asked) back.done = null;
    if (!opened || drawer().hidden) return;
    const tile = document.getElementById(opened.tile);
    mark(tile);
    const same = tile && tile.dataset.fact === opened.fact;
    const notice = drawer().querySelector("[data-outdated]");
    if (notice) notice.hidden = Boolean(same);
  }

  /** Open the drawer of a tile, unless what is typed in another would be lost. */
  async function openTile(link, at) {
    if (!opened || (await mayLose())) await open(link, false, at);
  }

  function clicked(event) {
    const link = event.target.closest("a[data-opens-drawer]");
    if (link && drawer() && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      if (opened && opened.tile === link.id && !drawer().contains(link)) close();
      else openTile(link);
      return;
    }
    const jump = event.target.closest("a[href^='#']");
    if (jump && drawer()?.contains(jump)) {
      event.preventDefault(); // as a step in the history it would close the drawer
      document.getElementById(jump.hash.slice(1))?.focus();
    }
    if (event.target.closest("[data-shut]") && drawer()) {
      event.preventDefault();
      close();
    }
    if (event.target.closest("[data-shut-note]")) document.getElementById("note").hidden = true;
    if (event.target.closest("#look-again")) lookAgain();
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
    sending = form;
    send(form, event.submitter).finally(() => {
      delete form.dataset.sending;
      sending = null;
    });
  }

  function start() {
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.defaultPrevented && !document.querySelector("dialog[open]")) {
        if (drawer() && !drawer().hidden) {
          event.preventDefault();
          close();
        }
      }
      arrows(event);
    });
    document.addEventListener("click", clicked);
    document.addEventListener("submit", submitted);
    document.addEventListener("change", (event) => {
      if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
    });
    document.addEventListener("flowboard:board", compare);
    document.addEventListener("flowboard:out", () => {
      keepTyped();
      shut();
    });
    document.addEventListener("pointerdown", () => (back = null));
    document.addEventListener("focusin", (event) => {
      if (back && event.target.id !== back.tile) back = null;
    });
    if (!drawer()) return;
    over.addEventListener("change", isolate);
    window.addEventListener("popstate", travelled);
    // Loaded anew with the drawer open, or come back to from another page.
    const before = history.state?.drawer && document.getElementById(history.state.drawer);
    if (typed.waiting()) resume();
    else if (before) open(before, true);
  }

  Object.assign(window.flowboard, { openTile, say });
  start(); // deferred: the page has been read
})();
