// A meeting by keys, and its clock: what is pressed is sent without leaving the page.
(function () {
  "use strict";
  const { keys, clock } = window.flowboard;
  const line = () => document.getElementById("capture-line");

  function tick() {
    const face = document.querySelector(".timer");
    const shown = document.getElementById("timer");
    if (!face || !shown) return;
    const left = Math.round((Date.parse(face.dataset.ends) - clock.now()) / 1000);
    const length = Math.abs(left);
    const text = `${Math.floor(length / 60)}:${String(length % 60).padStart(2, "0")}`;
    const words = left < 0 ? `${text} over` : text;
    if (shown.textContent !== words) shown.textContent = words;
    face.classList.toggle("is-over", left < 0);
  }

  // Each line typed is one action, however often it is sent: known by the mark of its form.
  function renew() {
    const mark = crypto.getRandomValues(new Uint8Array(8));
    document.getElementById("capture-once").value = [...mark].map((one) => one.toString(16)).join("-");
  }

  // What the next action is about, where that was clicked: shown, and to be taken away.
  function about(key, words) {
    const chip = document.getElementById("capture-chip");
    document.getElementById("capture-about").value = key;
    chip.hidden = !key;
    chip.querySelector("strong").textContent = words;
  }

  async function send(form, button) {
    if (form.id !== "capture") return sent(form, button);
    if (form.dataset.sending) {
      const said = document.getElementById("capture-said");
      if (said) said.textContent = "The one before is being recorded. Press Enter once more.";
      return;
    }
    form.dataset.sending = "1";
    try {
      await sent(form, button);
    } finally {
      delete form.dataset.sending;
    }
  }

  async function sent(form, button) {
    const said = document.getElementById("capture-said");
    const body = new URLSearchParams(new FormData(form, button));
    const url = new URL(form.getAttribute("action"), location.href);
    url.searchParams.set("fragment", "1");
    let answer = null;
    try {
      answer = await fetch(url, { method: "POST", body, cache: "no-store" });
    } catch {
      if (said) said.textContent = "No connection: nothing was recorded. Try again.";
      return;
    }
    if (answer.redirected || answer.status === 403) return location.reload();
    const words = await answer.text();
    if (said) {
      said.textContent = words;
      said.classList.toggle("is-wrong", !answer.ok);
    }
    if (answer.ok && form.id === "capture" && line().value !== body.get("line")) {
      renew(); // more has been typed meanwhile: it is the next one
    } else if (answer.ok && form.id === "capture") {
      form.reset();
      document.getElementById("capture-ward").value = "";
      about("", "");
      renew();
    }
    if (answer.ok && !line()?.value) form.classList.remove("is-typed");
    window.flowboard.refresh?.();
  }

  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-quick]")) return;
    event.preventDefault();
    send(event.target, event.submitter);
  });

  document.addEventListener("input", (event) => {
    event.target.closest("[data-keep-typed]")?.classList.add("is-typed");
    // The ward that is spoken of when somebody begins to type is the one that is meant.
    if (event.target !== line()) return;
    const ward = document.getElementById("capture-ward");
    if (!line().value) {
      ward.value = "";
      about("", "");
    } else if (!ward.value) ward.value = document.querySelector(".meeting")?.dataset.ward ?? "";
  });

  // One click from what would help to its action: the line is begun, the owner is named by hand.
  document.addEventListener("click", (event) => {
    if (event.target.closest("#capture-drop")) {
      about("", "");
      const ward = document.querySelector(".meeting")?.dataset.ward ?? "";
      document.getElementById("capture-ward").value = ward;
      line().focus();
      return;
    }
    const help = event.target.closest("[data-say]");
    if (!help || !line()) return;
    line().value = help.dataset.say;
    document.getElementById("capture-ward").value = help.dataset.ward;
    about(help.dataset.about, help.dataset.words);
    line().focus();
    line().setSelectionRange(line().value.length, line().value.length);
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target === line()) return line().blur();
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !keys.on) return;
    if (window.flowboard.typing(event.target) || document.querySelector("dialog[open]")) return;
    const press = (id) => document.getElementById(id)?.click();
    const deeds = {
      ArrowRight: () => press("walk-next"),
      ArrowLeft: () => press("walk-back"),
      // What the clicker of a presenter sends.
      PageDown: () => press("walk-next"),
      PageUp: () => press("walk-back"),
      a: () => line()?.focus(),
    };
    if (!deeds[event.key]) return;
    event.preventDefault();
    deeds[event.key]();
  });

  tick();
  setInterval(tick, 500);
  document.addEventListener("flowboard:board", tick);
})();
