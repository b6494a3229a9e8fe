/* Every episode of a suite: how its scores are spread, and those of one house.
   `agent.scores` holds [scene, group, episode, score] of every episode. */

const colourOf = (k, count) => `hsl(${Math.round((360 * k) / count)} 60% 50%)`;

/* The share of episodes that score at least so much, one line per agent. */
function profile(suite) {
  const lists = suite.agents.map((agent) =>
    agent.scores.map((entry) => entry[3]).filter((score) => score !== null).sort((a, b) => a - b));
  const all = lists.flat();
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const across = (score) => (high > low ? (100 * (score - low)) / (high - low) : 50);
  const svg = shape("svg", { class: "chart profile", viewBox: "0 0 100 100", preserveAspectRatio: "none",
    role: "img", "aria-label": `share of episodes with at least a given ${suite.metric}, by agent` });
  svg.append(...[0, 50, 100].map((y) => shape("line", { x1: 0, x2: 100, y1: y, y2: y })));
  const names = element("div", { class: "legend" });
  lists.forEach((scores, k) => {
    const points = scores.flatMap((score, n) =>
      [n, n + 1].map((m) => `${across(score)},${(100 * m) / scores.length}`));
    const style = `--walk: ${colourOf(k, lists.length)}`;
    svg.append(shape("polyline", { points: ["0,0", ...points].join(" "), style }));
    names.append(element("span", {}, element("i", { style }), ` ${suite.agents[k].name}`));
  });
  const ends = [low, high].map((end) => element("span", {}, withUnit(rounded(end, suite.digits), suite)));
  const axis = element("div", { class: "axis" }, ends[0],
    element("span", {}, "share of episodes (top: all) that score at least so much"), ends[1]);
  return element("div", {}, svg, axis, names);
}

/* The scores of an agent in one house, or a hint where no house is chosen. */
function houseList(agent, scene, suite) {
  if (!scene) return element("p", { class: "quiet" }, "Choose a house here or in the table above for its episodes.");
  const mine = agent.scores.filter((entry) => entry[0] === scene);
  const items = mine.map(([, group, episode, score]) =>
    element("li", {}, [group, `episode ${episode}: ${signed(score, suite)}`].filter(Boolean).join(", ")));
  return element("div", {}, element("b", {}, `${agent.name} in ${scene}`), element("ul", { class: "list" }, ...items));
}

/* A labelled choice of a house; `choose` is called with its name, "" for all. */
function houseChoice(suite, choose) {
  const scenes = [...new Set(suite.agents.flatMap((agent) => agent.scores.map((entry) => entry[0])))];
  const select = element("select", {}, element("option", { value: "" }, "all houses"),
    ...scenes.map((scene) => element("option", { value: scene }, scene)));
  select.addEventListener("change", () => choose(select.value));
  return { label: element("label", {}, "House ", select), select };
}

/* The cells of the table of houses lead to their episodes. */
function linkCells(table, go) {
  for (const row of table.tBodies[0].rows) {
    for (const cell of row.querySelectorAll("td[data-scene]")) {
      const { scene } = cell.dataset;
      const label = `${row.dataset.agent} in ${scene}: ${cell.textContent}`;
      const button = element("button", { type: "button", "aria-label": label }, ...cell.childNodes);
      button.addEventListener("click", () => go(row.dataset.agent, scene));
      cell.append(button);
    }
  }
}
