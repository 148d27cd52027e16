// Live parts: an element with data-events follows a stream of JSON snapshots and hands each to its handler.
//
// The address answers with a redirect to the events server and a single-use ticket, so a lost connection
// is opened again from the start, with a growing pause.
const handlers = new Map();

export function onSnapshot(kind, handler) {
  handlers.set(kind, handler);
}

export function follow(address, handler, element = document.body) {
  let pause = 1000;
  let source;
  let done = false;
  const open = () => {
    if (done || !element.isConnected) return;
    source = new EventSource(address);
    source.onmessage = (event) => {
      pause = 1000;
      const snapshot = JSON.parse(event.data);
      handler(snapshot, element);
      if (snapshot.final) close();
    };
    source.onerror = () => {
      source.close();
      if (done) return;
      setTimeout(open, pause);
      pause = Math.min(pause * 2, 30000);
    };
  };
  const close = () => {
    done = true;
    source?.close();
  };
  open();
  return close;
}

export function start(root = document) {
  for (const element of root.querySelectorAll("[data-events]")) {
    if (element.dataset.following) continue;
    const handler = handlers.get(element.dataset.eventsKind);
    if (!handler) continue;
    element.dataset.following = "1";
    follow(element.dataset.events, handler, element);
  }
}
