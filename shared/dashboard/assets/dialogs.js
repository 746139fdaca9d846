// The keys, and the one order that can be given.

import { h, say } from "/assets/dom.js";

const KEYS = [
  ["1 … 7", "the views"],
  ["← →  k j", "the symbol before or after, in views of one symbol"],
  ["↑ ↓ ← →", "through the cells of the wall; Enter opens the symbol's ladder"],
  ["r", "resubscribe a symbol (operator token needed)"],
  ["/", "filter the ledgers"],
  ["t", "light or dark"],
  ["?", "this list"],
];
const WORKERS = ["", "ibkr_depth", "ibkr_trades", "av_options", "av_sentiment"];
// Kept for as long as the page is open, and nowhere else.
let token = "";

export function fillHelp() {
  const dialog = document.getElementById("help");
  if (dialog.open) return dialog.close();
  dialog.replaceChildren(
    h("h2", { id: "help-title" }, "Keys"),
    h("dl", {}, KEYS.flatMap(([key, what]) => [h("dt", {}, key), h("dd", {}, what)])),
    h("form", { method: "dialog" }, h("div", { class: "row" }, h("button", { class: "button" }, "Close"))),
  );
  dialog.showModal();
}

export function askOrder(context, symbol, worker) {
  const dialog = document.getElementById("order");
  const said = h("p", { role: "status", class: "muted" });
  if (!context.mayOrder) say(said, "Orders are off: no operator token is set (TICKVISOR_DASHBOARD_TOKEN).");
  const symbols = choice("symbol", context.symbols.all, symbol || context.symbols.all[0]);
  const workers = choice("worker", WORKERS, worker || "");
  workers.firstChild.textContent = "that of depth while it holds a slot, else that of trades";
  const secret = h("input", { name: "token", type: "password", autocomplete: "off", required: true });
  secret.value = token;
  const send = h("button", { class: "button", type: "submit", disabled: !context.mayOrder }, "Resubscribe");
  const form = h("form", {
    onsubmit: async (event) => {
      event.preventDefault();
      token = secret.value;
      send.disabled = true;
      say(said, "asked, waiting for the worker …");
      say(said, await order(symbols.value, workers.value));
      send.disabled = false;
    },
  },
  h("label", {}, "Symbol", symbols), h("label", {}, "Worker", workers), h("label", {}, "Operator token", secret),
  said,
  h("div", { class: "row" }, h("button", { class: "button", type: "button", onclick: () => dialog.close() }, "Close"), send));
  dialog.replaceChildren(h("h2", { id: "order-title" }, "Resubscribe a symbol"), form);
  if (!dialog.open) dialog.showModal();
}

function choice(name, values, chosen) {
  const found = h("select", { name }, values.map((value) => h("option", { value }, value)));
  found.value = chosen;
  return found;
}

async function order(symbol, worker) {
  try {
    const answer = await fetch("/resubscribe", {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify({ symbol, worker }),
      credentials: "omit",
    });
    const told = await answer.json();
    return told.worker ? `${told.worker}: ${told.answer}` : told.answer;
  } catch {
    return "the dashboard's server does not answer";
  }
}
