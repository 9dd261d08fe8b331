// An OpenID Provider (oidc-provider, a certified implementation) for the console: `provider.mjs REDIRECT_URI POST_LOGOUT_URI`. It listens
// on a free port of 127.0.0.1, calls itself `localhost`, so that it is another site than the console, and prints one line of JSON with its
// issuer. Signing in takes a name of `people` and any password. `POST /test/rotate` makes it sign with another key, `POST /test/fail` makes
// its token endpoint fail from then on. It ends with its standard input.
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import * as oidc from "oidc-provider";

// What reads the one line on the standard output reads no other, and a line that cannot be written would end this process.
console.info = console.warn = console.error;

const [redirect_uri, post_logout_redirect_uri] = process.argv.slice(2);
const people = {
  pat: { name: "Pat", groups: ["dba"], email: "pat@example.com", email_verified: true },
  lin: { name: "Lin", email: "lin@example.com", email_verified: false },
};
const key = (kid, type, options, alg) => ({
  ...generateKeyPairSync(type, options).privateKey.export({ format: "jwk" }),
  kid,
  alg,
  use: "sig",
});
const keys = [key("ec", "ec", { namedCurve: "P-256" }, "ES256"), key("rsa", "rsa", { modulusLength: 2048 }, "RS256")];

const provider = (issuer, jwks, alg) =>
  new oidc.Provider(issuer, {
    clients: [
      {
        client_id: "offboard",
        client_secret: "demo-secret",
        redirect_uris: [redirect_uri],
        post_logout_redirect_uris: [post_logout_redirect_uri],
        id_token_signed_response_alg: alg,
      },
    ],
    jwks: { keys: jwks },
    cookies: { keys: ["of tests"] },
    claims: { openid: ["sub"], profile: ["name", "groups"], email: ["email", "email_verified"] },
    // Claims of scopes stand in the ID token, too.
    conformIdTokenClaims: false,
    enabledJWA: { idTokenSigningAlgValues: ["ES256", "RS256"] },
    pkce: { required: () => true },
    features: { rpInitiatedLogout: { enabled: true } },
    findAccount: (_, id) => people[id] && { accountId: id, claims: () => ({ sub: id, ...people[id] }) },
  });

const server = createServer((request, response) => {
  if (request.method === "POST" && request.url === "/test/rotate") {
    [current, next] = [next, current];
    return response.writeHead(204).end();
  }
  if (request.method === "POST" && request.url === "/test/fail") {
    fails = true;
    return response.writeHead(204).end();
  }
  if (fails && request.url === "/token") return response.writeHead(500).end();
  return current(request, response);
});
let current, next, fails;
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://localhost:${server.address().port}`;
  current = provider(issuer, keys.slice(0, 1), "ES256").callback();
  next = provider(issuer, keys.slice(1), "RS256").callback();
  console.log(JSON.stringify({ issuer }));
});
process.stdin.resume();
process.stdin.on("end", () => process.exit());
