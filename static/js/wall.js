// A screen on a wall: runs for weeks untouched, so everything here is driven by one timer and
// bounded. It hears rings, fetches the page it shows, turns to the next, and says when it cannot
// be sure of what it shows any more.
//
// The page is `live` while the stream beats, `polling` while pages can be fetched but rings are
// not heard, and `lost` once nothing has confirmed it for LOST milliseconds or two fetches in a
// row have failed. Once its server says that it is not paired it shows nothing and asks for a code.
(function () {
  "use strict";
  const LOST = 8000;
  const POLL = 30000;
  const POLL_DEAF = 5000;
  const RETRY = [1000, 2000, 4000, 8000];
  const LEAST_BETWEEN = 400;
  const SPREAD = 250;
  const TIMEOUT = 6000;
  const SILENT = 13000; // three beats and a little: a line that stays open and says nothing
  const WAITING = 2000;

  const monotonic = () => performance.now();
  const zone = { timeZone: document.documentElement.dataset.zone };
  const hours = new Intl.DateTimeFormat("en-GB", {
    ...zone, hour: "2-digit", minute: "2-digit", second: "2-digit",
  });
  // American, for its months have three letters all; the order is ours.
  const days = new Intl.DateTimeFormat("en-US", {
    ...zone, weekday: "short", day: "numeric", month: "short",
  });
  const byId = (id) => document.getElementById(id);

  function write(element, text) {
    if (element && element.textContent !== text) element.textContent = text;
  }

  /** Ask for an address; a server that says nothing for TIMEOUT has failed. */
  async function ask(address, headers) {
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), TIMEOUT);
    try {
      const answer = await fetch(address, {
        headers, cache: "no-store", redirect: "error", signal: patience.signal,
      });
      return { status: answer.status, headers: answer.headers, text: await answer.text() };
    } finally {
      clearTimeout(timer);
    }
  }

  /** Load the document anew, but only from a server that answers: a browser's own page of errors
      would never come back by itself. */
  async function reload() {
    const answer = await ask(location.pathname, {}).catch(() => null);
    if (answer && (answer.status === 200 || answer.status === 429)) location.reload();
    return false;
  }

  // --- waiting to be paired -------------------------------------------------------------------
  function pairing(address) {
    let failures = 0;
    let busy = false;
    setInterval(async () => {
      if (busy) return;
      busy = true;
      try {
        const answer = await ask(address, {});
        if (answer.status !== 200) throw new Error(String(answer.status));
        failures = 0;
        byId("lost").hidden = true;
        if (answer.text !== "waiting") await reload();
      } catch {
        failures += 1;
        byId("lost").hidden = failures < 2;
      } finally {
        busy = false;
      }
    }, WAITING);
  }

  // --- showing --------------------------------------------------------------------------------
  function showing(plan) {
    const pages = plan.pages;
    const kept = new Map(); // page → its tag and HTML; never more than the playlist has pages
    let shown = 0;
    let turnAt = monotonic() + pages[0].seconds * 1000;
    let askAt = 0;
    let asking = false;
    let lastAsk = -Infinity;
    let failures = 0;
    let confirmed = monotonic();
    let lostSince = null;
    let server = { time: Number(document.body.dataset.now) * 1000, at: monotonic() };
    let stream = null;
    let listenAt = 0;
    let refused = 0;
    let hears = false;
    let beatAt = monotonic();
    let newEdition = null;
    let meant = false; // this very screen was changed, not all of them
    let over = false;

    const now = () => server.time + (monotonic() - server.at);

    function duration(milliseconds) {
      const minutes = Math.max(0, Math.floor(milliseconds / 60000));
      if (minutes >= 4320) return `${Math.floor(minutes / 1440)} d`;
      if (minutes >= 600) return `${Math.floor(minutes / 60)} h`;
      if (minutes >= 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
      if (minutes >= 1) return `${minutes} min`;
      return `${Math.max(0, Math.floor(milliseconds / 1000))} s`;
    }

    // --- what is told of the page itself --------------------------------------------------------
    function clock() {
      const text = hours.format(now());
      write(byId("time"), text.slice(0, 5));
      const part = Object.fromEntries(days.formatToParts(now()).map((one) => [one.type, one.value]));
      write(byId("day"), `${part.weekday} ${part.day} ${part.month}`);
      for (const time of document.querySelectorAll("#wall [data-age]")) {
        write(time, duration(now() - Date.parse(time.dateTime)));
      }
      if (plan.theme === "by_hour") {
        const hour = Number(text.slice(0, 2));
        const [from, until] = plan.dark;
        const dark = from <= until ? hour >= from && hour < until : hour >= from || hour < until;
        const media = dark ? "all" : "not all";
        if (byId("dark-style").media !== media) byId("dark-style").media = media;
      }
    }

    function line(state, words) {
      byId("line").dataset.line = state;
      document.documentElement.dataset.lineIs = state;
      write(byId("line").querySelector(".words"), words);
    }

    function judge() {
      const age = monotonic() - confirmed;
      if (age > LOST || failures > 1) {
        if (lostSince === null) {
          lostSince = now() - age;
          write(byId("since"), hours.format(lostSince));
          byId("lost").hidden = false;
        }
        const ago = duration(now() - lostSince);
        return line("lost", ago);
      }
      if (lostSince !== null) {
        lostSince = null;
        byId("lost").hidden = true;
        turnAt = monotonic() + pages[shown].seconds * 1000;
      }
      return hears ? line("live", "live") : line("polling", "asking");
    }

    // --- the page -------------------------------------------------------------------------------
    function facts() {
      return [...document.querySelectorAll("#wall [data-fact]")].map((one) => one.dataset.fact);
    }

    function draw(number, html) {
      const same = number === shown && document.querySelector("#wall > article") !== null;
      const before = same ? facts() : [];
      const made = document.createElement("template");
      made.innerHTML = html;
      // Nothing on a wall is typed into or holds the focus, so there is nothing to keep.
      byId("wall").replaceChildren(made.content);
      shown = number;
      if (same) mark(before);
      [...document.querySelectorAll(".turns i")].forEach((dot, place) => {
        dot.classList.toggle("is-on", place === shown);
      });
      clock();
      document.dispatchEvent(new CustomEvent("flowboard:shown"));
    }

    function mark(before) {
      const all = document.querySelectorAll("#wall [data-fact]");
      if (all.length !== before.length) return;
      all.forEach((one, place) => {
        if (one.dataset.fact !== before[place]) one.classList.add("changed");
      });
    }

    /** Nothing more may be shown here: the line is cut, the page empty, and a code asked for. */
    async function end() {
      over = true;
      if (stream) stream.close();
      kept.clear();
      byId("wall").replaceChildren();
      byId("lost").hidden = true;
      line("start", "");
      await reload();
    }

    async function load(number) {
      const page = kept.get(number);
      const answer = await ask(pages[number].address, page ? { "If-None-Match": page.etag } : {});
      if (answer.status === 401) return end();
      if (answer.status === 404) return reload(); // the playlist has become shorter
      if (answer.status === 200) {
        kept.set(number, { etag: answer.headers.get("ETag"), html: answer.text });
      } else if (answer.status !== 304 || !page) {
        throw new Error(`the page answered ${answer.status}`);
      }
      failures = 0;
      confirmed = monotonic();
      if (answer.status === 200 || number !== shown) draw(number, kept.get(number).html);
      const edition = answer.headers.get("X-Edition");
      if (edition && edition !== plan.edition) newEdition = newEdition || edition;
      return judge();
    }

    /** Fetch a page, one at a time; what fails is asked for again, sooner or later, for ever. */
    async function refresh(number) {
      if (asking || over) return;
      asking = true;
      lastAsk = monotonic();
      try {
        await load(number);
        askAt = monotonic() + (hears ? POLL : POLL_DEAF) * (0.9 + Math.random() * 0.2);
      } catch {
        failures += 1;
        const pause = RETRY[Math.min(failures, RETRY.length) - 1];
        askAt = monotonic() + pause * (0.8 + Math.random() * 0.4);
        if (!over) judge();
      } finally {
        asking = false;
        if (wanted && !over) soon();
        else if (turnAt === 0 && !over) turn();
      }
    }

    let wanted = false;
    /** Fetch what is shown soon: never twice at once, never more often than LEAST_BETWEEN. */
    function soon() {
      wanted = true;
      if (asking) return;
      const early = lastAsk + LEAST_BETWEEN - monotonic();
      setTimeout(() => {
        if (!wanted || asking) return;
        wanted = false;
        refresh(shown);
      }, Math.max(0, early));
    }

    async function turn() {
      if (pages.length < 2 || lostSince !== null) return;
      turnAt = 0; // at once, or when what is asked for is there
      if (asking) return;
      const next = (shown + 1) % pages.length;
      turnAt = monotonic() + pages[next].seconds * 1000;
      await refresh(next);
    }

    // --- the stream -----------------------------------------------------------------------------
    function listen() {
      if (stream) stream.close();
      const boards = [...new Set([plan.own, ...pages.map((page) => page.board)])].join(",");
      stream = new EventSource(`/live/events?screen=1&boards=${encodeURIComponent(boards)}`);
      beatAt = monotonic();
      listenAt = Infinity;
      stream.addEventListener("open", () => {
        refused = 0;
        soon();
      });
      stream.addEventListener("beat", (event) => {
        const [time, state] = event.data.split(" ");
        server = { time: Number(time), at: monotonic() };
        beatAt = monotonic();
        const heard = hears;
        hears = state === "live";
        if (hears) confirmed = monotonic();
        else if (heard) askAt = Math.min(askAt, monotonic() + POLL_DEAF);
        judge();
      });
      stream.addEventListener("ring", (event) => {
        meant = meant || event.data === plan.own;
        // A thousand screens need not ask in the very same instant.
        const mine = event.data === plan.own || event.data === pages[shown].board;
        if (mine) setTimeout(soon, Math.random() * SPREAD);
      });
      stream.addEventListener("catchup", () => setTimeout(soon, Math.random() * 500));
      stream.addEventListener("error", () => {
        hears = false;
        soon();
        // The browser gives up after any answer but 200; we do not.
        if (stream.readyState === EventSource.CLOSED && listenAt === Infinity) again();
      });
    }

    function again() {
      const pause = RETRY[Math.min(refused, RETRY.length - 1)];
      refused += 1;
      listenAt = monotonic() + pause * (0.8 + Math.random() * 0.4);
    }

    // --- the one timer --------------------------------------------------------------------------
    function tick() {
      if (over) return void reload();
      const moment = monotonic();
      clock();
      judge();
      if (moment >= listenAt) listen();
      else if (listenAt === Infinity && moment - beatAt > SILENT) {
        hears = false;
        stream.close();
        again();
      }
      if (moment >= askAt) refresh(shown);
      else if (moment >= turnAt) turn();
      if (newEdition !== null && lostSince === null) {
        // Not all screens of a hospital in the same second.
        if (meant || Math.random() < 0.2) reload();
      }
    }

    document.addEventListener("keydown", (event) => {
      if (event.key === "ArrowRight" || event.key === " ") turn();
    });
    window.addEventListener("online", soon);
    window.addEventListener("pagehide", () => stream && stream.close());
    listen();
    tick();
    setInterval(tick, 1000);
  }

  const plan = byId("plan");
  if (plan) showing(JSON.parse(plan.textContent));
  else if (document.body.dataset.waiting) pairing(document.body.dataset.waiting);
})();
