// What a page does by itself: copy, theme, row keys, sorting, local time on hover, countdowns. Every page works without.
"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");

  const toast = (words) => {
    const box = document.createElement("div");
    box.className = "toast";
    box.textContent = words;
    document.getElementById("toasts").replaceChildren(box);
    setTimeout(() => box.remove(), 4000);
  };

  const copy = async (text) => {
    try { await navigator.clipboard.writeText(text); toast("Copied"); }
    catch { toast(`This browser does not let pages copy. Take it from here: ${text}`); }
  };

  const switchTheme = () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    document.cookie = `ringfence_theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=strict`;
  };

  const sort = (button) => {
    const header = button.closest("th"), table = header.closest("table"), column = header.cellIndex;
    const down = header.getAttribute("aria-sort") === "ascending";
    for (const other of table.querySelectorAll("th[aria-sort]")) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
    const key = (row) => row.cells[column].dataset.sort ?? row.cells[column].textContent.trim();
    const rows = [...table.tBodies[0].rows].sort((a, b) => key(a).localeCompare(key(b), "en", { numeric: true }));
    table.tBodies[0].append(...(down ? rows.reverse() : rows));
  };

  document.addEventListener("click", (event) => {
    const hit = (selector) => event.target.closest?.(selector);
    if (hit("[data-copy]")) copy(hit("[data-copy]").dataset.copy);
    else if (hit("[data-theme-switch]")) switchTheme();
    else if (hit("[data-sort-by]")) sort(hit("[data-sort-by]"));
    else if (hit("[data-dialog]")) document.getElementById(hit("[data-dialog]").dataset.dialog).showModal();
    else if (hit("[data-dismiss]")) hit(".toast").remove();
  });

  // A file that is picked is read into the field that is sent.
  document.addEventListener("change", async (event) => {
    const picked = event.target.closest?.("input[type=file][data-into]");
    if (picked?.files.length) document.getElementById(picked.dataset.into).value = await picked.files[0].text();
  });

  document.addEventListener("mouseover", (event) => {
    const time = event.target.closest?.("time[datetime]");
    if (time && !time.title) time.title = `${new Date(time.dateTime).toLocaleString()} local time`;
  });

  // j and k move between the rows of a page; Enter follows the link that has the focus.
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, dialog[open]")) return;
    const step = { j: 1, k: -1 }[event.key];
    const rows = step ? [...document.querySelectorAll("[data-row]")] : [];
    if (!rows.length) return;
    const now = rows.findIndex((row) => row.contains(document.activeElement));
    const next = rows[Math.min(Math.max(now + step, 0), rows.length - 1)];
    next.querySelector("a, summary, button").focus();
    next.scrollIntoView({ block: "nearest" });
  });

  // A live part is replaced as a whole; what the reader had opened stays open.
  let opened = [];
  document.addEventListener("htmx:beforeSwap", () => { opened = [...document.querySelectorAll("details[id][open]")].map((one) => one.id); });
  document.addEventListener("htmx:afterSwap", () => { for (const id of opened) document.getElementById(id)?.setAttribute("open", ""); });

  // Where rail or tabs scroll sideways, the place that this page is at can be seen.
  for (const here of document.querySelectorAll(".rail [aria-current], .tabs [aria-current]")) {
    const row = here.closest(".rail, .tabs");
    row.scrollLeft = here.offsetLeft - (row.clientWidth - here.clientWidth) / 2;
  }

  const slider = document.getElementById("as-of-slider");
  slider?.addEventListener("input", () => {
    const at = new Date(Date.parse(slider.dataset.now) + slider.value * 3600e3);
    document.getElementById("as-of").value = at.toISOString().slice(0, 19);
  });

  const span = (seconds) => {
    const [unit, size] = seconds >= 172800 ? ["d", 86400] : seconds >= 3600 ? ["h", 3600] : seconds >= 60 ? ["min", 60] : ["s", 1];
    return `${Math.floor(seconds / size)} ${unit}`;
  };
  setInterval(() => {
    for (const clock of document.querySelectorAll("[data-countdown]")) {
      const left = (Date.parse(clock.dataset.countdown) - Date.now()) / 1000;
      const words = `${span(Math.abs(left))} ${left < 0 ? "late" : "left"}`;
      if (clock.textContent !== words) clock.textContent = words;
      clock.parentElement.classList.toggle("late", left < 0);
    }
  }, 1000);
})();
