/** Following payments until their audit mail is sent: often at first, then ever less, never in a hidden tab. */

/** @typedef {import("./api.js").Payment} Payment */

const FIRST_MS = 1_000;
const LONGEST_MS = 30_000;
const FACTOR = 1.6;

/** @param {Payment} payment @returns {boolean} whether its audit state may still change by itself */
export function isUnsettled(payment) {
  return payment.audit?.state !== "sent";
}

/** @param {number} previousMs 0 at the start @returns {number} the next pause */
export function nextPause(previousMs) {
  return previousMs === 0 ? FIRST_MS : Math.min(previousMs * FACTOR, LONGEST_MS);
}

/**
 * @param {() => Promise<boolean>} look reads the payments once; true while one of them is unsettled
 * @param {AbortSignal} signal ends it
 * @returns {{soon: () => void}} soon() starts again from the shortest pause: there is something new to follow
 */
export function watchAudit(look, signal) {
  let pause = 0;
  let timer = 0;
  let looking = false;

  const schedule = () => {
    clearTimeout(timer);
    if (signal.aborted || document.hidden) return;
    pause = nextPause(pause);
    timer = setTimeout(run, pause);
  };
  const run = async () => {
    if (looking) return;
    looking = true;
    let again = true;
    try {
      again = await look();
    } catch {
      // The next look may succeed; screens have their own way to say that the server is away.
    }
    looking = false;
    if (again) schedule();
  };
  const soon = () => {
    pause = 0;
    schedule();
  };
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    // Coming back looks at once: others may have logged payments meanwhile.
    if (!document.hidden && !signal.aborted) {
      pause = 0;
      void run();
    }
  }, { signal });
  signal.addEventListener("abort", () => clearTimeout(timer));
  return { soon };
}
