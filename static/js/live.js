// Keeps the board true: hears rings, fetches the board, morphs it in, and says how old it is.
//
// The page is `live` while the stream beats, `polling` while the board can be fetched but rings
// are not heard, and `lost` once nothing has confirmed it for LOST milliseconds or two tries in
// a row have failed. A page whose
// server answers with a sign-in page is `out`.
(function () {
  "use strict";
  const LOST = 8000;
  const POLL = 30000;
  const POLL_DEAF = 5000;
  const LEAST_BETWEEN = 700;
  const HIDDEN_FOR = 20000;
  const { clock, tick } = window.flowboard;

  const board = () => document.getElementById("board");
  let stream = null;
  let hears = false;
  let confirmed = Date.now();
  let lostSince = null;
  let etag = "";
  let fetching = null;
  let again = false;
  let lastFetch = 0;
  let waiting = null;
  let retry = 500;
  let hiding = null;
  let out = false;
  let failures = 0;
  let older = null;

  // --- the line -------------------------------------------------------------------------------
  function show(state, words) {
    const line = document.getElementById("line");
    line.dataset.line = state;
    const text = line.querySelector(".words");
    if (text.textContent !== words) text.textContent = words;
    document.documentElement.dataset.lineIs = state;
  }

  const zone = { timeZone: document.documentElement.dataset.zone };
  const time = new Intl.DateTimeFormat("en-GB", {
    ...zone, hour: "2-digit", minute: "2-digit", second: "2-digit",
  });
  // American, for its months have three letters all; the order is ours.
  const date = new Intl.DateTimeFormat("en-US", {
    ...zone, weekday: "short", day: "numeric", month: "short",
  });

  function hours(milliseconds) {
    return time.format(milliseconds);
  }

  function today(milliseconds) {
    const part = Object.fromEntries(
      date.formatToParts(milliseconds).map(({ type, value }) => [type, value]),
    );
    return `${part.weekday} ${part.day} ${part.month}`;
  }

  function judge() {
    const age = Date.now() - confirmed;
    const face = document.getElementById("clock");
    if (face) {
      const text = `${today(clock.now())} ${hours(clock.now()).slice(0, 5)}`;
      if (face.textContent !== text) face.textContent = text;
    }
    if (out) return show("lost", "signed out");
    if (age > LOST || failures > 1) return lose();
    if (lostSince !== null) recover();
    if (hears) show("live", `live, ${Math.round(age / 1000)} s`);
    else show("polling", `asking, ${Math.round(age / 1000)} s`);
  }

  function lose() {
    if (lostSince === null) {
      lostSince = confirmed;
      document.getElementById("lost-since").textContent =
        `the state of ${hours(lostSince + clock.offset)}`;
      document.getElementById("lost").hidden = false;
    }
    show("lost", `since ${hours(lostSince + clock.offset).slice(0, 5)}`);
  }

  function recover() {
    lostSince = null;
    document.getElementById("lost").hidden = true;
    document.getElementById("news").textContent = "Connected again.";
  }

  function confirm() {
    failures = 0;
    confirmed = Date.now();
    judge();
  }

  // --- the board ------------------------------------------------------------------------------
  function facts(root) {
    const seen = new Map();
    for (const element of root.querySelectorAll("[data-fact]")) {
      const key = element.id || path(element);
      seen.set(key, element.dataset.fact);
    }
    return seen;
  }

  function path(element) {
    const row = element.closest("[id]");
    const siblings = [...row.querySelectorAll("[data-fact]")];
    return `${row.id}/${siblings.indexOf(element)}`;
  }

  function highlight(before) {
    let changes = 0;
    for (const element of board().querySelectorAll("[data-fact]")) {
      const key = element.id || path(element);
      if (before.get(key) === element.dataset.fact) continue;
      changes += 1;
      element.classList.remove("changed");
      void element.getBoundingClientRect(); // so that the same animation can run again
      element.classList.add("changed");
      setTimeout(() => element.classList.remove("changed"), 2600);
    }
    return changes;
  }

  /** Draw the board that was `asked` for at a moment, and tell the rest of the page. */
  function morph(html, asked) {
    const before = facts(board());
    window.Idiomorph.morph(board(), html, {
      morphStyle: "innerHTML",
      callbacks: {
        // What the browser itself put there stays: opened details, drawn charts, and a form in
        // which somebody is choosing or has typed.
        beforeAttributeUpdated: (name, node) => !(name === "open" && node.tagName === "DETAILS"),
        beforeNodeMorphed: (node) => !node.matches?.(".chart, [data-keep]:focus-within, [data-keep-typed].is-typed"),
      },
    });
    tick(board());
    highlight(before);
    document.dispatchEvent(new CustomEvent("flowboard:board", { detail: { asked } }));
  }

  async function load() {
    const headers = etag ? { "If-None-Match": etag } : {};
    // What nobody sees does not keep the session alive (accounts/session_limits.py).
    if (document.hidden) headers["Flowboard-Unseen"] = "1";
    const mine = (older = new AbortController());
    const asked = Date.now();
    setTimeout(() => mine.abort(new DOMException("no answer", "TimeoutError")), 6000);
    const answer = await fetch(board().dataset.fragment, {
      headers,
      cache: "no-store",
      signal: mine.signal,
    });
    if (answer.redirected || answer.status === 401 || answer.status === 403) return signedOut();
    if (answer.status === 304) return confirm();
    if (!answer.ok || answer.headers.get("X-Board") !== board().dataset.board) {
      throw new Error(`board answered ${answer.status}`);
    }
    // Signed in again, in another tab: who it is now, and what they typed, the page finds out anew.
    if (out) return location.reload();
    const html = await answer.text();
    etag = answer.headers.get("ETag") || "";
    morph(html, asked);
    confirm();
  }

  /** Fetch the board soon: never twice at once, never more often than LEAST_BETWEEN. */
  function refresh() {
    if (fetching) {
      again = true;
      return fetching;
    }
    clearTimeout(waiting);
    const early = lastFetch + LEAST_BETWEEN - Date.now();
    if (early > 0) {
      waiting = setTimeout(refresh, early);
      return null;
    }
    lastFetch = Date.now();
    fetching = load()
      .catch((error) => {
        if (error.name === "AbortError") return; // something else is wanted by now
        failures += 1;
        judge();
      })
      .finally(() => {
        fetching = null;
        plan();
        if (again) {
          again = false;
          refresh();
        }
      });
    return fetching;
  }

  /** Show what another address says, from now on; what was asked for before is not waited for. */
  function follow(address) {
    const url = new URL(address, location.href);
    url.searchParams.set("fragment", "1");
    board().dataset.fragment = url.pathname + url.search;
    etag = "";
    lastFetch = 0;
    older?.abort();
    return refresh();
  }

  function plan() {
    clearTimeout(waiting);
    const soon = lostSince !== null ? 2000 : hears ? POLL : POLL_DEAF;
    waiting = setTimeout(refresh, soon * (0.9 + Math.random() * 0.2));
  }

  function signedOut() {
    out = true;
    document.getElementById("signed-out").hidden = false;
    board().querySelectorAll(".name").forEach((name) => (name.textContent = "Sign in to see"));
    document.dispatchEvent(new CustomEvent("flowboard:out"));
    etag = "";
    judge();
  }

  // --- the stream -----------------------------------------------------------------------------
  function listen() {
    if (stream) stream.close();
    // Other bells can change what this board shows; the server lets each hear what they may.
    const bells = [board().dataset.board, ...(board().dataset.hears ?? "").split(",").filter(Boolean)];
    stream = new EventSource(`/live/events?boards=${encodeURIComponent(bells.join(","))}`);
    stream.addEventListener("open", () => {
      retry = 500;
      refresh();
    });
    stream.addEventListener("beat", (event) => {
      const [time, state] = event.data.split(" ");
      clock.offset = Number(time) - Date.now();
      const heard = hears;
      hears = state === "live";
      if (heard !== hears) plan();
      if (hears) confirm();
    });
    stream.addEventListener("ring", () => refresh());
    stream.addEventListener("catchup", () => setTimeout(refresh, Math.random() * 500));
    stream.addEventListener("error", () => {
      hears = false;
      refresh();
      if (stream.readyState === EventSource.CLOSED) {
        // The browser gives up after any answer but 200; we do not.
        setTimeout(listen, retry);
        retry = Math.min(10000, retry * 2);
      }
    });
  }

  function visibility() {
    clearTimeout(hiding);
    if (document.hidden) {
      // Browsers open few lines to one server; a page nobody sees gives its own back.
      hiding = setTimeout(() => {
        if (stream) stream.close();
        stream = null;
        hears = false;
      }, HIDDEN_FOR);
    } else {
      if (!stream) listen();
      refresh();
    }
  }

  function start() {
    if (!board()) return;
    etag = board().dataset.etag;
    tick(board());
    if (board().hasAttribute("data-past")) return;
    Object.assign(window.flowboard, { refresh, follow });
    listen();
    judge();
    setInterval(judge, 1000);
    plan();
    document.addEventListener("visibilitychange", visibility);
    window.addEventListener("online", refresh);
    window.addEventListener("pageshow", (event) => event.persisted && (listen(), refresh()));
    window.addEventListener("pagehide", () => stream && stream.close());
  }

  start(); // deferred: the page has been read
})();
