// A provider of single sign-on for tests: oidc-provider on a free port of loopback, which can be made to lie.
//
// node oidc_provider.mjs PORT CLIENT_ID CLIENT_SECRET PROVIDER_ID
//
// It writes a line when it is ready and ends when its standard input closes. Whoever is sent there is signed in
// at once as the person whom /person named last. /time sets the clock, and /lie says what the next answers are
// like: see `lies`.

import { createHmac, createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';

// What time it is, is the tests' to say.
const really = Date.now;
let ahead = 0;
Date.now = () => really() + ahead;

console.warn = console.info = () => {};
const { Provider } = await import('oidc-provider');

const [port, clientId, clientSecret, providerId] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;

function key(kid, alg = 'RS256') {
  const pair = alg === 'RS256'
    ? generateKeyPairSync('rsa', { modulusLength: 2048 })
    : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...pair.privateKey.export({ format: 'jwk' }), kid, alg, use: 'sig' };
}

const keys = [key('first')];
const another = key('second');
const curve = key('third', 'ES256');
const published = [...keys];
const publicPart = ({ d, p, q, dp, dq, qi, ...rest }) => rest;

const people = new Map();
let person = 'nobody';
let lie = null;
const asked = {};

const provider = new Provider(issuer, {
  clients: [{
    client_id: clientId,
    client_secret: clientSecret,
    // Of a native client the port of loopback may be any (RFC 8252, 7.3).
    application_type: 'native',
    redirect_uris: [`http://127.0.0.1/sign-in/with/${providerId}/callback`],
    response_types: ['code'],
    grant_types: ['authorization_code'],
  }],
  jwks: { keys },
  cookies: { keys: ['of a test'] },
  claims: { openid: ['sub'], email: ['email', 'email_verified'] },
  pkce: { required: () => true },
  acrValues: ['AAL2', 'AAL3'],
  features: { devInteractions: { enabled: false } },
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ ...people.get(id), sub: id }) }),
  async loadExistingGrant(ctx) {
    const grant = new ctx.oidc.provider.Grant({ clientId, accountId: ctx.oidc.session.accountId });
    grant.addOIDCScope('openid email');
    await grant.save();
    return grant;
  },
});

const base64 = (text) => Buffer.from(text).toString('base64url');

function signed(header, claims, by) {
  const message = `${base64(JSON.stringify(header))}.${base64(JSON.stringify(claims))}`;
  return `${message}.${by(message)}`;
}

const rsa = (jwk) => (message) =>
  sign('sha256', Buffer.from(message), createPrivateKey({ key: jwk, format: 'jwk' })).toString('base64url');
const ecdsa = (jwk) => (message) =>
  sign('sha256', Buffer.from(message), { key: createPrivateKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' })
    .toString('base64url');
const hmac = (secret) => (message) => createHmac('sha256', secret).update(message).digest('base64url');

// What becomes of an ID token; all but the first few are signed with the provider's own key.
const header = { alg: 'RS256', kid: 'first' };
const withClaims = (more) => (claims) => signed(header, { ...claims, ...more(claims) }, rsa(keys[0]));
const lies = {
  none: (claims) => signed({ alg: 'none' }, claims, () => ''),
  hs256: (claims) => signed({ alg: 'HS256' }, claims, hmac(clientSecret)),
  'hs256-of-the-public-key': (claims) => {
    const pem = createPublicKey({ key: publicPart(keys[0]), format: 'jwk' }).export({ type: 'spki', format: 'pem' });
    return signed({ alg: 'HS256', kid: 'first' }, claims, hmac(pem));
  },
  'unknown-key': (claims) => signed({ alg: 'RS256', kid: 'second' }, claims, rsa(another)),
  'known-kid-of-another-key': (claims) => signed(header, claims, rsa(another)),
  'key-of-a-curve': (claims) => signed({ alg: 'ES256', kid: 'third' }, claims, ecdsa(curve)),
  nonce: withClaims(() => ({ nonce: 'of another sign-in' })),
  'no-nonce': withClaims(() => ({ nonce: undefined })),
  issuer: withClaims(() => ({ iss: 'https://login.example.nhs.uk' })),
  audience: withClaims(() => ({ aud: 'another client' })),
  audiences: withClaims(() => ({ aud: [clientId, 'another client'] })),
  expired: withClaims(({ iat }) => ({ iat: iat - 7200, exp: iat - 3600 })),
  'of-the-future': withClaims(({ iat }) => ({ iat: iat + 3600 })),
  'email-in-the-token': withClaims(({ sub }) => people.get(sub)),
  acr: withClaims(() => ({ acr: 'AAL3' })),
};

provider.use(async (ctx, next) => {
  asked[ctx.path] = (asked[ctx.path] ?? 0) + 1;
  if (ctx.path === '/token' && lie === 'stall') return new Promise(() => {});
  if (ctx.path === '/token' && lie === 'elsewhere') return ctx.redirect(`${issuer}/token-elsewhere`);
  if (ctx.path === '/token' && lie === 'broken') return ctx.throw(500);
  await next();
  if (ctx.path === '/token' && ctx.body?.id_token) {
    const claims = JSON.parse(Buffer.from(ctx.body.id_token.split('.')[1], 'base64url'));
    if (lies[lie]) ctx.body.id_token = lies[lie](claims);
    if (lie === 'long') ctx.body.more = 'x'.repeat(300_000);
    if (lie === 'no-token') delete ctx.body.id_token;
  }
  if (ctx.path === '/me' && lie === 'somebody-else') ctx.body = { ...ctx.body, sub: 'somebody else' };
  if (ctx.path === '/jwks') ctx.body = { keys: published.map(publicPart) };
  if (ctx.path.startsWith('/.well-known/')) {
    if (lie === 'another-issuer') ctx.body = { ...ctx.body, issuer: 'https://login.example.nhs.uk' };
    if (lie === 'keys-elsewhere') ctx.body = { ...ctx.body, jwks_uri: 'http://192.0.2.1/jwks' };
    if (lie === 'post-only') ctx.body = { ...ctx.body, token_endpoint_auth_methods_supported: ['client_secret_post'] };
  }
});

// What tests say, and where people are signed in.
provider.use(async (ctx, next) => {
  const parameters = Object.fromEntries(new URLSearchParams(ctx.querystring));
  if (ctx.path === '/person') {
    const { sub, ...claims } = JSON.parse(parameters.claims);
    person = sub;
    people.set(sub, claims);
    ctx.body = 'noted';
  } else if (ctx.path === '/lie') {
    lie = parameters.of || null;
    if (parameters.publish) published.push(another, curve);
    ctx.body = 'noted';
  } else if (ctx.path === '/time') {
    ahead = Number(parameters.now) - really();
    ctx.body = 'noted';
  } else if (ctx.path === '/asked') {
    ctx.body = asked;
  } else if (ctx.path.startsWith('/interaction/')) {
    const result = parameters.refuse
      ? { error: 'access_denied', error_description: '<script>alert(1)</script>' }
      : { login: { accountId: person, acr: 'AAL2', remember: false }, consent: {} };
    await provider.interactionFinished(ctx.req, ctx.res, result, { mergeWithLastSubmission: false });
    ctx.respond = false;
  } else {
    await next();
  }
});

// It breaks when it is told to.
provider.silent = true;
const server = provider.listen(Number(port), '127.0.0.1', () => console.log('ready'));
process.stdin.on('end', () => {
  server.closeAllConnections();
  server.close(() => process.exit(0));
});
process.stdin.resume();
