// Charts: drawn by Observable Plot, described for the keyboard and for readers, saved as SVG and PNG.

const LINE = "var(--line)";
const FAINT = "var(--faint)";
const COLOURS = Array.from({ length: 8 }, (_, at) => `var(--c${at})`);
const SYMBOLS = ["circle", "square2", "triangle2", "diamond2", "star", "wye", "plus"];

/** A number with an SI prefix, for axes; figures in words come with the data. */
function short(value) {
  if (value === 0) return "0";
  const prefixes = ["p", "n", "µ", "m", "", "k", "M", "G", "T", "P", "E"];
  const at = Math.min(10, Math.max(0, Math.floor(Math.log10(Math.abs(value)) / 3 + 1e-9) + 4));
  return `${Number((value / 10 ** (3 * (at - 4))).toPrecision(3))}${prefixes[at] === "" ? "" : ` ${prefixes[at]}`}`;
}

/** Ends of a logarithmic axis around values, with air, and its ticks: decades, or also 2 and 5 where there are few. */
function logAxis(values) {
  const known = values.filter((value) => value > 0 && Number.isFinite(value));
  const [low, high] = known.length ? d3.extent(known) : [1, 10];
  const air = Math.max(0.08, Math.log10(high / low) * 0.06);
  const domain = [low * 10 ** -air, high * 10 ** air];
  const decades = d3.range(Math.floor(Math.log10(domain[0])), Math.ceil(Math.log10(domain[1])) + 1);
  const step = Math.max(1, Math.ceil(decades.length / 8));
  const fine = decades.length <= 3 ? [1, 2, 5] : [1];
  const ticks = decades.filter((_, at) => at % step === 0).flatMap((decade) => fine.map((digit) => digit * 10 ** decade)).filter((tick) => tick >= domain[0] && tick <= domain[1]);
  return { domain, ticks };
}

/** A chart with its title, its numbers and its buttons. `draw(width)` gives Plot's options and the points that can be
 * visited: `{ options, points: [{ x, y, text }] }`, x and y in the units of the axes. */
function chart({ title, about, marks = [], legend = null, draw, numbers }) {
  const tip = el("div", { class: "tip", "aria-hidden": "true", hidden: true });
  const spoken = el("p", { class: "spoken", "aria-live": "polite" });
  const place = el("div", { class: "plot", tabindex: "0", role: "group", "aria-roledescription": "chart", "aria-label": `${title}. Arrow keys go from point to point.` });
  let svg = null;
  let points = [];
  let at = -1;
  let ring = null;

  function visit(index, speak) {
    at = index;
    const point = points[index];
    if (!ring) {
      ring = document.createElementNS("http://www.w3.org/2000/svg", "circle");
      ring.setAttribute("class", "ring");
      ring.setAttribute("r", "8");
      ring.setAttribute("fill", "none");
    }
    svg.append(ring);
    ring.setAttribute("cx", point.px);
    ring.setAttribute("cy", point.py);
    tip.textContent = point.text;
    tip.hidden = false;
    const room = place.clientWidth;
    tip.style.setProperty("left", `${Math.max(0, Math.min(point.px + 12, room - tip.offsetWidth))}px`);
    tip.style.setProperty("top", `${point.py + 12}px`);
    if (speak) spoken.textContent = `${point.text.replaceAll("\n", ", ")}. Point ${index + 1} of ${points.length}.`;
  }

  function leave() {
    at = -1;
    tip.hidden = true;
    if (ring) ring.remove();
  }

  function drawn() {
    const width = Math.max(280, Math.min(960, place.clientWidth || 640));
    const { options, points: given } = draw(width);
    const caution = marks.length ? [Plot.text([marks.join(" · ")], { frameAnchor: "top-right", dy: -16, fontWeight: 700, fontSize: 12, fill: "var(--alarm)", textAnchor: "end" })] : [];
    const figure = Plot.plot({ width, marginBottom: 44, style: { background: "transparent", fontSize: "12px", color: "inherit" }, ...options, marks: [...options.marks, ...caution] });
    svg = figure;
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", [title, ...marks].join(", "));
    // Plot names the parts of a picture; a group without a role may have no name.
    for (const part of svg.querySelectorAll("[aria-label]")) part.removeAttribute("aria-label");
    const [x, y] = [svg.scale("x"), svg.scale("y")];
    const middle = (scale) => (scale && scale.bandwidth ? scale.bandwidth / 2 : 0);
    points = (given ?? []).map((point) => ({ ...point, px: x.apply(point.x) + middle(x), py: y.apply(point.y) + middle(y) })).filter((point) => Number.isFinite(point.px) && Number.isFinite(point.py));
    ring = null;
    at = -1;
    tip.hidden = true;
    place.replaceChildren(svg, tip);
  }

  place.addEventListener("pointermove", (event) => {
    if (!svg || points.length === 0) return;
    const box = svg.getBoundingClientRect();
    const scale = svg.viewBox.baseVal.width / box.width;
    const [x, y] = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
    const near = d3.least(points.keys(), (index) => Math.hypot(points[index].px - x, points[index].py - y));
    if (Math.hypot(points[near].px - x, points[near].py - y) < 40) visit(near, false);
    else leave();
  });
  place.addEventListener("pointerleave", leave);
  place.addEventListener("blur", leave);
  place.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") leave();
    if (points.length === 0) return;
    if (event.key === "Home") visit(0, true);
    else if (event.key === "End") visit(points.length - 1, true);
    else if (step) visit((at + step + points.length) % points.length, true);
    else return;
    event.preventDefault();
  });

  let last = 0;
  new ResizeObserver(() => {
    const width = place.clientWidth;
    if (width === last || width === 0) return;
    last = width;
    drawn();
  }).observe(place);

  const buttons = el("div", { class: "tools" },
    el("button", { type: "button", onclick: () => save(fileName(title, "svg"), new Blob([picture(svg, title)], { type: "image/svg+xml" })) }, "Save as SVG"),
    el("button", { type: "button", onclick: () => png(svg, title) }, "Save as PNG"));
  return el("figure", {},
    el("figcaption", {}, el("h3", {}, title), about ? el("p", {}, about) : null, badges(marks)),
    legend, place, spoken, buttons,
    el("details", {}, el("summary", {}, "Numbers"), numbers));
}

/** A chart as a file of its own: colours resolved, a background, a title. */
function picture(svg, title) {
  const style = getComputedStyle(document.documentElement);
  const copy = svg.cloneNode(true);
  copy.querySelectorAll(".ring").forEach((ring) => ring.remove());
  const [, , width, height] = copy.getAttribute("viewBox").split(" ").map(Number);
  const head = 28;
  for (const element of [copy, ...copy.querySelectorAll("*")]) {
    for (const name of ["fill", "stroke", "color"]) {
      const value = element.getAttribute(name);
      const variable = /^var\((--[a-z0-9]+)\)$/.exec(value ?? "");
      if (variable) element.setAttribute(name, style.getPropertyValue(variable[1]).trim());
    }
  }
  const name = (tag, attributes, text = "") => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.textContent = text;
    return element;
  };
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("viewBox", `0 ${-head} ${width} ${height + head}`);
  copy.setAttribute("width", width);
  copy.setAttribute("height", height + head);
  const ink = style.getPropertyValue("--ink").trim();
  copy.setAttribute("color", ink);
  copy.style.setProperty("color", ink);
  copy.style.setProperty("font-family", "system-ui, sans-serif");
  copy.prepend(
    name("rect", { x: 0, y: -head, width, height: height + head, fill: style.getPropertyValue("--paper").trim() }),
    name("text", { x: 8, y: -9, "font-size": 15, "font-weight": 600, fill: ink }, title));
  return new XMLSerializer().serializeToString(copy);
}

/** Saves a chart as a picture of twice its size. */
function png(svg, title) {
  const text = picture(svg, title);
  const address = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  const image = new Image();
  image.addEventListener("load", () => {
    const canvas = el("canvas", { width: 2 * image.width, height: 2 * image.height });
    const context = canvas.getContext("2d");
    context.scale(2, 2);
    context.drawImage(image, 0, 0);
    URL.revokeObjectURL(address);
    canvas.toBlob((blob) => save(fileName(title, "png"), blob), "image/png");
  });
  image.src = address;
}

/** What signs mean, in words. */
const legendOf = (entries) => el("ul", { class: "legend" }, entries.map(({ colour, symbol = "circle", name, hollow = false }) => {
  const sign = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  sign.setAttribute("viewBox", "-8 -8 16 16");
  sign.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", d3.symbol(symbolOf(symbol), 60)());
  path.setAttribute("fill", hollow ? "none" : colour);
  path.setAttribute("stroke", colour);
  path.setAttribute("stroke-width", "1.5");
  sign.append(path);
  return el("li", {}, sign, name);
}));

/** D3's symbol of a name of Plot's. */
const symbolOf = (name) => ({ circle: d3.symbolCircle, square2: d3.symbolSquare2, triangle2: d3.symbolTriangle2, diamond2: d3.symbolDiamond2, star: d3.symbolStar, wye: d3.symbolWye, plus: d3.symbolPlus, triangle: d3.symbolTriangle })[name];

/** Gives each of some names its own sign, as long as there are any; the rest share the last. */
function signs(names, all) {
  const distinct = [...new Set(names)];
  return new Map(distinct.map((name, at) => [name, all[Math.min(at, all.length - 1)]]));
}

/** The family of a kernel: its name without the number of chains or the like at its end. */
const family = (kernel) => kernel.replace(/-\d+$/, "");

/** A figure with how well it is known. */
const known = (figure) => `${figure.text} (${figure.spread})`;

function roofline(record) {
  const cases = record.cases.filter((entry) => entry.intensity !== null && measured(entry.op_rate) && entry.measures === null);
  const peaks = record.roofs.filter((roof) => !roof.memory);
  const memory = record.roofs.filter((roof) => roof.memory);
  const highest = d3.max(peaks, (roof) => roof.rate.value);
  const widest = d3.max(memory, (roof) => roof.rate.value);
  const colours = signs(cases.map((entry) => entry.dtype), COLOURS);
  const shapes = signs(cases.map((entry) => family(entry.kernel)), SYMBOLS);
  const ridges = widest ? peaks.map((roof) => roof.rate.value / widest) : [];
  const x = logAxis([...cases.map((entry) => entry.intensity), ...ridges]);
  const [from, to] = x.domain;
  // What the maker publishes: faint, and named as no measurement.
  const published = record.sheet ? record.sheet.peaks : [];
  const top = d3.max(published.filter((peak) => !peak.memory), (peak) => peak.value);
  const sheet = published.map((peak) => (peak.memory
    ? { peak, points: [[from, from * peak.value], [Math.min(to, top ? top / peak.value : to), Math.min(to * peak.value, top ?? Infinity)]] }
    : { peak, points: [[from, peak.value], [to, peak.value]] }));
  const lines = [
    ...memory.map((roof) => ({ roof, points: [[from, from * roof.rate.value], [highest ? Math.min(to, highest / roof.rate.value) : to, highest ? Math.min(to * roof.rate.value, highest) : to * roof.rate.value]] })),
    ...peaks.map((roof) => ({ roof, points: [[widest ? Math.max(from, roof.rate.value / widest) : from, roof.rate.value], [to, roof.rate.value]] })),
  ];
  const y = logAxis([...cases.flatMap((entry) => [entry.op_rate.low ?? entry.op_rate.value, entry.op_rate.high ?? entry.op_rate.value]), ...[...lines, ...sheet].flatMap((line) => line.points.map((point) => point[1]))]);
  const text = (entry) => `${entry.id}\n${known(entry.op_rate)}\n${measured(entry.roof_share) ? `${entry.roof_share.text} of its roof (${entry.arithmetic})` : "no roof was measured for it"}`;
  const draw = (width) => ({
    options: {
      height: Math.min(520, Math.max(320, width * 0.6)),
      marginLeft: 60,
      marginTop: 34,
      x: { type: "log", ...x, label: "Intensity (operations per byte) →", tickFormat: short, grid: true },
      y: { type: "log", ...y, label: "↑ Operations per second", tickFormat: short, grid: true },
      marks: [
        sheet.map(({ points }) => Plot.line(points, { stroke: FAINT, strokeWidth: 1.5, strokeDasharray: "2 4" })),
        Plot.text(sheet, { x: ({ points }) => points[0][0], y: ({ points }) => points[0][1], text: ({ peak }) => `data sheet: ${peak.resource} ${peak.text}`, textAnchor: "start", dx: 10, dy: -7, fill: "var(--soft)", stroke: "var(--paper)", strokeWidth: 4 }),
        lines.map(({ roof, points }) => Plot.line(points, { stroke: LINE, strokeWidth: 2, strokeDasharray: roof.resource === "memory-read" ? "6 3" : null })),
        Plot.text(lines.filter(({ roof }) => !roof.memory), { x: () => to, y: ({ roof }) => roof.rate.value, text: ({ roof }) => `${roof.resource} ${roof.rate.text}`, textAnchor: "end", dy: -7, dx: -4, fill: "currentColor", stroke: "var(--paper)", strokeWidth: 4 }),
        Plot.text(lines.filter(({ roof }) => roof.memory), { x: ({ points }) => points[0][0], y: ({ points }) => points[0][1], text: ({ roof }) => `${roof.resource} ${roof.rate.text}`, textAnchor: "start", dx: 10, fill: "currentColor", stroke: "var(--paper)", strokeWidth: 4 }),
        Plot.ruleX(cases.filter((entry) => entry.op_rate.low !== null), { x: "intensity", y1: (entry) => Math.max(entry.op_rate.low, y.domain[0]), y2: (entry) => entry.op_rate.high, stroke: (entry) => colours.get(entry.dtype), strokeOpacity: 0.7 }),
        Plot.dot(cases, { x: "intensity", y: (entry) => entry.op_rate.value, stroke: (entry) => colours.get(entry.dtype), fill: (entry) => (entry.op_rate.low === null ? "var(--paper)" : colours.get(entry.dtype)), symbol: (entry) => shapes.get(family(entry.kernel)), r: 4.5 }),
      ],
      color: { type: "identity" },
      symbol: { type: "identity" },
    },
    points: d3.sort(cases, (entry) => entry.intensity).map((entry) => ({ x: entry.intensity, y: entry.op_rate.value, text: text(entry) })),
  });
  return chart({
    title: `Roofline of ${record.label}`,
    about: "Each point is a case with a kernel; the lines are what this session itself measured of the device. Vertical bars are 95 % intervals; a hollow point has none.".concat(record.sheet ? ` Faint dotted lines are the data sheet of ${record.sheet.device}, not measured (${record.sheet.source}).` : ""),
    marks: alarming(record),
    legend: legendOf([
      ...[...colours].map(([name, colour]) => ({ colour, name, symbol: "circle" })),
      ...[...shapes].map(([name, symbol]) => ({ colour: "currentColor", symbol, name, hollow: true })),
    ]),
    draw,
    numbers: table({ caption: `Roofline of ${record.label}`, rows: cases, columns: [
      { title: "Case and kernel", value: (entry) => entry.id },
      { title: "Intensity (FLOP/B)", value: (entry) => entry.intensity, show: (entry) => entry.intensity.toPrecision(4), number: true },
      { title: "Rate", value: (entry) => entry.op_rate.value, show: (entry) => entry.op_rate.text, number: true },
      { title: "Low", value: (entry) => entry.op_rate.low, hidden: true },
      { title: "High", value: (entry) => entry.op_rate.high, hidden: true },
      { title: "How well known", value: (entry) => entry.op_rate.spread },
      { title: "Of its roof", value: (entry) => number(entry.roof_share), show: (entry) => words(entry.roof_share), number: true },
      { title: "Units", value: (entry) => entry.arithmetic },
    ] }),
  });
}

/** Marks of a record that every picture of its numbers carries. */
const alarming = (record) => [...new Set(record.marks.filter((mark) => !mark.of_energy && mark.word !== "FAILED").map((mark) => mark.word))];

function efficiency(records, unit) {
  const points = records.flatMap((record, at) => record.cases.filter((entry) => entry.unit === unit && measured(entry.rate) && measured(entry.per_joule)).map((entry) => ({ entry, record, at })));
  if (points.length === 0) return null;
  const perJoule = unit.replace("/s", "/J");
  const several = new Set(points.map((point) => point.at)).size > 1;
  const group = (point) => (several ? point.record.label : point.entry.dtype);
  const colours = signs(points.map(group), COLOURS);
  const shapes = signs(points.map((point) => family(point.entry.kernel)), SYMBOLS);
  let most = 0;
  const front = d3.sort(points, (point) => -point.entry.rate.value).filter((point) => {
    const better = point.entry.per_joule.value > most;
    most = Math.max(most, point.entry.per_joule.value);
    return better;
  });
  const x = logAxis(points.map((point) => point.entry.rate.value));
  const y = logAxis(points.flatMap((point) => [point.entry.per_joule.low, point.entry.per_joule.value, point.entry.per_joule.high]));
  const watts = d3.range(-3, 7).map((power) => 10 ** power).flatMap((power) => [power, 3 * power]).filter((power) => {
    const at = [x.domain[0] / power, x.domain[1] / power];
    return at[1] > y.domain[0] && at[0] < y.domain[1];
  });
  const iso = watts.map((power) => {
    const left = Math.max(x.domain[0], y.domain[0] * power);
    const right = Math.min(x.domain[1], y.domain[1] * power);
    return { power, points: [[left, left / power], [right, right / power]] };
  });
  const marks = [...new Set(points.flatMap((point) => point.entry.marks))];
  const text = ({ entry, record }) => `${entry.id}\n${record.label}\n${known(entry.rate)}\n${known(entry.per_joule)}\n${measured(entry.power) ? known(entry.power) : ""}\n${entry.marks.join(" ")}`.trim();
  return chart({
    title: `Work per joule against rate, ${unit}`,
    about: "Further up is more work per joule, further right is faster. Thin lines join points of equal power; the thick line is the Pareto front: nothing else here is both faster and more efficient.",
    marks,
    legend: legendOf([...[...colours].map(([name, colour]) => ({ colour, name })), ...[...shapes].map(([name, symbol]) => ({ colour: "currentColor", symbol, name, hollow: true }))]),
    draw: (width) => ({
      options: {
        height: Math.min(480, Math.max(300, width * 0.55)),
        marginLeft: 60,
        marginTop: 34,
        x: { type: "log", ...x, label: `Rate (${unit}) →`, tickFormat: short },
        y: { type: "log", ...y, label: `↑ ${perJoule}`, tickFormat: short },
        color: { type: "identity" },
        symbol: { type: "identity" },
        marks: [
          iso.map((line) => Plot.line(line.points, { stroke: FAINT })),
          Plot.text(iso, { x: (line) => line.points[1][0], y: (line) => line.points[1][1], text: (line) => withUnit(line.power, "W"), textAnchor: "end", fill: "var(--soft)", dy: 8 }),
          Plot.line(front, { x: (point) => point.entry.rate.value, y: (point) => point.entry.per_joule.value, stroke: LINE, strokeWidth: 2 }),
          Plot.ruleX(points.filter((point) => point.entry.per_joule.low !== null), { x: (point) => point.entry.rate.value, y1: (point) => point.entry.per_joule.low, y2: (point) => point.entry.per_joule.high, stroke: (point) => colours.get(group(point)), strokeOpacity: 0.6 }),
          Plot.dot(points, { x: (point) => point.entry.rate.value, y: (point) => point.entry.per_joule.value, stroke: (point) => colours.get(group(point)), fill: (point) => (point.entry.per_joule.low === null ? "var(--paper)" : colours.get(group(point))), symbol: (point) => shapes.get(family(point.entry.kernel)), r: 4.5 }),
        ],
      },
      points: d3.sort(points, (point) => point.entry.rate.value).map((point) => ({ x: point.entry.rate.value, y: point.entry.per_joule.value, text: text(point) })),
    }),
    numbers: table({ caption: `Work per joule against rate, ${unit}`, rows: points, columns: [
      { title: "Case and kernel", value: (point) => point.entry.id },
      { title: "Record", value: (point) => point.record.label },
      { title: "Rate", value: (point) => point.entry.rate.value, show: (point) => known(point.entry.rate), number: true },
      { title: "Work per joule", value: (point) => point.entry.per_joule.value, show: (point) => known(point.entry.per_joule), number: true },
      { title: "Low", value: (point) => point.entry.per_joule.low, hidden: true },
      { title: "High", value: (point) => point.entry.per_joule.high, hidden: true },
      { title: "Power", value: (point) => number(point.entry.power), show: (point) => words(point.entry.power), number: true },
      { title: "On the front", value: (point) => (front.includes(point) ? "yes" : "no") },
      { title: "Marks", value: (point) => point.entry.marks.join(" "), show: (point) => badges(point.entry.marks) },
    ] }),
  });
}

/** What an interval of a ratio says, with a sign that needs no colour. */
function direction(ratio) {
  if (ratio.low > 1) return { name: "more", colour: "var(--c0)", symbol: "triangle" };
  if (ratio.high < 1) return { name: "less", colour: "var(--c1)", symbol: "square2" };
  return { name: "cannot be told from 1", colour: "var(--soft)", symbol: "circle" };
}

function forest(section, columns, metric) {
  const rows = section.rows.flatMap((row) => row.cells.map((cell, at) => ({ row, cell, at })).filter(({ cell, at }) => at > 0 && measured(cell) && measured(cell.ratio)));
  if (rows.length === 0) return null;
  const label = ({ row, at }) => (columns.length > 2 ? `${row.case} · ${columns[at].letter}` : row.case);
  const x = logAxis([1, ...rows.flatMap(({ cell }) => [cell.ratio.low, cell.ratio.value, cell.ratio.high])]);
  const marks = [...new Set(columns.flatMap((column) => column.caveats.map((caveat) => caveat.split(":")[0])).filter((word) => word === word.toUpperCase()))];
  const named = rows.map((row) => ({ ...row, name: label(row), way: direction(row.cell.ratio) }));
  const title = `${section.title}: times the ${metric} of ${columns[0].letter}`;
  return chart({
    title,
    about: "Points are ratios to the first column, bars their 95 % intervals. This describes; perwatt gate judges.",
    marks,
    legend: legendOf([direction({ low: 2, high: 3 }), direction({ low: 0.1, high: 0.2 }), direction({ low: 0.5, high: 2 })]),
    draw: (width) => ({
      options: {
        height: 60 + 20 * named.length,
        marginLeft: Math.min(280, Math.round(width * 0.42)),
        marginTop: 34,
        x: { type: "log", ...x, label: `Times ${columns[0].letter} →`, tickFormat: (value) => `${Number(value.toPrecision(3))}×`, grid: true },
        y: { domain: named.map((row) => row.name), label: null },
        color: { type: "identity" },
        symbol: { type: "identity" },
        marks: [
          Plot.axisY({ tickSize: 0, textOverflow: "ellipsis-start", lineWidth: Math.min(280, Math.round(width * 0.42)) / 13 * 1.15 }),
          Plot.ruleX([1], { stroke: LINE }),
          Plot.ruleY(named, { y: "name", x1: (row) => Math.max(row.cell.ratio.low, x.domain[0]), x2: (row) => Math.min(row.cell.ratio.high, x.domain[1]), stroke: (row) => row.way.colour, strokeWidth: 2 }),
          Plot.dot(named, { y: "name", x: (row) => row.cell.ratio.value, fill: (row) => row.way.colour, symbol: (row) => row.way.symbol, r: 5 }),
        ],
      },
      points: named.map((row) => ({ x: row.cell.ratio.value, y: row.name, text: `${row.row.case}\n${columns[row.at].letter} ÷ ${columns[0].letter}: ${times(row.cell.ratio)}\n${row.cell.text} with ${row.cell.kernel}` })),
    }),
    numbers: table({ caption: title, rows: named, columns: [
      { title: "Case", value: ({ row }) => row.case },
      { title: "Column", value: ({ at }) => columns[at].letter },
      { title: "Ratio", value: ({ cell }) => cell.ratio.value, show: ({ cell }) => times(cell.ratio), number: true },
      { title: "Low", value: ({ cell }) => cell.ratio.low, hidden: true },
      { title: "High", value: ({ cell }) => cell.ratio.high, hidden: true },
      { title: "Says", value: ({ way }) => way.name },
    ] }),
  });
}

/** A ratio with its interval. */
function times(ratio) {
  const digits = (value) => (value >= 100 ? Math.round(value).toLocaleString("en") : Number(value.toPrecision(3)).toString());
  return `${digits(ratio.value)}× (${digits(ratio.low)} to ${digits(ratio.high)})`;
}

/** A number with its unit. */
const withUnit = (value, unit) => (/[a-zµ]$/i.test(short(value)) ? short(value) + unit : `${short(value)} ${unit}`);

/** Seconds for people. */
const seconds = (value) => withUnit(value, "s");

function samples(series, marks) {
  const rows = series.invocations.flatMap((invocation) => invocation.at_s.map((at, index) => ({ invocation, at, time: invocation.time_s[index], index })));
  const thinned = series.invocations.some((invocation) => invocation.samples > invocation.at_s.length);
  const colours = signs(series.invocations.map((invocation) => invocation.invocation), COLOURS);
  return chart({
    title: `Samples of ${series.id}`,
    about: `Time of one execution, against the time that had passed since the first sample of the invocation began. Hollow points came before steady state.${thinned ? " Of long series the lowest and the highest sample of each stretch are drawn." : ""}`,
    marks,
    legend: legendOf([...colours].map(([number, colour]) => ({ colour, name: `invocation ${number}` }))),
    draw: (width) => ({
      options: {
        height: Math.min(360, Math.max(240, width * 0.42)),
        marginLeft: 70,
        marginTop: 34,
        x: { label: "Time (s) →", grid: true, domain: sampledTime(series) },
        y: { label: "↑ Time of one execution", tickFormat: seconds, grid: true, nice: true },
        color: { type: "identity" },
        marks: [
          series.invocations.map((invocation) => Plot.line(d3.zip(invocation.at_s, invocation.time_s), { stroke: colours.get(invocation.invocation), strokeOpacity: 0.5 })),
          Plot.dot(rows, { x: "at", y: "time", r: 2.2, stroke: (row) => colours.get(row.invocation.invocation), fill: (row) => (row.index < row.invocation.early ? "var(--paper)" : colours.get(row.invocation.invocation)) }),
        ],
      },
      points: rows.map((row) => ({ x: row.at, y: row.time, text: `invocation ${row.invocation.invocation}\n${seconds(row.time)} after ${seconds(row.at)}` })),
    }),
    numbers: table({ caption: `Samples of ${series.id}`, rows, columns: [
      { title: "Invocation", value: (row) => row.invocation.invocation, number: true },
      { title: "Time (s)", value: (row) => row.at, number: true },
      { title: "Time of one execution (s)", value: (row) => row.time, number: true },
    ] }),
  });
}

/** From the beginning of the first sample to the end of the last: the axis that samples and the device's state share. */
const sampledTime = (series) => [0, d3.max(series.invocations, (invocation) => d3.max(invocation.at_s)) ?? 1];

/** Clock, temperature and power while the samples were taken: a small chart each, on the samples' time axis. */
function deviceStates(series, marks) {
  const colours = signs(series.invocations.map((invocation) => invocation.invocation), COLOURS);
  const known = series.invocations.filter((invocation) => invocation.device);
  const names = [...new Set(known.flatMap((invocation) => invocation.device.series.map((quantity) => quantity.name)))];
  return names.map((name) => {
    const lines = known.flatMap(({ invocation, device }) => device.series.filter((quantity) => quantity.name === name).map((quantity) => ({ invocation, device, quantity })));
    const unit = lines[0].quantity.unit;
    const rows = lines.flatMap(({ invocation, device, quantity }) => quantity.values.map((value, at) => ({ invocation, at: device.at_s[at], value, why: device.throttled_by[at] ?? "" }))).filter((row) => row.value !== null);
    const slowed = rows.filter((row) => row.why !== "");
    return chart({
      title: `${name} during ${series.id}`,
      about: `What the sensor's library said while the samples above were taken.${slowed.length ? " A cross marks a look at which the device ran below its clock; it says why." : ""}`,
      marks,
      draw: () => ({
        options: {
          height: 170,
          marginLeft: 70,
          marginTop: 34,
          x: { label: "Time (s) →", grid: true, domain: sampledTime(series) },
          y: { label: `↑ ${name} (${unit})`, grid: true, nice: true, ticks: 4 },
          color: { type: "identity" },
          clip: true,
          marks: [
            Plot.line(rows, { x: "at", y: "value", z: "invocation", stroke: (row) => colours.get(row.invocation), strokeOpacity: 0.7 }),
            Plot.dot(rows, { x: "at", y: "value", r: 2.2, stroke: (row) => colours.get(row.invocation) }),
            Plot.dot(slowed, { x: "at", y: "value", r: 5, symbol: "times", stroke: "var(--alarm)", strokeWidth: 2 }),
          ],
        },
        points: rows.map((row) => ({ x: row.at, y: row.value, text: `invocation ${row.invocation}\n${Number(row.value.toPrecision(4))} ${unit} at ${seconds(row.at)}${row.why ? `\nbelow its clock: ${row.why}` : ""}` })),
      }),
      numbers: table({ caption: `${name} during ${series.id}`, rows, columns: [
        { title: "Invocation", value: (row) => row.invocation, number: true },
        { title: "Time (s)", value: (row) => row.at, number: true },
        { title: `${name} (${unit})`, value: (row) => row.value, number: true },
        { title: "Below its clock because of", value: (row) => row.why },
      ] }),
    });
  });
}

function distribution(series, marks) {
  const rows = series.invocations.map((invocation) => ({ name: `invocation ${invocation.invocation}`, q: invocation.quantiles_s, samples: invocation.samples - invocation.discarded }));
  const text = (row) => `${row.name}, ${row.samples} samples\nmedian ${seconds(row.q[2])}\nquartiles ${seconds(row.q[1])} to ${seconds(row.q[3])}\nall ${seconds(row.q[0])} to ${seconds(row.q[4])}`;
  return chart({
    title: `Distribution of ${series.id}`,
    about: "All steady samples of each invocation: the box holds the middle half, the line is the median, the whiskers reach to the ends.",
    marks,
    draw: () => ({
      options: {
        height: 70 + 34 * rows.length,
        marginLeft: 96,
        marginTop: 34,
        x: { label: "Time of one execution →", tickFormat: seconds, grid: true, ticks: 5 },
        y: { domain: rows.map((row) => row.name), label: null },
        marks: [
          Plot.ruleY(rows, { y: "name", x1: (row) => row.q[0], x2: (row) => row.q[4], stroke: LINE }),
          Plot.barX(rows, { y: "name", x1: (row) => row.q[1], x2: (row) => row.q[3], fill: "var(--c0)", fillOpacity: 0.45, stroke: "var(--c0)" }),
          Plot.tickX(rows, { y: "name", x: (row) => row.q[2], stroke: "currentColor", strokeWidth: 2 }),
        ],
      },
      points: rows.map((row) => ({ x: row.q[2], y: row.name, text: text(row) })),
    }),
    numbers: table({ caption: `Distribution of ${series.id}`, rows, columns: [
      { title: "Invocation", value: (row) => row.name },
      ...["Least (s)", "First quartile (s)", "Median (s)", "Third quartile (s)", "Most (s)"].map((title, at) => ({ title, value: (row) => row.q[at], number: true })),
      { title: "Samples", value: (row) => row.samples, number: true },
    ] }),
  });
}

function trace(window) {
  const rows = d3.zip(window.at_s, window.power_w).map(([at, power]) => ({ at, power }));
  const idle = window.idle_w.map((power, at) => ({ power, name: at === 0 ? "idle before" : "idle after" })).filter((row) => row.power !== null);
  const end = d3.max([...window.at_s, ...window.groups_s.map((group) => group[1])]) ?? 1;
  const thinned = window.readings > rows.length + 1;
  return chart({
    title: `Power during ${window.id}, invocation ${window.invocation}`,
    about: `${window.from_counter ? "The sensor counts energy: power is each step of its counter over its time." : "What the sensor said."} Shaded stretches are the loads whose energy counts; dashed lines are idle power.${thinned ? " Of long traces the lowest and the highest value of each stretch are drawn." : ""}`,
    marks: window.marks,
    draw: (width) => ({
      options: {
        height: Math.min(320, Math.max(220, width * 0.38)),
        marginLeft: 56,
        marginTop: 34,
        x: { label: "Time (s) →" },
        y: { label: "↑ Power (W)", zero: true, grid: true },
        marks: [
          Plot.rectX(window.groups_s, { x1: (group) => group[0], x2: (group) => group[1], fill: "var(--c0)", fillOpacity: 0.16 }),
          Plot.line(rows, { x: "at", y: "power", stroke: "var(--c0)", curve: window.from_counter ? "step-before" : "linear" }),
          Plot.ruleY(idle, { y: "power", stroke: "var(--c1)", strokeDasharray: "5 4" }),
          Plot.text(idle, { x: (row) => (row.name === "idle before" ? 0 : end), y: "power", text: "name", textAnchor: "start", frameAnchor: "left", dy: -7, fill: "currentColor", filter: (row, at) => at === 0 }),
        ],
      },
      points: rows.map((row) => ({ x: row.at, y: row.power, text: `${withUnit(row.power, "W")} at ${seconds(row.at)}` })),
    }),
    numbers: table({ caption: `Power during ${window.id}, invocation ${window.invocation}`, rows, columns: [
      { title: "Time (s)", value: (row) => row.at, number: true },
      { title: "Power (W)", value: (row) => row.power, number: true },
    ] }),
  });
}

function budget(window) {
  const rows = window.budget;
  if (rows.length === 0) return null;
  return chart({
    title: `What makes the energy of ${window.id} uncertain, invocation ${window.invocation}`,
    about: "Standard uncertainties; squares of them add up, so the longest bar decides nearly alone.",
    marks: window.marks,
    draw: () => ({
      options: {
        height: 60 + 26 * rows.length,
        marginLeft: 84,
        marginTop: 34,
        x: { label: "Joules →", grid: true, ticks: 5 },
        y: { domain: rows.map((row) => row.cause), label: null },
        marks: [Plot.barX(rows, { y: "cause", x: "joules", fill: "var(--c0)" }), Plot.ruleX([0], { stroke: LINE })],
      },
      points: rows.map((row) => ({ x: row.joules, y: row.cause, text: `${row.cause}: ${row.text}\n${row.about}` })),
    }),
    numbers: table({ caption: `Error budget of ${window.id}, invocation ${window.invocation}`, rows, columns: [
      { title: "Cause", value: (row) => row.cause },
      { title: "Standard uncertainty (J)", value: (row) => row.joules, show: (row) => row.text, number: true },
      { title: "What that is", value: (row) => row.about },
    ] }),
  });
}

function overTime(device, series) {
  const rows = series.points.map((point) => ({ ...point, date: new Date(point.at_s * 1000) }));
  const marks = [...new Set(rows.flatMap((row) => row.marks))];
  const y = logAxis(rows.flatMap((row) => [row.rate.low, row.rate.value, row.rate.high]));
  return chart({
    title: `${series.id} on ${device}`,
    about: series.no_changes ? `Changes of level are not looked for: ${series.no_changes}.` : series.changes.length ? "Dashed lines are advice: there the level seems to change." : "No change of level stands out from the noise.",
    marks,
    draw: () => ({
      options: {
        height: 300,
        marginLeft: 64,
        marginTop: 34,
        x: { type: "utc", label: "Date →", ticks: 5 },
        y: { type: "log", ...y, label: `↑ ${series.unit}`, tickFormat: short, grid: true },
        marks: [
          Plot.ruleX(series.changes, { x: (change) => rows[change.at].date, stroke: "var(--c1)", strokeDasharray: "5 4" }),
          Plot.line(rows, { x: "date", y: (row) => row.rate.value, stroke: LINE, strokeOpacity: 0.5 }),
          Plot.ruleX(rows.filter((row) => row.rate.low !== null), { x: "date", y1: (row) => row.rate.low, y2: (row) => row.rate.high, stroke: "var(--c0)" }),
          Plot.dot(rows, { x: "date", y: (row) => row.rate.value, stroke: "var(--c0)", fill: (row) => (row.rate.low === null ? "var(--paper)" : "var(--c0)"), r: 4 }),
        ],
      },
      points: rows.map((row) => ({ x: row.date, y: row.rate.value, text: `${row.started_utc}\n${known(row.rate)}\n${row.built}` })),
    }),
    numbers: table({ caption: `${series.id} on ${device}`, rows, columns: [
      { title: "Started", value: (row) => row.started_utc },
      { title: "Rate", value: (row) => row.rate.value, show: (row) => known(row.rate), number: true },
      { title: "Low", value: (row) => row.rate.low, hidden: true },
      { title: "High", value: (row) => row.rate.high, hidden: true },
      { title: "Built", value: (row) => row.built },
      { title: "File", value: (row) => row.file },
    ] }),
  });
}
