import assert from "node:assert/strict";
import { test } from "node:test";
import { basePath, parseRoute, routePath } from "../../web/scripts/router.js";

for (const [path, route] of [
  ["/", { name: "events" }],
  ["/index.html", { name: "events" }],
  ["/_staging", { name: "events" }],
  ["/_staging/", { name: "events" }],
  ["/g/sunset-charter", { name: "event", eventId: "sunset-charter", tab: "" }],
  ["/g/sunset-charter/", { name: "event", eventId: "sunset-charter", tab: "" }],
  ["/_staging/g/sunset-charter", { name: "event", eventId: "sunset-charter", tab: "" }],
  ["/g/a%2Fb", { name: "event", eventId: "a/b", tab: "" }],
  ["/g/100%", { name: "unknown" }],
  ["/g/", { name: "unknown" }],
  ["/g/a/b", { name: "unknown" }],
  ["/_stagingx", { name: "unknown" }],
]) {
  test(`${path} leads to ${JSON.stringify(route)}`, () => assert.deepEqual(parseRoute(path), route));
}

test("addresses and screens map to each other, in both copies of the app", () => {
  for (const base of ["", "/_staging"]) {
    for (const route of [
      { name: "events" },
      { name: "event", eventId: "a b", tab: "payments" },
      { name: "payment", eventId: "a b", paymentId: "pay_1" },
      { name: "patron", eventId: "a b", email: "o'brien+dock@example.com" },
    ]) {
      const address = new URL(routePath(base, route), "https://scc.example");
      assert.equal(basePath(address.pathname), base);
      assert.deepEqual(parseRoute(address.pathname, address.search), route);
    }
  }
});
