// A board round by keys: one patient after another, what is typed is kept until it is recorded.
//
// The list beside it is a board, kept true by live.js. The panel is fetched by itself, and never
// changes under the hands of whoever writes in it: it says so when somebody else was quicker.
(function () {
  "use strict";
  const { typed, keys } = window.flowboard;
  const CRITERIA = "1234567890-=";
  const NUMBERED = { pathway: "0123", frailty: "0123456789" }; // said by a digit, and left
  const panel = () => document.getElementById("panel");
  const review = () => document.getElementById("review");
  let asServed = ""; // the review as the server told it
  let sending = false;

  // --- the panel ------------------------------------------------------------------------------
  function current() {
    return panel().querySelector("[data-patient]")?.dataset.patient ?? "";
  }

  function said(form) {
    return JSON.stringify(typed.fields(form).filter(([name]) => name !== "key" && name !== "seen"));
  }

  function changed() {
    return review() !== null && said(review()) !== asServed;
  }

  function draw(html) {
    panel().innerHTML = html;
    prepare();
    window.flowboard.tick(panel());
    const goal = panel().querySelector(".nhsuk-error-summary") ?? panel().querySelector("[data-head]");
    goal?.focus({ preventScroll: true });
    if (panel().getBoundingClientRect().top < 0) panel().scrollIntoView();
  }

  function prepare() {
    asServed = review() ? said(review()) : "";
    const refused = panel().querySelector(".nhsuk-error-summary") !== null;
    const back = refused ? [] : typed.restore(panel());
    const word = panel().querySelector("[data-kept]");
    if (word) word.hidden = !back.length;
    const told = panel().querySelector("[data-takes-over]");
    if (told) told.hidden = false;
    mark();
  }

  function rows() {
    return [...document.querySelectorAll("[data-round]")];
  }

  /** Show in the list whose turn it is and for whom something is typed and not recorded. */
  function mark() {
    const here = current();
    const kept = typed.drafts();
    for (const row of rows()) {
      const key = row.dataset.round;
      if (key === here) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
      row.classList.toggle("is-typed", Boolean(kept[`round-${key}`] ?? kept[`raise-${key}`]));
    }
    const row = document.querySelector("[data-round][aria-current]");
    const list = document.querySelector(".round-list");
    if (!row || list.scrollHeight <= list.clientHeight) return;
    // By itself, not with the page.
    const [top, bottom] = [row.offsetTop, row.offsetTop + row.offsetHeight];
    if (top < list.scrollTop) list.scrollTop = top;
    else if (bottom > list.scrollTop + list.clientHeight) list.scrollTop = bottom - list.clientHeight;
  }

  /** The board is new: has somebody else recorded something for the patient in the panel? */
  function compare() {
    if (panel().hidden) {
      panel().hidden = false;
      go(addressOf(current()));
    }
    mark();
    const head = panel().querySelector("[data-patient]");
    const row = head && document.querySelector(`[data-round="${head.dataset.patient}"]`);
    const notice = panel().querySelector("[data-outdated]");
    if (!notice || sending) return;
    notice.hidden = Boolean(row) && row.dataset.fact.split("/")[0] === head.dataset.seen;
  }

  // --- fetching and sending -------------------------------------------------------------------
  function addressOf(patient) {
    const url = new URL(location.href);
    if (patient) url.searchParams.set("patient", patient);
    else url.searchParams.delete("patient");
    return url;
  }

  function alone(address) {
    const url = new URL(address, location.href);
    url.searchParams.set("fragment", "panel");
    return url;
  }

  async function ask(address, options) {
    const answer = await fetch(alone(address), { cache: "no-store", ...options });
    if (!answer.redirected) return answer;
    location.assign(addressOf(current())); // signed out: the page knows the way back
    return null;
  }

  async function go(address) {
    let answer;
    try {
      answer = await ask(address);
    } catch {
      say("No connection. What you typed is kept; try again when the line is back.", true);
      return;
    }
    if (!answer) return;
    if (!answer.ok) {
      location.assign(address);
      return;
    }
    draw(await answer.text());
    history.replaceState(null, "", addressOf(current()));
  }

  async function send(form, button) {
    const body = new URLSearchParams(new FormData(form));
    if (button?.name) body.set(button.name, button.value);
    form.dataset.tried = "yes";
    let answer;
    try {
      answer = await ask(form.getAttribute("action"), { method: "POST", body });
    } catch {
      if (form.dataset.draft) typed.draft(form);
      say("No connection: this may not have been recorded. It stays here; save it again.", true);
      return;
    }
    if (!answer) return;
    if (answer.ok) {
      if (form.dataset.draft) typed.drop(form);
      draw(await answer.text());
      say(answer.headers.get("X-Said") ?? "", false);
      history.replaceState(null, "", addressOf(current()));
      window.flowboard.refresh?.();
    } else if (answer.status === 409 || answer.status === 422) {
      draw(await answer.text());
      if (review()) typed.draft(review());
    } else {
      if (form.dataset.draft) typed.draft(form);
      say(`That did not work (${answer.status}): nothing was recorded. Load the page again; ` +
        "what you typed is kept.", true);
    }
  }

  function submitted(event) {
    const form = event.target;
    if (!panel().contains(form) || form.method !== "post") return;
    event.preventDefault();
    if (sending) return;
    sending = true;
    send(form, event.submitter).finally(() => {
      sending = false;
      compare();
    });
  }

  /** A word on what has come of it. */
  function say(text, wrong) {
    const note = document.getElementById("note");
    note.querySelector(".words").textContent = text;
    note.className = wrong ? "note is-wrong" : "note";
    note.hidden = text === "";
    document.getElementById("news").textContent = text;
    clearTimeout(say.timer);
    if (!wrong) say.timer = setTimeout(() => (note.hidden = true), 3000);
  }

  // --- writing --------------------------------------------------------------------------------
  function written(event) {
    const form = event.target.form;
    if (!form?.dataset.draft) return;
    if (form === review()) exclude(event.target);
    if (form.dataset.tried) {
      // It may have been recorded although no answer came; what is written now is another word.
      const fresh = crypto.getRandomValues(new Uint8Array(16));
      form.elements.namedItem("key").value = [...fresh]
        .map((byte) => byte.toString(16).padStart(2, "0")).join("");
      delete form.dataset.tried;
    }
    if (form === review() && !changed()) typed.drop(form);
    else typed.draft(form);
    mark();
  }

  /** A criterion met and none met take each other back. */
  function exclude(field) {
    const boxes = [...review().elements].filter((one) => one.name === "criteria");
    const none = review().elements.namedItem("none_met");
    if (field === none && none.checked) boxes.forEach((box) => (box.checked = false));
    if (field.name === "criteria" && field.checked) none.checked = false;
  }

  function touch(field, checked) {
    if (!field || field.matches(":disabled")) return;
    if (field.checked === checked && field.type === "radio") return;
    field.checked = checked;
    field.dispatchEvent(new Event("change", { bubbles: true }));
    document.getElementById("news").textContent =
      `${field.closest("label").textContent.trim()}${field.checked ? "" : ": no"}`;
  }

  function group(name) {
    const found = review()?.elements.namedItem(name);
    return found instanceof RadioNodeList ? [...found] : [found].filter(Boolean);
  }

  /** Another entry of a list. */
  function choose(field, value) {
    if (!field || field.disabled || field.value === value) return;
    field.value = value;
    field.dispatchEvent(new Event("change", { bubbles: true }));
    document.getElementById("news").textContent =
      `${field.labels[0].firstChild.textContent.trim()}: ${field.selectedOptions[0].textContent}`;
  }

  /** What an earlier stay says, where nothing is said yet. */
  function takeOver() {
    const told = panel().querySelector("[data-takes-over]");
    if (!told) return;
    for (const name of ["frailty", "residence"]) {
      const [field] = group(name);
      if (field?.value === "" && told.dataset[name]) choose(field, told.dataset[name]);
    }
  }

  function turn(name) {
    const all = group(name);
    if (all[0]?.options) {
      choose(all[0], all[0].options[(all[0].selectedIndex + 1) % all[0].length].value);
      return;
    }
    const at = all.findIndex((one) => one.checked);
    touch(all[(at + 1) % all.length], true);
  }

  function pick(name, value) {
    touch(group(name).find((one) => one.value === value), true);
  }

  function flip(field) {
    if (field) touch(field, !field.checked);
  }

  // --- keys -----------------------------------------------------------------------------------
  function step(by) {
    const all = rows();
    const at = all.findIndex((row) => row.dataset.round === current());
    const goal = all[at < 0 ? 0 : at + by];
    if (goal) go(goal.href);
  }

  function press(button, otherwise) {
    if (button) button.form.requestSubmit(button);
    else if (review()) say(otherwise, true);
  }

  function confirm() {
    if (changed()) {
      say("You have changed something: Enter saves it.", true);
      return;
    }
    press(panel().querySelector("[data-confirm]"),
      "There is no review to confirm yet. Say how it stands; Enter saves it.");
  }

  function raise() {
    const folded = document.getElementById("raise");
    if (!folded) return;
    folded.open = true;
    folded.querySelector("select").focus();
  }

  function next() {
    const [field] = group("next_step");
    field?.focus();
    field?.setSelectionRange(field.value.length, field.value.length);
  }

  const deeds = {
    c: confirm,
    j: () => step(1),
    k: () => step(-1),
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    x: () => flip(group("none_met")[0]),
    s: () => flip(group("senior")[0]),
    r: () => pick("day", "red"),
    g: () => pick("day", "green"),
    m: () => turn("medicines"),
    t: () => turn("transport"),
    l: () => turn("residence"),
    o: takeOver,
    f: () => group("frailty")[0]?.focus(),
    p: () => (group("pathway").find((one) => one.checked) ?? group("pathway")[0])?.focus(),
    w: () => group("red_reason")[0]?.focus(),
    e: () => group("expected")[0]?.focus(),
    n: next,
    b: raise,
  };

  function pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !keys.on) return;
    if (document.querySelector("dialog[open], details.menu[open]")) return;
    const at = event.target;
    const field = at.closest("input, select, textarea");
    const box = field?.matches("[type=checkbox], [type=radio]");
    if (event.key === "Escape" && field && panel().contains(at)) {
      event.preventDefault();
      panel().querySelector("[data-head]").focus();
      return;
    }
    if (event.key === "Enter") {
      const ours = field ? field.form === review() : !at.closest("a, button, summary");
      if (!ours || !review()) return;
      event.preventDefault();
      press(panel().querySelector("[data-save]"), "You may look, but not record anything.");
      return;
    }
    if (NUMBERED[field?.name]?.includes(event.key)) {
      event.preventDefault();
      if (box) pick(field.name, event.key);
      else choose(field, event.key === "0" ? "" : event.key);
      panel().querySelector("[data-head]").focus();
      return;
    }
    if (field && !box) return;
    if (field?.type === "radio" && event.key.startsWith("Arrow")) return;
    const criterion = CRITERIA.indexOf(event.key);
    const deed = criterion < 0 ? deeds[event.key] : () => flip(group("criteria")[criterion]);
    if (!deed) return;
    event.preventDefault();
    deed();
  }

  // --- the page -------------------------------------------------------------------------------
  function clicked(event) {
    if (event.target.closest("[data-shut-note]")) document.getElementById("note").hidden = true;
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.target.closest("[data-takes-over]")) takeOver();
    const link = event.target.closest("[data-round], [data-step]");
    const again = event.target.closest("[data-again]");
    const jump = event.target.closest("a[href^='#']");
    if (jump && panel().contains(jump)) {
      event.preventDefault();
      document.getElementById(jump.hash.slice(1))?.focus();
    } else if (link || again) {
      event.preventDefault();
      go((link ?? again).href);
    }
  }

  // In the capture phase: here n and u mean what this page says they do.
  document.addEventListener("keydown", pressed, true);
  document.addEventListener("click", clicked);
  document.addEventListener("submit", submitted);
  document.addEventListener("input", written);
  document.addEventListener("change", written);
  document.addEventListener("flowboard:board", compare);
  document.addEventListener("flowboard:out", () => (panel().hidden = true));
  prepare(); // deferred: the page has been read
})();
