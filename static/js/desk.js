// Finding in the list of the desk: what is typed stays in the page, and so do names.
(function () {
  "use strict";
  const board = () => document.getElementById("board");
  let typed = "";

  function narrow() {
    const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of board().querySelectorAll("tr.need")) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      if (!row.hidden) shown += 1;
    }
    const none = board().querySelector("[data-none]");
    if (none) none.hidden = shown > 0 || !words.length;
  }

  /** The first need that fits what is typed. */
  function first() {
    return board().querySelector("tr.need:not([hidden]) [data-tile]");
  }

  /** From the field to what it found: the arrow goes there, Enter opens it, Escape finds all. */
  function leave(event) {
    const plain = !(event.ctrlKey || event.metaKey || event.altKey || event.shiftKey);
    if (!plain || event.isComposing || !event.target.matches("[data-finds]")) return;
    if (event.key === "ArrowDown" && first()) {
      event.preventDefault();
      first().focus();
      first().scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter") {
      event.preventDefault();
      first()?.click();
    } else if (event.key === "Escape") {
      event.preventDefault(); // of an open drawer too: only the field is left
      event.target.value = typed = "";
      narrow();
      event.target.blur();
    }
  }

  document.addEventListener("input", (event) => {
    if (!event.target.matches("[data-finds]")) return;
    typed = event.target.value;
    narrow();
  });
  document.addEventListener("keydown", leave, true); // before the drawer and the list hear of it
  document.addEventListener("keydown", (event) => {
    if (!window.flowboard.keys.on || event.key !== "f" || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea, dialog, .drawer")) return;
    const field = board().querySelector("[data-finds]");
    if (!field) return;
    event.preventDefault();
    field.focus();
    field.select();
  });
  // A board that was drawn anew knows nothing of what is typed.
  document.addEventListener("flowboard:board", () => {
    const field = board().querySelector("[data-finds]");
    if (field && field !== document.activeElement) field.value = typed;
    if (typed) narrow();
  });
})();
