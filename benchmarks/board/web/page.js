/* Sorts the tables and draws the episodes on their maps. All data lies in the page as JSON; see
   gallery.py for its form. On the maps y points down, so y is negated. */

const data = JSON.parse(document.getElementById("data").textContent);
const HEADINGS = [[1, 0], [0, -1], [-1, 0], [0, 1]]; // east, north, west, south
const WALKER_COLOURS = 4; // as many as page.css has
const WALKERS_APART = 0.14; // m
const FINE_STRIDE = 0.75; // m; ways of shorter steps are drawn thinner

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

/* The ways of all walkers: one agent, or the robots of a team. */
const waysOf = ({ walkers, stride }) => walkers.map((one) => wayOf(one, stride));

function wayOf(walker, stride) {
  let [x, y, heading] = [walker.start[0], -walker.start[1], walker.start[2]];
  const found = [{ x, y, heading }];
  for (const move of walker.moves) {
    if (move === "F") {
      x += stride * HEADINGS[heading][0];
      y += stride * HEADINGS[heading][1];
    }
    heading = (heading + ({ L: 1, R: 3 }[move] ?? 0)) % 4;
    found.push({ x, y, heading });
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
const headMark = (x, y) =>
  shape("path", { class: "other", d: `M${x - 0.28} ${y - 0.28}h.56v.56h-.56z` });
const startMark = (x, y, size = 1) =>
  shape("circle", { class: "start", cx: x, cy: y, r: 0.26 * size });

function agentMark(pose, size = 1) {
  const [u, v] = HEADINGS[pose.heading];
  const nose = `M${0.62 * u} ${0.62 * v}L${-0.3 * u - 0.36 * v} ${-0.3 * v + 0.36 * u}`;
  const d = `${nose}L${-0.3 * u + 0.36 * v} ${-0.3 * v - 0.36 * u}z`;
  return shape("path", { class: "agent", d, transform: `translate(${pose.x} ${pose.y}) scale(${size})` });
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

/* What stands still: the sounds, or the loudspeakers and dummy heads of a team. */
function standing({ sources, receivers, target }) {
  const marks = receivers.map(([x, y]) => headMark(x, -y));
  if (target === null) return [...sources.map(([x, y]) => otherMark(x, -y)), ...marks];
  const [[x, y], ...others] = sources;
  return [...others.map(([u, v]) => otherMark(u, -v)), ...targetMark(x, -y), ...marks];
}

/* One walker in its colour, a little aside so that ways along the same line are told apart;
   `show` puts it where it is after a number of steps. */
function walker(way, number, count, size) {
  const aside = size * WALKERS_APART * (number - (count - 1) / 2);
  const look = { class: `walker-${number % WALKER_COLOURS}`, transform: `translate(${aside} ${aside})` };
  const line = { d: lineThrough(way) };
  const walked = shape("path", { class: "walk", ...line });
  let agent = agentMark(way[way.length - 1], size);
  const below = shape("g", look, shape("path", { class: "walk ahead", ...line }), walked);
  const above = shape("g", look, startMark(way[0].x, way[0].y, size), agent);
  const show = (step) => {
    const moved = agentMark(way[step], size);
    agent.replaceWith(moved);
    agent = moved;
    walked.setAttribute("d", lineThrough(way.slice(0, step + 1)));
  };
  return { below, above, show };
}

/* The map with everything on it; all walkers stand at their last pose. */
function drawing(episode, withNames) {
  const map = data.maps[episode.scene];
  const isFine = episode.replay.stride < FINE_STRIDE;
  const look = isFine ? "map fine" : "map";
  const label = `map of ${episode.scene} with the way through it`;
  const svg = shape("svg", { class: look, viewBox: map.box.join(" "), role: "img", "aria-label": label });
  const ways = waysOf(episode.replay);
  const walkers = ways.map((way, k) => walker(way, k, ways.length, isFine ? 0.6 : 1));
  svg.append(...house(map, withNames), ...walkers.map((one) => one.below), ...standing(episode.replay),
    ...walkers.map((one) => one.above));
  const show = (step) => walkers.forEach((one) => one.show(step));
  return { svg, steps: ways[0].length - 1, show };
}

const rounded = (value, digits) => (value === null ? "undefined" : value.toFixed(digits));
const withUnit = (text, suite) => (suite.unit ? `${text} ${suite.unit}` : text);
const signed = (score, suite) =>
  score === null ? "undefined" : withUnit(rounded(score, suite.digits), suite);

/* The score, and what must be read with it. */
function verdict(episode, suite) {
  const others = Object.entries(episode.beside)
    .map(([name, value]) => `, ${name} ${rounded(value, suite.digits)}`);
  const name = others.length ? `${suite.metric} ` : "";
  return name + signed(episode.score, suite) + others.join("");
}

function card(episode, suite) {
  const made = element("button", { class: "card", type: "button" }, drawing(episode, false).svg);
  const why = episode.why ? `${episode.why}: ` : "";
  const text = element("p", {}, why, element("b", {}, verdict(episode, suite)));
  const place = [episode.scene, episode.group, `episode ${episode.episode}`].filter(Boolean);
  text.append(element("br"), place.join(", "));
  if (episode.tracks) text.append(element("br"), `\u25B6 with sound${episode.views ? " and view" : ""}`);
  made.append(text);
  return made;
}

/* ---- galleries ---- */

function legend(episode) {
  const symbol = (...marks) => shape("svg", { class: "map", viewBox: "-.7 -.7 1.4 1.4" }, ...marks);
  const entry = (text, ...marks) => element("span", {}, symbol(...marks), ` ${text}`);
  const box = element("div", { class: "legend" });
  const { walkers, sources, receivers, target } = episode.replay;
  box.append(entry("start", startMark(0, 0)));
  if (target !== null) {
    box.append(entry("agent at the end", agentMark({ x: 0, y: 0, heading: 1 })),
      entry("target", ...targetMark(0, 0)), entry("other sound", otherMark(0, 0)));
    return box;
  }
  walkers.forEach((_, k) => {
    const mark = shape("g", { class: `walker-${k % WALKER_COLOURS}` },
      agentMark({ x: 0, y: 0, heading: 1 }));
    box.append(entry(`robot_${k} at the end`, mark));
  });
  if (sources.length) box.append(entry("loudspeaker", otherMark(0, 0)));
  if (receivers.length) box.append(entry("dummy head", headMark(0, 0)));
  return box;
}

for (const place of document.querySelectorAll("[data-gallery]")) {
  const suite = data.suites[place.dataset.gallery];
  const tabs = element("div", { class: "tabs" });
  const cards = element("div", { class: "cards" });
  const list = element("div", { "aria-live": "polite" });
  let [number, scene] = [0, ""];
  const choose = (chosen, there) => {
    [number, scene] = [chosen, there];
    [...tabs.children].forEach((tab, k) => tab.setAttribute("aria-pressed", k === chosen));
    const agent = suite.agents[chosen];
    houses.select.value = scene;
    list.replaceChildren(houseList(agent, scene, suite));
    const shown = agent.episodes.filter((episode) => !scene || episode.scene === scene);
    cards.replaceChildren(...shown.map((episode) => {
      const made = card(episode, suite);
      made.addEventListener("click", () => openPlayer(episode, agent.name, suite));
      return made;
    }));
  };
  suite.agents.forEach((agent, k) => {
    const tab = element("button", { type: "button" }, agent.name);
    tab.addEventListener("click", () => choose(k, scene));
    tabs.append(tab);
  });
  const houses = houseChoice(suite, (there) => choose(number, there));
  place.replaceChildren(profile(suite), tabs, houses.label, list, legend(suite.agents[0].episodes[0]), cards);
  choose(0, "");
  const table = place.closest("section").querySelector("table.heat");
  if (table) {
    linkCells(table, (name, there) => {
      choose(Math.max(0, suite.agents.findIndex((agent) => agent.name === name)), there);
      tabs.scrollIntoView();
    });
  }
}
