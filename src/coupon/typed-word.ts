import type { CampaignTerms, CheckedCoupon } from "./campaign.ts";

/** What a `CheckedCoupon` names instead of a voucher when a public word was typed. */
export const TYPED_VOUCHER = "typed";

/** Longer input is nobody's word; the bound keeps normalising cheap. */
const WORD_LENGTH_MAX = 64;

/**
 * A typed word in the form in which words are compared: compatibility forms
 * folded (full-width letters from a phone's keyboard), trimmed, case gone.
 * Upper before lower, so that `ß` and `SS` meet.
 */
export function wordForm(word: string): string {
  return word.normalize("NFKC").trim().toUpperCase().toLowerCase();
}

/**
 * The coupon that a typed word stands for in this region at `now`, or null.
 *
 * A word that was never a campaign's, one of another region and one whose time
 * is over get the same null: whoever guesses words learns nothing from a miss.
 * Where several campaigns share a word, the first in the plan that is valid
 * here and now is meant, so that one word can name one campaign per region.
 */
export function couponOfWord(word: string, campaigns: readonly CampaignTerms[], at: { readonly region: string; readonly now: number }): CheckedCoupon | null {
  if (word.length > WORD_LENGTH_MAX) return null;
  const asked = wordForm(word);
  if (asked === "") return null;
  const campaign = campaigns.find((terms) => terms.typed !== null && wordForm(terms.typed) === asked && campaignIsValid(terms, at.region, at.now));
  return campaign === undefined ? null : { campaign: campaign.id, voucher: TYPED_VOUCHER, voucherUses: null, region: at.region };
}

/** Whether a campaign may be spent in `region` at `now`; it ends at `validUntil`, the instant itself excluded. */
export function campaignIsValid(terms: CampaignTerms, region: string, now: number): boolean {
  return (terms.region === null || terms.region === region) && now >= terms.validFrom && now < terms.validUntil;
}
