/** One source of a failed policy test, as the Tailscale API words it. */
export interface TestFailure {
  user: string;
  errors: string[];
}

/** An answer other than 2xx: the Tailscale API's JSON is `{message, data?}`. */
export class ApiError extends Error {
  readonly status: number;
  readonly data: TestFailure[] | undefined;

  constructor(status: number, message: string, data?: TestFailure[]) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.data = data;
  }
}
