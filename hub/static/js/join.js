// A member who opened the link by themselves need not press the button.
const form = document.getElementById("join");
const [arrival] = performance.getEntriesByType("navigation");
if (form && "press" in form.dataset && arrival?.type === "navigate") form.requestSubmit();
