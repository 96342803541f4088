// The smarthost takes mail as the config says: TLS and login, and not only a port.
import { wordsOf } from "../../lib/errors.ts";
import { type Check, fail, lesson, ok, skip } from "../check.ts";
import { covers, shownBy } from "../doctor/certificate.ts";
import { dialFrom } from "../dial.ts";
import { Dialogue, handshake } from "../dialogue.ts";
import type { DoctorScene } from "../doctor/target.ts";

/** EHLO, TLS and login at the relay, from Stalwart's namespace. No message is handed in. */
export const relaySmtp: Check<DoctorScene> = {
  id: "relay-smtp",
  from: "namespace",
  needs: ["relay", "stalwart-runs"],
  lesson: lesson(10),
  async look(scene) {
    const { settings, kvm } = scene.target;
    const route = settings.relays.find(({ name }) => name === settings.outbound.route);
    if (route === undefined) return skip("mail goes out without a relay");
    const { host, port, tls, auth } = route;
    const stream = dialFrom(kvm.dockerHost, kvm.sidecar, host, port);
    stream.on("error", () => undefined);
    const at = `${host}:${port}`;
    const seen: string[] = [];
    try {
      const secure = tls === "implicit" ? await handshake(stream, host) : undefined;
      const talk = new Dialogue(secure ?? stream);
      const greeting = await talk.answer();
      if (!greeting.startsWith("220")) return fail(`the relay ${at} greets with: ${greeting}`);
      const hello = `EHLO ${settings.hostname}`;
      let offers = await talk.ask(hello);
      let shown = secure && shownBy(secure);
      if (!secure && /STARTTLS/i.test(offers)) {
        await talk.ask("STARTTLS");
        shown = shownBy(await talk.encrypt(host));
        offers = await talk.ask(hello);
      } else if (!secure && tls === "starttls")
        return fail(`the relay ${at} offers no STARTTLS, which tailwart:relay.tls asks for`);
      if (shown) seen.push("TLS");
      if (shown && tls !== "tailnet" && !covers(shown.names, host))
        return fail(`the relay's certificate is for ${shown.names.join(", ")}, and not for ${host}`);
      if (shown && shown.until < new Date())
        return tls === "tailnet"
          ? ok(`relay ${at}: TLS, whose certificate has ended; nobody asks on the tailnet`)
          : fail(`the relay's certificate has ended on ${shown.until.toISOString().slice(0, 10)}`);
      if (shown && tls !== "tailnet" && shown.distrust !== "")
        return fail(`the relay's certificate, by ${shown.issuer}, is not trusted: ${shown.distrust}`);
      if (auth !== undefined) {
        if (!/^250[ -]AUTH.*\bPLAIN\b/im.test(offers))
          return fail(`the relay ${at} offers no AUTH PLAIN, and tailwart:relay.username names a login`);
        const password = await scene.secret(auth.secretFile);
        const login = Buffer.from(`\0${auth.username}\0${password}`).toString("base64");
        const answer = await talk.ask(`AUTH PLAIN ${login}`);
        if (!answer.startsWith("235"))
          return fail(`the relay refuses the login of ${auth.username}: ${answer}`, {
            advice: "is it the right one? Mail that goes out waits in the queue until then",
            fix: "pulumi config set --secret tailwart:relayPassword",
          });
        seen.push(`login as ${auth.username}`);
      }
      await talk.leave("QUIT");
      return ok(`relay ${at} takes mail: ${[greeting.split("\n")[0], ...seen].join(", ")}`);
    } catch (error) {
      return fail(`the relay ${at} is open and does not talk SMTP: ${wordsOf(error)}`, {
        fix: `docker --host ${kvm.dockerHost} exec ${kvm.sidecar} nc -w 5 ${host} ${port}`,
      });
    } finally {
      stream.destroy();
    }
  },
};
