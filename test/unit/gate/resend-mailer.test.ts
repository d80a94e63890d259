import { describe, expect, test } from "vitest";
import { resendMailer } from "../../../src/gate/resend-mailer.ts";
import { Fault } from "../../../src/kernel/result.ts";
import { MAIL_KEY, Provider } from "../sandbox/provider.ts";

const MAIL = { to: "ana@nightjar.example", subject: "Your code", text: "12345678", key: "code/1" };
const FROM = "Nightjar Supply <codes@nightjar.example>";

/** A mailer whose provider answers with this status. */
const answering = (status: number) => resendMailer({ key: MAIL_KEY, from: FROM, fetch: async () => new Response("{}", { status }) });

async function faultOf(work: Promise<void>): Promise<{ readonly retryable: boolean; readonly message: string }> {
  const fault = await work.then(() => null, (error: unknown) => error);
  if (!(fault instanceof Fault)) throw new Error("there was no fault");
  return { retryable: fault.retryable, message: fault.message };
}

describe("mail by the provider's API", () => {
  test("arrives once, however often it is sent under its key", async () => {
    const provider = new Provider();
    const mailer = resendMailer({ key: MAIL_KEY, from: FROM, fetch: async (input, init) => provider.app.fetch(new Request(input, init)) });
    await mailer.send(MAIL);
    await mailer.send(MAIL);
    expect((await provider.json("GET", "/sandbox/mail")).body).toMatchObject({ messages: [{ to: MAIL.to, subject: MAIL.subject, text: MAIL.text }] });
  });

  test("is worth another try when the provider is busy or broken, and not when it refuses", async () => {
    for (const status of [429, 500, 503]) expect(await faultOf(answering(status).send(MAIL))).toMatchObject({ retryable: true });
    for (const status of [400, 401, 403, 422]) expect(await faultOf(answering(status).send(MAIL))).toMatchObject({ retryable: false });
    await expect(answering(409).send(MAIL)).resolves.toBeUndefined();
    const silent = resendMailer({ key: MAIL_KEY, from: FROM, fetch: async () => { throw new TypeError("connection lost"); } });
    expect(await faultOf(silent.send(MAIL))).toMatchObject({ retryable: true });
  });

  test("never says the address in what goes into a log", async () => {
    for (const status of [403, 500]) expect((await faultOf(answering(status).send(MAIL))).message).not.toContain("ana");
  });
});
