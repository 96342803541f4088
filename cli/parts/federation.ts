import { UserError } from "../../lib/errors.ts";

/** Where credentials are to be had for a job's own identity. */
export interface Endpoints {
  readonly pulumi: string;
  readonly tailscale: string;
  readonly aws: string;
  readonly googleSts: string;
  readonly googleIam: string;
}

type Environment = Readonly<Record<string, string | undefined>>;
type Credentials = Readonly<Record<string, string>>;

const DEADLINE_MS = 30_000;
const TOKEN_TYPE = "urn:ietf:params:oauth:token-type";
const EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";

/** The services themselves; AWS has one in each region. */
export const endpointsOf = ({ AWS_REGION }: Environment): Endpoints => ({
  pulumi: "https://api.pulumi.com",
  tailscale: "https://api.tailscale.com",
  aws: `https://sts.${AWS_REGION || "us-east-1"}.amazonaws.com`,
  googleSts: "https://sts.googleapis.com",
  googleIam: "https://iamcredentials.googleapis.com",
});

/**
 * Credentials that last an hour at most, for a GitHub job's own identity (OpenID Connect), of each
 * service that the environment names one for. They are made at once: GitHub's own token is good for
 * minutes, and a deploy may take longer.
 *
 * @returns variables, as Pulumi, its backends and its providers read them
 * @throws UserError when the job has no identity, or a service refuses it
 */
export async function federate(env: Environment, at: Endpoints): Promise<Credentials> {
  const wanted = SERVICES.filter(({ names }) => names.every((name) => env[name]));
  const made = await Promise.all(wanted.map(({ exchange }) => exchange(env, at)));
  return Object.assign({}, ...made) as Credentials;
}

interface Service {
  /** Variables that must be there for it. */
  readonly names: readonly string[];
  readonly exchange: (env: Environment, at: Endpoints) => Promise<Credentials>;
}

const SERVICES: readonly Service[] = [
  {
    // https://www.pulumi.com/docs/administration/guides/oidc-issuers/github/
    names: ["PULUMI_OIDC_ORGANIZATION"],
    async exchange(env, { pulumi }) {
      const audience = `urn:pulumi:org:${env["PULUMI_OIDC_ORGANIZATION"]}`;
      const form = {
        grant_type: EXCHANGE,
        audience,
        subject_token_type: `${TOKEN_TYPE}:id_token`,
        subject_token: await identity(env, audience),
        requested_token_type: "urn:pulumi:token-type:access_token:organization",
        // Seconds. Without it the token lasts as long as the organization's policy lets it.
        expiration: "3600",
      };
      const { access_token } = await post(`${pulumi}/api/oauth/token`, form);
      return { PULUMI_ACCESS_TOKEN: text(access_token, "Pulumi Cloud") };
    },
  },
  {
    // https://tailscale.com/kb/1581/workload-identity-federation
    names: ["TAILSCALE_OIDC_CLIENT_ID", "TAILSCALE_OIDC_AUDIENCE"],
    async exchange(env, { tailscale }) {
      const jwt = await identity(env, text(env["TAILSCALE_OIDC_AUDIENCE"], "Tailscale"));
      const form = { client_id: text(env["TAILSCALE_OIDC_CLIENT_ID"], "Tailscale"), jwt };
      const { access_token } = await post(`${tailscale}/api/v2/oauth/token-exchange`, form);
      return { TAILSCALE_API_KEY: text(access_token, "Tailscale") };
    },
  },
  {
    // https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
    names: ["AWS_ROLE_ARN"],
    async exchange(env, { aws }) {
      const form = {
        Action: "AssumeRoleWithWebIdentity",
        Version: "2011-06-15",
        RoleArn: text(env["AWS_ROLE_ARN"], "AWS"),
        RoleSessionName: "tailwart",
        WebIdentityToken: await identity(env, "sts.amazonaws.com"),
      };
      const answer = await post(aws, form);
      const response = answer["AssumeRoleWithWebIdentityResponse"] as Record<string, Answer> | undefined;
      const made = response?.["AssumeRoleWithWebIdentityResult"]?.["Credentials"] as Answer | undefined;
      return {
        AWS_ACCESS_KEY_ID: text(made?.["AccessKeyId"], "AWS"),
        AWS_SECRET_ACCESS_KEY: text(made?.["SecretAccessKey"], "AWS"),
        AWS_SESSION_TOKEN: text(made?.["SessionToken"], "AWS"),
      };
    },
  },
  {
    // https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token
    names: ["GOOGLE_WORKLOAD_PROVIDER", "GOOGLE_SERVICE_ACCOUNT"],
    async exchange(env, { googleSts, googleIam }) {
      const audience = `//iam.googleapis.com/${env["GOOGLE_WORKLOAD_PROVIDER"]}`;
      const form = {
        grant_type: EXCHANGE,
        audience,
        scope: "https://www.googleapis.com/auth/cloud-platform",
        requested_token_type: `${TOKEN_TYPE}:access_token`,
        subject_token_type: `${TOKEN_TYPE}:jwt`,
        subject_token: await identity(env, `https:${audience}`),
      };
      const { access_token } = await post(`${googleSts}/v1/token`, form);
      const account = `projects/-/serviceAccounts/${env["GOOGLE_SERVICE_ACCOUNT"]}`;
      const { accessToken } = await ask(`${googleIam}/v1/${account}:generateAccessToken`, {
        method: "POST",
        body: JSON.stringify({ scope: ["https://www.googleapis.com/auth/devstorage.read_write"] }),
        headers: {
          authorization: `Bearer ${text(access_token, "Google")}`,
          "content-type": "application/json",
        },
      });
      return { GOOGLE_OAUTH_ACCESS_TOKEN: text(accessToken, "Google") };
    },
  },
];

/** GitHub's word for who this job is, made for one reader. */
async function identity(env: Environment, audience: string): Promise<string> {
  const { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: token } = env;
  if (!url || !token)
    throw new UserError("the job has no identity of its own", {
      hint: "give it the permission id-token: write",
    });
  const asked = new URL(url);
  asked.searchParams.set("audience", audience);
  const { value } = await ask(asked.href, { headers: { authorization: `Bearer ${token}` } });
  return text(value, "GitHub");
}

type Answer = Readonly<Record<string, unknown>>;

const post = (url: string, form: Record<string, string>): Promise<Answer> =>
  ask(url, { method: "POST", body: new URLSearchParams(form), headers: { accept: "application/json" } });

async function ask(url: string, init: RequestInit): Promise<Answer> {
  const { host } = new URL(url);
  let answer: Response;
  try {
    answer = await fetch(url, { ...init, signal: AbortSignal.timeout(DEADLINE_MS) });
  } catch (cause) {
    throw new UserError(`${host} does not answer`, { cause });
  }
  const body = await answer.text();
  if (!answer.ok)
    throw new UserError(`${host} refuses the job's identity (HTTP ${answer.status}): ${body.slice(0, 300)}`);
  try {
    return JSON.parse(body) as Answer;
  } catch (cause) {
    throw new UserError(`${host} answers something that is no JSON`, { cause });
  }
}

function text(value: unknown, whose: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw new UserError(`${whose} has given no credential`);
}
