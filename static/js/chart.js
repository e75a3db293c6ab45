// Draws the figures that the server sent as data, in the colours of the page.
(function () {
  "use strict";
  const drawn = new WeakMap();

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  function dressed(figure) {
    const [ink, line] = [colour("--ink-2"), colour("--line")];
    for (const trace of figure.data) {
      trace.line = { ...trace.line, color: colour(trace.meta) };
      if (trace.marker) trace.marker = { ...trace.marker, color: colour(trace.meta) };
    }
    const layout = figure.layout;
    layout.paper_bgcolor = layout.plot_bgcolor = "rgba(0,0,0,0)";
    layout.font = { family: colour("--face"), size: 12, color: ink };
    layout.hoverlabel = { bgcolor: colour("--paper"), bordercolor: line, font: { color: colour("--ink") } };
    for (const axis of ["xaxis", "yaxis"]) {
      layout[axis] = { ...layout[axis], gridcolor: line, linecolor: line, zeroline: false };
    }
    return figure;
  }

  function draw(always) {
    for (const place of document.querySelectorAll(".chart[data-figure]")) {
      const text = document.getElementById(place.dataset.figure)?.textContent;
      if (!text || (!always && drawn.get(place) === text)) continue;
      drawn.set(place, text);
      const figure = dressed(JSON.parse(text));
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
