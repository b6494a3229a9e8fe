/* What the walkers see, from one picture of many tiles; see views.py for its form. */

/* A picture for each walker; `show` puts in what it sees after a number of steps. */
function cameraViews(sheet, names) {
  const canvases = names.map((name) => element("canvas", { width: sheet.size, height: sheet.size,
    role: "img", "aria-label": `what ${name} sees` }));
  const figures = canvases.map((canvas, k) =>
    element("figure", { class: `walker-${k % WALKER_COLOURS}` }, canvas,
      element("figcaption", {}, `${names[k]} sees`)));
  const tiles = new Image();
  let now = 0;
  const draw = () => canvases.forEach((canvas, k) => {
    const tile = sheet.tiles[k][Math.floor(now / sheet.every)];
    const [column, row] = [tile % sheet.columns, Math.floor(tile / sheet.columns)];
    const { size } = sheet;
    canvas.getContext("2d").drawImage(tiles, size * column, size * row, size, size, 0, 0, size, size);
    canvas.dataset.tile = tile;
  });
  const show = (step) => {
    now = step;
    if (tiles.naturalWidth) draw();
  };
  tiles.addEventListener("load", draw);
  tiles.src = `data:image/png;base64,${sheet.png}`;
  const rarely = sheet.every > 1 ? [element("p", {}, `one view in ${sheet.every} steps`)] : [];
  return { box: element("div", { class: "views" }, ...figures, ...rarely), show };
}
