// Let owners in from the portal: check the token of a hand-over, once. See docs/handover.md.
//
//     PORTAL_URL=https://portal.example.com APPLICATION_ID=77 node examples/handover/cabinet.mjs 9100
//
// Needs Node 20 and no package.
import { createPublicKey, verify } from "node:crypto";
import { createServer } from "node:http";

const PORTAL_URL = process.env.PORTAL_URL;
const AUDIENCE = `altegio:${process.env.APPLICATION_ID}`;
const KEPT_FOR = 600_000;
const LEEWAY = 10;
let keys = new Map();
let readAt = -Infinity;
// A table with a unique column in your system; a row may go after two minutes.
const used = new Set();

// The portal's key of this name. A name that is not known is looked for anew, at most once in ten seconds.
async function keyNamed(kid) {
  const age = Date.now() - readAt;
  if (age > KEPT_FOR || (!keys.has(kid) && age > 10_000)) {
    const answer = await fetch(`${PORTAL_URL}/.well-known/jwks.json`, { signal: AbortSignal.timeout(10_000) });
    if (!answer.ok) throw new Error("The portal shows no keys.");
    const { keys: list } = await answer.json();
    keys = new Map(list.map((jwk) => [jwk.kid, createPublicKey({ key: jwk, format: "jwk" })]));
    readAt = Date.now();
  }
  if (!keys.has(kid)) throw new Error("The token is signed with no key of the portal's.");
  return keys.get(kid);
}

const parse = (part) => JSON.parse(Buffer.from(part, "base64url").toString());

// Whom the portal hands over. Throws for any token but a fresh one of the portal's, seen once.
async function ownerOf(token) {
  const [head, body, signature, ...rest] = token.split(".");
  if (!signature || rest.length) throw new Error("This is no token.");
  const { alg, kid } = parse(head);
  if (alg !== "ES256") throw new Error("The token is signed in another way.");
  const key = { key: await keyNamed(kid), dsaEncoding: "ieee-p1363" };
  if (!verify("sha256", Buffer.from(`${head}.${body}`), key, Buffer.from(signature, "base64url"))) {
    throw new Error("The signature is wrong.");
  }
  const claims = parse(body);
  const now = Date.now() / 1000;
  if (claims.iss !== PORTAL_URL || claims.aud !== AUDIENCE) throw new Error("The token is for somebody else.");
  if (!(claims.exp > now - LEEWAY) || !(claims.iat < now + LEEWAY)) throw new Error("The token is too old.");
  if (!claims.jti || used.has(claims.jti)) throw new Error("This token was used before.");
  used.add(claims.jti);
  return claims;
}

const escaped = (text) => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

// `/open?token=…` is the application's `handover_url`.
const server = createServer(async (request, response) => {
  response.setHeader("Content-Type", "text/html; charset=utf-8");
  response.setHeader("Cache-Control", "no-store");
  try {
    const owner = await ownerOf(new URL(request.url, "http://cabinet").searchParams.get("token") ?? "");
    // Here: open a session, and redirect, so that the token is gone from the address.
    const text = `Good day, ${owner.name}: customer ${owner.external_id}, location ${owner.salon_id}.`;
    response.writeHead(200).end(escaped(text));
  } catch (reason) {
    response.writeHead(403).end(escaped(`Open this page from the portal again. (${reason.message})`));
  }
});
server.listen(Number(process.argv[2]), "127.0.0.1");
