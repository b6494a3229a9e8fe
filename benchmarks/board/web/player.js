/* Plays an episode: map, camera, score, and the sounds with their spectrograms, all at one time. */

const SILENT_STEPS_PER_SECOND = 4;
const SERIES_DIGITS = 2; // as recorded
const dialog = document.getElementById("player");
let stopPlaying = () => {};

function chart(series) {
  const known = series.filter((value) => value !== null);
  let [low, high] = [Math.min(0, ...known), Math.max(0, ...known)];
  if (low === high) [low, high] = [low - 1, high + 1];
  const across = (step) => (100 * step) / series.length;
  const down = (value) => (100 * (high - value)) / (high - low);
  const svg = shape("svg", { class: "chart", "aria-hidden": "true", viewBox: "0 0 100 100", preserveAspectRatio: "none" });
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

/* Who and where, and a button that ends it. */
function headline(episode, agentName, suite) {
  const close = element("button", { class: "play", type: "button" }, "Close");
  close.addEventListener("click", () => dialog.close());
  const place = [episode.scene, episode.group, `episode ${episode.episode}`].filter(Boolean).join(", ");
  const target = episode.replay.target ? `; target: ${episode.replay.target}` : "";
  const what = element("p", {}, element("b", {}, `${agentName}: ${verdict(episode, suite)}`),
    element("br"), place + target);
  return element("header", {}, what, close);
}

const walkerNames = ({ target, walkers }) =>
  target === null ? walkers.map((_, k) => `robot_${k}`) : ["the agent"];

function openPlayer(episode, agentName, suite) {
  stopPlaying();
  const picture = drawing(episode, true);
  const { steps } = picture;
  const graph = chart(episode.series);
  const unit = episode.replay.target === null ? "step" : "second"; // robots measure more than once in a second
  const slider = element("input", { type: "range", min: 0, max: steps, step: 1, "aria-label": unit });
  const clock = element("span");
  const camera = episode.views ? cameraViews(episode.views, walkerNames(episode.replay)) : null;
  const play = element("button", { class: "play", type: "button" }, "Play");
  const heard = episode.tracks ? spectrograms(episode.tracks, episode.no_estimate, (k) => sound.choose(k)) : null;
  const show = (step) => {
    picture.show(step);
    slider.value = step;
    if (heard) heard.moveTo(step / steps);
    if (camera) camera.show(step);
    graph.moveTo(step);
    const value = episode.series[step - 1];
    const silent = episode.replay.target ? "target silent" : "undefined";
    const known = value == null ? silent : withUnit(value.toFixed(SERIES_DIGITS), suite);
    clock.textContent = (unit === "second" ? `${step} s` : `step ${step}`) + (step ? `, ${known}` : "");
  };
  const sound = playing(episode, steps, show, slider, play);
  const range = withUnit(`${graph.low.toFixed(1)} to ${graph.high.toFixed(1)}`, suite);
  const axis = element("div", { class: "axis" },
    element("span", {}, `${suite.metric} from ${range}, ${unit} by ${unit}`), clock);
  dialog.replaceChildren(headline(episode, agentName, suite),
    element("div", { class: "stage" }, picture.svg, ...(camera ? [camera.box] : [])),
    element("div", { class: "controls" }, play, slider), graph.svg, axis, ...(heard ? [heard.box] : []));
  show(0);
  dialog.showModal();
}

/* With sound the sound is the clock: during step k the agent stands at pose k + 1. `choose` changes
   over to another track at the same time. */
function playing(episode, steps, show, slider, button) {
  const pace = episode.pace ?? SILENT_STEPS_PER_SECOND; // steps in a second
  const sounds = (episode.tracks ?? []).map((track) => new Audio(`data:audio/ogg;base64,${track.ogg}`));
  let [sound, timer] = [sounds[0] ?? null, null];
  const halt = () => {
    clearInterval(timer);
    timer = null;
    if (sound) sound.pause();
    button.textContent = "Play";
  };
  const tick = () => {
    const step = sound ? Math.min(steps, Math.floor(pace * sound.currentTime) + 1) : Number(slider.value) + 1;
    if (step > steps || (sound && sound.ended)) return halt();
    show(step);
  };
  const sing = (from) => {
    sound.currentTime = from;
    sound.play().catch((fault) => {
      if (fault.name === "AbortError") return; // paused or changed over before it began
      halt();
      button.textContent = "This browser cannot play Ogg Opus";
    });
  };
  const start = () => {
    if (Number(slider.value) >= steps) show(0);
    if (sound) sing(Number(slider.value) / pace);
    timer = setInterval(tick, (sound ? 100 : 1000) / pace);
    button.textContent = "Pause";
  };
  const choose = (k) => {
    const from = sound.currentTime;
    sound.pause();
    sound = sounds[k];
    if (timer) sing(from);
  };
  button.addEventListener("click", () => (timer ? halt() : start()));
  slider.addEventListener("input", () => {
    halt();
    show(Number(slider.value));
  });
  stopPlaying = halt;
  return { choose };
}

dialog.addEventListener("close", () => stopPlaying());
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
