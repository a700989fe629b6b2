// Runs the investment model: a question first, then the inputs that are moved. One message, one answer.
"use strict";
let model = null;

/** Hands a text to the model and takes its answer, an object with an `answer` or an `error`. */
function ask(call, text) {
  const bytes = new TextEncoder().encode(text);
  // The memory may move while room is made, so it is looked up after that.
  const room = model.perwatt_room(bytes.length) >>> 0;
  new Uint8Array(model.memory.buffer, room, bytes.length).set(bytes);
  const at = model[call]() >>> 0;
  return JSON.parse(new TextDecoder().decode(new Uint8Array(model.memory.buffer, at, model.perwatt_length() >>> 0)));
}

addEventListener("message", async ({ data }) => {
  try {
    if (data.module) model = (await WebAssembly.instantiate(data.module, {})).instance.exports;
    postMessage(data.question ? ask("perwatt_open", data.question) : ask("perwatt_answer", data.moved));
  } catch (reason) {
    postMessage({ fault: String(reason) });
  }
});
