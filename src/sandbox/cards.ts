import type { CardFace, PaymentError } from "./records.ts";

/** What the issuer says to a card. */
export type CardVerdict =
  | { readonly kind: "approve" }
  | { readonly kind: "decline"; readonly error: PaymentError }
  /** The answer comes later: the payment is under way for `forMs`. */
  | { readonly kind: "processing"; readonly forMs: number; readonly then: CardVerdict };

export interface TestCard {
  /** A short name for tests and forms. */
  readonly name: string;
  readonly number: string;
  readonly label: string;
  readonly brand: string;
  /** Payment method ids that stand for this card in the API. */
  readonly methods: readonly string[];
  readonly verdict: CardVerdict;
  /** How long the hosted page takes to answer after the payment is made: the webhook comes first. */
  readonly answersAfterMs: number;
}

export const DECLINES = {
  generic_decline: { code: "card_declined", declineCode: "generic_decline", message: "Your card was declined." },
  insufficient_funds: { code: "card_declined", declineCode: "insufficient_funds", message: "Your card has insufficient funds." },
  lost_card: { code: "card_declined", declineCode: "lost_card", message: "Your card was declined." },
  expired_card: { code: "expired_card", declineCode: "expired_card", message: "Your card has expired." },
  incorrect_cvc: { code: "incorrect_cvc", declineCode: "incorrect_cvc", message: "Your card's security code is incorrect." },
  processing_error: { code: "processing_error", declineCode: "processing_error", message: "An error occurred while processing your card. Try again in a little bit." },
} as const satisfies Record<string, PaymentError>;

export type DeclineName = keyof typeof DECLINES;
export const DECLINE_NAMES = Object.keys(DECLINES) as [DeclineName, ...DeclineName[]]; // Object.keys forgets the names of its own argument.

/** How long a payment that is "processing" takes to be decided. */
export const PROCESSING_MS = 5_000;
const SLOW_MS = 6_000;

const approve: CardVerdict = { kind: "approve" };
const decline = (name: DeclineName): CardVerdict => ({ kind: "decline", error: DECLINES[name] });

/** The card that pays when none is named. */
export const APPROVED_CARD: TestCard = { name: "approve", number: "4242424242424242", label: "Approved", brand: "visa", methods: ["pm_card_visa"], verdict: approve, answersAfterMs: 0 };

/** The cards of the hosted page. Numbers that are public test numbers elsewhere behave here as they do there. */
export const CARDS: readonly TestCard[] = [
  APPROVED_CARD,
  { name: "declined", number: "4000000000000002", label: "Declined", brand: "visa", methods: ["pm_card_visa_chargeDeclined", "pm_card_chargeDeclined"], verdict: decline("generic_decline"), answersAfterMs: 0 },
  { name: "insufficient-funds", number: "4000000000009995", label: "Declined: no funds", brand: "visa", methods: ["pm_card_visa_chargeDeclinedInsufficientFunds"], verdict: decline("insufficient_funds"), answersAfterMs: 0 },
  { name: "expired", number: "4000000000000069", label: "Declined: expired", brand: "visa", methods: ["pm_card_chargeDeclinedExpiredCard"], verdict: decline("expired_card"), answersAfterMs: 0 },
  { name: "processing", number: "4000000000000077", label: "Processing, then approved", brand: "visa", methods: [], verdict: { kind: "processing", forMs: PROCESSING_MS, then: approve }, answersAfterMs: 0 },
  { name: "processing-declined", number: "4000000000000341", label: "Processing, then declined", brand: "visa", methods: [], verdict: { kind: "processing", forMs: PROCESSING_MS, then: decline("generic_decline") }, answersAfterMs: 0 },
  { name: "slow", number: "5555555555554444", label: "Approved, answers late", brand: "mastercard", methods: [], verdict: approve, answersAfterMs: SLOW_MS },
];

/** Every number of sixteen digits that begins so is a card of its own, which pays: as many different cards as a test wants. */
export const OWN_CARD_PREFIX = "411111";

/** A card by its name, its number (spaces are ignored) or its payment method id; null when there is none. */
export function cardFromText(text: string): TestCard | null {
  const compact = text.replaceAll(/[\s-]/g, "");
  const known = CARDS.find((card) => card.name === text || card.number === compact || card.methods.includes(text));
  if (known !== undefined) return known;
  return /^\d{16}$/.test(compact) && compact.startsWith(OWN_CARD_PREFIX) ? { ...APPROVED_CARD, name: compact, number: compact, methods: [] } : null;
}

/** What a payment shows of the card that made it. */
export function cardFace({ brand, number }: TestCard): CardFace {
  return { brand, last4: number.slice(-4), fingerprint: fingerprintOf(number) };
}

const FINGERPRINT_CHARACTERS = 16;
const FINGERPRINTS = 36n ** BigInt(FINGERPRINT_CHARACTERS);
/** Neither even nor a multiple of three, so that no two numbers come to the same. */
const FINGERPRINT_FACTOR = 5_871_781_006_564_002_453_299_393n;

/** One for each card number, and the same for every payment by it. The numbers are nobody's: it has nothing to hide. */
function fingerprintOf(number: string): string {
  return ((BigInt(number) * FINGERPRINT_FACTOR) % FINGERPRINTS).toString(36).padStart(FINGERPRINT_CHARACTERS, "0");
}
