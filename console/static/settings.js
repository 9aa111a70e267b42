// Typed and not saved yet: publishing would leave it behind, so it says so instead.
(() => {
  "use strict";
  const form = document.getElementById("settings");
  if (!form) return;
  let dirty = false;
  form.addEventListener("input", () => {
    if (dirty) return;
    dirty = true;
    document.body.classList.add("dk-dirty");
    for (const note of document.querySelectorAll(".dk-unsaved")) note.hidden = false;
  });
  document.addEventListener("submit", (event) => {
    if (dirty && event.target.id === "publish") {
      event.preventDefault();
      delete event.target.dataset.sent;
      for (const note of document.querySelectorAll(".dk-unsaved")) note.hidden = false;
    }
  });
  document.addEventListener("htmx:afterSwap", () => {
    for (const note of document.querySelectorAll(".dk-unsaved")) note.hidden = !dirty;
  });
})();
