// Loaded in the head, before anything is drawn, so that a page chosen dark never flashes light.
(function () {
  "use strict";
  const wishes = { light: "not all", dark: "all" };
  const followSystem = "(prefers-color-scheme: dark)";
  function apply(wish) {
    document.getElementById("dark-style").media = wishes[wish] || followSystem;
  }
  function kept() {
    try {
      return localStorage.getItem("flowboard-theme");
    } catch {
      return null; // storage may be forbidden; the system's wish then holds
    }
  }
  window.flowboardTheme = {
    toggle() {
      const media = document.getElementById("dark-style").media;
      const dark = media === "all" || (media === followSystem && matchMedia(followSystem).matches);
      const wish = dark ? "light" : "dark";
      apply(wish);
      try {
        localStorage.setItem("flowboard-theme", wish);
      } catch {
        // it then holds for this page only
      }
      document.dispatchEvent(new CustomEvent("flowboard:theme"));
      return wish;
    },
  };
  apply(kept());
  document.documentElement.classList.add("js");
})();
