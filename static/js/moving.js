// Moving a patient on a board: dragged to a bed, or `m`, a bed's name and Enter; a bed of another
// ward as that ward's code or name and the bed's. Nothing happens yet: the drawer opens and says
// what would follow, with the deed under the first key.
(function () {
  "use strict";
  const KIND = "text/x-flowboard-tile";
  const MOST = 3; // wards whose beds are looked through
  const dialog = () => document.getElementById("moving");
  let dragged = null; // the tile that is on its way
  let asked = 0; // how often a bed has been looked for

  const here = () => document.querySelector("[data-ward]")?.dataset.ward ?? "";

  function look(from, to) {
    if (!from || !to || from === to) return;
    lookAt(from, here(), to.dataset.key);
  }

  function lookAt(from, ward, bed) {
    const address = towards(from, ward);
    address.searchParams.set("bed", bed);
    window.flowboard.openTile(from, address.pathname + address.search);
  }

  function towards(from, ward) {
    const address = new URL(from.getAttribute("href"), location.href);
    if (ward) address.searchParams.set("to", ward);
    return address;
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
    asked += 1;
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
    find(event.target);
  });

  /** Take what was typed to the drawer, or say what is wrong with it. Only wards and beds that the
   * server names are sent back to it, never what was typed: that might be anything. */
  async function find(form) {
    const said = plain(form.elements.namedItem("bed").value);
    const from = document.getElementById(form.dataset.from);
    if (!from) return;
    const mine = (asked += 1);
    let found;
    try {
      found = onBoard(said) ?? (await elsewhere(from, said));
    } catch {
      found = { wrong: "No connection: the beds of other wards cannot be looked up now." };
    }
    if (mine !== asked || !dialog().open) return; // thought better of meanwhile
    if (found.wrong) {
      const wrong = dialog().querySelector("[data-wrong]");
      wrong.textContent = found.wrong;
      wrong.hidden = false;
      return;
    }
    dialog().close();
    if (found.bed !== from.dataset.key) lookAt(from, found.ward, found.bed);
  }

  function plain(text) {
    return text.trim().replace(/\s+/g, " ").toLowerCase();
  }

  /** The bed of this board that is called so; null where none is. */
  function onBoard(said) {
    const called = [said, said.replace(/^bed /, "")];
    const found = beds().filter((one) => called.includes(plain(one.dataset.bed)));
    if (found.length > 1) {
      return { wrong: "Several beds here are called that: drag the patient to the one you mean." };
    }
    return found.length ? { ward: here(), bed: found[0].dataset.key } : null;
  }

  /** The free bed of another ward that "W12 4", "Ward 12 4" or "bed 4 W12" names. */
  async function elsewhere(from, said) {
    const none = { wrong: "No bed on this board is called that. For another ward’s, type the ward and the bed." };
    if (!said.includes(" ")) return none;
    const named = wardsNamed(await drawn(towards(from, "")), said);
    if (named.length > MOST) {
      return { wrong: "Several wards are called that: type the ward’s code and the bed, such as W12 4." };
    }
    const found = [];
    for (const { ward, bed } of named) {
      if (ward.value === here()) {
        const own = onBoard(bed);
        if (own) return own;
        continue;
      }
      const options = (await drawn(towards(from, ward.value))).querySelectorAll("#move-bed [data-called]");
      for (const one of options) {
        if (plain(one.dataset.called) === bed) found.push({ ward: ward.value, bed: one.value });
      }
    }
    if (found.length === 1) return found[0];
    if (found.length) return { wrong: "Several beds are called that: choose the ward in the patient’s drawer." };
    if (!named.length) return none;
    return { wrong: `No bed called that is free on ${named[0].ward.textContent}, or you may not choose beds there.` };
  }

  /** The wards that what was typed names, each with the rest of it, the bed: by their whole code or
   * name before it, else by words of these, as the search finds them. */
  function wardsNamed(drawer, said) {
    const options = [...drawer.querySelectorAll("#move-to option")];
    const whole = [];
    for (const ward of options) {
      const name = [ward.dataset.code, ward.textContent].map(plain).find((one) => said.startsWith(`${one} `));
      if (name) whole.push({ ward, bed: said.slice(name.length + 1) });
    }
    return nearest(whole.length ? whole : wardsByWords(options, said), options);
  }

  /** "W12 4", "AMU 6", "bed 4 W12": words that the ward's code, name or hospital has, or that are
   * at least part of them. */
  function wardsByWords(options, said) {
    const words = said.replaceAll(",", " ").split(" ").filter(Boolean);
    const bed = words[0] === "bed" && words.length > 2 ? words.splice(0, 2)[1] : words.pop();
    const place = words.filter((word) => word !== "bed");
    if (!place.length || !/\d/.test(bed)) return [];
    const names = (ward) =>
      plain(`${ward.dataset.code} ${ward.textContent} ${ward.parentElement.label ?? ""}`);
    const has = (ward, word) => names(ward).split(/[^\p{L}\p{N}]+/u).includes(word);
    const partly = (ward, word) => names(ward).includes(word);
    for (const fits of [has, partly]) {
      const found = options.filter((ward) => place.every((word) => fits(ward, word)));
      if (found.length) return found.map((ward) => ({ ward, bed }));
    }
    return [];
  }

  /** Of wards that are called alike those of this hospital. */
  function nearest(found, options) {
    const own = options.find((one) => one.value === here());
    const near = found.filter(({ ward }) => own && ward.parentElement === own.parentElement);
    return near.length ? near : found;
  }

  async function drawn(address) {
    address.searchParams.set("fragment", "1");
    const answer = await fetch(address, { cache: "no-store" });
    if (answer.redirected) location.reload(); // signed out
    const html = answer.ok ? await answer.text() : "";
    return new DOMParser().parseFromString(html, "text/html");
  }
})();
