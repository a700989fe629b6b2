// What a scenario comes to. The figures at first are those that the program wrote; when an input is moved, the program's
// own model, compiled for browsers, computes them anew beside the page. Nothing is computed here but where a bar ends.

/** The model's bytes, out of the page. */
function moduleBytes() {
  const packed = Uint8Array.from(atob(document.getElementById("module").textContent), (letter) => letter.charCodeAt(0));
  return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

/** The numbers of an answer, to compare. */
const numbersOf = (answer) => JSON.stringify(answer.sections.map((part) => part.rows.map(({ quantiles: q }) => (measured(q) ? [q.p5, q.p50, q.p95, q.p50_error] : null))));

/** The one worker that a page has. */
let worker = null;

/** A model that answers the latest question put to it. `done` gets what was moved and an answer, `wrong` the reason why a
 * value was refused, `off` why there is no model. */
function liveModel(investment, { done, wrong, off }) {
  let own = null;
  let asked = null;
  let next = null;

  function send(moved) {
    asked = moved;
    next = null;
    own.postMessage({ moved: JSON.stringify(moved) });
  }

  function failed(reason) {
    if (own) own.terminate();
    off(reason);
  }

  function answered({ data: reply }) {
    if (reply.fault) {
      failed(`this browser does not run it (${reply.fault})`);
    } else if (asked === null) {
      // The first answer, with nothing moved, is known.
      if (reply.error || numbersOf(reply.answer) !== numbersOf(investment.answer)) {
        failed(`the model in this page does not give the figures of the program that wrote it${reply.error ? ` (${reply.error})` : ""}; make the page again, and please report this`);
        return;
      }
      send(next);
    } else {
      const moved = asked;
      asked = undefined;
      if (reply.error) wrong(reply.error);
      else done(moved, reply.answer);
      if (next) send(next);
    }
  }

  async function start() {
    if (worker) worker.terminate();
    own = null;
    try {
      const module = await moduleBytes();
      const address = URL.createObjectURL(new Blob([document.getElementById("worker").textContent], { type: "text/javascript" }));
      own = new Worker(address);
      worker = own;
      own.addEventListener("message", answered);
      own.addEventListener("error", (event) => failed(`this browser does not run it (${event.message || "its worker does not start"})`));
      own.postMessage({ module, question: investment.question });
    } catch (reason) {
      failed(`this browser does not run it (${reason})`);
    }
  }

  let started = false;
  return (moved) => {
    next = moved;
    if (!started) {
      started = true;
      start();
    } else if (asked === undefined) send(next);
  };
}

/** What a browser lacks that the model needs; nothing where it has all. */
function lacking() {
  for (const name of ["WebAssembly", "DecompressionStream", "Worker"]) {
    if (typeof globalThis[name] === "undefined") return name;
  }
  return null;
}

/** By what factor the ends of a bar lie below and above what was assumed at first. */
const BAR_FACTOR = 3;

/** Where a value lies on its bar, in per cent. */
const onBar = (value, middle) => Math.min(100, Math.max(0, 50 + (50 * Math.log(value / middle)) / Math.log(BAR_FACTOR)));

/** The outputs as a table that can be shown anew. */
function figuresTable(investment) {
  const first = new Map(investment.answer.sections.flatMap((part) => part.rows).map((row) => [row.key, row]));
  let shown = investment.answer;
  const caption = "MODELLED figures: 5, 50 and 95 % of the draws lie below";
  const cells = new Map();

  function bar(row) {
    const middle = measured(first.get(row.key).quantiles) ? first.get(row.key).quantiles.p50 : null;
    const element = el("div", { class: "bar", "aria-hidden": "true" });
    if (!middle || !measured(row.quantiles) || !(row.quantiles.p5 > 0)) return element;
    const { p5, p50, p95 } = row.quantiles;
    const [from, at, to] = [p5, p50, p95].map((value) => onBar(value, middle));
    const range = el("span", { class: "range" });
    range.style.left = `${from}%`;
    range.style.width = `${Math.max(to - from, 0.5)}%`;
    const point = el("span", { class: "point" });
    point.style.left = `${at}%`;
    element.append(range, point);
    return element;
  }

  function fill(row) {
    const parts = cells.get(row.key);
    if (measured(row.quantiles)) {
      row.words.forEach((word, at) => parts[at].replaceChildren(word));
      parts[3].replaceChildren(row.words_unit);
    } else {
      for (const part of parts.slice(0, 4)) part.replaceChildren();
      parts[1].replaceChildren(el("span", { class: "absent", title: row.quantiles.unmeasured }, "unknown"));
    }
    parts[4].replaceChildren(bar(row));
    parts[5].replaceChildren(row.basis);
  }

  const bodies = investment.answer.sections.map((part) => el("tbody", {},
    el("tr", {}, el("th", { colspan: 7, scope: "rowgroup", class: "group" }, part.title)),
    part.rows.map((row) => {
      const parts = [0, 1, 2, 3, 4, 5].map((at) => el("td", { class: at < 3 ? (at === 1 ? "number middle" : "number") : null }));
      cells.set(row.key, parts);
      fill(row);
      return el("tr", { "data-key": row.key }, el("th", { scope: "row" }, row.label), parts);
    })));
  const heads = ["", "5 %", "50 %", "95 %", "Unit", "A third to three times the assumed median", "Rests on"];
  const rows = () => shown.sections.flatMap((part) => part.rows.map((row) => ({ part: part.title, ...row })));
  const value = (which) => (row) => (measured(row.quantiles) ? row.quantiles[which] : null);
  const columns = [
    { title: "Name in JSON", value: (row) => row.key },
    { title: "5 %", value: value("p5") }, { title: "50 %", value: value("p50") }, { title: "95 %", value: value("p95") },
    { title: "Unit", value: (row) => row.unit },
    { title: "Section", value: (row) => row.part },
    { title: "Output", value: (row) => row.label },
    { title: "Rests on", value: (row) => row.basis },
    { title: "Why there is no figure", value: (row) => (measured(row.quantiles) ? null : row.quantiles.unmeasured) },
  ];
  const element = el("div", { class: "table" },
    el("div", { class: "tools" }, el("button", { type: "button", onclick: () => save("investment.csv", new Blob([csv(columns, rows())], { type: "text/csv" })) }, "Save as CSV")),
    el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
      el("table", { class: "modelled" }, el("caption", {}, caption),
        el("thead", {}, el("tr", {}, heads.map((head, at) => (head ? el("th", { scope: "col", class: at >= 1 && at <= 3 ? "number" : null }, head) : el("td", {}))))), bodies)));
  return { element, show: (answer) => { shown = answer; rows().forEach(fill); } };
}

/** A value of an input as people read it. */
const inputWords = (slider, value) => (slider.unit === "share" ? `${Number((100 * Number(value)).toFixed(4))} %` : slider.unit === "ratio" ? value : `${value} ${slider.unit}`);

/** An input that can be moved; `changed` is called when it was. */
function sliderControl(slider, changed) {
  const id = identity("slider");
  const steps = (value) => slider.low + Math.round((value - slider.low) / slider.step) * slider.step;
  const middle = slider.middle === null ? slider.low : steps(slider.middle);
  const input = el("input", { type: "range", id, min: slider.low, max: slider.high, step: slider.step, "data-key": slider.key });
  const value = el("output", { for: id });
  const back = el("button", { type: "button", "aria-label": `As assumed: ${slider.label}`, onclick: () => { reset(); changed(); input.focus(); } }, "As assumed");
  let moved = false;
  function say() {
    const words = moved ? inputWords(slider, input.value) : `assumed: ${slider.assumed}`;
    value.textContent = words;
    input.setAttribute("aria-valuetext", words);
    back.disabled = !moved;
  }
  function reset() {
    moved = false;
    input.value = middle;
    say();
  }
  input.addEventListener("input", () => { moved = true; say(); changed(); });
  reset();
  return {
    element: el("div", { class: "slider" }, el("label", { for: id }, slider.label), value, input, back),
    key: slider.key,
    moved: () => (moved ? input.value : null),
    reset,
    off: () => { input.disabled = true; back.disabled = true; },
  };
}

/** The inputs that can be moved, and the figures that follow. */
function movable(investment, sentence, notes, table) {
  const status = el("p", { class: "count", role: "status" });
  const now = el("p", { class: "moved", hidden: true });
  const command = el("pre", { class: "command", tabindex: "0" }, investment.command);
  const ask = liveModel(investment, {
    done(moved, answer) {
      table.show(answer);
      sentence.textContent = answer.sentence;
      notes.replaceChildren(...answer.notes.map((note) => el("li", {}, note)));
      const set = Object.entries(moved).map(([key, value]) => `${key}=${value}`);
      now.hidden = set.length === 0;
      now.textContent = `Moved: ${set.join(", ")}. All else is as assumed.`;
      command.textContent = [investment.command, ...set.map((pair) => `--set ${pair}`)].join(" ");
      status.textContent = set.length ? "Computed with what you moved." : "Computed as assumed.";
      status.dataset.done = JSON.stringify(moved);
    },
    wrong(reason) { status.textContent = reason; },
    off(reason) { off(reason); },
  });
  const controls = investment.sliders.map((slider) => sliderControl(slider, changed));
  const all = el("button", { type: "button", onclick: () => { controls.forEach((control) => control.reset()); changed(); } }, "All as assumed");
  function changed() {
    status.textContent = "Computing…";
    ask(Object.fromEntries(controls.filter((control) => control.moved() !== null).map((control) => [control.key, control.moved()])));
  }
  function off(reason) {
    controls.forEach((control) => { control.reset(); control.off(); });
    all.disabled = true;
    table.show(investment.answer);
    sentence.textContent = investment.answer.sentence;
    now.hidden = true;
    command.textContent = investment.command;
    status.classList.add("off");
    status.textContent = `The sliders are off: ${reason}. The figures are those that perwatt wrote; the command below gives others, with --set.`;
  }
  const lack = lacking();
  if (lack) off(`this browser has no ${lack}`);
  const idle = investment.idle.length ? el("p", { class: "absent" }, `Nothing here depends on: ${investment.idle.join("; ")}.`) : null;
  const element = el("fieldset", { class: "sliders" }, el("legend", {}, "What if"),
    el("p", {}, "Move an input: it is then known to be that, and the model draws all others as before."),
    controls.map((control) => control.element), idle, el("div", { class: "tools" }, all), status);
  const same = el("div", {}, el("p", {}, "The same figures in a terminal:"), el("div", { class: "copied" }, copy(() => command.textContent), command));
  return { element, now, same };
}

/** What the record says that the model could use. */
function recordTable(rows) {
  if (rows.length === 0) return null;
  return table({ caption: "What the record says that the model could use", rows, columns: [
    { title: "What", value: (row) => row.what },
    { title: "Case", value: (row) => row.case },
    { title: "Value", value: (row) => row.value, show: (row) => row.text, number: true },
    { title: "Low", value: (row) => row.low, hidden: true },
    { title: "High", value: (row) => row.high, hidden: true },
    { title: "Rests on", value: (row) => row.basis },
    { title: "Why it is not used", value: (row) => row.not_used ?? "" },
  ] });
}

/** The section of a scenario. */
function investmentSection(reading) {
  if (!measured(reading)) return section("investment", "Investment", el("p", { class: "absent" }, `No scenario: ${reading.unmeasured}`));
  const sentence = el("p", { class: "sentence" }, reading.answer.sentence);
  const notes = el("ul", { class: "notes" }, reading.answer.notes.map((note) => el("li", {}, note)));
  const figures = figuresTable(reading);
  const { element, now, same } = movable(reading, sentence, notes, figures);
  return section("investment", "Investment",
    el("p", { class: "notice" }, el("strong", { class: "mark" }, "MODELLED"), ` ${reading.modelled}`),
    notices(reading.marks),
    sentence, el("p", { class: "from" }, reading.about), now, element, figures.element, notes,
    recordTable(reading.record),
    el("details", {}, el("summary", {}, `The ${reading.inputs.length} inputs with their sources`), table({ caption: "Inputs", filter: true, rows: reading.inputs, columns: [
      { title: "Input", value: (input) => input.key },
      { title: "What it is", value: (input) => input.about },
      { title: "Low / likely / high", value: (input) => input.value },
      { title: "Unit", value: (input) => input.unit },
      { title: "Rests on", value: (input) => input.basis },
      { title: "Source", value: (input) => input.source },
    ] })),
    same);
}

