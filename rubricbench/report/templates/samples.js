"use strict";
// Filters over the sample cards. Without scripts the controls stay hidden and every card shows.
(() => {
  const tools = document.getElementById("sample-tools");
  if (!tools) return;
  const cards = [...document.querySelectorAll("details.sample")];
  const groups = [...document.querySelectorAll(".sample-group")];
  const buttons = [...tools.querySelectorAll("button[data-group]")];
  const family = tools.querySelector("select");
  const status = tools.querySelector("[role=status]");
  const unfold = tools.querySelector("[data-unfold]");
  let group = "";
  const shown = () => cards.filter((card) => !card.hidden);
  const apply = () => {
    for (const card of cards) {
      const failed = card.dataset.failed.split(" ");
      const fits = !family.value || failed.includes(family.value);
      card.hidden = !(fits && (!group || card.dataset.group === group));
    }
    for (const part of groups) part.hidden = !part.querySelector("details.sample:not([hidden])");
    for (const button of buttons) {
      button.setAttribute("aria-pressed", String(button.dataset.group === group));
    }
    status.textContent = `${shown().length} of ${cards.length} samples shown`;
  };
  for (const button of buttons) {
    button.addEventListener("click", () => {
      group = button.dataset.group;
      apply();
    });
  }
  family.addEventListener("change", apply);
  unfold.addEventListener("click", () => {
    const open = unfold.getAttribute("aria-pressed") !== "true";
    for (const card of shown()) card.open = open;
    unfold.setAttribute("aria-pressed", String(open));
  });
  tools.hidden = false;
  apply();
})();
