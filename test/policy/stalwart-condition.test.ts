import { describe, expect, test } from "vitest";
import { evaluate } from "../../policies/facts/stalwart/condition.ts";

const request = { listener: "https", path: "/api/principal", local_port: 443, is_tls: true };

describe("an expression about a request gives", () => {
  test.each([
    ["a number", "404", 404],
    ["a string", "'200'", "200"],
    ["a string with an escape", String.raw`"a\"b"`, 'a"b'],
    ["a truth", "true", true],
    ["a falsehood", "false", false],
    ["a variable", "listener", "https"],
    ["an equality", "listener == 'https'", true],
    ["an inequality", "listener != 'https'", false],
    ["an equality of a number and its text", "local_port == '443'", true],
    ["a negation", "!(listener == 'admin')", true],
    ["a negation of what holds", "!is_tls", false],
    ["an and", "is_tls && listener == 'admin'", false],
    ["a single and", "is_tls & listener == 'https'", true],
    ["an or", "listener == 'admin' || is_tls", true],
    ["a single or of what does not hold", "listener == 'admin' | path == '/'", false],
    ["and before or", "is_tls || is_tls && listener == 'admin'", true],
    ["parentheses first", "(is_tls || is_tls) && listener == 'admin'", false],
    ["a pattern that fits", "matches('^/(api|admin)(/|$)', path)", true],
    ["a pattern that does not", "matches('^/api$', path)", false],
    ["a pattern without regard to case", "matches('(?i)^/API/', path)", true],
    ["a beginning", "starts_with(path, '/api')", true],
    ["an end", "ends_with(path, '/api')", false],
    ["a part", "contains(path, 'princ')", true],
    ["what is equal without regard to case", "eq_ignore_case(listener, 'HTTPS')", true],
    ["what is empty", "is_empty('')", true],
    ["what is not", " is_empty(path) ", false],
    ["false, whatever the unknown half of an and", "remote_ip == '192.0.2.1' && false", false],
    ["true, whatever the unknown half of an or", "is_local_ip(remote_ip) || is_tls", true],
  ])("%s: %s", (_, expression, value) => {
    expect(evaluate(expression, request)).toBe(value);
  });
});

test.each([
  ["an unknown variable", "remote_ip"],
  ["a comparison with one, on either side", "remote_ip == '192.0.2.1'"],
  ["a comparison with one on the right", "'192.0.2.1' != remote_ip"],
  ["its negation", "!remote_ip"],
  ["an and with it", "remote_ip && is_tls"],
  ["an and with it on the right", "is_tls && remote_ip"],
  ["an or with it", "remote_ip || false"],
  ["an or with it on the right", "false || remote_ip"],
  ["an unknown function", "is_local_ip(path)"],
  ["a function of an unknown value", "starts_with(remote_ip, '192')"],
  ["a function with an unknown second value", "starts_with(path, remote_ip)"],
  ["a pattern over an unknown value", "matches('^1', remote_ip)"],
  ["a pattern that is none", "matches('(', path)"],
  ["a pattern that is missing", "matches()"],
  ["emptiness of an unknown value", "is_empty(remote_ip)"],
  ["a sum", "1 + 1"],
  ["nothing", " "],
  ["an operator alone", "&&"],
  ["an operator in the place of a value", "== || true"],
  ["an open parenthesis", "(is_tls"],
  ["a call that stays open", "is_empty(path"],
  ["two values", "is_tls is_tls"],
  ["more than anybody writes", `${"!".repeat(60)}is_tls`],
  ["what is too long to be read", `is_tls || '${"a".repeat(2000)}'`],
])("it cannot be told of %s", (_, expression) => {
  expect(evaluate(expression, request)).toBeUndefined();
});
