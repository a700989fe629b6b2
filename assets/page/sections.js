// What stands in each section of the page.

/** A section with its heading. */
const section = (id, title, ...content) => el("section", { id, "aria-labelledby": `${id}-title` }, el("h2", { id: `${id}-title` }, title), ...content);

/** What must not be overlooked, each with its reason. */
const notices = (marks) => marks.map((mark) => el("p", { class: "notice" }, el("strong", { class: "mark" }, mark.word), ` ${mark.why}`));

/** A few names, and how many more. */
function some(names) {
  if (names.length <= 6) return names.join(", ");
  return [names.slice(0, 5).join(", "), ` and ${names.length - 5} more`].join("");
}

function headline(entry) {
  const value = measured(entry.figure)
    ? [el("p", { class: "value" }, entry.figure.text), el("p", { class: "spread" }, entry.figure.spread), el("p", { class: "from" }, entry.from)]
    : [el("p", { class: "value absent" }, "not measured"), el("p", { class: "from" }, entry.figure.unmeasured)];
  return el("div", { class: "headline" }, el("h3", {}, entry.title), badges(entry.marks), ...value);
}

function absences(record) {
  if (record.unmeasured.length === 0) return el("p", {}, "Everything that was planned was measured.");
  return el("ul", { class: "unmeasured" }, record.unmeasured.map((entry) => el("li", {},
    el("strong", { class: entry.failed ? "mark" : null }, entry.failed ? "FAILED" : entry.what[0].toUpperCase() + entry.what.slice(1)),
    entry.cases.length ? ` ${some(entry.cases)}: ` : ": ",
    entry.why,
    entry.cases.length > 6 ? el("details", {}, el("summary", {}, `All ${entry.cases.length}`), el("p", {}, entry.cases.join(", "))) : null)));
}

/** Warnings, one of each kind. */
function warnings(record) {
  const all = record.warnings;
  if (all.length === 0) return null;
  const list = (entries) => el("ul", {}, entries.map(({ text, cases }) => el("li", {}, cases.length ? el("strong", {}, `${cases[0]}: `) : null, text, cases.length > 1 ? el("details", {}, el("summary", {}, `The same kind for ${cases.length - 1} more`), el("p", {}, cases.slice(1).join(", "))) : null)));
  return el("div", { class: "warnings" }, el("h3", {}, "Warnings"), list(all.slice(0, 4)),
    all.length > 4 ? el("details", {}, el("summary", {}, `${all.length - 4} more warnings`), list(all.slice(4))) : null);
}

function verdict(record) {
  return section("verdict", "Verdict",
    notices(record.marks),
    el("p", { class: "device" }, `${record.device} · ${record.backend} · ${record.driver} · ${record.started_utc}`),
    record.sentences.map((sentence) => el("p", { class: "sentence" }, sentence)),
    el("div", { class: "headlines" }, record.headlines.map(headline)),
    el("h3", {}, "What could not be measured"), absences(record),
    warnings(record));
}

function rooflineSection(record) {
  const roofs = record.roofs.length ? table({ caption: `Measured roofs of ${record.label}`, rows: record.roofs, columns: [
    { title: "Roof", value: (roof) => roof.resource },
    { title: "Rate", value: (roof) => roof.rate.value, show: (roof) => roof.rate.text, number: true },
    { title: "Low", value: (roof) => roof.rate.low, hidden: true },
    { title: "High", value: (roof) => roof.rate.high, hidden: true },
    { title: "How well known", value: (roof) => roof.rate.spread },
    { title: "Measured by", value: (roof) => roof.from },
  ] }) : el("p", { class: "absent" }, "This session measured no roof: add --case 'peak-fma/*', --case 'copy/*' and --case 'read/*'.");
  const points = record.cases.some((entry) => entry.intensity !== null && measured(entry.op_rate) && entry.measures === null);
  return section("roofline", "Roofline",
    points ? roofline(record) : el("p", { class: "absent" }, "No case has both an intensity and a rate, so there is nothing to draw."),
    roofs);
}

function results(record) {
  return section("results", "Results", table({ caption: `Results of ${record.label}`, filter: true, rows: record.cases, columns: [
    { title: "Case", value: (entry) => entry.case },
    { title: "Kernel", value: (entry) => entry.kernel, show: (entry) => (entry.best ? [entry.kernel, el("span", { class: "best", title: "the quickest verified kernel of this case" }, " best")] : entry.kernel) },
    { title: "Marks", value: (entry) => entry.marks.join(" "), show: (entry) => badges(entry.marks) },
    { title: "Rate", value: (entry) => number(entry.rate), show: (entry) => (entry.status === "measured" ? words(entry.rate) : el("span", { class: "absent", title: entry.reason }, entry.status)), number: true },
    { title: "Rate, low", value: (entry) => entry.rate.low, hidden: true },
    { title: "Rate, high", value: (entry) => entry.rate.high, hidden: true },
    { title: "Unit", value: (entry) => entry.unit, hidden: true },
    { title: "Time", value: (entry) => number(entry.time), show: (entry) => words(entry.time), number: true },
    { title: "95 %", value: (entry) => (measured(entry.time) ? entry.time.spread : entry.time.unmeasured), show: (entry) => (measured(entry.time) ? (entry.time.low === null ? el("span", { class: "absent", title: entry.time.spread }, "no interval") : entry.time.spread) : "–") },
    { title: "Of its roof", value: (entry) => number(entry.roof_share), show: (entry) => words(entry.roof_share), number: true },
    { title: "Tokens/s", value: (entry) => (entry.tokens ? entry.tokens.value : null), show: (entry) => (entry.tokens ? entry.tokens.text : "–"), number: true, hidden: !record.cases.some((entry) => entry.tokens) },
    ...(record.cases.some((entry) => measured(entry.power)) ? [
      { title: "Power", value: (entry) => number(entry.power), show: (entry) => words(entry.power), number: true },
      { title: "Work per joule", value: (entry) => number(entry.per_joule), show: (entry) => words(entry.per_joule), number: true },
    ] : []),
    { title: "Error ÷ tolerance", value: (entry) => (entry.error === null ? null : Number(entry.error)), show: (entry) => entry.error ?? (entry.status === "measured" ? "not verified" : "–"), number: true },
    { title: "Why there is no figure", value: (entry) => entry.reason, hidden: true },
  ] }));
}

function efficiencySection(records) {
  const charts = ["FLOP/s", "OP/s", "B/s", "1/s"].map((unit) => efficiency(records, unit)).filter(Boolean);
  const without = records.filter((record) => !record.cases.some((entry) => measured(entry.per_joule)));
  return section("efficiency", "Efficiency", charts, without.map((record) => el("p", { class: "absent" }, `${record.label}: no work per joule. ${record.sensor.unmeasured ?? "No case has an energy; see what could not be measured."}`)));
}

function comparison(description) {
  const { columns } = description;
  const metricName = (metric) => ({ throughput: "rate", "throughput-per-watt": "work per joule" })[metric] ?? metric;
  const cellOf = (row, at) => row.cells[at];
  return section("comparison", "Comparison",
    el("p", {}, description.differs.length ? `What differs: ${description.differs.join(", ")}.` : "Nothing differs between these results but when they were measured.", description.same.length ? ` The same in all: ${description.same.join("; ")}.` : ""),
    el("ol", { class: "columns" }, columns.map((column) => el("li", {}, el("strong", {}, column.letter), ` ${column.device} · ${column.backend} · ${column.driver} (${column.sessions} ${column.sessions === 1 ? "session" : "sessions"}${column.date ? `, ${column.date}` : ""})`, column.caveats.map((caveat) => el("p", { class: "notice" }, caveat))))),
    description.sections.length === 0 ? el("p", { class: "absent" }, "No case has a value in two columns.") : null,
    description.sections.map((part) => [
      forest(part, columns, metricName(part.metric)),
      means(part, columns),
      table({ caption: `${part.title}, ${metricName(part.metric)}`, filter: true, rows: part.rows, columns: [
        { title: "Case", value: (row) => row.case },
        ...columns.flatMap((column, at) => [
          { title: column.letter, value: (row) => number(cellOf(row, at)), show: (row) => { const entry = cellOf(row, at); return measured(entry) ? [entry.text, el("span", { class: "kernel" }, ` ${entry.kernel}`), entry.verified ? null : badges(["UNVERIFIED"])].flat().filter(Boolean) : el("span", { class: "absent", title: entry.unmeasured }, "not measured"); }, number: true },
          ...(at === 0 ? [] : [{ title: `${column.letter} ÷ ${columns[0].letter}`, value: (row) => { const entry = cellOf(row, at); return measured(entry) && measured(entry.ratio) ? entry.ratio.value : null; }, show: (row) => { const entry = cellOf(row, at); if (!measured(entry)) return "–"; return measured(entry.ratio) ? times(entry.ratio) : el("span", { class: "absent", title: entry.ratio ? entry.ratio.unmeasured : "" }, "no ratio"); }, number: true }]),
        ]),
      ] }),
    ]).flat().filter(Boolean),
    description.alone.map((alone) => el("details", {}, el("summary", {}, `Only ${alone.column} has ${alone.cases.length} cases: ${alone.reason}`), el("p", {}, alone.cases.join(", ")))),
    description.notes.length ? el("ul", {}, description.notes.map((note) => el("li", {}, note))) : null);
}

function means(part, columns) {
  const known = part.means.map((mean, at) => [mean, at]).filter(([mean]) => mean);
  return known.length ? el("p", { class: "means" }, known.map(([mean, at]) => `${columns[part.means.length === columns.length ? at : at + 1].letter}: ${times(mean.ratio)}, geometric mean of ${mean.cases} ${mean.cases === 1 ? "case" : "cases"}. `)) : null;
}

function stability(record) {
  const series = record.stability;
  if (series.length === 0) return section("stability", "Stability", el("p", { class: "absent" }, "No case of this record has samples of its time."));
  const marks = alarming(record);
  return section("stability", "Stability", chooser("Case and kernel", series.map((entry) => entry.id), (at) => [
    samples(series[at], marks), ...deviceStates(series[at], marks), distribution(series[at], marks),
    ...series[at].invocations.map((invocation) => el("details", {}, el("summary", {}, `Invocation ${invocation.invocation}`), pairs(invocation.words))),
  ].reduce((box, part) => { box.append(part); return box; }, el("div"))));
}

function energy(record) {
  if (!measured(record.sensor)) return section("energy", "Energy", el("p", { class: "absent" }, `Energy was not measured: ${record.sensor.unmeasured}.`));
  const windows = record.energy;
  return section("energy", "Energy",
    el("details", { open: true }, el("summary", {}, "The sensor"), pairs(record.sensor)),
    windows.length === 0 ? el("p", { class: "absent" }, "No case has an energy window; what could not be measured says why.") : chooser("Case, kernel and invocation", windows.map((window) => `${window.id}, invocation ${window.invocation}`), (at) => {
      const window = windows[at];
      const parts = [el("p", {}, badges(window.marks), ` ${window.gross.text} ${window.gross.spread} over the window, idle included.`), trace(window), budget(window), pairs(window.words)];
      return parts.filter(Boolean).reduce((box, part) => { box.append(part); return box; }, el("div"));
    }));
}

function kernels(record) {
  const name = (parameters) => Object.entries(parameters).map(([key, value]) => `${key} = ${value}`).join(", ") || "none";
  const own = record.kernels.filter((kernel) => kernel.sources.length);
  return section("kernels", "Kernels",
    table({ caption: `Kernels of ${record.label}`, filter: true, rows: record.kernels, columns: [
      { title: "Case and kernel", value: (kernel) => kernel.id },
      { title: "Parameters", value: (kernel) => name(kernel.parameters) },
      { title: "From", value: (kernel) => kernel.parameters_from },
      { title: "Source", value: (kernel) => kernel.no_source ?? kernel.sources.map((source) => source.name).join(", ") },
    ] }),
    own.flatMap((kernel) => kernel.sources.map((source) => el("details", {}, el("summary", {}, `${kernel.id}: ${source.name}`), el("div", { class: "copied" }, copy(source.wgsl), el("pre", { tabindex: "0" }, source.wgsl))))),
    el("p", { class: "absent" }, "What compilers made of the kernels is not in this record; perwatt inspect shows it."));
}

function history(list) {
  const entries = list.flatMap((device) => device.cases.map((series) => [device.device, series]));
  const changes = entries.filter(([, series]) => series.changes.length);
  return section("history", "History",
    changes.length ? el("div", {}, el("p", {}, "Where the level seems to change (advice by PELT, no verdict):"), el("ul", {}, changes.flatMap(([device, series]) => series.changes.map((change) => el("li", {}, `${series.id} on ${device}: ${change.text} from ${series.points[change.at].started_utc} on`))))) : el("p", {}, "No change of level stands out in any case, as far as there are enough sessions."),
    chooser("Device and case", entries.map(([device, series]) => `${device}: ${series.id}`), (at) => overTime(...entries[at])));
}

function provenance(record) {
  return section("provenance", "Provenance",
    el("p", {}, `From ${record.file}. To measure it again:`),
    el("div", { class: "copied" }, copy(record.command), el("pre", { tabindex: "0" }, record.command)),
    pairs(record.provenance));
}

function devices(page) {
  const rows = page.links.map((link) => ({ link, record: page.records[link.record] }));
  const figure = (at) => ({ number: true, value: (row) => number(row.record.headlines[at].figure), show: (row) => { const entry = row.record.headlines[at]; return measured(entry.figure) ? [entry.figure.text, el("span", { class: "kernel" }, ` ${entry.figure.spread}`), ...badges(entry.marks)] : words(entry.figure); } });
  const names = [...new Set(rows.map((row) => row.record.device))].sort();
  return section("devices", "Devices",
    el("p", {}, el("a", { href: "feed.xml" }, "New results as an Atom feed")),
    names.map((name) => el("div", {}, el("h3", {}, name), table({ caption: `Results of ${name}`, rows: rows.filter((row) => row.record.device === name), columns: [
      { title: "Result", value: (row) => row.record.started_utc, show: (row) => el("a", { href: row.link.href }, `${row.record.backend}, ${row.record.started_utc}`) },
      { title: "Driver", value: (row) => row.record.driver },
      { title: "Marks", value: (row) => row.record.marks.map((mark) => mark.word).join(" "), show: (row) => badges([...new Set(row.record.marks.map((mark) => mark.word))]) },
      { title: "Compute", ...figure(0) },
      { title: "Memory", ...figure(1) },
      { title: "Work per joule", ...figure(2) },
    ] }))));
}
