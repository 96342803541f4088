import { createRequire } from "node:module";
import fc from "fast-check";
import { expect, test } from "vitest";

import { readStruct, type Reader } from "../../policies/framework/wire/read-struct.ts";

const require = createRequire(import.meta.url);
const { BinaryReader, BinaryWriter } = require("google-protobuf") as {
  BinaryReader: new (bytes: Uint8Array) => Reader;
  BinaryWriter: new () => Writer;
};
interface Writer {
  writeString(field: number, value: string): void;
  writeMessage(field: number, message: unknown, write: (message: unknown, writer: Writer) => void): void;
  getResultBuffer(): Uint8Array;
}
const { Struct } = require("google-protobuf/google/protobuf/struct_pb.js") as {
  Struct: { fromJavaScript(value: object): { serializeBinary(): Uint8Array; toJavaScript(): object } };
};
const wire = (value: object): Uint8Array => Struct.fromJavaScript(value).serializeBinary();
const fields = fc.dictionary(
  fc.string({ unit: "binary" }).filter((key) => key !== "__proto__"),
  fc.jsonValue({ stringUnit: "binary", maxDepth: 5 }),
);

test("whatever a Struct holds is read as the generated code does", () =>
  fc.assert(
    fc.property(fields, (value) => {
      const read = readStruct(new BinaryReader(wire(value)));
      expect(read).toEqual(Struct.fromJavaScript(value).toJavaScript());
    }),
  ));

test("null, and lists and objects with nothing in them, are kept", () => {
  const value = { none: null, list: [], object: {}, deep: [[null, {}]], no: false, zero: 0, empty: "" };
  expect(readStruct(new BinaryReader(wire(value)))).toEqual(value);
  expect(readStruct(new BinaryReader(wire({})))).toEqual({});
});

test("keys are read in their order, in whatever order the engine sends them, and of two the later holds", () => {
  const writer = new BinaryWriter();
  for (const [key, text] of Object.entries({ b: "2", c: "3", a: "1" }).concat([["b", "4"]]))
    writer.writeMessage(1, {}, (_entry, entry) => {
      entry.writeString(1, key);
      entry.writeMessage(2, {}, (_value, value) => value.writeString(3, text));
    });
  const read = readStruct(new BinaryReader(writer.getResultBuffer()));
  expect(Object.entries(read)).toEqual([
    ["a", "1"],
    ["b", "4"],
    ["c", "3"],
  ]);
});

test("fields of a later protocol are skipped, before, beside and inside an entry", () => {
  const writer = new BinaryWriter();
  writer.writeString(9, "later");
  writer.writeMessage(1, {}, (_entry, entry) => {
    entry.writeString(1, "key");
    entry.writeString(9, "later");
    entry.writeMessage(2, {}, (_value, value) => {
      value.writeString(9, "later");
      value.writeString(3, "text");
    });
  });
  expect(readStruct(new BinaryReader(writer.getResultBuffer()))).toEqual({ key: "text" });
});
