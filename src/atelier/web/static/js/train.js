// Train: pictures by drag and drop, captions in bulk, and the run as it goes.
import { onSnapshot, start } from "./live.js";

for (const drop of document.querySelectorAll("[data-drop]")) {
  const input = drop.querySelector("input[type=file]");
  drop.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.dataset.over = "1";
  });
  drop.addEventListener("dragleave", () => delete drop.dataset.over);
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    delete drop.dataset.over;
    input.files = event.dataTransfer.files;
    if (input.files.length) drop.closest("form").requestSubmit();
  });
}

const reload = document.querySelector("[data-reload]");
if (reload) {
  // Asked for again in place, so marks that were set on the sheet are not lost to a reload.
  const again = async () => {
    const answer = await fetch(location.href);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("[data-reload]");
    if (!fresh) {
      location.reload();
      return;
    }
    reload.innerHTML = fresh.innerHTML;
    setTimeout(again, Number(reload.dataset.reload));
  };
  setTimeout(again, Number(reload.dataset.reload));
}

for (const box of document.querySelectorAll("[data-needs-script]")) box.hidden = false;
document.querySelector("[data-bulk-apply]")?.addEventListener("click", () => {
  const text = document.querySelector("[data-bulk]").value;
  for (const field of document.querySelectorAll("textarea[name^=caption_]")) {
    if (!field.value.trim()) field.value = text;
  }
});

function words(state) {
  const { progress } = state;
  if (state.status === "checking") return "Your pictures are being checked; nothing is paid yet.";
  if (state.status === "queued") return state.queue_position === 1 ? "Next in the queue" : `Place ${state.queue_position} in the queue`;
  if (state.cancel_requested) return "Stopping after this step";
  if (progress.yielding) return "Making room for somebody who waits for a picture";
  if (!progress.steps) return "Preparing the pictures";
  return `Epoch ${progress.epoch} of ${progress.epochs}, step ${progress.step} of ${progress.steps}`;
}

let refreshed = 0;
async function replace(element) {
  const answer = await fetch(element.dataset.training, { headers: { "X-Fragment": "1" } });
  if (!answer.ok) return;
  const holder = document.createElement("template");
  holder.innerHTML = await answer.text();
  const fresh = holder.content.querySelector("[data-training]");
  const open = element.querySelector("figure details")?.open;
  element.replaceWith(fresh);
  if (open && fresh.querySelector("figure details")) fresh.querySelector("figure details").open = true;
  start(fresh.parentElement);
}

onSnapshot("training", (state, element) => {
  const shown = `${state.status} ${state.epochs.length}`;
  const now = Date.now();
  // The loss line grows with every step; it is drawn anew now and then, the table when a row comes.
  const grown = state.status === "running" && now - refreshed > 10000;
  if (element.dataset.shown !== shown || grown) {
    element.dataset.shown = shown;
    refreshed = now;
    replace(element);
    return;
  }
  const text = element.querySelector("[data-words]");
  const next = words(state);
  if (text && text.textContent.trim() !== next) {
    text.setAttribute("aria-live", "off");
    text.textContent = next;
  }
  const bar = element.querySelector("[data-progress]");
  if (bar) bar.value = state.progress.fraction;
});

start();
