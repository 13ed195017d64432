// A person with a browser and a passkey, as far as a program can be one: a headless Chromium with a virtual
// authenticator (WebAuthn, 11). tests/it/auth/second_factor/browser.rs starts it with the address of the service,
// reads each code from the e-mail for it, and looks at what became of it.
import { createInterface } from 'node:readline/promises';
import sparticuz from '@sparticuz/chromium';
import { chromium } from 'playwright-core';

const [home, email] = process.argv.slice(2);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const code = async () => {
  console.log('code');
  return (await lines.next()).value;
};

const browser = await chromium.launch({
  args: sparticuz.args,
  executablePath: await sparticuz.executablePath(),
  headless: true,
});
const problems = [];

try {
  const page = await browser.newPage();
  page.setDefaultTimeout(20_000);
  // What the policy of the pages forbids is said here, and so is a script that fails.
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  page.on('pageerror', (error) => problems.push(String(error)));
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  const options = {
    protocol: 'ctap2', transport: 'internal', hasResidentKey: true,
    hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true,
  };
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', { options });
  const verifies = (isUserVerified) => cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified });
  const press = (name) => page.getByRole('button', { name, exact: true }).click();
  const sees = (text) => page.getByText(text).first().waitFor();

  const comeWithCode = async () => {
    await page.goto(`${home}/sign-in`);
    await page.getByLabel('E-mail address').fill(email);
    await page.locator('main button').click();
    await page.getByLabel('Code').fill(await code());
    await press('Sign in');
  };

  await comeWithCode();
  await sees('You are signed in as');
  await page.getByRole('link', { name: 'Your second factors' }).click();
  await press('Add a passkey');
  await page.getByLabel('Name (optional)').fill('Work laptop');
  // Whoever can't show that the device is theirs can try again on the same page.
  await verifies(false);
  await press('Add a passkey');
  await sees('That did not work, or was cancelled.');
  await verifies(true);
  await press('Add a passkey');
  await sees('Keep your recovery codes');
  const codes = await page.locator('.codes code').allTextContents();
  await page.getByRole('link', { name: 'I have kept them' }).click();
  await sees('Work laptop');
  // The same device once more: the browser knows.
  await press('Add a passkey');
  await press('Add a passkey');
  await sees('This device has a passkey for you already.');

  await page.goto(home);
  await press('Sign out');
  await comeWithCode();
  await sees('Show your second factor');
  await verifies(false);
  await press('Use a passkey');
  await sees('That did not work, or was cancelled.');
  await verifies(true);
  await press('Use a passkey');
  await sees('You are signed in as');
  await page.goto(`${home}/second-factor`);
  await sees('Last used on');
  const { credentials } = await cdp.send('WebAuthn.getCredentials', { authenticatorId });
  console.log(JSON.stringify({ codes: codes.length, signCount: credentials[0].signCount, problems }));
} finally {
  await browser.close();
  // Nobody is asked for another code, and nothing waits for one.
  process.stdin.destroy();
}
