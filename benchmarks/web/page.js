"use strict";
/* Sorts the tables, draws the episodes on their maps and plays them. All data lies in the
   page as JSON; see gallery.py for its form. On the maps y points down, so y is negated. */

const data = JSON.parse(document.getElementById("data").textContent);
const HEADINGS = [[1, 0], [0, -1], [-1, 0], [0, 1]]; // east, north, west, south
const SILENT_STEPS_PER_SECOND = 4;

const element = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};
const shape = (name, attributes = {}, ...children) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};

/* ---- tables ---- */

function sortBy(table, column, header) {
  const ascending = header.getAttribute("aria-sort") === "descending";
  const value = (row) => {
    const cell = row.cells[column];
    const text = cell.dataset.v ?? cell.textContent;
    return text === "" || isNaN(text) ? text : Number(text);
  };
  const isNumber = (x) => typeof x === "number";
  const compare = (a, b) => {
    const [x, y] = [value(a), value(b)];
    if (isNumber(x) !== isNumber(y)) return isNumber(x) ? -1 : 1; // what has no number comes last
    const order = isNumber(x) ? x - y : x.localeCompare(y);
    return ascending ? order : -order;
  };
  table.tBodies[0].append(...[...table.tBodies[0].rows].sort(compare));
  for (const other of table.querySelectorAll("th")) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", ascending ? "ascending" : "descending");
}

for (const table of document.querySelectorAll("table.sortable")) {
  [...table.tHead.rows[0].cells].forEach((header, column) => {
    const button = element("button", { type: "button" }, ...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => sortBy(table, column, header));
  });
}

/* ---- maps ---- */

function poses(episode) {
  const found = [];
  for (let k = 0; k < episode.walk.length; k += 3) {
    found.push({ x: episode.walk[k], y: -episode.walk[k + 1], heading: episode.walk[k + 2] });
  }
  return found;
}

function targetMark(x, y) {
  return [
    shape("circle", { class: "target", cx: x, cy: y, r: 0.24 }),
    shape("circle", { class: "ring", cx: x, cy: y, r: 0.42 }),
  ];
}

const otherMark = (x, y) =>
  shape("path", { class: "other", d: `M${x - 0.4} ${y}l.4-.4l.4 .4l-.4 .4z` });
const startMark = (x, y) => shape("circle", { class: "start", cx: x, cy: y, r: 0.26 });

function agentMark(pose) {
  const [u, v] = HEADINGS[pose.heading];
  const nose = `M${0.62 * u} ${0.62 * v}L${-0.3 * u - 0.36 * v} ${-0.3 * v + 0.36 * u}`;
  const d = `${nose}L${-0.3 * u + 0.36 * v} ${-0.3 * v - 0.36 * u}z`;
  return shape("path", { class: "agent", d, transform: `translate(${pose.x} ${pose.y})` });
}

function house(map, withNames) {
  const parts = [["wall", map.floors], ["floor", map.floors], ["door", map.doors],
    ["rug", map.rugs], ["thing", map.things]].map(([kind, d]) => shape("path", { class: kind, d }));
  if (withNames) {
    for (const [name, x, y, width] of map.rooms) {
      const upright = width < 0.28 * name.length ? `rotate(-90 ${x} ${y})` : "";
      parts.push(shape("text", { x, y, transform: upright }, name));
    }
  }
  return parts;
}

const lineThrough = (way) =>
  way.map((pose, k) => `${k ? "L" : "M"}${pose.x} ${pose.y}`).join("");

/* The map with everything that does not move; the agent stands at its last pose. */
function drawing(episode, withNames) {
  const map = data.maps[episode.scene];
  const svg = shape("svg", { class: "map", viewBox: map.box.join(" "), role: "img" });
  const way = poses(episode);
  const ahead = shape("path", { class: "walk ahead", d: lineThrough(way) });
  const walked = shape("path", { class: "walk", d: lineThrough(way) });
  svg.append(...house(map, withNames), ahead, walked);
  episode.sources.slice(1).forEach(([x, y]) => svg.append(otherMark(x, -y)));
  const [x, y] = episode.sources[0];
  svg.append(...targetMark(x, -y), startMark(way[0].x, way[0].y));
  const agent = agentMark(way[way.length - 1]);
  svg.append(agent);
  return { svg, agent, walked, way };
}

const signed = (score, unit) =>
  score === null ? "undefined" : `${score.toFixed(2)}${unit ? " " + unit : ""}`;

function card(episode, suite) {
  const made = element("button", { class: "card", type: "button" }, drawing(episode, false).svg);
  const why = episode.why ? `${episode.why}: ` : "";
  const text = element("p", {}, why, element("b", {}, signed(episode.score, suite.unit)));
  const place = [episode.scene, episode.group, `episode ${episode.episode}`].filter(Boolean);
  text.append(element("br"), place.join(", "));
  if (episode.audio) text.append(element("br"), "\u25B6 with sound");
  made.append(text);
  return made;
}

/* ---- the player ---- */

const dialog = document.getElementById("player");
let stopPlaying = () => {};

function chart(series) {
  const known = series.filter((value) => value !== null);
  let [low, high] = [Math.min(0, ...known), Math.max(0, ...known)];
  if (low === high) [low, high] = [low - 1, high + 1];
  const across = (step) => (100 * step) / series.length;
  const down = (value) => (100 * (high - value)) / (high - low);
  const svg = shape("svg", { class: "chart", viewBox: "0 0 100 100", preserveAspectRatio: "none" });
  svg.append(shape("line", { x1: 0, x2: 100, y1: down(0), y2: down(0) }));
  let points = [];
  const flush = () => {
    if (points.length) svg.append(shape("polyline", { points: points.join(" ") }));
    points = [];
  };
  series.forEach((value, k) => {
    if (value === null) return flush();
    points.push(`${across(k)},${down(value)}`, `${across(k + 1)},${down(value)}`);
  });
  flush();
  const now = shape("line", { class: "now", y1: 0, y2: 100 });
  svg.append(now);
  const moveTo = (step) => ["x1", "x2"].forEach((key) => now.setAttribute(key, across(step)));
  return { svg, moveTo, low, high };
}

function openPlayer(episode, agentName, suite) {
  stopPlaying();
  const picture = drawing(episode, true);
  const { svg, way } = picture;
  const steps = way.length - 1;
  const graph = chart(episode.series);
  const slider = element("input", { type: "range", min: 0, max: steps, step: 1, "aria-label": "second" });
  const clock = element("span");
  const show = (step) => {
    const agent = agentMark(way[step]);
    picture.agent.replaceWith(agent);
    picture.agent = agent;
    picture.walked.setAttribute("d", lineThrough(way.slice(0, step + 1)));
    slider.value = step;
    graph.moveTo(step);
    const value = step ? episode.series[step - 1] : undefined;
    const score = value === undefined ? "" : value === null ? ", target silent" : `, ${signed(value, suite.unit)}`;
    clock.textContent = `${step} s${score}`;
  };
  const play = element("button", { class: "play", type: "button" }, "Play");
  playing(episode, steps, show, slider, play);
  const close = element("button", { class: "play", type: "button" }, "Close");
  close.addEventListener("click", () => dialog.close());
  const what = element("p", {}, element("b", {}, `${agentName}: ${signed(episode.score, suite.unit)}`));
  const place = [episode.scene, episode.group, `episode ${episode.episode}`].filter(Boolean);
  what.append(element("br"), `${place.join(", ")}; target: ${episode.target}`);
  const axis = element("div", { class: "axis" }, element("span", {}, `${suite.metric} from ` +
    `${graph.low.toFixed(1)} to ${graph.high.toFixed(1)} ${suite.unit}, second by second`), clock);
  dialog.replaceChildren(element("header", {}, what, close), svg,
    element("div", { class: "controls" }, play, slider), graph.svg, axis);
  show(0);
  dialog.showModal();
}

/* With sound the sound is the clock: during second k the agent stands at pose k + 1. */
function playing(episode, steps, show, slider, button) {
  const sound = episode.audio ? new Audio(`data:audio/ogg;base64,${episode.audio}`) : null;
  let timer = null;
  const halt = () => {
    clearInterval(timer);
    timer = null;
    if (sound) sound.pause();
    button.textContent = "Play";
  };
  const tick = () => {
    const step = sound ? Math.min(steps, Math.floor(sound.currentTime) + 1) : Number(slider.value) + 1;
    if (step > steps || (sound && sound.ended)) return halt();
    show(step);
  };
  const start = () => {
    if (Number(slider.value) >= steps) show(0);
    if (sound) {
      sound.currentTime = Number(slider.value);
      sound.play().catch(() => { halt(); button.textContent = "This browser cannot play Ogg Opus"; });
    }
    timer = setInterval(tick, sound ? 100 : 1000 / SILENT_STEPS_PER_SECOND);
    button.textContent = "Pause";
  };
  button.addEventListener("click", () => (timer ? halt() : start()));
  slider.addEventListener("input", () => {
    halt();
    show(Number(slider.value));
  });
  stopPlaying = halt;
}

dialog.addEventListener("close", () => stopPlaying());
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });

/* ---- galleries ---- */

function legend() {
  const symbol = (...marks) => shape("svg", { class: "map", viewBox: "-.7 -.7 1.4 1.4" }, ...marks);
  return element("div", { class: "legend" },
    element("span", {}, symbol(startMark(0, 0)), " start"),
    element("span", {}, symbol(agentMark({ x: 0, y: 0, heading: 1 })), " agent at the end"),
    element("span", {}, symbol(...targetMark(0, 0)), " target"),
    element("span", {}, symbol(otherMark(0, 0)), " other sound"));
}

for (const place of document.querySelectorAll("[data-gallery]")) {
  const suite = data.suites[place.dataset.gallery];
  const tabs = element("div", { class: "tabs" });
  const cards = element("div", { class: "cards" });
  const choose = (chosen) => {
    [...tabs.children].forEach((tab, k) => tab.setAttribute("aria-pressed", k === chosen));
    const agent = suite.agents[chosen];
    cards.replaceChildren(...agent.episodes.map((episode) => {
      const made = card(episode, suite);
      made.addEventListener("click", () => openPlayer(episode, agent.name, suite));
      return made;
    }));
  };
  suite.agents.forEach((agent, k) => {
    const tab = element("button", { type: "button" }, agent.name);
    tab.addEventListener("click", () => choose(k));
    tabs.append(tab);
  });
  place.replaceChildren(tabs, legend(), cards);
  choose(0);
}
