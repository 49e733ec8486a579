"use strict";
// The theme follows the system until the reader chooses; the choice lives as long as the page.
(() => {
  const button = document.getElementById("theme");
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  let chosen = null;
  const isDark = () => (chosen === null ? system.matches : chosen);
  const show = () => {
    if (chosen !== null) document.documentElement.dataset.theme = chosen ? "dark" : "light";
    button.setAttribute("aria-pressed", String(isDark()));
  };
  button.addEventListener("click", () => {
    chosen = !isDark();
    show();
  });
  system.addEventListener("change", show);
  button.hidden = false;
  show();
})();
// On paper nothing can be unfolded, so everything is.
(() => {
  let folded = [];
  window.addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    for (const details of folded) details.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const details of folded) details.open = false;
  });
})();
