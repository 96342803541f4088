/**
 * Who may hand mail in. The probe of a route (provider/server/probe.ts) needs no login, so that the
 * administrator needs no right to send: from loopback mail without a sender is taken for domains
 * that cannot exist (RFC 2606). All else is Stalwart's own: strangers at port 25, others after a
 * login.
 */

/**
 * Nobody else is in the server's namespace, and whoever comes by way of the edge has the address of
 * its PROXY header.
 */
const LOOPBACK = "(remote_ip == '127.0.0.1' || remote_ip == '::1')";

/** Rules of an expression, in order, and what holds when none does. */
interface Rules {
  rules: [condition: string, then: string][];
  otherwise: string;
}

/** Whether a login is needed. */
export const LOGIN_REQUIRED: Rules = {
  rules: [
    [LOOPBACK, "false"],
    ["local_port != 25", "true"],
  ],
  otherwise: "false",
};

/** Whether mail is taken that is for no domain of this server. */
export const RELAYING: Rules = {
  rules: [
    ["!is_empty(authenticated_as)", "true"],
    [`is_empty(sender) && ends_with(rcpt_domain, '.invalid') && ${LOOPBACK}`, "true"],
  ],
  otherwise: "false",
};
