// Follows a start: replaces the panel with what the server sends, counts the seconds, opens what is ready.
const root = document.getElementById("panel");
const live = document.getElementById("live");
const lost = document.getElementById("lost");
const icon = document.getElementById("favicon");
const OPEN_AFTER = 400;
let touched = false;
let shownAt = performance.now();

const panel = () => root.querySelector(".panel");
for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => (touched = true), { once: true });

function announce() {
  const data = panel().dataset;
  document.title = data.title;
  icon.href = data.icon;
  if (live.textContent !== data.say) live.textContent = data.say;
}

// "7 s" and "7 min 7 s" come from the server as patterns, in the reader's language.
function spell(passed) {
  const [minutes, seconds] = [Math.floor(passed / 60), Math.floor(passed % 60)];
  if (!minutes) return root.dataset.seconds.replace("7", seconds);
  return root.dataset.minutes.replace("7", minutes).replace(/7(?=\D*$)/, seconds);
}

function tick() {
  const counter = root.querySelector("[data-elapsed]");
  if (!counter) return;
  const passed = Number(counter.dataset.elapsed) + (performance.now() - shownAt) / 1000;
  const text = spell(passed);
  if (counter.textContent !== text) counter.textContent = text;
  const late = root.querySelector("[data-late-note]");
  if (late && passed > Number(panel().dataset.late)) late.hidden = false;
}

function open() {
  const { open: address, fresh } = panel().dataset;
  if (!address) return false;
  if (fresh !== undefined && !touched && !document.hidden) {
    setTimeout(() => touched || document.hidden ? location.reload() : location.replace(address), OPEN_AFTER);
    return true;
  }
  return false;
}

function follow() {
  const stream = new EventSource(`${root.dataset.events}?after=${panel().dataset.last}`);
  stream.addEventListener("panel", (event) => {
    root.innerHTML = event.data;
    shownAt = performance.now();
    lost.hidden = true;
    announce();
  });
  stream.addEventListener("end", () => {
    stream.close();
    // The page around the panel (its button, its log) is the server's to make.
    if (!open()) location.reload();
  });
  stream.addEventListener("open", () => (lost.hidden = true));
  stream.addEventListener("error", () => {
    lost.textContent = root.dataset.lost;
    lost.hidden = false;
    if (stream.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 3000);
  });
  addEventListener("pagehide", () => stream.close(), { once: true });
}

addEventListener("pageshow", (event) => event.persisted && location.reload());
if (panel().dataset.state === "starting") {
  follow();
  setInterval(tick, 250);
  tick();
} else {
  document.getElementById("open")?.focus({ preventScroll: true });
  const [arrival] = performance.getEntriesByType("navigation");
  if (arrival?.type === "navigate") open();
}
icon.href = panel().dataset.icon;
