import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { blocksOf } from "../../policies/facts/caddy/caddyfile-blocks.ts";
import { readCaddyfile } from "../../policies/facts/caddy/caddyfile.ts";
import { caddyOf } from "../../policies/facts/caddy/find.ts";
import { covers, dialOf, listenOf } from "../../policies/facts/caddy/model.ts";
import { configsIn, whyUnreadable } from "../../policies/facts/caddy/locate-in-text.ts";

const options = { numRuns: Number(process.env["TAILWART_PROPERTY_RUNS"] ?? 500) };
const read = (text: string, name = "Caddyfile") => configsIn({ where: "here", text, name });
const names = (text: string): string[] =>
  read(text).flatMap((config) => config.http.flatMap((server) => server.sites.map((site) => site.name)));

describe("a Caddyfile's words and blocks", () => {
  test.each([
    ["a b\nc", [["a", "b"], ["c"]]],
    ["# all\na # rest\na#b", [["a"], ["a#b"]]],
    ['a "b c" `d\ne` "f\\"g"', [["a", "b c", "d\ne", 'f"g']]],
    ["a \\\n b", [["a", "b"]]],
    ["a <<END\n } {\n END\nb", [["a", " } {\n"], ["b"]]],
    ['a "{"', [["a", "{"]]],
    ["{$A} {env.B}", [["{$A}", "{env.B}"]]],
  ])("%j", (text, words) => {
    expect(blocksOf(text)?.map((block) => block.words)).toEqual(words);
  });

  test("nest, and keep the number of the line", () => {
    const [a, b] = blocksOf("a {\n b <<X\nx\nX\n c {\n d\n }\n}\ne") ?? [];
    expect(a?.body?.map(({ line, words }) => [line, words[0]])).toEqual([
      [2, "b"],
      [5, "c"],
    ]);
    expect(a?.body?.[1]?.body).toEqual([{ line: 6, words: ["d"] }]);
    expect(b).toEqual({ line: 9, words: ["e"] });
  });

  test.each(["a {", "}", 'a "b', "a `b", "a <<END\nb", `${"a {\n".repeat(40)}${"}\n".repeat(40)}`])(
    "%j is none",
    (text) => {
      expect(blocksOf(text)).toBeUndefined();
    },
  );
});

describe("a Caddyfile's sites", () => {
  test.each([
    ["a.example.org", ["a.example.org"]],
    ["a.example.org, https://B.example.org:8443/path {\n respond ok\n}", ["a.example.org", "b.example.org"]],
    ["a.example.org,\nb.example.org {\n}", ["a.example.org", "b.example.org"]],
    ['a.example.org {\n respond "{http.request.host}"\n log_skip `b.example.org {\n}`\n}', ["a.example.org"]],
    [
      "(s) {\n@m host {args[0]}\n}\n*.example.org {\n import s b.example.org\n}",
      ["*.example.org", "b.example.org"],
    ],
    ["(s) {\n{args[1:]} {\n}\n}\nimport s a b.example.org c.example.org", ["b.example.org", "c.example.org"]],
    [
      "(s) {\n{args[0]} {\n {blocks.more}\n}\n}\nimport s a.example.org {\n more {\n @m host b.example.org\n }\n}",
      ["a.example.org", "b.example.org"],
    ],
    ["&(route) {\n respond ok\n}\na.example.org {\n}", ["a.example.org"]],
  ])("%j", (text, sites) => {
    expect(names(text)).toEqual(sites);
  });

  test.each([
    ["a shell function", "start() {\n caddy run\n}"],
    ["nginx", "server {\n listen 443 ssl;\n}"],
    ["nginx with a name", "upstream a.example.org {\n server b:80;\n}\nserver {\n listen 443 ssl;\n}"],
    ["a block alone", "{\n echo ok\n}"],
    ["a word with a block", "nas {\n reverse_proxy a:80\n}"],
    ["a quoted key", 'resource "docker_container" "caddy" {\n}'],
    ["prose", "Caddy is configured elsewhere."],
    ["nothing", ""],
  ])("%s is no Caddyfile", (_, text) => {
    expect(readCaddyfile(text, "here")).toBeUndefined();
  });

  test("are not looked for in a text that says nothing of Caddy", () => {
    expect(read("a.example.org {\n respond ok\n}", "page.txt")).toEqual([]);
    expect(read("a.example.org {\n reverse_proxy b:1\n}", "page.txt")).toHaveLength(1);
  });

  test("an import that calls itself ends", () => {
    const snippet = `(s) {\n${"import s\n".repeat(60)}}\na.example.org {\n import s\n}`;
    const started = performance.now();
    expect(names(snippet)).toEqual(["a.example.org"]);
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});

test("a script's quoted word is a Caddyfile where its line says so", () => {
  const script =
    "echo 'a.example.org {\n respond ok\n}' > /etc/caddy/Caddyfile\necho 'b.example.org {\n}' > x";
  expect(read(script, "create").flatMap((config) => config.http.map((server) => server.where))).toEqual([
    "here (quoted) line 1 (a.example.org)",
  ]);
});

test("an upload's local file is a gap, and the empty one that the Docker provider fills in is none", () => {
  const content = JSON.stringify({ apps: { http: { servers: {} } } });
  const reading = (source: string) =>
    caddyOf({
      type: "docker:index/container:Container",
      name: "edge",
      urn: "edge",
      props: { uploads: [{ file: "/etc/caddy/caddy.json", content, source }] },
      opts: { protect: false },
    });
  expect(reading("")).toMatchObject({ configs: [{}], gaps: [] });
  expect(reading("./caddy.json")?.gaps).toEqual([
    {
      where: "uploads[0].source",
      because: "/etc/caddy/caddy.json comes from a local file, which is only read at deploy",
    },
  ]);
});

describe("addresses", () => {
  test.each([
    [":443", { network: "tcp", host: "", from: 443, to: 443 }],
    ["udp/0.0.0.0:53", { network: "udp", host: "", from: 53, to: 53 }],
    ["tcp6/[::1]:1-9", { network: "tcp", host: "::1", from: 1, to: 9 }],
    ["unix//run/a.sock", undefined],
    ["{env.HOST}:25", undefined],
    ["example.org", undefined],
  ])("%s is listened on", (text, listen) => {
    expect(listenOf(text)).toEqual(listen);
  });

  test.each([
    ["tcp/Stalwart.example.org.:25", { host: "stalwart.example.org", port: 25 }],
    ["{l4.tls.server_name}:443", { host: "{l4.tls.server_name}", port: 443 }],
    ["stalwart:{$PORT}", { host: "stalwart", port: undefined, placeholder: "{$PORT}" }],
    ["unix//run/a.sock", { host: "unix//run/a.sock", port: undefined }],
  ])("%s is dialled", (text, dial) => {
    expect(dialOf(text)).toEqual(dial);
  });

  test("a wildcard covers one label", () => {
    expect(covers("*.example.org", "a.example.org")).toBe(true);
    expect(covers("*.example.org", "a.b.example.org")).toBe(false);
    expect(covers("*.example.org", "example.org")).toBe(false);
    expect(covers("a.example.org", "*.example.org")).toBe(false);
  });
});

/** Pieces that the parsers take apart, mostly broken. */
const pieces = fc.constantFrom(
  ..."\"'`\\{}[]:,/#\n ",
  '"apps"',
  '{"apps":{"layer4":',
  "layer4 {\n",
  "reverse_proxy ",
  "route @a",
  "@a tls sni ",
  "import x\n",
  "<<EOF\n",
  "EOF\n",
  "base64",
  "a.example.org",
  ":443 {\n",
  "servers {\nlistener_wrappers {\n",
  "not ",
);

test("no text makes the parsers throw: an exception would end the whole preview", () => {
  fc.assert(
    fc.property(
      fc.array(pieces, { maxLength: 40 }).map((list) => list.join("")),
      fc.constantFrom("Caddyfile", "create"),
      (text, name) => {
        expect(read(text, name)).toBeInstanceOf(Array);
        expect(["string", "undefined"]).toContain(typeof whyUnreadable({ where: "", text, name }));
      },
    ),
    options,
  );
});

test("no JSON of wrong kinds makes the reader throw", () => {
  const app = fc.record({
    servers: fc.dictionary(fc.string(), fc.jsonValue()),
    certificates: fc.jsonValue(),
  });
  fc.assert(
    fc.property(fc.record({ http: app, layer4: app, tls: app }), (apps) => {
      expect(read(JSON.stringify({ apps }))).toHaveLength(1);
    }),
    options,
  );
});

test.each([
  ["deeply nested JSON", `{"apps":${"[".repeat(100_000)}`],
  ["deeply nested objects", '{"apps":{"http":'.repeat(20_000)],
  ["many apps", '{"apps" '.repeat(30_000)],
  ["many quotes", "caddy \" { ' \n".repeat(30_000)],
  ["many here-documents", "caddy <<EOF\n".repeat(30_000)],
  ["many blocks", "a.example.org {\n}\n".repeat(30_000)],
  ["much base64", `base64 ${"QUJD".repeat(100_000)}`],
])("%s neither throws nor takes long", (_, text) => {
  const started = performance.now();
  for (const name of ["Caddyfile", "create"]) expect(read(text, name)).toBeInstanceOf(Array);
  expect(performance.now() - started).toBeLessThan(10_000);
});
