/** Dark or light: as the system says until the switch is used. Runs before the first paint, so it is no module. */

(() => {
  const KEY = "vcfx-theme";
  const system = matchMedia("(prefers-color-scheme: light)");
  const root = document.documentElement;

  function chosen() {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // storage may be forbidden; the switch then lasts as long as the page
    }
  }

  /** @param {string} theme */
  function apply(theme) {
    root.dataset.theme = theme;
    document.dispatchEvent(new CustomEvent("themechange"));
  }

  function follow() {
    apply(chosen() ?? (system.matches ? "light" : "dark"));
  }

  system.addEventListener("change", follow);
  document.addEventListener("themeswitch", () => {
    const next = root.dataset.theme === "dark" ? "light" : "dark";
    try {
      localStorage.setItem(KEY, next);
    } catch {
      // as above
    }
    apply(next);
  });
  follow();
})();
