// The inbox page: a list that follows the mailbox, and a reader that follows the address bar.
// Never trust text from a mail: it reaches the page only through textContent.
import { showActions, wireActions } from "./actions.js";
import { announcement, describeFaults, describeList, fileSize, messageInHash, shortTime } from "./wording.js";

const POLL_MS = 1500;
const PAGE = 200;
const SILENCE = "The sandbox is not responding. It may have been stopped.";
const TABS = ["html", "text", "source", "headers"];
const element = (id) => document.getElementById(id);

const state = { etag: null, limit: PAGE, messages: [], total: 0, newest: null, open: null, tab: "html" };

async function refresh() {
  const query = element("search").value.trim();
  const parameters = new URLSearchParams({ q: query, limit: state.limit });
  const headers = state.etag ? { "If-None-Match": state.etag } : {};
  let response;
  try {
    response = await fetch(`/sandbox/inbox?${parameters}`, { headers });
  } catch {
    showNotice(SILENCE);
    state.etag = null;
    return;
  }
  if (response.status === 304) return;
  if (query !== element("search").value.trim()) return; // the user kept typing: a newer answer is coming
  state.etag = response.headers.get("ETag");
  const { messages, total, faults } = await response.json();
  showNotice(describeFaults(faults));
  announce(messages, query);
  Object.assign(state, { messages, total });
  showList(query);
}

function announce(messages, query) {
  if (query) return;
  const known = state.newest;
  state.newest = messages[0]?.received_at ?? "";
  if (known === null) return; // nothing is new on the first load
  const fresh = messages.filter((message) => message.received_at > known);
  if (fresh.length > 0) element("news").textContent = announcement(fresh);
}

function showNotice(text) {
  const notice = element("faults");
  if (notice.textContent !== text) notice.textContent = text;
  notice.hidden = text === "";
}

function showList(query) {
  const list = element("messages");
  const kept = new Map([...list.children].map((item) => [item.dataset.id, item]));
  const items = state.messages.map((message) => showRow(kept.get(message.id) ?? newRow(message), message));
  for (const [index, item] of items.entries()) {
    if (list.children[index] !== item) list.insertBefore(item, list.children[index] ?? null);
  }
  while (list.children.length > items.length) list.lastElementChild.remove();

  const number = new Intl.NumberFormat().format(state.total);
  element("count").textContent = state.total === 1 ? "1 message" : `${number} messages`;
  element("empty").hidden = items.length > 0;
  element("empty").textContent = describeList(query).empty;
  element("more").hidden = items.length >= state.total;
  const unread = state.messages.filter((message) => message.unread).length;
  document.title = unread ? `(${unread}) Gmail sandbox` : "Gmail sandbox";
}

function showPlace() {
  const query = element("search").value.trim();
  const { title } = describeList(query);
  element("list-title").textContent = title;
  element("back-to").textContent = title;
  for (const button of element("places").children) {
    button.ariaCurrent = button.dataset.query === query.toLowerCase() ? "true" : null;
  }
}

function newRow(message) {
  const item = element("row").content.cloneNode(true).firstElementChild;
  item.dataset.id = message.id;
  const link = item.querySelector("a");
  link.href = `#/m/${message.id}`;
  link.querySelector(".sender").textContent = message.from || "(no sender)";
  link.querySelector(".subject").textContent = message.subject || "(no subject)";
  link.querySelector(".snippet").textContent = message.snippet;
  return item;
}

function showRow(item, message) {
  const link = item.querySelector("a");
  link.toggleAttribute("data-unread", message.unread);
  link.querySelector(".state").textContent = message.unread ? "Unread" : "";
  const time = link.querySelector("time");
  time.dateTime = message.received_at;
  time.textContent = shortTime(message.received_at, new Date());
  if (message.id === state.open) link.setAttribute("aria-current", "true");
  else link.removeAttribute("aria-current");
  return item;
}

async function follow() {
  const id = messageInHash(location.hash);
  const before = state.open;
  state.open = id;
  element("main").classList.toggle("reading", id !== null);
  for (const item of element("messages").children) showRowChosen(item);
  if (id === null) {
    element("mail").hidden = true;
    element("nothing-open").hidden = false;
    if (before) element("messages").querySelector(`[data-id="${before}"] a`)?.focus();
    return;
  }
  const response = await fetch(`/sandbox/messages/${id}`);
  if (state.open !== id) return; // the user has opened another message
  element("mail").hidden = !response.ok;
  element("nothing-open").hidden = response.ok;
  if (!response.ok) return;
  showMessage(await response.json());
  if (element("messages").querySelector(`[data-id="${id}"] a[data-unread]`)) {
    await fetch(`/sandbox/messages/${id}/read`, { method: "POST" });
    await refresh();
  }
}

function showRowChosen(item) {
  const link = item.querySelector("a");
  if (item.dataset.id === state.open) link.setAttribute("aria-current", "true");
  else link.removeAttribute("aria-current");
}

function showMessage(message) {
  element("subject").textContent = message.subject || "(no subject)";
  element("from").textContent = message.from;
  element("to").textContent = message.to;
  element("received").dateTime = message.received_at;
  element("received").textContent = new Date(message.received_at).toLocaleString();
  element("text").textContent = message.text;
  element("source").textContent = "";
  showActions(message);
  showAttachments(message);
  element("headers").replaceChildren(...Object.entries(message.headers).map(([name, value]) => headerRow(name, value)));

  const frame = document.createElement("iframe");
  frame.title = "HTML of the message";
  frame.setAttribute("sandbox", "allow-popups allow-popups-to-escape-sandbox");
  frame.src = `/sandbox/messages/${message.id}/html`;
  element("view-html").replaceChildren(...(message.html ? [frame] : []));
  element("tab-html").disabled = !message.html;
  element("tab-text").disabled = !message.text;
  const usable = !element(`tab-${state.tab}`).disabled;
  showTab(usable ? state.tab : message.html ? "html" : message.text ? "text" : "source");
  if (matchMedia("(width < 48rem)").matches) element("subject").focus();
}

function showAttachments(message) {
  const items = message.attachments.map((attachment, number) => {
    const link = document.createElement("a");
    link.href = `/sandbox/messages/${message.id}/attachments/${number}`;
    link.download = attachment.filename;
    link.title = attachment.filename;
    link.append(labeled("name", attachment.filename), " ", labeled("size", fileSize(attachment.size)));
    const item = document.createElement("li");
    item.append(link);
    return item;
  });
  element("attachments").replaceChildren(...items);
  element("attachments").hidden = items.length === 0;
}

function labeled(name, text) {
  const span = document.createElement("span");
  span.className = name;
  span.textContent = text;
  return span;
}

function headerRow(name, value) {
  const row = document.createElement("tr");
  for (const text of [name, value]) row.insertCell().textContent = text;
  return row;
}

function showTab(chosen) {
  for (const name of TABS) {
    const tab = element(`tab-${name}`);
    tab.setAttribute("aria-selected", String(name === chosen));
    tab.tabIndex = name === chosen ? 0 : -1;
    element(`view-${name}`).hidden = name !== chosen;
  }
  if (chosen === "source") loadSource();
}

async function loadSource() {
  const id = state.open;
  const response = await fetch(`/sandbox/messages/${id}/raw`);
  const source = new TextDecoder().decode(await response.arrayBuffer());
  if (state.open === id) element("source").textContent = source;
}

function chooseTab(name) {
  state.tab = name;
  showTab(name);
}

element("tabs").addEventListener("click", (event) => {
  const tab = event.target.closest("[role=tab]");
  if (tab) chooseTab(tab.id.slice("tab-".length));
});

element("tabs").addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const usable = TABS.filter((name) => !element(`tab-${name}`).disabled);
  const current = usable.indexOf(event.target.id.slice("tab-".length));
  let next = step === undefined ? undefined : usable.at((current + step) % usable.length);
  if (event.key === "Home") next = usable.at(0);
  if (event.key === "End") next = usable.at(-1);
  if (next === undefined) return;
  event.preventDefault();
  chooseTab(next);
  element(`tab-${next}`).focus();
});

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || element("confirmation").open) return;
  const typing = event.target === element("search");
  if (event.key === "Escape") {
    if (!typing) location.hash = "#/";
  } else if (event.key === "/" && !typing) {
    event.preventDefault();
    element("search").focus();
  } else if (["ArrowDown", "ArrowUp"].includes(event.key) && event.target.closest("#messages, .search")) {
    event.preventDefault();
    const links = [...element("messages").querySelectorAll("a")];
    const at = links.indexOf(event.target.closest("a"));
    links[event.key === "ArrowDown" ? at + 1 : Math.max(at - 1, 0)]?.focus();
  }
});

function search() {
  state.etag = null;
  showPlace();
  return refresh();
}

element("search").addEventListener("input", search);

element("places").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  element("search").value = button.dataset.query;
  search();
});

wireActions({
  openId: () => state.open,
  failed: () => showNotice(SILENCE),
  async left(text) {
    const at = state.messages.findIndex((message) => message.id === state.open);
    element("news").textContent = text;
    location.hash = "#/";
    await search();
    const links = element("messages").querySelectorAll("a");
    (links[Math.min(Math.max(at, 0), links.length - 1)] ?? element("search")).focus();
  },
});

document.querySelector(".search").addEventListener("submit", (event) => event.preventDefault());

element("more").addEventListener("click", () => {
  state.limit += PAGE;
  refresh();
});

async function keepUp() {
  for (;;) {
    if (!document.hidden) await refresh();
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

addEventListener("hashchange", follow);
await search();
await follow();
keepUp();
