/**
 * Polling the server: often while an audit mail is on its way, then less and less; rarely, to see what others do,
 * once everything is settled; never in a hidden tab.
 */

const FIRST_MS = 1_000;
const LONGEST_MS = 30_000;
const FACTOR = 1.6;
const IDLE_MS = 20_000;

/** @param {Payment} payment @returns {boolean} whether its audit state may still change on its own */
export function isUnsettled(payment) {
  return payment.audit?.state !== "sent";
}

/** What is known of a mail: an older answer must not undo that it was sent. @param {Payment} before @param {Payment} read */
export function latestAudit(before, read) {
  return isUnsettled(read) && !isUnsettled(before) ? before.audit : read.audit;
}

/** @param {number} previousMs 0 at the start @returns {number} the next pause */
export function nextPause(previousMs) {
  return previousMs === 0 ? FIRST_MS : Math.min(previousMs * FACTOR, LONGEST_MS);
}

/**
 * @param {() => Promise<boolean>} look reads what is shown once; true while some audit mail is on its way
 * @param {AbortSignal} signal ends it
 * @returns {{soon: () => void}} soon() starts again from the shortest pause: there is a new mail to follow
 */
export function watchAudit(look, signal) {
  let pause = 0;
  let timer = 0;
  let looking = false;

  /** @param {boolean} underWay */
  const schedule = (underWay) => {
    clearTimeout(timer);
    if (signal.aborted || document.hidden) return;
    pause = underWay ? nextPause(pause) : IDLE_MS;
    timer = setTimeout(run, pause);
  };
  const run = async () => {
    if (looking || signal.aborted) return;
    clearTimeout(timer);
    looking = true;
    let underWay = true;
    try {
      underWay = await look();
    } catch {
      // The next look may succeed; screens report an unreachable server themselves.
    }
    looking = false;
    schedule(underWay);
  };
  const soon = () => {
    pause = 0;
    schedule(true);
  };
  /** Looks at once when the user comes back: others may have logged payments meanwhile. */
  const returned = () => {
    clearTimeout(timer);
    if (document.hidden) return;
    pause = 0;
    void run();
  };
  document.addEventListener("visibilitychange", returned, { signal });
  // Two windows side by side are never hidden, but only one has the focus.
  addEventListener("focus", returned, { signal });
  addEventListener("online", returned, { signal });
  signal.addEventListener("abort", () => clearTimeout(timer));
  schedule(false);
  return { soon };
}
