// What every page does: theme, keys, menus, ticking durations, focus on errors.
(function () {
  "use strict";

  // --- durations -----------------------------------------------------------------------------
  // The server's clock counts, not the laptop's: live.js corrects `offset` with every heartbeat.
  const clock = { offset: 0, now: () => Date.now() + clock.offset };

  /** Text of a length of time, as the server writes it (flow/templatetags/boards.py: duration). */
  function duration(milliseconds) {
    const minutes = Math.max(0, Math.floor(milliseconds / 60000));
    const [days, hours] = [Math.floor(minutes / 1440), Math.floor(minutes / 60)];
    if (days >= 3) return `${days} d`;
    if (hours >= 24) return `${days} d ${hours % 24} h`;
    if (hours >= 10) return `${hours} h`;
    if (hours >= 1) return `${hours} h ${minutes % 60} min`;
    return minutes ? `${minutes} min` : "< 1 min";
  }

  function tick(within) {
    for (const time of (within || document).querySelectorAll("time[data-tick]")) {
      const text = duration(clock.now() - Date.parse(time.dateTime));
      if (time.textContent !== text) time.textContent = text;
    }
  }

  // --- keys ----------------------------------------------------------------------------------
  const kept = {
    get on() {
      try {
        return localStorage.getItem("flowboard-keys") !== "off";
      } catch {
        return true;
      }
    },
    set on(wish) {
      try {
        localStorage.setItem("flowboard-keys", wish ? "on" : "off");
      } catch {
        // it then holds for this page only
      }
    },
  };

  function typing(target) {
    const field = target.closest("input, textarea, select, [contenteditable]");
    // A browser lets go of a field a moment after its dialog has closed: nobody types there.
    return field !== null && field.checkVisibility();
  }

  window.flowboard = { clock, duration, tick, keys: kept, typing };

  function openKeys() {
    const dialog = document.getElementById("keys");
    if (!dialog.open) dialog.showModal();
  }

  function follow(selector) {
    const link = document.querySelector(selector);
    if (link) link.click();
    return link !== null;
  }

  function pressed(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      for (const menu of document.querySelectorAll("details.menu[open]")) {
        menu.open = false;
        menu.querySelector("summary").focus();
        event.preventDefault();
      }
      return;
    }
    if (typing(event.target) || !kept.on || document.querySelector("dialog[open]")) return;
    const deeds = {
      "/": () => document.getElementById("search")?.focus() ?? true,
      "?": () => openKeys(),
      u: () => follow("[data-key=up]"),
      n: () => follow("[data-key=now]"),
    };
    const deed = deeds[event.key];
    if (deed) {
      event.preventDefault();
      deed();
    }
  }

  // --- the page ------------------------------------------------------------------------------
  function ready() {
    for (const button of document.querySelectorAll("[data-theme-toggle]")) {
      button.hidden = false;
      button.addEventListener("click", () => window.flowboardTheme.toggle());
    }
    for (const button of document.querySelectorAll("[data-opens=keys]")) {
      button.hidden = false;
      button.addEventListener("click", openKeys);
    }
    const on = document.getElementById("keys-on");
    if (on) {
      on.checked = kept.on;
      on.addEventListener("change", () => (kept.on = on.checked));
    }
    document.addEventListener("keydown", pressed);
    document.addEventListener("click", (event) => {
      for (const menu of document.querySelectorAll("details.menu[open]")) {
        if (!menu.contains(event.target)) menu.open = false;
      }
    });
    document.addEventListener("submit", (event) => {
      // A second click on the same button is a slip, not a second deed.
      const form = event.target;
      if (form.method !== "post" || event.defaultPrevented) return;
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "yes";
      setTimeout(() => delete form.dataset.sent, 3000);
    });
    const head = document.querySelector(".head");
    if (head) {
      // Its rows wrap with the width and the size of the text; what stands below it must know.
      const root = document.documentElement;
      const measure = () => root.style.setProperty("--head-height", `${head.offsetHeight}px`);
      new ResizeObserver(measure).observe(head);
    }
    document.querySelector(".nhsuk-error-summary")?.focus();
    tick();
    setInterval(() => tick(), 10000);
  }

  ready(); // deferred: the page has been read
})();
