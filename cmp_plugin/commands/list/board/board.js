"use strict";
// Narrows the page to some clusters and services. Without it the page shows everything and hides nothing.
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const one = (selector) => document.querySelector(selector);
const form = one("#filter");

const clusters = all("#clusters tbody tr").map((row) => {
  const labels = JSON.parse(row.dataset.labels);
  const name = row.cells[0].textContent;
  const words = [name, ...labels.map((pair) => pair.join("="))].join("\n").toLowerCase();
  return { name, labels: new Map(labels), words };
});
const services = all("article").map((card) => card.dataset.s);
const late = new Set(all("#behind li").map((item) => item.dataset.s));

// Every piece that is about some clusters, with their numbers, and what it says while all are shown.
const pieces = all("[data-c]").map((element) => {
  const numbers = element.dataset.c.split(" ").filter(Boolean).flatMap((run) => {
    const [first, last = first] = run.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, step) => first + step);
  });
  const names = element.querySelector(".names");
  return { element, numbers, count: element.querySelector(".n"), names, text: names?.textContent };
});
const grid = all(".board tr").map((row) => [...row.cells].slice(1));
const lines = all(".board tbody tr");

const wordsOf = (input) => input.value.toLowerCase().split(/\s+/).filter(Boolean);
const has = (words, text) => words.every((word) => text.includes(word));

function narrow() {
  const words = wordsOf(one("#clusters-wanted"));
  const chosen = all("select", form).filter((list) => list.value);
  const wanted = clusters.map(
    (cluster) =>
      has(words, cluster.words) &&
      chosen.every((list) => cluster.labels.get(list.dataset.key) === list.value.slice(1)),
  );
  const named = wordsOf(one("#services-wanted"));
  const lagging = one("#lagging").checked;
  const kept = services.map((name) => has(named, name) && (!lagging || late.has(name)));
  const everything = wanted.every(Boolean);
  for (const piece of pieces) {
    const left = everything ? piece.numbers : piece.numbers.filter((number) => wanted[number]);
    piece.element.hidden = left.length === 0;
    if (piece.count) piece.count.textContent = left.length;
    if (piece.names) {
      piece.names.textContent = everything ? piece.text : left.map((number) => clusters[number].name).join(", ");
    }
  }
  hideServices(kept);
  if (lagging) hideFine(kept);
  countPins();
  const rest = (list, what) => `${list.filter(Boolean).length} of ${list.length} ${what}`;
  const narrowed = !everything || !kept.every(Boolean);
  one("#shown").textContent = narrowed ? `${rest(wanted, "clusters")}, ${rest(kept, "services")}` : "";
}

function hideServices(kept) {
  const names = new Set(services.filter((_, number) => kept[number]));
  for (const card of all("article")) card.hidden = !names.has(card.dataset.s);
  for (const item of all("#behind li")) item.hidden ||= !names.has(item.dataset.s);
  for (const cells of grid) cells.forEach((cell, number) => { cell.hidden = !kept[number]; });
}

function countPins() {
  const left = (list) => list.filter((item) => !item.hidden).length;
  const pins = one("#behind");
  const more = one("#more");
  if (pins) pins.hidden = left(all("li", pins)) === 0;
  if (more) {
    const count = left(all("li", more));
    more.hidden = count === 0;
    more.querySelector("span").textContent = count;
  }
}

// With "only what lags": rows of the board in which no shown service does.
function hideFine(kept) {
  for (const line of lines) {
    line.hidden ||= ![...line.cells].slice(1).some((cell, number) => kept[number] && cell.classList.contains("b"));
  }
}

let waiting = 0;
function changed() {
  clearTimeout(waiting);
  if (clusters.length > 200) waiting = setTimeout(narrow, 120);
  else narrow();
}

form.addEventListener("input", changed);
form.addEventListener("change", changed);
form.addEventListener("reset", () => setTimeout(narrow));
form.addEventListener("submit", (event) => event.preventDefault());
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.target.matches("input, select")) {
    event.preventDefault();
    one("#clusters-wanted").focus();
  }
});
form.hidden = false;
narrow();
