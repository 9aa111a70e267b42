// The editor of templates: placeholders under their labels, findings at their line, the mail
// beside it. Without this file the page is a form with the same words and the same answers.
"use strict";
(() => {
  const form = document.getElementById("textform");
  const area = document.getElementById("text");
  const parts = window.CodeMirrorParts;
  if (!form || !area || area.readOnly || !parts) return;
  const shown = JSON.parse(document.getElementById("editordata").textContent);
  const nonce = document.querySelector('meta[name="okaeri-nonce"]').content;
  const { labels, words } = shown;
  const {
    EditorView, EditorState, StateEffect, StateField, Decoration, WidgetType, ViewPlugin,
    MatchDecorator, RangeSetBuilder, keymap, lineNumbers, highlightActiveLine,
    highlightActiveLineGutter, history, historyKeymap, defaultKeymap, autocompletion,
  } = parts;

  // --- placeholders as chips -------------------------------------------------------------

  class Chip extends WidgetType {
    constructor(label, look) { super(); this.label = label; this.look = look; }
    eq(other) { return other.label === this.label && other.look === this.look; }
    toDOM() {
      const chip = document.createElement("span");
      chip.className = `dk-ph ${this.look}`;
      chip.textContent = this.label;
      return chip;
    }
  }

  const chipOf = (source) => {
    let found = /^\{\{\s*(\S+?)\s*(?:\|\s*\w+\s*)?\}\}$/.exec(source);
    if (found) return labels[found[1]] ? new Chip(labels[found[1]], "") : null;
    found = /^\{%\s*include\s+"(\w+)"\s*%\}$/.exec(source);
    if (found) {
      const name = labels[`block:${found[1]}`];
      return name ? new Chip(name, "dk-ph-block") : null;
    }
    found = /^\{%\s*if\s+(not\s+)?(\S+?)(?:\s+is\s+defined)?\s*%\}$/.exec(source);
    if (found && labels[found[2]]) {
      const text = (found[1] ? words.unless : words.if).replace("@", labels[found[2]]);
      return new Chip(text, "dk-ph-if");
    }
    if (/^\{%\s*else\s*%\}$/.test(source)) return new Chip(words.else, "dk-ph-if");
    if (/^\{%\s*endif\s*%\}$/.test(source)) return new Chip(words.endif, "dk-ph-if");
    return null;
  };

  const matcher = new MatchDecorator({
    regexp: /\{\{[^{}\n]*\}\}|\{%[^{}\n]*%\}/g,
    decoration: (match) => {
      const widget = chipOf(match[0]);
      return widget ? Decoration.replace({ widget }) : null;
    },
  });
  const chips = ViewPlugin.fromClass(
    class {
      constructor(view) { this.decorations = matcher.createDeco(view); }
      update(update) { this.decorations = matcher.updateDeco(update, this.decorations); }
    },
    {
      decorations: (plugin) => plugin.decorations,
      provide: (plugin) =>
        EditorView.atomicRanges.of((view) => view.plugin(plugin)?.decorations ?? Decoration.none),
    },
  );

  // --- findings at their line ------------------------------------------------------------

  const icon = (name) => {
    const sprite = document.querySelector("use").getAttribute("href").split("#")[0];
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("class", "icon");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    use.setAttribute("href", `${sprite}#i-${name}`);
    svg.append(use);
    return svg;
  };

  const boxOf = (finding) => {
    const bad = finding.severity === "error";
    const box = document.createElement("div");
    box.className = `dk-lint dk-lint-${bad ? "e" : "w"}`;
    box.setAttribute("role", "note");
    const said = document.createElement("span");
    const title = document.createElement("b");
    title.textContent = finding.title;
    said.append(title);
    if (finding.text) said.append(document.createElement("br"), finding.text);
    box.append(icon(bad ? "alert-circle" : "alert-triangle"), said);
    if (finding.mend) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "btn btn-sm btn-plain";
      button.textContent = finding.label;
      button.addEventListener("click", () => mend(finding));
      box.append(button);
    }
    return box;
  };

  class Note extends WidgetType {
    constructor(finding) { super(); this.finding = finding; }
    eq(other) { return JSON.stringify(other.finding) === JSON.stringify(this.finding); }
    toDOM() { return boxOf(this.finding); }
    ignoreEvent() { return true; }
  }

  const setFindings = StateEffect.define();
  const drawn = (state, findings) => {
    const found = [];
    for (const finding of findings) {
      if (finding.part !== "text" || !finding.line || finding.line > state.doc.lines) continue;
      const line = state.doc.line(finding.line);
      const bad = finding.severity === "error";
      if (bad) found.push(Decoration.line({ class: "bad" }).range(line.from));
      const from = Math.min(line.from + finding.start, line.to);
      const to = Math.min(line.from + finding.end, line.to);
      if (to > from) {
        found.push(Decoration.mark({ class: bad ? "dk-under-e" : "dk-under-w" }).range(from, to));
      }
      found.push(Decoration.widget({ widget: new Note(finding), block: true, side: 1 }).range(line.to));
    }
    return Decoration.set(found, true);
  };
  const findingField = StateField.define({
    create: () => Decoration.none,
    update: (value, transaction) => {
      for (const effect of transaction.effects) {
        if (effect.is(setFindings)) return drawn(transaction.state, effect.value);
      }
      return value.map(transaction.changes);
    },
    provide: (field) => EditorView.decorations.from(field),
  });

  // --- typing a placeholder --------------------------------------------------------------

  const offered = [...document.querySelectorAll("[data-insert]")].map((button) => ({
    label: (button.querySelector("b") ?? button).textContent.trim(),
    apply: button.dataset.insert,
  }));
  const complete = (context) => {
    const typed = context.matchBefore(/\{\{?\s*[^\s{}]*$/);
    if (!typed) return null;
    return { from: typed.from, options: offered, filter: false };
  };

  // Where each finding is now: what is typed above it moves it before the next answer comes.
  const places = new Map();
  const placed = (findings) => {
    const { doc } = view.state;
    places.clear();
    for (const { id, part, line: number, start, end } of findings) {
      if (part !== "text" || !number || number > doc.lines) continue;
      const { from, to } = doc.line(number);
      places.set(id, { from: Math.min(from + start, to), to: Math.min(from + end, to) });
    }
  };

  // --- the editor ------------------------------------------------------------------------

  let dirty = false;
  const view = new EditorView({
    parent: document.getElementById("editor"),
    state: EditorState.create({
      doc: area.value.replace(/\n$/, ""),
      extensions: [
        EditorView.cspNonce.of(nonce),
        lineNumbers(),
        highlightActiveLine(),
        highlightActiveLineGutter(),
        history(),
        keymap.of([...defaultKeymap, ...historyKeymap]),
        autocompletion({ override: [complete] }),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({
          "aria-label": document.querySelector('label[for="text"]').textContent,
          lang: area.lang,
        }),
        chips,
        findingField,
        EditorView.updateListener.of((update) => {
          if (!update.docChanged) return;
          area.value = update.state.doc.toString();
          for (const place of places.values()) {
            place.from = update.changes.mapPos(place.from, -1);
            place.to = update.changes.mapPos(place.to, 1);
          }
          changed();
        }),
      ],
    }),
  });
  form.classList.add("dk-haseditor");
  document.getElementById("editor").hidden = false;

  const put = (code, alone) => {
    const { from, to } = view.state.selection.main;
    const line = view.state.doc.lineAt(from);
    const several = alone || code.includes("\n");
    const before = several && line.from !== from ? "\n" : "";
    const after = several && line.to !== to ? "\n" : "";
    view.dispatch({
      changes: { from, to, insert: before + code + after },
      selection: { anchor: from + before.length + code.length },
    });
    view.focus();
  };

  const subject = document.getElementById("subject");
  let last = "text";
  subject?.addEventListener("focus", () => { last = "subject"; });
  view.contentDOM.addEventListener("focus", () => { last = "text"; });
  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-insert]");
    if (!button) return;
    button.closest("details")?.removeAttribute("open");
    if (last === "subject" && subject && !button.dataset.insert.includes("\n")) {
      subject.setRangeText(button.dataset.insert, subject.selectionStart, subject.selectionEnd, "end");
      subject.focus();
      changed();
    } else put(button.dataset.insert, "alone" in button.dataset);
  });

  const mend = ({ id, part, mend: how }) => {
    if (part === "subject" && subject) {
      subject.value = subject.value.slice(0, how.start) + how.text + subject.value.slice(how.end);
      return changed();
    }
    const { doc } = view.state;
    if (how.how === "append") {
      return view.dispatch({ changes: { from: doc.length, insert: `\n${how.text.replace(/\n$/, "")}` } });
    }
    if (how.how === "prepend") return view.dispatch({ changes: { from: 0, insert: how.text } });
    const place = places.get(id);
    if (!place) return undefined;
    places.delete(id);
    const line = doc.lineAt(place.from);
    const change = how.how === "delete_line"
      ? { from: line.from, to: Math.min(line.to + 1, doc.length) }
      : { from: place.from, to: place.to, insert: how.text };
    return view.dispatch({ changes: change });
  };

  // --- what the house says to it ---------------------------------------------------------

  const paper = document.getElementById("paper");
  const pane = paper.closest(".dk-prev-scroll");
  const number = (id, count, text) => {
    const place = document.getElementById(id);
    if (!place) return;
    place.hidden = !count;
    if (text) place.lastElementChild.textContent = text.replace("@", count);
  };
  const fill = (id, findings) => {
    const place = document.getElementById(id);
    if (place) place.replaceChildren(...findings.map(boxOf));
  };

  const draw = (answer) => {
    number("errors", answer.errors, form.dataset.errors);
    number("warnings", answer.warnings, form.dataset.warnings);
    number("blocked", answer.errors);
    document.getElementById("fine").hidden = Boolean(answer.errors || answer.warnings);
    const publish = document.getElementById("publish");
    if (publish && answer.errors) publish.setAttribute("aria-disabled", "true");
    else publish?.removeAttribute("aria-disabled");
    const length = document.getElementById("length");
    if (length) length.textContent = form.dataset.length.replace("@", answer.subject_length);
    fill("subjectlint", answer.findings.filter((f) => f.part === "subject"));
    fill("general", answer.findings.filter((f) => f.part !== "subject" && (!f.line || f.part === "html")));
    placed(answer.findings);
    view.dispatch({ effects: setFindings.of(answer.findings) });
  };

  let waiting = 0;
  let asked = 0;
  const look = async () => {
    const mine = ++asked;
    const data = new FormData(form);
    paper.classList.add("dk-waits");
    const answer = await fetch(form.dataset.look, {
      method: "POST", body: data, headers: { Accept: "application/json" },
    });
    // A later question is already on its way: its answer is the one that counts.
    if (mine !== asked) return;
    paper.classList.remove("dk-waits");
    if (!answer.ok) return;
    const told = await answer.json();
    paper.innerHTML = told.paper;
    draw(told);
    if (pane.classList.contains("dk-framed")) form.requestSubmit(document.getElementById("frame"));
  };
  const changed = () => {
    dirty = true;
    clearTimeout(waiting);
    waiting = setTimeout(look, 350);
  };

  draw(shown.data);
  form.addEventListener("input", (event) => {
    if (event.target.closest("#editor")) return;
    if (event.target.name === "to" || event.target.name === "note") return;
    changed();
  });
  document.getElementById("order")?.addEventListener("change", () => { pressed(""); look(); });
  const hidden = form.querySelector('input[name="sample"]');
  const pressed = (sample) => {
    for (const chip of form.querySelectorAll('[name="pick"]')) {
      chip.toggleAttribute("aria-pressed", false);
      if (chip.value === sample) chip.setAttribute("aria-pressed", "true");
    }
  };
  form.addEventListener("click", (event) => {
    const chip = event.target.closest('[name="pick"]');
    const tab = event.target.closest("[data-view]");
    if (chip) {
      event.preventDefault();
      hidden.value = chip.value;
      document.getElementById("order").value = "";
      pressed(chip.value);
      look();
    }
    if (tab) {
      pane.classList.toggle("dk-framed", tab.dataset.view === "html");
      for (const each of form.querySelectorAll("[data-view]")) {
        each.setAttribute("aria-pressed", String(each === tab));
      }
    }
    const forbidden = event.target.closest('[aria-disabled="true"]');
    if (forbidden) event.preventDefault();
    const asks = event.target.closest("[data-asks]");
    if (asks && !confirm(asks.dataset.asks)) event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.code === "KeyS") {
      event.preventDefault();
      form.requestSubmit(document.getElementById("save"));
    }
  });
  form.addEventListener("submit", (event) => {
    if (!event.submitter?.formTarget) dirty = false;
  });
  addEventListener("beforeunload", (event) => {
    if (dirty) event.preventDefault();
  });
})();
