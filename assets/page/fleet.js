// What the records of many GPUs say together.

/** Where the cards of a model lie, with the listed ones marked. */
function cardsChart(model) {
  const listed = model.listed.map(([name, ratio]) => ({ name, ratio }));
  return chart({
    title: `Cards of ${model.title}, over all cases`,
    about: "Time against the median of the model; 1 is the median. Marked cards are in the list.",
    legend: legendOf([{ colour: COLOURS[0], name: "all cards" }, { colour: "var(--alarm)", symbol: "triangle2", name: "in the list" }]),
    draw: () => ({
      options: {
        height: 260,
        x: { label: "time ÷ the model's median", grid: true },
        y: { label: "cards", grid: true },
        marks: [
          Plot.rectY(model.ratios, Plot.binX({ y: "count" }, { x: (ratio) => ratio, thresholds: 40, fill: COLOURS[0] })),
          Plot.ruleY([0], { stroke: LINE }),
          Plot.dot(listed, { x: "ratio", y: () => 0, symbol: "triangle2", r: 6, fill: "var(--alarm)", dy: -8 }),
        ],
      },
      points: listed.map((card) => ({ x: card.ratio, y: 0, text: `${card.name}\n${card.ratio.toFixed(3)} of the median` })),
    }),
    numbers: {
      columns: [
        { title: "Listed card", value: (card) => card.name },
        { title: "Time ÷ median", value: (card) => card.ratio, number: true, show: (card) => card.ratio.toFixed(3) },
      ],
      rows: listed,
    },
  });
}

function pullSection(fleet) {
  const list = fleet.pull.length === 0
    ? el("p", { class: "absent" }, "Nothing is listed. What could be judged stands with each model.")
    : table({ caption: "What to look at first", rows: fleet.pull, columns: [
      { title: "Card", value: (item) => item.name },
      { title: "What", value: (item) => item.what },
      { title: "Model", value: (item) => item.device },
      { title: "Costs", value: (item) => item.cost_ratio, show: (item) => item.cost, number: true },
      { title: "Clearest case", value: (item) => item.worst },
      { title: "$ a year, MODELLED", value: (item) => item.dollars, number: true },
      { title: "Do", value: (item) => item.advice },
      { title: "Seen", value: (item) => item.seen },
    ] });
  return section("pull", "What to look at first", fleet.notes.map((note) => el("p", { class: "notice" }, note)), list, fleet.rules.map((rule) => el("p", {}, rule)));
}

function fleetModel(model) {
  return el("div", {}, el("h3", {}, model.title), model.sentences.map((sentence) => el("p", {}, sentence)),
    model.ratios.length ? cardsChart(model) : null,
    table({ caption: `Cases of ${model.title}`, filter: true, rows: model.cases, columns: [
      { title: "Case", value: (row) => row.case },
      { title: "Cards", value: (row) => row.cards, number: true },
      { title: "Median", value: (row) => row.median, number: true },
      { title: "Spread", value: (row) => row.spread, show: (row) => row.spread_words, number: true },
      { title: "5 to 95 %", value: (row) => row.range },
      { title: "Two kinds", value: (row) => row.two_kinds },
    ] }));
}

/** The sections of a page of many GPUs. */
function fleetSections(fleet) {
  return [
    ["pull", "What to look at first", pullSection(fleet)],
    ["models", "Models", section("models", "Models", fleet.models.map(fleetModel))],
    ["notes", "Notes", section("notes", "Notes", el("ul", {}, fleet.after.map((note) => el("li", {}, note))))],
  ];
}
