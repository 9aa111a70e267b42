// Keys for the desk. Everything they do is a link or a form button of the page; without this file
// nothing is missing but speed. Reads event.code, because Japanese input is usually on.
"use strict";
(() => {
  document.documentElement.classList.add("dk-js");

  const inField = (target) =>
    target instanceof Element &&
    (target.closest("input, textarea, select, [contenteditable]") !== null);

  const named = (event) => (event.shiftKey ? "Shift+" : "") + event.code;

  const holder = (name) =>
    [...document.querySelectorAll("[data-key]")].find(
      (element) => element.dataset.key.split(" ").includes(name) && element.offsetParent !== null,
    );

  const openDialog = (id) => {
    const dialog = document.getElementById(id);
    if (!(dialog instanceof HTMLDialogElement) || dialog.open) return false;
    dialog.showModal();
    return true;
  };

  const jump = (id) => {
    const place = document.getElementById(id);
    if (!place) return false;
    if (getComputedStyle(place).display === "none") location.hash = id;
    place.scrollIntoView({ block: "nearest" });
    return true;
  };

  const write = (id) => {
    const field = document.getElementById(id);
    if (!field) return false;
    if (field.offsetParent === null) location.hash = "card";
    field.focus();
    return true;
  };

  const save = (event) => {
    const button = document.querySelector('[data-key="Ctrl+KeyS"]');
    if (!button || event.code !== "KeyS" || !(event.ctrlKey || event.metaKey)) return false;
    event.preventDefault();
    button.click();
    return true;
  };

  const act = (name) => {
    if (name === "Shift+Slash") return openDialog("keys");
    if (name === "KeyC") return jump("card");
    if (name === "KeyN" && !holder(name)) return write("quicknote");
    if (name === "KeyW") return jump("why");
    const found = holder(name);
    if (!found) return false;
    if (found.matches("input")) found.focus();
    else found.click();
    return true;
  };

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229 || event.defaultPrevented) return;
    if (save(event)) return;
    if (inField(event.target)) {
      if (event.code === "Escape") event.target.blur();
      const form = event.target.form;
      if (event.code === "Enter" && event.ctrlKey && "saves" in event.target.dataset && form) {
        event.preventDefault();
        form.requestSubmit();
      }
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    // A person may switch single keys off; Escape and the keys of a form stay.
    if (document.body.dataset.keys === "off" && event.code !== "Escape") return;
    if (document.querySelector("dialog[open]")) return;
    // A key held down must not approve a second mail.
    if (event.repeat && !["KeyJ", "KeyK", "ArrowDown", "ArrowUp"].includes(event.code)) return;
    if (act(named(event))) event.preventDefault();
  });

  document.addEventListener("click", (event) => {
    const opener = event.target instanceof Element ? event.target.closest("[data-opens]") : null;
    if (opener && openDialog(opener.dataset.opens)) event.preventDefault();
  });

  // A placeholder from the list goes where the writing was left.
  document.addEventListener("click", (event) => {
    const pick = event.target instanceof Element ? event.target.closest("[data-inserts]") : null;
    const field = pick && document.getElementById(pick.dataset.into);
    if (!field) return;
    field.setRangeText(pick.dataset.inserts, field.selectionStart, field.selectionEnd, "end");
    field.focus();
  });

  document.addEventListener("change", (event) => {
    if (event.target instanceof Element && event.target.matches("[data-submits]")) {
      event.target.form.requestSubmit();
    }
  });

  // One press, one approval: a second press of the same button must not reach the next mail.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) event.preventDefault();
    // What is shown in a frame leaves the page where it is: it may be sent again.
    else if (form.method === "post" && !event.submitter?.formTarget) form.dataset.sent = "yes";
  });
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });

  const chosen = document.querySelector(".dk-item[aria-current]");
  if (chosen) chosen.scrollIntoView({ block: "nearest" });
})();
