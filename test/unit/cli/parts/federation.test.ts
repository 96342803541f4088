// The services are stand-ins that answer as their documentation says: there is no GitHub here.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { afterEach, beforeEach, expect, test } from "vitest";

import { endpointsOf, federate } from "../../../../cli/parts/federation.ts";

interface Asked {
  path: string;
  authorization: string | undefined;
  body: string;
}

let server: Server;
let base: string;
let asked: Asked[];
let refuse: boolean;

beforeEach(async () => {
  asked = [];
  refuse = false;
  server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (part: string) => (body += part));
    request.on("end", () => {
      const path = request.url ?? "";
      asked.push({ path, authorization: request.headers.authorization, body });
      const isGitHub = path.startsWith("/github");
      response.statusCode = refuse && !isGitHub ? 403 : 200;
      response.end(
        JSON.stringify(
          isGitHub ? { value: `jwt for ${new URL(path, base).searchParams.get("audience")}` } : answer(path),
        ),
      );
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => server.close());

function answer(path: string): object {
  if (path.startsWith("/aws")) {
    const made = { AccessKeyId: "id", SecretAccessKey: "secret", SessionToken: "session" };
    return { AssumeRoleWithWebIdentityResponse: { AssumeRoleWithWebIdentityResult: { Credentials: made } } };
  }
  if (path.includes("generateAccessToken")) return { accessToken: "google-token" };
  return { access_token: `token of ${path}` };
}

const job = () => ({
  ACTIONS_ID_TOKEN_REQUEST_URL: `${base}/github?api-version=2`,
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: "request",
});
const endpoints = () => ({
  pulumi: `${base}/pulumi`,
  tailscale: `${base}/tailscale`,
  aws: `${base}/aws`,
  googleSts: `${base}/sts`,
  googleIam: `${base}/iam`,
});
const form = (path: string) =>
  Object.fromEntries(new URLSearchParams(asked.find((each) => each.path.startsWith(path))?.body));

test("a job's identity becomes an access token of the tailnet's API, for the audience that it wants", async () => {
  const env = {
    ...job(),
    TAILSCALE_OIDC_CLIENT_ID: "client",
    TAILSCALE_OIDC_AUDIENCE: "api.tailscale.com/client",
  };
  expect(await federate(env, endpoints())).toEqual({
    TAILSCALE_API_KEY: "token of /tailscale/api/v2/oauth/token-exchange",
  });
  expect(form("/tailscale")).toEqual({ client_id: "client", jwt: "jwt for api.tailscale.com/client" });
  expect(asked[0]).toMatchObject({
    path: "/github?api-version=2&audience=api.tailscale.com%2Fclient",
    authorization: "Bearer request",
  });
});

test("it becomes one of Pulumi Cloud's organization, for an hour", async () => {
  const made = await federate({ ...job(), PULUMI_OIDC_ORGANIZATION: "acme" }, endpoints());
  expect(made).toEqual({ PULUMI_ACCESS_TOKEN: "token of /pulumi/api/oauth/token" });
  expect(form("/pulumi")).toMatchObject({
    audience: "urn:pulumi:org:acme",
    subject_token: "jwt for urn:pulumi:org:acme",
    requested_token_type: "urn:pulumi:token-type:access_token:organization",
    expiration: "3600",
  });
});

test("it becomes a role's credentials at AWS, with the session's token", async () => {
  const made = await federate({ ...job(), AWS_ROLE_ARN: "arn:aws:iam::1:role/x" }, endpoints());
  expect(made).toEqual({
    AWS_ACCESS_KEY_ID: "id",
    AWS_SECRET_ACCESS_KEY: "secret",
    AWS_SESSION_TOKEN: "session",
  });
  expect(form("/aws")).toMatchObject({
    RoleArn: "arn:aws:iam::1:role/x",
    WebIdentityToken: "jwt for sts.amazonaws.com",
  });
});

test("it becomes a service account's token at Google, by way of the workload's own", async () => {
  const provider = "projects/1/locations/global/workloadIdentityPools/p/providers/g";
  const env = {
    ...job(),
    GOOGLE_WORKLOAD_PROVIDER: provider,
    GOOGLE_SERVICE_ACCOUNT: "x@y.iam.gserviceaccount.com",
  };
  expect(await federate(env, endpoints())).toEqual({ GOOGLE_OAUTH_ACCESS_TOKEN: "google-token" });
  expect(form("/sts")).toMatchObject({ audience: `//iam.googleapis.com/${provider}` });
  expect(asked.at(-1)).toMatchObject({
    path: "/iam/v1/projects/-/serviceAccounts/x@y.iam.gserviceaccount.com:generateAccessToken",
    authorization: "Bearer token of /sts/v1/token",
  });
});

test("what nobody has named is not asked, and a variable that is empty names nothing", async () => {
  const env = { AWS_ROLE_ARN: "", TAILSCALE_OIDC_CLIENT_ID: "client", PULUMI_OIDC_ORGANIZATION: "" };
  expect(await federate(env, endpoints())).toEqual({});
  expect(asked).toEqual([]);
});

test("a job without the permission, and a service that refuses it, are told in words", async () => {
  await expect(federate({ AWS_ROLE_ARN: "x" }, endpoints())).rejects.toThrow(
    "the job has no identity of its own",
  );
  refuse = true;
  await expect(federate({ ...job(), AWS_ROLE_ARN: "x" }, endpoints())).rejects.toThrow(
    /refuses the job's identity \(HTTP 403\)/,
  );
});

test("AWS is asked in the bucket's region", () => {
  expect(endpointsOf({ AWS_REGION: "eu-central-1" }).aws).toBe("https://sts.eu-central-1.amazonaws.com");
  expect(endpointsOf({ AWS_REGION: "" }).aws).toBe("https://sts.us-east-1.amazonaws.com");
});
