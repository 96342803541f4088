import { describe, expect, test } from "vitest";

import { accountUpdates } from "../../../../provider/keys/accounts.ts";
import { planSettings } from "../../../../provider/keys/plan.ts";
import { interruptedState, type SettingsState } from "../../../../provider/keys/state.ts";

const state = (more: Partial<SettingsState> = {}): SettingsState => ({
  target: { dockerHost: "unix:///none", container: "test", api: "http://127.0.0.1:8080" },
  settings: { "queue.connection.default.timeout.connect": "30s" },
  fileSettings: {},
  domains: ["lab.test"],
  groups: {},
  lists: {},
  accounts: { alice: { emails: ["alice@lab.test"], secret: "old-hash" } },
  ...more,
});

describe("the state after a deploy that was cut off", () => {
  test("of a first deploy is the declared one, marked", () => {
    expect(interruptedState(state(), undefined)).toEqual({ ...state(), interrupted: true });
  });

  test("lets the next one take back what either has declared", () => {
    const news = state({ settings: { "session.data.limits.size": "1" } });
    const left = interruptedState(news, state());
    const live = { ...state().settings, ...news.settings };
    expect(planSettings(live, {}, left.settings).remove.sort()).toEqual(Object.keys(live).sort());
  });

  test("lets the next one set a password that may not have been set, whichever it declares", () => {
    const news = state({ accounts: { alice: { emails: ["alice@lab.test"], secret: "new-hash" } } });
    const before = interruptedState(news, state()).accounts["alice"];
    for (const [declared, live] of [
      [news, "old-hash"],
      [state(), "new-hash"],
    ] as const) {
      const account = declared.accounts["alice"];
      if (!account) throw new Error("the test's state has no alice");
      expect(accountUpdates({ emails: account.emails, secrets: [live] }, account, before)).toEqual([
        { action: "addItem", field: "secrets", value: account.secret },
      ]);
      expect(accountUpdates({ emails: account.emails, secrets: [account.secret] }, account, before)).toEqual(
        [],
      );
    }
  });

  test("leaves a password alone that neither deploy changes: its owner may have", () => {
    const { alice } = interruptedState(state(), state()).accounts;
    const live = { emails: ["alice@lab.test"], secrets: ["her-own"] };
    expect(accountUpdates(live, { emails: ["alice@lab.test"], secret: "old-hash" }, alice)).toEqual([]);
  });

  test("keeps members and addresses of a group of both, so that the next one takes out whom it does not declare itself", () => {
    const group = (more: object) => ({ info: { emails: ["info@lab.test"], members: ["alice"], ...more } });
    const news = state({ groups: group({ emails: ["info@lab.test", "b@lab.test"], members: ["bob"] }) });
    const olds = state({ groups: group({ emails: ["info@lab.test", "a@lab.test"], quota: 5 }) });
    expect(interruptedState(news, olds).groups).toEqual({
      info: {
        emails: ["info@lab.test", "a@lab.test", "b@lab.test"],
        members: ["alice", "bob"],
        quota: 5,
      },
    });
    expect(interruptedState(state(), olds).groups).toEqual(olds.groups);
  });

  test("keeps a quota of either, so that the next one takes it back", () => {
    const limited = { alice: { emails: ["alice@lab.test"], secret: "old-hash", quota: 5 } };
    for (const [news, olds] of [
      [state({ accounts: limited }), state()],
      [state(), state({ accounts: limited })],
    ] as const)
      expect(interruptedState(news, olds).accounts["alice"]?.quota).toBe(5);
  });

  test("keeps the addresses and domains of both", () => {
    const news = state({
      domains: ["new.test"],
      accounts: { alice: { emails: ["a@new.test"], secret: "old-hash" } },
    });
    const left = interruptedState(news, state());
    expect(left.domains).toEqual(["lab.test", "new.test"]);
    expect(left.accounts["alice"]?.emails).toEqual(["alice@lab.test", "a@new.test"]);
  });
});
