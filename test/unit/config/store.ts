/** A store's `[vars]` without a mistake; each test breaks a copy of it in one place. */
export interface WritableVars {
  [table: string]: Record<string, unknown>;
}

export function rightVars(): WritableVars & Record<"STORE" | "REGION_BERLIN" | "DROP_MOTH_TEE", Record<string, unknown>> {
  return {
    STORE: {
      name: "Nightjar Supply",
      currency: "EUR",
      support: "help@nightjar.example",
      brand: { mark: "N", ink: "#17130f", paper: "#f4efe6", accent: "#c2410c" },
    },
    REGION_BERLIN: {
      label: "Berlin",
      country: "DE",
      near: { lat: 52.52, lon: 13.405 },
      locale: "de-DE",
      pickup: [{ id: "kiosk-k", label: "Kiosk K, Weserstraße 12", slots: "17:00-21:00/30m", perSlot: 8 }],
    },
    DROP_MOTH_TEE: {
      title: "Moth tee",
      story: "One run of two hundred, printed on the night shift.",
      announceAt: "2026-11-27T18:00:00Z",
      lobbyOpensAt: "2026-12-04T17:30:00Z",
      opensAt: "2026-12-04T18:00:00Z",
      closesAt: "2026-12-04T22:00:00Z",
      stages: [{ share: 40, after: "0s" }, { share: 40, after: "30m" }, { share: 20, after: "2h" }],
      limitPerPerson: 2,
      hold: "8m",
      capture: "on-fulfilment",
      low: 10,
      home: "weur",
      items: [
        { sku: "MOTH-S", title: "Moth tee, S", priceMinor: 4200, quantity: 80 },
        { sku: "MOTH-M", title: "Moth tee, M", priceMinor: 4200, quantity: 120 },
      ],
      splits: [{ party: "partner:kiosk-k", fixedMinor: 300 }, { party: "creator:ana", percent: 70 }, { party: "platform", remainder: true }],
      campaigns: [{ id: "berlin-night", percentOff: 10, region: "berlin", validFrom: "2026-12-04T18:00:00Z", validUntil: "2026-12-04T22:00:00Z", uses: 50, typed: "BERLIN" }],
      lobby: { shards: 1, claimWindow: "60s" },
    },
  };
}
