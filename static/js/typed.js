// Keeps what was typed into the drawer while its writer signs in again: in this tab alone, for
// half an hour at most, and for nobody else. It is taken out as soon as it stands in a form again.
(function () {
  "use strict";
  const NAME = "flowboard-typed";
  const LONGEST = 30 * 60 * 1000;
  const HIDDEN = new Set(["csrfmiddlewaretoken", "deed", "episode_seen", "to", "confirmed", "others"]);

  /** Who is signed in on this page; null on a page for everybody. */
  function viewer() {
    return document.querySelector("[data-viewer]")?.dataset.viewer ?? null;
  }

  function forget() {
    try {
      sessionStorage.removeItem(NAME);
    } catch {
      // then nothing was kept either
    }
  }

  function waiting() {
    let kept = null;
    try {
      kept = JSON.parse(sessionStorage.getItem(NAME));
    } catch {
      // not ours
    }
    const left = kept ? kept.until - Date.now() : 0;
    if (left > 0 && left <= LONGEST) return kept;
    forget();
    return null;
  }

  function deedOf(form) {
    return form.elements.namedItem("deed")?.value ?? "";
  }

  function seenBy(form) {
    return form.elements.namedItem("episode_seen")?.value ?? "";
  }

  function written(form) {
    return [...new FormData(form)].filter(([name, value]) => value !== "" && !HIDDEN.has(name));
  }

  /** The form among several that somebody has written into. */
  function begun(root) {
    const forms = [...root.querySelectorAll("form")].filter((form) => form.method === "post");
    return forms.find((form) =>
      [...form.elements].some(
        (field) => field.defaultValue !== undefined && field.type !== "hidden" && field.value !== "" &&
          (field.value !== field.defaultValue || root.querySelector(".nhsuk-error-summary")),
      ),
    );
  }

  /** Keep what stands in the form. where: what is needed to open it again. */
  function keep(form, where) {
    const fields = form ? written(form) : [];
    const writer = viewer();
    if (!fields.length || writer === null) return;
    const until = Date.now() + LONGEST;
    const kept = { ...where, writer, until, deed: deedOf(form), seen: seenBy(form), fields };
    try {
      sessionStorage.setItem(NAME, JSON.stringify(kept));
    } catch {
      return; // the browser keeps nothing
    }
    expire(kept);
  }

  /** Put what was kept back into its form, if that is offered and still means the same patient.
   * A new patient may be put into any free bed. Returns the form. */
  function refill(root) {
    const kept = waiting();
    if (!kept) return null;
    const form = [...root.querySelectorAll("form")].find(
      (one) => one.method === "post" && deedOf(one) === kept.deed &&
        (kept.deed === "admit" || seenBy(one) === kept.seen),
    );
    if (!form) return null;
    for (const [name, value] of kept.fields) {
      const field = form.elements.namedItem(name);
      if (!field || HIDDEN.has(name)) continue;
      if (field.options && ![...field.options].some((option) => option.value === value)) continue;
      field.value = value;
    }
    const folded = form.closest("details");
    if (folded) folded.open = true;
    forget();
    return form;
  }

  function expire(kept) {
    setTimeout(waiting, kept.until - Date.now() + 50);
  }

  /** A drawer that is a page of its own is sent by the browser itself. */
  function onItsOwn(page) {
    const kept = waiting();
    const refused = page.querySelector(".nhsuk-error-summary");
    if (kept?.page === location.pathname && !refused && refill(page)) {
      const word = document.createElement("p");
      word.className = "banner is-past";
      word.setAttribute("role", "status");
      word.textContent =
        "Nothing has been recorded. What you typed is back: check it and send it again.";
      page.prepend(word);
    } else {
      forget();
    }
    page.addEventListener("submit", (event) => {
      if (event.target.method === "post") {
        keep(event.target, { page: location.pathname, alone: true });
      }
    });
  }

  function start() {
    const kept = waiting();
    const who = viewer();
    if (kept && who !== null && kept.writer !== who) forget();
    else if (kept) expire(kept);
    const page = document.querySelector(".drawer.is-page");
    if (page) onItsOwn(page);
    else if (kept?.alone && who !== null) forget(); // it was recorded, or its writer went on
    document.querySelector("input[name=username]")?.form.addEventListener("submit", (event) => {
      const name = event.target.elements.namedItem("username").value;
      if (waiting() && waiting().writer !== name) forget();
    });
  }

  window.flowboard.typed = { begun, forget, keep, refill, viewer, waiting };
  start(); // deferred: the page has been read
})();
