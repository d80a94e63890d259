import { find, make } from "./dom.ts";

/**
 * Says, loudly and at the top of the page, that the store contradicts what it
 * showed before. It stays for as long as the page does: nothing that comes
 * later takes it back.
 */
export function raiseAlarm(words: string, drop: string): void {
  if (find("[data-alarm]") !== null) return;
  const record = make("a", { href: `/drops/${drop}/record#check` }, "Check the whole record");
  const alarm = make("div", { "class": "refusal alarm", "role": "alert", "data-alarm": "" }, make("p", {}, make("strong", {}, "Do not trust this page. "), words), make("p", {}, "Keep this page, and tell others. ", record, "."));
  const main = find("main");
  main?.insertBefore(alarm, main.firstChild);
}
