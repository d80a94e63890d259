/** The terms of a campaign, part of the plan. Its vouchers are spent in the Drop object. */
export interface CampaignTerms {
  readonly id: string;
  /** Whole or fractional percent of the goods, above 0 and at most 100. */
  readonly percentOff: number;
  /** The region in which it is valid, or null for everywhere. */
  readonly region: string | null;
  readonly validFrom: number;
  readonly validUntil: number;
  /** How often the campaign may be spent in all. */
  readonly uses: number;
  /** A public word that stands for the campaign, compared without regard to case. */
  readonly typed: string | null;
}

/** A voucher that the edge has checked: which terms it stands for and what is burned when it is spent. */
export interface CheckedCoupon {
  readonly campaign: string;
  /** The voucher's own number, or `typed` for the campaign's public word. */
  readonly voucher: string;
  /** How often this voucher may be spent; null where only the campaign's own count bounds it. */
  readonly voucherUses: number | null;
  readonly region: string;
}
