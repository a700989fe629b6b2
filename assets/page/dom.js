// Elements, tables and downloads. Text of a record becomes a text node and nothing else.

const data = JSON.parse(document.getElementById("data").textContent);

/** An element with attributes and children; a string is text. */
function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Whether a reading has a value. */
const measured = (reading) => reading !== null && reading !== undefined && reading.unmeasured === undefined;

/** A reading in words: the value, or a dash that says why there is none. */
function words(reading) {
  if (measured(reading)) return reading.text;
  return el("span", { class: "absent", title: reading ? reading.unmeasured : "" }, "not measured");
}

/** A value for sorting and for CSV. */
const number = (reading) => (measured(reading) ? reading.value : null);

/** The words that must not be overlooked, as badges. */
const badges = (marks) => marks.map((word) => el("strong", { class: "mark" }, word));

let serial = 0;
/** An identity for elements that refer to each other. */
const identity = (prefix) => `${prefix}-${(serial += 1)}`;

/** Offers a file for saving. */
function save(name, blob) {
  const address = URL.createObjectURL(blob);
  const link = el("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** A file's name out of words. */
const fileName = (title, ending) => `${title.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 80) || "chart"}.${ending}`;

/** A cell of a CSV file; what a spreadsheet would run as a formula is text. */
function cell(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  let text = String(value);
  if (/^\s*[=+\-@＝＋－＠]/.test(text) || /^[\t\r\n]/.test(text)) text = `'${text}`;
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Rows as CSV. */
function csv(columns, rows) {
  const all = [columns.map((column) => column.title), ...rows.map((row) => columns.flatMap((column) => [column.value(row)]))];
  return `${all.map((line) => line.map(cell).join(",")).join("\r\n")}\r\n`;
}

/** Rows shown at first; the rest on request, since thousands are slow to lay out. */
const FIRST_ROWS = 100;

/** A table that sorts, filters and saves itself. A column has a `title`, a `value` for sorting and CSV, and may have a
 * `show` for what stands in the cell; `number` aligns it to the right; `hidden` keeps it to the CSV. */
function table({ caption, columns, rows, filter = false }) {
  const shown = columns.filter((column) => !column.hidden);
  const body = el("tbody");
  const more = el("button", { type: "button", onclick: () => { all = true; fill(); } });
  const count = el("span", { class: "count", role: "status" });
  const field = identity("filter");
  const input = el("input", { type: "search", id: field, oninput: () => { all = false; fill(); } });
  let sorted = null;
  let down = false;
  let all = false;

  function chosen() {
    const wanted = input.value.trim().toLowerCase();
    let kept = wanted === "" ? rows : rows.filter((row) => columns.some((column) => String(column.value(row) ?? "").toLowerCase().includes(wanted)));
    if (sorted !== null) {
      const by = shown[sorted].value;
      const order = (a, b) => {
        const [one, other] = [by(a), by(b)];
        // What has no value comes last, whichever way.
        if (one === null || one === undefined) return other === null || other === undefined ? 0 : 1;
        if (other === null || other === undefined) return -1;
        const less = typeof one === "number" && typeof other === "number" ? one - other : String(one).localeCompare(String(other), "en", { numeric: true });
        return down ? -less : less;
      };
      kept = [...kept].sort(order);
    }
    return kept;
  }

  function fill() {
    const kept = chosen();
    const part = all ? kept : kept.slice(0, FIRST_ROWS);
    body.replaceChildren(...part.map((row) => el("tr", {}, shown.map((column, at) => {
      const content = column.show ? column.show(row) : (column.value(row) ?? "–");
      return el(at === 0 ? "th" : "td", { scope: at === 0 ? "row" : null, class: column.number ? "number" : null }, ...[content].flat().map((part) => (part instanceof Node ? part : String(part))));
    }))));
    more.hidden = part.length === kept.length;
    more.textContent = `Show all ${kept.length} rows`;
    count.textContent = kept.length === rows.length ? `${rows.length} rows` : `${kept.length} of ${rows.length} rows`;
  }

  const heads = shown.map((column, at) => {
    const sort = () => {
      down = sorted === at ? !down : Boolean(column.number);
      sorted = at;
      heads.forEach((head, other) => head.setAttribute("aria-sort", other === at ? (down ? "descending" : "ascending") : "none"));
      fill();
    };
    return el("th", { scope: "col", "aria-sort": "none", class: column.number ? "number" : null }, el("button", { type: "button", class: "sort", onclick: sort }, column.title));
  });
  fill();
  const tools = el("div", { class: "tools" },
    filter ? [el("label", { for: field }, "Filter"), input] : [],
    count,
    more,
    el("button", { type: "button", onclick: () => save(fileName(caption, "csv"), new Blob([csv(columns, chosen())], { type: "text/csv" })) }, "Save as CSV"));
  const box = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    el("table", {}, el("caption", {}, caption), el("thead", {}, el("tr", {}, heads)), body));
  const element = el("div", { class: "table" }, tools, box);
  // Paper cannot be asked for the rest.
  element.addEventListener("print-all", () => { all = true; fill(); });
  return element;
}

/** Pairs of a name and a word. */
const pairs = (list) => el("dl", {}, list.flatMap(([name, word]) => [el("dt", {}, name), el("dd", {}, word)]));

/** A button that copies a text, or what a function then gives; the text stands in a `pre` beside it. */
function copy(text) {
  const button = el("button", { type: "button", onclick: async () => {
    try {
      await navigator.clipboard.writeText(typeof text === "function" ? text() : text);
      button.textContent = "Copied";
    } catch {
      // No clipboard for pages from disk in some browsers: select it, so that a key copies it.
      const box = button.parentElement.querySelector("pre");
      getSelection().selectAllChildren(box);
      button.textContent = "Selected; press Ctrl+C";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 3000);
  } }, "Copy");
  return button;
}

/** A choice among many, with a label; `changed` gets the index. */
function choice(label, names, changed) {
  const id = identity("choice");
  const select = el("select", { id, onchange: () => changed(Number(select.value)) }, names.map((name, at) => el("option", { value: at }, name)));
  return el("div", { class: "choice" }, el("label", { for: id }, label), select);
}

/** A part that is made anew for each choice. */
function chooser(label, names, make) {
  const place = el("div", {}, make(0));
  return el("div", {}, names.length > 1 ? choice(label, names, (at) => place.replaceChildren(make(at))) : el("p", { class: "only" }, names[0]), place);
}
