/* The dashboard: fetches its parts again every few seconds while it is looked at, puts what has changed in its place,
   draws the charts, and says when the figures are old. Without this script the page shows the figures of its opening. */
"use strict";

(() => {
  const TIMEOUT_MS = 10000;
  const COLOURS = { answered: "#0d9488", errors: "#dc2626", p50: "#0d9488", p95: "#d97706", p99: "#9333ea" };

  const part = (id) => document.getElementById(id);
  const dashboard = part("dashboard");
  const title = document.title;
  const charts = new Map();
  let chosen = new URLSearchParams(window.location.search).get("range") || "";
  let timer, asking;
  let turns = 0;

  /* Make `old` like `fresh`, touching only what differs: focus, selection and scrolling stay where they are. */
  function morph(old, fresh) {
    if (old.nodeName !== fresh.nodeName || old.id !== fresh.id) return old.replaceWith(fresh);
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.data !== fresh.data) old.data = fresh.data;
      return;
    }
    if (old.dataset.own !== undefined) return; // drawn here
    for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
    for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    morphChildren(old, fresh);
  }

  function morphChildren(old, fresh) {
    const [olds, freshes] = [[...old.childNodes], [...fresh.childNodes]];
    freshes.forEach((node, place) => (place < olds.length ? morph(olds[place], node) : old.append(node)));
    for (const node of olds.slice(freshes.length)) node.remove();
  }

  function line(label, key, extra) {
    const colour = COLOURS[key];
    const alone = ({ dataset, dataIndex: at }) =>
      dataset.data[at - 1] == null && dataset.data[at + 1] == null ? 2.5 : 0;
    return { label, key, borderColor: colour, backgroundColor: colour, borderWidth: 2, pointRadius: alone,
      pointHoverRadius: 4, pointHitRadius: 12, tension: 0.25, cubicInterpolationMode: "monotone", ...extra };
  }

  function settings(unit, stacked, datasets) {
    return {
      type: "line",
      data: { labels: [], datasets },
      options: {
        animation: false,
        responsive: true,
        maintainAspectRatio: false,
        interaction: { mode: "index", intersect: false },
        plugins: {
          legend: { position: "bottom", labels: { boxWidth: 10, boxHeight: 10, useBorderRadius: true, borderRadius: 5 } },
          tooltip: { callbacks: { label: (item) => ` ${item.dataset.label}: ${item.formattedValue} ${unit}` } },
        },
        scales: {
          x: { grid: { display: false }, ticks: { maxRotation: 0, autoSkipPadding: 24 } },
          y: { beginAtZero: true, stacked, border: { display: false }, ticks: { maxTicksLimit: 6 } },
        },
      },
    };
  }

  const KINDS = {
    "rate-chart": () => settings("a second", true, [
      line("answered", "answered", { fill: true, backgroundColor: `${COLOURS.answered}33` }),
      line("not answered", "errors", { fill: "-1", backgroundColor: `${COLOURS.errors}55` }),
    ]),
    "latency-chart": () => settings("ms", false, [line("p50", "p50"), line("p95", "p95"), line("p99", "p99")]),
  };

  function paint(chart) {
    const style = getComputedStyle(document.documentElement);
    const dark = document.documentElement.classList.contains("dark");
    const [text, grid] = dark ? ["400", "800"] : ["500", "200"];
    chart.options.color = style.getPropertyValue(`--color-base-${text}`).trim();
    for (const scale of Object.values(chart.options.scales)) {
      scale.ticks.color = chart.options.color;
      scale.grid.color = style.getPropertyValue(`--color-base-${grid}`).trim();
    }
  }

  function draw() {
    const figures = JSON.parse(part("chart-data").textContent);
    for (const [id, kind] of Object.entries(KINDS)) {
      const canvas = part(id);
      let chart = charts.get(id);
      if (chart && chart.canvas !== canvas) {
        chart.destroy();
        chart = undefined;
        charts.delete(id);
      }
      if (!canvas) continue;
      if (!chart) charts.set(id, (chart = new Chart(canvas, kind())));
      chart.data.labels = figures.labels;
      for (const dataset of chart.data.datasets) dataset.data = figures[dataset.key];
      paint(chart);
      chart.update();
    }
    const level = part("health").dataset.level;
    document.title = level === "bad" || level === "warn" ? `⚠ ${title}` : title;
  }

  function isFresh() {
    part("stale").hidden = true;
    dashboard.classList.remove("db-old");
  }

  function isOld(what, toDo) {
    part("stale-what").textContent = what;
    part("stale-to-do").textContent = `${toDo} What is below was so at ${part("refreshed").textContent} UTC.`;
    part("stale").hidden = false;
    dashboard.classList.add("db-old");
    document.title = `⚠ ${title}`;
  }

  async function ask() {
    const address = chosen ? `${dashboard.dataset.address}?range=${encodeURIComponent(chosen)}` : dashboard.dataset.address;
    const request = (asking = new AbortController());
    const timeout = setTimeout(() => request.abort(), TIMEOUT_MS);
    try {
      const answer = await fetch(address, { redirect: "manual", cache: "no-store", signal: request.signal });
      if (answer.type === "opaqueredirect" || answer.status === 403)
        return isOld("You are no longer logged in, or may not see this any more.", "Reload the page.");
      if (!answer.ok) return isOld(`The gateway answers ${answer.status}.`, "Its log says why.");
      const fresh = document.createElement("template");
      fresh.innerHTML = await answer.text();
      if (asking !== request) return; // another range was chosen meanwhile
      morphChildren(dashboard, fresh.content);
      isFresh();
      draw();
    } catch {
      if (asking === request) isOld("The gateway does not answer.", "It is asked again every few seconds; see that it runs.");
    } finally {
      clearTimeout(timeout);
    }
  }

  /* Asks now, and again after each answer, for as long as the page can be seen. */
  async function turn() {
    clearTimeout(timer);
    const own = (turns += 1);
    if (document.hidden) return;
    await ask();
    if (own === turns) timer = setTimeout(turn, dashboard.dataset.seconds * 1000);
  }

  function choose(event) {
    const link = event.target.closest("[data-range]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    chosen = link.dataset.range;
    window.history.replaceState(null, "", `?range=${chosen}`);
    for (const each of link.parentElement.children) each.toggleAttribute("aria-current", each === link);
    if (asking) asking.abort();
    turn();
  }

  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  draw();
  dashboard.addEventListener("click", choose);
  document.addEventListener("visibilitychange", turn);
  new MutationObserver(draw).observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
  timer = setTimeout(turn, dashboard.dataset.seconds * 1000);
})();
