import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { UserError } from "../../../lib/errors.ts";
import { apiAccess, failedTests, livePolicy } from "../../../verify/tailscale-api.ts";
import { type Answers, startApi } from "./api-server.ts";

const POLICY = '// mine\n{ "grants": [], }\n';
let answers: Answers;
let api: Awaited<ReturnType<typeof startApi>>;
beforeEach(async () => {
  answers = {
    "GET /api/v2/tailnet/-/acl": { body: POLICY },
    "POST /api/v2/oauth/token": { body: { access_token: "tok", token_type: "Bearer" } },
  };
  api = await startApi(answers);
});
afterEach(() => api.close());

const withKey = () => apiAccess({ TAILSCALE_BASE_URL: `${api.url}/`, TAILSCALE_API_KEY: "tskey-api-x" });
const refusal = (work: Promise<unknown>) =>
  work.then(
    () => expect.unreachable("it was accepted"),
    (error: unknown) => {
      expect(error).toBeInstanceOf(UserError);
      return (error as UserError).message;
    },
  );

describe("access to the Tailscale API", () => {
  test("is by API key as the user name of Basic, the way the provider does it", async () => {
    await livePolicy(await withKey());
    expect(api.asked[0]?.authorization).toBe(`Basic ${Buffer.from("tskey-api-x:").toString("base64")}`);
  });

  test("is by a token that the OAuth client is given, where there is no key", async () => {
    const env = { TAILSCALE_OAUTH_CLIENT_ID: "id", TAILSCALE_OAUTH_CLIENT_SECRET: "s&cret" };
    await livePolicy(await apiAccess({ ...env, TAILSCALE_BASE_URL: api.url }));
    expect(api.asked.map(({ path, authorization }) => [path, authorization])).toEqual([
      ["/api/v2/oauth/token", undefined],
      ["/api/v2/tailnet/-/acl", "Bearer tok"],
    ]);
    expect(new URLSearchParams(api.asked[0]?.body).get("client_secret")).toBe("s&cret");
  });

  test("without a credential is refused with the variables to set", async () => {
    expect(await refusal(apiAccess({}))).toMatch(/TAILSCALE_API_KEY/);
  });

  test("with a client that the service refuses ends without the secret in the message", async () => {
    answers["POST /api/v2/oauth/token"] = { status: 401, body: { message: "API token invalid" } };
    const env = { TAILSCALE_OAUTH_CLIENT_ID: "id", TAILSCALE_OAUTH_CLIENT_SECRET: "s3cret" };
    const message = await refusal(apiAccess({ ...env, TAILSCALE_BASE_URL: api.url }));
    expect(message).toMatch(/refuses the OAuth client \(HTTP 401\)/);
    expect(message).not.toContain("s3cret");
  });
});

describe("the live policy", () => {
  test("is asked for as HuJSON and taken byte for byte", async () => {
    expect(await livePolicy(await withKey())).toBe(POLICY);
    expect(api.asked[0]?.accept).toBe("application/hujson");
  });

  test("of a service that answers with an error, or not at all, is a user's error", async () => {
    answers["GET /api/v2/tailnet/-/acl"] = { status: 403, body: { message: "missing scope" } };
    expect(await refusal(livePolicy(await withKey()))).toMatch(/HTTP 403: .*missing scope/);
    const gone = await apiAccess({ TAILSCALE_BASE_URL: "http://127.0.0.1:9", TAILSCALE_API_KEY: "k" });
    expect(await refusal(livePolicy(gone))).toMatch(/http:\/\/127\.0\.0\.1:9 does not answer/);
  });
});

describe("policy tests", () => {
  const validate = "POST /api/v2/tailnet/-/acl/validate";
  const ask = async () => failedTests(await withKey(), [{ src: "tag:a", accept: ["tag:b:25"] }]);

  test("pass when the service answers 200 with nothing or with {}", async () => {
    for (const body of ["", "{}\n"]) {
      answers[validate] = { body };
      expect(await ask()).toEqual([]);
    }
    expect(JSON.parse(api.asked[0]?.body ?? "")).toEqual([{ src: "tag:a", accept: ["tag:b:25"] }]);
  });

  test("that fail are told by 200 with a message, and each is named", async () => {
    const errors = ['address "tag:b:25": want: Accept, got: Drop'];
    answers[validate] = { body: { message: "test(s) failed", data: [{ user: "tag:a", errors }] } };
    expect(await ask()).toEqual([`tag:a: ${errors[0]}`]);
    answers[validate] = { body: { message: "test(s) failed" } };
    expect(await ask()).toEqual(["test(s) failed"]);
  });
});
