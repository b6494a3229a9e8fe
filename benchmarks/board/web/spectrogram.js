"use strict";
/* What is heard, as a picture: computed here from the sound in the page, so that it costs no bytes. */

const [WINDOW, ROWS, COLUMNS] = [512, 128, 480]; // samples; pixels up to half of the highest frequency
const RANGE_DB = 60;

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

/* Draws both ears, decoded at 16 kHz, on a canvas; the loudest is 0 dB. */
async function drawSpectrogram(canvas, base64) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const sound = await new OfflineAudioContext(1, 1, 16000).decodeAudioData(bytes.buffer);
  const channels = [0, 1].map((k) => sound.getChannelData(Math.min(k, sound.numberOfChannels - 1)));
  const columns = channels.map((samples) => Array.from({ length: COLUMNS }, (_, column) =>
    powers(samples, Math.floor((column * samples.length) / COLUMNS))));
  const top = Math.max(1e-12, ...columns.flat().map((one) => Math.max(...one)));
  const context = canvas.getContext("2d");
  const image = context.createImageData(COLUMNS, 2 * ROWS);
  columns.forEach((ear, e) => ear.forEach((one, x) => {
    for (let row = 0; row < ROWS; row++) {
      const bin = Math.floor(((ROWS - 1 - row) * WINDOW) / 2 / ROWS);
      const level = Math.max(0, 1 + (10 * Math.log10(one[bin] / top + 1e-12)) / RANGE_DB);
      const place = 4 * ((e * ROWS + row) * COLUMNS + x);
      image.data.set([255 * level ** 1.5, 230 * level ** 2, 80 + 90 * level * (1 - level), 255], place);
    }
  }));
  context.putImageData(image, 0, 0);
  canvas.dataset.drawn = "yes";
}

/* A picture of the sound with its axes; `moveTo` marks a share of its length. */
function spectrogram(base64) {
  const canvas = element("canvas", { width: COLUMNS, height: 2 * ROWS, role: "img",
    "aria-label": "spectrogram of what is heard, left ear above the right one" });
  const now = element("i", { class: "now" });
  const words = `left ear above right ear, each 0 to 8 kHz; ${RANGE_DB} dB from dark to bright`;
  const box = element("div", {}, element("div", { class: "heard" }, canvas, now),
    element("div", { class: "axis" }, element("span", {}, words)));
  drawSpectrogram(canvas, base64).catch(() => box.replaceChildren("This browser cannot draw the sound."));
  return { box, moveTo: (share) => { now.style.left = `${100 * share}%`; } };
}
