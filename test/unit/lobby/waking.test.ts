import { expect, test } from "vitest";
import { LobbyWaking } from "../../../workers/objects/lobby-waking.ts";

test("an alarm is written only when it is news, and again when its time is past without having rung", async () => {
  const alarms: number[] = [];
  let now = 1_000;
  const storage = { setAlarm: async (at: number) => void alarms.push(at) } as unknown as DurableObjectStorage;
  const waking = new LobbyWaking(storage, () => now, () => undefined);
  const arrange = (alarmAt: number) => waking.arrange({ timerAt: null, alarmAt });
  await arrange(5_000);
  await arrange(5_000);
  await arrange(9_000);
  expect(alarms).toEqual([5_000]);
  await arrange(3_000);
  expect(alarms).toEqual([5_000, 3_000]);
  now = 3_000;
  await arrange(4_000);
  expect(alarms).toEqual([5_000, 3_000, 4_000]);
  waking.alarmRang();
  await arrange(8_000);
  expect(alarms.at(-1)).toBe(8_000);
});
