// What a reader does to the open message: move it, or delete it forever.
const element = (id) => document.getElementById(id);
const DONE = { inbox: "Moved to inbox", spam: "Moved to spam", trash: "Moved to trash" };

/** Offer every move but the one to where the message already is. */
export function showActions(message) {
  for (const button of element("actions").querySelectorAll("[data-to]")) {
    button.hidden = button.dataset.to === message.place;
  }
}

/**
 * Wire the buttons. `openId()`: the open message's id. `left(text)`: the message is no longer where
 * it was; the text says why. `failed()`: the sandbox did not respond.
 */
export function wireActions({ openId, left, failed }) {
  async function act(request, text) {
    const { path, ...options } = request;
    try {
      const response = await fetch(`/sandbox/messages/${openId()}${path}`, options);
      left(response.ok ? text : "The message no longer exists");
    } catch {
      failed();
    }
  }

  element("actions").addEventListener("click", (event) => {
    const to = event.target.closest("[data-to]")?.dataset.to;
    if (to) act({ path: "/move", method: "POST", body: JSON.stringify({ to }) }, DONE[to]);
  });

  const confirmation = element("confirmation");
  element("delete").addEventListener("click", () => {
    confirmation.returnValue = "";
    confirmation.showModal();
  });
  confirmation.addEventListener("close", () => {
    if (confirmation.returnValue === "delete") act({ path: "", method: "DELETE" }, "Deleted forever");
  });
}
