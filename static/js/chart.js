// Draws the figures that the server sent as data, in the colours of the page.
(function () {
  "use strict";
  const NARROW = 560; // pixels, in which few words stand side by side
  const drawn = new WeakMap();

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  /** The colours of a trace: its `meta` names them all in one, or each by what it colours. */
  function dress(trace) {
    const named = typeof trace.meta === "string" ? { line: trace.meta, marker: trace.meta } : trace.meta;
    if (!named) return;
    if (named.line) trace.line = { ...trace.line, color: colour(named.line) };
    if (named.fill) trace.fillcolor = colour(named.fill);
    if (named.text) trace.textfont = { ...trace.textfont, color: colour(named.text) };
    if (trace.marker && named.marker) {
      trace.marker = { ...trace.marker, color: colour(named.marker) };
    }
  }

  function dressed(figure) {
    const [ink, line] = [colour("--ink-2"), colour("--line")];
    figure.data.forEach(dress);
    const layout = figure.layout;
    layout.paper_bgcolor = layout.plot_bgcolor = "rgba(0,0,0,0)";
    layout.font = { family: colour("--face"), size: 12, color: ink };
    layout.hoverlabel = { bgcolor: colour("--paper"), bordercolor: line, font: { color: colour("--ink") } };
    for (const axis of Object.keys(layout).filter((key) => /^[xy]axis/.test(key))) {
      layout[axis] = { ...layout[axis], gridcolor: line, linecolor: line, zeroline: false };
    }
    for (const shape of layout.shapes ?? []) shape.line = { ...shape.line, color: colour(shape.name) };
    for (const note of layout.annotations ?? []) note.font = { ...note.font, color: colour(note.name) };
    return figure;
  }

  function draw(always) {
    for (const place of document.querySelectorAll(".chart[data-figure]")) {
      const text = document.getElementById(place.dataset.figure)?.textContent;
      if (!text || (!always && drawn.get(place) === text)) continue;
      drawn.set(place, text);
      const figure = dressed(JSON.parse(text));
      const across = figure.layout.xaxis;
      if (across.nticks && place.clientWidth < NARROW) across.nticks = Math.min(4, across.nticks);
      window.Plotly.react(place, figure.data, figure.layout, {
        displayModeBar: false, responsive: true,
      });
    }
  }

  document.addEventListener("flowboard:board", () => draw(false));
  document.addEventListener("flowboard:theme", () => draw(true));
  draw(true); // deferred: the page has been read
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw(true));
})();
