// The stream of events: what is looked at, whether it still comes, and what time the server has.

// The server sends a pulse twice a second.
const SILENCE_MS = 2500;
const AGAIN_MS = 2000;
const HIDDEN_MS = 10000;

export class Feed {
  constructor(onPart, onState) {
    this.onPart = onPart;
    this.onState = onState;
    this.topics = [];
    this.source = null;
    this.offset = 0;
    this.pulseAt = null;
    this.readAt = null;
    this.fault = "";
    this.began = performance.now();
    this.hiding = null;
    setInterval(() => this.check(), 250);
    document.addEventListener("visibilitychange", () => this.visible());
  }

  now() {
    return Date.now() + this.offset;
  }

  // `ok`, `redis` (its data is old) or `away` (no server).
  state() {
    if (document.hidden && !this.source) return "ok";
    const silent = performance.now() - (this.pulseAt ?? this.began);
    if (this.pulseAt === null || silent > SILENCE_MS) return "away";
    return this.fault ? "redis" : "ok";
  }

  // As of when what is shown was true.
  shownAt() {
    return this.readAt;
  }

  watch(topics) {
    this.topics = topics;
    this.open();
  }

  open() {
    this.close();
    const source = new EventSource(`/events?topics=${this.topics.map(encodeURIComponent).join(",")}`);
    source.onmessage = (event) => {
      if (source === this.source) this.take(JSON.parse(event.data));
    };
    source.onerror = () => {
      // Refused for good, not merely cut: the browser would not try again.
      if (source === this.source && source.readyState === EventSource.CLOSED) {
        setTimeout(() => source === this.source && this.open(), AGAIN_MS);
      }
    };
    this.source = source;
  }

  close() {
    if (this.source) this.source.close();
    this.source = null;
  }

  take(message) {
    if (message.topic === "pulse") {
      const [now, read, fault] = message.value;
      this.offset = now - Date.now();
      this.pulseAt = performance.now();
      this.readAt = read ?? this.readAt;
      this.fault = fault;
      this.check();
      return;
    }
    this.onPart(message.topic, message.part, message.value);
  }

  check() {
    this.onState(this.state());
  }

  // A tab that nobody sees costs nothing and holds no connection.
  visible() {
    clearTimeout(this.hiding);
    if (document.hidden) this.hiding = setTimeout(() => this.close(), HIDDEN_MS);
    else if (!this.source) {
      this.began = performance.now();
      this.pulseAt = null;
      this.open();
    }
  }
}
