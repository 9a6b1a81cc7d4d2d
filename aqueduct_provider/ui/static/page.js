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

  addEventListener("DOMContentLoaded", () => {
    for (const time of document.querySelectorAll("time[datetime]")) {
      time.title = new Date(time.dateTime).toLocaleString();
    }
    document.addEventListener("click", (event) => {
      const link = event.target.closest && event.target.closest("a[data-out]");
      // The frame may not open windows or navigate the one around it, but it may ask it to go.
      if (link && parentRoot() && !event.ctrlKey && !event.metaKey) {
        event.preventDefault();
        window.parent.location.assign(link.href);
      }
    });
  });
})();
