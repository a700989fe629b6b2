// The page as a whole.

/** Sections of one record, in their order. */
const OF_RECORD = [["verdict", "Verdict", verdict], ["roofline", "Roofline", rooflineSection], ["results", "Results", results]];
const OF_RECORD_LAST = [["stability", "Stability", stability], ["energy", "Energy", energy], ["kernels", "Kernels", kernels], ["provenance", "Provenance", provenance]];

function theme() {
  const names = ["Automatic", "Light", "Dark"];
  let at = 0;
  const button = el("button", { type: "button", onclick: () => { at = (at + 1) % names.length; set(); } });
  function set() {
    button.textContent = `Colours: ${names[at].toLowerCase()}`;
    if (at === 0) document.documentElement.removeAttribute("data-theme");
    else document.documentElement.setAttribute("data-theme", names[at].toLowerCase());
  }
  set();
  return button;
}

/** A page of many GPUs has sections of its own. */
function buildFleet() {
  const parts = fleetSections(data.fleet);
  const nav = el("nav", { "aria-label": "Sections" }, el("ul", {}, parts.map(([id, name]) => el("li", {}, el("a", { href: `#${id}` }, name)))));
  document.getElementById("page").append(
    el("header", {}, el("h1", {}, data.title), el("div", { class: "controls" }, theme())),
    nav, ...parts.map((entry) => entry[2]));
}

/** A page about a scenario and nothing else. */
function buildInvestment() {
  document.getElementById("page").append(
    el("header", {}, el("h1", {}, data.title), el("div", { class: "marks" }, badges(["MODELLED"])), el("div", { class: "controls" }, theme())),
    investmentSection(data.investment));
}

function build() {
  if (data.investment) {
    buildInvestment();
    return;
  }
  if (data.fleet) {
    buildFleet();
    return;
  }
  const { records } = data;
  const site = data.links.length > 0;
  const single = site ? [] : OF_RECORD;
  const invested = records.some((record) => record.investment);
  const singleLast = site ? [] : [...OF_RECORD_LAST.slice(0, -1), ...(invested ? [["investment", "Investment", (record) => investmentSection(record.investment)]] : []), ...OF_RECORD_LAST.slice(-1)];
  const first = el("div");
  const last = el("div");
  const fill = (at) => {
    first.replaceChildren(...single.map(([, , make]) => make(records[at])));
    last.replaceChildren(...singleLast.map(([, , make]) => make(records[at])));
  };
  fill(0);
  const shared = [["efficiency", "Efficiency", efficiencySection(records)]];
  if (data.comparison) shared.push(["comparison", "Comparison", comparison(data.comparison)]);
  const late = data.history.length ? [["history", "History", history(data.history)]] : [];
  const places = [...(site ? [["devices", "Devices"]] : []), ...single, ...shared, ...singleLast.slice(0, -1), ...late, ...singleLast.slice(-1)];
  const nav = el("nav", { "aria-label": "Sections" }, el("ul", {}, places.map(([id, name]) => el("li", {}, el("a", { href: `#${id}` }, name)))));
  const words = [...new Set(records.flatMap((record) => record.marks.map((mark) => mark.word)))];
  document.getElementById("page").append(
    el("header", {}, el("h1", {}, data.title), el("div", { class: "marks" }, badges(words)),
      el("div", { class: "controls" }, records.length > 1 && !site ? choice("Record", records.map((record) => record.label), fill) : null, theme())),
    nav,
    ...(site ? [devices(data)] : []),
    first,
    ...shared.map((entry) => entry[2]),
    last,
    ...late.map((entry) => entry[2]));
}

// Paper shows everything: what is folded is opened, and tables are whole.
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("main details:not(figure details)")) details.open = true;
  for (const whole of document.querySelectorAll(".table")) whole.dispatchEvent(new Event("print-all"));
});

build();
document.documentElement.setAttribute("data-ready", "");
