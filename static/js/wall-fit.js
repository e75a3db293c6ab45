// What finds no room on a wall is left out whole, and counted; nothing is cut. It runs after each
// page that is drawn, and when the screen is turned.
(function () {
  "use strict";
  const SLACK = 1; // pixels by which a rounded box may stand out

  const all = (within, selector) => [...within.querySelectorAll(selector)];
  const isSeen = (element) => element.getClientRects().length > 0;

  const fill = (words, number) => words.replace("#", number);

  /** Shorten what is too long at a word: "Ward 2 …". */
  function shorten(element) {
    const full = element.dataset.full || element.textContent;
    element.dataset.full = full;
    element.textContent = full;
    const clamped = getComputedStyle(element).webkitLineClamp !== "none";
    const words = full.split(" ");
    const isLong = () => element.scrollWidth > element.clientWidth + SLACK
      || clamped && element.scrollHeight > element.clientHeight + SLACK;
    while (words.length > 1 && isLong()) {
      words.pop();
      element.textContent = `${words.join(" ").replace(/[\s,·→-]+$/, "")} …`;
    }
  }

  /** Whether something that is shown in a tile stands out of it, or is cut off. */
  function overflows(tile) {
    const room = tile.getBoundingClientRect();
    return [...tile.children].filter(isSeen).some((one) => {
      const box = one.getBoundingClientRect();
      return box.right > room.right + SLACK || box.bottom > room.bottom + SLACK
        || box.top < room.top - SLACK || box.left < room.left - SLACK
        || one.scrollWidth > one.clientWidth + SLACK && one.clientWidth > 0;
    });
  }

  /** Of those tiles that are too full leave out one thing; the ones that still are. */
  function leaveOut(tiles, what) {
    const full = tiles.filter(overflows);
    for (const tile of full) tile.classList.add(what);
    return full.filter(overflows);
  }

  function bottomOf(elements) {
    return Math.max(...elements.filter(isSeen).map((one) => one.getBoundingClientRect().bottom));
  }

  /** A ward as it lies: first the words go, then the bays, then whole beds, which are counted. */
  function fitBeds(boxes) {
    boxes.classList.remove("is-dense", "no-bays");
    boxes.querySelector(".others")?.remove();
    const tiles = all(boxes, ".tile");
    const less = ["no-word", "no-icon", "only-label"];
    for (const one of all(boxes, ".box, .tile")) {
      one.hidden = false;
      one.classList.remove(...less);
    }
    const fits = (...more) =>
      bottomOf([...tiles, ...more]) <= boxes.getBoundingClientRect().bottom + SLACK;
    if (!leaveOut(leaveOut(tiles, less[0]), less[1]).length && fits()) return;
    boxes.classList.add("is-dense");
    for (const tile of tiles) tile.classList.remove(...less);
    less.reduce(leaveOut, tiles);
    if (fits()) return;
    // Where no two have the same label, it is clear without the bays which is meant.
    const labels = new Set(all(boxes, ".label").map((one) => one.textContent));
    boxes.classList.toggle("no-bays", labels.size === tiles.length);
    if (fits()) return;
    const others = document.createElement("p");
    others.className = "others";
    boxes.append(others);
    for (let left = 1; left < tiles.length; left += 1) {
      const last = tiles[tiles.length - left];
      last.hidden = true;
      const box = last.closest(".box");
      box.hidden = !box.querySelector(".tile:not([hidden])");
      others.textContent = fill(boxes.dataset.more, left);
      if (fits(others)) return;
    }
  }

  /** Places as bars: so many rows as have room; first those with nothing free are left out. */
  function fitBars(list) {
    const bars = [...list.children];
    for (const bar of bars) bar.hidden = false;
    list.style.gridTemplateRows = "";
    const rows = getComputedStyle(list).gridTemplateRows.split(" ").length;
    const across = Math.ceil(bars.length / rows);
    const drawn = bars[0].querySelector(".bar");
    const needs = Math.max(...bars.map((bar) => bar.lastElementChild.offsetHeight))
      + (drawn && isSeen(drawn) && across > 1 ? drawn.getBoundingClientRect().height : 0);
    const most = Math.max(1, Math.floor((list.clientHeight + SLACK) / needs));
    if (most >= rows) return;
    list.style.gridTemplateRows = `repeat(${most}, minmax(0, 1fr))`;
    const last = [...bars].reverse();
    const none = last.filter((bar) => bar.querySelector(".is-none"));
    const some = last.filter((bar) => !bar.querySelector(".is-none"));
    const gone = [...none, ...some].slice(0, Math.max(0, bars.length - most * across));
    for (const bar of gone) bar.hidden = true;
    const others = list.parentElement.querySelector(".others");
    const left = Number(others.dataset.others) + gone.length;
    others.textContent = left ? fill(others.dataset.more, left) : "";
  }

  /** Beds to clean: the last rows go, and are counted with those that were never there. */
  function fitJobs(jobs) {
    const rows = all(jobs, "tbody tr");
    for (const row of rows) row.hidden = false;
    const others = jobs.querySelector(".others");
    const known = Number(others.dataset.others);
    const room = jobs.getBoundingClientRect().bottom + SLACK;
    for (let left = 0; left < rows.length; left += 1) {
      if (left) rows[rows.length - left].hidden = true;
      others.hidden = known + left === 0;
      others.textContent = fill(others.dataset.more, known + left);
      if (bottomOf([...rows, others]) <= room) return;
    }
  }

  function fit() {
    const wall = document.querySelector(".wall");
    if (!wall) return;
    // First what takes room from the pictures.
    for (const one of all(wall, ".next, .jobs .ward")) shorten(one);
    for (const boxes of all(wall, ".boxes")) fitBeds(boxes);
    for (const jobs of all(wall, ".jobs")) fitJobs(jobs);
    for (const list of all(wall, ".bars:not(.is-one) > ul")) fitBars(list);
    for (const one of all(wall, "h1, .name, .way, .box h2")) {
      if (isSeen(one)) shorten(one);
    }
  }

  document.addEventListener("flowboard:shown", fit);
  window.addEventListener("resize", fit);
  fit();
})();
