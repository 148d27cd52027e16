// Sharing files: drop them, see them, and send large ones in parts that go on where they stopped.
// Without this the forms send their files in one go.

for (const zone of document.querySelectorAll("[data-drop]")) {
  const input = zone.querySelector("input[type=file]");
  zone.addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.dataset.over = "1";
  });
  zone.addEventListener("dragleave", () => delete zone.dataset.over);
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    delete zone.dataset.over;
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
  const previews = zone.querySelector("[data-previews]");
  if (!previews) continue;
  input.addEventListener("change", () => {
    for (const old of previews.querySelectorAll("img")) URL.revokeObjectURL(old.src);
    previews.replaceChildren(
      ...[...input.files].slice(0, 20).map((file) => {
        const item = document.createElement("li");
        const frame = document.createElement("span");
        frame.className = "frame square";
        const picture = document.createElement("img");
        picture.src = URL.createObjectURL(file);
        picture.alt = file.name;
        frame.append(picture);
        item.append(frame);
        return item;
      }),
    );
  });
}

const TUS = { "Tus-Resumable": "1.0.0" };
const PART = 8 * 1024 * 1024;
const PATIENCE = [1, 2, 5, 10, 20, 30];
const wait = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));
const encode = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

class Refusal extends Error {}

async function ask(url, options) {
  const response = await fetch(url, { credentials: "same-origin", ...options, headers: { ...TUS, ...options.headers } });
  if (response.ok) return response;
  // These are answered differently the next time; everything else is final.
  if ([409, 423, 429].includes(response.status) || response.status >= 500) throw new Error(String(response.status));
  const body = await response.json().catch(() => ({}));
  throw new Refusal(body.detail || `The site answered ${response.status}.`);
}

class Sender {
  constructor(address, file, token, tell) {
    Object.assign(this, { address, file, token, tell, paused: false });
    this.key = `upload:${file.name}:${file.size}:${file.lastModified}`;
  }

  headers(more) {
    return { "X-CSRFToken": this.token, ...more };
  }

  async begin() {
    const known = localStorage.getItem(this.key);
    if (known) {
      try {
        const seen = await ask(known, { method: "HEAD" });
        return [known, Number(seen.headers.get("Upload-Offset"))];
      } catch (problem) {
        if (!(problem instanceof Refusal)) throw problem;
        localStorage.removeItem(this.key);
      }
    }
    const made = await ask(this.address, {
      method: "POST",
      headers: this.headers({ "Upload-Length": String(this.file.size), "Upload-Metadata": `filename ${encode(this.file.name)}` }),
    });
    const url = new URL(made.headers.get("Location"), location.href).pathname;
    localStorage.setItem(this.key, url);
    return [url, 0];
  }

  async send() {
    let failures = 0;
    let url = "";
    let offset = 0;
    for (;;) {
      try {
        if (!url || failures) [url, offset] = await this.begin();
        failures = 0;
        while (offset < this.file.size) {
          while (this.paused) await wait(0.2);
          const answer = await ask(url, {
            method: "PATCH",
            headers: this.headers({ "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream" }),
            body: this.file.slice(offset, offset + PART),
          });
          offset = Number(answer.headers.get("Upload-Offset"));
          this.tell(offset, this.file.size);
        }
        localStorage.removeItem(this.key);
        return url.split("/").pop();
      } catch (problem) {
        if (problem instanceof Refusal) throw problem;
        this.tell(offset, this.file.size, "The connection broke. Trying again.");
        await wait(PATIENCE[Math.min(failures, PATIENCE.length - 1)]);
        failures += 1;
      }
    }
  }
}

const mebibytes = (bytes) => (bytes / 1048576).toFixed(1);

for (const form of document.querySelectorAll("form[data-share]")) {
  const input = form.querySelector("input[type=file]");
  const hidden = form.querySelector("input[name=upload]");
  const box = form.querySelector("[data-progress]");
  const words = form.querySelector("[data-progress-words]");
  const pause = form.querySelector("[data-pause]");
  const button = form.querySelector("button:not([type=button])");
  let sender = null;
  input.addEventListener("change", () => {
    hidden.value = "";
  });
  pause.addEventListener("click", () => {
    if (!sender) return;
    sender.paused = !sender.paused;
    pause.textContent = sender.paused ? "Go on" : "Pause";
  });
  form.addEventListener("submit", async (event) => {
    const file = input.files[0];
    if (!file || hidden.value) return;
    event.preventDefault();
    if (sender || !form.reportValidity()) return;
    box.hidden = false;
    button.setAttribute("aria-disabled", "true");
    sender = new Sender(form.dataset.share, file, form.querySelector("[name=csrfmiddlewaretoken]").value, (sent, all, note) => {
      box.querySelector("progress").value = (100 * sent) / all;
      words.textContent = note || `${mebibytes(sent)} of ${mebibytes(all)} MiB`;
    });
    try {
      hidden.value = await sender.send();
      input.value = "";
      words.textContent = "Arrived. Checking the file and making its hashes.";
      form.submit();
    } catch (problem) {
      words.textContent = problem.message;
      button.removeAttribute("aria-disabled");
    }
    sender = null;
  });
}
