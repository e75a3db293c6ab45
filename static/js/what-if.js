// What if: while a slider moves or a number is typed, the board shows what would follow. The form
// works without this script; it then has to be sent.
(function () {
  "use strict";
  const PAUSE = 120;
  const MANY = 60; // patients, of whom more are not shown all at once
  let waiting = null;
  let sought = "";

  const form = () => document.querySelector("form[data-what-if]");

  /** Sliders stand beside the numbers they move; without a script there are numbers alone. */
  function show() {
    for (const slider of document.querySelectorAll("input[data-slides]")) {
      slider.hidden = false;
      const number = document.getElementById(slider.dataset.slides);
      if (document.activeElement !== slider) slider.value = number.value;
    }
  }

  function changed(event) {
    const field = event.target;
    if (!form()?.contains(field)) return;
    if (field.matches("[data-sifts]")) return sift();
    if (field.dataset.slides) document.getElementById(field.dataset.slides).value = field.value;
    const slider = document.querySelector(`[data-slides="${CSS.escape(field.id || " ")}"]`);
    if (slider) slider.value = field.value;
    clearTimeout(waiting);
    waiting = setTimeout(ask, PAUSE);
  }

  function ask() {
    if (!form() || !window.flowboard.follow) return;
    const said = new URLSearchParams(new FormData(form()));
    window.flowboard.follow(`${form().getAttribute("action")}?${said}`);
  }

  /** Of the patients only those are shown in whose line, or ward, words begin like those sought. */
  function sift(restored) {
    const box = document.querySelector("input[data-sifts]");
    if (!box) return;
    box.parentElement.hidden = false;
    if (restored) box.value = sought;
    const begins = sought === "";
    sought = box.value;
    const words = sought.toLowerCase().split(/\s+/).filter(Boolean);
    const wards = [...document.querySelectorAll("#leavers .of-ward")];
    const lines = wards.map((ward) => {
      const name = ward.querySelector(".ward-name").textContent.toLowerCase();
      const mine = [...ward.querySelectorAll("li")];
      for (const line of mine) {
        const text = ` ${name} ${line.textContent.toLowerCase()}`.replace(/\s+/g, " ");
        line.hidden = !words.every((word) => text.includes(` ${word}`));
      }
      return mine.filter((line) => !line.hidden).length;
    });
    const all = lines.reduce((sum, one) => sum + one, 0);
    wards.forEach((ward, n) => {
      ward.hidden = !lines[n];
      if (words.length) ward.open = all <= MANY || Boolean(ward.querySelector("input:checked"));
      else if (!begins) ward.open = wards.length === 1 || Boolean(ward.querySelector("input:checked"));
    });
    const said = words.length ? `${all} found` : "";
    const found = document.getElementById("what-who-found");
    if (found.textContent !== said) found.textContent = said;
  }

  /** What is shown has an address, which can be sent. */
  function address() {
    show();
    sift(true);
    const said = document.getElementById("what-if-said")?.dataset.address;
    const here = location.pathname + location.search;
    if (said && said !== here) history.replaceState(history.state, "", said);
  }

  document.addEventListener("input", changed);
  document.addEventListener("keydown", (event) => {
    // What is sought is not sent.
    if (event.key === "Enter" && event.target.matches?.("[data-sifts]")) event.preventDefault();
  });
  document.addEventListener("flowboard:board", address);
  document.addEventListener("submit", (event) => {
    if (event.target !== form() || !window.flowboard.follow) return;
    event.preventDefault();
    clearTimeout(waiting);
    ask();
  });
  show(); // deferred: the page has been read
  sift(false);
})();
