"use strict";
/* What is heard, as pictures: computed here from the sounds in the page, so that they cost no bytes. */

const [WINDOW, ROWS, COLUMNS] = [512, 128, 480]; // samples; pixels up to half of the highest frequency
const RANGE_DB = 60;
/* "inferno" by Smith and van der Walt (CC0), every eighth of the way; lightness rises evenly. */
const HEAT = [[0, 0, 4], [33, 12, 74], [87, 16, 110], [138, 34, 106], [188, 55, 84], [228, 90, 49],
  [249, 142, 9], [249, 203, 53], [252, 255, 164]];

/* Squared magnitudes of a windowed piece: an FFT of radix 2. */
function powers(samples, from) {
  const re = new Float64Array(WINDOW), im = new Float64Array(WINDOW);
  for (let n = 0, r = 0; n < WINDOW; n++) {
    re[r] = (samples[from + n] ?? 0) * (0.5 - 0.5 * Math.cos((2 * Math.PI * n) / WINDOW));
    let bit = WINDOW >> 1;
    while (r & bit) { r ^= bit; bit >>= 1; }
    r |= bit;
  }
  for (let size = 2; size <= WINDOW; size *= 2) {
    for (let k = 0; k < size / 2; k++) {
      const [c, s] = [Math.cos((2 * Math.PI * k) / size), -Math.sin((2 * Math.PI * k) / size)];
      for (let a = k; a < WINDOW; a += size) {
        const b = a + size / 2;
        const [x, y] = [re[b] * c - im[b] * s, re[b] * s + im[b] * c];
        [re[b], im[b], re[a], im[a]] = [re[a] - x, im[a] - y, re[a] + x, im[a] + y];
      }
    }
  }
  return re.map((x, k) => x * x + im[k] * im[k]);
}

/* Of each ear, one spectrum per column of the picture. */
async function spectra(base64) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const sound = await new OfflineAudioContext(1, 1, 16000).decodeAudioData(bytes.buffer);
  return Array.from({ length: sound.numberOfChannels }, (_, ear) => {
    const samples = sound.getChannelData(ear);
    return Array.from({ length: COLUMNS }, (_, column) =>
      powers(samples, Math.floor((column * samples.length) / COLUMNS)));
  });
}

/* Red, green and blue of a level, of which less than 0 is as 0 and more than 1 is as 1. */
function heat(level) {
  const place = Math.min(1, Math.max(0, level)) * (HEAT.length - 1);
  const [low, high] = [HEAT[Math.floor(place)], HEAT[Math.ceil(place)]];
  return low.map((value, k) => value + (place % 1) * (high[k] - value));
}

/* Draws the spectra of one sound, one ear above the other; `top` is 0 dB. */
function drawSpectrogram(canvas, ears, top) {
  canvas.height = ears.length * ROWS;
  canvas.classList.toggle("ears", ears.length > 1);
  const context = canvas.getContext("2d");
  const image = context.createImageData(COLUMNS, canvas.height);
  ears.forEach((columns, e) => columns.forEach((one, x) => {
    for (let row = 0; row < ROWS; row++) {
      const bin = Math.floor(((ROWS - 1 - row) * WINDOW) / 2 / ROWS);
      const level = 1 + (10 * Math.log10(one[bin] / top + 1e-12)) / RANGE_DB;
      const place = 4 * ((e * ROWS + row) * COLUMNS + x);
      image.data.set([...heat(level), 255], place);
    }
  }));
  context.putImageData(image, 0, 0);
  canvas.dataset.drawn = "yes";
}

/* All on one scale: the loudest of all sounds is 0 dB. */
function drawAll(canvases, all) {
  const loudest = (columns) => Math.max(...columns.map((one) => Math.max(...one)));
  const top = Math.max(1e-12, ...all.flat().map(loudest));
  all.forEach((ears, k) => drawSpectrogram(canvases[k], ears, top));
}

/* What a sound is, as the choice of it where there are several. */
function caption({ name, note }, k, isChoice, choose) {
  const words = [element("b", {}, name), ` ${note}`];
  if (!isChoice) return element("p", {}, ...words);
  const button = element("input", { type: "radio", name: "track", ...(k ? {} : { checked: "" }) });
  button.addEventListener("change", () => choose(k));
  return element("label", {}, button, " ", ...words);
}

/* The sounds of an episode below each other, or why there is no estimate; `moveTo` marks a share of
   their length, and `choose` is called with the number of the sound that is to be played. */
function spectrograms(tracks, noEstimate, choose) {
  const canvases = tracks.map(({ name }) => element("canvas", { width: COLUMNS, height: ROWS,
    role: "img", "aria-label": `spectrogram of the ${name}` }));
  const marks = tracks.map(() => element("i", { class: "now" }));
  const parts = tracks.map((track, k) => element("div", { class: "track" },
    caption(track, k, tracks.length > 1, choose), element("div", { class: "heard" }, canvases[k], marks[k])));
  if (noEstimate) {
    parts.splice(1, 0, element("div", { class: "track" }, // where the estimate would be
      element("p", {}, element("b", {}, "no estimate"), ` ${noEstimate}`)));
  }
  const words = `0 to 8 kHz, ${RANGE_DB} dB from dark to bright` +
    (tracks.length > 1 ? ", on one scale; all are played equally loud" : "");
  const box = element("div", { class: "tracks", role: "radiogroup", "aria-label": "sound that is played" },
    ...parts, element("div", { class: "axis" }, element("span", {}, words)));
  if (tracks.length === 1) ["role", "aria-label"].forEach((key) => box.removeAttribute(key));
  Promise.all(tracks.map((track) => spectra(track.ogg))).then((all) => drawAll(canvases, all), () => {
    for (const canvas of canvases) canvas.parentNode.replaceWith("This browser cannot draw the sound.");
  });
  return { box, moveTo: (share) => marks.forEach((mark) => { mark.style.left = `${100 * share}%`; }) };
}
