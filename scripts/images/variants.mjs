// What is in which image. Plain values; scripts/images/root-tree.mjs makes folders of them.

/** Node.js is released for these; Debian's libraries are those of its older stable release, so that few kernels are too old for them. */
const released = { release: 'bookworm', licences: ['gcc-12-base'], node: 'released' };

/** For each platform its name in Debian and of its libraries, where programs look for their loader, and whose Node.js it has. */
export const platforms = {
  'linux/amd64': { ...released, debian: 'amd64', triplet: 'x86_64-linux-gnu', loader: 'lib64/ld-linux-x86-64.so.2', oci: { os: 'linux', architecture: 'amd64' } },
  'linux/arm64': { ...released, debian: 'arm64', triplet: 'aarch64-linux-gnu', loader: 'lib/ld-linux-aarch64.so.1', oci: { os: 'linux', architecture: 'arm64', variant: 'v8' } },
  // Of 32 bits only Debian still makes one of version 20; its libraries come along.
  'linux/arm/v7': { release: 'trixie', licences: ['gcc-14-base'], node: 'debian', debian: 'armhf', triplet: 'arm-linux-gnueabihf', loader: 'lib/ld-linux-armhf.so.3', oci: { os: 'linux', architecture: 'arm', variant: 'v7' } },
};

/** Packages, and what is taken of them: libraries by the name they are looked for, programs by their path, scripts by theirs. */
export const systemPackages = {
  libc6: { libraries: ['libc.so.6', 'libm.so.6', 'libdl.so.2', 'libpthread.so.0', 'librt.so.1'] },
  'libgcc-s1': { libraries: ['libgcc_s.so.1'] },
  'libstdc++6': { libraries: ['libstdc++.so.6'] },
  dash: { programs: { 'bin/dash': 'usr/bin/sh' } },
};
/** Debian's Node.js: a program that is a library, the libraries it links to, and the parts of its JavaScript that Debian packages apart. */
export const debianNodePackages = {
  nodejs: { programs: { 'usr/bin/node': 'usr/lib/mqlet/runtime/bin/node' } },
  libnode115: { libraries: ['libnode.so.115'] },
  libicu76: { libraries: ['libicudata.so.76', 'libicui18n.so.76', 'libicuuc.so.76'] },
  libbrotli1: { libraries: ['libbrotlicommon.so.1', 'libbrotlidec.so.1', 'libbrotlienc.so.1'] },
  libcares2: { libraries: ['libcares.so.2'] },
  'libnghttp2-14': { libraries: ['libnghttp2.so.14'] },
  libssl3t64: { libraries: ['libcrypto.so.3', 'libssl.so.3'] },
  libuv1t64: { libraries: ['libuv.so.1'] },
  zlib1g: { libraries: ['libz.so.1'] },
  libzstd1: { libraries: ['libzstd.so.1'] },
  'node-acorn': { scripts: ['acorn/dist/acorn.js', 'acorn-walk/dist/walk.js'] },
  'node-cjs-module-lexer': { scripts: ['cjs-module-lexer/lexer.js', 'cjs-module-lexer/dist/lexer.js'] },
  'node-minimatch': { scripts: ['minimatch/dist/cjs/index.bundle.js'] },
  'node-undici': { scripts: ['undici/undici-fetch.js'] },
};
/** The agent mounts volumes with these. */
export const mountPackages = {
  mount: { programs: { 'bin/mount': 'usr/bin/mount', 'bin/umount': 'usr/bin/umount' } },
  libmount1: { libraries: ['libmount.so.1'] },
  libblkid1: { libraries: ['libblkid.so.1'] },
  libselinux1: { libraries: ['libselinux.so.1'] },
  'libpcre2-8-0': { libraries: ['libpcre2-8.so.0'] },
};
export const cniPackage = 'containernetworking-plugins';

/** Commands that come with the agent, beside those that are in cli.cjs itself: bundles of dist/. */
const agentCommands = ['config-describe-settings', 'cli-dry-run', 'cli-doctor', 'cli-join', 'cli-deploy-reset', 'cli-deploy-cni'];

/**
 * `plugins`: CNI plugins, packed, which the entry point puts where the host's runtime looks for them; `all` or their names.
 * `entries`: bundles that are taken with all they load; `commands`: those taken of what cli.cjs could load.
 */
export const variants = {
  '': { title: 'mqlet, the node agent', entries: ['agent'], commands: agentCommands, mounts: true, run: ['run', '--config', '/etc/mqlet/config.yaml'] },
  cni: { title: 'mqlet, the node agent, with CNI plugins', entries: ['agent'], commands: agentCommands, mounts: true, plugins: 'all', run: ['run', '--config', '/etc/mqlet/config.yaml'] },
  // flannel brings its own plugin, which calls these.
  flannel: { title: 'mqlet, the node agent, with the CNI plugins that flannel calls', entries: ['agent'], commands: agentCommands, mounts: true, plugins: ['bridge', 'host-local', 'loopback', 'portmap'], run: ['run', '--config', '/etc/mqlet/config.yaml'] },
  bridge: { title: 'mqlet, the cloud side', entries: [], commands: ['config-describe-settings', 'cli-bridge', 'cli-bridge-site', 'cli-bridge-tokens'], mounts: false, run: ['bridge'] },
};
