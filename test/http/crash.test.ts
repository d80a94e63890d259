import { expect, test } from "vitest";
import { crash } from "../prove/crash.ts";

test("kill -9 of everything twice during a sale loses no acknowledged hold, order or payment, and shoppers go on where they were", async () => {
  const seed = Math.floor(Math.random() * 0x7fff_ffff);
  const { figures, failures } = await crash({ kills: 2, seed, shoppers: 8, thinkMs: 300, aliveMsMax: 1_000, patienceMs: 8_000 }, () => undefined);
  for (const { name, value } of figures) console.info(`${name}: ${value}`);
  expect(failures, `seed ${seed}`).toEqual([]);
});
