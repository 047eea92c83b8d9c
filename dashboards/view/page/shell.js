// What every page of the view does itself: its theme before the first paint, the reader's zone,
// which panels can be seen, and what is said to a screen reader.
(() => {
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const keep = (name, value) => {
    document.cookie = `${name}=${encodeURIComponent(value)};path=/;max-age=31536000;SameSite=Strict`;
  };
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  let wish = root.dataset.wish || "auto";
  const shade = () => (wish === "auto" ? (dark.matches ? "dark" : "light") : wish);
  const apply = () => {
    root.dataset.theme = shade();
    keep("citynerve_shade", shade());
  };
  const emit = (name, value) => {
    if (window.did_handshake) emitEvent(name, value);
    else setTimeout(() => emit(name, value), 20);
  };

  window.cnStart = (language, asked) => {
    root.lang = language;
    wish = asked;
    keep("citynerve_zone", zone);
    apply();
  };
  window.cnHello = () => {
    watch();
    return { zone, theme: shade(), seen: [...seen], away: document.hidden };
  };
  window.cnTheme = (asked) => {
    wish = asked;
    keep("citynerve_theme", asked);
    apply();
    return shade();
  };
  window.cnLanguage = (language) => {
    keep("citynerve_language", language);
    const here = new URL(window.location.href);
    here.searchParams.delete("lang");
    window.location.replace(here);
  };
  window.cnSay = (text) => {
    const said = document.getElementById("cn-said");
    if (said) said.textContent = text;
  };
  window.cnGo = (address) => {
    history.pushState(null, "", address);
    at = here();
  };

  // The frames that were sent as plain HTML leave as soon as the page itself stands.
  document.addEventListener("DOMContentLoaded", () => {
    const leave = () => {
      if (!document.querySelector("#app .cn-main")) return false;
      document.getElementById("cn-shell")?.remove();
      // On a phone the bar with the boards is wider than the window.
      const bar = document.querySelector(".cn-nav");
      const current = bar?.querySelector("[aria-current]");
      if (current) bar.scrollLeft = current.offsetLeft - bar.clientWidth / 2;
      return true;
    };
    if (leave()) return;
    const watching = new MutationObserver(() => leave() && watching.disconnect());
    watching.observe(document.getElementById("app"), { childList: true, subtree: true });
  });

  dark.addEventListener("change", () => {
    if (wish !== "auto") return;
    apply();
    emit("cn-shade", shade());
  });
  // Back and forward lead to other ranges and choices; within one, "#main" leads to the content.
  const here = () => window.location.pathname + window.location.search;
  let at = here();
  window.addEventListener("popstate", () => here() !== at && window.location.reload());
  document.addEventListener("visibilitychange", () => emit("cn-away", document.hidden));

  const seen = new Set();
  let watcher = null;
  let told = null;
  function watch() {
    const panels = document.querySelectorAll("[data-panel]");
    if (watcher) watcher.disconnect();
    const near = window.innerHeight + 300;
    seen.clear();
    for (const panel of panels) {
      const box = panel.getBoundingClientRect();
      if (box.height && box.top < near && box.bottom > -300) seen.add(panel.dataset.panel);
    }
    watcher = new IntersectionObserver(
      (entries) => {
        for (const entry of entries) {
          if (entry.isIntersecting) seen.add(entry.target.dataset.panel);
          else seen.delete(entry.target.dataset.panel);
        }
        clearTimeout(told);
        told = setTimeout(() => emit("cn-seen", [...seen]), 60);
      },
      { rootMargin: "300px 0px" },
    );
    for (const panel of panels) watcher.observe(panel);
  }
})();
