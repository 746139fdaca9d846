// What stands above every view: source, session, connection, and what is wrong, in words.

import { h, mark, say } from "/assets/dom.js";
import { age, clock, megabytes, plural } from "/assets/words.js";

const LAMPS = { ok: "live", redis: "No Redis", away: "No connection" };
const ANEW_MS = 60000;
// More lines than these are folded away behind the first.
const FOLDED = () => (window.innerWidth < 760 ? 1 : 3);
const at = (id) => document.getElementById(id);

export class Head {
  constructor(views) {
    this.onTheme = () => {};
    this.told = null;
    this.before = "";
    this.outages = [];
    this.lines = new Map();
    this.links = views.map((view, index) => {
      const link = h("a", { href: `#/${view.name}` }, h("kbd", { "aria-hidden": "true" }, String(index + 1)), view.title);
      at("views").append(h("li", {}, link));
      return [view.name, link];
    });
    const wanted = localStorage.getItem("theme")
      || (window.matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark");
    mark(document.documentElement, "data-theme", wanted);
    at("theme").addEventListener("click", () => this.switchTheme());
  }

  switchTheme() {
    const next = document.documentElement.dataset.theme === "light" ? "dark" : "light";
    mark(document.documentElement, "data-theme", next);
    localStorage.setItem("theme", next);
    this.onTheme();
  }

  current(name) {
    for (const [view, link] of this.links) {
      mark(link, "aria-current", view === name ? "page" : null);
      if (view === name) link.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
  }

  state(found, now) {
    const { source, session } = found;
    const badge = at("source");
    badge.hidden = source === "live";
    say(badge, source === "sim" ? "Simulated data" : source === "none" ? "No source" : `${source} data`);
    const state = session.state || "session unknown";
    const [word, when] = state === "regular" ? ["closes", session.closes_ts] : ["opens", session.next_open_ts];
    const soon = session.calendar === "24/7" ? ", always" : when ? `, ${word} ${clock(Number(when)).slice(0, 5)}` : "";
    at("session").replaceChildren("market ", h("b", {}, state), soon);
    const [used, most] = found.memory || [null, null];
    say(at("memory"), used === null ? "" : `Redis ${megabytes(used)}${most ? ` of ${megabytes(most)}` : ""}`);
    this.wrong(found);
    this.anew(found, now);
    this.told = found;
  }

  wrong(found) {
    const lines = found.wrong;
    if (lines.length === 0) this.take("wrong", null);
    else this.take("wrong", "bad", lines.length === 1 ? "Wrong" : plural(lines.length, "problem"), lines);
    this.take("notes", found.notes.length ? "warn" : null, "Note", found.notes);
  }

  // A process that was started anew says so for a minute.
  anew(found, now) {
    const before = this.told ? this.told.began_ms : found.began_ms;
    if (found.began_ms !== before) this.dashboardMs = found.began_ms;
    const own = this.dashboardMs && now - this.dashboardMs < ANEW_MS;
    const lines = Object.entries(found.anew)
      .filter(([, started]) => now - started < ANEW_MS)
      .map(([worker, started]) => `${worker} was started anew at ${clock(started)}`);
    if (own) lines.push(`the dashboard was started anew at ${clock(this.dashboardMs)}: what it remembers begins there`);
    this.outages = this.outages.filter((one) => now - one.until < ANEW_MS);
    for (const one of this.outages) lines.push(`${one.what} at ${clock(one.until)}, after ${age(one.until - one.since)}`);
    this.take("anew", lines.length ? "warn" : null, "Restarted", lines);
  }

  feed(state, feed) {
    const lamp = at("lamp");
    mark(lamp, "data-state", state);
    say(at("lamp-text"), LAMPS[state]);
    this.outage(state, feed.now());
    if (state === "ok") return this.take("feed", null);
    const since = feed.shownAt();
    const old = since ? `What is shown is as of ${clock(since)}, ${age(feed.now() - since)} old.` : "Nothing has been read yet.";
    const why = state === "away" ? "The dashboard's server does not answer." : `${feed.fault}.`;
    this.take("feed", "bad", LAMPS[state], [`${why} ${old}`]);
  }

  // What is over is told for a minute, too: it may have been too short to be seen.
  outage(state, now) {
    if (state !== this.before) {
      if (state === "ok" && this.since) {
        const what = this.before === "redis" ? "Redis answered again" : "the connection was back";
        this.outages.push({ what, since: this.since, until: now });
        if (this.told) this.anew(this.told, now);
      }
      this.since = state === "ok" || this.before === "" ? null : this.since || now;
    }
    this.before = state;
  }

  refused(topic, why) {
    this.take(`refused ${topic}`, why ? "bad" : null, "Not shown", [why]);
  }

  // One notice a kind. It is told to a screen reader when it comes and when its title changes, not
  // each time an age in it does.
  take(name, kind, title = "", lines = []) {
    let box = this.lines.get(name);
    if (!kind) {
      if (box) box.remove();
      this.lines.delete(name);
      return;
    }
    if (!box) {
      box = h("div", { class: "notice", "data-name": name }, h("span"), h("div", { "aria-live": "off" }));
      this.lines.set(name, box);
      at("notices").append(box);
    }
    mark(box, "data-kind", kind);
    say(box.firstChild, title);
    const text = lines.join("\n");
    if (box.dataset.text === text) return;
    box.dataset.text = text;
    const open = box.lastChild.querySelector("details")?.open;
    const shown = lines.length > FOLDED() ? [this.folded(lines, open)] : lines.map((line) => h("div", {}, line));
    box.lastChild.replaceChildren(...shown);
  }

  folded(lines, open) {
    const rest = lines.slice(1).map((line) => h("li", {}, line));
    return h("details", { open }, h("summary", {}, `${lines[0]}, and ${lines.length - 1} more`), h("ul", {}, rest));
  }
}
