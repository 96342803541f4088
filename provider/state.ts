/** The resource's properties, as they stand in the program, in the state and between engine and provider. */

export interface AccountState {
  /** Addresses, the account's own first. */
  emails: string[];
  /** bcrypt or SHA-512 crypt hash of the first password. A Pulumi secret. */
  secret: string;
}

export interface SettingsState {
  target: {
    /** Docker daemon of Stalwart's container, as DOCKER_HOST has it. */
    dockerHost: string;
    /** Name of the container. */
    container: string;
    /** The API as seen from inside the container. */
    api: string;
  };
  /** Keys that are written through the API: toSettingKeys(). */
  settings: Record<string, string>;
  /** Keys of config.toml: toFileKeys(). Never written by the provider; compared, so that a container with an older file is noticed. */
  fileSettings: Record<string, string>;
  /** Domains whose mail is taken. Never deleted by a deploy. */
  domains: string[];
  /** Accounts by login name. Never deleted by a deploy. */
  accounts: Record<string, AccountState>;
}

/** What the engine sends in the place of a value that is not known yet. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export const DEFAULT_API = "http://127.0.0.1:8080";
