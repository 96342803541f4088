import type { PolicyDefinition } from "../framework/policy.ts";
import { acmeDnsSecretPresent } from "./acme-dns-secret-present.ts";
import { adminNotPublic } from "./admin-not-public.ts";
import { caaMatchesAcmeAccount } from "./caa-matches-acme-account.ts";
import { containerLeastPrivilege } from "./container-least-privilege.ts";
import { dkimPublished } from "./dkim-published.ts";
import { edgeNeverBanned } from "./edge-never-banned.ts";
import { edgePortConflict } from "./edge-port-conflict.ts";
import { edgeSendsProxyProtocol } from "./edge-sends-proxy-protocol.ts";
import { imagePinnedByDigest } from "./image-pinned-by-digest.ts";
import { mailDataProtected } from "./mail-data-protected.ts";
import { mtaStsNamesTheMx } from "./mta-sts-names-the-mx.ts";
import { mxPointsAtEdge } from "./mx-points-at-edge.ts";
import { noAaaaWithoutV6Edge } from "./no-aaaa-without-v6-edge.ts";
import { noContainerIpv6Assumed } from "./no-container-ipv6-assumed.ts";
import { noDirectSmtpEgress } from "./no-direct-smtp-egress.ts";
import { noHardcodedTailnetIp } from "./no-hardcoded-tailnet-ip.ts";
import { noPublishedPortsOnNamespace } from "./no-published-ports-on-namespace.ts";
import { oneAcmeClientPerName } from "./one-acme-client-per-name.ts";
import { oneSpfRecord } from "./one-spf-record.ts";
import { proxyTrustIsNarrow } from "./proxy-trust-is-narrow.ts";
import { relayRouteExists } from "./relay-route-exists.ts";
import { relayTargetIpv4Only } from "./relay-target-ipv4-only.ts";
import { routeChangeRestarts } from "./route-change-restarts.ts";
import { secretsNotInPlainSight } from "./secrets-not-in-plain-sight.ts";
import { sidecarWaitsForPostgres } from "./sidecar-waits-for-postgres.ts";
import { spfNamesTheRelay } from "./spf-names-the-relay.ts";
import { stalwartSharesAnchor } from "./stalwart-shares-anchor.ts";
import { stalwartTlsNotTerminated } from "./stalwart-tls-not-terminated.ts";
import { tailnetFlowsGranted } from "./tailnet-flows-granted.ts";
import { tailnetPolicyNotReset } from "./tailnet-policy-not-reset.ts";
import { wildcardNeedsDns01 } from "./wildcard-needs-dns01.ts";

/** A definition with any settings: the list does not care which. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any settings
export type AnyPolicy = PolicyDefinition<any>;

/** Refuses a list with one id twice: exceptions and config could not distinguish the two. */
export function withUniqueIds<Policy extends { readonly id: string }>(
  policies: readonly Policy[],
): readonly Policy[] {
  const seen = new Set<string>();
  for (const { id } of policies) {
    if (seen.has(id))
      throw new Error(`policies/rules/index.ts lists two policies with the id "${id}"; give each its own`);
    seen.add(id);
  }
  return policies;
}

/** Every policy of the pack. */
export const allPolicies: readonly AnyPolicy[] = withUniqueIds<AnyPolicy>([
  acmeDnsSecretPresent,
  adminNotPublic,
  caaMatchesAcmeAccount,
  containerLeastPrivilege,
  dkimPublished,
  edgeNeverBanned,
  edgePortConflict,
  edgeSendsProxyProtocol,
  imagePinnedByDigest,
  mailDataProtected,
  mtaStsNamesTheMx,
  mxPointsAtEdge,
  noAaaaWithoutV6Edge,
  noContainerIpv6Assumed,
  noDirectSmtpEgress,
  noHardcodedTailnetIp,
  noPublishedPortsOnNamespace,
  oneAcmeClientPerName,
  oneSpfRecord,
  proxyTrustIsNarrow,
  relayRouteExists,
  relayTargetIpv4Only,
  routeChangeRestarts,
  secretsNotInPlainSight,
  sidecarWaitsForPostgres,
  spfNamesTheRelay,
  stalwartSharesAnchor,
  stalwartTlsNotTerminated,
  tailnetFlowsGranted,
  tailnetPolicyNotReset,
  wildcardNeedsDns01,
]);
