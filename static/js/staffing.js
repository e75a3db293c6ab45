// Numbers of nurses by keyboard: up and down from ward to ward, and what is typed stays until it
// has been recorded, whatever the board does meanwhile.
(function () {
  "use strict";
  const { keys } = window.flowboard;
  let sent = false;
  const fields = () => [...document.querySelectorAll("#board .staffing input.number")];

  /** A row that differs from what was drawn is kept as it stands (live.js). */
  function mark(row) {
    const typed = [...row.querySelectorAll("input.number")].some(
      (field) => field.value !== field.defaultValue || field.matches(".is-wrong"),
    );
    row.classList.toggle("is-typed", typed);
  }

  /** Why a shift was not recorded stands until somebody types there again. */
  function answer(field) {
    const refused = document.querySelector("[data-refused]");
    const lines = [...(refused?.querySelectorAll("[data-of]") ?? [])];
    const left = lines.filter((line) => !field.name.startsWith(`${line.dataset.of}-`));
    if (!refused || left.length === lines.length) return;
    if (left.length) lines.filter((line) => !left.includes(line)).forEach((line) => line.remove());
    else refused.remove();
  }

  function step(field, by) {
    const row = field.closest("tr");
    const column = [...row.querySelectorAll("input.number")].indexOf(field);
    for (let next = row; (next = by > 0 ? next.nextElementSibling : next.previousElementSibling); ) {
      const goal = next.querySelectorAll("input.number")[column];
      if (!goal) continue;
      goal.focus();
      goal.select();
      return;
    }
  }

  document.addEventListener("input", (event) => {
    if (!event.target.matches("#board input.number")) return;
    mark(event.target.closest("tr"));
    answer(event.target);
  });
  document.addEventListener("focusin", (event) => {
    if (event.target.matches("#board input.number")) event.target.select();
  });
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("#board input.number")) {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        step(event.target, event.key === "ArrowDown" ? 1 : -1);
      }
      return;
    }
    if (event.key !== "e" || !keys.on || window.flowboard.typing(event.target)) return;
    if (document.querySelector("dialog[open]") || event.target.closest(".drawer")) return;
    const first = fields()[0];
    if (!first) return;
    event.preventDefault();
    first.focus();
  });
  window.addEventListener("beforeunload", (event) => {
    if (!sent && document.querySelector("#board tr.is-typed")) event.preventDefault();
  });
  document.addEventListener("submit", (event) => {
    if (event.target.id === "staffing-form") sent = true;
  });
  document.querySelector("[data-refused]")?.focus();
})();
