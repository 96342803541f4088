import { describe, expect, test } from "vitest";

import { targetOf } from "../../../lib/url-target.ts";

describe("a URL leads to", () => {
  test.each([
    ["redis://cache.tail.test/0", "cache.tail.test", 6379, false],
    ["rediss://mail:hunter2@cache.tail.test:6380/0", "cache.tail.test", 6380, true],
    ["redis://mail:%{file:/etc/stalwart/secrets/redis}%@cache.tail.test/0", "cache.tail.test", 6379, false],
    ["redis://:p%40ss@cache.tail.test", "cache.tail.test", 6379, true],
    ["http://s3.tail.test", "s3.tail.test", 80, false],
    ["HTTPS://s3.tail.test:9000", "s3.tail.test", 9000, false],
    ["https://[2001:db8::9]:9000", "[2001:db8::9]", 9000, false],
    ["postgresql+asyncpg://app@db.tail.test/app", "db.tail.test", 5432, true],
    ["postgres://db.tail.test:99999/app", "db.tail.test", 5432, false],
  ])("%s: its host and port, with or without a login", (url, host, port, hasLogin) => {
    expect(targetOf(url)).toMatchObject({ host, port, hasLogin });
  });

  test.each(["cache.tail.test:6379", "gopher://cache.tail.test", "redis://%{env:REDIS}%/0", "redis:///0"])(
    "%s: nothing that is known",
    (url) => expect(targetOf(url)).toBeUndefined(),
  );
});
