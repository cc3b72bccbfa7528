// Loaded into every Node program under `qlik-sandbox exec`, by NODE_OPTIONS: all TLS goes through the sandbox's proxy, and a
// plain connection to another machine is refused. Node before 24 reads no proxy variable by itself.
"use strict";
const net = require("node:net");
const tls = require("node:tls");
const { Duplex } = require("node:stream");
const { syncBuiltinESMExports } = require("node:module");

const proxy = new URL("PROXY");
const here = (host) => !host || host === "localhost" || host === "::1" || /^(\[::1\]|127\.)/.test(host);
const connectPlain = net.connect;
const connectTls = tls.connect;

// A socket to `authority` through the proxy. What is written before the tunnel stands waits.
class Tunnel extends Duplex {
  constructor(authority) {
    super();
    this.waiting = null;
    this.open = false;
    this.inner = connectPlain(Number(proxy.port), proxy.hostname);
    this.inner.on("error", (error) => this.destroy(error));
    this.inner.on("connect", () => {
      this.inner.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
    });
    let head = Buffer.alloc(0);
    const answer = (bytes) => {
      head = Buffer.concat([head, bytes]);
      const end = head.indexOf("\r\n\r\n");
      if (end < 0) return;
      this.inner.off("data", answer);
      const status = head.toString("latin1", 9, 12);
      if (status !== "200") {
        this.destroy(new Error(`the sandbox holds this program inside: it refused ${authority} with ${status}`));
        return;
      }
      this.open = true;
      const rest = head.subarray(end + 4);
      if (rest.length > 0) this.push(rest);
      this.inner.on("data", (more) => {
        if (!this.push(more)) this.inner.pause();
      });
      this.inner.on("end", () => this.push(null));
      if (this.waiting) this.waiting();
    };
    this.inner.on("data", answer);
  }

  _read() {
    if (this.open) this.inner.resume();
  }

  _write(chunk, encoding, done) {
    if (this.open) this.inner.write(chunk, encoding, done);
    else this.waiting = () => this.inner.write(chunk, encoding, done);
  }

  _final(done) {
    this.inner.end(done);
  }

  _destroy(error, done) {
    this.inner.destroy();
    done(error);
  }

  setTimeout() { return this; }
  setNoDelay() { return this; }
  setKeepAlive() { return this; }
  ref() { this.inner.ref(); return this; }
  unref() { this.inner.unref(); return this; }
}

// The forms of both `connect`s: (options), (port, host, options), each with a listener behind.
function read(given) {
  const listener = typeof given.at(-1) === "function" ? given.at(-1) : undefined;
  const rest = listener ? given.slice(0, -1) : given;
  const options = {};
  if (typeof rest[0] === "object" && rest[0] !== null) Object.assign(options, rest[0]);
  else {
    options.port = rest[0];
    if (typeof rest[1] === "string") options.host = rest[1];
    for (const more of rest.slice(1)) if (typeof more === "object" && more !== null) Object.assign(options, more);
  }
  return { options, listener };
}

tls.connect = function connect(...given) {
  const { options, listener } = read(given);
  const host = options.host ?? options.servername;
  if (options.socket || options.path || here(host)) return connectTls.apply(this, given);
  const socket = new Tunnel(`${host}:${options.port ?? 443}`);
  const servername = options.servername || (net.isIP(host) ? "" : host);
  return connectTls.call(this, { ...options, socket, servername }, listener);
};

function plain(...given) {
  const { options, listener } = read(given);
  if (options.path || here(options.host)) return connectPlain.apply(this, given);
  const socket = new net.Socket();
  if (listener) socket.once("connect", listener);
  process.nextTick(() => {
    socket.destroy(new Error(`the sandbox holds this program inside: no plain connection to ${options.host}`));
  });
  return socket;
}
net.connect = plain;
net.createConnection = plain;
syncBuiltinESMExports();
