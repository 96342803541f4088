// What stands around the stack: DNS, ACME server, database, smarthost, and the tailnet's other nodes.
export { ACME, issuingRoot, startAcme } from "./acme.ts";
export { startDns, ZONES } from "./dns.ts";
export { joinTailnet, NODES, tailnetAddress } from "./nodes.ts";
export { POSTGRES, sql, startPostgres, stopPostgres } from "./postgres.ts";
export { receivedMessages, SMARTHOST, startSmarthost } from "./smarthost.ts";
