// Follow the theme of Airflow's UI around the frame, lead links out of the frame, add local times.
(() => {
  "use strict";
  const tokens = ["bg", "bg-muted", "fg", "fg-muted", "border", "brand-solid"];
  const root = document.documentElement;

  function parentRoot() {
    try {
      return window.parent === window ? null : window.parent.document.documentElement;
    } catch {
      return null;
    }
  }

  function applyTheme() {
    let kept = null;
    try {
      kept = localStorage.getItem("theme");
    } catch {
      // Storage may be forbidden.
    }
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    root.dataset.theme = kept === "dark" || kept === "light" ? kept : system;
    const above = parentRoot();
    if (!above) return;
    const style = getComputedStyle(above);
    for (const token of tokens) {
      const value = style.getPropertyValue("--chakra-colors-" + token);
      if (value) root.style.setProperty("--aq-" + token, value);
    }
  }

  applyTheme();
  addEventListener("storage", (event) => {
    if (event.key === "theme") setTimeout(applyTheme, 50);
  });
  const above = parentRoot();
  if (above) new MutationObserver(applyTheme).observe(above, { attributes: true, attributeFilter: ["class", "data-theme"] });

  // The frame is sandboxed: it may neither open windows nor navigate the one around it. A link in there may.
  function leave(href) {
    const document = window.parent.document;
    const link = document.createElement("a");
    link.href = href;
    document.body.append(link);
    link.click();
    link.remove();
  }

  // --- charts: the nearest value under the pointer, and zoom into a range of runs

  const RIGHT = 626, TOP = 12, BOTTOM = 156;

  function element(name, attributes, text) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function addPointer(chart, data) {
    const runs = Number(data.runs), skip = Number(data.skip);
    const dots = [...chart.querySelectorAll("circle.dot")];
    const left = Number(chart.dataset.left);
    let tip = null, range = null, start = null;

    function across(event) {
      const box = chart.getBoundingClientRect();
      return ((event.clientX - box.left) / box.width) * chart.viewBox.baseVal.width;
    }

    function clear() {
      if (tip) tip.remove();
      tip = null;
      for (const dot of dots) dot.classList.remove("near");
    }

    function show(x) {
      clear();
      if (!dots.length) return;
      const distance = (dot) => Math.abs(dot.cx.baseVal.value - x);
      const near = dots.reduce((best, dot) => (distance(dot) < distance(best) ? dot : best));
      near.classList.add("near");
      tip = element("g", { "pointer-events": "none" });
      const text = element("text", { class: "tip", x: 0, y: 0 }, near.dataset.label);
      tip.append(text);
      chart.append(tip);
      const width = text.getComputedTextLength() + 12;
      const at = near.cx.baseVal.value;
      const from = Math.max(2, Math.min(chart.viewBox.baseVal.width - width - 2, at - width / 2));
      const above = near.cy.baseVal.value > 50 ? near.cy.baseVal.value - 32 : near.cy.baseVal.value + 10;
      tip.prepend(element("rect", { class: "tip-box", x: from, y: above, width, height: 22, rx: 4 }));
      text.setAttribute("x", from + 6);
      text.setAttribute("y", above + 15);
    }

    function place(x) {
      const share = (Math.max(left, Math.min(RIGHT, x)) - left) / (RIGHT - left);
      return Math.round(share * (runs - 1));
    }

    chart.addEventListener("pointermove", (event) => {
      const x = across(event);
      if (start === null) return show(x);
      if (range) range.remove();
      const [low, high] = [Math.min(start, x), Math.max(start, x)];
      range = element("rect", { class: "range", x: low, y: TOP, width: high - low, height: BOTTOM - TOP });
      chart.append(range);
    });
    chart.addEventListener("pointerleave", clear);
    chart.addEventListener("pointerdown", (event) => {
      if (event.button || event.pointerType === "touch") return;
      event.preventDefault();
      start = across(event);
      clear();
      chart.setPointerCapture(event.pointerId);
    });
    chart.addEventListener("pointerup", (event) => {
      if (start === null) return;
      const x = across(event);
      const [first, last] = [place(start), place(x)].sort((a, b) => a - b);
      const moved = Math.abs(x - start) > 6;
      start = null;
      if (range) range.remove();
      if (!moved) {
        show(x);
        const near = chart.querySelector("circle.near");
        if (near && near.dataset.link && Math.abs(near.cx.baseVal.value - x) < 12) location.assign(near.dataset.link);
        return;
      }
      if (last - first < 1 || last - first === runs - 1) return;
      const url = new URL(data.here, location.href);
      url.searchParams.set("runs", last - first + 1);
      url.searchParams.set("skip", skip + runs - 1 - last);
      location.assign(url);
    });
  }

  addEventListener("DOMContentLoaded", () => {
    for (const time of document.querySelectorAll("time[datetime]")) {
      time.title = new Date(time.dateTime).toLocaleString();
    }
    for (const charts of document.querySelectorAll(".charts")) {
      for (const chart of charts.querySelectorAll("svg.chart")) addPointer(chart, charts.dataset);
    }
    document.addEventListener("click", (event) => {
      const link = event.target.closest && event.target.closest("a[data-out]");
      if (link && parentRoot() && !event.ctrlKey && !event.metaKey) {
        event.preventDefault();
        leave(link.href);
      }
    });
  });
})();
