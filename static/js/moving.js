// Moving a patient on a board: dragged to a bed, or `m`, a bed's name and Enter. Nothing happens
// yet: the drawer opens and says what would follow, with the deed under the first key.
(function () {
  "use strict";
  const KIND = "text/x-flowboard-tile";
  const dialog = () => document.getElementById("moving");
  let dragged = null; // the tile that is on its way

  function look(from, to) {
    if (!from || !to || from === to) return;
    const ward = document.querySelector("[data-ward]")?.dataset.ward;
    const address = new URL(from.getAttribute("href"), location.href);
    address.searchParams.set("to", ward ?? "");
    address.searchParams.set("bed", to.dataset.key);
    window.flowboard.openTile(from, address.pathname + address.search);
  }

  function beds() {
    return [...document.querySelectorAll("#board [data-bed]")];
  }

  // --- dragging -------------------------------------------------------------------------------
  function target(event) {
    return dragged && event.target.closest?.("#board [data-bed]");
  }

  function unmark() {
    document.querySelectorAll(".is-target").forEach((one) => one.classList.remove("is-target"));
  }

  document.addEventListener("dragstart", (event) => {
    const tile = event.target.closest?.("#board [data-patient]");
    if (!tile || !document.querySelector("[data-ward]")) return;
    dragged = tile.id;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.clearData();
    event.dataTransfer.setData(KIND, tile.id); // a bed's key and no more: it may be dropped anywhere
  });
  document.addEventListener("dragover", (event) => {
    const tile = target(event);
    if (!tile || tile.id === dragged) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "move";
    if (!tile.classList.contains("is-target")) {
      unmark();
      tile.classList.add("is-target");
    }
  });
  document.addEventListener("drop", (event) => {
    const tile = target(event);
    if (!tile) return;
    event.preventDefault();
    look(document.getElementById(dragged), tile);
  });
  document.addEventListener("dragend", () => {
    dragged = null;
    unmark();
  });

  // --- by key ---------------------------------------------------------------------------------
  function ask(tile) {
    const form = dialog().querySelector("form");
    form.reset();
    form.dataset.from = tile.id;
    dialog().querySelector("[data-wrong]").hidden = true;
    const list = document.getElementById("moving-beds");
    list.replaceChildren(...beds().filter((one) => one !== tile).map((one) => {
      const option = document.createElement("option");
      option.value = one.dataset.bed;
      option.label = one.hasAttribute("data-patient") ? "taken: they would change places" : "";
      return option;
    }));
    dialog().showModal();
  }

  document.addEventListener("keydown", (event) => {
    if (event.key !== "m" || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea, dialog, .drawer") || !dialog()) return;
    if (!window.flowboard.keys.on) return;
    const tile = document.activeElement.closest("#board [data-patient]");
    if (!tile || !document.querySelector("[data-ward]")) return;
    event.preventDefault();
    ask(tile);
  });

  document.addEventListener("submit", (event) => {
    if (!event.target.matches("#moving form")) return;
    event.preventDefault();
    if (event.submitter?.value === "cancel") {
      dialog().close();
      return;
    }
    const said = event.target.elements.namedItem("bed").value.trim().toLowerCase();
    const found = beds().filter((one) => one.dataset.bed.toLowerCase() === said);
    if (found.length !== 1) {
      const wrong = dialog().querySelector("[data-wrong]");
      wrong.textContent = found.length
        ? "Several beds here are called that: drag the patient to the one you mean."
        : "No bed on this board is called that.";
      wrong.hidden = false;
      return;
    }
    const from = document.getElementById(event.target.dataset.from);
    dialog().close();
    look(from, found[0]);
  });
})();
