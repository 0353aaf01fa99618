// Light, dark, or as the system has it. Loaded before anything is drawn.

"use strict";
(() => {
  const NAMES = { "": "as the system", light: "light", dark: "dark" };
  const ORDER = ["", "light", "dark"];
  const root = document.documentElement;
  const show = (theme) => {
    if (theme) root.dataset.theme = theme;
    else delete root.dataset.theme;
    document.getElementById("theme-toggle")?.setAttribute("aria-label", `Colours: ${NAMES[theme]}`);
    document.getElementById("theme-toggle")?.setAttribute("title", `Colours: ${NAMES[theme]}`);
  };
  const kept = () => (ORDER.includes(localStorage.getItem("theme")) ? localStorage.getItem("theme") : "");
  show(kept());
  document.addEventListener("DOMContentLoaded", () => {
    show(kept());
    document.getElementById("theme-toggle").addEventListener("click", () => {
      const next = ORDER[(ORDER.indexOf(kept()) + 1) % ORDER.length];
      localStorage.setItem("theme", next);
      show(next);
    });
  });
})();
