// Keeps what was typed into a form while its writer signs in again: in this tab alone, for half
// an hour at most, for nobody else, and no passwords. It is taken out as soon as it stands in a
// form again, and when its writer signs out or goes on elsewhere.
//
// A board keeps what stands in its drawer when it finds itself signed out (board.js). A form that
// is a page of its own is sent by the browser, which then shows something else: so it is kept when
// it is sent, and comes back only if the next page asked to sign in or refused an old page.
//
// A form with `data-draft` is kept from the first stroke until it has been recorded, whatever
// becomes of the page or the line.
(function () {
  "use strict";
  if (window.flowboard.typed) return; // a page loads it once, whoever asks for it
  const NAME = "flowboard-typed";
  const DRAFTS = "flowboard-drafts";
  const LONGEST = 30 * 60 * 1000;
  const HIDDEN = new Set(["csrfmiddlewaretoken", "deed", "episode_seen", "to", "confirmed", "others"]);
  const UNKEPT = new Set(["hidden", "password", "submit", "button", "reset", "file", "search"]);

  /** Who is signed in on this page; null on a page for everybody. */
  function viewer(root) {
    return (root ?? document).querySelector("[data-viewer]")?.dataset.viewer ?? null;
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

  function save(kept) {
    try {
      sessionStorage.setItem(NAME, JSON.stringify(kept));
      return true;
    } catch {
      return false; // the browser keeps nothing
    }
  }

  /** The fields of a form that somebody fills in. */
  function fieldsOf(form) {
    return [...form.elements].filter(
      (field) => field.name && field.type !== undefined && !UNKEPT.has(field.type) &&
        field.type !== "fieldset" && !HIDDEN.has(field.name),
    );
  }

  /** What a form is for: its deed, else where it stands on its page and what it asks. */
  function deedOf(form) {
    const deed = form.elements.namedItem("deed")?.value;
    if (deed) return deed;
    const place = [...document.forms].indexOf(form);
    return [place, form.getAttribute("action"), ...fieldsOf(form).map(({ name }) => name)].join(" ");
  }

  function seenBy(form) {
    return form.elements.namedItem("episode_seen")?.value ?? "";
  }

  const ticked = (field) => field.type === "checkbox" || field.type === "radio";

  /** For each field what stands in it, in their order. */
  function written(form) {
    return fieldsOf(form).map((field) => {
      if (ticked(field)) return [field.name, field.checked, field.value];
      if (field.type !== "select-multiple") return [field.name, field.value];
      return [field.name, [...field.selectedOptions].map((option) => option.value)];
    });
  }

  const says = ([, value]) => value === true || (typeof value !== "boolean" && value.length > 0);

  /** Whether somebody has written into the field. */
  function changed(field) {
    if (field.type === "hidden" || field.matches("[data-submits]")) return false;
    if (ticked(field)) return field.checked !== field.defaultChecked;
    if (field.options) {
      const usual = [...field.options].findIndex((option) => option.defaultSelected);
      return field.selectedIndex !== Math.max(0, usual);
    }
    return field.value !== field.defaultValue;
  }

  /** The form among several that somebody has written into. */
  function begun(root) {
    const forms = [...root.querySelectorAll("form")].filter((form) => form.method === "post");
    const refused = root.querySelector(".nhsuk-error-summary") !== null;
    return forms.find(
      (form) => fieldsOf(form).some(changed) || (refused && written(form).some(says)),
    );
  }

  /** Keep what stands in the form. where: what is needed to open it again. */
  function keep(form, where) {
    const fields = form ? written(form) : [];
    const writer = viewer();
    if (!fields.some(says) || writer === null) return;
    const until = Date.now() + LONGEST;
    const kept = { ...where, writer, until, deed: deedOf(form), seen: seenBy(form), fields };
    if (save(kept)) expire(kept);
  }

  /** Put what was kept back into its form, if that is offered, to who wrote it, and still means
   * the same patient. A new patient may be put into any free bed. Returns the form. */
  function refill(root) {
    const kept = waiting();
    if (!kept) return null;
    if ((viewer(root) ?? viewer()) !== kept.writer) {
      forget();
      return null;
    }
    const form = [...root.querySelectorAll("form")].find(
      (one) => one.method === "post" && deedOf(one) === kept.deed &&
        (kept.deed === "admit" || seenBy(one) === kept.seen),
    );
    if (!form) return null;
    const fields = fieldsOf(form);
    for (const [name, value, choice] of kept.fields) {
      const at = fields.findIndex(
        (field) => field.name === name && (choice === undefined || field.value === choice),
      );
      if (at >= 0) put(fields.splice(at, 1)[0], value);
    }
    const folded = form.closest("details");
    if (folded) folded.open = true;
    forget();
    return form;
  }

  /** Let these fields stand in the form, and unfold it. */
  function fill(form, fields) {
    const said = new Map();
    for (const [name, value] of fields) said.set(name, [...(said.get(name) ?? []), value]);
    for (const field of form.elements) {
      const values = said.get(field.name) ?? [];
      if (!field.name || HIDDEN.has(field.name) || field.type === "submit") continue;
      if (field.type === "checkbox" || field.type === "radio") {
        field.checked = values.includes(field.value);
      } else if (values.length) {
        if (field.options && ![...field.options].some((one) => one.value === values[0])) continue;
        field.value = values[0];
      }
    }
    const folded = form.closest("details");
    if (folded) folded.open = true;
  }

  // --- drafts ---------------------------------------------------------------------------------
  /** What stands in the form, empty fields too. */
  function fields(form) {
    return [...new FormData(form)].filter(([name]) => !HIDDEN.has(name));
  }

  function drafts() {
    let kept = null;
    try {
      kept = JSON.parse(sessionStorage.getItem(DRAFTS));
    } catch {
      // not ours
    }
    if (!kept || kept.writer !== viewer()) return {};
    const young = ([, one]) => one.until > Date.now() && one.until <= Date.now() + LONGEST;
    return Object.fromEntries(Object.entries(kept.forms).filter(young));
  }

  function store(forms) {
    try {
      if (!Object.keys(forms).length) sessionStorage.removeItem(DRAFTS);
      else sessionStorage.setItem(DRAFTS, JSON.stringify({ writer: viewer(), forms }));
    } catch {
      // the browser keeps nothing
    }
  }

  /** Keep the form as it stands, until it is dropped. */
  function draft(form) {
    if (viewer() === null) return;
    const one = { until: Date.now() + LONGEST, fields: fields(form) };
    store({ ...drafts(), [form.dataset.draft]: one });
    setTimeout(() => store(drafts()), LONGEST + 50);
  }

  function drop(form) {
    const { [form.dataset.draft]: _gone, ...left } = drafts();
    store(left);
  }

  /** Put the drafts back into their forms; those that were filled. */
  function restore(root) {
    const kept = drafts();
    const found = [...root.querySelectorAll("form[data-draft]")].filter(
      (form) => kept[form.dataset.draft],
    );
    for (const form of found) fill(form, kept[form.dataset.draft].fields);
    return found;
  }

  function put(field, value) {
    if (ticked(field)) {
      field.checked = value;
    } else if (field.type === "select-multiple") {
      for (const option of field.options) option.selected = value.includes(option.value);
    } else if (!field.options || [...field.options].some((option) => option.value === value)) {
      field.value = value;
    }
  }

  function expire(kept) {
    setTimeout(waiting, kept.until - Date.now() + 50);
  }

  /** A message as the server writes them (templates/base.html). */
  function say(text) {
    const main = document.getElementById("content");
    const list = document.createElement("ul");
    list.className = main.classList.contains("is-board") ? "messages is-board" : "messages";
    list.setAttribute("role", "status");
    list.setAttribute("aria-label", "What you typed");
    list.append(Object.assign(document.createElement("li"), { className: "warning" }));
    main.before(list);
    list.firstChild.textContent = text; // in a list that is there, so that it is read out
  }

  /** A form that is a page of its own is sent by the browser itself. */
  function onItsOwn(page) {
    const kept = waiting();
    const refused = page.querySelector(".nhsuk-error-summary");
    if (kept?.renewed && kept.page === location.pathname && !refused && refill(page)) {
      say("Nothing has been recorded. What you typed is back: check it and send it again.");
    } else if (kept?.alone) {
      forget(); // it was recorded or refused, or its writer went on
    }
    page.addEventListener("submit", ({ target: form }) => {
      const keepsItself = form.dataset.draft !== undefined;
      if (form.method === "post" && form.getAttribute("role") !== "search" && !keepsItself) {
        keep(form, { page: location.pathname, alone: true });
      }
    });
  }

  function start() {
    const kept = waiting();
    const who = viewer();
    if (kept && who !== null && kept.writer !== who) forget();
    else if (kept) expire(kept);
    if (who !== null) store(drafts()); // somebody else's go
    // Its writer has come to where one signs in, or was told that the page was an old one.
    const renewal = document.querySelector("[data-renewal]");
    if (renewal && waiting()) save({ ...kept, renewed: true });
    else if (who !== null && !document.getElementById("board")) {
      onItsOwn(document.querySelector(".drawer.is-page") ?? document.getElementById("content"));
    } else if (kept?.alone && who !== null) forget();
    document.querySelector("input[name=username]")?.form.addEventListener("submit", (event) => {
      const name = event.target.elements.namedItem("username").value;
      if (waiting() && waiting().writer !== name) forget();
    });
    document.querySelector("form[data-signs-out]")?.addEventListener("submit", () => {
      forget();
      store({});
    });
  }

  window.flowboard.typed = {
    begun, changed, draft, drafts, drop, fields, forget, keep, refill, restore, viewer, waiting,
  };
  start(); // deferred: the page has been read
})();
