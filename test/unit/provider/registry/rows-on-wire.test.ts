import { expect, test } from "vitest";

import { registryWire, rowsOnWire } from "../../../../provider/registry/rows-on-wire.ts";

const OBJECTS = {
  "Domain/example.org": { name: "example.org", catchAllAddress: null },
  "DkimSignature/s1._domainkey.example.org": { selector: "s1" },
  "MtaRoute/smarthost": { port: 587 },
};

test("rows that each domain has cross the engine as texts, all others as they are", () => {
  const objects = rowsOnWire(OBJECTS);
  expect(objects).toEqual({
    "Domain/example.org": '{\n "name": "example.org",\n "catchAllAddress": null\n}',
    "DkimSignature/s1._domainkey.example.org": '{\n "selector": "s1"\n}',
    "MtaRoute/smarthost": { port: 587 },
  });
  expect(registryWire.from({ objects, takeOver: true })).toEqual({ objects: OBJECTS, takeOver: true });
  expect(registryWire.to({ objects: OBJECTS })).toEqual({ objects });
});

test("a state of an older release is read, and a text that is no row is left for the check", () => {
  expect(registryWire.from({ objects: OBJECTS })).toEqual({ objects: OBJECTS });
  expect(registryWire.from({ objects: { "Domain/a.org": "no JSON" } })).toEqual({
    objects: { "Domain/a.org": "no JSON" },
  });
  expect(registryWire.from({ objects: "unknown" })).toEqual({ objects: "unknown" });
});
