// The one list of every program that tailwart runs and every version of it. See tools/README.md.
//
// A piece is looked for in this order: on PATH where `path` allows it; the official download; a
// build from pinned sources. `group` says who needs it: `engine` = whoever previews or deploys,
// `lab` = the lab alone, `server` = a lab that is given no other image of Stalwart, `full` =
// test:full alone.

/** The Pulumi SDKs of package.json name these versions; the plugins have to be the same. */
const plugins = { docker: "5.2.0", random: "4.21.2", command: "1.2.1", tailscale: "0.29.1" };

const pulumi = "3.259.0";
const tailscale = "1.102.5";
const headscale = "0.29.3";
const busybox = "1.37.0";

/** Node's and Go's names for this machine's processor. */
const cpu = { x64: { node: "x64", go: "amd64" }, arm64: { node: "arm64", go: "arm64" } }[process.arch];
const os = process.platform;
const nodeCpu = cpu?.node ?? process.arch;
const goCpu = cpu?.go ?? process.arch;

/**
 * A provider plugin: Pulumi itself downloads the official one, or installs the one built here.
 * @param {keyof typeof plugins} name
 * @param {string} module folder below tools/go
 * @param {string[]} [tags] Go build tags
 */
function plugin(name, module, tags = []) {
  const version = plugins[name];
  const file = `pulumi-resource-${name}`;
  return {
    name: file,
    version,
    group: "engine",
    plugin: name,
    programs: [file],
    // get.pulumi.com is only asked whether it can be reached; the download is Pulumi's own.
    download: { plugin: name, host: "https://get.pulumi.com" },
    build: [{ go: module, package: `./${name}`, out: file, tags, set: { "main.version": version } }],
  };
}

/** @type {import("./ensure.d.mts").Piece[]} */
export const pieces = [
  {
    // The language host runs `node` from PATH; @pulumi/pulumi >= 3.237 and vitest 5 want 22, and
    // the program's .ts files are run as they are, which Node does by default from 22.18 on.
    name: "node",
    version: "24.21.0",
    group: "engine",
    programs: ["node"],
    path: { args: ["--version"], atLeast: "22.18.0" },
    download: {
      url: `https://nodejs.org/dist/v24.21.0/node-v24.21.0-${os}-${nodeCpu}.tar.gz`,
      sums: "https://nodejs.org/dist/v24.21.0/SHASUMS256.txt",
      take: { node: `node-v24.21.0-${os}-${nodeCpu}/bin/node` },
    },
    // The npm package holds the binary and nothing else; npm checks its integrity.
    build: [{ npm: `node-${os}-${nodeCpu}@24.21.0`, take: { node: "bin/node" } }],
  },
  {
    // >= 3.255: an executable file as policy pack (pulumi#24052). Built from modules, the CLI needs
    // its language host as a second build, put beside it: the engine looks there first, and
    // anywhere else it prints "using pulumi-language-nodejs from $PATH" at every run.
    name: "pulumi",
    version: pulumi,
    group: "engine",
    programs: ["pulumi", "pulumi-language-nodejs"],
    path: { args: ["version"], atLeast: "3.255.0", beside: ["pulumi-language-nodejs"] },
    download: {
      url: `https://get.pulumi.com/releases/sdk/pulumi-v${pulumi}-${os}-${nodeCpu}.tar.gz`,
      sums: `https://github.com/pulumi/pulumi/releases/download/v${pulumi}/pulumi-${pulumi}-checksums.txt`,
      take: { pulumi: "pulumi/pulumi", "pulumi-language-nodejs": "pulumi/pulumi-language-nodejs" },
    },
    build: [
      {
        go: "pulumi",
        package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
        out: "pulumi",
        set: { "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": `v${pulumi}` },
      },
      {
        // The last sdk module that holds the host is 3.68; it runs programs of @pulumi/pulumi
        // 3.270.
        go: "langhost",
        package: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
        out: "pulumi-language-nodejs",
      },
    ],
  },
  // compose is heavy, and @pulumi/docker has no such resource
  plugin("docker", "bridges", ["no_compose"]),
  plugin("random", "bridges"),
  plugin("command", "providers"),
  plugin("tailscale", "providers"),

  // Of the lab's pieces none is taken from PATH: they are copied into images, where a
  // distribution's dynamically linked program would not start, and the lab speaks to exactly these
  // versions.
  {
    name: "tailscale",
    version: tailscale, // 1.104 needs Go 1.27
    group: "lab",
    programs: ["tailscaled", "tailscale"],
    download: {
      url: `https://pkgs.tailscale.com/stable/tailscale_${tailscale}_${goCpu}.tgz`,
      sum: `https://pkgs.tailscale.com/stable/tailscale_${tailscale}_${goCpu}.tgz.sha256`,
      take: {
        tailscaled: `tailscale_${tailscale}_${goCpu}/tailscaled`,
        tailscale: `tailscale_${tailscale}_${goCpu}/tailscale`,
      },
    },
    build: [
      { go: "tailnet", package: "tailscale.com/cmd/tailscaled", out: "tailscaled" },
      { go: "tailnet", package: "tailscale.com/cmd/tailscale", out: "tailscale" },
    ],
  },
  {
    // The entrypoint of the image tailscale/tailscale; it is published in that image only.
    name: "containerboot",
    version: tailscale,
    group: "lab",
    programs: ["containerboot"],
    build: [{ go: "tailnet", package: "tailscale.com/cmd/containerboot", out: "containerboot" }],
  },
  {
    // 0.29 is the first with grants; 0.30 changes the API under the lab's adapter. Always built:
    // the lab needs the small change of go/headscale/edits.json, which says why.
    name: "headscale",
    version: headscale,
    group: "lab",
    programs: ["headscale"],
    build: [
      {
        go: "headscale",
        package: "github.com/juanfont/headscale/cmd/headscale",
        out: "headscale",
      },
    ],
  },
  {
    // Caddy 2.11.9 with caddy-l4 0.1.2. There is no official build with layer4, so there is nothing
    // to download.
    name: "caddy",
    version: "2.11.9",
    group: "lab",
    programs: ["caddy"],
    build: [{ go: "caddy", package: ".", out: "caddy" }],
  },
  {
    // The userland of the images that stand on Alpine, in Alpine 3.22's version, and its getent.
    name: "busybox",
    version: busybox,
    group: "lab",
    programs: ["busybox", "getent"],
    build: [{ busybox: "busybox", suite: "trixie", version: busybox }],
  },
  {
    // The lab's mail server: the 0.15 line as the crate stalwart-lite; the official one is an
    // image.
    name: "stalwart",
    version: "0.16.0",
    group: "server",
    programs: ["stalwart"],
    build: [{ cargo: "stalwart", out: "stalwart" }],
  },
  {
    // An S3 service over a folder: what Stalwart's blob store is tried on.
    name: "versitygw",
    version: "1.8.0",
    group: "full",
    programs: ["versitygw"],
    build: [{ go: "s3", package: "github.com/versity/versitygw/cmd/versitygw", out: "versitygw" }],
  },
];

/** Go and Rust as far as builds need them. */
export const compilers = {
  go: { atLeast: "1.26.0", get: "https://go.dev/dl/" },
  cargo: { atLeast: "1.88.0", get: "https://rustup.rs/" },
};

/** Debian packages by what needs them; `ensureDebianPackages` installs what is missing. */
export const debian = {
  /**
   * The crate stalwart-lite: bindgen loads libclang and calls clang; bundled C libraries are built
   * with cmake.
   */
  stalwart: ["clang", "libclang-dev", "cmake", "make", "pkg-config"],
  /** BusyBox for the lab's images. */
  busybox: ["musl-tools", "gcc", "make", "libc6-dev", "bzip2"],
  /** Reads images that are given to the lab, out of archives and registries. */
  givenImages: ["skopeo"],
  lab: [
    // the operator's docker command; the Docker hosts have their own (lab/host-root.ts)
    "docker.io",
    "openssh-client", // by which she reaches them
    "tini", // process 1 of each machine of the lab
    "debootstrap", // what Stalwart's image and the Docker hosts stand on
    "libcap2-bin", // file capabilities of the lab's images
    "docker-registry", // serves them by digest
    "postgresql", // the data store on tag:db
    "postfix", // the smarthost
    "knot", // names for the public hosts; takes the records of DNS-01 over RFC 2136
    "opendkim", // a receiver that judges signatures
    "opendmarc", // and SPF, and DMARC
    "libmail-dkim-perl", // another, which knows no ed25519
    "libsendmail-pmilter-perl", // by which Postfix asks that one
    "dbconfig-no-thanks", // opendmarc's choice that needs no database's client
    "pebble", // the ACME server
    "unbound", // names for the tests of policies
    "iproute2", // network namespaces, veth, bridge, ss; in the sidecar's image as well
    "iptables", // the KVM's blocked ports; dockerd's own rules; in the sidecar's image as well
    "netcat-openbsd", // nc -z
    "util-linux", // nsenter, unshare
    "procps", // ps, sysctl
    "openssl", // s_client: whose certificate does a client see
    "curl", // APIs over unix sockets
    "ca-certificates",
  ],
  full: [
    "redis-server", // what Stalwart's in-memory store is tried on
  ],
};
