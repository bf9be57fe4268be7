"use strict";
// Filters and orders each gallery of heat maps. Without it all of them are shown in the page's order.
for (const gallery of document.querySelectorAll(".gallery")) {
  const controls = gallery.querySelector("form");
  const control = (name) => controls.elements.namedItem(name);
  const rows = [...gallery.querySelectorAll(".row")];
  let current = rows[0];

  // One stop for the tab key; J and K go on from there.
  function choose(row) {
    for (const other of rows) other.tabIndex = other === row ? 0 : -1;
    current = row;
  }

  function update() {
    const wanted = ["set", "label", "answers"].map((name) => [name, control(name).value]);
    for (const row of rows) {
      row.hidden = wanted.some(([name, value]) => value && row.dataset[name] !== value);
    }
    const byDisagreement = control("order").value === "disagreement";
    const ordered = byDisagreement
      ? [...rows].sort((a, b) => b.dataset.disagreement - a.dataset.disagreement)
      : rows;
    for (const row of ordered) gallery.append(row); // readers and the tab key follow the order, too
    const shown = ordered.filter((row) => !row.hidden);
    control("count").textContent = `${shown.length} of ${rows.length} images`;
    if (current.hidden && shown.length) choose(shown[0]);
  }

  function fade() {
    const percent = control("map").value;
    gallery.style.setProperty("--map", percent / 100);
    control("map").setAttribute("aria-valuetext", `map ${percent} %`);
  }

  for (const row of rows) {
    const plain = row.querySelector("img").src;
    for (const frame of row.querySelectorAll(".frame")) frame.style.backgroundImage = `url("${plain}")`;
  }
  gallery.addEventListener("focusin", (event) => {
    const row = event.target.closest(".row");
    if (row) choose(row);
  });
  gallery.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || controls.contains(event.target)) return;
    const key = event.key.toLowerCase();
    const visible = [...gallery.querySelectorAll(".row:not([hidden])")];
    const step = { j: 1, k: -1 }[key];
    if (step) {
      const next = visible[visible.indexOf(current) + step];
      if (next) next.focus();
    } else if (key === "m") {
      control("map").value = control("map").value > 0 ? 0 : 100;
      fade();
    } else {
      return;
    }
    event.preventDefault();
  });
  controls.addEventListener("change", update);
  controls.addEventListener("submit", (event) => event.preventDefault());
  control("map").addEventListener("input", fade);
  controls.hidden = false;
  choose(current);
  update();
  fade();
}
