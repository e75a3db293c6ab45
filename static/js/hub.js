// What only a script can do on the hub: copy the address of the view, and print it.
(function () {
  "use strict";
  const copies = document.querySelector("[data-copies-link]");
  const prints = document.querySelector("[data-prints]");

  if (copies && navigator.clipboard) {
    copies.hidden = false;
    copies.addEventListener("click", () => {
      navigator.clipboard.writeText(location.href).then(
        () => window.flowboard.say("The address of this view is copied. Whoever opens it sees what they may see.", false),
        () => window.flowboard.say("The address could not be copied: take it from the address bar.", true),
      );
    });
  }
  if (prints) {
    prints.hidden = false;
    prints.addEventListener("click", () => window.print());
  }
})();
