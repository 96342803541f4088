import { expect, test } from "vitest";

import { passwdWithHome } from "../../../lab/operator.ts";

test("the operator's passwd differs from the caller's in root's home alone", () => {
  const passwd = "root:x:0:0:root:/root:/bin/bash\nsshd:x:100:65534::/run/sshd:/sbin/nologin\n";
  expect(passwdWithHome(passwd, "/home/op")).toBe(passwd.replace(":/root:", ":/home/op:"));
});

test("every account with the number 0 has it, and none whose name or group only looks so", () => {
  const passwd = "toor:x:0:0:::/bin/sh\nzero:x:10:0::/home/zero:/bin/sh\n0:x:7:7::/home/0:/bin/sh\n";
  expect(passwdWithHome(passwd, "/h")).toBe(passwd.replace("toor:x:0:0:::", "toor:x:0:0::/h:"));
});
