// Whom somebody has chosen for a card stays chosen while the board is drawn anew.
(function () {
  "use strict";
  document.addEventListener("input", (event) => {
    event.target.closest(".is-escalation [data-keep-typed]")?.classList.add("is-typed");
  });
})();
