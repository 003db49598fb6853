// While something starts or stops, brings the lists up to date without losing the reader's place.
const live = document.getElementById("live");
const EVERY = 2000;

function sentences(lists) {
  return [...lists.querySelectorAll("[data-say]")].map((item) => item.dataset.say);
}

async function refresh() {
  const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } });
  if (answer.status === 401) return location.reload();
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("lists");
  const old = document.getElementById("lists");
  const before = new Set(sentences(old));
  const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
  const news = sentences(fresh).filter((sentence) => !before.has(sentence));
  if (!news.length && "moving" in fresh.dataset) return;
  old.replaceWith(document.adoptNode(fresh));
  if (focused) document.getElementById(focused)?.focus();
  if (news.length) live.textContent = news.join(". ");
}

setInterval(() => {
  const lists = document.getElementById("lists");
  if ("moving" in lists.dataset && !document.hidden) refresh().catch(() => {});
}, EVERY);
