// What if: while a slider moves or a number is typed, the board shows what would follow. The form
// works without this script; it then has to be sent.
(function () {
  "use strict";
  const PAUSE = 120;
  let waiting = null;

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

  /** What is shown has an address, which can be sent. */
  function address() {
    show();
    const said = document.getElementById("what-if-said")?.dataset.address;
    const here = location.pathname + location.search;
    if (said && said !== here) history.replaceState(history.state, "", said);
  }

  document.addEventListener("input", changed);
  document.addEventListener("flowboard:board", address);
  document.addEventListener("submit", (event) => {
    if (event.target !== form() || !window.flowboard.follow) return;
    event.preventDefault();
    clearTimeout(waiting);
    ask();
  });
  show(); // deferred: the page has been read
})();
