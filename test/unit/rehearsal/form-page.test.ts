import { expect, test } from "vitest";
import { CookieJar, formsOf, headingOf, refreshOf, refusalOf } from "../../../src/rehearsal/form-page.ts";

const PAGE = `<main><h1>Choose &amp; wait</h1>
<form method="post" action="/berlin/night/line?a=1&amp;b=2"><input type="hidden" name="stamp" value="s&quot;1"><div><input name="website" value=""></div>
<select id="q" name="quantity-A"><option value="0">0</option><option value="2" selected="">2</option></select><select name="slot"><option value="17:00">17</option></select>
<input type="radio" name="method" value="pickup"><input type="radio" name="method" value="ship" checked=""></form>
<form method="get" action="/elsewhere"></form></main>`;

test("a browser without script sends every field as the page has it, of a group of choices the chosen one", () => {
  expect(formsOf(PAGE)).toEqual([{ action: "/berlin/night/line?a=1&b=2", fields: { stamp: 's"1', website: "", "quantity-A": "2", slot: "17:00", method: "ship" } }]);
  expect(headingOf(PAGE)).toBe("Choose & wait");
});

test("a refusal is told in the page's own words, and a page that refuses nothing has none", () => {
  expect(refusalOf('<h2 id="refused-title">Please wait a little</h2>')).toBe("Please wait a little");
  expect(refusalOf(PAGE)).toBeNull();
});

test("a page that looks again by itself says when and where", () => {
  expect(refreshOf("10; url=/berlin/night/line/place")).toEqual({ seconds: 10, url: "/berlin/night/line/place" });
  expect(refreshOf("7")).toEqual({ seconds: 7, url: "" });
  expect([refreshOf(undefined), refreshOf("soon")]).toEqual([null, null]);
});

test("cookies are kept, replaced and forgotten as the store says", () => {
  const jar = new CookieJar();
  expect(jar.header).toBe("");
  jar.take(["__Host-a=1; Path=/; Secure", "__Host-b=x=y; Max-Age=60; Path=/"]);
  jar.take(["__Host-a=2; Path=/"]);
  expect(jar.header).toBe("__Host-a=2; __Host-b=x=y");
  jar.take(["__Host-b=; Max-Age=0; Path=/"]);
  expect([jar.get("__Host-a"), jar.get("__Host-b")]).toEqual(["2", null]);
});
