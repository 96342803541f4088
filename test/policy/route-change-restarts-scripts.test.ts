import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { routeChangeRestarts as policy } from "../../policies/rules/route-change-restarts.ts";
import { PASSED, runStackPolicy, type TestResource } from "./harness.ts";
import { CONTAINER, resource } from "./resources.ts";

const SILENT = { ...PASSED, notApplicable: "nothing in the stack sets a route" };
const PLAN = '{"@type":"upsert","object":"MtaRoute","value":{"r":{"name":"edge"}}}';
const OTHER_PLAN = '{"@type":"update","object":"SystemSettings","value":{}}';
const OLD = '[["queue.route.edge.address","mailbox"]]';
const SET = '{"methodCalls":[["x:MtaRoute/set",{"update":{}},"c0"]]}';
const GET = '{"methodCalls":[["x:MtaRoute/get",{},"c0"]]}';
const APPLY = `stalwart-cli apply --stdin <<< '${PLAN}'`;
const BASE64 = Buffer.from(PLAN).toString("base64");

const command = (create: string, more: object = {}) =>
  resource("command:remote:Command", "routes", { create, ...more });
const container = (name: string, image: string) => resource(CONTAINER, name, { name, image });

type Row = readonly [create: string, more?: object | undefined];
const each = (rows: Row[]) => test.each(rows.map(([create, more]) => ({ create, more })));
const outcome = ([create, more]: Row, ...others: TestResource[]) =>
  runStackPolicy(policy, [command(create, more), ...others]);

async function fires(row: Row): Promise<void> {
  expect(await outcome(row)).toEqual({
    violations: [expect.stringContaining("create writes routes, and nothing restarts Stalwart")],
    notJudged: [],
  });
  // A restart behind it, and only there, is what is missing.
  expect(await outcome([`${row[0]}\ndocker restart stalwart`, row[1]])).toEqual(PASSED);
}

async function isSilent(row: Row): Promise<void> {
  expect(await outcome(row)).toEqual(SILENT);
}

const UNREAD =
  "create: what it runs or sends is only known when it runs, and may set routes without a restart";
async function isNotJudged(row: Row): Promise<void> {
  expect(await outcome(row)).toEqual({ violations: [], notJudged: [UNREAD] });
}

describe("a plan reaches Stalwart's command line", () => {
  each([
    [`stalwart-cli apply --stdin <<< '${PLAN}'`],
    [`stalwart-cli apply --stdin <<<"${PLAN.replaceAll('"', '\\"')}"`],
    [`PLAN='${PLAN}'\nstalwart-cli apply --file - <<< "$PLAN"`],
    [`stalwart-cli apply --stdin <<< $PLAN`, { environment: { PLAN } }],
    [`stalwart-cli apply --file=/dev/stdin <<<"\${PLAN:-none}"`, { environment: { PLAN } }],
    [`stalwart-cli apply -f /dev/fd/0 <<< $'${PLAN}'`],
    [`stalwart-cli apply --stdin <<< "\`echo '${PLAN}'\`"`],
    [`stalwart-cli apply --stdin <<< \`echo '${PLAN}'\``],
    [`stalwart-cli apply --stdin <<<"\${PLAN-${PLAN.replaceAll('"', '\\"').replaceAll("}", "\\}")}}"`],
  ])("by a here-string: $create", ({ create, more }) => fires([create, more]));

  each([
    [`stalwart-cli apply --stdin <<PLAN\n${PLAN}\nPLAN`],
    [`stalwart-cli apply --stdin <<'PLAN'\n${PLAN}\nPLAN\necho done`],
    [`stalwart-cli apply --stdin <<"PLAN"\n${PLAN}\nPLAN`],
    [`stalwart-cli apply --stdin <<-\\E\n\t${PLAN}\n\tE`],
    [`cat <<E | stalwart-cli apply --stdin\n${PLAN}\nE`],
    [`cat <<E |\n${PLAN}\nE\nstalwart-cli apply --stdin`],
    [`stalwart-cli apply --stdin <<E\n$PLAN\nE`, { environment: { PLAN } }],
    [`(cat <<E\n${PLAN}\nE\n) | stalwart-cli apply --stdin`],
    [`for i in 1; do stalwart-cli apply --stdin; done <<E\n${PLAN}\nE`],
  ])("by a heredoc: $create", ({ create, more }) => fires([create, more]));

  each([
    [`echo '${PLAN}' | stalwart-cli apply --stdin`],
    [`printf '%s\\n' '${PLAN}' | tee /tmp/plan | stalwart-cli apply --stdin`],
    [`echo ${BASE64} | base64 -d | stalwart-cli apply --stdin`],
    [`jq -cn '${PLAN}' | stalwart-cli apply --stdin`],
    [`{ echo '${OTHER_PLAN}'; echo '${PLAN}'; } | stalwart-cli apply --stdin`],
    [`if true; then echo '${PLAN}'; fi | stalwart-cli apply --stdin`],
    [`echo '${PLAN.replace("edge", "HOST")}' | sed s/HOST/edge/ | stalwart-cli apply --stdin`],
    [`echo '${PLAN}' |& stalwart-cli apply --stdin`],
    [`set -e; envsubst | stalwart-cli apply --stdin`, { stdin: PLAN }],
    [`cat - | stalwart-cli apply --stdin`, { stdin: PLAN }],
    [`base64 --decode /tmp/p | stalwart-cli apply --stdin # MtaRoute`, { stdin: PLAN }],
    [`{ case x in a) echo '${PLAN}';; esac; } | stalwart-cli apply --stdin`],
  ])("by a pipe: $create", ({ create, more }) => fires([create, more]));

  each([
    [`cat > /tmp/plan.ndjson <<'E'\n${PLAN}\nE\nstalwart-cli apply --file /tmp/plan.ndjson`],
    [`echo '${PLAN}' > plan; stalwart-cli apply --file=plan`],
    [`echo '${OTHER_PLAN}' > p; echo '${PLAN}' >> p; stalwart-cli apply --stdin < p`],
    [`echo '${PLAN}' | tee p >/dev/null 2>&1; stalwart-cli apply --file other`],
    [`stalwart-cli apply --file <(echo '${PLAN}')`],
  ])("by a file: $create", ({ create, more }) => fires([create, more]));

  each([
    [`stalwart-cli apply --stdin <<< '${OTHER_PLAN}'`],
    [`stalwart-cli apply --stdin <<E\n${OTHER_PLAN}\nE`],
    [`echo '${OTHER_PLAN}' | stalwart-cli apply --stdin`],
    [`stalwart-cli apply --dry-run --stdin <<< '${PLAN}'`],
    [`echo '${PLAN}' > /tmp/example`],
    [`echo "stalwart-cli apply --stdin" '${PLAN}'`],
    [`stalwart-cli query MtaRoute <<< '${PLAN}'`],
    [`cat <<'E' > README\n${APPLY}\nE`],
    [`: stalwart-cli apply --stdin # <<< '${PLAN}'`],
    [`command -v stalwart-cli apply MtaRoute`],
    [`stalwart-cli create Domain "$DOMAIN"`],
    [`stalwart-cli`],
    [`echo ${Buffer.from(OTHER_PLAN).toString("base64")} | base64 -d | stalwart-cli apply --stdin`],
    [`cat <<E | stalwart-cli apply --stdin\n${OTHER_PLAN}\nE`],
    [`echo '${OTHER_PLAN}' | tee p | stalwart-cli apply --stdin`],
    [`echo '${OTHER_PLAN}' | sed s/a/b/ | stalwart-cli apply --stdin`],
    [`echo '${OTHER_PLAN}' > plan; stalwart-cli apply --file=plan`],
    [`{ echo '${OTHER_PLAN}'; } | stalwart-cli apply --stdin`],
    [`stalwart-cli apply <<< '${OTHER_PLAN}'`],
    [`stalwart-cli apply --file - <<< '${OTHER_PLAN}'`],
    [`command -v stalwart-cli create MtaRoute`],
  ])("and none of its routes: $create", ({ create, more }) => isSilent([create, more]));

  each([
    [`stalwart-cli apply --file /srv/plan.ndjson`],
    [`stalwart-cli apply --file=plan.json`],
    [`cat plan.ndjson | stalwart-cli apply --stdin`],
    [`stalwart-cli apply --stdin < plan.ndjson`],
    [`pass show plan | stalwart-cli apply --stdin`],
    [`sed s/a/b/ plan.tmpl | stalwart-cli apply --stdin`],
    [`stalwart-cli apply --stdin <<< "$PLAN"`],
    [`stalwart-cli apply --stdin <<E\n$(gpg -d plan.gpg)\nE`],
    [`echo "$B" | base64 -d | stalwart-cli apply --stdin`],
    [`stalwart-cli "$@" # MtaRoute`, { environment: { A: PLAN } }],
  ])("from where it cannot be read: $create", ({ create, more }) => isNotJudged([create, more]));
});

describe("the command line runs", () => {
  each([
    [`docker exec -i stalwart ${APPLY}`],
    [`docker exec -e A=b stalwart sh -c "stalwart-cli create MtaRoute"`],
    [`docker compose -f /srv/c.yaml exec -T stalwart ${APPLY}`],
    [`podman exec stalwart /usr/local/bin/stalwart-cli update MtaOutboundStrategy`],
    [`echo '${PLAN}' | sudo docker exec -i stalwart stalwart-cli apply --stdin`],
    [`docker run --rm -i ghcr.io/stalwartlabs/cli:1.0 apply --stdin <<< '${PLAN}'`],
    [`kubectl -n mail exec -i deploy/stalwart -- ${APPLY}`],
    [`kubectl exec stalwart-0 -- sh -c 'stalwart-cli destroy MtaRoute x'`],
    [`k3s kubectl exec -i stalwart-0 -c stalwart -- ${APPLY}`],
    [`echo '${PLAN}' | kubectl exec -i sts/stalwart -- stalwart-cli apply --stdin`],
    [`oc exec -i stalwart-0 -- ${APPLY}`],
  ])("in a container: $create", ({ create, more }) => fires([create, more]));

  each([
    [`ssh kvm 'stalwart-cli create MtaRoute'`],
    [`ssh -p 2222 -i key root@kvm stalwart-cli delete MtaRoute edge`],
    [`ssh -oBatchMode=yes kvm <<'E'\nstalwart-cli create MtaRoute\nE`],
    [`echo '${PLAN}' | ssh kvm docker exec -i stalwart stalwart-cli apply --stdin`],
    [`ssh kvm bash -s <<E\nstalwart-cli update MtaRoute\nE`],
    [`sshpass -e ssh kvm "stalwart-cli create MtaRoute"`],
    [`ssh kvm sh -c '"stalwart-cli create MtaRoute"'`],
  ])("on another machine: $create", ({ create, more }) => fires([create, more]));

  each([
    [`echo edge | xargs stalwart-cli delete MtaRoute`],
    [`echo MtaRoute edge | xargs -n2 stalwart-cli delete`],
    [`find /plans -exec stalwart-cli create MtaRoute {} \\;`],
    [`sudo -u stalwart env URL=http://s timeout 5 stalwart-cli create MtaRoute`],
    [`su - stalwart -c 'stalwart-cli create MtaRoute'`],
    [`runuser -u stalwart --command "stalwart-cli create MtaRoute"`],
    [`eval "stalwart-cli create" MtaRoute`],
    [`echo 'stalwart-cli create MtaRoute' | sh`],
    [`echo 'stalwart-cli create MtaRoute' | at now`],
    [`echo 'stalwart-cli create MtaRoute' > /tmp/x.sh; bash -e /tmp/x.sh`],
    [`echo 'stalwart-cli create MtaRoute' > x; . x`],
    [`if ! stalwart-cli create MtaRoute; then exit 1; fi`],
    [`case "$1" in set|add) stalwart-cli create MtaRoute;; *) exit 1;; esac`],
    [`x=$(stalwart-cli create MtaRoute)`],
    [`while true; do stalwart-cli create MtaRoute && break; done`],
  ])("through another program: $create", ({ create, more }) => fires([create, more]));

  each([
    [`CLI=stalwart-cli; $CLI create MtaRoute`],
    [`CLI="docker exec -i stalwart stalwart-cli"\n$CLI apply --stdin <<< '${PLAN}'`],
    [`CLI=(docker exec -i stalwart stalwart-cli)\n"\${CLI[@]}" apply --stdin <<< '${PLAN}'`],
    [`export CLI=stalwart-cli KIND=MtaRoute; \${CLI} create "$KIND"`],
    [`$CLI create MtaRoute`, { environment: { CLI: "/opt/stalwart-cli" } }],
    [`\${CLI:-stalwart-cli} create MtaRoute`],
    [`cli() { stalwart-cli --url http://s "$@"; }\ncli apply --stdin <<< '${PLAN}'`],
    [`function put { stalwart-cli create "$1" "$2"; }; put MtaRoute edge`],
    [`for kind in MtaRoute MtaOutboundStrategy; do stalwart-cli delete $kind; done`],
    [`CLI=$(which stalwart-cli) && "$CLI" create MtaRoute`],
    [`\\stalwart-cli create "Mta""Route"`],
    [`CLI=$(which stalwart-cli;); $CLI create MtaRoute`],
    [`\${A:-\${CLI:-stalwart-cli}} create MtaRoute`],
    [`"\`which stalwart-cli\`" create MtaRoute`],
    [`"stalwart-\\\ncli" create MtaRoute`],
    [`$'stalwart-cli' create MtaRoute`],
  ])("by a variable or a function: $create", ({ create, more }) => fires([create, more]));

  each([
    [`cli() { stalwart-cli create MtaRoute; }\necho unused`],
    [`docker pull stalwartlabs/cli`],
    [`docker exec stalwart ls /MtaRoute`],
    [`ssh kvm`],
    [`echo 'stalwart-cli create MtaRoute' | wc -l`],
    [`su stalwart`],
    [`sudo true`],
    [`f() {${" f;".repeat(3)} }; f`],
    // Others' scripts, and those that only get a name.
    [`./deploy.sh && make all`],
    [`node verify/main.ts stalwart relay`],
  ])("nowhere: $create", ({ create, more }) => isSilent([create, more]));

  each([
    [`$CLI create MtaRoute`],
    [`/opt/stalwart/set-routes`],
    [`sudo ./stalwart-routes.sh`],
    [`bash -e stalwart.sh`],
    [`source /srv/stalwart.env`],
    [`make stalwart`],
    [`ssh kvm 'cd /srv/stalwart && ansible-playbook stalwart.yml'`],
    [`eval "$STALWART" # MtaRoute`, { environment: { A: "MtaRoute" } }],
    [`python3 /opt/stalwart/routes.py`],
    [`./post.py --to http://s/jmap`],
    [`pnpm stalwart:routes`],
  ])("from where it cannot be read: $create", ({ create, more }) => isNotJudged([create, more]));
});

describe("a request", () => {
  each([
    [`curl --request=POST http://s/api/settings -d '${OLD}'`],
    [`curl --request PUT http://s/api/settings --data-raw '${OLD}'`],
    [`curl -sfXPOST "$BASE/api/settings" -u "admin:$PW" -d@- <<< '${OLD}'`],
    [`curl -T - http://s/api/settings`, { stdin: OLD }],
    [`curl -d'${OLD}' http://s/api/settings`],
    [`echo '${OLD}' > b.json; curl --data @b.json http://s/api/settings`],
    [`curl --json @- http://s/jmap`, { stdin: SET }],
    [`docker run --rm curlimages/curl:8.5.0 -d '${SET}' http://s/jmap`],
    [`xargs -I{} curl -X DELETE http://s/api/settings/{} <<< queue.route.a.type`],
  ])("of curl: $create", ({ create, more }) => fires([create, more]));

  each([
    [`http POST http://s/api/settings a=b <<< '${OLD}'`],
    [`echo '${OLD}' | http --auth admin:$PW http://s/api/settings`],
    [`xh http://s/api/settings type=insert values:='${OLD}'`],
    [`https post s/jmap <<< '${SET}'`],
    [`http DELETE :8080/api/settings/queue.route.a.type`],
    [`xhs --raw '${SET}' s/jmap`],
    [`curlie http://s/jmap methodCalls:='${SET}'`],
  ])("of HTTPie and its like: $create", ({ create, more }) => fires([create, more]));

  each([
    [`wget --method=PUT --body-data='${OLD}' http://s/api/settings`],
    [`wget -qO- --method POST --body-data '${OLD}' http://s/api/settings`],
    [`wget --post-data='${OLD}' http://s/api/settings`],
    [`wget --post-file=- http://s/api/settings`, { stdin: OLD }],
    [`wget --method=DELETE http://s/api/settings/queue.route.a.type`],
  ])("of wget: $create", ({ create, more }) => fires([create, more]));

  each([
    [`python3 -c 'import requests; requests.post("http://s/api/settings", json=${OLD})'`],
    [`python3 - <<'E'\nimport httpx\nhttpx.request("POST", URL + "/jmap", content='''${SET}''')\nE`],
    [`node -e 'fetch("http://s/jmap", { method: "POST", body: JSON.stringify(${SET}) })'`],
    [
      `node --input-type=module <<'E'\nawait fetch(\`\${base}/api/settings\`, {method:'PUT', body:'${OLD}'})\nE`,
    ],
    [`python3 -c 'import sys,requests;requests.put("http://s/api/settings",data=sys.stdin)'`, { stdin: OLD }],
    [
      `deno eval 'await fetch("http://s/jmap", {method: "POST", body: Deno.env.get("B")})'`,
      { environment: { B: SET } },
    ],
    [`ruby -e 'Net::HTTP.post(URI("http://s/api/settings"), %q(${OLD}))'`],
    [`python3 -c 'import os; os.system("stalwart-cli create MtaRoute")'`],
    [`python3 -c 'subprocess.run(["docker", "exec", "stalwart", "stalwart-cli", "create", "MtaRoute"])'`],
  ])("of a program in another language: $create", ({ create, more }) => fires([create, more]));

  each([
    [`curl http://s/api/settings/list?prefix=queue.route`],
    [`curl -G -d prefix=queue.route http://s/api/settings/list`],
    [`curl --request GET -d prefix=queue.route http://s/api/settings/list`],
    [`curl -u admin:$PW --json '${GET}' http://s/jmap`],
    [`http GET http://s/api/settings/list prefix==queue.route`],
    [`wget -qO- http://s/api/settings/list?prefix=queue.route`],
    [`python3 -c 'print(requests.get("http://s/api/settings/list?prefix=queue.route").text)'`],
    [`curl -H "Authorization: Bearer $T" -o "$OUT" -d '[["server.hostname","a"]]' http://s/api/settings`],
    [`curl --user="$U:$P" -d '[["server.hostname","a"]]' "$BASE/api/settings"`],
    [`curl -d '${OLD}' http://other/api/things`],
    [`curl -d "$B" https://example.org/hook`],
    [`node -e 'console.log("${OTHER_PLAN.replaceAll('"', "")}")'`],
    [`http http://s/api/settings/list?prefix=queue.route`],
    [`curl -d '[["server.hostname","a"]]' http://s/api/settings`, { stdin: OLD }],
  ])("that sets no route: $create", ({ create, more }) => isSilent([create, more]));

  each([
    [`curl -d @body.json http://s/api/settings`],
    [`curl -d "$BODY" http://s/api/settings`],
    [`curl -d '${OLD}' "$URL"`],
    [`curl -X DELETE "http://s/api/settings/$KEY"`],
    [`http POST http://s/jmap < body.json`],
    [`wget --post-file=- http://s/jmap < body.json`],
    [`python3 -c 'import requests,sys; requests.post("http://s/jmap", data=open("b").read())'`],
  ])("that cannot be read: $create", ({ create, more }) => isNotJudged([create, more]));
});

describe("Stalwart starts anew", () => {
  const WRITE = "stalwart-cli create MtaRoute";
  test.each([
    "docker restart stalwart",
    "docker container restart -t 30 stalwart",
    "docker --context kvm restart mail",
    "docker stop stalwart && docker start stalwart",
    "docker kill stalwart; docker start stalwart",
    "docker kill -s TERM stalwart; docker start stalwart",
    "docker rm -f stalwart; docker run -d --name stalwart stalwartlabs/stalwart",
    "docker rm -f stalwart; docker run -d --name=stalwart --restart always image",
    "docker rm -f stalwart; docker run -d stalwartlabs/stalwart",
    "docker restart $(docker ps -q -f name=stalwart)",
    "docker restart $(docker ps -q --filter=name=^stalwart$)",
    "docker compose ps -q stalwart | xargs docker restart",
    "docker ps -q | xargs docker restart",
    "docker restart caddy stalwart",
    "for c in caddy stalwart; do docker restart $c; done",
    "docker service update --force mail_stalwart",
    "docker compose restart",
    "docker compose -f /srv/compose.yaml -p mail restart stalwart",
    "docker-compose restart stalwart",
    "docker compose up -d --force-recreate stalwart",
    "docker compose down && docker compose up -d",
    "docker compose stop stalwart; docker compose start stalwart",
    "docker compose rm -sf stalwart; docker compose up -d stalwart",
    "docker compose kill stalwart; docker compose up -d",
    "podman restart stalwart",
    "podman pod restart mail",
    "podman-compose restart stalwart",
    "nerdctl restart stalwart",
    "nerdctl compose restart stalwart",
    "systemctl restart stalwart",
    "systemctl --user try-restart stalwart.service",
    "systemctl condrestart stalwart",
    "systemctl stop stalwart; systemctl start stalwart",
    "service stalwart restart",
    "service stalwart condrestart",
    "service stalwart stop; service stalwart start",
    "rc-service stalwart restart",
    "sv restart stalwart",
    "supervisorctl restart stalwart",
    "/etc/init.d/stalwart restart",
    "kubectl rollout restart deployment/stalwart -n mail",
    "kubectl -n mail rollout restart statefulset stalwart",
    "kubectl delete pod -l app=stalwart",
    "kubectl delete pod stalwart-0",
    "kubectl scale --replicas=0 deploy/stalwart; kubectl scale --replicas=1 deploy/stalwart",
    "curl --unix-socket /var/run/docker.sock -X POST http://x/containers/stalwart/restart",
    "reboot",
    "shutdown -r now",
    "ssh kvm 'sudo systemctl restart stalwart'",
    "restart() { docker restart stalwart; }; restart",
    `python3 -c 'subprocess.run(["docker", "restart", "stalwart"])'`,
    `node -e 'execSync("systemctl restart stalwart")'`,
    "if docker ps; then docker restart stalwart; fi",
  ])("by %s", async (restart) => {
    expect(await outcome([`${WRITE}\n${restart}`])).toEqual(PASSED);
    expect((await outcome([`${restart}\n${WRITE}`])).violations).toHaveLength(1);
  });

  test.each([
    "docker kill -s HUP stalwart",
    "docker kill --signal=SIGHUP stalwart; docker start stalwart",
    "docker start stalwart",
    "docker stop stalwart",
    "docker exec stalwart kill -HUP 1",
    "docker ps; docker inspect restart",
    "docker compose up -d",
    "docker compose up -d --build stalwart",
    "docker compose pull stalwart",
    "docker compose kill -s HUP stalwart; docker compose up -d",
    "docker run --restart always other",
    "docker service update mail_stalwart",
    "docker service ls",
    "systemctl reload stalwart",
    "systemctl start stalwart",
    "systemctl status stalwart",
    "systemctl enable restart",
    "service stalwart reload",
    "/etc/init.d/stalwart status",
    "kubectl rollout status deployment/stalwart",
    "kubectl delete configmap stalwart",
    "kubectl get pods",
    "kubectl scale --replicas=2 deploy/stalwart",
    "shutdown -h now",
    "curl http://x/containers/stalwart/json",
    "echo docker restart stalwart",
    "cat <<E\ndocker restart stalwart\nE",
    "restart() { docker restart stalwart; }",
    // Another's.
    "docker restart caddy",
    "docker stop caddy; docker start caddy",
    "systemctl restart postgresql",
    "docker compose restart traefik",
    "docker compose up -d --force-recreate caddy",
    "kubectl rollout restart deploy/roundcube",
    "kubectl delete pod -l app=redis",
    "service nginx restart",
    "curl --unix-socket /var/run/docker.sock -X POST http://x/containers/caddy/restart",
    "docker compose ps -q caddy | xargs docker restart",
    "docker rm -f stalwart; docker run -d --name caddy caddy",
    "docker stop stalwart; docker logs stalwart",
    "docker start stalwart; docker stop stalwart",
    "kubectl delete pod redis-0",
    "kubectl delete pod --selector=app=redis",
    "docker restart $(docker ps -qf name=caddy)",
  ])("not by %s", async (restart) => {
    expect(await outcome([`${WRITE}\n${restart}`])).toEqual({
      violations: [expect.stringContaining("create writes routes")],
      notJudged: [],
    });
  });

  test.each([
    'docker restart "$NAME"',
    "systemctl reload-or-restart stalwart",
    "docker restart $(cat /run/name)",
    "./restart.sh",
    "make restart",
    "bash /srv/restart-mail",
    "$RESTART",
    "ssh kvm < restart.sh",
    "sudo /opt/restart-mail",
    "python3 restart.py",
    "pwsh -File restart.ps1",
  ])("perhaps by %s", async (restart) => {
    expect(await outcome([`${WRITE}\n${restart}`])).toEqual({ violations: [], notJudged: [UNREAD] });
  });

  const server = container("mail", "docker.io/stalwartlabs/stalwart:v0.16");
  const other = container("app", "docker.io/example/app");
  test.each([
    ["mail", 0],
    ["app", 1],
    ["app mail", 0],
  ])("by the names of the stack's containers: %s", async (name, count) => {
    const { violations } = await outcome([`${WRITE}; docker restart ${name}`], server, other);
    expect(violations).toHaveLength(count);
  });

  test("where something that is no container has the name", async () => {
    const service = { ...other, type: "docker:index/service:Service", name: "service" };
    expect(await outcome([`${WRITE}; docker restart app`], server, service)).toEqual(PASSED);
  });

  test("by the server's name, whatever other program has that name", async () => {
    const named = container("postfix", "stalwartlabs/stalwart");
    expect(await outcome([`${WRITE}; docker restart postfix`], named)).toEqual(PASSED);
  });
});

describe("a script that cannot be followed to its end ends no preview:", () => {
  test.each([
    ["a long text in quotes", `echo "${"QUJD".repeat(60_000)}" | base64 -d > /srv/logo.png`],
    ["brackets that are never closed", "$(".repeat(20_000)],
    ["lists that are never closed", "a=(".repeat(20_000)],
    ["a variable that doubles", `a=xxxx\n${'a="$a$a"\n'.repeat(40)}echo $a`],
  ])("%s", async (_, create) => {
    expect(await outcome([create])).toEqual(SILENT);
  });

  test("and is listed where it may set a route", async () => {
    const create = `${"$(".repeat(20_000)}stalwart-cli apply MtaRoute`;
    expect((await outcome([create])).notJudged).toHaveLength(1);
  });
});

describe("a restart of its own runs for the same change", () => {
  const sum = (kind: string, form: "hex" | "base64", text = PLAN): string =>
    createHash(kind).update(text).digest(form);
  const restart = (triggers: unknown): TestResource => ({
    ...command("docker restart stalwart", { triggers }),
    name: "restart",
  });
  const APPLIES: Row = ["stalwart-cli apply --stdin", { stdin: PLAN, triggers: ["1"] }];

  test.each([
    ["the plan among other texts", ["2", `v1 ${PLAN}`]],
    ["a list of commands that has it", [["set -e", PLAN]]],
    ["an object that has it", [{ plan: PLAN }]],
    ["the plan within JSON", [JSON.stringify({ plan: PLAN })]],
    ["its sha256", [sum("sha256", "hex")]],
    ["its sha256 in base64", [sum("sha256", "base64")]],
    ["its sha1 behind a name", [`plan-${sum("sha1", "hex")}`]],
    ["its md5", [sum("md5", "hex")]],
  ])("where its triggers hold %s", async (_, triggers) => {
    expect(await outcome(APPLIES, restart(triggers))).toEqual(PASSED);
  });

  test.each([
    ["a counter", ["1"]],
    ["the command line, which does not change with the plan", [APPLIES[0]]],
    ["another plan's checksum", [sum("sha256", "hex", OTHER_PLAN)]],
    ["a part of the plan", [PLAN.slice(0, 20)]],
    ["nothing", []],
  ])("and does not where they hold %s", async (_, triggers) => {
    expect((await outcome(APPLIES, restart(triggers))).violations).toHaveLength(1);
  });
});
