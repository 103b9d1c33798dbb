// The inbox's wording. Pure functions: no page, no network, no clock.

/** "1 new message: Subject", or how many, to be announced to screen readers. */
export function announcement(messages) {
  if (messages.length === 1) return `1 new message: ${messages[0].subject || "(no subject)"}`;
  return `${messages.length} new messages`;
}

const PLACES = new Map([
  ["", { title: "Inbox", empty: "No mail yet. New mail appears here automatically." }],
  ["in:spam", { title: "Spam", empty: "No spam." }],
  ["in:trash", { title: "Trash", empty: "The trash is empty." }],
]);

/** How to head a list, and what to say if it is empty. Spam and trash are searches, as in Gmail. */
export function describeList(query) {
  return PLACES.get(query.toLowerCase()) ?? { title: "Search results", empty: "No mail matches this search." };
}

/** One line about the active faults; empty when there are none. */
export function describeFaults(faults) {
  if (faults.length === 0) return "";
  const names = faults.map((fault) => {
    const code = fault.code ? ` ${fault.code}` : "";
    const times = fault.times ? ` ×${fault.times}` : "";
    return `${fault.kind.replaceAll("_", " ")}${code}${times}`;
  });
  return `Faults active: ${names.join(", ")}`;
}

export function fileSize(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 ** 2) return `${(bytes / 1024).toFixed(1)} KB`;
  return `${(bytes / 1024 ** 2).toFixed(1)} MB`;
}

/** The message id in "#/m/{id}", or null. */
export function messageInHash(hash) {
  return /^#\/m\/([0-9a-f]+)$/.exec(hash)?.[1] ?? null;
}

/** The time of day for today's mail, the day for older mail. */
export function shortTime(stamp, now) {
  const moment = new Date(stamp);
  if (moment.toDateString() === now.toDateString()) {
    return moment.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  }
  const year = moment.getFullYear() === now.getFullYear() ? undefined : "numeric";
  return moment.toLocaleDateString([], { day: "numeric", month: "short", year });
}
