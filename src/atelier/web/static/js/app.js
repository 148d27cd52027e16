// Small conveniences for every page. Each page works without them.
import { start as startLive } from "./live.js";

// Menus are <details>; close them by Escape or a click elsewhere.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
    return;
  }
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const target = document.querySelector(`[data-shortcut="${CSS.escape(event.key)}"]`);
  if (!target) return;
  event.preventDefault();
  if (target.matches("input, textarea")) target.focus();
  else target.click();
});

export function toast(text, kind = "ok") {
  const note = document.createElement("div");
  note.className = `notice notice-${kind}`;
  note.textContent = text;
  document.getElementById("toasts").append(note);
  setTimeout(() => note.remove(), 6000);
}

document.addEventListener("click", async (event) => {
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    await navigator.clipboard.writeText(copy.dataset.copy);
    toast("Copied");
  }
  const opener = event.target.closest("[data-dialog]");
  if (opener) {
    const dialog = document.getElementById(opener.dataset.dialog);
    if (dialog) {
      event.preventDefault();
      dialog.showModal();
    }
  }
  if (event.target.closest("[data-dialog-close]")) event.target.closest("dialog").close();
  const back = event.target.closest("[data-back]");
  if (back && history.length > 1) {
    event.preventDefault();
    history.back();
  }
});

// A form is sent once: the button says so until the answer comes.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || form.hasAttribute("data-many")) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "1";
  for (const button of form.querySelectorAll("button:not([type=button])")) button.setAttribute("aria-disabled", "true");
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("[aria-disabled]")) button.removeAttribute("aria-disabled");
  }
});

// What was typed survives a time-out, a sign-in or a closed tab: forms marked data-draft keep it here until sent.
for (const form of document.querySelectorAll("form[data-draft]")) {
  const key = `draft:${form.dataset.draft}`;
  const fields = () => [...form.elements].filter((field) => field.name && !["hidden", "file", "password", "submit"].includes(field.type));
  try {
    const kept = JSON.parse(localStorage.getItem(key) || "{}");
    for (const field of fields()) {
      if (!(field.name in kept) || ["checkbox", "radio"].includes(field.type) || field.value !== field.defaultValue) continue;
      if (field.defaultValue === "") field.value = kept[field.name];
    }
  } catch {
    localStorage.removeItem(key);
  }
  form.addEventListener("input", () => {
    const values = Object.fromEntries(fields().filter((field) => !["checkbox", "radio"].includes(field.type)).map((field) => [field.name, field.value]));
    localStorage.setItem(key, JSON.stringify(values));
  });
  if (document.querySelector(`[data-draft-done="${CSS.escape(form.dataset.draft)}"]`)) localStorage.removeItem(key);
}
for (const done of document.querySelectorAll("[data-draft-done]")) localStorage.removeItem(`draft:${done.dataset.draftDone}`);

startLive();
