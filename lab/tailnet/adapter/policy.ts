import { createHash } from "node:crypto";
import { applyEdits, modify, parse } from "jsonc-parser";
import { ApiError, type TestFailure } from "./api-error.ts";
import { HeadscaleError, type HeadscaleApi } from "./headscale-api.ts";

/** What a tailnet has until a policy is written: everybody may reach everything. */
const DEFAULT_POLICY = `// The default policy: every device may reach every other.
{
  "grants": [
    { "src": ["*"], "dst": ["*"], "ip": ["*"] },
  ],
}
`;

/** If-Match of a writer who only wants to replace the untouched default. */
const ONLY_DEFAULT = "ts-default";

/**
 * The policy file. headscale's database holds the one copy, so a change made behind the adapter's
 * back is seen as drift.
 *
 * The ETag is the SHA-256 of the stored bytes. The real service's is that of the formatted text,
 * which only gitops-pusher looks at.
 */
export class Policy {
  readonly #headscale: HeadscaleApi;
  #last: Promise<unknown> = Promise.resolve();

  constructor(headscale: HeadscaleApi) {
    this.#headscale = headscale;
  }

  async get(): Promise<{ text: string; etag: string }> {
    const text = (await this.#headscale.policy()) ?? DEFAULT_POLICY;
    return { text, etag: etagOf(text) };
  }

  /** The owners of each tag. A tag that is missing here does not exist for keys. */
  async tagOwners(): Promise<Record<string, string[]>> {
    const document = parse((await this.get()).text, [], { allowTrailingComma: true }) as
      { tagOwners?: Record<string, string[]> } | undefined;
    return document?.tagOwners ?? {};
  }

  /**
   * Replaces the policy whole. An empty text is a reset to the default.
   *
   * @param ifMatch the header: an ETag, or `ts-default`
   */
  set(text: string, ifMatch: string | undefined): Promise<{ text: string; etag: string }> {
    // One writer at a time: else two could pass the comparison with the same ETag.
    const mine = this.#last.then(() => this.#replace(text, ifMatch));
    this.#last = mine.catch(() => undefined);
    return mine;
  }

  async #replace(text: string, ifMatch: string | undefined) {
    const current = await this.get();
    const expected = ifMatch?.trim().replace(/^(?:W\/)?"(.*)"$/, "$1");
    const matches = expected === ONLY_DEFAULT ? current.text === DEFAULT_POLICY : expected === current.etag;
    if (expected !== undefined && expected !== "*" && !matches)
      throw new ApiError(412, "precondition failed, invalid old hash");

    const next = text.trim() === "" ? DEFAULT_POLICY : text;
    await asApiError(() => this.#headscale.checkPolicy(next));
    try {
      await asApiError(() => this.#headscale.setPolicy(next));
    } catch (error) {
      // headscale puts a policy to work before it judges its ssh section: put the old one back to
      // work.
      await this.#headscale.setPolicy(current.text);
      throw error;
    }
    return { text: next, etag: etagOf(next) };
  }

  /**
   * Judges a policy, or a list of tests against the stored policy. Like the real service it answers
   * 200 either way: `{}` or what is wrong.
   */
  async validate(text: string): Promise<{ message?: string; data?: TestFailure[] }> {
    const candidate = /^\s*\[/.test(text) ? await this.#withTests(text) : text;
    try {
      await asApiError(() => this.#headscale.checkPolicy(candidate));
      return {};
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 400) throw error;
      return { message: error.message, ...(error.data && { data: error.data }) };
    }
  }

  async #withTests(text: string): Promise<string> {
    const tests: unknown = parse(text, [], { allowTrailingComma: true });
    const stored = (await this.get()).text;
    return applyEdits(stored, modify(stored, ["tests"], tests, {}));
  }
}

function etagOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/**
 * headscale tells of a wrong policy with 400 when checking and with 500 when storing; the real
 * service with 400.
 */
async function asApiError(action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof HeadscaleError)) throw error;
    const failures = testFailures(error.message);
    throw failures
      ? new ApiError(400, "test(s) failed", failures)
      : new ApiError(400, error.message.replace(/^(?:setting policy: |parsing policy: )+/, ""));
  }
}

/**
 * headscale's `src -> dst (tcp): expected ALLOWED, got DENIED` in the real service's words, by
 * source. A source without nodes is a failure too, which headscale words freely.
 */
function testFailures(message: string): TestFailure[] | undefined {
  const lines = /test\(s\) failed:\n([\s\S]*)/.exec(message)?.[1]?.split("\n");
  if (!lines) return undefined;
  const failures = new Map<string, string[]>();
  for (const line of lines) {
    const reach = /^(\S+) -> (\S+)(?: \(\w+\))?: expected (ALLOWED|DENIED)/.exec(line);
    const other = /^(\S+?)(?: \(\w+\))?: (.*)$/.exec(line);
    const [source, text] = reach
      ? [
          reach[1],
          `address "${reach[2]}": want: ${reach[3] === "ALLOWED" ? "Accept, got: Drop" : "Drop, got: Accept"}`,
        ]
      : [other?.[1], other?.[2] ?? line];
    const user = source ?? "";
    failures.set(user, [...(failures.get(user) ?? []), text]);
  }
  return [...failures].map(([user, errors]) => ({ user, errors }));
}
