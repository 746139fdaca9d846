// One symbol: ten levels a side, its quote between them, and the tape.

import { h, mark, rows, say } from "/assets/dom.js";
import { picker } from "/assets/picker.js";
import { age, clock, count, fixed, price } from "/assets/words.js";

const LEVELS = 10;
const TAPE = 60;

export function make(context) {
  const asks = h("tbody", { class: "asks", "aria-label": "Asks" });
  const bids = h("tbody", { class: "bids", "aria-label": "Bids" });
  const middle = [
    h("td", { colspan: "2", class: "num" }, h("span", { class: "wide muted" }), h("span")),
    h("td", { class: "price" }),
    h("td", { colspan: "2" }, h("span"), h("span", { class: "wide muted" })),
  ];
  const table = h("table", { class: "ladder", "aria-label": `Book of ${context.symbol}` },
    h("thead", {}, h("tr", {}, ["venue", "bid size", "price", "ask size", "venue"].map((name, at) =>
      h("th", { scope: "col", class: ["", "num", "centre", "", "num"][at] }, name)))),
    asks, h("tbody", {}, h("tr", { class: "middle", "aria-label": "National best bid and offer" }, middle)), bids);
  const facts = h("dl", { class: "facts" });
  const balance = h("div", { class: "balance", role: "img", "aria-label": "balance of the book" }, h("i"), h("b"));
  const why = h("p", { class: "empty", hidden: true });
  const tape = h("tbody");
  const last = h("b", { class: "last" });
  const stateOf = h("span", { class: "state" });
  const root = h("div", { class: "ladder-view" },
    h("section", { class: "panel" },
      h("header", {}, picker(context, "ladder"), last, h("span", { class: "fill" }), stateOf,
        h("button", { class: "button", type: "button", title: "Have a worker ask for this symbol anew (r)", onclick: () => context.order(context.symbol, "") }, "Resubscribe …")),
      h("div", { class: "body" }, facts, balance, table, why)),
    h("section", { class: "panel tape" },
      h("header", {}, h("h2", {}, "Tape"), h("span", { class: "muted" }, "newest first")),
      h("div", { class: "scroll tall" }, h("table", { class: "list", "aria-label": `Trades of ${context.symbol}` },
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "time"), h("th", { scope: "col", class: "num" }, "price"), h("th", { scope: "col", class: "num" }, "size"), h("th", { scope: "col" }, "venue"), h("th", { scope: "col" }, "feed"))), tape))));
  for (const side of [asks, bids]) for (let at = 0; at < LEVELS; at += 1) side.append(level());
  const fact = terms(facts, ["book spread", "NBBO spread", "seq", "book age", "quote", "quote age", "volume"]);
  const state = {};

  return {
    root,
    topics: [`ladder:${context.symbol}`],
    part(_, part, value) {
      state[part] = value;
    },
    frame(now) {
      const { book, quote, tape: prints } = state;
      if (book) showBook(book);
      if (quote) showQuote(quote, now);
      if (book) {
        say(fact.seq, book.seq ?? "–");
        say(fact["book age"], book.received_ms ? age(now - book.received_ms) : "–");
      }
      if (prints) showTape(prints, now);
    },
  };

  function showBook(book) {
    const most = Math.max(1, ...book.bids.map((row) => row[1]), ...book.asks.map((row) => row[1]));
    for (let at = 0; at < LEVELS; at += 1) {
      fillLevel(asks.children[LEVELS - 1 - at], book.asks[at], most, "ask", at);
      fillLevel(bids.children[at], book.bids[at], most, "bid", at);
    }
    const [sum, other] = [book.bids, book.asks].map((side) => side.reduce((total, row) => total + row[1], 0));
    const share = sum + other ? sum / (sum + other) : 0.5;
    balance.firstChild.style.width = `${(share * 100).toFixed(1)}%`;
    mark(balance, "aria-label", `bids ${count(sum)}, asks ${count(other)} shares in ten levels`);
    say(balance.lastChild, `${count(sum)} bid · ${count(other)} ask`);
    say(stateOf, book.state === "live" ? `live at ${book.venues.join(", ")}` : book.state === "none" ? "no book" : `${book.state}, last known book of ${book.venues.join(", ")}`);
    mark(stateOf, "data-state", { live: "ok", parked: "off", reset: "warn" }[book.state] || "off");
    mark(table, "data-state", book.state);
    why.hidden = !book.why;
    say(why, book.why);
    say(fact["book spread"], book.spread === null ? "–" : `${price(book.spread)} · ${fixed(book.spread_bps, 2)} bps${book.crossed ? ", crossed" : ""}`);
    mark(fact["book spread"], "data-bad", book.crossed ? "1" : null);
  }

  function showQuote(quote, now) {
    say(middle[0].firstChild, `NBBO ${quote.bid_venue} `);
    say(middle[0].lastChild, `${count(quote.bid_size)} × ${price(quote.bid)}`);
    say(middle[1], quote.mid === null ? "–" : price(quote.mid));
    say(middle[2].firstChild, `${price(quote.ask)} × ${count(quote.ask_size)}`);
    say(middle[2].lastChild, ` ${quote.ask_venue}`);
    say(fact["NBBO spread"], quote.spread === null ? "–" : `${price(quote.spread)} · ${fixed(quote.spread_bps, 2)} bps`);
    say(fact.quote, { depth: "from depth", tob: "top of book", delayed: "15 min delayed" }[quote.quote_source] || "none");
    say(fact["quote age"], quote.quote_received_ts ? age(now - quote.quote_received_ts) : "–");
    say(fact.volume, count(quote.volume));
    say(last, price(quote.last));
    mark(last, "title", quote.last_ts ? `last trade at ${clock(quote.last_ts, true)}` : null);
    touch(asks.children[LEVELS - 1], quote.ask);
    touch(bids.children[0], quote.bid);
  }

  // The best rows carry the NBBO's mark where they are at it.
  function touch(row, at) {
    mark(row, "data-nbbo", at !== null && row.dataset.price === String(at) ? "1" : null);
  }

  function showTape(prints, now) {
    rows(tape, prints.slice(0, TAPE), (one, at) => one.seq ?? `x${at}`, () =>
      h("tr", {}, h("td"), h("td", { class: "num" }), h("td", { class: "num" }), h("td"), h("td", { class: "muted" })),
    (row, one) => {
      if (row.dataset.done) return;
      row.dataset.done = "1";
      const [time, at, size, venue, feed] = row.children;
      say(time, clock(one.ts, one.feed === "rtvolume"));
      say(at, `${one.up === null ? "" : one.up ? "▲ " : "▼ "}${price(one.price)}`);
      mark(at, "data-side", one.up === null ? null : one.up ? "up" : "down");
      say(size, count(one.size));
      say(venue, one.venue || "–");
      say(feed, one.feed + (one.conditions ? ` ${one.conditions}` : ""));
    });
    mark(tape, "data-empty", prints.length ? null : `no trades yet, ${clock(now)}`);
  }
}

function level() {
  return h("tr", {}, h("td", { class: "venue" }), h("td", { class: "size bid" }, h("i"), h("span")), h("td", { class: "price" }), h("td", { class: "size ask" }, h("i"), h("span")), h("td", { class: "venue num" }));
}

function fillLevel(row, found, most, side, depth) {
  const [bidVenue, bid, at, ask, askVenue] = row.children;
  const mine = side === "bid" ? bid : ask;
  const venue = side === "bid" ? bidVenue : askVenue;
  (side === "bid" ? ask : bid).firstChild.hidden = true;
  mark(row, "data-price", found ? found[0] : null);
  mark(row, "data-level", depth);
  say(at, found ? price(found[0]) : "");
  say(mine.lastChild, found ? count(found[1]) : "");
  mine.firstChild.style.transform = `scaleX(${found ? Math.max(0.01, found[1] / most).toFixed(3) : 0})`;
  say(venue, found ? found[2] || "" : "");
}

function terms(list, names) {
  return Object.fromEntries(names.map((name) => {
    const value = h("dd");
    list.append(h("div", {}, h("dt", {}, name), value));
    return [name, value];
  }));
}
