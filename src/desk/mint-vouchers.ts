import { mintVoucher, VOUCHER_LIFETIME_MAX_MS, type CouponKey } from "../coupon/voucher.ts";
import type { CampaignTerms } from "../coupon/campaign.ts";
import { idFromRandom } from "../kernel/ids.ts";
import { accepted, rejected, type Result } from "../kernel/result.ts";

export interface MintedVoucher {
  readonly voucher: string;
  readonly token: string;
  readonly expiresAt: number;
}

export type MintRejection =
  | { readonly code: "campaign_unknown" }
  | { readonly code: "campaign_over" }
  /** One voucher cannot be good for more than its whole campaign. */
  | { readonly code: "uses_above_campaign"; readonly max: number };

/**
 * Mints `count` vouchers for a campaign of a drop's frozen plan. They live as
 * long as the campaign, and never longer than a voucher may.
 *
 * Minting is not idempotent and does no harm: however many vouchers there are,
 * the campaign's own count bounds what can be spent.
 */
export async function mintVouchers(
  request: { readonly drop: string; readonly campaign: string; readonly count: number; readonly uses: number },
  campaigns: readonly CampaignTerms[],
  by: { readonly key: CouponKey; readonly now: number; readonly randomBytes: (count: number) => Uint8Array },
): Promise<Result<readonly MintedVoucher[], MintRejection>> {
  const terms = campaigns.find((campaign) => campaign.id === request.campaign);
  if (terms === undefined) return rejected({ code: "campaign_unknown" });
  if (terms.validUntil <= by.now) return rejected({ code: "campaign_over" });
  if (request.uses > terms.uses) return rejected({ code: "uses_above_campaign", max: terms.uses });
  const expiresAt = Math.min(terms.validUntil, by.now + VOUCHER_LIFETIME_MAX_MS);
  const vouchers: MintedVoucher[] = [];
  for (let index = 0; index < request.count; index++) {
    const voucher = idFromRandom("cpn", by.randomBytes(26));
    const token = await mintVoucher(
      { voucher, campaign: terms.id, drop: request.drop, region: terms.region, notBefore: terms.validFrom, expiresAt, uses: request.uses },
      by.key,
      by.now,
    );
    vouchers.push({ voucher, token, expiresAt });
  }
  return accepted(vouchers);
}
