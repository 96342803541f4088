/** The part of google-protobuf's BinaryReader that is used; its own declarations are too vague. */
export interface Reader {
  nextField(): boolean;
  getFieldNumber(): number;
  skipField(): void;
  readEnum(): number;
  readDouble(): number;
  readString(): string;
  readBool(): boolean;
  readMessage<Target>(target: Target, read: (target: Target, reader: Reader) => void): void;
}

type Fields = Record<string, unknown>;

/** A map's entry, or a value, whose key is not used. */
interface Entry {
  key: string;
  value: unknown;
}

/**
 * Reads a google.protobuf.Struct into the object that it represents, its keys sorted: the engine
 * sends them in any order, and a policy's report must not differ from run to run. The generated
 * code does the same with a message for each value, which takes three times as long.
 *
 * @see https://protobuf.dev/reference/protobuf/google.protobuf/#struct
 */
export function readStruct(reader: Reader): Fields {
  const fields: Fields = {};
  readFields(fields, reader);
  return fields;
}

function readFields(fields: Fields, reader: Reader): void {
  const entries = readRepeated(reader, readEntry);
  entries.sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)));
  for (const { key, value } of entries) fields[key] = value;
}

function readList(list: unknown[], reader: Reader): void {
  for (const { value } of readRepeated(reader, readValue)) list.push(value);
}

/** The one field that both a Struct and a ListValue have. */
function readRepeated(reader: Reader, read: (entry: Entry, reader: Reader) => void): Entry[] {
  const entries: Entry[] = [];
  while (reader.nextField()) {
    if (reader.getFieldNumber() !== 1) {
      reader.skipField();
      continue;
    }
    const entry: Entry = { key: "", value: null };
    reader.readMessage(entry, read);
    entries.push(entry);
  }
  return entries;
}

function readEntry(entry: Entry, reader: Reader): void {
  while (reader.nextField()) {
    const field = reader.getFieldNumber();
    if (field === 1) entry.key = reader.readString();
    else if (field === 2) reader.readMessage(entry, readValue);
    else reader.skipField();
  }
}

function readValue(entry: Entry, reader: Reader): void {
  while (reader.nextField()) {
    switch (reader.getFieldNumber()) {
      case 1:
        reader.readEnum();
        entry.value = null;
        break;
      case 2:
        entry.value = reader.readDouble();
        break;
      case 3:
        entry.value = reader.readString();
        break;
      case 4:
        entry.value = reader.readBool();
        break;
      case 5:
        reader.readMessage((entry.value = {}) as Fields, readFields);
        break;
      case 6:
        reader.readMessage((entry.value = []) as unknown[], readList);
        break;
      default:
        reader.skipField();
    }
  }
}
