/**
 * What the API answers, as the scripts' type comments name it. It stands here because phones need not load it.
 */

type Grant = "read_events" | "read_payments" | "log_payments";
type Method = keyof typeof import("../../web/scripts/entries/methods.js").METHODS;

/** sub: the account's id, which no other account ever gets */
interface User { sub: string; email: string; name: string; groups: string[]; may: Grant[] }

/** business_timezone: IANA name of the zone in which a day of exports and statements begins and ends */
interface Who { user: User | null; business_timezone: string }

interface Patron { email: string; name: string; waiver_signed_at?: number | null }

interface FieldError { field: string; code: string; message: string }

interface ScEvent {
  event_id: string;
  name: string;
  /** "YYYY-MM-DD" */
  event_date: string;
  /** IANA name */
  timezone: string;
  location: string;
  roster_size: number;
  /** For admins and auditors only, like the rest. */
  payments_count?: number;
  /** decimal string */
  total?: string;
  /** epoch ms */
  last_payment_at?: number | null;
  /** decimal strings */
  totals_by_method?: Partial<Record<Method, string>>;
  /** How many of its audit mails have failed or are overdue. */
  audit?: { failed: number; late: number };
}

type MailboxFinding = "missing" | "duplicate" | "altered" | "explained";

interface Audit {
  state: "queued" | "sent" | "failed";
  /** epoch ms */
  sent_at?: number | null;
  /** epoch ms, since when the mail is known to be in the audit mailbox */
  seen_at?: number | null;
  /** what is wrong in the audit mailbox */
  mailbox?: MailboxFinding | null;
  attempts?: number;
  last_error?: { class?: string; code?: string; message?: string; at?: number } | null;
}

interface Payment {
  payment_id: string;
  kind: "payment" | "void" | "refund";
  event_id: string;
  event_name: string;
  /** "YYYY-MM-DD" */
  event_date: string;
  patron_email: string;
  patron_name: string;
  amount_cents: number;
  amount: string;
  method: Method;
  reference?: string | null;
  note?: string | null;
  /** epoch ms, as captured in the form */
  timestamp: number;
  /** epoch ms, by the server's clock */
  logged_at: number;
  logged_by: string;
  logged_by_name: string;
  seq: number;
  hash: string;
  prev_hash: string;
  /** payment_ids */
  acknowledged_duplicates?: string[];
  /** payment_id, for kind void */
  voids?: string;
  /** payment_id, for kind refund */
  refunds?: string;
  /** for kinds void and refund */
  reason?: string;
  /** payment_id of the voided payment that this payment replaces */
  corrects?: string;
  /** payment_id */
  voided_by?: string | null;
  audit?: Audit;
}

/** A row that is stored, but not as it was written; null: not to be read. */
interface DoubtfulRow {
  event_id: string | null;
  seq: number | null;
  payment_id: string | null;
  patron_name: string | null;
  problem: string;
}

interface PaymentPage { payments: Payment[]; problems: DoubtfulRow[]; cursor: string | null }

interface Voided { void: Payment; replacement: Payment | null; replayed: boolean }

/** A line of a comparison. */
interface Difference { label: string; before: string; after: string; changed: boolean }

/** What is compared of an entry; while one is being typed, its amount and method may be missing. */
interface Stated {
  patron_email: string;
  patron_name: string;
  amount_cents: number | null;
  method: Method | "";
  reference?: string | null;
}

type Named = Pick<Stated, "patron_name" | "patron_email">;

interface Refused { kind: "refused"; status: number; fields: FieldError[]; message: string }

/** What came of sending a write. A: the server's answer */
type Outcome<A> =
  | { kind: "saved"; answer: A }
  | { kind: "unknown"; message: string }
  | { kind: "duplicate"; entries: Payment[] }
  | { kind: "signed-out" }
  | { kind: "busy" }
  | Refused;

/** What the server says when asked whether a write was saved. */
type Fate<A> = { kind: "saved"; answer: A } | { kind: "not-saved" } | { kind: "unknown"; message: string };

type Question = Parameters<typeof import("../../web/scripts/kit/dialog.js").confirmLeaving>[0];
type PendingWrite<D extends object> = import("../../web/scripts/sending/pending.js").Pending<D>;
type RequestBody = import("../../web/scripts/sending/pending.js").Body;

/** What a dialog sends. D: what the pending record carries besides. A: the server's answer */
interface DialogWrite<D extends object, A> {
  store: import("../../web/scripts/sending/pending.js").PendingStore<D>;
  post: (body: RequestBody, key: string, pending: PendingWrite<D>) => Promise<A>;
  /** Settles the fate of a write without an answer by its key; without it, only a retry does. */
  search?: { lookUp: (key: string) => Promise<A>; notSaved: (text: string) => void };
  texts: { sending: string; signedOut: string; busy: string; notSaved?: string };
  /** Asked before the dialog is left. */
  questions: { unknown: Question; discard: Question };
}

/** What a dialog does at each step of a write's life. */
interface DialogForm<D extends object, A> {
  phase: () => import("../../web/scripts/sending/life-cycle.js").Phase;
  /** Enters a phase; whatever was wrong before is forgotten when it is sent again. */
  enter: (phase: import("../../web/scripts/sending/life-cycle.js").Phase) => void;
  /** Whether closing would lose something. */
  isTouched: () => boolean;
  /** Opens the form as it was when it was sent. */
  restore: (pending: PendingWrite<D>, body: RequestBody) => void;
  saved: (answer: A) => void;
  /** Nothing was saved. */
  refused: (refusal: Pick<Refused, "status" | "fields" | "message">) => void;
  /** The server asks whether these are the same. */
  doubted: (entries: Payment[]) => void;
  /** Goes back to editing, to change what looks like a duplicate. */
  reconsider: () => void;
  /** Sends although these payment ids look alike. */
  insist: (acknowledged: string[]) => void;
  closed: () => void;
}

/** What the screens share. */
interface App {
  session: import("../../web/scripts/session/session.js").Session;
  startLog: ReturnType<typeof import("../../web/scripts/log-payment/dialog.js").createPaymentDialog>["open"];
  startVoid(payment: Payment, known?: { roster?: readonly Patron[] }): void;
  /** of a range of days */
  startExport(): void;
  downloadEvent(button: HTMLElement, eventId: string, signal: AbortSignal): void;
  doubtfulRows(): Promise<typeof import("../../web/scripts/screens/doubtful-rows.js")>;
  addressOf(route: import("../../web/scripts/router.js").Route): string;
  /** records in the address what the screen shows */
  keepPlace(route: import("../../web/scripts/router.js").Route): void;
  /** shows a screen, or a stand-in while it loads */
  present(screen: HTMLElement): void;
  /** the screen has its full height, so the scroll position can be restored */
  settled(): void;
}
