// Take the portal's webhooks with Node alone. See docs/integrate.md.
//
//     WEBHOOK_SECRET=whsec_… node examples/webhook_receiver.mjs 9000
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const key = Buffer.from(process.env.WEBHOOK_SECRET.replace(/^whsec_/, ""), "base64");
const TOLERANCE = 300; // seconds
const seen = new Set(); // a table with a unique column in your system

export function verify(headers, body) {
  const id = headers["webhook-id"];
  const timestamp = headers["webhook-timestamp"];
  if (!id || !(Math.abs(Date.now() / 1000 - Number(timestamp)) <= TOLERANCE)) return false;
  const expected = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest();
  // Two signatures stand here while a secret is changed.
  return (headers["webhook-signature"] ?? "").split(" ").some((part) => {
    const [version, signature] = part.split(",");
    const given = Buffer.from(signature ?? "", "base64");
    return version === "v1" && given.length === expected.length && timingSafeEqual(given, expected);
  });
}

function handle(event) {
  const connection = event.data.connection ?? {};
  console.log(event.type, connection.salon_id ?? "", connection.state ?? "");
}

createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    const body = Buffer.concat(parts);
    if (!verify(request.headers, body)) return response.writeHead(401).end();
    const id = request.headers["webhook-id"];
    if (!seen.has(id)) {
      handle(JSON.parse(body));
      seen.add(id);
    }
    response.writeHead(200).end();
  });
}).listen(Number(process.argv[2]), "127.0.0.1");
