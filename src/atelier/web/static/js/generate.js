// Generate: live price, results beside the form without leaving it, and steps as they are drawn.
import { onSnapshot, start } from "./live.js";
import { toast } from "./app.js";

const fragment = { "X-Fragment": "1" };

async function replace(card) {
  const answer = await fetch(card.dataset.card, { headers: fragment });
  if (!answer.ok) return;
  const holder = document.createElement("template");
  holder.innerHTML = await answer.text();
  const fresh = holder.content.querySelector("[data-generation]");
  const focused = card.contains(document.activeElement);
  card.replaceWith(fresh);
  if (focused) fresh.querySelector("a, button")?.focus();
  start(fresh.parentElement);
}

function words(state) {
  const { progress } = state;
  if (state.cancel_requested) return "Cancelling after this step";
  if (state.status === "queued") return state.queue_position === 1 ? "Next in the queue" : `Place ${state.queue_position} in the queue`;
  return `Picture ${Math.max(1, progress.picture)} of ${progress.pictures}, step ${progress.step} of ${progress.steps}`;
}

onSnapshot("generation", (state, card) => {
  const shown = `${state.status} ${state.images.length + state.refused.length}`;
  if (card.dataset.shown !== shown) {
    card.dataset.shown = shown;
    replace(card);
    return;
  }
  const live = card.querySelector("[data-live]");
  if (!live) return;
  const text = live.querySelector("[data-words]");
  const next = words(state);
  // The words change with every step; a screen reader hears the first, and then each picture.
  text.setAttribute("aria-live", state.progress.step <= 1 ? "polite" : "off");
  if (text.textContent.trim() !== next) text.textContent = next;
  live.querySelector("[data-progress]").value = state.progress.fraction;
  const drawing = card.querySelector("[data-slot-words]");
  if (drawing && state.status === "running") drawing.textContent = `Step ${state.progress.step} of ${state.progress.steps}`;
});

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("[data-cancel]");
  if (!form) return;
  event.preventDefault();
  const card = form.closest("[data-generation]");
  const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: fragment });
  if (answer.ok) await replace(card);
  else toast("That could not be cancelled any more.", "warn");
});

const form = document.getElementById("generate");
if (form) {
  const results = document.getElementById("results");
  const problems = document.getElementById("problems");
  const cost = form.querySelector("[data-cost]");
  const button = form.querySelector(".btn-primary");

  // Rows of LoRAs that are not used stay out of sight until asked for.
  const rows = [...form.querySelectorAll("[data-lora-row]")];
  const more = document.getElementById("more-loras");
  const hideRows = () => {
    for (const row of rows) row.hidden = !("used" in row.dataset) && !row.querySelector("select").value;
    more.hidden = rows.every((row) => !row.hidden);
  };
  more.addEventListener("click", () => {
    const row = rows.find((one) => one.hidden);
    if (!row) return;
    row.dataset.used = "";
    hideRows();
    row.querySelector("select").focus();
  });
  hideRows();

  const write = (place, sparks) => {
    const figure = [...place.querySelector(".sparks").childNodes].find((node) => node.nodeType === Node.TEXT_NODE);
    figure.textContent = Number(sparks).toLocaleString("en");
  };
  let asked = 0;
  const price = async () => {
    const mine = ++asked;
    const query = new URLSearchParams({ steps: form.elements.steps.value, quantity: form.elements.quantity.value });
    const answer = await fetch(`${form.dataset.price}?${query}`);
    if (!answer.ok || mine !== asked || !cost) return;
    const { cost: sparks } = await answer.json();
    if (sparks === null) return;
    write(cost, sparks);
  };
  let timer;
  form.addEventListener("input", (event) => {
    if (!["steps", "quantity"].includes(event.target.name)) return;
    clearTimeout(timer);
    timer = setTimeout(price, 150);
  });
  price();

  form.addEventListener("submit", async (event) => {
    if (!form.dataset.signedIn) return;
    event.preventDefault();
    button.setAttribute("aria-disabled", "true");
    if (form.dataset.sending) return;
    form.dataset.sending = "1";
    try {
      const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: fragment });
      const text = await answer.text();
      if (answer.status === 201) {
        problems.replaceChildren();
        document.getElementById("no-results")?.remove();
        write(form.querySelector("[data-balance]"), answer.headers.get("X-Balance"));
        results.insertAdjacentHTML("afterbegin", text);
        start(results);
        results.firstElementChild.scrollIntoView({ block: "nearest", behavior: "smooth" });
      } else if (answer.headers.get("Content-Type")?.startsWith("text/html") && answer.status < 500) {
        problems.innerHTML = text;
        problems.querySelector("[role=alert]")?.focus();
        for (const problem of problems.querySelectorAll("[data-field]")) {
          const field = form.elements[problem.dataset.field];
          field?.setAttribute("aria-invalid", "true");
          field?.closest("details")?.setAttribute("open", "");
        }
      } else {
        toast("The site did not answer. Nothing was sent; try again.", "stop");
      }
    } catch {
      toast("The site cannot be reached. What you wrote is still here.", "stop");
    } finally {
      delete form.dataset.sending;
      button.removeAttribute("aria-disabled");
    }
  });
  form.addEventListener("input", (event) => event.target.removeAttribute("aria-invalid"));
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
}

start();
