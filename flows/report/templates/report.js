"use strict";
(() => {
  const dialog = document.getElementById("sentences");
  let data = null; // read when it is first asked for, so that the page is there at once
  let opener = null;

  const part = (tag, text, className) => {
    const made = document.createElement(tag);
    made.textContent = text;
    if (className) made.className = className;
    return made;
  };
  const voices = { own: "the document's own words", quoted: "quoted", reported: "reported" };

  function item(s) {
    const li = document.createElement("li");
    const quote = part("blockquote", s.sentence || "No sentence of evidence; the title:", s.sentence ? "" : "none");
    quote.dir = "auto";
    if (s.sentence && s.lang) quote.lang = s.lang;
    const title = part(/^https?:\/\//i.test(s.url) ? "a" : "span", s.title || s.url || "untitled", "title");
    title.dir = "auto";
    if (title.tagName === "A") Object.assign(title, { href: s.url, target: "_blank", rel: "noopener noreferrer" });
    const outlet = part("b", s.outlet || "");
    outlet.dir = "auto";
    const meta = part("p", "", "meta");
    const country = part("span", "");
    country.append(nation(s.country));
    meta.append(outlet, " · ", country, " · ", s.day);
    li.append(quote);
    if (s.label) {
      const tags = part("p", "", "tags");
      tags.append(part("span", s.target + ": " + s.label, "tag " + s.side), " p = " + s.p);
      if (s.sentence && s.voice) {
        const speaker = part("span", s.speaker ? ": " + s.speaker : "");
        speaker.dir = "auto";
        tags.append(" · " + (voices[s.voice] || s.voice), speaker);
      }
      li.append(tags);
    }
    li.append(title, meta);
    return li;
  }

  function open(mark) {
    data = data || JSON.parse(document.getElementById("data").textContent);
    const [documents, places] = data.marks[mark.dataset.mark] || [0, []];
    opener = mark;
    document.getElementById("said-title").textContent = mark.dataset.title || mark.getAttribute("aria-label");
    document.getElementById("said-count").textContent = places.length
      ? documents + (documents === 1 ? " document" : " documents") + " behind it; " + places.length + " shown, the clearest of each side."
      : "No relevant document is behind this mark.";
    document.getElementById("said").replaceChildren(...places.map((n) => item(data.sentences[n])));
    dialog.showModal();
    document.getElementById("said-title").focus(); // by autofocus the browser would also try when the page is loaded
    dialog.querySelector(".sheet").scrollTop = 0;
  }

  // One stop of the Tab key a chart; arrows, Home and End go from mark to mark.
  const charts = [...document.querySelectorAll("[data-marks]")];
  const marksOf = (chart) => [...chart.querySelectorAll(".mark")];
  const only = (marks, chosen) => marks.forEach((mark) => mark.setAttribute("tabindex", mark === chosen ? "0" : "-1"));
  charts.forEach((chart) => only(marksOf(chart), chart.querySelector(".mark")));

  const moves = {
    ArrowRight: (n) => n + 1, ArrowDown: (n) => n + 1, ArrowLeft: (n) => n - 1, ArrowUp: (n) => n - 1,
    Home: () => 0, End: (n, last) => last,
  };

  document.addEventListener("keydown", (event) => {
    const mark = event.target.closest(".mark");
    if (!mark) return;
    const marks = marksOf(mark.closest("[data-marks]"));
    const move = moves[event.key];
    if (move) {
      const last = marks.length - 1;
      const next = marks[Math.min(Math.max(move(marks.indexOf(mark), last), 0), last)];
      only(marks, next);
      next.focus();
      event.preventDefault();
    } else if ((event.key === "Enter" || event.key === " ") && mark.tagName !== "BUTTON") {
      open(mark);
      event.preventDefault();
    }
  });

  document.addEventListener("click", (event) => {
    const mark = event.target.closest("[data-mark]");
    if (mark) {
      if (mark.matches(".mark")) only(marksOf(mark.closest("[data-marks]")), mark);
      open(mark);
    } else if (event.target === dialog) dialog.close();
  });
  document.getElementById("close").addEventListener("click", () => dialog.close());
  // "close" comes a moment after the dialog is gone: who has moved on by then keeps the focus.
  dialog.addEventListener("close", () => document.activeElement === document.body && opener.focus());

  // A label under the pointer, made when it is wanted.
  document.addEventListener("pointerover", (event) => {
    const mark = event.target.closest("g.mark");
    if (!mark || mark.querySelector("title")) return;
    const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
    title.textContent = mark.getAttribute("aria-label");
    mark.prepend(title);
  });

  let names = null;
  function nation(code) {
    if (code === "XX") return "International";
    try {
      names = names || new Intl.DisplayNames("en", { type: "region" });
      return names.of(code);
    } catch {
      return code || "";
    }
  }
  document.querySelectorAll("[data-country]").forEach((place) => {
    place.textContent = nation(place.dataset.country);
    const row = place.closest("[data-title]");
    if (row) row.dataset.title = row.dataset.title.replace(place.dataset.country, place.textContent);
  });
})();
