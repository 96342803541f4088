#!/usr/bin/env node
// A policy pack that reads nothing and says nothing: what the engine takes to ask any pack, and
// gRPC to carry it. The bench compares ours with it. Without the policy SDK, whose own work would
// otherwise be counted as the engine's.
import { createRequire } from "node:module";

const sdk = createRequire(createRequire(import.meta.url).resolve("@pulumi/pulumi/package.json"));
const { Server, ServerCredentials } = sdk("@grpc/grpc-js");
const { AnalyzerService } = sdk("./proto/analyzer_grpc_pb.js");
const messages = sdk("./proto/analyzer_pb.js");
const { PluginInfo } = sdk("./proto/plugin_pb.js");
const { Empty } = sdk("google-protobuf/google/protobuf/empty_pb.js");

const info = new messages.AnalyzerInfo();
info.setName("silent");
info.setVersion("1.0.0");
const answers = {
  getAnalyzerInfo: info,
  getPluginInfo: new PluginInfo(),
  handshake: new messages.AnalyzerHandshakeResponse(),
  configure: new Empty(),
  configureStack: new messages.AnalyzerStackConfigureResponse(),
  remediate: new messages.RemediateResponse(),
  analyze: new messages.AnalyzeResponse(),
  analyzeStack: new messages.AnalyzeResponse(),
  cancel: new Empty(),
};
const unread = Object.entries(AnalyzerService).map(([name, method]) => [
  name,
  { ...method, requestDeserialize: () => ({}) },
]);
const methods = Object.entries(answers).map(([name, answer]) => [
  name,
  (/** @type {unknown} */ _call, /** @type {(error: null, answer: object) => void} */ callback) =>
    callback(null, answer),
]);

const server = new Server({ "grpc.max_receive_message_length": -1 });
server.addService(Object.fromEntries(unread), Object.fromEntries(methods));
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.stdout.write(`${port}\n`);
});
