// What only a script can do on the handover: print it.
(function () {
  "use strict";
  const prints = document.querySelector("[data-prints]");
  if (!prints) return;
  prints.hidden = false;
  prints.addEventListener("click", () => window.print());
})();
