// Actions by keys: one line to agree, j and k to go, d for done.
(function () {
  "use strict";
  const { keys } = window.flowboard;
  const rows = () => [...document.querySelectorAll(".action")];
  const here = () => document.activeElement.closest(".action");

  function focus(row) {
    (row?.querySelector("button, summary") ?? row)?.focus();
    row?.scrollIntoView({ block: "nearest" });
  }

  function step(by) {
    const all = rows();
    const at = all.indexOf(here());
    focus(all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + by))]);
  }

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !keys.on) return;
    if (window.flowboard.typing(event.target) || document.querySelector("dialog[open]")) return;
    const deeds = {
      a: () => document.getElementById("agree-line")?.focus(),
      j: () => step(1),
      ArrowDown: () => step(1),
      k: () => step(-1),
      ArrowUp: () => step(-1),
      d: () => here()?.querySelector("form.done button")?.click(),
    };
    if (!deeds[event.key]) return;
    event.preventDefault();
    deeds[event.key]();
  });

  // What somebody types stays while the list is drawn anew.
  document.addEventListener("input", (event) => {
    event.target.closest("[data-keep-typed]")?.classList.add("is-typed");
  });
})();
