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

interface Audit {
  state: "queued" | "sent" | "failed";
  /** epoch ms */
  sent_at?: number | null;
  attempts?: number;
  last_error?: { class?: string; code?: string; message?: string; at?: number } | string | null;
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
