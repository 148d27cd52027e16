// Bounties: a deadline is sent in UTC; beside it stands what that is on this person's clock.
for (const field of document.querySelectorAll("input[data-utc]")) {
  const note = field.form.querySelector("[data-local-time]");
  if (!note) continue;
  const say = () => {
    const moment = new Date(`${field.value}Z`);
    note.hidden = Number.isNaN(moment.getTime());
    if (!note.hidden) {
      note.textContent = `On your clock: ${moment.toLocaleString(document.documentElement.lang, { dateStyle: "full", timeStyle: "short" })}`;
    }
  };
  field.addEventListener("input", say);
  say();
}
